// SPDX-License-Identifier: BSD-3-Clause
//
// Nonce suffixes never repeat: not within a run, not over crashes, not between two owners of a
// floor, and never with a client's own counter.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/dp_limits.h"
#include "crypto/nonce.h"
#include "support/packet.h"

#define RANDOM_NUMBERS 1000000u

static uint32_t big_endian(const uint8_t s[4])
{
	return (uint32_t)s[0] << 24 | (uint32_t)s[1] << 16 | (uint32_t)s[2] << 8 | s[3];
}

static uint32_t little_endian(const uint8_t s[4])
{
	return (uint32_t)s[3] << 24 | (uint32_t)s[2] << 16 | (uint32_t)s[1] << 8 | s[0];
}

// The other way round, written from the rule: 30 bits, without the top bits of bytes 0 and 3.
static uint32_t number_of(const uint8_t s[4])
{
	return (uint32_t)(s[0] & 0x7f) << 23 | (uint32_t)s[1] << 15 | (uint32_t)s[2] << 7 |
	       (s[3] & 0x7f);
}

static void check_suffix(uint32_t number)
{
	uint8_t suffix[4];

	nonce_suffix(number, suffix);
	assert_int_equal(number_of(suffix), number); // has an inverse, so no two are equal
	// Client counters, whichever way they are written, are below 2^31.
	assert_true(big_endian(suffix) >= 1u << 31);
	assert_true(little_endian(suffix) >= 1u << 31);
}

static void suffixes_are_spelled_as_documented(void **state)
{
	static const struct {
		uint32_t number;
		uint8_t suffix[4];
	} table[] = {
		{0, {0x80, 0x00, 0x00, 0x80}},
		{1, {0x80, 0x00, 0x00, 0x81}},
		{127, {0x80, 0x00, 0x00, 0xff}},
		{128, {0x80, 0x00, 0x01, 0x80}},
		{1u << 15, {0x80, 0x01, 0x00, 0x80}},
		{1u << 23, {0x81, 0x00, 0x00, 0x80}},
		{DP_NONCES_MAX - 1, {0xff, 0xff, 0xff, 0xff}},
	};
	uint8_t suffix[4];

	(void)state;
	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		nonce_suffix(table[i].number, suffix);
		assert_memory_equal(suffix, table[i].suffix, 4);
	}
}

static void suffixes_are_distinct_and_never_a_clients(void **state)
{
	struct packet_random random = {.state = 45};

	(void)state;
	for (unsigned bit = 0; bit < 30; bit++) {
		check_suffix(1u << bit);
		check_suffix((1u << bit) - 1);
		check_suffix(DP_NONCES_MAX - (1u << bit));
	}
	for (uint32_t number = 0; number < 1u << 16; number++) {
		check_suffix(number);
	}
	for (unsigned i = 0; i < RANDOM_NUMBERS; i++) {
		check_suffix(packet_random_below(&random, DP_NONCES_MAX));
	}
}

static void numbers_come_in_order_from_the_floor(void **state)
{
	uint32_t floor = 5000;
	struct nonce_space space;
	uint8_t suffix[4];

	(void)state;
	nonce_init(&space, &floor);
	assert_int_equal(floor, 5000); // a session that sends nothing loses nothing
	for (uint32_t number = 5000; number < 5000 + 3 * DP_NONCES_PER_LEASE; number++) {
		assert_true(nonce_take(&space, suffix));
		assert_int_equal(number_of(suffix), number);
		assert_true(floor > number); // stored before the number is in anybody's hands
		assert_true(floor - number <= DP_NONCES_PER_LEASE);
	}
	assert_int_equal(floor, 5000 + 3 * DP_NONCES_PER_LEASE);
}

static void a_crash_at_any_point_repeats_nothing(void **state)
{
	enum {
		LIMIT = 1 << 21
	};
	struct packet_random random = {.state = 7};
	uint8_t *used = calloc(LIMIT, 1);
	uint32_t floor = 0, taken = 0, crashes = 0;

	(void)state;
	assert_non_null(used);
	while (floor < LIMIT - 4 * DP_NONCES_PER_LEASE) {
		struct nonce_space space;
		uint32_t count = packet_random_below(&random, 3 * DP_NONCES_PER_LEASE);

		nonce_init(&space, &floor);
		for (uint32_t i = 0; i < count; i++) {
			uint32_t before = floor, number;
			uint8_t suffix[4];

			assert_true(nonce_take(&space, suffix));
			number = number_of(suffix);
			assert_int_equal(used[number], 0);
			used[number] = 1;
			assert_true(floor >= before);
		}
		taken += count;
		crashes++;
		assert_true(floor - taken <= crashes * DP_NONCES_PER_LEASE); // one lease a crash
	}
	assert_true(crashes > 500);
	free(used);
}

static void two_owners_of_one_floor_repeat_nothing(void **state)
{
	enum {
		LIMIT = 1 << 17
	};
	struct packet_random random = {.state = 8};
	uint8_t *used = calloc(LIMIT, 1);
	struct nonce_space space[2];
	uint32_t floor = 0;

	(void)state;
	assert_non_null(used);
	nonce_init(&space[0], &floor);
	nonce_init(&space[1], &floor);
	while (floor < LIMIT - 2 * DP_NONCES_PER_LEASE) {
		uint32_t before = floor, number;
		uint8_t suffix[4];

		assert_true(nonce_take(&space[packet_random_below(&random, 2)], suffix));
		number = number_of(suffix);
		assert_int_equal(used[number], 0);
		used[number] = 1;
		assert_true(floor >= before);
	}
	free(used);
}

static void a_space_ends_and_stays_ended(void **state)
{
	static const uint32_t left[] = {0, 1, DP_NONCES_PER_LEASE - 1, DP_NONCES_PER_LEASE,
		DP_NONCES_PER_LEASE + 1, 5 * DP_NONCES_PER_LEASE - 3};

	(void)state;
	for (unsigned i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
		uint32_t floor = DP_NONCES_MAX - left[i], last = 0;
		struct nonce_space space;
		uint8_t suffix[4];

		nonce_init(&space, &floor);
		for (uint32_t n = 0; n < left[i]; n++) {
			assert_true(nonce_take(&space, suffix));
			last = number_of(suffix);
		}
		assert_true(left[i] == 0 || last == DP_NONCES_MAX - 1);
		for (unsigned again = 0; again < 3; again++) {
			assert_false(nonce_take(&space, suffix));
			assert_int_equal(floor, DP_NONCES_MAX);
		}
		nonce_init(&space, &floor);
		assert_false(nonce_take(&space, suffix));
	}
}

static void a_floor_beyond_the_space_gives_nothing(void **state)
{
	uint32_t floor = UINT32_MAX;
	struct nonce_space space;
	uint8_t suffix[4];

	(void)state;
	nonce_init(&space, &floor);
	assert_false(nonce_take(&space, suffix));
	assert_int_equal(floor, UINT32_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(suffixes_are_spelled_as_documented),
		cmocka_unit_test(suffixes_are_distinct_and_never_a_clients),
		cmocka_unit_test(numbers_come_in_order_from_the_floor),
		cmocka_unit_test(a_crash_at_any_point_repeats_nothing),
		cmocka_unit_test(two_owners_of_one_floor_repeat_nothing),
		cmocka_unit_test(a_space_ends_and_stays_ended),
		cmocka_unit_test(a_floor_beyond_the_space_gives_nothing),
	};

	return cmocka_run_group_tests_name("nonce", tests, NULL, NULL);
}
