// SPDX-License-Identifier: BSD-3-Clause
//
// The link as control sees it: a real socket at one end, and workers played by the test at the
// rings. link_state_test.c has the protocol alone, command_check_test.c the records.

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>

#include "host/control_link.h"

#define WORKERS 2
#define EPOCH 9
#define CONTROL 4

struct world {
	struct control_link link;
	struct worker_rings rings[WORKERS];
	int control_fd;
	uint32_t seq;
};

// A ring needs no EAL when its memory is ours.
static struct rte_ring *ring_make(unsigned element_size, unsigned count)
{
	ssize_t size = rte_ring_get_memsize_elem(element_size, count);
	struct rte_ring *ring = NULL;

	assert_true(size > 0);
	size = (size + 63) / 64 * 64;
	ring = aligned_alloc(64, (size_t)size);
	assert_non_null(ring);
	assert_int_equal(rte_ring_init(ring, "test", count, RING_F_SP_ENQ | RING_F_SC_DEQ), 0);
	return ring;
}

static int setup(void **state)
{
	static struct world world;
	struct command_limits limits = {
		.worker_count = WORKERS, .guild_count = 16, .session_count = 64, .room_count = 32};
	struct dp_device device = {.driver = "net_null", .steering = "software"};
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	world.control_fd = fds[1];
	world.seq = 100;
	for (unsigned i = 0; i < WORKERS; i++) {
		world.rings[i].command = ring_make(sizeof(union dp_msg), WORKER_COMMAND_RING_SIZE);
		world.rings[i].event = ring_make(sizeof(struct dp_ack), WORKER_EVENT_RING_SIZE);
	}
	control_link_init(&world.link, fds[0], EPOCH, 50000, &limits, world.rings, &device);
	*state = &world;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	for (unsigned i = 0; i < WORKERS; i++) {
		free(w->rings[i].command);
		free(w->rings[i].event);
	}
	close(w->link.fd);
	close(w->control_fd);
	return 0;
}

static void turn(struct world *w)
{
	assert_int_equal(control_link_turn(&w->link), 0);
}

static void control_send(struct world *w, void *record, unsigned type, uint32_t epoch)
{
	struct dp_msg_header *header = record;

	header->epoch = epoch;
	header->type = (uint16_t)type;
	header->size = dp_msg_size(type);
	assert_int_equal(send(w->control_fd, record, header->size, MSG_DONTWAIT), header->size);
}

static void control_hello(struct world *w, uint32_t epoch, uint32_t names)
{
	struct dp_hello hello = {.peer_epoch = names};

	dp_hello_fill(&hello);
	control_send(w, &hello, DP_MSG_HELLO, epoch);
}

static void control_dies(struct world *w, uint32_t epoch)
{
	struct dp_peer_down down = {.peer_epoch = epoch};

	control_send(w, &down, DP_MSG_PEER_DOWN, 0);
}

// A guild for 'worker'. Returns its seq.
static uint32_t control_command(struct world *w, uint16_t worker, uint32_t epoch)
{
	struct dp_guild_open open = {.guild = {.index = 1, .generation = 1}};

	open.header.seq = ++w->seq;
	open.header.worker = worker;
	control_send(w, &open, DP_MSG_GUILD_OPEN, epoch);
	return w->seq;
}

// The next record that control gets, 0 if none: its type.
static unsigned control_take(struct world *w, union dp_msg *msg)
{
	ssize_t size = recv(w->control_fd, msg, sizeof(*msg), MSG_DONTWAIT);

	if (size < 0)
		return 0;
	assert_int_equal(size, dp_msg_size(msg->header.type));
	assert_int_equal(msg->header.size, size);
	assert_int_equal(msg->header.epoch, EPOCH);
	return msg->header.type;
}

static void expect_ack(struct world *w, uint32_t seq, int error)
{
	union dp_msg msg;

	assert_int_equal(control_take(w, &msg), DP_MSG_ACK);
	assert_int_equal(msg.header.seq, seq);
	assert_int_equal(msg.dp_ack.error, error);
}

static void expect_silence(struct world *w)
{
	union dp_msg msg;

	assert_int_equal(control_take(w, &msg), 0);
}

