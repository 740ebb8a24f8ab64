// SPDX-License-Identifier: BSD-3-Clause
//
// A room over several workers: everybody hears everybody else exactly once and in order, wherever
// they live, and nobody hears what is not for them.

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "run/pipeline.h"
#include "session/leg.h"
#include "session/receiver.h"
#include "session/session.h"
#include "session/shadow.h"
#include "stage/spread_fixture.h"

static struct spread s;

static void everybody_hears_everybody(unsigned worker_count)
{
	spread_init(&s, (struct node_geometry){.worker_count = worker_count}, 10);
	for (unsigned round = 0; round < 5; round++) {
		for (unsigned i = 0; i < s.member_count; i++) {
			s.member[i].c.ext = round % 2; // the extension's body crosses, too
			spread_say(&s, i);
			if (round < 2)
				spread_check(&s);
		}
		spread_check(&s);
	}
	assert_int_equal(s.expected[1][0], 5);
	assert_int_equal(s.expected[0][9], 0);
	// A packet crosses once to each of the others, however many listen there.
	assert_int_equal(node_counter(&s.node, DP_COUNTER_CROSSED_IN), 50 * (worker_count - 1));
	spread_fini(&s);
}

static void two_workers_are_one_room(void **state)
{
	(void)state;
	everybody_hears_everybody(2);
}

static void three_workers_are_one_room(void **state)
{
	(void)state;
	everybody_hears_everybody(3);
}

static void moderation_is_in_force_with_the_next_packet(void **state)
{
	(void)state;
	spread_init(&s, (struct node_geometry){.worker_count = 2}, 7);
	spread_say(&s, 0);
	spread_check(&s);
	spread_set(&s, 0, 0, DP_SESSION_MUTE); // heard nowhere
	spread_say(&s, 0);
	spread_check(&s);
	assert_int_equal(node_verdict(&s.node, DP_MUTED), 1);
	spread_set(&s, 0, 0, 0);
	spread_set(&s, 1, 0, DP_SESSION_DEAF); // on the other worker
	spread_say(&s, 0);
	spread_check(&s);
	assert_int_equal(s.expected[1][0], 1);
	spread_set(&s, 1, 0, 0);
	spread_set(&s, 0, 1, 0); // the speaker moves: its shadow does, too
	spread_say(&s, 0);
	spread_check(&s);
	spread_set(&s, 3, 1, 0); // and somebody over there is there already
	spread_say(&s, 0);
	spread_check(&s);
	spread_leave(&s, 0);
	spread_say(&s, 0); // still sending
	spread_check(&s);
	assert_int_equal(node_verdict(&s.node, DP_NO_SESSION), 1);
	spread_join(&s, 0, 0);
	spread_say(&s, 0);
	spread_check(&s);
	spread_set(&s, 0, SPREAD_ROOMS, 0);
	spread_say(&s, 0);
	spread_check(&s);
	assert_int_equal(node_verdict(&s.node, DP_NO_ROOM), 1);
	spread_fini(&s);
}

// What a speaker of another worker left here: nothing.
static void check_gone(const struct spread *x)
{
	for (unsigned w = 0; w < x->worker_count; w++) {
		const struct worker *at = x->node.workers[w];

		assert_int_equal(at->shadows->free_count, at->params.remote_count);
		assert_int_equal(at->shm->legs, 0);
		assert_int_equal(at->legs->free_count, at->leg_count - 1);
	}
}

static const struct dp_leg_shm *leg_of(const struct worker *w, uint32_t receiver, uint32_t ssrc)
{
	for (uint32_t i = 1; i < w->leg_count; i++) {
		const struct dp_leg_shm *leg = &w->leg_shm[i];

		if (leg->receiver_generation != 0 && leg->receiver == receiver && leg->ssrc == ssrc)
			return leg;
	}
	return NULL;
}

