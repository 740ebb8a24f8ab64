// SPDX-License-Identifier: BSD-3-Clause
//
// The replay window against a table, and against a model that simply remembers everything; the
// index estimate against a sender that knows its index.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/replay.h"
#include "support/packet.h"

#define LIMIT DP_REPLAY_WINDOW
#define RANDOM_STEPS 1000000u

// Accepts 'index' if fresh.
static bool offer(struct replay *r, uint32_t index)
{
	struct replay before = *r;
	bool fresh = replay_fresh(r, index);

	assert_memory_equal(&before, r, sizeof(before)); // asking changes nothing
	if (fresh) {
		replay_accept(r, index);
	}
	return fresh;
}

// What WireGuard's selftest asks of its window, in indexes from 0x10000 on.
static void the_window_follows_the_table(void **state)
{
	static const struct {
		unsigned number;
		uint32_t index;
		bool accepted;
	} table[] = {
		{1, 0, true},
		{2, 1, true},
		{3, 1, false},
		{4, 9, true},
		{5, 8, true},
		{6, 7, true},
		{7, 7, false},
		{8, LIMIT, true},
		{9, LIMIT - 1, true},
		{10, LIMIT - 1, false},
		{11, LIMIT - 2, true},
		{12, 2, true},
		{13, 2, false},
		{14, LIMIT + 16, true},
		{15, 3, false},
		{16, LIMIT + 16, false},
		{17, LIMIT * 4, true},
		{18, LIMIT * 4 - (LIMIT - 1), true},
		{19, 10, false},
		{20, LIMIT * 4 - LIMIT, false},
		{21, LIMIT * 4 - (LIMIT + 1), false},
		{22, LIMIT * 4 - (LIMIT - 2), true},
		{23, LIMIT * 4 + 1 - LIMIT, false},
		{24, 0, false},
		{25, 0xf0000000u, true},
		{26, LIMIT * 4 + 1, false},
		{27, 0xf0000000u - (LIMIT - 1), true},
		{28, 0xf0000000u - LIMIT, false},
		{29, 0xf0000000u + LIMIT / 2, true},
		{30, 0xf0000000u - LIMIT / 2, false},
		{31, 0xf0000000u - LIMIT / 2 + 1, true},
		{32, 0xf0000000u, false},
		{33, UINT32_MAX - 0x10000u, true},
		{34, UINT32_MAX - 0x10000u, false},
		{35, UINT32_MAX - 0x10001u, true},
		{36, 0, false},
	};
	struct replay r;

	(void)state;
	replay_init(&r);
	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_int_equal(table[i].number, i + 1);
		if (offer(&r, 0x10000u + table[i].index) != table[i].accepted) {
			fail_msg("step %u", table[i].number);
		}
	}
}

static void every_distance_behind_the_newest_is_right(void **state)
{
	(void)state;
	// The newest at each place of its block.
	for (uint32_t newest = 0x20000; newest < 0x20000 + 130; newest++) {
		struct replay r;

		replay_init(&r);
		replay_accept(&r, newest);
		for (uint32_t back = 1; back < 2 * LIMIT; back++) {
			assert_int_equal(replay_fresh(&r, newest - back), back < LIMIT);
		}
		for (uint32_t back = LIMIT - 1; back > 0; back--) {
			assert_true(offer(&r, newest - back));
			assert_false(offer(&r, newest - back));
		}
	}
}

static void backwards_and_forwards_each_comes_once(void **state)
{
	struct replay r;

	(void)state;
	replay_init(&r);
	for (uint32_t i = LIMIT; i > 0; i--) {
		assert_true(offer(&r, 0x10000 + i));
	}
	for (uint32_t i = 1; i <= LIMIT; i++) {
		assert_false(offer(&r, 0x10000 + i));
	}
	assert_false(offer(&r, 0x10000));
}

// A bit for each index ever accepted, and nothing clever.
struct model {
	uint8_t *seen;
	uint32_t newest;
	bool started;
};

static bool model_fresh(const struct model *m, uint32_t index)
{
	return !m->started || index > m->newest ||
	       (m->newest - index < LIMIT && (m->seen[index / 8] >> index % 8 & 1) == 0);
}

