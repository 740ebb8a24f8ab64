// SPDX-License-Identifier: BSD-3-Clause
//
// The same route over a real port (net_ring), with queues that fill up: one queue for two workers
// or one each, a device that takes no more, hand-over rings and pools that are spent. Whatever is
// short is counted by its name, the ledgers balance, every mbuf comes home, and it goes on after.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#include "run/pipeline.h"
#include "stage/room_fixture.h"
#include "support/ring_port.h"

#define WIRE 1024 // frames that a wire holds where it does not matter

static struct fixture f;
static struct dp_handle guild_of[2], room_of[2];

struct shape {
	uint32_t queue_count, tx_size, ring_count, pool_count;
	unsigned members[2]; // at home on each worker
};

// Two workers. The members of each have a guild and a room of their own.
static void begin(const struct shape *shape)
{
	struct node_geometry geometry = {.worker_count = 2,
		.guild_count = 4,
		.session_count = 64,
		.leg_count = 2048,
		.pool_count = shape->pool_count,
		.ring_count = shape->ring_count};

	node_start_eal();
	ring_port_create(&geometry.queues, shape->queue_count, WIRE, shape->tx_size);
	node_init(&f.node, &geometry);
	node_unlimit(&f.node);
	f.member_count = 0;
	for (unsigned w = 0; w < 2; w++) {
		guild_of[w] = (struct dp_handle){.index = 1 + w, .generation = 5};
		room_of[w] = (struct dp_handle){.index = 2 + w, .generation = 6};
		assert_int_equal(node_guild(&f.node, w, guild_of[w]), 0);
		assert_int_equal(node_room(&f.node, w, guild_of[w], room_of[w]), 0);
		for (unsigned i = 0; i < shape->members[w]; i++) {
			struct client *c = &f.member[f.member_count];

			client_init(c, &f.node, w, f.member_count++, guild_of[w], room_of[w],
				i % 2 ? DP_SUITE_XCHACHA20_RTPSIZE : DP_SUITE_AES256_GCM_RTPSIZE);
			client_join(c);
		}
	}
}

static void end(void)
{
	struct node_queues queues = f.node.queues;

	fixture_fini(&f); // ledgers, and every mbuf is home
	ring_port_destroy(&queues);
}

static uint64_t count_of(uint32_t worker, enum dp_counter counter)
{
	return dp_shm_worker(f.node.shm, worker)->counters[counter];
}

static uint64_t verdict_of(uint32_t worker, enum dp_verdict verdict)
{
	return dp_shm_worker(f.node.shm, worker)->verdicts[verdict];
}

static void turn(uint32_t worker)
{
	f.node.workers[worker]->now_tsc = __builtin_ia32_rdtsc();
	(void)pipeline_turn(f.node.workers[worker]);
}

// All is back to normal: the room of 'worker' hears its first member.
static void goes_on(uint32_t worker, unsigned first, unsigned members)
{
	node_turn(&f.node);
	(void)node_drain(&f.node);
	client_say(&f.member[first], "on", 2);
	node_turn(&f.node);
	assert_int_equal(node_drain(&f.node), members - 1);
	assert_int_equal(rte_mempool_in_use_count(f.node.pool), 0);
	assert_int_equal(f.member[first].worker, worker);
	node_check_ledger(&f.node);
}

static void each_worker_has_its_queue(void **state)
{
	struct dp_worker_shm before;
	uint64_t bytes = 0, got_bytes = 0;
	struct node_datagram d;
	struct client_packet p;
	(void)state;

	begin(&(struct shape){.queue_count = 2, .tx_size = WIRE, .members = {3, 3}});
	for (uint32_t w = 0; w < 2; w++) {
		before = *dp_shm_worker(f.node.shm, w);
		bytes = got_bytes = 0;
		for (unsigned i = 0; i < 100; i++) {
			client_say(&f.member[3 * w], "hello", i % 6);
			bytes += 14 + 20 + 8 + 12 + i % 6 + DP_RTPSIZE_OVERHEAD;
			node_turn(&f.node);
			assert_int_equal(rte_ring_count(f.node.queues.tx[w]), 2);
			assert_int_equal(rte_ring_count(f.node.queues.tx[1 - w]), 0);
			for (unsigned k = 1; k < 3; k++) {
				assert_true(node_take(&f.node, &d));
				got_bytes += d.frame_size;
				assert_true(client_is_target(&f.member[3 * w + k], &d));
				assert_true(client_open(&f.member[3 * w + k], &d, &p));
				assert_int_equal(p.clear_size, i % 6);
			}
		}
#define ROSE(counter) (count_of(w, counter) - before.counters[counter])
		assert_int_equal(ROSE(DP_COUNTER_RECEIVED), 100);
		assert_int_equal(ROSE(DP_COUNTER_RECEIVED_BYTES), bytes);
		assert_int_equal(ROSE(DP_COUNTER_SENT), 200);
		assert_int_equal(ROSE(DP_COUNTER_SENT_BYTES), got_bytes);
		assert_int_equal(count_of(w, DP_COUNTER_HANDED_IN), 0);
		assert_int_equal(count_of(w, DP_COUNTER_TX_HANDED_OUT), 0);
	}
	end();
}