// Worker applies what is in its ring, answering each with 'error'. Returns how many.
static unsigned worker_turn(struct world *w, unsigned worker, int error)
{
	union dp_msg msg;
	unsigned count = 0;

	while (rte_ring_sc_dequeue_elem(w->rings[worker].command, &msg, sizeof(msg)) == 0) {
		struct dp_ack ack = {.header = msg.header, .error = error};

		assert_int_equal(msg.header.worker, worker);
		assert_int_equal(
			rte_ring_sp_enqueue_elem(w->rings[worker].event, &ack, sizeof(ack)), 0);
		count++;
	}
	return count;
}

static void meet(struct world *w, uint32_t control_epoch)
{
	union dp_msg msg;

	control_hello(w, control_epoch, EPOCH);
	turn(w);
	while (control_take(w, &msg) != DP_MSG_DEVICE)
		assert_int_equal(msg.header.type, DP_MSG_HELLO);
	assert_string_equal(msg.dp_device.driver, "net_null");
	expect_silence(w);
}

static void says_hello_first_and_device_after(void **state)
{
	struct world *w = *state;
	union dp_msg msg;

	turn(w);
	assert_int_equal(control_take(w, &msg), DP_MSG_HELLO);
	assert_int_equal(dp_hello_check(&msg.dp_hello), 0);
	assert_int_equal(msg.dp_hello.peer_epoch, 0);
	assert_int_equal(msg.dp_hello.worker_count, WORKERS);
	assert_int_equal(msg.dp_hello.first_port, 50000);
	expect_silence(w);
	control_hello(w, CONTROL, 0); // has not heard us yet
	turn(w);
	assert_int_equal(control_take(w, &msg), DP_MSG_HELLO);
	assert_int_equal(msg.dp_hello.peer_epoch, CONTROL);
	expect_silence(w);
	control_hello(w, CONTROL, EPOCH);
	turn(w);
	assert_int_equal(control_take(w, &msg), DP_MSG_DEVICE);
	expect_silence(w);
}

static void routes_by_worker_and_brings_acks_back(void **state)
{
	struct world *w = *state;

	meet(w, CONTROL);
	uint32_t a = control_command(w, 0, CONTROL), b = control_command(w, 1, CONTROL);
	turn(w);
	expect_silence(w);
	assert_int_equal(control_link_poll_us(&w->link) > 0, 1);
	assert_int_equal(worker_turn(w, 1, 0), 1);
	turn(w);
	expect_ack(w, b, 0);
	assert_int_equal(worker_turn(w, 0, -EEXIST), 1);
	turn(w);
	expect_ack(w, a, -EEXIST);
	expect_silence(w);
	// Nothing is due: no reason to wake up.
	assert_int_equal(control_link_poll_us(&w->link), -1);
	assert_int_equal(control_link_poll_events(&w->link), POLLIN);
}

static void nothing_counts_before_hello(void **state)
{
	struct world *w = *state;

	control_command(w, 0, CONTROL);
	control_hello(w, CONTROL, 0);
	control_command(w, 0, CONTROL);
	turn(w);
	assert_int_equal(worker_turn(w, 0, 0), 0);
	assert_int_equal(w->link.state.discarded, 2);
}

static void refuses_what_a_worker_must_not_see(void **state)
{
	struct world *w = *state;
	uint8_t bytes[700] = {0};

	meet(w, CONTROL);
	uint32_t seq = control_command(w, WORKERS, CONTROL);
	turn(w);
	expect_ack(w, seq, -EINVAL);
	// Every length but the right one, up to beyond the largest record.
	for (size_t size = 0; size < sizeof(bytes); size++) {
		struct dp_guild_open open = {.header = {.epoch = CONTROL,
						     .seq = 7,
						     .type = DP_MSG_GUILD_OPEN,
						     .size = sizeof(open)},
			.guild = {1, 1}};

		if (size == 0 || size == sizeof(open))
			continue; // an empty datagram looks like the end of the socket
		memcpy(bytes, &open, sizeof(open));
		assert_int_equal(send(w->control_fd, bytes, size, 0), size);
		turn(w);
		if (size >= sizeof(open.header))
			expect_ack(w, 7, -EINVAL);
		expect_silence(w);
	}
	assert_int_equal(worker_turn(w, 0, 0), 0);
}

