// SPDX-License-Identifier: BSD-3-Clause
//
// Slots, hashes, adoption and the walk over everything. Taking a slot writes its intent first and
// its state last; see registry_guild.c, registry_room.c, registry_session.c and registry_pending.c
// for the things themselves.

#include "registry/registry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "registry/placement.h"
#include "registry/ssrc_alloc.h"
#include "registry/table.h"

#define HASH_BITS_MIN 10u

uint64_t registry_hash(uint64_t a, uint64_t b)
{
	uint64_t x = a * 0x9e3779b97f4a7c15ull ^ b;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

int slot_pool_init(struct slot_pool *pool, uint32_t *used, uint32_t capacity)
{
	*pool = (struct slot_pool){.used = used, .capacity = capacity};
	pool->free_index = calloc(capacity, sizeof(*pool->free_index));
	return pool->free_index == NULL ? -ENOMEM : 0;
}

uint32_t slot_pool_take(struct slot_pool *pool)
{
	if (pool->free_count > 0)
		return pool->free_index[--pool->free_count];
	if (*pool->used < pool->capacity)
		return (*pool->used)++;
	return UINT32_MAX;
}

void slot_pool_give(struct slot_pool *pool, uint32_t index)
{
	pool->free_index[pool->free_count++] = index;
}

uint32_t slot_pool_left(const struct slot_pool *pool)
{
	return pool->free_count + pool->capacity - *pool->used;
}

// 0 means "does not exist", so it is skipped when the counter wraps.
uint32_t registry_next_generation(uint32_t generation)
{
	return generation == UINT32_MAX ? 1 : generation + 1;
}

struct guild_part *registry_guild_part_slot(
	struct registry *registry, uint32_t worker, uint32_t index)
{
	return &registry->guild_parts[(size_t)worker * registry->guild_count + index];
}

struct room_part *registry_room_part_slot(
	struct registry *registry, uint32_t worker, uint32_t index)
{
	return &registry->room_parts[(size_t)worker * registry->room_count + index];
}

struct session *registry_session_slot(struct registry *registry, uint32_t worker, uint32_t index)
{
	return &registry->sessions[(size_t)worker * registry->session_count + index];
}

static int allocate(struct registry *registry)
{
	size_t workers = registry->worker_count;
	uint32_t bits = HASH_BITS_MIN;

	while ((1ull << bits) < workers * registry->session_count && bits < 24)
		bits++;
	registry->hash_mask = (1u << bits) - 1;
	registry->guild_parts = calloc(workers * registry->guild_count, sizeof(struct guild_part));
	registry->guilds = calloc(workers * registry->guild_count, sizeof(struct guild));
	registry->room_parts = calloc(workers * registry->room_count, sizeof(struct room_part));
	registry->sessions = calloc(workers * registry->session_count, sizeof(struct session));
	registry->guild_hash = calloc((size_t)registry->hash_mask + 1, sizeof(struct guild *));
	registry->user_hash = calloc((size_t)registry->hash_mask + 1, sizeof(struct session *));
	registry->ssrc_hash = calloc((size_t)registry->hash_mask + 1, sizeof(struct session *));
	registry->id_hash = calloc((size_t)registry->hash_mask + 1, sizeof(struct session *));
	if (registry->guild_parts == NULL || registry->guilds == NULL ||
		registry->room_parts == NULL || registry->sessions == NULL ||
		registry->guild_hash == NULL || registry->user_hash == NULL ||
		registry->ssrc_hash == NULL || registry->id_hash == NULL)
		return -ENOMEM;
	for (uint32_t worker = 0; worker < registry->worker_count; worker++)
		if (slot_pool_init(&registry->guild_pool[worker],
			    &registry->header->guilds_used[worker], registry->guild_count) != 0 ||
			slot_pool_init(&registry->room_pool[worker],
				&registry->header->rooms_used[worker], registry->room_count) != 0 ||
			slot_pool_init(&registry->session_pool[worker],
				&registry->header->sessions_used[worker],
				registry->session_count) != 0)
			return -ENOMEM;
	return 0;
}

static void adopt_guilds(struct registry *registry, uint32_t worker)
{
	for (uint32_t index = registry->header->guilds_used[worker]; index-- > 0;) {
		struct guild_part *part = registry_guild_part_slot(registry, worker, index);

		*part = (struct guild_part){.intent = intent_guild(registry->intent, worker, index),
			.worker = worker,
			.index = index};
		if (part->intent->state == INTENT_LIVE && part->intent->is_home != 0)
			registry_link_guild(registry, part);
		else if (part->intent->state == INTENT_FREE)
			slot_pool_give(&registry->guild_pool[worker], index);
	}
}

// Those away from home, once every guild is known.
static void adopt_guild_parts(struct registry *registry, uint32_t worker)
{
	for (uint32_t index = registry->header->guilds_used[worker]; index-- > 0;) {
		struct guild_part *part = registry_guild_part_slot(registry, worker, index);
		struct guild *guild;

		if (part->intent->state != INTENT_LIVE || part->intent->is_home != 0)
			continue;
		guild = registry_guild_find(registry, part->intent->guild_id);
		if (guild == NULL || registry_guild_part_find(guild, worker) != NULL)
			intent_set_state(&part->intent->state, INTENT_GONE);
		else
			registry_link_guild_part(registry, part, guild);
	}
}

static struct guild_part *live_guild(struct registry *registry, uint32_t worker, uint32_t index)
{
	struct guild_part *part;

	if (index >= registry->header->guilds_used[worker])
		return NULL;
	part = registry_guild_part_slot(registry, worker, index);
	return part->intent->state == INTENT_LIVE ? part : NULL;
}

static int adopt_rooms(struct registry *registry, uint32_t worker)
{
	for (uint32_t index = registry->header->rooms_used[worker]; index-- > 0;) {
		struct room_part *part = registry_room_part_slot(registry, worker, index);
		struct guild_part *guild;

		*part = (struct room_part){.intent = intent_room(registry->intent, worker, index),
			.worker = worker,
			.index = index,
			.phase = ROOM_PART_OPEN};
		guild = live_guild(registry, worker, part->intent->guild_index);
		if (part->intent->state == INTENT_LIVE && guild == NULL)
			intent_set_state(&part->intent->state, INTENT_GONE);
		if (part->intent->state == INTENT_FREE)
			slot_pool_give(&registry->room_pool[worker], index);
		if (part->intent->state == INTENT_LIVE &&
			registry_link_room_part(registry, part, guild) != 0)
			return -ENOMEM;
	}
	return 0;
}

// A session whose guild is gone, or whose client never saw Ready, ends here.
static bool is_worth_keeping(const struct session *session, const struct guild_part *guild)
{
	return guild != NULL && session->intent->phase != INTENT_PHASE_ADDING &&
	       guild->intent->guild_id == session->intent->guild_id;
}

static void adopt_sessions(struct registry *registry, uint32_t worker)
{
	for (uint32_t index = registry->header->sessions_used[worker]; index-- > 0;) {
		struct session *session = registry_session_slot(registry, worker, index);
		struct intent_session *intent = intent_session(registry->intent, worker, index);
		struct room_part *part = NULL;
		struct guild_part *guild;

		*session = (struct session){.intent = intent, .worker = worker, .index = index};
		if (intent->state == INTENT_FREE) {
			slot_pool_give(&registry->session_pool[worker], index);
			continue;
		}
		guild = live_guild(registry, worker, intent->guild_index);
		if (intent->state == INTENT_LIVE && !is_worth_keeping(session, guild))
			intent_set_state(&intent->state, INTENT_GONE);
		if (intent->state != INTENT_LIVE)
			continue;
		if (!resume_is_sound(&intent->ring) || intent->video_size > INTENT_VIDEO_SIZE) {
			resume_init(&intent->ring);
			intent->video_size = 0;
		}
		if (intent->room_index < registry->header->rooms_used[worker])
			part = registry_room_part_slot(registry, worker, intent->room_index);
		if (part != NULL && (part->intent->state != INTENT_LIVE || part->guild != guild))
			part = NULL;
		if (part == NULL)
			intent->room_index = UINT32_MAX;
		registry_link_session(registry, session, guild, part);
	}
}

static int adopt(struct registry *registry)
{
	int error = 0;

	for (uint32_t worker = 0; worker < registry->worker_count; worker++)
		adopt_guilds(registry, worker);
	for (uint32_t worker = 0; worker < registry->worker_count; worker++)
		adopt_guild_parts(registry, worker);
	for (uint32_t worker = 0; worker < registry->worker_count && error == 0; worker++)
		error = adopt_rooms(registry, worker);
	for (uint32_t worker = 0; worker < registry->worker_count && error == 0; worker++)
		adopt_sessions(registry, worker);
	return error == 0 ? registry_pending_init(registry) : error;
}

// What the last member left, or was about to enter, when the process died.
static void drop_idle(struct registry *registry)
{
	struct guild_part *guild;
	struct room_part *room;

	while ((room = registry_idle_room_part(registry)) != NULL)
		(void)registry_room_part_remove(registry, room);
	while ((guild = registry_idle_guild_part(registry)) != NULL)
		registry_guild_part_remove(guild);
}

int registry_create(struct intent *intent, struct registry **out)
{
	struct registry *registry = calloc(1, sizeof(*registry));

	if (registry == NULL)
		return -ENOMEM;
	registry->intent = intent;
	registry->header = intent_header(intent);
	registry->worker_count = registry->header->params.worker_count;
	registry->guild_count = registry->header->params.guild_count;
	registry->room_count = registry->header->params.room_count;
	registry->session_count = registry->header->params.session_count;
	for (uint32_t worker = 0; worker < registry->worker_count; worker++)
		registry->capacity_pps[worker] = PLACEMENT_CAPACITY_DEFAULT;
	if (allocate(registry) != 0 || adopt(registry) != 0) {
		registry_destroy(registry);
		return -ENOMEM;
	}
	drop_idle(registry);
	*out = registry;
	return 0;
}

void registry_destroy(struct registry *registry)
{
	if (registry == NULL)
		return;
	for (uint32_t worker = 0; worker < registry->worker_count; worker++) {
		free(registry->guild_pool[worker].free_index);
		free(registry->room_pool[worker].free_index);
		free(registry->session_pool[worker].free_index);
	}
	for (struct guild *guild = registry->all; guild != NULL; guild = guild->all_next)
		while (guild->rooms != NULL) {
			struct room *next = guild->rooms->guild_next;

			free(guild->rooms);
			guild->rooms = next;
		}
	free(registry->guild_parts);
	free(registry->guilds);
	free(registry->room_parts);
	free(registry->sessions);
	free(registry->guild_hash);
	free(registry->user_hash);
	free(registry->ssrc_hash);
	free(registry->id_hash);
	registry_pending_fini(registry);
	free(registry);
}

const struct intent_params *registry_params(const struct registry *registry)
{
	return &registry->header->params;
}

void registry_seed(struct registry *registry, const uint8_t random[SSRC_KEY_SIZE])
{
	ssrc_order_init(&registry->header->ssrc_order, random);
}

struct guild *registry_guilds(const struct registry *registry)
{
	return registry->all;
}

// The walk: 'position' runs over all workers' slots; used[] says how far a worker's go.
#define REGISTRY_NEXT(kind, count_field, used_field)                                              \
	struct kind *registry_##kind##_next(struct registry *registry, struct kind *previous)     \
	{                                                                                         \
		uint32_t worker = previous == NULL ? 0 : previous->worker;                        \
		uint32_t index = previous == NULL ? 0 : previous->index + 1;                      \
                                                                                                  \
		for (; worker < registry->worker_count; worker++, index = 0)                      \
			for (; index < registry->header->used_field[worker]; index++) {           \
				struct kind *thing =                                              \
					registry_##kind##_slot(registry, worker, index);          \
                                                                                                  \
				if (thing->intent != NULL && thing->intent->state != INTENT_FREE) \
					return thing;                                             \
			}                                                                         \
		return NULL;                                                                      \
	}                                                                                         \
                                                                                                  \
	struct kind *registry_##kind##_at(                                                        \
		struct registry *registry, uint32_t worker, struct dp_handle handle)              \
	{                                                                                         \
		struct kind *thing;                                                               \
                                                                                                  \
		if (worker >= registry->worker_count || handle.index >= registry->count_field)    \
			return NULL;                                                              \
		thing = registry_##kind##_slot(registry, worker, handle.index);                   \
		if (thing->intent == NULL || thing->intent->state == INTENT_FREE ||               \
			thing->intent->generation != handle.generation)                           \
			return NULL;                                                              \
		return thing;                                                                     \
	}

REGISTRY_NEXT(guild_part, guild_count, guilds_used)
REGISTRY_NEXT(room_part, room_count, rooms_used)
REGISTRY_NEXT(session, session_count, sessions_used)
