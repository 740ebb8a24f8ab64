// SPDX-License-Identifier: BSD-3-Clause
//
// Nonce suffixes as a clock: learnt from every stock client's way of counting, never from chance,
// and no client that counts on is ever refused.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "session/suffix.h"
#include "support/packet.h"

static struct dp_suffix_shm s;

static uint32_t wire(enum suffix_order order, uint32_t counter)
{
	return order == SUFFIX_LITTLE ? __builtin_bswap32(counter) : counter;
}

// A step over 2^24 looks like both, and begins the count again.
static void learn(enum suffix_order order, uint32_t *counter)
{
	unsigned packets = 0;

	s = (struct dp_suffix_shm){0};
	for (; s.order == SUFFIX_UNKNOWN; packets++) {
		assert_true(suffix_fresh(&s, wire(order, *counter)));
		suffix_accept(&s, wire(order, (*counter)++));
	}
	assert_in_range(packets, SUFFIX_STEPS, 2 * SUFFIX_STEPS);
	assert_int_equal(s.order, order);
}

static const enum suffix_order orders[] = {SUFFIX_BIG, SUFFIX_LITTLE};

static void both_ways_of_counting_are_learnt_from_anywhere(void **state)
{
	static const uint32_t starts[] = {
		0, 1, 200, 255, 418, 513, 0xfff0, 0x00ffffe0, 0x01010101, 0x7ffffff0, 0xfffffff0};
	(void)state;

	for (unsigned o = 0; o < 2; o++) {
		for (unsigned i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
			uint32_t counter = starts[i];

			learn(orders[o], &counter);
			assert_int_equal(s.newest, counter - 1);
		}
	}
}

static void what_counts_on_is_never_refused(void **state)
{
	struct packet_random random = {.state = 5};
	(void)state;

	for (unsigned o = 0; o < 2; o++) {
		uint32_t counter = 0xfff00000; // over its end, too

		learn(orders[o], &counter);
		for (unsigned i = 0; i < 1000000; i++) {
			uint32_t late = packet_random_below(&random, SUFFIX_LATE_MAX);

			counter += 1 + (i % 64 == 0) * packet_random_below(&random, 100000);
			assert_true(suffix_fresh(&s, wire(orders[o], counter)));
			suffix_accept(&s, wire(orders[o], counter));
			assert_true(suffix_fresh(&s, wire(orders[o], counter - late)));
			assert_int_equal(s.newest, counter);
		}
	}
}

static void what_was_said_long_ago_is_refused(void **state)
{
	(void)state;
	for (unsigned o = 0; o < 2; o++) {
		uint32_t counter = 100;

		learn(orders[o], &counter);
		counter += 70000;
		suffix_accept(&s, wire(orders[o], counter));
		for (uint32_t ago = SUFFIX_LATE_MAX; ago < 70000; ago++)
			assert_false(suffix_fresh(&s, wire(orders[o], counter - ago)));
		// One that comes late does not set the clock back.
		suffix_accept(&s, wire(orders[o], counter - 1000));
		assert_int_equal(s.newest, counter);
	}
}

static void chance_teaches_nothing(void **state)
{
	struct packet_random random = {.state = 6};
	(void)state;

	s = (struct dp_suffix_shm){0};
	for (unsigned i = 0; i < 2000000; i++) {
		uint32_t suffix = (uint32_t)packet_random_next(&random);

		assert_true(suffix_fresh(&s, suffix));
		suffix_accept(&s, suffix);
		assert_int_equal(s.order, SUFFIX_UNKNOWN);
	}
	// Nor a client that counts down, or that says the same again.
	for (uint32_t i = 0; i < 10000; i++) {
		suffix_accept(&s, 0u - i);
		suffix_accept(&s, 0u - i);
		assert_int_equal(s.order, SUFFIX_UNKNOWN);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways_of_counting_are_learnt_from_anywhere),
		cmocka_unit_test(what_counts_on_is_never_refused),
		cmocka_unit_test(what_was_said_long_ago_is_refused),
		cmocka_unit_test(chance_teaches_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
