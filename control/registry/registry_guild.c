// SPDX-License-Identifier: BSD-3-Clause
//
// Guilds and their voice channels. A guild's worker is chosen once, when it arrives.

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "registry/placement.h"
#include "registry/table.h"

static struct guild **guild_bucket(const struct registry *registry, uint64_t guild_id)
{
	return &registry->guild_hash[registry_hash(guild_id, 0) & registry->hash_mask];
}

void registry_link_guild(struct registry *registry, struct guild *guild)
{
	struct guild **bucket = guild_bucket(registry, guild->intent->guild_id);

	guild->hash_next = *bucket;
	*bucket = guild;
	guild->all_prev = NULL;
	guild->all_next = registry->all;
	if (registry->all != NULL)
		registry->all->all_prev = guild;
	registry->all = guild;
	registry->guilds_live[guild->worker]++;
}

static int choose_worker(const struct registry *registry)
{
	struct placement_load loads[DP_WORKERS_MAX];

	for (uint32_t worker = 0; worker < registry->worker_count; worker++)
		loads[worker] = (struct placement_load){
			.sessions = registry->sessions_live[worker],
			.guilds = registry->guilds_live[worker],
			.session_max = registry->session_count,
			.guild_max = registry->guild_count,
		};
	return placement_choose(loads, registry->worker_count);
}

// 0 means "does not exist", so it is skipped when the counter wraps.
static uint32_t next_generation(uint32_t generation)
{
	return generation == UINT32_MAX ? 1 : generation + 1;
}

int registry_guild_add(
	struct registry *registry, uint64_t guild_id, uint64_t epoch, struct guild **out)
{
	struct guild *guild;
	uint32_t index;
	int worker;

	if (registry_guild_find(registry, guild_id) != NULL)
		return -EEXIST;
	worker = choose_worker(registry);
	if (worker < 0)
		return -ENOSPC;
	index = slot_pool_take(&registry->guild_pool[worker]);
	if (index == UINT32_MAX)
		return -ENOSPC;
	guild = registry_guild_slot(registry, (uint32_t)worker, index);
	*guild = (struct guild){
		.intent = intent_guild(registry->intent, (uint32_t)worker, index),
		.worker = (uint32_t)worker,
		.index = index,
	};
	guild->intent->generation = next_generation(guild->intent->generation);
	guild->intent->guild_id = guild_id;
	guild->intent->epoch = epoch;
	intent_set_state(&guild->intent->state, INTENT_LIVE);
	registry_link_guild(registry, guild);
	*out = guild;
	return 0;
}

struct guild *registry_guild_find(const struct registry *registry, uint64_t guild_id)
{
	struct guild *guild = *guild_bucket(registry, guild_id);

	while (guild != NULL && guild->intent->guild_id != guild_id)
		guild = guild->hash_next;
	return guild;
}

void registry_guild_remove(struct registry *registry, struct guild *guild)
{
	struct guild **at = guild_bucket(registry, guild->intent->guild_id);

	while (guild->rooms != NULL)
		registry_room_remove(guild->rooms);
	while (*at != guild)
		at = &(*at)->hash_next;
	*at = guild->hash_next;
	if (guild->all_prev != NULL)
		guild->all_prev->all_next = guild->all_next;
	else
		registry->all = guild->all_next;
	if (guild->all_next != NULL)
		guild->all_next->all_prev = guild->all_prev;
	registry->guilds_live[guild->worker]--;
	intent_set_state(&guild->intent->state, INTENT_GONE);
}

void registry_guild_free(struct registry *registry, struct guild *guild)
{
	intent_set_state(&guild->intent->state, INTENT_FREE);
	slot_pool_give(&registry->guild_pool[guild->worker], guild->index);
}

void registry_link_room(struct room *room, struct guild *guild)
{
	room->guild = guild;
	room->guild_prev = NULL;
	room->guild_next = guild->rooms;
	if (guild->rooms != NULL)
		guild->rooms->guild_prev = room;
	guild->rooms = room;
}

struct room *registry_room_get(
	struct registry *registry, struct guild *guild, uint64_t channel_id, bool *is_new)
{
	struct room *room = guild->rooms;
	uint32_t index;

	*is_new = false;
	while (room != NULL && room->intent->channel_id != channel_id)
		room = room->guild_next;
	if (room != NULL)
		return room;
	index = slot_pool_take(&registry->room_pool[guild->worker]);
	if (index == UINT32_MAX)
		return NULL;
	room = registry_room_slot(registry, guild->worker, index);
	*room = (struct room){
		.intent = intent_room(registry->intent, guild->worker, index),
		.worker = guild->worker,
		.index = index,
	};
	room->intent->generation = next_generation(room->intent->generation);
	room->intent->guild_index = guild->index;
	room->intent->channel_id = channel_id;
	intent_set_state(&room->intent->state, INTENT_LIVE);
	registry_link_room(room, guild);
	*is_new = true;
	return room;
}

void registry_room_remove(struct room *room)
{
	if (room->guild_prev != NULL)
		room->guild_prev->guild_next = room->guild_next;
	else
		room->guild->rooms = room->guild_next;
	if (room->guild_next != NULL)
		room->guild_next->guild_prev = room->guild_prev;
	room->guild = NULL;
	intent_set_state(&room->intent->state, INTENT_GONE);
}

void registry_room_free(struct registry *registry, struct room *room)
{
	intent_set_state(&room->intent->state, INTENT_FREE);
	slot_pool_give(&registry->room_pool[room->worker], room->index);
}
