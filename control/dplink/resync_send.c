// SPDX-License-Identifier: BSD-3-Clause
//
// Records from intent. A key's copy is wiped here as soon as the link has its own.

#include "dplink/resync_send.h"

#include <string.h>

#include "dplink/dplink.h"
#include "registry/registry.h"

int resync_send_guild_open(struct dplink *link, const struct guild_part *part)
{
	union dp_msg msg = {.dp_guild_open = {.guild = guild_handle(part),
				    .guild_id = part->intent->guild_id,
				    .epoch = part->intent->epoch}};
	struct dplink_tag tag = {.kind = RESYNC_GUILD_OPEN,
		.revision = part->sync.wanted,
		.handle = guild_handle(part),
		.worker = (uint16_t)part->worker};

	return dplink_send(link, DP_MSG_GUILD_OPEN, &msg, &tag);
}

int resync_send_guild_close(struct dplink *link, const struct guild_part *part)
{
	union dp_msg msg = {.dp_guild_close = {.guild = guild_handle(part)}};
	struct dplink_tag tag = {.kind = RESYNC_GUILD_CLOSE,
		.handle = guild_handle(part),
		.worker = (uint16_t)part->worker};

	return dplink_send(link, DP_MSG_GUILD_CLOSE, &msg, &tag);
}

static struct dplink_tag room_tag(const struct room_part *part, enum resync_kind kind)
{
	return (struct dplink_tag){.kind = kind,
		.revision = part->sync.wanted,
		.handle = room_handle(part),
		.worker = (uint16_t)part->worker};
}

int resync_send_room_open(struct dplink *link, const struct room_part *part)
{
	union dp_msg msg = {.dp_room_open = {.room = room_handle(part),
				    .guild = guild_handle(part->guild),
				    .channel_id = part->intent->channel_id,
				    .peers = part->peers_told}};
	struct dplink_tag tag = room_tag(part, RESYNC_ROOM_OPEN);

	return dplink_send(link, DP_MSG_ROOM_OPEN, &msg, &tag);
}

int resync_send_room_set(struct dplink *link, const struct room_part *part)
{
	union dp_msg msg = {.dp_room_set = {.room = room_handle(part), .peers = part->peers_told}};
	struct dplink_tag tag = room_tag(part, RESYNC_ROOM_SET);

	return dplink_send(link, DP_MSG_ROOM_SET, &msg, &tag);
}

// ROOM_SET behind: where the engine has the room already (-EEXIST), OPEN changed nothing.
int resync_send_room_all(struct dplink *link, const struct room_part *part)
{
	int error = resync_send_room_open(link, part);

	return error == 0 ? resync_send_room_set(link, part) : error;
}

int resync_send_room_close(struct dplink *link, const struct room_part *part)
{
	union dp_msg msg = {.dp_room_close = {.room = room_handle(part)}};
	struct dplink_tag tag = room_tag(part, RESYNC_ROOM_CLOSE);

	return dplink_send(link, DP_MSG_ROOM_CLOSE, &msg, &tag);
}

static struct dplink_tag session_tag(const struct session *session, enum resync_kind kind)
{
	return (struct dplink_tag){.kind = kind,
		.revision = session->sync.wanted,
		.handle = session_handle(session),
		.worker = (uint16_t)session->worker};
}

static int send_add(struct dplink *link, const struct session *session, enum resync_kind kind)
{
	union dp_msg msg = {.dp_session_add = {.session = session_handle(session),
				    .guild = guild_handle(session->guild_part),
				    .room = room_handle(session_wanted_part(session)),
				    .ssrc = session->intent->ssrc,
				    .flags = session_wanted_flags(session)}};
	struct dplink_tag tag = session_tag(session, kind);

	return dplink_send(link, DP_MSG_SESSION_ADD, &msg, &tag);
}

static int send_hint(struct dplink *link, const struct session *session, enum resync_kind kind)
{
	union dp_msg msg = {.dp_session_hint = {.session = session_handle(session),
				    .address = session->intent->hint}};
	struct dplink_tag tag = session_tag(session, kind);

	return dplink_send(link, DP_MSG_SESSION_HINT, &msg, &tag);
}

static int send_key(struct dplink *link, const struct session *session, enum resync_kind kind)
{
	const struct intent_session *intent = session->intent;
	bool has_hint = intent->hint.family != 0;
	struct dplink_tag tag = session_tag(session, has_hint ? RESYNC_SESSION_PART : kind);
	union dp_msg msg = {.dp_session_key = {.session = session_handle(session),
				    .key_id = intent->key_id,
				    .suite = intent->suite}};
	int error;

	memcpy(msg.dp_session_key.key, intent->key, sizeof(intent->key));
	error = dplink_send(link, DP_MSG_SESSION_KEY, &msg, &tag);
	explicit_bzero(&msg, sizeof(msg));
	if (error == 0 && has_hint)
		error = send_hint(link, session, kind);
	return error;
}

int resync_send_session_add(struct dplink *link, const struct session *session)
{
	return send_add(link, session, RESYNC_SESSION);
}

int resync_send_session_key(struct dplink *link, const struct session *session)
{
	return send_key(link, session, RESYNC_SESSION);
}

int resync_send_session_set(struct dplink *link, const struct session *session)
{
	union dp_msg msg = {.dp_session_set = {.session = session_handle(session),
				    .room = room_handle(session_wanted_part(session)),
				    .flags = session_wanted_flags(session)}};
	struct dplink_tag tag = session_tag(session, RESYNC_SESSION);

	return dplink_send(link, DP_MSG_SESSION_SET, &msg, &tag);
}

int resync_send_session_remove(struct dplink *link, const struct session *session)
{
	union dp_msg msg = {.dp_session_remove = {.session = session_handle(session)}};
	struct dplink_tag tag = session_tag(session, RESYNC_SESSION_REMOVE);

	return dplink_send(link, DP_MSG_SESSION_REMOVE, &msg, &tag);
}

// SESSION_SET at the end: where the engine has the session already (-EEXIST), ADD changed nothing.
int resync_send_session_all(struct dplink *link, const struct session *session)
{
	int error = send_add(link, session, RESYNC_SESSION_PART);

	if (error == 0 && session->intent->key_id != 0)
		error = send_key(link, session, RESYNC_SESSION_PART);
	if (error == 0)
		error = resync_send_session_set(link, session);
	return error;
}

int resync_send_replayed(struct dplink *link, uint32_t worker)
{
	union dp_msg msg = {0};
	struct dplink_tag tag = {.kind = RESYNC_REPLAYED, .worker = (uint16_t)worker};

	return dplink_send(link, DP_MSG_REPLAYED, &msg, &tag);
}
