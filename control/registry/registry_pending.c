// SPDX-License-Identifier: BSD-3-Clause
//
// Tokens that the gateway announced and no client has used: at most one per member of a guild.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "registry/table.h"

#define PENDING_HASH_SIZE 32768u // twice INTENT_PENDING_MAX

static uint32_t *bucket(const struct registry *registry, uint64_t guild_id, uint64_t user_id)
{
	return &registry->pending_hash[registry_hash(guild_id, user_id) &
				       registry->pending_hash_mask];
}

static void link_slot(struct registry *registry, uint32_t slot)
{
	const struct intent_pending *pending = intent_pending(registry->intent, slot);
	uint32_t *head = bucket(registry, pending->guild_id, pending->user_id);

	registry->pending_next[slot] = *head;
	*head = slot + 1;
}

int registry_pending_init(struct registry *registry)
{
	registry->pending_hash_mask = PENDING_HASH_SIZE - 1;
	registry->pending_hash = calloc(PENDING_HASH_SIZE, sizeof(uint32_t));
	registry->pending_next = calloc(INTENT_PENDING_MAX, sizeof(uint32_t));
	registry->pending_free = calloc(INTENT_PENDING_MAX, sizeof(uint32_t));
	if (registry->pending_hash == NULL || registry->pending_next == NULL ||
		registry->pending_free == NULL)
		return -ENOMEM;
	for (uint32_t slot = INTENT_PENDING_MAX; slot-- > 0;) {
		if (intent_pending(registry->intent, slot)->state == INTENT_LIVE)
			link_slot(registry, slot);
		else
			registry->pending_free[registry->pending_free_count++] = slot;
	}
	return 0;
}

struct intent_pending *registry_pending_find(
	const struct registry *registry, uint64_t guild_id, uint64_t user_id)
{
	uint32_t at = *bucket(registry, guild_id, user_id);

	for (; at != 0; at = registry->pending_next[at - 1]) {
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
	uint32_t slot;

	if (pending != NULL)
		registry_pending_remove(registry, pending);
	if (registry->pending_free_count == 0)
		return -ENOSPC;
	slot = registry->pending_free[--registry->pending_free_count];
	pending = intent_pending(registry->intent, slot);
	*pending = *from;
	pending->state = INTENT_FREE;
	intent_set_state(&pending->state, INTENT_LIVE);
	link_slot(registry, slot);
	return 0;
}

void registry_pending_remove(struct registry *registry, struct intent_pending *pending)
{
	uint32_t slot = (uint32_t)(pending - intent_pending(registry->intent, 0));
	uint32_t *at = bucket(registry, pending->guild_id, pending->user_id);

	while (*at != slot + 1)
		at = &registry->pending_next[*at - 1];
	*at = registry->pending_next[slot];
	intent_set_state(&pending->state, INTENT_FREE);
	explicit_bzero(pending, sizeof(*pending));
	registry->pending_free[registry->pending_free_count++] = slot;
}

void registry_pending_sweep(struct registry *registry, uint64_t guild_id, uint64_t now_ms)
{
	if (registry->pending_free_count == INTENT_PENDING_MAX)
		return;
	for (uint32_t slot = 0; slot < INTENT_PENDING_MAX; slot++) {
		struct intent_pending *pending = intent_pending(registry->intent, slot);

		if (pending->state == INTENT_LIVE && pending->expires_ms <= now_ms &&
			(guild_id == 0 || pending->guild_id == guild_id))
			registry_pending_remove(registry, pending);
	}
}
