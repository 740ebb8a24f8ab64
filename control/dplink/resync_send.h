// SPDX-License-Identifier: BSD-3-Clause
//
// Inside of resync: the registry's things as records of the contract. Each returns 0, -ENOTCONN or
// -ENOBUFS. Tags carry the revision that is wanted now; only the last record of a change to a
// session has the kind RESYNC_SESSION, those before it are its parts.
#pragma once

#include <stdint.h>

struct dplink;
struct guild_part;
struct room_part;
struct session;

enum resync_kind {
	RESYNC_GUILD_OPEN,
	RESYNC_GUILD_CLOSE,
	RESYNC_ROOM_OPEN,
	RESYNC_ROOM_SET,
	RESYNC_ROOM_CLOSE,
	RESYNC_SESSION,
	RESYNC_SESSION_PART,
	RESYNC_SESSION_REMOVE,
	RESYNC_REPLAYED,
};

int resync_send_guild_open(struct dplink *link, const struct guild_part *part)
	__attribute__((warn_unused_result));
int resync_send_guild_close(struct dplink *link, const struct guild_part *part)
	__attribute__((warn_unused_result));
int resync_send_room_open(struct dplink *link, const struct room_part *part)
	__attribute__((warn_unused_result));
// The workers that have its other parts, as part->peers_told says.
int resync_send_room_set(struct dplink *link, const struct room_part *part)
	__attribute__((warn_unused_result));
// Of a room that the engine may have already.
int resync_send_room_all(struct dplink *link, const struct room_part *part)
	__attribute__((warn_unused_result));
int resync_send_room_close(struct dplink *link, const struct room_part *part)
	__attribute__((warn_unused_result));
int resync_send_session_add(struct dplink *link, const struct session *session)
	__attribute__((warn_unused_result));
// Key, then the client's address where it is known.
int resync_send_session_key(struct dplink *link, const struct session *session)
	__attribute__((warn_unused_result));
int resync_send_session_set(struct dplink *link, const struct session *session)
	__attribute__((warn_unused_result));
int resync_send_session_remove(struct dplink *link, const struct session *session)
	__attribute__((warn_unused_result));
int resync_send_replayed(struct dplink *link, uint32_t worker) __attribute__((warn_unused_result));
// All that there is to say about it.
int resync_send_session_all(struct dplink *link, const struct session *session)
	__attribute__((warn_unused_result));
