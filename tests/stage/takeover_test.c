// SPDX-License-Identifier: BSD-3-Clause
//
// A dataplane dies and its successor goes on from the progress memfd: no nonce twice, addresses and
// sequence numbers as they were, nothing old accepted again. And what is not there any more is
// freed.

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>

#include "api/dp_assert.h"
#include "run/pipeline.h"
#include "session/leg.h"
#include "session/session.h"
#include "stage/room_fixture.h"
#include "table/extents.h"

static struct fixture f;

// What control does after HELLO: replays its intent, same handles, same keys, same key ids.
static void replay_intent(void)
{
	assert_int_equal(node_guild(&f.node, 0, f.guild), 0);
	assert_int_equal(node_room(&f.node, 0, f.guild, f.room), 0);
	assert_int_equal(node_room(&f.node, 0, f.guild, f.other_room), 0);
	for (unsigned i = 0; i < f.member_count; i++) {
		assert_int_equal(client_add(&f.member[i]), 0);
		assert_int_equal(client_key(&f.member[i]), 0);
	}
}

static void a_call_goes_on_after_a_crash_without_signaling(void **state)
{
	struct client_packet p;
	(void)state;

	fixture_init(&f, 2);
	client_say(&f.member[0], "a", 1);
	assert_true(hear(&f.member[1], &p));
	node_restart(&f.node);
	client_say(&f.member[0], "lost", 4);
	assert_false(hear(&f.member[1], &p));
	replay_intent();
	client_say(&f.member[0], "b", 1);
	assert_true(hear(&f.member[1], &p)); // client_open() asserts that nonces rise
	assert_int_equal(p.clear[0], 'b');
	assert_int_equal((uint16_t)(p.seq - 7) < 3, 1);
	// The silent listener was not asked for its address again.
	assert_int_equal(node_verdict(&f.node, DP_DISCOVERY), 2);
	fixture_fini(&f);
}

static void no_nonce_comes_twice_over_fifty_crashes(void **state)
{
	struct packet_random random = {.state = 7};
	struct client_packet p;
	(void)state;

	fixture_init(&f, 2);
	node_unlimit(&f.node);
	for (unsigned crash = 0; crash < 50; crash++) {
		unsigned count = packet_random_below(&random, 3 * DP_NONCES_PER_LEASE);

		for (unsigned i = 0; i < count; i++) {
			client_say(&f.member[0], "n", 1);
			assert_true(hear(&f.member[1], &p));
		}
		node_restart(&f.node);
		replay_intent();
	}
	assert_true(f.member[1].last_number > 0);
	fixture_fini(&f);
}

// A kill between any two stores of a turn leaves books that do not add up.
static void a_kill_in_mid_turn_is_booked(void **state)
{
	struct packet_random random = {.state = 3};
	struct dp_worker_shm *shm;
	uint64_t lost = 0, unsent = 0;
	(void)state;

	fixture_init(&f, 3);
	shm = f.node.workers[0]->shm;
	for (unsigned crash = 0; crash < 200; crash++) {
		uint64_t *came = &shm->counters[DP_COUNTER_RECEIVED];
		uint64_t *jobs = &shm->counters[DP_COUNTER_JOBS];
		uint64_t before = *came, jobs_before = *jobs;
		uint32_t in = packet_random_below(&random, 33);
		uint32_t out = packet_random_below(&random, 33);
		uint32_t made = packet_random_below(&random, 257);
		uint32_t sent = packet_random_below(&random, 257);

		*came += in;
		shm->verdicts[DP_FORWARDED] += out;
		*jobs += made;
		shm->counters[DP_COUNTER_TX_HANDED_OUT] += sent;
		node_restart(&f.node);
		node_check_ledger(&f.node);
		// All that came is told, and what left had come.
		assert_int_equal(*came, before + (in > out ? in : out));
		assert_int_equal(*jobs, jobs_before + (made > sent ? made : sent));
		lost += in > out ? in - out : 0;
		unsent += made > sent ? made - sent : 0;
		assert_int_equal(shm->verdicts[DP_CRASH_LOST], lost);
		assert_int_equal(shm->verdicts[DP_CRASH_UNSENT], unsent);
	}
	assert_true(lost > 0 && unsent > 0);
	fixture_fini(&f);
}

