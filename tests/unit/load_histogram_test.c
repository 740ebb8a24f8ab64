// SPDX-License-Identifier: BSD-3-Clause
//
// Histogram: quantiles against sorted values, and that seconds add up to the run.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "load/histogram.h"

#define VALUE_COUNT 5000u

static struct histogram one, two, all; // too large for a stack of tests

static int all_clear(void **state)
{
	(void)state;
	histogram_clear(&one);
	histogram_clear(&two);
	histogram_clear(&all);
	return 0;
}

static uint64_t random_next(uint64_t *random)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return *random;
}

// Spread over all magnitudes, as latencies never are.
static uint64_t value_next(uint64_t *random)
{
	return random_next(random) >> (24 + random_next(random) % 40);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void is_exact_below_64(void **state)
{
	(void)state;
	for (uint64_t value = 0; value < HISTOGRAM_SUB_COUNT; value++)
		histogram_record(&one, value);
	for (unsigned permille = 1; permille <= 1000; permille++)
		assert_int_equal(histogram_quantile(&one, permille),
			(HISTOGRAM_SUB_COUNT * permille + 999) / 1000 - 1);
}

static void a_quantile_is_at_most_a_64th_too_high(void **state)
{
	static uint64_t values[VALUE_COUNT];
	uint64_t random = 7;

	(void)state;
	for (unsigned i = 0; i < VALUE_COUNT; i++) {
		values[i] = value_next(&random);
		histogram_record(&one, values[i]);
	}
	qsort(values, VALUE_COUNT, sizeof(values[0]), compare);
	for (unsigned permille = 1; permille <= 1000; permille++) {
		uint64_t exact = values[((uint64_t)VALUE_COUNT * permille + 999) / 1000 - 1];
		uint64_t got = histogram_quantile(&one, permille);

		assert_true(got >= exact);
		assert_true(got <= exact + exact / HISTOGRAM_SUB_COUNT);
	}
	assert_int_equal(histogram_quantile(&one, 1000), values[VALUE_COUNT - 1]);
}

static void merged_seconds_are_the_run(void **state)
{
	uint64_t random = 11;

	(void)state;
	for (unsigned i = 0; i < VALUE_COUNT; i++) {
		uint64_t value = value_next(&random);

		histogram_record(&all, value);
		histogram_record(i % 3 == 0 ? &one : &two, value);
	}
	histogram_merge(&one, &two);
	assert_memory_equal(&one, &all, sizeof(one));
}

static void an_empty_one_has_no_quantile(void **state)
{
	(void)state;
	assert_int_equal(histogram_quantile(&one, 500), 0);
	assert_int_equal(histogram_quantile(&one, 1000), 0);
}

static void values_beyond_its_range_are_counted_and_the_maximum_is_exact(void **state)
{
	(void)state;
	histogram_record(&one, 5);
	histogram_record(&one, UINT64_MAX);
	assert_int_equal(one.total_count, 2);
	assert_int_equal(histogram_quantile(&one, 500), 5);
	assert_true(histogram_quantile(&one, 990) == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(is_exact_below_64, all_clear),
		cmocka_unit_test_setup(a_quantile_is_at_most_a_64th_too_high, all_clear),
		cmocka_unit_test_setup(merged_seconds_are_the_run, all_clear),
		cmocka_unit_test_setup(an_empty_one_has_no_quantile, all_clear),
		cmocka_unit_test_setup(
			values_beyond_its_range_are_counted_and_the_maximum_is_exact, all_clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
