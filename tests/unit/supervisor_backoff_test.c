// SPDX-License-Identifier: BSD-3-Clause
//
// control/supervisor/backoff.c: the table of waits.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "supervisor/backoff.h"

static void waits_nothing_then_doubles_to_five_seconds(void **state)
{
	static const uint32_t expected[] = {0, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000};
	struct backoff backoff = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_int_equal(backoff_next(&backoff, 1), expected[i]);
}

static void starts_again_at_nothing_after_ten_seconds_of_life(void **state)
{
	struct backoff backoff = {0};

	(void)state;
	for (int i = 0; i < 6; i++)
		(void)backoff_next(&backoff, 0);
	assert_int_equal(backoff_next(&backoff, BACKOFF_RESET_MS - 1), 3200);
	assert_int_equal(backoff_next(&backoff, BACKOFF_RESET_MS), 0);
	assert_int_equal(backoff_next(&backoff, 0), 100);
}

static void never_overflows(void **state)
{
	struct backoff backoff = {.deaths = 1000000};

	(void)state;
	assert_int_equal(backoff_next(&backoff, 0), BACKOFF_LAST_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_nothing_then_doubles_to_five_seconds),
		cmocka_unit_test(starts_again_at_nothing_after_ten_seconds_of_life),
		cmocka_unit_test(never_overflows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
