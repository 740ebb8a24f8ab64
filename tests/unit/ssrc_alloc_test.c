// SPDX-License-Identifier: BSD-3-Clause
//
// SSRC blocks: aligned, positive for Java, never one that lives.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/dp_limits.h"
#include "registry/placement.h"
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
	static const uint32_t randoms[] = {0, 1, 15, 16, 0x7fffffff, 0x80000000, 0xffffffff, 12345};

	(void)state;
	for (unsigned index = 0; index < sizeof(randoms) / sizeof(randoms[0]); index++) {
		uint32_t next = ssrc_alloc_start(randoms[index]);

		for (unsigned count = 0; count < 100; count++) {
			uint32_t ssrc = ssrc_alloc_take(&next, none, NULL);

			assert_int_equal(ssrc % DP_SSRCS_PER_SESSION, 0);
			assert_true(ssrc >= SSRC_FIRST && ssrc <= INT32_MAX - DP_SSRCS_PER_SESSION);
			assert_int_not_equal(next, ssrc);
		}
	}
}

static void numbers_run_on_and_wrap(void **state)
{
	uint32_t next = SSRC_LAST;

	(void)state;
	assert_int_equal(ssrc_alloc_take(&next, none, NULL), SSRC_LAST);
	assert_int_equal(ssrc_alloc_take(&next, none, NULL), SSRC_FIRST);
	assert_int_equal(ssrc_alloc_take(&next, none, NULL), SSRC_FIRST + DP_SSRCS_PER_SESSION);
}

static void what_lives_is_stepped_over(void **state)
{
	uint32_t next = SSRC_LAST, living = SSRC_LAST;

	(void)state;
	assert_int_equal(ssrc_alloc_take(&next, one, &living), SSRC_FIRST);
	assert_int_equal(ssrc_alloc_take(&next, all, NULL), 0);
}

static void a_guild_goes_to_the_lightest_worker(void **state)
{
	struct placement_load loads[4] = {
		{.sessions = 5, .guilds = 1, .session_max = 10, .guild_max = 10},
		{.sessions = 3, .guilds = 4, .session_max = 10, .guild_max = 10},
		{.sessions = 3, .guilds = 2, .session_max = 10, .guild_max = 10},
		{.sessions = 0, .guilds = 9, .session_max = 10, .guild_max = 9}};

	(void)state;
	assert_int_equal(placement_choose(loads, 4), 2); // 3 is full of guilds
	assert_int_equal(placement_choose(loads, 1), 0);
	loads[0].session_max = 5;
	assert_int_equal(placement_choose(loads, 1), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_are_aligned_and_positive),
		cmocka_unit_test(numbers_run_on_and_wrap),
		cmocka_unit_test(what_lives_is_stepped_over),
		cmocka_unit_test(a_guild_goes_to_the_lightest_worker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
