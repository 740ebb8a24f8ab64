// SPDX-License-Identifier: BSD-3-Clause
//
// Tokens that the gateway announced and no client has used: at most one per member of a guild. Each
// holds the part that its session will be in, so that its place is kept. Each is in three lists: of
// its hash bucket, of its guild's bucket, and of all, so that no search and no sweep looks at a
// slot that is free.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/dp_assert.h"
#include "registry/table.h"

#define PENDING_HASH_SIZE 32768u // twice INTENT_PENDING_MAX

static uint32_t *head_of(struct registry *registry, enum pending_list list, uint32_t slot)
{
	const struct intent_pending *pending = intent_pending(registry->intent, slot);
	uint64_t hash;

	if (list == PENDING_OF_ALL)
		return &registry->pending_all;
	hash = registry_hash(pending->guild_id, list == PENDING_OF_GUILD ? 0 : pending->user_id);
	return &registry->pending_heads[list][hash & (PENDING_HASH_SIZE - 1)];
}

static void link_slot(struct registry *registry, uint32_t slot)
{
	for (unsigned list = 0; list < PENDING_LISTS; list++) {
		uint32_t *head = head_of(registry, (enum pending_list)list, slot);

		registry->pending_links[slot][list] = (struct pending_link){.next = *head};
		if (*head != 0)
			registry->pending_links[*head - 1][list].prev = slot + 1;
		*head = slot + 1;
	}
}

static void unlink_slot(struct registry *registry, uint32_t slot)
{
	for (unsigned list = 0; list < PENDING_LISTS; list++) {
		struct pending_link link = registry->pending_links[slot][list];

		if (link.prev != 0)
			registry->pending_links[link.prev - 1][list].next = link.next;
		else
			*head_of(registry, (enum pending_list)list, slot) = link.next;
		if (link.next != 0)
			registry->pending_links[link.next - 1][list].prev = link.prev;
	}
}

static uint32_t slot_of(const struct registry *registry, const struct intent_pending *pending)
{
	return (uint32_t)(pending - intent_pending(registry->intent, 0));
}

static void hold(struct registry *registry, uint32_t slot, struct room_part *part)
{
	registry->pending_parts[slot] = part;
	if (part != NULL)
		registry_room_part_hold(registry, part);
}

static void release(struct registry *registry, uint32_t slot)
{
	if (registry->pending_parts[slot] != NULL)
		registry_room_part_release(registry, registry->pending_parts[slot]);
	registry->pending_parts[slot] = NULL;
}

// NULL: the guild is not here (any more), or there is no slot.
static struct room_part *part_of(
	struct registry *registry, uint64_t guild_id, uint32_t worker, uint64_t channel_id)
{
	struct guild *guild = registry_guild_find(registry, guild_id);

	if (guild == NULL || channel_id == 0)
		return NULL;
	return registry_room_part_get(registry, guild, worker, channel_id);
}

static void adopt_slot(struct registry *registry, uint32_t slot)
{
	struct intent_pending *pending = intent_pending(registry->intent, slot);

	if (pending->worker >= registry->worker_count)
		pending->worker = 0; // no writing of ours
	link_slot(registry, slot);
	registry->pending_live[pending->worker]++;
	hold(registry, slot,
		part_of(registry, pending->guild_id, pending->worker, pending->channel_id));
}

int registry_pending_init(struct registry *registry)
{
	registry->pending_links = calloc(INTENT_PENDING_MAX, sizeof(*registry->pending_links));
	registry->pending_free = calloc(INTENT_PENDING_MAX, sizeof(uint32_t));
	registry->pending_parts = calloc(INTENT_PENDING_MAX, sizeof(*registry->pending_parts));
	if (registry->pending_links == NULL || registry->pending_free == NULL ||
		registry->pending_parts == NULL)
		return -ENOMEM;
	for (unsigned list = 0; list < PENDING_OF_ALL; list++) {
		registry->pending_heads[list] = calloc(PENDING_HASH_SIZE, sizeof(uint32_t));
		if (registry->pending_heads[list] == NULL)
			return -ENOMEM;
	}
	for (uint32_t slot = INTENT_PENDING_MAX; slot-- > 0;) {
		if (intent_pending(registry->intent, slot)->state == INTENT_LIVE)
			adopt_slot(registry, slot);
		else
			registry->pending_free[registry->pending_free_count++] = slot;
	}
	return 0;
}

