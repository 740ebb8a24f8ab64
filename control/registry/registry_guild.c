// SPDX-License-Identifier: BSD-3-Clause
//
// Guilds and their parts. A guild's home worker is chosen once, when it arrives.

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "api/dp_assert.h"
#include "registry/table.h"

static struct guild **guild_bucket(const struct registry *registry, uint64_t guild_id)
{
	return &registry->guild_hash[registry_hash(guild_id, 0) & registry->hash_mask];
}

void registry_link_guild_part(
	struct registry *registry, struct guild_part *part, struct guild *guild)
{
	part->guild = guild;
	part->next = guild->parts;
	guild->parts = part;
	registry_guild_part_look(registry, part);
}

void registry_link_guild(struct registry *registry, struct guild_part *home)
{
	struct guild **bucket = guild_bucket(registry, home->intent->guild_id);
	struct guild *guild =
		&registry->guilds[(size_t)home->worker * registry->guild_count + home->index];

	*guild = (struct guild){.intent = home->intent, .worker = home->worker};
	guild->hash_next = *bucket;
	*bucket = guild;
	guild->all_next = registry->all;
	if (registry->all != NULL)
		registry->all->all_prev = guild;
	registry->all = guild;
	registry->guilds_live[guild->worker]++;
	registry_link_guild_part(registry, home, guild);
}

static struct guild_part *take_part(
	struct registry *registry, uint32_t worker, uint64_t guild_id, uint64_t epoch, bool is_home)
{
	uint32_t index = slot_pool_take(&registry->guild_pool[worker]);
	struct guild_part *part;

	if (index == UINT32_MAX)
		return NULL;
	part = registry_guild_part_slot(registry, worker, index);
	*part = (struct guild_part){
		.intent = intent_guild(registry->intent, worker, index),
		.worker = worker,
		.index = index,
	};
	part->intent->generation = registry_next_generation(part->intent->generation);
	part->intent->guild_id = guild_id;
	part->intent->epoch = epoch;
	part->intent->is_home = is_home;
	intent_set_state(&part->intent->state, INTENT_LIVE);
	return part;
}

int registry_guild_add(
	struct registry *registry, uint64_t guild_id, uint64_t epoch, struct guild **out)
{
	struct guild_part *home;
	int worker;

	if (registry_guild_find(registry, guild_id) != NULL)
		return -EEXIST;
	worker = registry_place_guild(registry);
	if (worker < 0)
		return worker;
	home = take_part(registry, (uint32_t)worker, guild_id, epoch, true);
	if (home == NULL)
		return -ENOSPC;
	registry_link_guild(registry, home);
	*out = home->guild;
	return 0;
}

struct guild_part *registry_guild_part_get(
	struct registry *registry, struct guild *guild, uint32_t worker)
{
	struct guild_part *part = registry_guild_part_find(guild, worker);

	if (part != NULL)
		return part;
	part = take_part(registry, worker, guild->intent->guild_id, guild->intent->epoch, false);
	if (part != NULL)
		registry_link_guild_part(registry, part, guild);
	return part;
}

struct guild_part *registry_guild_part_find(const struct guild *guild, uint32_t worker)
{
	struct guild_part *part = guild->parts;

	while (part != NULL && part->worker != worker)
		part = part->next;
	return part;
}

struct guild_part *registry_guild_home(const struct guild *guild)
{
	return registry_guild_part_find(guild, guild->worker);
}

struct guild *registry_guild_find(const struct registry *registry, uint64_t guild_id)
{
	struct guild *guild = *guild_bucket(registry, guild_id);

	while (guild != NULL && guild->intent->guild_id != guild_id)
		guild = guild->hash_next;
	return guild;
}

static bool is_idle(const struct guild_part *part)
{
	return part->guild != NULL && part->intent->is_home == 0 && part->room_count == 0 &&
	       part->session_count == 0;
}

void registry_guild_part_look(struct registry *registry, struct guild_part *part)
{
	if (!is_idle(part) || part->is_idle_listed)
		return;
	part->is_idle_listed = true;
	part->idle_next = registry->idle_guild_parts;
	registry->idle_guild_parts = part;
}

struct guild_part *registry_idle_guild_part(struct registry *registry)
{
	while (registry->idle_guild_parts != NULL) {
		struct guild_part *part = registry->idle_guild_parts;

		registry->idle_guild_parts = part->idle_next;
		part->is_idle_listed = false;
		if (is_idle(part))
			return part;
	}
	return NULL;
}

void registry_guild_part_remove(struct guild_part *part)
{
	struct guild_part **at = &part->guild->parts;

	while (*at != part)
		at = &(*at)->next;
	*at = part->next;
	part->guild = NULL;
	intent_set_state(&part->intent->state, INTENT_GONE);
}

void registry_guild_remove(struct registry *registry, struct guild *guild)
{
	struct guild **at = guild_bucket(registry, guild->intent->guild_id);

	DP_ASSERT(guild->sessions == NULL && guild->rooms == NULL);
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
	while (guild->parts != NULL)
		registry_guild_part_remove(guild->parts);
}

void registry_guild_part_free(struct registry *registry, struct guild_part *part)
{
	intent_set_state(&part->intent->state, INTENT_FREE);
	slot_pool_give(&registry->guild_pool[part->worker], part->index);
}
