// SPDX-License-Identifier: BSD-3-Clause
//
// Sessions: one member of a guild with a voice connection, or with one that it may resume.

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "api/dp_assert.h"
#include "registry/ssrc_alloc.h"
#include "registry/table.h"

static struct session **user_bucket(
	const struct registry *registry, uint64_t guild_id, uint64_t user_id)
{
	return &registry->user_hash[registry_hash(guild_id, user_id) & registry->hash_mask];
}

static struct session **ssrc_bucket(const struct registry *registry, uint32_t ssrc)
{
	return &registry->ssrc_hash[registry_hash(ssrc, 1) & registry->hash_mask];
}

static struct session **id_bucket(
	const struct registry *registry, uint64_t guild_id, const char *session_id)
{
	uint64_t hash = guild_id;

	for (; *session_id != '\0'; session_id++)
		hash = registry_hash(hash, (uint8_t)*session_id);
	return &registry->id_hash[hash & registry->hash_mask];
}

static void enter_room(struct registry *registry, struct session *session, struct room_part *part)
{
	struct room *room = part == NULL ? NULL : part->room;

	session->room = room;
	session->part = part;
	if (room == NULL)
		return;
	session->room_prev = NULL;
	session->room_next = room->members;
	if (room->members != NULL)
		room->members->room_prev = session;
	room->members = session;
	room->member_count++;
	registry_room_part_count(registry, part, 1, 0);
}

static void leave_room(struct registry *registry, struct session *session)
{
	struct room *room = session->room;

	if (room == NULL)
		return;
	if (session->room_prev != NULL)
		session->room_prev->room_next = session->room_next;
	else
		room->members = session->room_next;
	if (session->room_next != NULL)
		session->room_next->room_prev = session->room_prev;
	room->member_count--;
	registry_room_part_count(registry, session->part, -1, 0);
	session->room = NULL;
	session->part = NULL;
}

void registry_link_session(struct registry *registry, struct session *session,
	struct guild_part *guild_part, struct room_part *part)
{
	struct guild *guild = guild_part->guild;
	const struct intent_session *intent = session->intent;
	struct session **user = user_bucket(registry, intent->guild_id, intent->user_id);
	struct session **ssrc = ssrc_bucket(registry, intent->ssrc);
	struct session **id = id_bucket(registry, intent->guild_id, intent->session_id);

	session->guild = guild;
	session->guild_part = guild_part;
	guild_part->session_count++;
	session->guild_prev = NULL;
	session->guild_next = guild->sessions;
	if (guild->sessions != NULL)
		guild->sessions->guild_prev = session;
	guild->sessions = session;
	guild->session_count++;
	session->user_next = *user;
	*user = session;
	session->ssrc_next = *ssrc;
	*ssrc = session;
	session->id_next = *id;
	*id = session;
	registry->sessions_live[session->worker]++;
	enter_room(registry, session, part);
}

static bool ssrc_is_used(void *arg, uint32_t ssrc)
{
	const struct registry *registry = arg;
	const struct session *session = *ssrc_bucket(registry, ssrc);

	while (session != NULL && session->intent->ssrc != ssrc)
		session = session->ssrc_next;
	return session != NULL;
}

static void fill_intent(struct intent_session *intent, uint32_t ssrc,
	const struct guild_part *guild, const struct registry_session_params *params)
{
	uint32_t generation = registry_next_generation(intent->generation);

	memset(intent, 0, offsetof(struct intent_session, ring));
	intent->generation = generation;
	intent->guild_index = guild->index;
	intent->room_index = params->part == NULL ? UINT32_MAX : params->part->index;
	intent->guild_id = params->guild->intent->guild_id;
	intent->user_id = params->user_id;
	intent->channel_id = params->part == NULL ? 0 : params->part->intent->channel_id;
	intent->flags = params->flags;
	intent->version = params->version;
	intent->ssrc = ssrc;
	memcpy(intent->token_digest, params->token_digest, INTENT_DIGEST_SIZE);
	snprintf(intent->session_id, sizeof(intent->session_id), "%s", params->session_id);
	resume_init(&intent->ring);
}

