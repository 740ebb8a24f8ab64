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

	struct guild *guilds; // worker * guild_count + index
	struct room *rooms;
	struct session *sessions;
	struct slot_pool guild_pool[DP_WORKERS_MAX], room_pool[DP_WORKERS_MAX],
		session_pool[DP_WORKERS_MAX];
	uint32_t guilds_live[DP_WORKERS_MAX], sessions_live[DP_WORKERS_MAX];

	struct guild *all; // live guilds
	uint32_t hash_mask;
	struct guild **guild_hash;
	struct session **user_hash, **ssrc_hash, **id_hash;

	uint32_t *pending_heads[PENDING_OF_ALL]; // slot + 1; 0: empty
	uint32_t pending_all;                    // the same
	struct pending_link (*pending_links)[PENDING_LISTS];
	uint32_t *pending_free;
	uint32_t pending_free_count;
};

uint64_t registry_hash(uint64_t a, uint64_t b);

// A free slot of 'pool', or UINT32_MAX.
uint32_t slot_pool_take(struct slot_pool *pool);
void slot_pool_give(struct slot_pool *pool, uint32_t index);
int slot_pool_init(struct slot_pool *pool, uint32_t *used, uint32_t capacity)
	__attribute__((warn_unused_result));

struct guild *registry_guild_slot(struct registry *registry, uint32_t worker, uint32_t index);
struct room *registry_room_slot(struct registry *registry, uint32_t worker, uint32_t index);
struct session *registry_session_slot(struct registry *registry, uint32_t worker, uint32_t index);

// Put a live slot into the lists and hashes.
void registry_link_guild(struct registry *registry, struct guild *guild);
void registry_link_room(struct room *room, struct guild *guild);
void registry_link_session(
	struct registry *registry, struct session *session, struct guild *guild, struct room *room);

int registry_pending_init(struct registry *registry) __attribute__((warn_unused_result));
void registry_pending_fini(struct registry *registry);
