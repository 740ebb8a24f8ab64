// SPDX-License-Identifier: BSD-3-Clause
//
// No memory, no lock, no system call, once a worker runs: whatever comes. The route is turned with
// all of them forbidden, over every kind of packet and every shortage; commands of control and the
// clients' side are outside. What was to happen is checked by its verdict, so that nothing here is
// quiet because nothing came.

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <rte_malloc.h>
#include <rte_mempool.h>

#include "crypto/iv.h"
#include "run/handoff.h"
#include "stage/room_fixture.h"
#include "support/forbid.h"
#include "support/ring_port.h"

static struct fixture f;
static struct forbid_count asked;
static bool catches_system_calls;

// All that one does with packets in its hands.
static void turn(void)
{
	forbid_begin();
	for (uint32_t i = 0; i < f.node.worker_count; i++)
		handoff_watch(f.node.workers[i]);
	node_turn(&f.node);
	forbid_end(&asked);
}

static void nothing_was_asked_for(void)
{
	struct forbid_count count = asked;

	asked = (struct forbid_count){0};
	if (count.allocations + count.locks + count.system_calls > 0)
		fail_msg(
			"%u allocations, %u locks (first: %s), %u system calls (first: number %ld)",
			count.allocations, count.locks, count.first == NULL ? "-" : count.first,
			count.system_calls, count.first_system_call);
}

static void happened(enum dp_verdict verdict, uint64_t least)
{
	if (node_verdict(&f.node, verdict) >= least)
		return;
	for (unsigned v = 0; v < DP_VERDICT_COUNT; v++)
		if (node_verdict(&f.node, (enum dp_verdict)v) > 0)
			print_message("%s %llu\n", dp_verdict_label((enum dp_verdict)v),
				(unsigned long long)node_verdict(&f.node, (enum dp_verdict)v));
	fail_msg("verdict %s: %llu, not %llu", dp_verdict_label(verdict),
		(unsigned long long)node_verdict(&f.node, verdict), (unsigned long long)least);
}

// The net catches what it is for.
static void what_is_forbidden_is_caught(void **state)
{
	void *(*volatile allocate)(size_t) = malloc;
	void (*volatile release)(void *) = free;
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	struct forbid_count count = {0};
	(void)state;

	forbid_begin();
	release(allocate(100));
	forbid_end(&count);
	assert_int_equal(count.allocations, 2);
	assert_string_equal(count.first, "malloc");
	forbid_begin();
	rte_free(rte_malloc(NULL, 100, 0));
	forbid_end(&count);
	assert_true(count.allocations >= 4);
	assert_int_equal(count.locks, 0);
	forbid_begin();
	(void)pthread_mutex_lock(&mutex);
	(void)pthread_mutex_unlock(&mutex);
	forbid_end(&count);
	assert_int_equal(count.locks, 2);
	assert_int_equal(count.system_calls, 0);
	forbid_begin();
	(void)getppid();
	forbid_end(&count);
	assert_int_equal(count.system_calls, catches_system_calls ? 1 : 0);
	if (!catches_system_calls)
		print_message("this kernel cannot catch system calls: they are not looked at\n");
}

// DPDK's pools can be made of spinlocks, which nothing here would see.
static void packet_buffers_come_without_locks(void **state)
{
	(void)state;
	fixture_init(&f, 2);
	assert_string_equal(rte_mempool_get_ops(f.node.pool->ops_index)->name, "ring_mp_mc");
	fixture_fini(&f);
}

static void fan_out_is_silent(void **state)
{
	(void)state;
	fixture_init(&f, 30);
	node_unlimit(&f.node);
	for (unsigned round = 0; round < 40; round++) {
		for (unsigned k = 0; k < 40; k++) // more than a burst, copies for more than a wave
			client_say(&f.member[(round + k) % 30], "speech", 6);
		turn();
		node_drain(&f.node);
	}
	happened(DP_FORWARDED, 1600);
	nothing_was_asked_for();
	fixture_fini(&f);
}