static void a_discovery_before_a_crash_serves_the_hint_after_it(void **state)
{
	struct client_packet p;
	(void)state;

	fixture_init(&f, 1);
	client_init(&f.member[1], &f.node, 0, 1, f.guild, f.room, DP_SUITE_AES256_GCM_RTPSIZE);
	f.member_count = 2;
	assert_int_equal(client_add(&f.member[1]), 0);
	assert_true(client_discover(&f.member[1]));
	node_restart(&f.node);
	replay_intent();
	client_say(&f.member[0], "a", 1);
	assert_false(hear(&f.member[1], &p));
	assert_int_equal(client_hint(&f.member[1]), 0);
	client_say(&f.member[0], "b", 1);
	assert_true(hear(&f.member[1], &p));
	fixture_fini(&f);
}

static void what_was_heard_before_a_crash_is_not_heard_after_it(void **state)
{
	uint8_t pkt[20][64];
	uint32_t size[20];
	struct client_packet p;
	(void)state;

	fixture_init(&f, 2);
	for (unsigned i = 0; i < 20; i++) {
		size[i] = client_seal(&f.member[0], f.member[0].seq++, "once", 4, pkt[i]);
		client_send_raw(&f.member[0], pkt[i], size[i]);
		assert_true(hear(&f.member[1], &p));
	}
	node_restart(&f.node);
	replay_intent();
	for (unsigned i = 0; i < 20; i++) {
		client_send_raw(&f.member[0], pkt[i], size[i]);
		assert_false(hear(&f.member[1], &p));
	}
	assert_int_equal(node_verdict(&f.node, DP_SRTP_REPLAY), 20);
	fixture_fini(&f);
}

static void sequence_numbers_never_go_back_over_a_crash(void **state)
{
	struct client_packet p;
	uint16_t last = 0;
	(void)state;

	fixture_init(&f, 3);
	for (unsigned round = 0; round < 12; round++) {
		for (unsigned i = 0; i < 5; i++) {
			struct node_datagram d;

			client_say(&f.member[0], "s", 1);
			node_turn(&f.node);
			while (node_take(&f.node, &d)) {
				if (!client_is_target(&f.member[1], &d))
					continue;
				assert_true(client_open(&f.member[1], &d, &p));
				assert_true(last == 0 || (int16_t)(p.seq - last) > 0);
				assert_true(last == 0 || (uint16_t)(p.seq - last) < 8);
				last = p.seq;
			}
		}
		// A cut in between, so that the offset is not zero.
		assert_int_equal(client_set(&f.member[0], f.room, DP_SESSION_MUTE), 0);
		for (unsigned i = 0; i < 100; i++)
			client_say(&f.member[0], "m", 1);
		node_turn(&f.node);
		assert_int_equal(client_set(&f.member[0], f.room, 0), 0);
		if (round % 3 == 2) {
			node_restart(&f.node);
			replay_intent();
		}
	}
	fixture_fini(&f);
}

// The cut of an unmute after the crash, counted anew, must not look like that of one before it.
static void what_was_said_under_mute_over_a_crash_is_no_gap(void **state)
{
	struct client_packet p;
	(void)state;

	for (unsigned cycles = 0; cycles < 4; cycles++) {
		uint16_t last;

		fixture_init(&f, 2);
		for (unsigned i = 0; i < cycles; i++) {
			assert_int_equal(client_set(&f.member[0], f.room, DP_SESSION_MUTE), 0);
			assert_int_equal(client_set(&f.member[0], f.room, 0), 0);
		}
		client_say(&f.member[0], "a", 1);
		assert_true(hear(&f.member[1], &p));
		last = p.seq;
		assert_int_equal(client_set(&f.member[0], f.room, DP_SESSION_MUTE), 0);
		for (unsigned i = 0; i < 1000; i++)
			client_say(&f.member[0], "m", 1);
		node_turn(&f.node);
		node_restart(&f.node);
		replay_intent();
		assert_int_equal(client_set(&f.member[0], f.room, 0), 0);
		client_say(&f.member[0], "b", 1);
		assert_true(hear(&f.member[1], &p));
		assert_int_equal((uint16_t)(p.seq - last), 1);
		fixture_fini(&f);
	}
}

static void a_new_session_in_an_old_slot_inherits_nothing(void **state)
{
	struct client_packet p;
	(void)state;

	fixture_init(&f, 2);
	client_say(&f.member[0], "a", 1);
	assert_true(hear(&f.member[1], &p));
	node_restart(&f.node);
	f.member[1].session.generation = 2; // somebody else came while no dataplane ran
	f.member[1].ssrc += 0x40000;
	f.member[1].key[0] ^= 1;
	client_expand(&f.member[1]);
	replay_intent();
	client_say(&f.member[0], "b", 1);
	assert_false(hear(&f.member[1], &p)); // it has proved no address
	assert_int_equal(f.node.workers[0]->shm->legs, 0);
	assert_true(client_discover(&f.member[1]));
	assert_int_equal(client_hint(&f.member[1]), 0);
	f.member[1].last_number = 0;
	client_say(&f.member[0], "c", 1);
	assert_true(hear(&f.member[1], &p));
	assert_true(f.member[1].last_number <= DP_NONCES_PER_LEASE);
	fixture_fini(&f);
}

