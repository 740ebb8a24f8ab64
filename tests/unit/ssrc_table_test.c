// SPDX-License-Identifier: BSD-3-Clause
//
// SSRC -> session against the plainest model, full and under churn.

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/dp_limits.h"
#include "support/packet.h"
#include "table/arena.h"
#include "table/ssrc_table.h"

#define SESSIONS 500u

static struct arena arena;
static struct ssrc_table *t;

static int begin(void **state)
{
	(void)state;
	arena = (struct arena){0};
	assert_null(ssrc_table_create(&arena, SESSIONS, 12345));
	assert_int_equal(arena_map(&arena, -1), 0);
	t = ssrc_table_create(&arena, SESSIONS, 12345);
	assert_non_null(t);
	return 0;
}

static int end(void **state)
{
	(void)state;
	arena_unmap(&arena);
	return 0;
}

static void finds_every_ssrc_of_a_block_and_no_other(void **state)
{
	(void)state;

	assert_int_equal(ssrc_table_add(t, 0x12340, 9), 0);
	for (uint32_t i = 0; i < DP_SSRCS_PER_SESSION; i++)
		assert_int_equal(ssrc_table_find(t, 0x12340 + i), 9);
	assert_int_equal(ssrc_table_find(t, 0x12340 - 1), INDEX_NONE);
	assert_int_equal(ssrc_table_find(t, 0x12340 + DP_SSRCS_PER_SESSION), INDEX_NONE);
	assert_int_equal(ssrc_table_add(t, 0x12340, 10), -EEXIST);
	assert_int_equal(ssrc_table_find(t, 0x12340), 9);
	ssrc_table_remove(t, 0x12340);
	assert_int_equal(ssrc_table_find(t, 0x12340), INDEX_NONE);
}

static void churn_agrees_with_an_array(void **state)
{
	struct packet_random random = {.state = 11};
	uint32_t model[SESSIONS] = {0}; // ssrc of the slot, 0: none
	(void)state;

	for (unsigned turn = 0; turn < 100000; turn++) {
		uint32_t slot = packet_random_below(&random, SESSIONS);

		if (model[slot] != 0) {
			ssrc_table_remove(t, model[slot]);
			model[slot] = 0;
		} else {
			// Neighbours on purpose: they cluster in a bad table.
			uint32_t ssrc = (1 + packet_random_below(&random, 4 * SESSIONS)) *
					DP_SSRCS_PER_SESSION;
			uint32_t owner = ssrc_table_find(t, ssrc);

			assert_int_equal(
				ssrc_table_add(t, ssrc, slot), owner == INDEX_NONE ? 0 : -EEXIST);
			if (owner == INDEX_NONE)
				model[slot] = ssrc;
		}
		slot = packet_random_below(&random, SESSIONS);
		if (model[slot] != 0)
			assert_int_equal(ssrc_table_find(t, model[slot] + 5), slot);
	}
	for (uint32_t slot = 0; slot < SESSIONS; slot++) {
		if (model[slot] != 0)
			assert_int_equal(ssrc_table_find(t, model[slot]), slot);
	}
}

static void holds_a_block_for_every_session(void **state)
{
	(void)state;

	for (uint32_t i = 0; i < SESSIONS; i++)
		assert_int_equal(ssrc_table_add(t, (i + 1) * DP_SSRCS_PER_SESSION, i), 0);
	for (uint32_t i = 0; i < SESSIONS; i++)
		assert_int_equal(ssrc_table_find(t, (i + 1) * DP_SSRCS_PER_SESSION), i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			finds_every_ssrc_of_a_block_and_no_other, begin, end),
		cmocka_unit_test_setup_teardown(churn_agrees_with_an_array, begin, end),
		cmocka_unit_test_setup_teardown(holds_a_block_for_every_session, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