static void who_ends_leaves_nothing_on_other_workers(void **state)
{
	(void)state;
	spread_init(&s, (struct node_geometry){.worker_count = 3}, 9);
	for (unsigned i = 0; i < 9; i++)
		spread_say(&s, i);
	spread_check(&s);
	assert_int_equal(s.node.workers[0]->shadows->free_count, DP_REMOTE_STREAMS_MAX - 6);
	for (unsigned i = 0; i < 8; i += 2) // some speak from other rooms first
		spread_set(&s, i, i % 4 ? 1 : SPREAD_ROOMS, 0);
	spread_restart(&s); // and who heard of them has forgotten it
	assert_non_null(leg_of(s.node.workers[1], 1, s.member[0].c.ssrc));
	spread_leave(&s, 0); // whoever listens on
	assert_null(leg_of(s.node.workers[1], 1, s.member[0].c.ssrc));
	for (unsigned i = 1; i < 9; i++)
		spread_leave(&s, i);
	spread_check(&s);
	check_gone(&s);
	spread_fini(&s);
}

// A datagram with the SSRC of a speaker of another worker, as its worker would take it.
static void no_datagram_finds_a_shadow(void **state)
{
	struct client forger;
	(void)state;

	spread_init(&s, (struct node_geometry){.worker_count = 2}, 5);
	spread_say(&s, 0);
	spread_check(&s);
	assert_int_not_equal(shadow_find(s.node.workers[1], s.member[0].c.ssrc), INDEX_NONE);
	forger = s.member[0].c; // it even has the key
	forger.worker = 1;
	forger.server.port = NODE_FIRST_PORT + 1;
	client_say(&forger, "forged", 6);
	spread_check(&s);
	assert_int_equal(node_verdict(&s.node, DP_NO_SESSION), 1);
	assert_false(client_discover(&forger));
	assert_int_equal(node_verdict(&s.node, DP_DISCOVERY_SSRC), 1);
	spread_check(&s);
	spread_fini(&s);
}

static void a_full_ring_is_counted(void **state)
{
	struct node_datagram d;
	struct client_packet p;
	uint16_t last = 0;
	(void)state;

	spread_init(&s, (struct node_geometry){.worker_count = 2, .cross_count = 8}, 3);
	for (unsigned i = 0; i < 20; i++)
		client_say(&s.member[0].c, "many", 4);
	// Worker 1 does not turn meanwhile: its ring takes seven.
	s.node.workers[0]->now_tsc = 1;
	(void)pipeline_turn(s.node.workers[0]);
	assert_int_equal(node_verdict(&s.node, DP_CROSS_FULL), 20 - 7);
	assert_int_equal(node_counter(&s.node, DP_COUNTER_CROSSED_OUT), 7);
	node_check_ledger(&s.node);
	node_turn(&s.node);
	for (unsigned i = 0; i < 7; i++) {
		assert_true(node_take(&s.node, &d));
		assert_true(client_open(&s.member[1].c, &d, &p));
		assert_true(i == 0 || (uint16_t)(p.seq - last) == 1);
		last = p.seq;
	}
	assert_false(node_take(&s.node, &d));
	client_say(&s.member[0].c, "more", 4);
	node_turn(&s.node);
	assert_true(node_take(&s.node, &d) && client_open(&s.member[1].c, &d, &p));
	assert_int_equal((uint16_t)(p.seq - last), 14);             // what was lost is a gap
	assert_int_equal(node_verdict(&s.node, DP_NO_RECEIVER), 0); // nobody at home, but there
	node_check_ledger(&s.node);
	spread_fini(&s);
}

