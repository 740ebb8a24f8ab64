// SPDX-License-Identifier: BSD-3-Clause
//
// See link_state.h.

#include "host/link_state.h"

#include <stdbool.h>
#include <string.h>

#include "api/dp_assert.h"

void link_state_init(struct link_state *link, uint32_t epoch)
{
	DP_ASSERT(epoch != 0);
	memset(link, 0, sizeof(*link));
	link->epoch = epoch;
}

static unsigned discard(struct link_state *link)
{
	link->discarded++;
	return 0;
}

static unsigned feed_hello(struct link_state *link, const struct dp_hello *hello, size_t size)
{
	uint32_t sender = hello->header.epoch;
	bool names_us = hello->peer_epoch == link->epoch;
	unsigned todo = 0;

	if (sender == 0 || sender <= link->dead_epoch || sender < link->heard_epoch)
		return discard(link);
	// Only who answers us is judged: what a dead control left in the socket is not.
	if (names_us && (size != sizeof(*hello) || hello->header.size != sizeof(*hello) ||
				dp_hello_check(hello) != 0))
		return LINK_CONTRACT;
	if (link->peer_epoch != 0 && sender > link->peer_epoch) {
		link->peer_epoch = 0;
		todo |= LINK_DOWN;
	}
	if (!names_us || sender > link->heard_epoch)
		todo |= LINK_HELLO;
	link->heard_epoch = sender;
	if (names_us && link->peer_epoch == 0) {
		link->peer_epoch = sender;
		todo |= LINK_UP;
	}
	return todo;
}

static unsigned feed_peer_down(struct link_state *link, const struct dp_peer_down *down)
{
	if (down->header.epoch != 0)
		return discard(link);
	if (down->peer_epoch > link->dead_epoch)
		link->dead_epoch = down->peer_epoch;
	if (link->peer_epoch == 0 || link->peer_epoch > link->dead_epoch)
		return 0;
	link->peer_epoch = 0;
	return LINK_DOWN;
}

unsigned link_state_feed(struct link_state *link, const void *record, size_t size)
{
	union dp_msg msg;

	if (size < sizeof(msg.header))
		return discard(link);
	memset(&msg, 0, sizeof(struct dp_hello)); // all that is read below
	memcpy(&msg, record, size < sizeof(struct dp_hello) ? size : sizeof(struct dp_hello));
	if (msg.header.type == DP_MSG_HELLO)
		return feed_hello(link, &msg.dp_hello, size);
	if (msg.header.type == DP_MSG_PEER_DOWN && size == sizeof(msg.dp_peer_down) &&
		msg.header.size == size)
		return feed_peer_down(link, &msg.dp_peer_down);
	if (link->peer_epoch == 0 || msg.header.epoch != link->peer_epoch)
		return discard(link);
	return LINK_DELIVER;
}

void link_state_hello(const struct link_state *link, uint16_t worker_count, uint16_t first_port,
	struct dp_hello *out)
{
	memset(out, 0, sizeof(*out));
	dp_hello_fill(out);
	out->header.epoch = link->epoch;
	out->header.type = DP_MSG_HELLO;
	out->header.size = sizeof(*out);
	out->peer_epoch = link->heard_epoch;
	out->worker_count = worker_count;
	out->first_port = first_port;
}
