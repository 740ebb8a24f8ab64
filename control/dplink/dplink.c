// SPDX-License-Identifier: BSD-3-Clause
//
// A growing queue of commands in front of a window of unanswered ones. Sequence numbers are given
// when a command is sent, so the window is a ring indexed by them.

#include "dplink/dplink.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "dplink/link_state.h"
#include "log/log.h"
#include "loop/loop.h"

#define COMMAND_SIZE_MAX 80u // bytes: the longest command, SESSION_KEY
#define READS_PER_TURN 256u
#define TIMER_MS 250u

static_assert(sizeof(struct dp_session_key) <= COMMAND_SIZE_MAX, "fits a queue entry");
static_assert(sizeof(struct dp_guild_open) <= COMMAND_SIZE_MAX, "fits a queue entry");
static_assert(sizeof(struct dp_session_hint) <= COMMAND_SIZE_MAX, "fits a queue entry");
static_assert((DPLINK_IN_FLIGHT_MAX & (DPLINK_IN_FLIGHT_MAX - 1)) == 0, "seq masks to a slot");

struct queued {
	struct dplink_tag tag;
	uint16_t size;
	uint64_t bytes[COMMAND_SIZE_MAX / sizeof(uint64_t)];
};

struct in_flight {
	struct dplink_tag tag;
	uint32_t seq;
	bool is_open;
	uint64_t deadline_ms;
};

struct dplink {
	struct loop *loop;
	int fd;
	struct loop_fd *watch;
	struct loop_timer timer;
	struct link_state state;
	struct dplink_handler handler;
	struct dp_device device;
	bool hello_owed, is_refused;

	struct queued *queue; // ring of 'capacity' entries
	uint32_t head, count, capacity;
	struct in_flight window[DPLINK_IN_FLIGHT_MAX];
	uint32_t next_seq, oldest_seq; // window: [oldest, next)
	struct dplink_stats stats;
};

static void wipe_queue(struct dplink *link)
{
	if (link->queue != NULL)
		explicit_bzero(link->queue, link->capacity * sizeof(*link->queue));
	link->head = link->count = 0;
}

static void forget_all(struct dplink *link)
{
	wipe_queue(link);
	memset(link->window, 0, sizeof(link->window));
	link->oldest_seq = link->next_seq;
}

static int grow(struct dplink *link)
{
	uint32_t capacity = link->capacity == 0 ? 256 : link->capacity * 2;
	struct queued *queue;

	if (link->count >= DPLINK_QUEUE_MAX)
		return -ENOBUFS;
	queue = calloc(capacity, sizeof(*queue));
	if (queue == NULL)
		return -ENOBUFS;
	for (uint32_t index = 0; index < link->count; index++)
		queue[index] = link->queue[(link->head + index) % link->capacity];
	if (link->queue != NULL)
		explicit_bzero(link->queue, link->capacity * sizeof(*queue));
	free(link->queue);
	link->queue = queue;
	link->capacity = capacity;
	link->head = 0;
	return 0;
}

// 0, or -EAGAIN: the socket is full. A dead socket is not our business: the supervisor ends us.
static int send_bytes(struct dplink *link, const void *bytes, size_t size)
{
	ssize_t sent = send(link->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent == (ssize_t)size)
		return 0;
	if (sent < 0 && errno != EAGAIN && errno != EINTR && errno != ENOBUFS)
		log_error("link to the packet engine does not take records error=%s",
			strerror(errno));
	return -EAGAIN;
}

static int send_hello(struct dplink *link)
{
	struct dp_hello hello;

	link_state_hello(&link->state, &hello);
	return send_bytes(link, &hello, sizeof(hello));
}

static int send_first(struct dplink *link, uint64_t now_ms)
{
	struct queued *first = &link->queue[link->head];
	struct dp_msg_header *header = (struct dp_msg_header *)(void *)first->bytes;
	struct in_flight *slot = &link->window[link->next_seq & (DPLINK_IN_FLIGHT_MAX - 1)];
	int error;

	header->seq = link->next_seq;
	error = send_bytes(link, first->bytes, first->size);
	if (error != 0)
		return error;
	*slot = (struct in_flight){.tag = first->tag,
		.seq = link->next_seq,
		.is_open = true,
		.deadline_ms = now_ms + DPLINK_TIMEOUT_MS};
	link->next_seq++;
	link->stats.sent++;
	explicit_bzero(first, sizeof(*first));
	link->head = (link->head + 1) % link->capacity;
	link->count--;
	return 0;
}

static void flush(struct dplink *link)
{
	uint64_t now_ms = loop_now_ms(link->loop);
	bool is_full = false;

	if (link->hello_owed) {
		is_full = send_hello(link) != 0;
		link->hello_owed = is_full;
	}
	while (!is_full && link->state.is_up && link->count > 0 &&
		link->next_seq - link->oldest_seq < DPLINK_IN_FLIGHT_MAX)
		is_full = send_first(link, now_ms) != 0;
	loop_fd_set_events(link->watch, is_full ? POLLIN | POLLOUT : POLLIN);
}

static void slide(struct dplink *link)
{
	while (link->oldest_seq != link->next_seq &&
		!link->window[link->oldest_seq & (DPLINK_IN_FLIGHT_MAX - 1)].is_open)
		link->oldest_seq++;
}

static void close_slot(struct dplink *link, struct in_flight *slot, int error)
{
	struct dplink_tag tag = slot->tag;

	slot->is_open = false;
	slide(link);
	link->handler.acked(link->handler.ctx, &tag, error);
}