static void small_rooms_are_silent(void **state)
{
	struct dp_handle rooms[20];
	(void)state;

	fixture_init(&f, 40);
	node_unlimit(&f.node);
	for (uint32_t i = 0; i < 20; i++) {
		rooms[i] = (struct dp_handle){.index = 10 + i, .generation = 1};
		assert_int_equal(node_room(&f.node, 0, f.guild, rooms[i]), 0);
		assert_int_equal(client_set(&f.member[2 * i], rooms[i], 0), 0);
		assert_int_equal(client_set(&f.member[2 * i + 1], rooms[i], 0), 0);
	}
	for (unsigned round = 0; round < 40; round++) {
		for (unsigned i = 0; i < 40; i++)
			client_say(&f.member[i], "speech", 6);
		turn();
		assert_int_equal(node_drain(&f.node), 40);
	}
	happened(DP_FORWARDED, 1600);
	nothing_was_asked_for();
	fixture_fini(&f);
}

// A member with a suite of SRTP: as room_fixture.h's, but for its key.
static void join_srtp(struct client *c, uint32_t slot, enum dp_suite suite)
{
	static const uint8_t salt[DP_SALT_SIZE_MAX];
	union dp_msg cmd = {.dp_session_key = {.key_id = 1, .suite = suite}};

	client_init(c, &f.node, 0, slot, f.guild, f.room, DP_SUITE_AES256_GCM_RTPSIZE);
	suite_key_wipe(f.node.crypto, c->expanded);
	c->suite = suite;
	memcpy(cmd.dp_session_key.key, c->key, suite_get(suite)->key_size);
	cmd.dp_session_key.session = c->session;
	assert_int_equal(suite_get(suite)->key_expand(f.node.crypto, c->expanded, c->key, salt), 0);
	assert_int_equal(client_add(c), 0);
	assert_int_equal(node_command(&f.node, 0, DP_MSG_SESSION_KEY, &cmd), 0);
	assert_true(client_discover(c));
	assert_int_equal(client_hint(c), 0);
}

static void say_srtp(struct client *c)
{
	uint8_t pkt[200] = {0x80, DP_OPUS_PAYLOAD_TYPE, (uint8_t)(c->seq >> 8),
		(uint8_t)c->seq, [8] = (uint8_t)(c->ssrc >> 24), (uint8_t)(c->ssrc >> 16),
		(uint8_t)(c->ssrc >> 8), (uint8_t)c->ssrc};
	static const uint8_t clear[100] = {1};
	struct seal_job job = {.key = c->expanded,
		.src = clear,
		.dst = pkt + 12,
		.aad = pkt,
		.src_size = sizeof(clear),
		.aad_size = 12};
	struct seal_job *jobs = &job;

	iv_srtp(job.iv, c->suite, c->ssrc, c->seq++);
	suite_get(c->suite)->seal(f.node.crypto, &jobs, 1);
	client_send_raw(c, pkt, 12 + sizeof(clear) + suite_get(c->suite)->overhead);
}

static void every_suite_is_silent(void **state)
{
	static const enum dp_suite suites[] = {
		DP_SUITE_AES128_GCM, DP_SUITE_AES256_GCM, DP_SUITE_AES_CM_128_HMAC_SHA1_80};
	(void)state;

	fixture_init(&f, 4);
	node_unlimit(&f.node);
	for (; f.member_count < 16; f.member_count++)
		join_srtp(&f.member[f.member_count], f.member_count, suites[f.member_count % 3]);
	for (unsigned round = 0; round < 20; round++) {
		for (unsigned i = 0; i < 16; i++) {
			if (i < 4)
				client_say(&f.member[i], "speech", 6);
			else
				say_srtp(&f.member[i]);
		}
		turn();
		assert_int_equal(node_drain(&f.node), 16 * 15);
	}
	happened(DP_FORWARDED, 20 * 16);
	nothing_was_asked_for();
	fixture_fini(&f);
}