static void an_empty_pool_is_counted(void **state)
{
	struct rte_mbuf *held[NODE_POOL_SIZE];
	unsigned count = 0;
	(void)state;

	spread_init(&s, (struct node_geometry){.worker_count = 2}, 3);
	client_say(&s.member[0].c, "x", 1);
	while ((held[count] = rte_pktmbuf_alloc(s.node.pool)) != NULL)
		count++;
	node_turn(&s.node);
	assert_int_equal(node_verdict(&s.node, DP_NO_MBUF), 1);
	rte_pktmbuf_free_bulk(held, count);
	node_check_ledger(&s.node);
	spread_fini(&s);
}

static void set_clock(uint64_t ms)
{
	s.node.now_tsc = s.node.workers[0]->tsc_hz / 1000 * ms;
}

static void speakers_beyond_the_places_wait_for_silence(void **state)
{
	(void)state;
	spread_init(&s, (struct node_geometry){.worker_count = 2, .remote_count = 2}, 9);
	set_clock(5000);
	spread_say(&s, 0);
	spread_say(&s, 2);
	spread_check(&s);
	set_clock(5100);
	spread_say(&s, 0);
	spread_check(&s);
	client_say(&s.member[4].c, "too many", 8); // heard at home only
	node_turn(&s.node);
	assert_int_equal(node_verdict(&s.node, DP_REMOTE_FULL), 1);
	assert_int_equal(node_drain(&s.node), 3);
	set_clock(6050); // 2 is the one that was silent for longest, 0 not long enough
	spread_say(&s, 6);
	spread_check(&s);
	assert_int_equal(shadow_find(s.node.workers[1], s.member[2].c.ssrc), INDEX_NONE);
	assert_int_not_equal(shadow_find(s.node.workers[1], s.member[0].c.ssrc), INDEX_NONE);
	set_clock(9000);
	spread_say(&s, 2); // again, in order
	spread_say(&s, 2);
	spread_check(&s);
	for (unsigned i = 0; i < 9; i++)
		spread_leave(&s, i);
	check_gone(&s);
	spread_fini(&s);
}

// A receiver of SRTP: the index is the nonce, so a leg that was sent to goes on or stays.
static void indexes_of_srtp_receivers_outlive_a_shadow(void **state)
{
	const struct dp_leg_shm *leg;
	struct client *listener;
	struct worker *w;
	uint32_t next;
	(void)state;

	spread_init(&s, (struct node_geometry){.worker_count = 2, .remote_count = 1}, 7);
	w = s.node.workers[1];
	listener = &s.member[1].c;
	listener->suite = DP_SUITE_AES128_GCM;
	listener->key_id = 2;
	assert_int_equal(client_key(listener), 0);
	set_clock(5000);
	for (unsigned i = 0; i < 10; i++)
		client_say(&s.member[0].c, "x", 1);
	node_turn(&s.node);
	next = leg_of(w, 1, s.member[0].c.ssrc)->next_index;
	set_clock(7000);
	client_say(&s.member[2].c, "x", 1); // takes the place
	node_turn(&s.node);
	set_clock(9000);
	client_say(&s.member[4].c, "x", 1);
	node_turn(&s.node);
	leg = leg_of(w, 1, s.member[0].c.ssrc);
	assert_non_null(leg);
	assert_int_equal(leg->published, 0);
	assert_null(leg_of(w, 3, s.member[0].c.ssrc)); // rtpsize: freed
	spread_restart(&s);                            // REPLAYED spares it
	w = s.node.workers[1];
	for (unsigned i = 0; i < 6; i += 2)
		assert_non_null(leg_of(w, 1, s.member[i].c.ssrc));
	set_clock(11000);
	client_say(&s.member[0].c, "x", 1);
	node_turn(&s.node);
	leg = leg_of(w, 1, s.member[0].c.ssrc);
	assert_int_equal(leg->published, 1);
	assert_int_equal(leg->next_index, next + 1);
	// Until the key ends.
	listener->key_id = 3;
	assert_int_equal(client_key(listener), 0);
	assert_null(leg_of(w, 1, s.member[0].c.ssrc));
	node_drain(&s.node);
	spread_fini(&s);
}