static void a_full_worker_leaves_records_in_the_socket(void **state)
{
	struct world *w = *state;
	unsigned total = CONTROL_LINK_IN_FLIGHT_MAX + 100, sent = 0, acked = 0;
	union dp_msg msg;

	meet(w, CONTROL);
	uint32_t first = w->seq + 1;
	while (sent < CONTROL_LINK_IN_FLIGHT_MAX) {
		control_command(w, 0, CONTROL);
		if (++sent % 50 == 0)
			turn(w);
	}
	turn(w);
	assert_int_equal(w->link.in_flight[0], CONTROL_LINK_IN_FLIGHT_MAX);
	assert_int_equal(control_link_poll_events(&w->link) & POLLIN, 0);
	for (; sent < total; sent++)
		control_command(w, 0, CONTROL); // fits the socket
	turn(w);
	turn(w);
	assert_int_equal(w->link.in_flight[0], CONTROL_LINK_IN_FLIGHT_MAX);
	while (acked < total) {
		unsigned before = acked;

		worker_turn(w, 0, 0);
		turn(w);
		while (control_take(w, &msg) == DP_MSG_ACK)
			assert_int_equal(msg.header.seq, first + acked++);
		assert_true(acked > before || w->link.in_flight_total > 0);
	}
	assert_int_equal(w->link.in_flight_total, 0);
	assert_int_equal(w->link.full_count, 0);
}

static void a_control_that_does_not_read_loses_nothing(void **state)
{
	struct world *w = *state;
	unsigned acked = 0, count = 900;
	union dp_msg msg;
	int size = 4096;

	assert_int_equal(setsockopt(w->link.fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	meet(w, CONTROL);
	uint32_t first = w->seq + 1;
	for (unsigned i = 0; i < count; i++) {
		control_command(w, i % WORKERS, CONTROL);
		turn(w);
	}
	for (unsigned i = 0; i < 50; i++) {
		worker_turn(w, 0, 0);
		worker_turn(w, 1, 0);
		turn(w);
	}
	assert_true((control_link_poll_events(&w->link) & POLLOUT) != 0);
	assert_true(w->link.in_flight_total > 0); // the rest waits in the rings
	uint8_t seen[900] = {0};
	for (unsigned i = 0; i < 2000 && acked < count; i++) {
		while (control_take(w, &msg) == DP_MSG_ACK) {
			assert_in_range(msg.header.seq, first, first + count - 1);
			assert_int_equal(seen[msg.header.seq - first]++, 0);
			acked++;
		}
		worker_turn(w, 0, 0);
		worker_turn(w, 1, 0);
		turn(w);
	}
	assert_int_equal(acked, count);
	assert_int_equal(control_link_poll_us(&w->link), -1);
}

static void acks_of_a_dead_control_reach_nobody(void **state)
{
	struct world *w = *state;

	meet(w, CONTROL);
	control_command(w, 0, CONTROL);
	control_command(w, 0, CONTROL);
	turn(w);
	control_dies(w, CONTROL);
	turn(w);
	w->seq -= 2; // the next control counts from the start again
	meet(w, CONTROL + 1);
	uint32_t seq = control_command(w, 0, CONTROL + 1);
	turn(w);
	assert_int_equal(worker_turn(w, 0, 0), 3);
	turn(w);
	expect_ack(w, seq, 0);
	expect_silence(w);
	assert_int_equal(w->link.in_flight_total, 0);
}

static void another_contract_ends_it(void **state)
{
	struct world *w = *state;
	struct dp_hello hello = {.peer_epoch = EPOCH};

	dp_hello_fill(&hello);
	hello.sizes[DP_MSG_GUILD_OPEN] += 8;
	control_send(w, &hello, DP_MSG_HELLO, CONTROL);
	assert_int_equal(control_link_turn(&w->link), -EPROTO);
}

static void nobody_left_is_said(void **state)
{
	struct world *w = *state;

	shutdown(w->control_fd, SHUT_RDWR);
	assert_int_equal(control_link_turn(&w->link), -EPIPE);
}

#define LINK_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LINK_TEST(says_hello_first_and_device_after),
		LINK_TEST(routes_by_worker_and_brings_acks_back),
		LINK_TEST(nothing_counts_before_hello),
		LINK_TEST(refuses_what_a_worker_must_not_see),
		LINK_TEST(a_full_worker_leaves_records_in_the_socket),
		LINK_TEST(a_control_that_does_not_read_loses_nothing),
		LINK_TEST(acks_of_a_dead_control_reach_nobody),
		LINK_TEST(another_contract_ends_it),
		LINK_TEST(nobody_left_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
