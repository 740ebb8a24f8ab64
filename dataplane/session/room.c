// SPDX-License-Identifier: BSD-3-Clause
//
// Voice channels of a worker.

#include "session/room.h"

#include <errno.h>

#include "api/dp_assert.h"
#include "session/guild.h"
#include "session/receiver.h"
#include "session/session.h"
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
	*r = (struct room){.channel_id = cmd->channel_id,
		.peers = cmd->peers,
		.generation = cmd->room.generation,
		.guild = cmd->guild.index,
		.first_stream = INDEX_NONE};
	index_list_push(&g->first_room, &w->rooms[0].of_guild, sizeof(*r), cmd->room.index);
	g->room_count++;
	return 0;
}

void room_remove_slot(struct worker *w, uint32_t slot)
{
	struct room *r = &w->rooms[slot];
	struct guild *g = &w->guilds[r->guild];

	DP_ASSERT(r->generation != 0);
	while (r->member_count > 0)
		room_leave(w, extent_words(w->extents, &r->members)[0]);
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
	if (cmd->peers != 0 && r->channel_id == 0)
		return -EINVAL;
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