static void parts_come_and_go(void **state)
{
	struct dp_handle room0 = spread_room(0, 0, false), room1 = spread_room(1, 0, false);
	(void)state;

	spread_init(&s, (struct node_geometry){.worker_count = 2}, 5);
	spread_say(&s, 0);
	spread_check(&s);
	// A channel has one part a worker, and a part its channel.
	assert_int_equal(node_room_part(&s.node, 1, spread_guild(1, false),
				 (struct dp_handle){30, 1}, SPREAD_CHANNEL, 1),
		-EINVAL);
	assert_int_equal(
		node_room_part(&s.node, 1, spread_guild(1, false), (struct dp_handle){30, 1}, 0, 0),
		0);
	assert_int_equal(node_room_set(&s.node, 1, (struct dp_handle){30, 1}, 1), -EINVAL);
	assert_int_equal(node_room_set(&s.node, 1, (struct dp_handle){30, 2}, 1), -ESTALE);
	// No peers: what is said stays here, and what comes is a stray.
	assert_int_equal(node_room_set(&s.node, 1, room1, 0), 0);
	client_say(&s.member[0].c, "x", 1);
	client_say(&s.member[1].c, "x", 1);
	node_turn(&s.node);
	assert_int_equal(node_verdict(&s.node, DP_CROSS_STRAY), 1);
	assert_int_equal(node_drain(&s.node), 2);
	assert_int_equal(node_room_set(&s.node, 1, room1, 1), 0);
	assert_int_equal(node_room_set(&s.node, 1, room1, 1), 0);
	// A part whose members all left closes with the shadows in it, and opens again.
	spread_say(&s, 0);
	for (unsigned i = 1; i < 4; i++)
		s.heard[i][0].any = false; // they missed some, or were not asked
	spread_check(&s);
	spread_set(&s, 1, SPREAD_ROOMS, 0);
	spread_set(&s, 3, SPREAD_ROOMS, 0);
	{
		union dp_msg cmd = {.dp_room_close = {.room = room1}};

		assert_int_equal(node_command(&s.node, 1, DP_MSG_ROOM_CLOSE, &cmd), 0);
	}
	client_say(&s.member[0].c, "x", 1);
	node_turn(&s.node);
	assert_int_equal(node_verdict(&s.node, DP_CROSS_STRAY), 2);
	node_drain(&s.node);
	assert_int_equal(node_room_set(&s.node, 0, room0, 0), 0);
	client_say(&s.member[0].c, "x", 1);
	node_turn(&s.node);
	assert_int_equal(node_verdict(&s.node, DP_CROSS_STRAY), 2);
	assert_int_equal(node_verdict(&s.node, DP_FORWARDED), 8);
	node_drain(&s.node);
	spread_fini(&s);
}

static void a_session_takes_its_ssrc_from_a_shadow(void **state)
{
	struct client twin;
	(void)state;

	spread_init(&s, (struct node_geometry){.worker_count = 2}, 5);
	spread_say(&s, 0);
	spread_check(&s);
	client_init(&twin, &s.node, 1, 40, spread_guild(1, false), spread_room(1, 0, false),
		DP_SUITE_AES256_GCM_RTPSIZE);
	twin.ssrc = s.member[0].c.ssrc;
	client_join(&twin);
	assert_int_equal(shadow_find(s.node.workers[1], twin.ssrc), INDEX_NONE);
	client_say(&twin, "mine", 4);
	client_say(&s.member[0].c, "his", 3);
	node_turn(&s.node);
	assert_int_equal(node_verdict(&s.node, DP_CROSS_STRAY), 2); // each is at home elsewhere
	assert_int_equal(node_drain(&s.node), 2 + 1);
	client_fini(&twin);
	spread_fini(&s);
}

