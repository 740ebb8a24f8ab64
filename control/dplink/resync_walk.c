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

void resync_tell_guild(struct resync_walk *walk, struct guild_part *part)
{
	if (!part->sync.is_told)
		resync_told(walk, &part->sync, resync_send_guild_open(walk->link, part));
}

// A part that is not known to be open is not named yet: what were sent there would be dropped, and
// nobody is in it who should hear it.
static uint64_t peers_of(const struct room_part *part)
{
	uint64_t peers = 0;

	for (const struct room_part *at = part->room->parts; at != NULL; at = at->next)
		if (at != part && at->phase == ROOM_PART_OPEN)
			peers |= 1ull << at->worker;
	return peers;
}

void resync_tell_room(struct resync_walk *walk, struct room_part *part)
{
	bool is_new = part->phase == ROOM_PART_NEW;

	resync_tell_guild(walk, part->guild);
	if (part->sync.is_told)
		return;
	part->peers_told = peers_of(part);
	if (is_new) {
		part->phase = ROOM_PART_OPENING;
		part->sync.wanted++;
	}
	resync_told(walk, &part->sync,
		is_new ? resync_send_room_open(walk->link, part)
		       : resync_send_room_all(walk->link, part));
}

static void tell_peers_of(struct resync_walk *walk, struct room_part *part)
{
	uint64_t peers = peers_of(part);

	if (part->phase == ROOM_PART_NEW || peers == part->peers_told)
		return;
	part->sync.wanted++;
	part->peers_told = peers;
	if (part->sync.is_told)
		resync_told(walk, &part->sync, resync_send_room_set(walk->link, part));
	else
		resync_tell_room(walk, part);
}

void resync_tell_peers(struct resync_walk *walk, struct room *room)
{
	for (struct room_part *part = room->parts; part != NULL; part = part->next)
		tell_peers_of(walk, part);
}

void resync_tell_session(struct resync_walk *walk, struct session *session)
{
	struct room_part *part = session_wanted_part(session);

	if (session->sync.is_told)
		return;
	resync_tell_guild(walk, session->guild_part);
	if (part != NULL)
		resync_tell_room(walk, part);
	resync_told(walk, &session->sync, resync_send_session_all(walk->link, session));
}

static void reset(struct registry_sync *sync)
{
	sync->is_told = false;
	sync->acked = sync->refused = 0;
	if (sync->wanted == 0)
		sync->wanted = 1;
}

// The next engine is told every part with all its peers, before anybody who is in it.
void resync_walk_forget(struct resync_walk *walk)
{
	struct guild_part *guild = NULL;
	struct room_part *room = NULL;
	struct session *session = NULL;

	while ((guild = registry_guild_part_next(walk->registry, guild)) != NULL)
		reset(&guild->sync);
	while ((room = registry_room_part_next(walk->registry, room)) != NULL) {
		reset(&room->sync);
		if (room->phase == ROOM_PART_OPENING)
			room->phase = ROOM_PART_OPEN;
	}
	while ((session = registry_session_next(walk->registry, session)) != NULL)
		reset(&session->sync);
}

static void visit_guild(struct resync_walk *walk, struct guild_part *part, bool gone)
{
	if ((part->intent->state == INTENT_GONE) != gone || part->sync.is_told)
		return;
	if (gone)
		resync_told(walk, &part->sync, resync_send_guild_close(walk->link, part));
	else
		resync_tell_guild(walk, part);
}

// Parts that wait for their first member are told with it.
static void visit_room(struct resync_walk *walk, struct room_part *part, bool gone)
{
	if ((part->intent->state == INTENT_GONE) != gone || part->sync.is_told ||
		part->phase == ROOM_PART_NEW)
		return;
	if (gone)
		resync_told(walk, &part->sync, resync_send_room_close(walk->link, part));
	else
		resync_tell_room(walk, part);
}

static void visit_session(struct resync_walk *walk, struct session *session, bool gone)
{
	if ((session->intent->state == INTENT_GONE) != gone || session->sync.is_told)
		return;
	if (gone)
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
		walk->guild = registry_guild_part_next(walk->registry, walk->guild);
		if (walk->guild != NULL)
			visit_guild(walk, walk->guild, walk->step == RESYNC_GONE_GUILDS);
		return walk->guild != NULL;
	case RESYNC_ROOMS:
	case RESYNC_GONE_ROOMS:
		walk->room = registry_room_part_next(walk->registry, walk->room);
		if (walk->room != NULL)
			visit_room(walk, walk->room, walk->step == RESYNC_GONE_ROOMS);
		return walk->room != NULL;
	case RESYNC_SESSIONS:
	case RESYNC_GONE_SESSIONS:
		walk->session = registry_session_next(walk->registry, walk->session);
		if (walk->session != NULL)
			visit_session(walk, walk->session, walk->step == RESYNC_GONE_SESSIONS);
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
	walk->step = RESYNC_GONE_SESSIONS;
	walk->guild = NULL;
	walk->room = NULL;
	walk->session = NULL;
	resync_walk_go(walk);
}

bool resync_walk_is_done(const struct resync_walk *walk)
{
	return walk->step == RESYNC_DONE;
}
