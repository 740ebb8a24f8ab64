// SPDX-License-Identifier: BSD-3-Clause
//
// Guilds, voice channels and sessions of this node, and the tokens that clients may still come
// with. What must outlive this process is in the intent memfd, which every call keeps up to date;
// the structs here are its index, rebuilt at start. Nobody else allocates or frees a slot.
//
// A session lives on one worker. Its guild and its voice channel have a part (a slot, a handle) on
// every worker that has sessions of them: one part is the common case, not another mechanism. What
// a worker's sessions cost is counted here (placement.h).
//
// A removed thing is out of every list at once but keeps its slot until the packet engine has
// acknowledged its end (registry_*_free(), called by dplink/resync.c).
//
// Threads: the loop's only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/dp_msg.h"
#include "registry/intent.h"

#define REGISTRY_PENDING_MS 60000u // a token's life without use

struct registry;
struct resync_waiter;
struct voice_change;
struct voice_conn;

// How far the packet engine is behind what we want of one thing; kept by dplink/resync.c.
struct registry_sync {
	uint32_t wanted, acked; // revisions
	uint32_t refused;       // newest one that was; 0: none by this engine
	bool is_told;           // see dplink/resync_walk.c
	struct resync_waiter *waiters;
};

// What one worker has of a guild.
struct guild_part {
	struct intent_guild *intent;
	uint32_t worker, index;
	struct registry_sync sync;
	struct guild *guild; // NULL: it is removed
	struct guild_part *next;
	uint32_t room_count, session_count; // of this worker
	struct guild_part *idle_next;
	bool is_idle_listed;
};

struct guild {
	struct intent_guild *intent; // of the part at home: id and epoch
	uint32_t worker;             // home
	struct guild_part *parts;    // home is one of them
	struct guild *hash_next;
	struct guild *all_prev, *all_next;
	struct room *rooms;
	struct session *sessions;
	uint32_t session_count;
};

// How far the packet engine is with a part; a successor of this process takes every part for OPEN.
enum room_part_phase {
	ROOM_PART_NEW = 0, // no engine heard of it
	ROOM_PART_OPENING, // not acknowledged: others do not send there yet
	ROOM_PART_OPEN,
};

// What one worker has of a voice channel: the members whose sessions are its own.
struct room_part {
	struct intent_room *intent;
	uint32_t worker, index;
	struct registry_sync sync;
	enum room_part_phase phase;
	uint64_t peers_told;      // kept by dplink/resync_walk.c
	struct room *room;        // NULL: it is removed
	struct guild_part *guild; // on the same worker
	struct room_part *next;   // of the room
	uint32_t member_count;
	uint32_t arriving_count; // tokens and changes under way that name it: it must stay open
	struct room_part *idle_next;
	bool is_idle_listed;
};

// A voice channel, wherever its members' sessions are. It is there as long as it has parts.
struct room {
	uint64_t channel_id;
	struct guild *guild;
	struct room *guild_prev, *guild_next;
	struct room_part *parts;
	struct session *members;
	uint32_t member_count;
	uint32_t size; // members and who arrives: what it is priced by
};

struct session {
	struct intent_session *intent;
	uint32_t worker, index;
	struct registry_sync sync;
	struct guild *guild;
	struct guild_part *guild_part; // on its worker
	struct room *room;             // NULL: in no channel
	struct room_part *part;        // of the room, on its worker
	struct session *guild_prev, *guild_next;
	struct session *room_prev, *room_next;
	struct session *user_next, *ssrc_next, *id_next; // hash chains
	struct voice_conn *conn;                         // NULL: detached
	uint64_t detached_until_ms;                      // while conn is NULL

	// What was asked of the packet engine and not answered yet (signaling/voice_change.c).
	// 'room' and the intent say what is in force, which is all that others are told.
	struct voice_change *changes;  // newest first; NULL: none
	struct room_part *wanted_part; // of the newest
	uint32_t wanted_flags;
};

// Allocates for 'intent', which it keeps, and indexes what the intent holds. 0 or -ENOMEM.
int registry_create(struct intent *intent, struct registry **out)
	__attribute__((warn_unused_result));
void registry_destroy(struct registry *registry);
const struct intent_params *registry_params(const struct registry *registry);
// Random bytes, for the order of its SSRCs; only of a fresh intent.
void registry_seed(struct registry *registry, const uint8_t random[SSRC_KEY_SIZE]);

static inline struct dp_handle guild_handle(const struct guild_part *part)
{
	return (struct dp_handle){.index = part->index, .generation = part->intent->generation};
}
static inline struct dp_handle room_handle(const struct room_part *part)
{
	if (part == NULL)
		return (struct dp_handle){0};
	return (struct dp_handle){.index = part->index, .generation = part->intent->generation};
}
static inline struct dp_handle session_handle(const struct session *session)
{
	return (struct dp_handle){
		.index = session->index, .generation = session->intent->generation};
}

// What the packet engine is to have: the newest change, or what is in force.
static inline struct room_part *session_wanted_part(const struct session *session)
{
	return session->changes != NULL ? session->wanted_part : session->part;
}
static inline uint32_t session_wanted_flags(const struct session *session)
{
	return session->changes != NULL ? session->wanted_flags : session->intent->flags;
}
// Has the packet engine acknowledged everything that it was asked?
static inline bool registry_is_settled(const struct registry_sync *sync)
{
	return sync->acked >= sync->wanted;
}

