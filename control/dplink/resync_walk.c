// SPDX-License-Identifier: BSD-3-Clause
//
// Telling, and the walk. 'is_told' of a thing means: the link has taken everything there is to say
// about it, and none of it timed out.

#include "dplink/resync_walk.h"

#include <stddef.h>

#include "dplink/dplink.h"
#include "dplink/resync_send.h"
#include "registry/registry.h"

void resync_walk_init(struct resync_walk *walk, struct registry *registry, struct dplink *link)
{
	*walk = (struct resync_walk){.registry = registry, .link = link, .step = RESYNC_DONE};
}

void resync_told(struct resync_walk *walk, struct registry_sync *sync, int error)
{
	sync->is_told = error == 0;
	if (error != 0)
		walk->is_behind = true; // -ENOTCONN: the next engine is told everything anyway
}

void resync_tell_guild(struct resync_walk *walk, struct guild *guild)
{
	if (!guild->sync.is_told)
		resync_told(walk, &guild->sync, resync_send_guild_open(walk->link, guild));
}

void resync_tell_room(struct resync_walk *walk, struct room *room)
{
	resync_tell_guild(walk, room->guild);
	if (!room->sync.is_told)
		resync_told(walk, &room->sync, resync_send_room_open(walk->link, room));
}

void resync_tell_session(struct resync_walk *walk, struct session *session)
{
	struct room *room = session_wanted_room(session);

	if (session->sync.is_told)
		return;
	resync_tell_guild(walk, session->guild);
	if (room != NULL)
		resync_tell_room(walk, room);
	resync_told(walk, &session->sync, resync_send_session_all(walk->link, session));
}

static void reset(struct registry_sync *sync)
{
	sync->is_told = false;
	sync->acked = sync->refused = 0;
	if (sync->wanted == 0)
		sync->wanted = 1;
}

void resync_walk_forget(struct resync_walk *walk)
{
	struct guild *guild = NULL;
	struct room *room = NULL;
	struct session *session = NULL;

	while ((guild = registry_guild_next(walk->registry, guild)) != NULL)
		reset(&guild->sync);
	while ((room = registry_room_next(walk->registry, room)) != NULL)
		reset(&room->sync);
	while ((session = registry_session_next(walk->registry, session)) != NULL)
		reset(&session->sync);
}

static void visit_guild(struct resync_walk *walk, struct guild *guild, bool gone)
{
	if ((guild->intent->state == INTENT_GONE) != gone || guild->sync.is_told)
		return;
	if (gone)
		resync_told(walk, &guild->sync, resync_send_guild_close(walk->link, guild));
	else
		resync_tell_guild(walk, guild);
}

static void visit_room(struct resync_walk *walk, struct room *room, bool gone)
{
	if ((room->intent->state == INTENT_GONE) != gone || room->sync.is_told)
		return;
	if (gone)
		resync_told(walk, &room->sync, resync_send_room_close(walk->link, room));
	else
		resync_tell_room(walk, room);
}

static void visit_session(struct resync_walk *walk, struct session *session)
{
	if (session->sync.is_told)
		return;
	if (session->intent->state == INTENT_GONE)
		resync_told(walk, &session->sync, resync_send_session_remove(walk->link, session));
	else
		resync_tell_session(walk, session);
}

// The next slot of the step; false: there is none, the step is over.
static bool visit_next(struct resync_walk *walk)
{
	switch (walk->step) {
	case RESYNC_GUILDS:
	case RESYNC_GONE_GUILDS:
		walk->guild = registry_guild_next(walk->registry, walk->guild);
		if (walk->guild != NULL)
			visit_guild(walk, walk->guild, walk->step == RESYNC_GONE_GUILDS);
		return walk->guild != NULL;
	case RESYNC_ROOMS:
	case RESYNC_GONE_ROOMS:
		walk->room = registry_room_next(walk->registry, walk->room);
		if (walk->room != NULL)
			visit_room(walk, walk->room, walk->step == RESYNC_GONE_ROOMS);
		return walk->room != NULL;
	case RESYNC_SESSIONS:
		walk->session = registry_session_next(walk->registry, walk->session);
		if (walk->session != NULL)
			visit_session(walk, walk->session);
		return walk->session != NULL;
	case RESYNC_DONE:
		break;
	}
	return false;
}

static bool has_room(const struct resync_walk *walk)
{
	struct dplink_stats stats;

	dplink_stats(walk->link, &stats);
	return stats.queued < RESYNC_WALK_QUEUE_MAX;
}

void resync_walk_go(struct resync_walk *walk)
{
	for (uint32_t slots = 0;
		slots < RESYNC_WALK_SLOTS_MAX && walk->step != RESYNC_DONE && has_room(walk);
		slots++)
		if (!visit_next(walk))
			walk->step++;
}

void resync_walk_begin(struct resync_walk *walk)
{
	walk->is_behind = false;
	walk->step = RESYNC_GUILDS;
	walk->guild = NULL;
	walk->room = NULL;
	walk->session = NULL;
	resync_walk_go(walk);
}

bool resync_walk_is_done(const struct resync_walk *walk)
{
	return walk->step == RESYNC_DONE;
}
