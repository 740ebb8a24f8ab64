// SPDX-License-Identifier: BSD-3-Clause
//
// Inside of the registry: its tables. For registry*.c only.
#pragma once

#include "registry/registry.h"

struct slot_pool { // of one worker
	uint32_t *free_index;
	uint32_t free_count;
	uint32_t *used; // in the intent header: slots ever used
	uint32_t capacity;
};

// The lists that a token is in; those before the last are hashed.
enum pending_list {
	PENDING_OF_USER, // by guild and user
	PENDING_OF_GUILD,
	PENDING_OF_ALL,
	PENDING_LISTS,
};

struct pending_link {
	uint32_t next, prev; // slot + 1; 0: none
};

struct registry {
	struct intent *intent;
	struct intent_header *header;
	uint32_t worker_count;
	uint32_t guild_count, room_count, session_count; // slots per worker

	struct guild_part *guild_parts; // worker * guild_count + index
	struct guild *guilds;           // the same index as their parts at home
	struct room_part *room_parts;
	struct session *sessions;
	struct slot_pool guild_pool[DP_WORKERS_MAX], room_pool[DP_WORKERS_MAX],
		session_pool[DP_WORKERS_MAX];
	uint32_t guilds_live[DP_WORKERS_MAX], sessions_live[DP_WORKERS_MAX],
		pending_live[DP_WORKERS_MAX];
	uint64_t capacity_pps[DP_WORKERS_MAX], used_pps[DP_WORKERS_MAX];
	struct room_part *idle_room_parts; // that were seen without anybody
	struct guild_part *idle_guild_parts;

	struct guild *all; // live guilds
	uint32_t hash_mask;
	struct guild **guild_hash;
	struct session **user_hash, **ssrc_hash, **id_hash;

	uint32_t *pending_heads[PENDING_OF_ALL]; // slot + 1; 0: empty
	uint32_t pending_all;                    // the same
	struct pending_link (*pending_links)[PENDING_LISTS];
	struct room_part **pending_parts; // that they hold; NULL: none
	uint32_t *pending_free;
	uint32_t pending_free_count;
};

uint64_t registry_hash(uint64_t a, uint64_t b);

// A free slot of 'pool', or UINT32_MAX.
uint32_t slot_pool_take(struct slot_pool *pool);
void slot_pool_give(struct slot_pool *pool, uint32_t index);
uint32_t slot_pool_left(const struct slot_pool *pool);
int slot_pool_init(struct slot_pool *pool, uint32_t *used, uint32_t capacity)
	__attribute__((warn_unused_result));

struct guild_part *registry_guild_part_slot(
	struct registry *registry, uint32_t worker, uint32_t index);
struct room_part *registry_room_part_slot(
	struct registry *registry, uint32_t worker, uint32_t index);
struct session *registry_session_slot(struct registry *registry, uint32_t worker, uint32_t index);

// What a slot's generation is when it is used next.
uint32_t registry_next_generation(uint32_t generation);

// Put a live slot into the lists and hashes.
void registry_link_guild(struct registry *registry, struct guild_part *home);
void registry_link_guild_part(
	struct registry *registry, struct guild_part *part, struct guild *guild);
// 0 or -ENOMEM.
int registry_link_room_part(struct registry *registry, struct room_part *part,
	struct guild_part *guild) __attribute__((warn_unused_result));
void registry_link_session(struct registry *registry, struct session *session,
	struct guild_part *guild, struct room_part *part);

// The home of a guild that comes, or -ENOSPC.
int registry_place_guild(const struct registry *registry) __attribute__((warn_unused_result));
// The guild's part on 'worker', made where there is none. NULL without a slot.
struct guild_part *registry_guild_part_get(
	struct registry *registry, struct guild *guild, uint32_t worker);
struct guild_part *registry_guild_part_find(const struct guild *guild, uint32_t worker);
struct room *registry_room_find(const struct guild *guild, uint64_t channel_id);
struct room_part *registry_room_part_find(const struct room *room, uint32_t worker);
// The counts of a part change by these, and with them what it costs.
void registry_room_part_count(
	struct registry *registry, struct room_part *part, int members, int arriving);
// Is it idle now? Then it is in the list of those.
void registry_guild_part_look(struct registry *registry, struct guild_part *part);

int registry_pending_init(struct registry *registry) __attribute__((warn_unused_result));
void registry_pending_fini(struct registry *registry);
