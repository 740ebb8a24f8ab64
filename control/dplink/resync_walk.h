// SPDX-License-Identifier: BSD-3-Clause
//
// Inside of resync: tells the packet engine whole things, each once, and what a thing needs before
// it (its guild, its room). A walk over the registry finds what the engine was not told; it puts
// only so much into the link's queue that a new command never waits behind more.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define RESYNC_WALK_QUEUE_MAX 256u  // commands that a walk lets wait in the link: one window of it
#define RESYNC_WALK_SLOTS_MAX 8192u // slots that it looks at per turn: well below a millisecond

struct dplink;
struct guild_part;
struct registry;
struct registry_sync;
struct room;
struct room_part;
struct session;

// In the order of the walk. What is GONE and holds a place that others may take comes first: a
// worker has one part of a voice channel at a time. Then what others need, and at the end the
// guilds that nothing is in any more.
enum resync_step {
	RESYNC_GONE_SESSIONS,
	RESYNC_GONE_ROOMS,
	RESYNC_GUILDS,
	RESYNC_ROOMS,
	RESYNC_SESSIONS,
	RESYNC_GONE_GUILDS,
	RESYNC_DONE,
};

struct resync_walk {
	struct registry *registry;
	struct dplink *link;
	enum resync_step step;
	struct guild_part *guild; // where the step is; NULL: at its beginning
	struct room_part *room;
	struct session *session;
	bool is_behind; // something is not told: another walk must come
};

void resync_walk_init(struct resync_walk *walk, struct registry *registry, struct dplink *link);
// Nothing is told any more: the engine is a new one.
void resync_walk_forget(struct resync_walk *walk);
// From the first slot on. Goes at once as far as it may.
void resync_walk_begin(struct resync_walk *walk);
// Goes on as far as it may now: call when the link's queue became shorter, and every turn until
// resync_walk_is_done().
void resync_walk_go(struct resync_walk *walk);
bool resync_walk_is_done(const struct resync_walk *walk);

// A command of 'sync' was given to the link (0) or not (-errno): then it is told later, as a whole.
void resync_told(struct resync_walk *walk, struct registry_sync *sync, int error);
// Tell the thing as a whole, unless it is told already, and before it what it needs.
void resync_tell_guild(struct resync_walk *walk, struct guild_part *part);
void resync_tell_room(struct resync_walk *walk, struct room_part *part);
void resync_tell_session(struct resync_walk *walk, struct session *session);
// Tells every part of the room which others there are, where that has changed.
void resync_tell_peers(struct resync_walk *walk, struct room *room);
