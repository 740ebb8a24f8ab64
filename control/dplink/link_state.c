// SPDX-License-Identifier: BSD-3-Clause
//
// The HELLO exchange. An epoch only grows: whoever shows a lower one than the newest known is dead.

#include "dplink/link_state.h"

#include <string.h>

void link_state_init(struct link_state *link, uint32_t own_epoch)
{
	*link = (struct link_state){.own_epoch = own_epoch};
}

void link_state_hello(const struct link_state *link, struct dp_hello *hello)
{
	memset(hello, 0, sizeof(*hello));
	hello->header.epoch = link->own_epoch;
	hello->header.type = DP_MSG_HELLO;
	hello->header.size = sizeof(*hello);
	hello->peer_epoch = link->peer_epoch;
	dp_hello_fill(hello);
}

// A HELLO of another size is one of another contract, not noise.
static bool is_of_our_contract(const struct dp_hello *hello, size_t size)
{
	return size == sizeof(*hello) && dp_hello_check(hello) == 0 && hello->worker_count > 0 &&
	       hello->worker_count <= DP_WORKERS_MAX;
}

static enum link_event feed_hello(
	struct link_state *link, const struct dp_hello *hello, size_t size, bool *answer)
{
	uint32_t epoch = hello->header.epoch;
	bool is_known = epoch == link->peer_epoch;
	bool names_us = hello->peer_epoch == link->own_epoch;
	bool was_up = link->is_up;

	if (epoch == 0 || epoch < link->peer_epoch)
		return LINK_DISCARD;
	// Only who answers us is judged: what an engine of another release said to our predecessor,
	// or says before it knows us, is no reason to give up.
	if (names_us && !is_of_our_contract(hello, size))
		return LINK_REFUSED;
	*answer = !names_us || !is_known;
	if (!is_known) {
		link->peer_epoch = epoch;
		link->is_up = false;
	}
	if (!names_us)
		return was_up && !link->is_up ? LINK_DOWN : LINK_IDLE;
	if (link->is_up)
		return LINK_IDLE;
	link->worker_count = hello->worker_count;
	link->first_port = hello->first_port;
	link->is_up = true;
	return LINK_UP;
}

enum link_event link_state_feed(
	struct link_state *link, const union dp_msg *msg, size_t size, bool *answer)
{
	*answer = false;
	if (size < sizeof(msg->header) || msg->header.size != size)
		return LINK_DISCARD;
	if (msg->header.type == DP_MSG_HELLO && msg->header.epoch != 0) {
		if (size < offsetof(struct dp_hello, worker_count))
			return LINK_DISCARD; // no contract had one that names nobody
		return feed_hello(link, &msg->dp_hello, size, answer);
	}
	if (dp_msg_size(msg->header.type) != size)
		return LINK_DISCARD;
	if (msg->header.type == DP_MSG_PEER_DOWN) {
		if (msg->header.epoch != 0 || msg->dp_peer_down.peer_epoch != link->peer_epoch ||
			!link->is_up)
			return LINK_IDLE;
		link->is_up = false;
		return LINK_DOWN;
	}
	if (!link->is_up || msg->header.epoch != link->peer_epoch)
		return LINK_DISCARD;
	return LINK_RECORD;
}