int registry_session_add(struct registry *registry, const struct registry_session_params *params,
	struct session **out)
{
	uint32_t worker = params->worker;
	uint32_t ssrc, index;
	struct guild_part *guild = registry_guild_part_get(registry, params->guild, worker);
	struct session *session;

	DP_ASSERT(params->part == NULL || params->part->guild == guild);
	if (guild == NULL)
		return -ENOSPC;
	index = slot_pool_take(&registry->session_pool[worker]);
	if (index == UINT32_MAX)
		return -ENOSPC;
	ssrc = ssrc_alloc_take(&registry->header->ssrc_order, ssrc_is_used, registry);
	if (ssrc == 0) {
		slot_pool_give(&registry->session_pool[worker], index);
		return -ENOSPC;
	}
	session = registry_session_slot(registry, worker, index);
	*session = (struct session){
		.intent = intent_session(registry->intent, worker, index),
		.worker = worker,
		.index = index,
	};
	fill_intent(session->intent, ssrc, guild, params);
	intent_set_state(&session->intent->state, INTENT_LIVE);
	registry_link_session(registry, session, guild, params->part);
	*out = session;
	return 0;
}

struct session *registry_session_find(
	const struct registry *registry, uint64_t guild_id, uint64_t user_id)
{
	struct session *session = *user_bucket(registry, guild_id, user_id);

	while (session != NULL &&
		(session->intent->guild_id != guild_id || session->intent->user_id != user_id))
		session = session->user_next;
	return session;
}

struct session *registry_session_find_by_id(
	const struct registry *registry, uint64_t guild_id, const char *session_id)
{
	struct session *session = *id_bucket(registry, guild_id, session_id);

	while (session != NULL && (session->intent->guild_id != guild_id ||
					  strcmp(session->intent->session_id, session_id) != 0))
		session = session->id_next;
	return session;
}

void registry_session_move(struct registry *registry, struct session *session, struct room_part *to)
{
	DP_ASSERT(to == NULL || to->guild == session->guild_part);
	leave_room(registry, session);
	session->intent->room_index = to == NULL ? UINT32_MAX : to->index;
	session->intent->channel_id = to == NULL ? 0 : to->intent->channel_id;
	enter_room(registry, session, to);
}

// Takes 'session' out of a hash chain.
#define UNCHAIN(bucket, next)                   \
	do {                                    \
		struct session **at = (bucket); \
		while (*at != session)          \
			at = &(*at)->next;      \
		*at = session->next;            \
	} while (0)

void registry_session_remove(struct registry *registry, struct session *session)
{
	struct guild *guild = session->guild;

	intent_set_state(&session->intent->state, INTENT_GONE);
	leave_room(registry, session);
	UNCHAIN(user_bucket(registry, session->intent->guild_id, session->intent->user_id),
		user_next);
	UNCHAIN(ssrc_bucket(registry, session->intent->ssrc), ssrc_next);
	UNCHAIN(id_bucket(registry, session->intent->guild_id, session->intent->session_id),
		id_next);
	if (session->guild_prev != NULL)
		session->guild_prev->guild_next = session->guild_next;
	else
		guild->sessions = session->guild_next;
	if (session->guild_next != NULL)
		session->guild_next->guild_prev = session->guild_prev;
	guild->session_count--;
	registry->sessions_live[session->worker]--;
	session->guild = NULL;
	session->guild_part->session_count--;
	registry_guild_part_look(registry, session->guild_part);
	session->guild_part = NULL;
	// Nothing needs its key again: the packet engine is told to forget it, too.
	explicit_bzero(session->intent->key, sizeof(session->intent->key));
	explicit_bzero(session->intent->token_digest, sizeof(session->intent->token_digest));
}

void registry_session_free(struct registry *registry, struct session *session)
{
	intent_set_state(&session->intent->state, INTENT_FREE);
	slot_pool_give(&registry->session_pool[session->worker], session->index);
}
