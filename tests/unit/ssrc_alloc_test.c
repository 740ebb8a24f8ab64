// SPDX-License-Identifier: BSD-3-Clause
//
// SSRC blocks: aligned, positive for Java, in an order that tells nothing, never one that lives.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "api/dp_limits.h"
#include "registry/ssrc_alloc.h"

static bool none(void *arg, uint32_t ssrc)
{
	(void)arg;
	(void)ssrc;
	return false;
}

static bool all(void *arg, uint32_t ssrc)
{
	(void)arg;
	(void)ssrc;
	return true;
}

static bool one(void *arg, uint32_t ssrc)
{
	return *(const uint32_t *)arg == ssrc;
}

static void blocks_are_aligned_and_positive(void **state)
{
	(void)state;
	for (uint8_t key = 0; key < 8; key++) {
		struct ssrc_order order;

		ssrc_order_init(&order, (const uint8_t[SSRC_KEY_SIZE]){key});
		for (unsigned count = 0; count < 100; count++) {
			uint32_t ssrc = ssrc_alloc_take(&order, none, NULL);

			assert_int_equal(ssrc % DP_SSRCS_PER_SESSION, 0);
			assert_true(ssrc >= SSRC_FIRST && ssrc <= INT32_MAX - DP_SSRCS_PER_SESSION);
		}
	}
}

// One in 2^27 of the 2^31 pairs would be a repeat by chance: 16 of them without a permutation.
static void none_comes_twice(void **state)
{
	const unsigned count = 1u << 16;
	uint64_t *seen = calloc(SSRC_LAST / DP_SSRCS_PER_SESSION / 64 + 1, sizeof(*seen));
	struct ssrc_order order;

	(void)state;
	assert_non_null(seen);
	ssrc_order_init(&order, (const uint8_t[SSRC_KEY_SIZE]){"sixteen bytes.."});
	order.next = 0u - count / 2; // over the end of the walk, too
	for (unsigned i = 0; i < count; i++) {
		uint32_t block = ssrc_alloc_take(&order, none, NULL) / DP_SSRCS_PER_SESSION;

		assert_false(seen[block / 64] >> block % 64 & 1);
		seen[block / 64] |= UINT64_C(1) << block % 64;
	}
	free(seen);
}

static void the_order_tells_nothing(void **state)
{
	struct ssrc_order a, b;
	unsigned near = 0, same = 0, high = 0;
	uint32_t last = 0;

	(void)state;
	ssrc_order_init(&a, (const uint8_t[SSRC_KEY_SIZE]){1});
	ssrc_order_init(&b, (const uint8_t[SSRC_KEY_SIZE]){1, [15] = 1}); // one bit apart
	for (unsigned i = 0; i < 1000; i++) {
		uint32_t ssrc = ssrc_alloc_take(&a, none, NULL);

		near += ssrc - last + 0x100000 < 0x200000; // one in 1,024
		high += ssrc > SSRC_LAST / 2;
		same += ssrc == ssrc_alloc_take(&b, none, NULL);
		last = ssrc;
	}
	assert_true(near < 10);
	assert_true(high > 400 && high < 600);
	assert_int_equal(same, 0);
}

static void a_successor_goes_on(void **state)
{
	struct ssrc_order order, copy;
	uint32_t first;

	(void)state;
	ssrc_order_init(&order, (const uint8_t[SSRC_KEY_SIZE]){3});
	first = ssrc_alloc_take(&order, none, NULL);
	copy = order;
	assert_int_equal(ssrc_alloc_take(&copy, none, NULL), ssrc_alloc_take(&order, none, NULL));
	copy.next = 0;
	assert_int_equal(ssrc_alloc_take(&copy, none, NULL), first);
}

static void what_lives_is_stepped_over(void **state)
{
	struct ssrc_order order, copy;
	uint32_t living, second;

	(void)state;
	ssrc_order_init(&order, (const uint8_t[SSRC_KEY_SIZE]){4});
	copy = order;
	living = ssrc_alloc_take(&copy, none, NULL);
	second = ssrc_alloc_take(&copy, none, NULL);
	assert_int_equal(ssrc_alloc_take(&order, one, &living), second);
	assert_int_equal(ssrc_alloc_take(&order, all, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_are_aligned_and_positive),
		cmocka_unit_test(none_comes_twice),
		cmocka_unit_test(the_order_tells_nothing),
		cmocka_unit_test(a_successor_goes_on),
		cmocka_unit_test(what_lives_is_stepped_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