static void a_packet_on_the_others_queue_is_handed_over(void **state)
{
	(void)state;
	begin(&(struct shape){.queue_count = 2, .tx_size = WIRE, .members = {2, 2}});
	f.member[2].worker = 0; // the device steers wrongly; its port is worker 1's
	client_say(&f.member[2], "a", 1);
	node_turn(&f.node);
	f.member[2].worker = 1;
	assert_int_equal(node_drain(&f.node), 1);
	assert_int_equal(verdict_of(0, DP_HANDED_OUT), 1);
	assert_int_equal(count_of(1, DP_COUNTER_HANDED_IN), 1);
	assert_int_equal(verdict_of(1, DP_FORWARDED), 1);
	end();
}

static void a_worker_without_a_queue_comes_and_goes_by_the_other(void **state)
{
	unsigned heard = 0;
	(void)state;

	begin(&(struct shape){.queue_count = 1, .tx_size = WIRE, .members = {2, 5}});
	for (unsigned i = 0; i < 300; i++) {
		client_say(&f.member[2 + i % 5], "a", 1);
		if (i % 40 == 39)
			node_turn(&f.node), heard += node_drain(&f.node);
	}
	node_turn(&f.node);
	heard += node_drain(&f.node);
	assert_int_equal(heard, 300 * 4);
	// 5 IP discoveries and their answers beside them.
	assert_int_equal(count_of(1, DP_COUNTER_HANDED_IN), 305);
	assert_int_equal(count_of(1, DP_COUNTER_RECEIVED), 0);
	assert_int_equal(count_of(1, DP_COUNTER_SENT), 0);
	assert_int_equal(count_of(1, DP_COUNTER_TX_HANDED_OUT), 1205);
	assert_int_equal(count_of(0, DP_COUNTER_TX_HANDED_IN), 1205);
	assert_int_equal(verdict_of(0, DP_HANDED_OUT), 305);
	goes_on(1, 2, 5);
	end();
}

static void a_device_that_takes_part_of_a_wave(void **state)
{
	uint64_t bytes, sent;
	(void)state;

	begin(&(struct shape){.queue_count = 1, .tx_size = 64, .members = {30, 0}});
	bytes = count_of(0, DP_COUNTER_SENT_BYTES);
	sent = count_of(0, DP_COUNTER_SENT);
	for (unsigned i = 0; i < 10; i++) // 290 copies: two waves, for 63 places
		client_say(&f.member[i], "a", 1);
	node_turn(&f.node);
	assert_int_equal(count_of(0, DP_COUNTER_SENT) - sent, 63);
	assert_int_equal(count_of(0, DP_COUNTER_SENT_BYTES) - bytes,
		63 * (14 + 20 + 8 + 12 + 1 + DP_RTPSIZE_OVERHEAD));
	assert_int_equal(verdict_of(0, DP_TX_FULL), 290 - 63);
	assert_int_equal(verdict_of(0, DP_FORWARDED), 10);
	assert_int_equal(rte_mempool_in_use_count(f.node.pool), 63);
	// An answer finds no place either.
	client_send_raw(&f.member[0], (const uint8_t[8]){0x13, 0x37, 0xca, 0xfe}, 8);
	node_turn(&f.node);
	assert_int_equal(verdict_of(0, DP_PING), 1);
	assert_int_equal(verdict_of(0, DP_TX_FULL), 290 - 63 + 1);
	goes_on(0, 0, 30);
	end();
}

static void a_device_that_takes_nothing_from_its_neighbour(void **state)
{
	(void)state;
	begin(&(struct shape){.queue_count = 1, .tx_size = 32, .members = {2, 20}});
	for (unsigned i = 0; i < 10; i++) // 190 copies of worker 1, by way of worker 0
		client_say(&f.member[2 + i], "a", 1);
	node_turn(&f.node);
	assert_int_equal(verdict_of(1, DP_TX_FULL), 0);
	assert_int_equal(verdict_of(0, DP_TX_FULL), 190 - 31);
	goes_on(1, 2, 20);
	end();
}

