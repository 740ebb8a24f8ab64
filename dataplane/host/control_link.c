// SPDX-License-Identifier: BSD-3-Clause
//
// See control_link.h.

#include "host/control_link.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include <rte_ring.h>
#include <rte_ring_elem.h>

#include "api/dp_assert.h"
#include "host/host_log.h"

#define READS_PER_TURN_MAX 64
// While ACKs are due the rings are looked at this often; the socket wakes us at once.
#define ACK_POLL_US 200
// Records that one datagram from control can make us send: HELLO and DEVICE, or one ACK.
#define OUT_PER_READ_MAX 2

static unsigned out_room(const struct control_link *link)
{
	return CONTROL_LINK_OUT_MAX - link->out_count;
}

static void out_put(struct control_link *link, const void *record, size_t size)
{
	DP_ASSERT(out_room(link) > 0 && size <= sizeof(link->out[0]));
	unsigned at = (unsigned)(link->out_first + link->out_count) % CONTROL_LINK_OUT_MAX;

	memcpy(&link->out[at], record, size);
	link->out_count++;
}

static void put_hello(struct control_link *link)
{
	struct dp_hello hello;

	link_state_hello(&link->state, link->limits.worker_count, link->first_port, &hello);
	out_put(link, &hello, sizeof(hello));
}

static void put_device(struct control_link *link)
{
	struct dp_device *device = &link->device;

	memset(&device->header, 0, sizeof(device->header));
	device->header.epoch = link->state.epoch;
	device->header.type = DP_MSG_DEVICE;
	device->header.size = sizeof(*device);
	out_put(link, device, sizeof(*device));
}

static void put_ack(struct control_link *link, uint32_t seq, uint16_t worker, int32_t error)
{
	struct dp_ack ack = {
		.header = {.epoch = link->state.epoch,
			.seq = seq,
			.type = DP_MSG_ACK,
			.size = sizeof(ack),
			.worker = worker},
		.error = error,
	};
	out_put(link, &ack, sizeof(ack));
}

void control_link_init(struct control_link *link, int fd, uint32_t epoch, uint16_t first_port,
	const struct command_limits *limits, const struct worker_rings *rings,
	const struct dp_device *device)
{
	DP_ASSERT(limits->worker_count > 0 && limits->worker_count <= DP_WORKERS_MAX);
	memset(link, 0, sizeof(*link));
	link->fd = fd;
	link->first_port = first_port;
	link->limits = *limits;
	link->rings = rings;
	link->device = *device;
	link_state_init(&link->state, epoch);
	put_hello(link);
}

static void forget_peer(struct control_link *link)
{
	// What the workers still owe the one that is gone would look like ACKs of the next, whose
	// sequence numbers begin anew. Nothing queued is for the next either.
	memcpy(link->stale, link->in_flight, sizeof(link->stale));
	link->out_count = 0;
}

static void command_route(struct control_link *link, const union dp_msg *msg)
{
	uint16_t worker = msg->header.worker;

	DP_ASSERT(link->in_flight[worker] < CONTROL_LINK_IN_FLIGHT_MAX);
	int err = rte_ring_sp_enqueue_elem(
		link->rings[worker].command, (void *)(uintptr_t)msg, sizeof(*msg));
	DP_ASSERT(err == 0); // never more in the ring than in flight
	link->in_flight_total++;
	if (++link->in_flight[worker] == CONTROL_LINK_IN_FLIGHT_MAX)
		link->full_count++;
}

static int record_take(struct control_link *link, const union dp_msg *msg, size_t size)
{
	unsigned todo = link_state_feed(&link->state, msg, size);

	if ((todo & LINK_CONTRACT) != 0)
		return -EPROTO;
	if ((todo & LINK_DOWN) != 0) {
		forget_peer(link);
		host_log(HOST_LOG_INFO, "control is gone, media goes on", "discarded=%llu",
			(unsigned long long)link->state.discarded);
	}
	if ((todo & LINK_HELLO) != 0)
		put_hello(link);
	if ((todo & LINK_UP) != 0) {
		put_device(link);
		host_log(HOST_LOG_INFO, "control is there", "epoch=%u", link->state.peer_epoch);
	}
	if ((todo & LINK_DELIVER) == 0)
		return 0;
	int err = command_check(msg, size, &link->limits);
	if (err == 0) {
		command_route(link, msg);
		return 0;
	}
	link->refused++;
	put_ack(link, msg->header.seq, msg->header.worker, err);
	return 0;
}

static int socket_read(struct control_link *link)
{
	union dp_msg msg;
	int result = 0;

	for (unsigned i = 0; i < READS_PER_TURN_MAX && result == 0; i++) {
		if (link->full_count > 0 || out_room(link) < OUT_PER_READ_MAX)
			break;
		// The whole size of a longer datagram, so that its length is seen to be wrong.
		ssize_t size = recv(link->fd, &msg, sizeof(msg), MSG_DONTWAIT | MSG_TRUNC);

		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0 && errno == EAGAIN)
			break;
		if (size <= 0)
			result = -EPIPE;
		else
			result = record_take(link, &msg, (size_t)size);
	}
	explicit_bzero(&msg, sizeof(msg)); // keys came by here
	return result;
}

static int socket_write(struct control_link *link)
{
	while (link->out_count > 0) {
		const union dp_msg *msg = &link->out[link->out_first];

		if (send(link->fd, msg, msg->header.size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
			if (errno == EINTR)
				continue;
			return errno == EAGAIN || errno == ENOBUFS ? 0 : -EPIPE;
		}
		link->out_first = (uint16_t)((link->out_first + 1) % CONTROL_LINK_OUT_MAX);
		link->out_count--;
	}
	return 0;
}

static void acks_take(struct control_link *link, uint16_t worker)
{
	struct dp_ack ack;

	while (link->in_flight[worker] > 0 && out_room(link) > OUT_PER_READ_MAX &&
		rte_ring_sc_dequeue_elem(link->rings[worker].event, &ack, sizeof(ack)) == 0) {
		if (link->in_flight[worker]-- == CONTROL_LINK_IN_FLIGHT_MAX)
			link->full_count--;
		link->in_flight_total--;
		if (link->stale[worker] > 0)
			link->stale[worker]--;
		else
			put_ack(link, ack.header.seq, worker, ack.error);
	}
}

int control_link_turn(struct control_link *link)
{
	for (uint16_t i = 0; i < link->limits.worker_count; i++)
		acks_take(link, i);
	int err = socket_write(link);
	if (err == 0)
		err = socket_read(link);
	return err != 0 ? err : socket_write(link);
}

short control_link_poll_events(const struct control_link *link)
{
	short events = 0;

	if (link->full_count == 0 && out_room(link) >= OUT_PER_READ_MAX)
		events |= POLLIN;
	if (link->out_count > 0)
		events |= POLLOUT;
	return events;
}

int control_link_poll_us(const struct control_link *link)
{
	// Workers speak only when spoken to: with nothing in flight there is nothing to look for.
	return link->in_flight_total > 0 ? ACK_POLL_US : -1;
}