static void a_new_key_starts_a_new_space_and_an_old_one_is_refused(void **state)
{
	struct client *c = &f.member[1];
	struct client_packet p;
	(void)state;

	fixture_init(&f, 2);
	client_say(&f.member[0], "a", 1);
	assert_true(hear(c, &p));
	assert_int_equal(client_key(c), 0); // the same again: goes on
	client_say(&f.member[0], "b", 1);
	assert_true(hear(c, &p));
	c->key_id = 2;
	c->key[3] ^= 0x80;
	client_expand(c);
	assert_int_equal(client_key(c), 0);
	c->last_number = 0;
	client_say(&f.member[0], "c", 1);
	assert_true(hear(c, &p));
	client_say(c, "d", 1);
	assert_true(hear(&f.member[0], &p));
	c->key_id = 3;
	c->seq = (uint16_t)(c->seq - 20000); // it begins anew, wherever it likes
	assert_int_equal(client_key(c), 0);
	c->last_number = 0;
	client_say(c, "e", 1);
	assert_true(hear(&f.member[0], &p));
	c->key_id = 1;
	assert_int_equal(client_key(c), -EINVAL);
	fixture_fini(&f);
}

static void a_spent_key_seals_nothing_more(void **state)
{
	struct client_packet p;
	struct dp_session_shm *shm;
	(void)state;

	fixture_init(&f, 2);
	node_restart(&f.node);
	shm = &dp_shm_sessions(f.node.shm, 0)[f.member[1].session.index];
	shm->nonce_floor = DP_NONCES_MAX - 2; // it has sent for years
	replay_intent();
	f.member[1].last_number = 0;
	for (unsigned i = 0; i < 2; i++) {
		client_say(&f.member[0], "a", 1);
		assert_true(hear(&f.member[1], &p));
	}
	client_say(&f.member[0], "b", 1);
	assert_false(hear(&f.member[1], &p));
	assert_int_equal(node_verdict(&f.node, DP_NONCE_SPENT), 1);
	fixture_fini(&f);
}

static void legs_end_with_stream_or_receiver(void **state)
{
	struct worker *w;
	(void)state;

	fixture_init(&f, 12);
	w = f.node.workers[0];
	for (unsigned i = 0; i < 12; i++)
		client_say(&f.member[i], "a", 1);
	node_turn(&f.node);
	assert_int_equal(w->shm->legs, 12 * 11);
	for (unsigned i = 0; i < 12; i++) {
		union dp_msg cmd = {.dp_session_remove = {.session = f.member[i].session}};

		if (i == 6) { // the rest of them over a crash
			node_restart(&f.node);
			w = f.node.workers[0];
			assert_int_equal(node_guild(&f.node, 0, f.guild), 0);
			assert_int_equal(node_room(&f.node, 0, f.guild, f.room), 0);
			for (unsigned k = 6; k < 12; k++)
				assert_int_equal(client_add(&f.member[k]), 0);
		}
		assert_int_equal(node_command(&f.node, 0, DP_MSG_SESSION_REMOVE, &cmd), 0);
		if (i < 6)
			assert_int_equal(w->shm->legs, (11 - i) * (10 - i));
	}
	assert_int_equal(w->shm->legs, 0);
	assert_int_equal(w->legs->free_count, w->leg_count - 1);
	// All but the member list of the room is free again.
	assert_int_equal(w->extents->free_units + 2, w->extents->unit_count);
	fixture_fini(&f);
}

static int all_is_told(void)
{
	union dp_msg cmd = {0};

	return node_command(&f.node, 0, DP_MSG_REPLAYED, &cmd);
}