void registry_pending_fini(struct registry *registry)
{
	for (unsigned list = 0; list < PENDING_OF_ALL; list++)
		free(registry->pending_heads[list]);
	free(registry->pending_links);
	free(registry->pending_parts);
	free(registry->pending_free);
}

struct intent_pending *registry_pending_find(
	const struct registry *registry, uint64_t guild_id, uint64_t user_id)
{
	uint64_t hash = registry_hash(guild_id, user_id);
	uint32_t at = registry->pending_heads[PENDING_OF_USER][hash & (PENDING_HASH_SIZE - 1)];

	for (; at != 0; at = registry->pending_links[at - 1][PENDING_OF_USER].next) {
		struct intent_pending *pending = intent_pending(registry->intent, at - 1);

		if (pending->guild_id == guild_id && pending->user_id == user_id)
			return pending;
	}
	return NULL;
}

int registry_pending_put(struct registry *registry, const struct intent_pending *from)
{
	struct intent_pending *pending =
		registry_pending_find(registry, from->guild_id, from->user_id);
	struct room_part *part;
	uint32_t slot;

	DP_ASSERT(from->worker < registry->worker_count);
	if (pending == NULL && registry->pending_free_count == 0)
		return -ENOSPC;
	part = part_of(registry, from->guild_id, from->worker, from->channel_id);
	if (part == NULL && registry_guild_find(registry, from->guild_id) != NULL &&
		from->channel_id != 0)
		return -ENOSPC;
	if (pending != NULL)
		registry_pending_remove(registry, pending);
	slot = registry->pending_free[--registry->pending_free_count];
	pending = intent_pending(registry->intent, slot);
	*pending = *from;
	pending->state = INTENT_FREE;
	intent_set_state(&pending->state, INTENT_LIVE);
	link_slot(registry, slot);
	registry->pending_live[pending->worker]++;
	hold(registry, slot, part);
	return 0;
}

int registry_pending_move(struct registry *registry, struct intent_pending *pending,
	uint32_t worker, uint64_t channel_id)
{
	uint32_t slot = slot_of(registry, pending);
	struct room_part *part = part_of(registry, pending->guild_id, worker, channel_id);

	if (part == NULL)
		return -ENOSPC;
	release(registry, slot);
	registry->pending_live[pending->worker]--;
	pending->worker = worker;
	pending->channel_id = channel_id;
	registry->pending_live[worker]++;
	hold(registry, slot, part);
	return 0;
}

void registry_pending_remove(struct registry *registry, struct intent_pending *pending)
{
	uint32_t slot = slot_of(registry, pending);

	release(registry, slot);
	registry->pending_live[pending->worker]--;
	unlink_slot(registry, slot);
	intent_set_state(&pending->state, INTENT_FREE);
	explicit_bzero(pending, sizeof(*pending));
	registry->pending_free[registry->pending_free_count++] = slot;
}

uint32_t registry_pending_sweep(struct registry *registry, uint64_t guild_id, uint64_t now_ms)
{
	enum pending_list list = guild_id == 0 ? PENDING_OF_ALL : PENDING_OF_GUILD;
	uint64_t hash = registry_hash(guild_id, 0);
	uint32_t looked_at = 0, next;

	for (uint32_t at = guild_id == 0
				   ? registry->pending_all
				   : registry->pending_heads[list][hash & (PENDING_HASH_SIZE - 1)];
		at != 0; at = next, looked_at++) {
		struct intent_pending *pending = intent_pending(registry->intent, at - 1);

		next = registry->pending_links[at - 1][list].next;
		if (pending->expires_ms <= now_ms &&
			(guild_id == 0 || pending->guild_id == guild_id))
			registry_pending_remove(registry, pending);
	}
	return looked_at;
}