static void model_accept(struct model *m, uint32_t index)
{
	m->seen[index / 8] |= (uint8_t)(1 << index % 8);
	m->newest = m->started && m->newest > index ? m->newest : index;
	m->started = true;
}

// Mostly near the newest, sometimes far before or behind it.
static uint32_t random_index(struct packet_random *random, uint32_t newest)
{
	switch (packet_random_below(random, 16)) {
	case 0:
		return newest + packet_random_below(random, 2 * LIMIT);
	case 1:
		return newest - packet_random_below(random, 2 * LIMIT);
	case 2:
		return newest - LIMIT + 2 - packet_random_below(random, 4);
	case 3:
		return newest + 64 - newest % 64 - packet_random_below(random, 2);
	case 4:
		return packet_random_below(random, 64) == 0 ? newest + 0x9000 : newest + 1;
	default:
		return newest + 4 - packet_random_below(random, 64);
	}
}

static void random_orders_agree_with_the_model(void **state)
{
	enum {
		SEEN_SIZE = 1 << 24
	};
	struct packet_random random = {.state = 3711};
	struct model m = {.seen = calloc(SEEN_SIZE, 1)};
	struct replay r;
	uint32_t newest = 0x10000, accepted = 0;

	(void)state;
	assert_non_null(m.seen);
	replay_init(&r);
	for (unsigned step = 0; step < RANDOM_STEPS; step++) {
		uint32_t index = random_index(&random, newest);
		bool forged = packet_random_below(&random, 8) == 0;
		bool fresh = replay_fresh(&r, index);

		assert_true(index / 8 < SEEN_SIZE);
		assert_int_equal(fresh, model_fresh(&m, index));
		if (!fresh || forged) {
			continue; // what fails authentication is never accepted
		}
		replay_accept(&r, index);
		model_accept(&m, index);
		accepted++;
		newest = m.newest;
		assert_int_equal(r.index_max, m.newest);
	}
	assert_true(accepted > RANDOM_STEPS / 8);
	assert_true(accepted < RANDOM_STEPS - RANDOM_STEPS / 8);
	free(m.seen);
}

static void a_resumed_window_takes_only_what_is_newer(void **state)
{
	struct packet_random random = {.state = 6479};

	(void)state;
	for (unsigned round = 0; round < 500; round++) {
		uint32_t floor = 0x10000 + packet_random_below(&random, 1u << 20);
		uint8_t seen[4096] = {0};
		struct replay r;

		replay_resume(&r, floor);
		for (uint32_t back = 0; back < 3 * LIMIT; back++) {
			assert_false(replay_fresh(&r, floor - back));
		}
		for (unsigned step = 0; step < 400; step++) {
			uint32_t ahead = 1 + packet_random_below(&random, step * 8 + 8);

			bool behind = floor + ahead < r.index_max &&
				      r.index_max - (floor + ahead) >= LIMIT;

			assert_int_equal(offer(&r, floor + ahead), !seen[ahead] && !behind);
			seen[ahead] = 1;
			assert_false(replay_fresh(&r, floor - packet_random_below(&random, LIMIT)));
		}
	}
}

static void nothing_to_resume_is_a_new_stream(void **state)
{
	struct replay r;

	(void)state;
	replay_resume(&r, 0);
	assert_int_equal(replay_estimate(&r, 65535), 0x1ffff);
	assert_true(replay_fresh(&r, 0x1ffff));
}

static void estimates_follow_rfc_3711(void **state)
{
	static const struct {
		uint32_t newest;
		uint16_t seq;
		uint32_t index;
	} table[] = {
		{0x10000, 1, 0x10001}, {0x10000, 0xffff, 0x0ffff}, // late, from before the first
		{0x10000, 0x8001, 0x08001}, // newest < 32,768: more than 32,768 ahead is behind
		{0x10000, 0x8000, 0x18000}, // exactly 32,768 is ahead
		{0x1fffe, 0xffff, 0x1ffff}, {0x1ffff, 0x0000, 0x20000}, // roll-over
		{0x1ffff, 0x7ffe, 0x27ffe},                             //
		{0x1ffff, 0x7fff, 0x17fff}, // exactly 32,768 behind is behind
		{0x18000, 0x0000, 0x10000}, //
		{0x18001, 0x0000, 0x20000}, //
		{0x20000, 0xffff, 0x1ffff}, // late, over the roll-over
		{0x27fff, 0xffff, 0x2ffff}, {0x27ffe, 0xffff, 0x1ffff},
		{0xffff0000u, 0xffff, 0xfffeffffu}, {0xffffffffu, 0xffff, 0xffffffffu},
		{0xffffffffu, 0x0000, 0},   // the end: older than any window
		{0x00005, 0xffff, 0x0ffff}, // never below zero
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct replay r;

		replay_init(&r);
		replay_accept(&r, table[i].newest);
		assert_int_equal(replay_estimate(&r, table[i].seq), table[i].index);
	}
}

