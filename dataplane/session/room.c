// SPDX-License-Identifier: BSD-3-Clause
//
// Voice channels of a worker.

#include "session/room.h"

#include <errno.h>

#include "api/dp_assert.h"
#include "session/guild.h"
#include "session/receiver.h"
#include "session/session.h"
#include "session/shadow.h"
#include "session/stream.h"
#include "worker/worker.h"

#define ROOM_CAPACITY_MIN 8u // members; a run is never smaller

struct room *room_get(struct worker *w, struct dp_handle handle)
{
	if (handle.index >= w->room_count || handle.generation == 0)
		return NULL;
	if (w->rooms[handle.index].generation != handle.generation)
		return NULL;
	return &w->rooms[handle.index];
}

uint32_t room_spread_size(const struct worker *w)
{
	uint32_t size = 16;

	while (w->params.remote_count > 0 && size < w->room_count)
		size *= 2;
	return size;
}

static uint32_t *spread_head(const struct worker *w, uint64_t guild_id, uint64_t channel_id)
{
	uint64_t mixed = (guild_id ^ channel_id * 0x9e3779b97f4a7c15ull) * w->seed;

	return &w->spread_rooms[(mixed >> 32) & w->spread_mask];
}

uint32_t room_find(const struct worker *w, uint64_t guild_id, uint64_t channel_id)
{
	uint32_t at = *spread_head(w, guild_id, channel_id);

	while (at != INDEX_NONE && (w->rooms[at].channel_id != channel_id ||
					   w->guilds[w->rooms[at].guild].guild_id != guild_id))
		at = w->rooms[at].spread_next;
	return at;
}

static void spread(struct worker *w, uint32_t slot)
{
	struct room *r = &w->rooms[slot];
	uint32_t *head = spread_head(w, w->guilds[r->guild].guild_id, r->channel_id);

	r->spread_next = *head;
	*head = slot;
	w->spread_count++;
}

static void gather(struct worker *w, uint32_t slot)
{
	struct room *r = &w->rooms[slot];
	uint32_t *at = spread_head(w, w->guilds[r->guild].guild_id, r->channel_id);

	shadow_clear_room(w, slot);
	while (*at != slot)
		at = &w->rooms[*at].spread_next;
	*at = r->spread_next;
	w->spread_count--;
}

// The channel's part may have peers: the parts of a channel know each other by it.
static bool may_spread(const struct worker *w, const struct guild *g, uint64_t channel_id)
{
	return channel_id != 0 && w->params.remote_count > 0 &&
	       room_find(w, g->guild_id, channel_id) == INDEX_NONE;
}

int room_open(struct worker *w, const struct dp_room_open *cmd)
{
	struct guild *g = guild_get(w, cmd->guild);
	struct room *r;

	if (g == NULL)
		return -ESTALE;
	if (cmd->room.index >= w->room_count)
		return -ENOSPC;
	r = &w->rooms[cmd->room.index];
	if (r->generation == cmd->room.generation)
		return -EEXIST;
	if (r->generation != 0)
		return -EBUSY;
	if (cmd->peers != 0 && !may_spread(w, g, cmd->channel_id))
		return -EINVAL;
	*r = (struct room){.channel_id = cmd->channel_id,
		.peers = cmd->peers,
		.generation = cmd->room.generation,
		.guild = cmd->guild.index,
		.first_stream = INDEX_NONE};
	index_list_push(&g->first_room, &w->rooms[0].of_guild, sizeof(*r), cmd->room.index);
	g->room_count++;
	if (r->peers != 0)
		spread(w, cmd->room.index);
	return 0;
}

void room_remove_slot(struct worker *w, uint32_t slot)
{
	struct room *r = &w->rooms[slot];
	struct guild *g = &w->guilds[r->guild];

	DP_ASSERT(r->generation != 0);
	while (r->member_count > 0)
		room_leave(w, extent_words(w->extents, &r->members)[0]);
	if (r->peers != 0)
		gather(w, slot);
	DP_ASSERT(r->first_stream == INDEX_NONE);
	extent_give(w->extents, &r->members);
	index_list_remove(&g->first_room, &w->rooms[0].of_guild, sizeof(*r), slot);
	g->room_count--;
	*r = (struct room){0};
}

int room_set(struct worker *w, const struct dp_room_set *cmd)
{
	struct room *r = room_get(w, cmd->room);

	if (r == NULL)
		return -ESTALE;
	if (cmd->peers != 0 && r->peers == 0) {
		if (!may_spread(w, &w->guilds[r->guild], r->channel_id))
			return -EINVAL;
		spread(w, cmd->room.index);
	} else if (cmd->peers == 0 && r->peers != 0) {
		gather(w, cmd->room.index);
	}
	r->peers = cmd->peers;
	return 0;
}

int room_close(struct worker *w, struct dp_handle handle)
{
	struct room *r = room_get(w, handle);

	if (r == NULL)
		return -ESTALE;
	if (r->member_count > 0)
		return -EBUSY;
	room_remove_slot(w, handle.index);
	return 0;
}

// Every stream's leg list is as long as the member list, or longer.
static bool grow(struct worker *w, struct room *r, uint32_t count)
{
	for (uint32_t at = r->first_stream; at != INDEX_NONE;) {
		struct stream *s = &w->sessions[at].audio;

		if (!extent_grow(w->extents, &s->legs, count))
			return false;
		at = s->of_room.next;
	}
	return extent_grow(w->extents, &r->members, count);
}

int room_join(struct worker *w, uint32_t room, uint32_t session)
{
	struct room *r = &w->rooms[room];
	struct session *who = &w->sessions[session];
	uint32_t count = r->member_count + 1;

	DP_ASSERT(r->generation != 0);
	DP_ASSERT(who->room == INDEX_NONE);
	if (count > DP_ROOM_RECEIVERS_MAX)
		return -ENOSPC;
	if (count > r->members.capacity &&
		!grow(w, r, count < ROOM_CAPACITY_MIN ? ROOM_CAPACITY_MIN : count))
		return -ENOSPC;
	extent_words(w->extents, &r->members)[r->member_count] = session;
	for (uint32_t at = r->first_stream; at != INDEX_NONE;) {
		struct stream *s = &w->sessions[at].audio;

		extent_words(w->extents, &s->legs)[r->member_count] = 0;
		at = s->of_room.next;
	}
	who->room = room;
	who->position = r->member_count;
	r->member_count = count;
	// What was said before is not missed: the streams go on without a gap.
	w->receivers[session].continuity++;
	who->audio.continuity++;
	return 0;
}

void room_leave(struct worker *w, uint32_t session)
{
	struct session *who = &w->sessions[session];
	struct room *r;
	uint32_t last, mover;

	if (who->room == INDEX_NONE)
		return;
	r = &w->rooms[who->room];
	stream_detach(w, session);
	DP_ASSERT(r->member_count > 0);
	last = r->member_count - 1;
	mover = extent_words(w->extents, &r->members)[last];
	extent_words(w->extents, &r->members)[who->position] = mover;
	w->sessions[mover].position = who->position;
	for (uint32_t at = r->first_stream; at != INDEX_NONE;) {
		struct stream *s = &w->sessions[at].audio;
		uint32_t *legs = extent_words(w->extents, &s->legs);

		legs[who->position] = legs[last];
		at = s->of_room.next;
	}
	r->member_count = last;
	who->room = INDEX_NONE;
}
