// SPDX-License-Identifier: BSD-3-Clause
//
// Slots, hashes and the walk over everything. Taking a slot writes its intent first and its state
// last; see registry_guild.c, registry_session.c and registry_pending.c for the things themselves.

#include "registry/registry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

struct guild *registry_guild_slot(struct registry *registry, uint32_t worker, uint32_t index)
{
	return &registry->guilds[(size_t)worker * registry->guild_count + index];
}

struct room *registry_room_slot(struct registry *registry, uint32_t worker, uint32_t index)
{
	return &registry->rooms[(size_t)worker * registry->room_count + index];
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
	registry->guilds = calloc(workers * registry->guild_count, sizeof(struct guild));
	registry->rooms = calloc(workers * registry->room_count, sizeof(struct room));
	registry->sessions = calloc(workers * registry->session_count, sizeof(struct session));
	registry->guild_hash = calloc((size_t)registry->hash_mask + 1, sizeof(struct guild *));
	registry->user_hash = calloc((size_t)registry->hash_mask + 1, sizeof(struct session *));
	registry->ssrc_hash = calloc((size_t)registry->hash_mask + 1, sizeof(struct session *));
	registry->id_hash = calloc((size_t)registry->hash_mask + 1, sizeof(struct session *));
	if (registry->guilds == NULL || registry->rooms == NULL || registry->sessions == NULL ||
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
		struct guild *guild = registry_guild_slot(registry, worker, index);

		*guild = (struct guild){.intent = intent_guild(registry->intent, worker, index),
			.worker = worker,
			.index = index};
		if (guild->intent->state == INTENT_LIVE)
			registry_link_guild(registry, guild);
		else if (guild->intent->state == INTENT_FREE)
			slot_pool_give(&registry->guild_pool[worker], index);
	}
}

static struct guild *live_guild(struct registry *registry, uint32_t worker, uint32_t index)
{
	struct guild *guild;

	if (index >= registry->header->guilds_used[worker])
		return NULL;
	guild = registry_guild_slot(registry, worker, index);
	return guild->intent->state == INTENT_LIVE ? guild : NULL;
}

static void adopt_rooms(struct registry *registry, uint32_t worker)
{
	for (uint32_t index = registry->header->rooms_used[worker]; index-- > 0;) {
		struct room *room = registry_room_slot(registry, worker, index);
		struct guild *guild;

		*room = (struct room){.intent = intent_room(registry->intent, worker, index),
			.worker = worker,
			.index = index};
		guild = live_guild(registry, worker, room->intent->guild_index);
		if (room->intent->state == INTENT_LIVE && guild == NULL)
			intent_set_state(&room->intent->state, INTENT_GONE);
		if (room->intent->state == INTENT_LIVE)
			registry_link_room(room, guild);
		else if (room->intent->state == INTENT_FREE)
			slot_pool_give(&registry->room_pool[worker], index);
	}
}

// A session whose guild is gone, or whose client never saw Ready, ends here.
static bool is_worth_keeping(const struct session *session, const struct guild *guild)
{
	return guild != NULL && session->intent->phase != INTENT_PHASE_ADDING &&
	       guild->intent->guild_id == session->intent->guild_id;
}

static void adopt_sessions(struct registry *registry, uint32_t worker)
{
	for (uint32_t index = registry->header->sessions_used[worker]; index-- > 0;) {
		struct session *session = registry_session_slot(registry, worker, index);
		struct intent_session *intent = intent_session(registry->intent, worker, index);
		struct room *room = NULL;
		struct guild *guild;

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
			room = registry_room_slot(registry, worker, intent->room_index);
		if (room != NULL && (room->intent->state != INTENT_LIVE || room->guild != guild))
			room = NULL;
		if (room == NULL)
			intent->room_index = UINT32_MAX;
		registry_link_session(registry, session, guild, room);
	}
}

// A room whose last member was on its way out when the process died.
static void drop_empty_rooms(struct registry *registry)
{
	for (struct guild *guild = registry->all; guild != NULL; guild = guild->all_next)
		for (struct room *room = guild->rooms, *next; room != NULL; room = next) {
			next = room->guild_next;
			if (room->member_count == 0)
				registry_room_remove(room);
		}
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
	if (allocate(registry) != 0 || registry_pending_init(registry) != 0) {
		registry_destroy(registry);
		return -ENOMEM;
	}
	for (uint32_t worker = 0; worker < registry->worker_count; worker++) {
		adopt_guilds(registry, worker);
		adopt_rooms(registry, worker);
		adopt_sessions(registry, worker);
	}
	drop_empty_rooms(registry);
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
	free(registry->guilds);
	free(registry->rooms);
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

uint32_t registry_guild_count(const struct registry *registry, uint32_t worker)
{
	return registry->guilds_live[worker];
}

uint32_t registry_session_count(const struct registry *registry, uint32_t worker)
{
	return registry->sessions_live[worker];
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

REGISTRY_NEXT(guild, guild_count, guilds_used)
REGISTRY_NEXT(room, room_count, rooms_used)
REGISTRY_NEXT(session, session_count, sessions_used)
