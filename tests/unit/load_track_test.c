// SPDX-License-Identifier: BSD-3-Clause
//
// One talker at one receiver: loss, duplicates, order, the node's renumbering, openings.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#include "load/track.h"

#define SEQ_BASE 65500u // wraps soon

static uint16_t seq_of(uint64_t n)
{
	return (uint16_t)(SEQ_BASE + n);
}

static void counts_every_packet_once_across_the_wrap(void **state)
{
	struct track track = {0};

	(void)state;
	track_open(&track, 10);
	for (uint64_t n = 10; n < 1010; n++)
		assert_int_equal(track_feed(&track, n, seq_of(n)), TRACK_NEW);
	assert_int_equal(track.received_count, 1000);
	assert_int_equal(track_expected(&track, 1010), 1000);
	assert_int_equal(track.duplicate_count + track.reordered_count + track.renumbered_count, 0);
}

static void a_gap_is_a_loss(void **state)
{
	struct track track = {0};

	(void)state;
	track_open(&track, 0);
	for (uint64_t n = 0; n < 100; n++) {
		if (n % 10 != 3)
			assert_int_equal(track_feed(&track, n, seq_of(n)), TRACK_NEW);
	}
	assert_int_equal(track_expected(&track, 100) - track.received_count, 10);
	assert_int_equal(track.renumbered_count, 0);
}

static void finds_duplicates_and_reordering(void **state)
{
	static const uint64_t order[] = {0, 1, 3, 2, 3, 4, 4, 0};
	static const enum track_verdict verdicts[] = {TRACK_NEW, TRACK_NEW, TRACK_NEW, TRACK_NEW,
		TRACK_DUPLICATE, TRACK_NEW, TRACK_DUPLICATE, TRACK_DUPLICATE};
	struct track track = {0};

	(void)state;
	track_open(&track, 0);
	for (unsigned i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		assert_int_equal(track_feed(&track, order[i], seq_of(order[i])), verdicts[i]);
	assert_int_equal(track.received_count, 5);
	assert_int_equal(track.duplicate_count, 3);
	assert_int_equal(track.reordered_count, 1);
}

static void the_node_may_leave_packets_out_but_not_invent_numbers(void **state)
{
	struct track track = {0};

	(void)state;
	track_open(&track, 0);
	assert_int_equal(track_feed(&track, 0, 100), TRACK_NEW);
	// It left 1 to 4 out and goes on without a gap.
	assert_int_equal(track_feed(&track, 5, 101), TRACK_NEW);
	assert_int_equal(track.renumbered_count, 4);
	assert_int_equal(track_feed(&track, 6, 103), TRACK_BAD_SEQ); // ahead
	assert_int_equal(track_feed(&track, 7, 103), TRACK_BAD_SEQ); // stands
	assert_int_equal(track_feed(&track, 8, 102), TRACK_BAD_SEQ); // backwards
}

static void what_comes_outside_an_opening_is_not_counted(void **state)
{
	struct track track = {0};

	(void)state;
	assert_int_equal(track_feed(&track, 0, 0), TRACK_LATE);
	track_open(&track, 5);
	assert_int_equal(track_feed(&track, 4, seq_of(4)), TRACK_EARLY);
	assert_int_equal(track_feed(&track, 5, seq_of(5)), TRACK_NEW);
	track_close(&track, 8);
	assert_int_equal(track_feed(&track, 7, seq_of(7)), TRACK_NEW); // was on its way
	assert_int_equal(track_feed(&track, 8, seq_of(8)), TRACK_LATE);
	assert_int_equal(track_expected(&track, 1000), 3);
	assert_int_equal(track.received_count, 2);
}

static void openings_add_up_and_may_renumber(void **state)
{
	struct track track = {0};

	(void)state;
	for (uint64_t opening = 0; opening < 5; opening++) {
		track_open(&track, opening * 100);
		for (uint64_t n = opening * 100; n < opening * 100 + 20; n++)
			assert_int_equal(track_feed(&track, n, (uint16_t)(n * 1 + opening * 999)),
				TRACK_NEW);
		track_close(&track, opening * 100 + 25);
	}
	assert_int_equal(track_expected(&track, 0), 5 * 25);
	assert_int_equal(track.received_count, 5 * 20);
}

static void what_is_still_on_its_way_is_expected_only_if_it_came(void **state)
{
	struct track track = {0};

	(void)state;
	track_open(&track, 0);
	assert_int_equal(track_expected(&track, 0), 0);
	assert_int_equal(track_feed(&track, 0, 0), TRACK_NEW);
	assert_int_equal(track_feed(&track, 1, 1), TRACK_NEW);
	assert_int_equal(track_expected(&track, 1), 2);
	assert_int_equal(track_expected(&track, 7), 7);
	assert_int_equal(track_fair_end(&track, 1), 2);
	assert_int_equal(track_fair_end(&track, 7), 7);
}

// Against a plain array of "seen" flags.
static void agrees_with_a_plain_model(void **state)
{
	static bool seen[20000];
	struct track track = {0};
	uint64_t random = 3, received_count = 0, duplicate_count = 0, highest = 0;

	(void)state;
	memset(seen, 0, sizeof(seen));
	track_open(&track, 0);
	for (unsigned i = 0; i < 60000; i++) {
		random = random * 6364136223846793005u + 1442695040888963407u;

		uint64_t ahead = i * 19999 / 60000, back = random >> 33 & 0x7f;
		uint64_t n = ahead > back ? ahead - back : 0;

		(void)track_feed(&track, n, seq_of(n));
		received_count += !seen[n];
		duplicate_count += seen[n];
		seen[n] = true;
		highest = n > highest ? n : highest;
	}
	assert_int_equal(track.received_count, received_count);
	assert_int_equal(track.duplicate_count, duplicate_count);
	assert_int_equal(track.highest_n, highest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_every_packet_once_across_the_wrap),
		cmocka_unit_test(a_gap_is_a_loss),
		cmocka_unit_test(finds_duplicates_and_reordering),
		cmocka_unit_test(the_node_may_leave_packets_out_but_not_invent_numbers),
		cmocka_unit_test(what_comes_outside_an_opening_is_not_counted),
		cmocka_unit_test(openings_add_up_and_may_renumber),
		cmocka_unit_test(what_is_still_on_its_way_is_expected_only_if_it_came),
		cmocka_unit_test(agrees_with_a_plain_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