// Guilds. Add: 0, -EEXIST, -ENOSPC (every worker is full). Its home worker is chosen here, once.
int registry_guild_add(struct registry *registry, uint64_t guild_id, uint64_t epoch,
	struct guild **out) __attribute__((warn_unused_result));
struct guild *registry_guild_find(const struct registry *registry, uint64_t guild_id);
// Its sessions must be gone. All parts go with it.
void registry_guild_remove(struct registry *registry, struct guild *guild);
struct guild *registry_guilds(const struct registry *registry); // a list by all_next
struct guild_part *registry_guild_home(const struct guild *guild);

// What a worker has, and what it may have (placement.h).
struct registry_load {
	uint32_t guilds, sessions; // guilds that are at home there
	uint64_t capacity_pps, budget_pps, used_pps;
};
void registry_load(const struct registry *registry, uint32_t worker, struct registry_load *load);
// What the packet engine measured, or what is configured; 0: not known.
void registry_set_capacity(struct registry *registry, uint32_t worker, uint64_t capacity_pps);

// The worker for a session of 'user_id' in a channel, or -EDQUOT with '*refusal' filled, or -ENOSPC
// (placement.h). A user who is there already stays on its worker if that is possible.
struct placement_refusal;
int registry_place(const struct registry *registry, const struct guild *guild, uint64_t channel_id,
	uint64_t user_id, struct placement_refusal *refusal) __attribute__((warn_unused_result));
// May 'session' move to the channel? It stays on its worker. 0, -EDQUOT or -ENOSPC.
int registry_place_move(const struct registry *registry, const struct session *session,
	uint64_t channel_id, struct placement_refusal *refusal) __attribute__((warn_unused_result));

// The channel's part on 'worker', made where there is none. NULL without a slot or memory.
struct room_part *registry_room_part_get(
	struct registry *registry, struct guild *guild, uint32_t worker, uint64_t channel_id);
// Somebody is on the way to it.
void registry_room_part_hold(struct registry *registry, struct room_part *part);
void registry_room_part_release(struct registry *registry, struct room_part *part);
// A part that nobody is in or on the way to; NULL: none. It must be removed before the next call.
struct room_part *registry_idle_room_part(struct registry *registry);
// Out of its room; returns the room if it has other parts, else NULL: it is gone.
struct room *registry_room_part_remove(struct registry *registry, struct room_part *part);
// A guild's part away from home on a worker that has nothing of the guild any more. As above.
struct guild_part *registry_idle_guild_part(struct registry *registry);
void registry_guild_part_remove(struct guild_part *part);

struct registry_session_params {
	struct guild *guild;
	struct room_part *part; // of that guild, on 'worker'; or NULL
	uint32_t worker;
	uint64_t user_id;
	uint32_t flags, version;
	const char *session_id;
	const uint8_t *token_digest;
};
// 0, -ENOSPC. There must be no other session of the user in the guild.
int registry_session_add(struct registry *registry, const struct registry_session_params *params,
	struct session **out) __attribute__((warn_unused_result));
struct session *registry_session_find(
	const struct registry *registry, uint64_t guild_id, uint64_t user_id);
// By the main gateway's session_id, which is all that a Resume names.
struct session *registry_session_find_by_id(
	const struct registry *registry, uint64_t guild_id, const char *session_id);
// To a part on its own worker, or NULL: in none.
void registry_session_move(
	struct registry *registry, struct session *session, struct room_part *to);
void registry_session_remove(struct registry *registry, struct session *session);

// The next (or first) thing after 'previous' in a worker's slots that is LIVE or GONE; NULL: no
// more. For resynchronising and for sweeps.
struct guild_part *registry_guild_part_next(struct registry *registry, struct guild_part *previous);
struct room_part *registry_room_part_next(struct registry *registry, struct room_part *previous);
struct session *registry_session_next(struct registry *registry, struct session *previous);

// The slot of a handle, if its generation is still that one; else NULL.
struct guild_part *registry_guild_part_at(
	struct registry *registry, uint32_t worker, struct dp_handle handle);
struct room_part *registry_room_part_at(
	struct registry *registry, uint32_t worker, struct dp_handle handle);
struct session *registry_session_at(
	struct registry *registry, uint32_t worker, struct dp_handle handle);

// Give back a slot that is GONE.
void registry_guild_part_free(struct registry *registry, struct guild_part *part);
void registry_room_part_free(struct registry *registry, struct room_part *part);
void registry_session_free(struct registry *registry, struct session *session);

// Tokens. Stored under (guild, user); a newer one replaces the older. A token holds the part of its
// channel on its worker. 0 or -ENOSPC.
int registry_pending_put(struct registry *registry, const struct intent_pending *pending)
	__attribute__((warn_unused_result));
struct intent_pending *registry_pending_find(
	const struct registry *registry, uint64_t guild_id, uint64_t user_id);
void registry_pending_remove(struct registry *registry, struct intent_pending *pending);
// Another channel, another worker. 0 or -ENOSPC: as it was.
int registry_pending_move(struct registry *registry, struct intent_pending *pending,
	uint32_t worker, uint64_t channel_id) __attribute__((warn_unused_result));
// Drops those of 'guild_id' (0: of any guild) that expired by 'now_ms' (UINT64_MAX: all). Returns
// how many it had to look at: never more than are there, and of one guild only its own and those
// that share its hash.
uint32_t registry_pending_sweep(struct registry *registry, uint64_t guild_id, uint64_t now_ms);
