// SPDX-License-Identifier: BSD-3-Clause
//
// Voice channels and their parts. A channel is there as long as it has a part; what counts in a
// part, and so what its worker has to do, changes in one place.

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "api/dp_assert.h"
#include "registry/placement.h"
#include "registry/table.h"

struct room *registry_room_find(const struct guild *guild, uint64_t channel_id)
{
	struct room *room = guild->rooms;

	while (room != NULL && room->channel_id != channel_id)
		room = room->guild_next;
	return room;
}

struct room_part *registry_room_part_find(const struct room *room, uint32_t worker)
{
	struct room_part *part = room == NULL ? NULL : room->parts;

	while (part != NULL && part->worker != worker)
		part = part->next;
	return part;
}

static struct room *make_room(struct guild *guild, uint64_t channel_id)
{
	struct room *room = calloc(1, sizeof(*room));

	if (room == NULL)
		return NULL;
	room->channel_id = channel_id;
	room->guild = guild;
	room->guild_next = guild->rooms;
	if (guild->rooms != NULL)
		guild->rooms->guild_prev = room;
	guild->rooms = room;
	return room;
}

static void end_room(struct room *room)
{
	DP_ASSERT(room->member_count == 0 && room->size == 0);
	if (room->guild_prev != NULL)
		room->guild_prev->guild_next = room->guild_next;
	else
		room->guild->rooms = room->guild_next;
	if (room->guild_next != NULL)
		room->guild_next->guild_prev = room->guild_prev;
	free(room);
}

static bool is_idle(const struct room_part *part)
{
	return part->room != NULL && part->member_count == 0 && part->arriving_count == 0;
}

static void look(struct registry *registry, struct room_part *part)
{
	if (!is_idle(part) || part->is_idle_listed)
		return;
	part->is_idle_listed = true;
	part->idle_next = registry->idle_room_parts;
	registry->idle_room_parts = part;
}

int registry_link_room_part(
	struct registry *registry, struct room_part *part, struct guild_part *guild)
{
	struct room *room = registry_room_find(guild->guild, part->intent->channel_id);

	if (room == NULL)
		room = make_room(guild->guild, part->intent->channel_id);
	if (room == NULL)
		return -ENOMEM;
	part->room = room;
	part->guild = guild;
	part->next = room->parts;
	room->parts = part;
	guild->room_count++;
	look(registry, part);
	return 0;
}

// Its slot was taken, and is given back.
static struct room_part *make_part(
	struct registry *registry, struct guild_part *guild, uint32_t index, uint64_t channel_id)
{
	struct room_part *part = registry_room_part_slot(registry, guild->worker, index);

	*part = (struct room_part){
		.intent = intent_room(registry->intent, guild->worker, index),
		.worker = guild->worker,
		.index = index,
	};
	part->intent->channel_id = channel_id;
	if (registry_link_room_part(registry, part, guild) != 0) {
		slot_pool_give(&registry->room_pool[guild->worker], index);
		return NULL;
	}
	part->intent->generation = registry_next_generation(part->intent->generation);
	part->intent->guild_index = guild->index;
	intent_set_state(&part->intent->state, INTENT_LIVE);
	return part;
}

struct room_part *registry_room_part_get(
	struct registry *registry, struct guild *guild, uint32_t worker, uint64_t channel_id)
{
	struct room_part *part =
		registry_room_part_find(registry_room_find(guild, channel_id), worker);
	struct guild_part *guild_part;
	uint32_t index;

	if (part != NULL)
		return part;
	guild_part = registry_guild_part_get(registry, guild, worker);
	if (guild_part == NULL)
		return NULL;
	index = slot_pool_take(&registry->room_pool[worker]);
	return index == UINT32_MAX ? NULL : make_part(registry, guild_part, index, channel_id);
}

static uint64_t cost(const struct room_part *part)
{
	return (uint64_t)(part->member_count + part->arriving_count) *
	       placement_price(part->room->size);
}

// The channel's size is everybody's price, so every part of it is counted anew.
void registry_room_part_count(
	struct registry *registry, struct room_part *part, int members, int arriving)
{
	struct room *room = part->room;

	for (struct room_part *at = room->parts; at != NULL; at = at->next)
		registry->used_pps[at->worker] -= cost(at);
	part->member_count += (uint32_t)members;
	part->arriving_count += (uint32_t)arriving;
	room->size += (uint32_t)(members + arriving);
	for (struct room_part *at = room->parts; at != NULL; at = at->next)
		registry->used_pps[at->worker] += cost(at);
	look(registry, part);
}

void registry_room_part_hold(struct registry *registry, struct room_part *part)
{
	registry_room_part_count(registry, part, 0, 1);
}

void registry_room_part_release(struct registry *registry, struct room_part *part)
{
	DP_ASSERT(part->arriving_count > 0);
	registry_room_part_count(registry, part, 0, -1);
}

struct room_part *registry_idle_room_part(struct registry *registry)
{
	while (registry->idle_room_parts != NULL) {
		struct room_part *part = registry->idle_room_parts;

		registry->idle_room_parts = part->idle_next;
		part->is_idle_listed = false;
		if (is_idle(part))
			return part;
	}
	return NULL;
}

struct room *registry_room_part_remove(struct registry *registry, struct room_part *part)
{
	struct room *room = part->room;
	struct room_part **at = &room->parts;

	DP_ASSERT(is_idle(part));
	while (*at != part)
		at = &(*at)->next;
	*at = part->next;
	part->room = NULL;
	part->guild->room_count--;
	registry_guild_part_look(registry, part->guild);
	intent_set_state(&part->intent->state, INTENT_GONE);
	if (room->parts != NULL)
		return room;
	end_room(room);
	return NULL;
}

void registry_room_part_free(struct registry *registry, struct room_part *part)
{
	intent_set_state(&part->intent->state, INTENT_FREE);
	slot_pool_give(&registry->room_pool[part->worker], part->index);
}
