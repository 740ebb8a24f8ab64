// SPDX-License-Identifier: BSD-3-Clause
//
// What most stage tests begin with: one node, one guild with two rooms, and some members.
#pragma once

#include "api/dp_assert.h"
#include "support/node.h"

#define MEMBERS_MAX 40

struct fixture {
	struct node node;
	struct dp_handle guild, room, other_room;
	struct client member[MEMBERS_MAX];
	unsigned member_count;
};

// 'joined': discovered and hinted, so that they hear; members alternate between the two suites.
static inline void fixture_init(struct fixture *f, unsigned member_count)
{
	struct node_geometry geometry = {
		.worker_count = 1, .guild_count = 4, .session_count = 64, .leg_count = 1024};

	node_init(&f->node, &geometry);
	f->guild = (struct dp_handle){.index = 1, .generation = 5};
	f->room = (struct dp_handle){.index = 2, .generation = 6};
	f->other_room = (struct dp_handle){.index = 3, .generation = 7};
	f->member_count = member_count;
	DP_ASSERT(node_guild(&f->node, 0, f->guild) == 0);
	DP_ASSERT(node_room(&f->node, 0, f->guild, f->room) == 0);
	DP_ASSERT(node_room(&f->node, 0, f->guild, f->other_room) == 0);
	for (unsigned i = 0; i < member_count; i++) {
		client_init(&f->member[i], &f->node, 0, i, f->guild, f->room,
			i % 2 ? DP_SUITE_XCHACHA20_RTPSIZE : DP_SUITE_AES256_GCM_RTPSIZE);
		client_join(&f->member[i]);
	}
}

static inline void fixture_fini(struct fixture *f)
{
	node_fini(&f->node);
	for (unsigned i = 0; i < f->member_count; i++)
		client_fini(&f->member[i]);
}

// Takes the next datagram, which must be media for 'who'; false when the wire is empty.
static inline bool hear(struct client *who, struct client_packet *out)
{
	struct node_datagram d;

	node_turn(who->node);
	if (!node_take(who->node, &d))
		return false;
	DP_ASSERT(client_is_target(who, &d));
	DP_ASSERT(client_open(who, &d, out));
	return true;
}
