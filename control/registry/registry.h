// SPDX-License-Identifier: BSD-3-Clause
//
// Guilds, voice channels and sessions of this node, and the tokens that clients may still come
// with. What must outlive this process is in the intent memfd, which every call keeps up to date;
// the structs here are its index, rebuilt at start. Nobody else allocates or frees a slot.
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

struct guild {
	struct intent_guild *intent;
	uint32_t worker, index;
	struct registry_sync sync;
	struct guild *hash_next;
	struct guild *all_prev, *all_next;
	struct room *rooms;
	struct session *sessions;
	uint32_t session_count;
};

struct room {
	struct intent_room *intent;
	uint32_t worker, index;
	struct registry_sync sync;
	struct guild *guild;
	struct room *guild_prev, *guild_next;
	struct session *members;
	uint32_t member_count;
	uint32_t arriving_count; // changes under way that name it: it must stay open
};

struct session {
	struct intent_session *intent;
	uint32_t worker, index;
	struct registry_sync sync;
	struct guild *guild;
	struct room *room; // NULL: in no channel
	struct session *guild_prev, *guild_next;
	struct session *room_prev, *room_next;
	struct session *user_next, *ssrc_next, *id_next; // hash chains
	struct voice_conn *conn;                         // NULL: detached
	uint64_t detached_until_ms;                      // while conn is NULL

	// What was asked of the packet engine and not answered yet (signaling/voice_change.c).
	// 'room' and the intent say what is in force, which is all that others are told.
	struct voice_change *changes; // newest first; NULL: none
	struct room *wanted_room;     // of the newest
	uint32_t wanted_flags;
};

// Allocates for 'intent', which it keeps, and indexes what the intent holds. 0 or -ENOMEM.
int registry_create(struct intent *intent, struct registry **out)
	__attribute__((warn_unused_result));
void registry_destroy(struct registry *registry);
const struct intent_params *registry_params(const struct registry *registry);
// Random bytes, for the order of its SSRCs; only of a fresh intent.
void registry_seed(struct registry *registry, const uint8_t random[SSRC_KEY_SIZE]);

static inline struct dp_handle guild_handle(const struct guild *guild)
{
	return (struct dp_handle){.index = guild->index, .generation = guild->intent->generation};
}
static inline struct dp_handle room_handle(const struct room *room)
{
	if (room == NULL)
		return (struct dp_handle){0};
	return (struct dp_handle){.index = room->index, .generation = room->intent->generation};
}
static inline struct dp_handle session_handle(const struct session *session)
{
	return (struct dp_handle){
		.index = session->index, .generation = session->intent->generation};
}

// What the packet engine is to have: the newest change, or what is in force.
static inline struct room *session_wanted_room(const struct session *session)
{
	return session->changes != NULL ? session->wanted_room : session->room;
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

// Guilds. Add: 0, -EEXIST, -ENOSPC (every worker is full).
int registry_guild_add(struct registry *registry, uint64_t guild_id, uint64_t epoch,
	struct guild **out) __attribute__((warn_unused_result));
struct guild *registry_guild_find(const struct registry *registry, uint64_t guild_id);
// Its sessions must be gone. Rooms go with it.
void registry_guild_remove(struct registry *registry, struct guild *guild);
struct guild *registry_guilds(const struct registry *registry); // a list by all_next
uint32_t registry_guild_count(const struct registry *registry, uint32_t worker);
uint32_t registry_session_count(const struct registry *registry, uint32_t worker);

// Voice channels with somebody in them. NULL without a slot. '*is_new': it must be opened first.
struct room *registry_room_get(
	struct registry *registry, struct guild *guild, uint64_t channel_id, bool *is_new);
void registry_room_remove(struct room *room);

struct registry_session_params {
	struct guild *guild;
	struct room *room; // of that guild, or NULL
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
void registry_session_move(struct session *session, struct room *room);
void registry_session_remove(struct registry *registry, struct session *session);

// The next (or first) thing after 'previous' in a worker's slots that is LIVE or GONE; NULL: no
// more. For resynchronising and for sweeps.
struct guild *registry_guild_next(struct registry *registry, struct guild *previous);
struct room *registry_room_next(struct registry *registry, struct room *previous);
struct session *registry_session_next(struct registry *registry, struct session *previous);

// The slot of a handle, if its generation is still that one; else NULL.
struct guild *registry_guild_at(
	struct registry *registry, uint32_t worker, struct dp_handle handle);
struct room *registry_room_at(struct registry *registry, uint32_t worker, struct dp_handle handle);
struct session *registry_session_at(
	struct registry *registry, uint32_t worker, struct dp_handle handle);

// Give back a slot that is GONE.
void registry_guild_free(struct registry *registry, struct guild *guild);
void registry_room_free(struct registry *registry, struct room *room);
void registry_session_free(struct registry *registry, struct session *session);

// Tokens. Stored under (guild, user); a newer one replaces the older. 0 or -ENOSPC.
int registry_pending_put(struct registry *registry, const struct intent_pending *pending)
	__attribute__((warn_unused_result));
struct intent_pending *registry_pending_find(
	const struct registry *registry, uint64_t guild_id, uint64_t user_id);
void registry_pending_remove(struct registry *registry, struct intent_pending *pending);
// Drops those of 'guild_id' (0: of any guild) that expired by 'now_ms' (UINT64_MAX: all). Returns
// how many it had to look at: never more than are there, and of one guild only its own and those
// that share its hash.
uint32_t registry_pending_sweep(struct registry *registry, uint64_t guild_id, uint64_t now_ms);