// A sender report, sealed for 'from' or not.
static void send_report(struct client *c, uint8_t time, bool is_sealed)
{
	uint8_t pkt[128] = {0x80, 200, 0, 6, (uint8_t)(c->ssrc >> 24), (uint8_t)(c->ssrc >> 16),
		(uint8_t)(c->ssrc >> 8), (uint8_t)c->ssrc, [11] = time, [12] = 1};
	struct seal_job job = {.key = c->expanded,
		.src = pkt + 8,
		.dst = pkt + 8,
		.aad = pkt,
		.src_size = 20,
		.aad_size = 8,
		.iv = {0x10, 0, 1, time}};
	struct seal_job *jobs = &job;
	uint8_t clear[20];

	memcpy(clear, pkt + 8, sizeof(clear));
	job.src = clear;
	if (is_sealed)
		suite_get(c->suite)->seal(f.node.crypto, &jobs, 1);
	client_send_raw(c, pkt, 28 + DP_RTPSIZE_OVERHEAD);
}

static void rtcp_is_silent(void **state)
{
	(void)state;
	fixture_init(&f, 8);
	node_unlimit(&f.node);
	for (uint8_t round = 1; round < 40; round++) {
		for (unsigned i = 0; i < 8; i++)
			send_report(&f.member[i], round, i < 6);
		turn();
		node_drain(&f.node);
	}
	happened(DP_RTCP, 200);
	happened(DP_SRTP_AUTH, 70);
	nothing_was_asked_for();
	fixture_fini(&f);
}

// Asks who it is, again and again, also from elsewhere; and says it once more.
static void send_oddities(struct client *c, struct packet_random *random, unsigned round)
{
	uint8_t pkt[DP_PAYLOAD_SIZE_MAX], frame[PACKET_FRAME_SIZE_MAX];
	struct packet_pair pair = {.sender = c->address, .target = c->server};
	uint8_t discovery[DP_IP_DISCOVERY_SIZE] = {0, 1, 0, 70, (uint8_t)(c->ssrc >> 24),
		(uint8_t)(c->ssrc >> 16), (uint8_t)(c->ssrc >> 8), (uint8_t)c->ssrc};
	uint32_t size = client_seal(c, c->seq, "again", 5, pkt);

	client_send_raw(c, discovery, sizeof(discovery));
	client_send_raw(c, pkt, size);
	client_send_raw(c, pkt, size); // a replay
	c->seq++;
	c->suffix++;
	pkt[size - 10] ^= 1;
	client_send_raw(c, pkt, size); // a forgery
	client_send_raw(c, pkt, packet_random_below(random, size));
	packet_random_fill(random, pkt, 200);
	client_send_raw(c, pkt, 1 + packet_random_below(random, 200));
	memcpy(pair.sender_mac, c->mac, 6);
	memcpy(pair.target_mac, f.node.host.mac, 6);
	(void)node_inject(&f.node, 0, frame, packet_arp_request(frame, &pair));
	(void)node_inject(&f.node, 0, frame, packet_echo_request(frame, &pair, 56));
	packet_random_fill(random, frame, 200);
	(void)node_inject(&f.node, 0, frame, 14 + packet_random_below(random, 186));
	c->address.port = (uint16_t)(20000 + round); // behind a NAT that moves
	client_say(c, "here now", 8);
}

static void strangers_and_liars_are_met_in_silence(void **state)
{
	struct packet_random random = {.state = 7};
	(void)state;

	fixture_init(&f, 6);
	node_unlimit(&f.node);
	for (unsigned round = 0; round < 100; round++) {
		f.node.now_tsc = (round + 1ull) * f.node.workers[0]->tsc_hz; // moves are not often
		send_oddities(&f.member[round % 6], &random, round);
		turn();
		node_drain(&f.node);
	}
	happened(DP_FORWARDED, 150);
	happened(DP_SRTP_REPLAY, 90);
	happened(DP_SRTP_AUTH, 90);
	happened(DP_DISCOVERY, 1);
	happened(DP_HOST, 100);
	assert_true(node_counter(&f.node, DP_COUNTER_ADDRESS_MOVES) > 50);
	nothing_was_asked_for();
	fixture_fini(&f);
}