static void put32(uint8_t *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void sender_reports_cross(void **state)
{
	struct client *from;
	struct client_packet p;
	struct node_datagram d;
	uint8_t clear[28] = {0x80, 200, 0, 6}, pkt[64];
	struct seal_job job, *jobs = &job;
	unsigned heard = 0;
	(void)state;

	spread_init(&s, (struct node_geometry){.worker_count = 3}, 7);
	from = &s.member[0].c;
	put32(clear + 4, from->ssrc);
	put32(clear + 8, 1000);
	put32(clear + 16, 4711);
	memcpy(pkt, clear, 8);
	job = (struct seal_job){.key = from->expanded,
		.src = clear + 8,
		.dst = pkt + 8,
		.aad = clear,
		.src_size = 20,
		.aad_size = 8,
		.iv = {0x10, 0, 0, 1}};
	suite_get(from->suite)->seal(s.node.crypto, &jobs, 1);
	client_send_raw(from, pkt, sizeof(clear) + DP_RTPSIZE_OVERHEAD);
	node_turn(&s.node);
	while (node_take(&s.node, &d)) {
		unsigned who = 0;

		while (!client_is_target(&s.member[who].c, &d))
			who++;
		assert_true(who > 0 && who < 6); // not the stranger
		assert_true(client_open(&s.member[who].c, &d, &p));
		assert_int_equal(p.ssrc, from->ssrc);
		assert_memory_equal(p.clear, clear + 8, 20);
		heard++;
	}
	assert_int_equal(heard, 5);
	assert_int_equal(node_verdict(&s.node, DP_CROSS_NOTE), 2);
	spread_check(&s);
	spread_fini(&s);
}

// Mute, deafen, move, leave, come again, restart, speak: in any order.
static void step(struct packet_random *random)
{
	unsigned who = packet_random_below(random, s.member_count);
	unsigned what = packet_random_below(random, 100), room;
	struct spread_member *m = &s.member[who];

	if (!m->in) {
		if (what < 30)
			spread_join(&s, who, packet_random_below(random, SPREAD_ROOMS + 1));
		return;
	}
	room = packet_random_below(random, SPREAD_ROOMS + 1);
	if (what < 8)
		spread_set(&s, who, m->room, m->c.flags ^ DP_SESSION_MUTE);
	else if (what < 14)
		spread_set(&s, who, m->room, m->c.flags ^ DP_SESSION_SELF_DEAF);
	else if (what < 22)
		spread_set(&s, who, room, m->c.flags);
	else if (what < 25)
		spread_leave(&s, who);
	else if (what == 25)
		spread_restart(&s);
	else
		spread_say(&s, who);
}

static void any_history_is_heard_by_who_shall_hear_it(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct packet_random random = {.state = seed};

		spread_init(&s, (struct node_geometry){.worker_count = 2 + (unsigned)seed % 2}, 9);
		for (unsigned i = 0; i < 300; i++) {
			step(&random);
			spread_check(&s);
		}
		for (unsigned i = 0; i < s.member_count; i++) {
			if (s.member[i].in)
				spread_leave(&s, i);
		}
		check_gone(&s);
		spread_fini(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_workers_are_one_room),
		cmocka_unit_test(three_workers_are_one_room),
		cmocka_unit_test(moderation_is_in_force_with_the_next_packet),
		cmocka_unit_test(who_ends_leaves_nothing_on_other_workers),
		cmocka_unit_test(no_datagram_finds_a_shadow),
		cmocka_unit_test(a_full_ring_is_counted),
		cmocka_unit_test(an_empty_pool_is_counted),
		cmocka_unit_test(speakers_beyond_the_places_wait_for_silence),
		cmocka_unit_test(indexes_of_srtp_receivers_outlive_a_shadow),
		cmocka_unit_test(parts_come_and_go),
		cmocka_unit_test(a_session_takes_its_ssrc_from_a_shadow),
		cmocka_unit_test(sender_reports_cross),
		cmocka_unit_test(any_history_is_heard_by_who_shall_hear_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
