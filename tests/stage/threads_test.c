// SPDX-License-Identifier: BSD-3-Clause
//
// Two workers on two threads, as they run: packets handed over both ways, frames by the relay ring,
// commands and their ACKs, and a reader of the progress memfd beside them; with a room each, and
// with one room over both, whose packets cross both ways. Nothing is lost, and the
// thread sanitizer has nothing to say (-Db_sanitize=thread -Dc_args=-DRTE_USE_C11_MEM_MODEL: DPDK's
// rings then say to it what they do). The pool has so many mbufs that none is taken twice: it is
// not instrumented.

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>

#include "api/dp_assert.h"
#include "run/loop.h"
#include "stage/room_fixture.h"

#define MEMBERS 6u // of each worker
#define ROUNDS 100u

static struct node node;
static struct client member[2 * MEMBERS];
static const struct dp_handle guild = {1, 5}, room = {2, 6};
static pthread_t threads[2];

static void *run(void *worker)
{
	(void)worker_loop(worker);
	return NULL;
}

static void start(bool spread)
{
	struct node_geometry geometry = {
		.worker_count = 2, .guild_count = 4, .session_count = 64, .leg_count = 512};

	node_init(&node, &geometry);
	node_unlimit(&node);
	for (unsigned i = 0; i < 2 * MEMBERS; i++) {
		unsigned w = i / MEMBERS;

		if (i % MEMBERS == 0) {
			assert_int_equal(node_guild(&node, w, guild), 0);
			assert_int_equal(node_room_part(&node, w, guild, room, 7,
						 spread ? 1ull << (1 - w) : 0),
				0);
		}
		client_init(&member[i], &node, w, i, guild, room,
			i % 2 ? DP_SUITE_XCHACHA20_RTPSIZE : DP_SUITE_AES256_GCM_RTPSIZE);
		client_join(&member[i]);
	}
	for (unsigned w = 0; w < 2; w++)
		assert_int_equal(pthread_create(&threads[w], NULL, run, node.workers[w]), 0);
}

static void finish(void)
{
	__atomic_store_n(&node.stop, true, __ATOMIC_RELEASE);
	for (unsigned w = 0; w < 2; w++)
		assert_int_equal(pthread_join(threads[w], NULL), 0);
	for (unsigned i = 0; i < 2 * MEMBERS; i++)
		client_fini(&member[i]);
	node_fini(&node);
}

// As control counts: words of the memfd, while it is written.
static uint64_t counted(enum dp_counter counter)
{
	uint64_t sum = 0;

	for (uint32_t w = 0; w < 2; w++)
		sum += __atomic_load_n(
			&dp_shm_worker(node.shm, w)->counters[counter], __ATOMIC_RELAXED);
	return sum;
}

static void pause_ms(void)
{
	(void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

// The main thread of the dataplane: a command into the ring, its ACK out of the other.
static void mute(struct client *c, bool on)
{
	union dp_msg cmd = {
		.dp_session_set = {
			.session = c->session, .room = c->room, .flags = on ? DP_SESSION_MUTE : 0}};
	struct dp_ack ack;

	cmd.header.type = DP_MSG_SESSION_SET;
	cmd.header.size = sizeof(cmd.dp_session_set);
	cmd.header.worker = (uint16_t)c->worker;
	assert_int_equal(
		rte_ring_sp_enqueue_elem(node.rings[c->worker].command, &cmd, sizeof(cmd)), 0);
	while (rte_ring_sc_dequeue_elem(node.rings[c->worker].event, &ack, sizeof(ack)) != 0)
		pause_ms();
	assert_int_equal(ack.error, 0);
}

// One packet, brought by the other worker every second time.
static void say(unsigned who, unsigned round)
{
	uint8_t pkt[DP_PAYLOAD_SIZE_MAX], frame[PACKET_FRAME_SIZE_MAX];
	struct client *c = &member[who];
	struct packet_udp udp = {.source = c->address, .target = c->server, .payload = pkt};

	udp.payload_size = (uint16_t)client_seal(c, c->seq++, "hello", 5, pkt);
	memcpy(udp.source_mac, c->mac, 6);
	memcpy(udp.target_mac, node.host.mac, 6);
	assert_true(node_inject(&node, (c->worker + round) % 2, frame, packet_udp(frame, &udp)));
}

static unsigned take_all(void)
{
	struct node_datagram d;
	struct client_packet p;
	unsigned heard = 0;

	while (node_take(&node, &d)) {
		unsigned who = 0;

		while (who < 2 * MEMBERS && !client_is_target(&member[who], &d))
			who++;
		assert_true(who < 2 * MEMBERS);
		assert_true(client_open(&member[who], &d, &p)); // nonces rise
		heard++;
	}
	return heard;
}

static void talk(bool spread)
{
	const uint64_t listeners = spread ? 2 * MEMBERS - 1 : MEMBERS - 1;
	const uint64_t want = ROUNDS * 2 * listeners;
	uint64_t heard = 0;

	start(spread);
	for (unsigned round = 0; round < ROUNDS; round++) {
		// The last member of each worker says nothing, and is muted meanwhile.
		say(round % (MEMBERS - 1), round);
		say(MEMBERS + (round + 1) % (MEMBERS - 1), round);
		if (round % 5 == 4) {
			mute(&member[MEMBERS - 1], round % 10 == 4);
			mute(&member[2 * MEMBERS - 1], round % 10 == 4);
		}
		heard += take_all();
		// A packet that crosses is a copy, too.
		assert_true(counted(DP_COUNTER_JOBS) <= want + (spread ? 2 * ROUNDS : 0));
	}
	for (unsigned ms = 0; heard < want && ms < 20000; ms++) {
		pause_ms();
		heard += take_all();
	}
	assert_int_equal(heard, want);
	assert_int_equal(counted(DP_COUNTER_CROSSED_OUT), spread ? 2 * ROUNDS : 0);
	assert_int_equal(counted(DP_COUNTER_CROSSED_IN), spread ? 2 * ROUNDS : 0);
	finish();
}

static void two_threads_lose_nothing(void **state)
{
	(void)state;
	talk(false);
}

static void two_threads_are_one_room(void **state)
{
	(void)state;
	talk(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_threads_lose_nothing),
		cmocka_unit_test(two_threads_are_one_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