static void handle_ack(struct dplink *link, const struct dp_ack *ack)
{
	struct in_flight *slot = &link->window[ack->header.seq & (DPLINK_IN_FLIGHT_MAX - 1)];

	if (!slot->is_open || slot->seq != ack->header.seq) {
		link->stats.discarded++; // it came after its time-out
		return;
	}
	link->stats.acked++;
	if (ack->error != 0)
		link->stats.refused++;
	close_slot(link, slot, ack->error > 0 ? -EPROTO : ack->error);
}

static void handle_record(struct dplink *link, const union dp_msg *msg)
{
	unsigned type = msg->header.type;

	if (type == DP_MSG_ACK) {
		handle_ack(link, &msg->dp_ack);
	} else if (type == DP_MSG_DEVICE) {
		struct dp_device *device = &link->device;

		*device = msg->dp_device;
		device->driver[sizeof(device->driver) - 1] = '\0';
		device->name[sizeof(device->name) - 1] = '\0';
		device->rung[sizeof(device->rung) - 1] = '\0';
		device->steering[sizeof(device->steering) - 1] = '\0';
		device->crypto[sizeof(device->crypto) - 1] = '\0';
	} else {
		link->stats.discarded++;
	}
}

static void handle(struct dplink *link, const union dp_msg *msg, size_t size)
{
	bool answer;
	enum link_event event = link_state_feed(&link->state, msg, size, &answer);

	if (answer)
		link->hello_owed = true;
	switch (event) {
	case LINK_DISCARD:
		link->stats.discarded++;
		break;
	case LINK_RECORD:
		handle_record(link, msg);
		break;
	case LINK_IDLE:
		break;
	case LINK_UP:
		forget_all(link);
		link->handler.up(link->handler.ctx, link->state.peer_epoch,
			link->state.worker_count, link->state.first_port);
		break;
	case LINK_DOWN:
		forget_all(link);
		link->handler.down(link->handler.ctx);
		break;
	case LINK_REFUSED:
		if (!link->is_refused)
			link->handler.refused(link->handler.ctx);
		link->is_refused = true;
		break;
	}
}

static void on_fd(void *arg, int fd, short revents)
{
	struct dplink *link = arg;
	union dp_msg msg;

	for (unsigned reads = 0; (revents & POLLIN) != 0 && reads < READS_PER_TURN; reads++) {
		ssize_t size = recv(fd, &msg, sizeof(msg), MSG_DONTWAIT | MSG_TRUNC);

		if (size <= 0)
			break;
		if ((size_t)size > sizeof(msg))
			link->stats.discarded++;
		else
			handle(link, &msg, (size_t)size);
	}
	flush(link);
}

static void on_timer(void *arg)
{
	struct dplink *link = arg;
	uint64_t now_ms = loop_now_ms(link->loop);

	// Commands are sent in order, so they run out of time in order.
	while (link->oldest_seq != link->next_seq) {
		struct in_flight *slot =
			&link->window[link->oldest_seq & (DPLINK_IN_FLIGHT_MAX - 1)];

		if (now_ms < slot->deadline_ms)
			break;
		link->stats.timed_out++;
		close_slot(link, slot, -ETIMEDOUT);
	}
	flush(link);
	loop_timer_set(&link->timer, TIMER_MS);
}

int dplink_create(struct loop *loop, int fd, uint32_t own_epoch,
	const struct dplink_handler *handler, struct dplink **out)
{
	struct dplink *link = calloc(1, sizeof(*link));
	int error;

	if (link == NULL)
		return -ENOMEM;
	link->loop = loop;
	link->fd = fd;
	link->handler = *handler;
	link_state_init(&link->state, own_epoch);
	loop_timer_init(loop, &link->timer, on_timer, link);
	error = loop_fd_add(loop, fd, POLLIN, on_fd, link, &link->watch);
	if (error != 0) {
		free(link);
		return error;
	}
	*out = link;
	return 0;
}

void dplink_destroy(struct dplink *link)
{
	if (link == NULL)
		return;
	loop_timer_stop(&link->timer);
	loop_fd_remove(link->watch);
	wipe_queue(link);
	free(link->queue);
	free(link);
}

void dplink_start(struct dplink *link)
{
	link->hello_owed = true;
	flush(link);
	loop_timer_set(&link->timer, TIMER_MS);
}

bool dplink_is_up(const struct dplink *link)
{
	return link->state.is_up;
}

uint32_t dplink_peer_epoch(const struct dplink *link)
{
	return link->state.peer_epoch;
}

uint16_t dplink_first_port(const struct dplink *link)
{
	return link->state.first_port;
}

const struct dp_device *dplink_device(const struct dplink *link)
{
	return &link->device;
}

int dplink_send(
	struct dplink *link, enum dp_msg_type type, union dp_msg *msg, const struct dplink_tag *tag)
{
	struct queued *entry;

	if (!link->state.is_up)
		return -ENOTCONN;
	if (link->count == link->capacity && grow(link) != 0)
		return -ENOBUFS;
	msg->header = (struct dp_msg_header){
		.epoch = link->state.own_epoch,
		.type = (uint16_t)type,
		.size = dp_msg_size(type),
		.worker = tag->worker,
	};
	entry = &link->queue[(link->head + link->count) % link->capacity];
	entry->tag = *tag;
	entry->size = msg->header.size;
	memcpy(entry->bytes, msg, entry->size);
	link->count++;
	flush(link);
	return 0;
}

void dplink_stats(const struct dplink *link, struct dplink_stats *stats)
{
	*stats = link->stats;
	stats->queued = link->count;
	stats->in_flight = link->next_seq - link->oldest_seq;
}
