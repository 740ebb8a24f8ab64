// SPDX-License-Identifier: BSD-3-Clause
//
// Runs of words: never two owners of one word, nothing lost, whatever comes and goes.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/packet.h"
#include "table/arena.h"
#include "table/extents.h"

#define WORDS 4096u
#define RUNS 200u

static struct arena arena;
static struct u32_extents *x;

static int begin(void **state)
{
	(void)state;
	arena = (struct arena){0};
	assert_null(u32_extents_create(&arena, WORDS));
	assert_int_equal(arena_map(&arena, -1), 0);
	x = u32_extents_create(&arena, WORDS);
	assert_non_null(x);
	return 0;
}

static int end(void **state)
{
	(void)state;
	arena_unmap(&arena);
	return 0;
}

static void takes_all_of_it_and_then_no_more(void **state)
{
	struct extent all, none = {.offset = 77, .capacity = 0};
	(void)state;

	assert_true(extent_take(x, WORDS, &all));
	assert_int_equal(all.capacity, WORDS);
	assert_false(extent_take(x, 1, &none));
	assert_int_equal(none.offset, 77);
	extent_give(x, &all);
	assert_int_equal(all.capacity, 0);
	assert_false(extent_take(x, WORDS + 1, &none));
	assert_true(extent_take(x, WORDS, &all));
	extent_give(x, &all);
}

static void gives_back_nothing_from_nothing(void **state)
{
	struct extent none = {0};
	(void)state;

	extent_give(x, &none);
	assert_int_equal(x->free_units, x->unit_count);
}

static void growing_keeps_the_words_and_a_refusal_keeps_the_run(void **state)
{
	struct extent e, other;
	(void)state;

	assert_true(extent_take(x, 5, &e));
	assert_int_equal(e.capacity, 8);
	for (uint32_t i = 0; i < 8; i++)
		extent_words(x, &e)[i] = i + 1;
	assert_true(extent_grow(x, &e, 6)); // fits already
	assert_int_equal(e.capacity, 8);
	assert_true(extent_grow(x, &e, 1000));
	assert_int_equal(e.capacity, 1024);
	for (uint32_t i = 0; i < 1024; i++)
		assert_int_equal(extent_words(x, &e)[i], i < 8 ? i + 1 : 0);
	assert_true(extent_take(x, WORDS / 2, &other));
	assert_false(extent_grow(x, &e, WORDS / 2));
	assert_int_equal(e.capacity, 1024);
	assert_int_equal(extent_words(x, &e)[7], 8);
	extent_give(x, &other);
	extent_give(x, &e);
	assert_int_equal(x->free_units, x->unit_count);
}

// Every run is filled with its own number; any overlap would overwrite another's.
static void random_runs_never_overlap(void **state)
{
	struct packet_random random = {.state = 3};
	struct extent run[RUNS] = {0};
	(void)state;

	for (unsigned turn = 0; turn < 20000; turn++) {
		uint32_t at = packet_random_below(&random, RUNS);
		uint32_t size = 1u << packet_random_below(&random, 8);

		if (run[at].capacity != 0 && packet_random_below(&random, 2)) {
			extent_give(x, &run[at]);
		} else if (run[at].capacity == 0) {
			if (!extent_take(x, size, &run[at]))
				continue;
			for (uint32_t i = 0; i < run[at].capacity; i++)
				assert_int_equal(extent_words(x, &run[at])[i], 0);
		} else if (!extent_grow(x, &run[at], size)) {
			continue;
		}
		for (uint32_t i = 0; i < run[at].capacity; i++)
			extent_words(x, &run[at])[i] = at + 1;
		at = packet_random_below(&random, RUNS);
		for (uint32_t i = 0; i < run[at].capacity; i++)
			assert_int_equal(extent_words(x, &run[at])[i], at + 1);
	}
	for (unsigned i = 0; i < RUNS; i++)
		extent_give(x, &run[i]);
	assert_int_equal(x->free_units, x->unit_count);
	assert_true(extent_take(x, WORDS, &run[0])); // all of it joined again
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(takes_all_of_it_and_then_no_more, begin, end),
		cmocka_unit_test_setup_teardown(gives_back_nothing_from_nothing, begin, end),
		cmocka_unit_test_setup_teardown(
			growing_keeps_the_words_and_a_refusal_keeps_the_run, begin, end),
		cmocka_unit_test_setup_teardown(random_runs_never_overlap, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