static void legs_of_who_never_returns_are_freed(void **state)
{
	struct worker *w;
	struct client_packet p;
	uint16_t last = 0;
	(void)state;

	fixture_init(&f, 12);
	for (unsigned i = 0; i < 12; i++)
		client_say(&f.member[i], "a", 1);
	node_turn(&f.node);
	node_drain(&f.node);
	node_restart(&f.node);
	w = f.node.workers[0];
	f.member_count = 5;
	replay_intent();
	assert_int_equal(w->shm->legs, 12 * 11); // somebody may come yet
	client_say(&f.member[0], "b", 1);        // takes over four of them
	node_turn(&f.node);
	assert_int_equal(node_drain(&f.node), 4);
	assert_int_equal(w->shm->legs, 12 * 11);
	assert_int_equal(all_is_told(), 0);
	assert_int_equal(w->shm->legs, 5 * 4);
	assert_int_equal(w->legs->free_count, w->leg_count - 1 - 5 * 4);
	// Those who came go on where they were, also who says nothing until now.
	for (unsigned i = 0; i < 3; i++) {
		struct node_datagram d;

		client_say(&f.member[1], "c", 1);
		node_turn(&f.node);
		while (node_take(&f.node, &d)) {
			if (!client_is_target(&f.member[2], &d))
				continue;
			assert_true(client_open(&f.member[2], &d, &p));
			assert_true(p.seq == 1000 + 7 + 1 || (uint16_t)(p.seq - last) == 1);
			last = p.seq;
		}
	}
	assert_int_equal(w->shm->legs, 5 * 4);
	assert_int_equal(all_is_told(), 0); // of a control that came anew
	assert_int_equal(w->shm->legs, 5 * 4);
	for (unsigned i = 0; i < 5; i++) {
		union dp_msg cmd = {.dp_session_remove = {.session = f.member[i].session}};

		assert_int_equal(node_command(&f.node, 0, DP_MSG_SESSION_REMOVE, &cmd), 0);
	}
	assert_int_equal(w->shm->legs, 0);
	f.member_count = 12;
	fixture_fini(&f);
}

static void a_large_pool_is_swept_in_turns(void **state)
{
	struct node_geometry geometry = {.worker_count = 1,
		.guild_count = 4,
		.session_count = 64,
		.leg_count = 3 * DP_LEGS_PER_TURN};
	union dp_msg cmd = {.header = {.type = DP_MSG_REPLAYED, .size = sizeof(cmd.dp_replayed)}};
	struct worker *w;
	struct dp_ack ack;
	unsigned turns = 0;
	(void)state;

	node_init(&f.node, &geometry);
	for (uint32_t i = 1; i < geometry.leg_count; i++)
		dp_shm_legs(f.node.shm, 0)[i] = (struct dp_leg_shm){
			.receiver = i % 64, .receiver_generation = 1, .ssrc = i * 16};
	node_restart(&f.node);
	w = f.node.workers[0];
	assert_int_equal(w->shm->legs, geometry.leg_count - 1);
	assert_int_equal(rte_ring_sp_enqueue_elem(f.node.rings[0].command, &cmd, sizeof(cmd)), 0);
	while (rte_ring_sc_dequeue_elem(f.node.rings[0].event, &ack, sizeof(ack)) != 0) {
		(void)pipeline_turn(w);
		turns++;
	}
	assert_int_equal(turns, 3);
	assert_int_equal(ack.error, 0);
	assert_int_equal(w->shm->legs, 0);
	assert_int_equal(w->legs->free_count, w->leg_count - 1);
	node_fini(&f.node);
}

static void an_exhausted_leg_pool_is_counted(void **state)
{
	(void)state;

	fixture_init(&f, 40); // 40 * 39 legs wanted, 1,023 there
	for (unsigned i = 0; i < 40; i++) {
		client_say(&f.member[i], "a", 1);
		node_turn(&f.node);
		node_drain(&f.node);
	}
	assert_int_equal(f.node.workers[0]->shm->legs, 1023);
	assert_int_equal(node_verdict(&f.node, DP_NO_LEG), 40 * 39 - 1023);
	fixture_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_goes_on_after_a_crash_without_signaling),
		cmocka_unit_test(no_nonce_comes_twice_over_fifty_crashes),
		cmocka_unit_test(a_kill_in_mid_turn_is_booked),
		cmocka_unit_test(a_discovery_before_a_crash_serves_the_hint_after_it),
		cmocka_unit_test(what_was_heard_before_a_crash_is_not_heard_after_it),
		cmocka_unit_test(sequence_numbers_never_go_back_over_a_crash),
		cmocka_unit_test(what_was_said_under_mute_over_a_crash_is_no_gap),
		cmocka_unit_test(a_new_session_in_an_old_slot_inherits_nothing),
		cmocka_unit_test(a_new_key_starts_a_new_space_and_an_old_one_is_refused),
		cmocka_unit_test(a_spent_key_seals_nothing_more),
		cmocka_unit_test(legs_end_with_stream_or_receiver),
		cmocka_unit_test(legs_of_who_never_returns_are_freed),
		cmocka_unit_test(a_large_pool_is_swept_in_turns),
		cmocka_unit_test(an_exhausted_leg_pool_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