// Two workers, one queue: hand-over, relay, a device and a pool that are spent.
static void shortage_and_hand_over_are_silent(void **state)
{
	struct node_geometry geometry = {.worker_count = 2,
		.guild_count = 4,
		.session_count = 64,
		.leg_count = 512,
		.pool_count = 511,
		.ring_count = 64};
	(void)state;

	node_start_eal();
	ring_port_create(&geometry.queues, 1, 128, 64);
	node_init(&f.node, &geometry);
	node_unlimit(&f.node);
	f.guild = (struct dp_handle){.index = 1, .generation = 5};
	f.room = (struct dp_handle){.index = 2, .generation = 6};
	f.member_count = 20;
	assert_int_equal(node_guild(&f.node, 1, f.guild), 0);
	assert_int_equal(node_room(&f.node, 1, f.guild, f.room), 0);
	for (unsigned i = 0; i < f.member_count; i++) {
		client_init(&f.member[i], &f.node, 1, i, f.guild, f.room,
			i % 2 ? DP_SUITE_XCHACHA20_RTPSIZE : DP_SUITE_AES256_GCM_RTPSIZE);
		client_join(&f.member[i]);
	}
	for (unsigned round = 0; round < 50; round++) {
		for (unsigned i = 0; i < 10; i++)
			client_say(&f.member[(round + i) % f.member_count], "speech", 6);
		turn();
		if (round % 4 == 3) // the wire is full meanwhile
			node_drain(&f.node);
	}
	happened(DP_FORWARDED, 500);
	happened(DP_HANDED_OUT, 500);
	happened(DP_TX_FULL, 1);
	assert_true(node_counter(&f.node, DP_COUNTER_TX_HANDED_IN) > 0);
	nothing_was_asked_for();
	{
		struct node_queues queues = f.node.queues;

		fixture_fini(&f);
		ring_port_destroy(&queues);
	}
}

static void a_spent_pool_is_met_in_silence(void **state)
{
	struct node_geometry geometry = {.worker_count = 1,
		.guild_count = 4,
		.session_count = 64,
		.leg_count = 512,
		.pool_count = 127};
	(void)state;

	node_init(&f.node, &geometry);
	node_unlimit(&f.node);
	f.guild = (struct dp_handle){.index = 1, .generation = 5};
	f.room = (struct dp_handle){.index = 2, .generation = 6};
	f.member_count = 30;
	assert_int_equal(node_guild(&f.node, 0, f.guild), 0);
	assert_int_equal(node_room(&f.node, 0, f.guild, f.room), 0);
	for (unsigned i = 0; i < f.member_count; i++) {
		client_init(
			&f.member[i], &f.node, 0, i, f.guild, f.room, DP_SUITE_AES256_GCM_RTPSIZE);
		client_join(&f.member[i]);
	}
	for (unsigned round = 0; round < 20; round++) {
		for (unsigned i = 0; i < 8; i++)
			client_say(&f.member[i], "speech", 6);
		turn();
		node_drain(&f.node);
	}
	happened(DP_NO_MBUF, 20);
	nothing_was_asked_for();
	fixture_fini(&f);
}

static int prepare(void **state)
{
	(void)state;
	node_start_eal();
	catches_system_calls = forbid_init();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_forbidden_is_caught),
		cmocka_unit_test(packet_buffers_come_without_locks),
		cmocka_unit_test(fan_out_is_silent),
		cmocka_unit_test(small_rooms_are_silent),
		cmocka_unit_test(every_suite_is_silent),
		cmocka_unit_test(rtcp_is_silent),
		cmocka_unit_test(strangers_and_liars_are_met_in_silence),
		cmocka_unit_test(shortage_and_hand_over_are_silent),
		cmocka_unit_test(a_spent_pool_is_met_in_silence),
	};

	return cmocka_run_group_tests(tests, prepare, NULL);
}