static void the_first_packet_leaves_room_below(void **state)
{
	struct replay r;

	(void)state;
	replay_init(&r);
	for (uint32_t seq = 0; seq <= UINT16_MAX; seq++) {
		assert_int_equal(replay_estimate(&r, (uint16_t)seq), 0x10000 + seq);
	}
	replay_accept(&r, 0x10000);
	assert_true(offer(&r, replay_estimate(&r, UINT16_MAX))); // the packet before it, late
	assert_false(offer(&r, replay_estimate(&r, UINT16_MAX)));
	assert_true(offer(&r, replay_estimate(&r, 1)));
}

// A sender that counts in 32 bits; its packets are late, lost or far ahead, by less than half of
// the sequence numbers. The receiver sees 16 bits and must find the 32.
static void estimates_find_the_senders_index_over_roll_overs(void **state)
{
	struct packet_random random = {.state = 16};
	uint32_t newest = 0x10000 + packet_random_below(&random, 65536);
	uint32_t roll_overs = newest >> 16;
	struct replay r;

	(void)state;
	replay_init(&r);
	assert_true(offer(&r, replay_estimate(&r, (uint16_t)newest)));
	assert_int_equal(r.index_max, newest);
	for (unsigned step = 0; step < RANDOM_STEPS; step++) {
		uint32_t sent = newest;

		switch (packet_random_below(&random, 8)) {
		case 0:
			sent -= packet_random_below(&random, 0x8000);
			break;
		case 1:
			sent += packet_random_below(&random, 0x8000) >>
				packet_random_below(&random, 16);
			break;
		default:
			sent += 1;
			break;
		}
		assert_int_equal(replay_estimate(&r, (uint16_t)sent), sent);
		(void)offer(&r, sent);
		newest = sent > newest ? sent : newest;
	}
	assert_true((newest >> 16) - roll_overs > 100);
}

// Forged packets ask with every sequence number there is; the stream goes on as if there were none.
static void forged_jumps_change_nothing(void **state)
{
	struct replay r, untouched;

	(void)state;
	replay_init(&r);
	replay_init(&untouched);
	for (uint32_t index = 0x1fff0; index < 0x20010; index++) {
		for (uint32_t seq = 0; seq <= UINT16_MAX; seq += 7) {
			uint32_t forged = replay_estimate(&r, (uint16_t)seq);

			(void)replay_fresh(&r, forged); // and then its tag is wrong
		}
		assert_int_equal(replay_estimate(&r, (uint16_t)index), index);
		assert_true(offer(&r, index));
		assert_true(offer(&untouched, index));
		assert_memory_equal(&r, &untouched, sizeof(r));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_window_follows_the_table),
		cmocka_unit_test(every_distance_behind_the_newest_is_right),
		cmocka_unit_test(backwards_and_forwards_each_comes_once),
		cmocka_unit_test(random_orders_agree_with_the_model),
		cmocka_unit_test(a_resumed_window_takes_only_what_is_newer),
		cmocka_unit_test(nothing_to_resume_is_a_new_stream),
		cmocka_unit_test(estimates_follow_rfc_3711),
		cmocka_unit_test(the_first_packet_leaves_room_below),
		cmocka_unit_test(estimates_find_the_senders_index_over_roll_overs),
		cmocka_unit_test(forged_jumps_change_nothing),
	};

	return cmocka_run_group_tests_name("replay", tests, NULL, NULL);
}