static void a_ring_to_the_device_that_is_full(void **state)
{
	uint64_t out;
	(void)state;

	begin(&(struct shape){
		.queue_count = 1, .tx_size = WIRE, .ring_count = 32, .members = {2, 20}});
	out = count_of(1, DP_COUNTER_TX_HANDED_OUT);
	for (unsigned i = 0; i < 5; i++)
		client_say(&f.member[2 + i], "a", 1);
	turn(0);
	turn(1); // 95 copies for 31 places
	assert_int_equal(count_of(1, DP_COUNTER_TX_HANDED_OUT) - out, 31);
	assert_int_equal(verdict_of(1, DP_TX_FULL), 95 - 31);
	node_turn(&f.node);
	assert_int_equal(node_drain(&f.node), 31);
	goes_on(1, 2, 20);
	end();
}

static void a_hand_over_that_is_congested(void **state)
{
	unsigned heard;
	(void)state;

	begin(&(struct shape){
		.queue_count = 1, .tx_size = WIRE, .ring_count = 16, .members = {2, 2}});
	for (unsigned i = 0; i < 100; i++)
		client_say(&f.member[2], "a", 1);
	for (unsigned i = 0; i < 2; i++) // its own are not held up by the other's
		client_say(&f.member[0], "b", 1);
	for (unsigned i = 0; i < 5; i++)
		turn(0); // worker 1 stands still
	assert_int_equal(verdict_of(0, DP_HANDOFF_FULL), 100 - 15);
	assert_int_equal(rte_mempool_in_use_count(f.node.pool), 15 + 2);
	node_turn(&f.node);
	heard = node_drain(&f.node);
	assert_int_equal(heard, 15 + 2);
	goes_on(1, 2, 2);
	goes_on(0, 0, 2);
	end();
}

static void neither_the_device_nor_the_others_starve(void **state)
{
	uint64_t received, handed;
	(void)state;

	begin(&(struct shape){.queue_count = 2, .tx_size = WIRE, .members = {2, 2}});
	for (unsigned i = 0; i < 60; i++) {
		client_say(&f.member[0], "a", 1);
		f.member[0].worker = 1; // wrong queue: worker 1 hands it over
		client_say(&f.member[0], "b", 1);
		f.member[0].worker = 0;
	}
	turn(1);
	turn(1);
	assert_int_equal(rte_ring_count(f.node.rings[0].rx), 60);
	for (unsigned i = 0; i < 3; i++) {
		received = count_of(0, DP_COUNTER_RECEIVED);
		handed = count_of(0, DP_COUNTER_HANDED_IN);
		turn(0);
		assert_int_equal(
			count_of(0, DP_COUNTER_RECEIVED) - received, DP_BURST_MAX - DP_HANDED_MAX);
		assert_int_equal(count_of(0, DP_COUNTER_HANDED_IN) - handed, DP_HANDED_MAX);
	}
	goes_on(0, 0, 2);
	end();
}

static void a_pool_that_is_spent(void **state)
{
	uint64_t jobs, sent;
	(void)state;

	begin(&(struct shape){
		.queue_count = 1, .tx_size = WIRE, .pool_count = 127, .members = {30, 0}});
	jobs = count_of(0, DP_COUNTER_JOBS);
	sent = count_of(0, DP_COUNTER_SENT);
	for (unsigned i = 0; i < 20; i++) // the wire keeps what it gets
		client_say(&f.member[i], "a", 1);
	node_turn(&f.node);
	assert_int_equal(count_of(0, DP_COUNTER_JOBS) - jobs, 20 * 29);
	assert_true(verdict_of(0, DP_NO_MBUF) >= 20 * 29 - 127);
	assert_int_equal(count_of(0, DP_COUNTER_SENT) - sent + verdict_of(0, DP_NO_MBUF), 20 * 29);
	assert_int_equal(
		rte_mempool_in_use_count(f.node.pool), count_of(0, DP_COUNTER_SENT) - sent);
	goes_on(0, 0, 30);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_worker_has_its_queue),
		cmocka_unit_test(a_packet_on_the_others_queue_is_handed_over),
		cmocka_unit_test(a_worker_without_a_queue_comes_and_goes_by_the_other),
		cmocka_unit_test(a_device_that_takes_part_of_a_wave),
		cmocka_unit_test(a_device_that_takes_nothing_from_its_neighbour),
		cmocka_unit_test(a_ring_to_the_device_that_is_full),
		cmocka_unit_test(a_hand_over_that_is_congested),
		cmocka_unit_test(neither_the_device_nor_the_others_starve),
		cmocka_unit_test(a_pool_that_is_spent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
