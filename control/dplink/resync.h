// SPDX-License-Identifier: BSD-3-Clause
//
// Keeps the packet engine equal to the registry's intent. Every change is sent at once where the
// link is up; when the engine comes (or comes anew) everything is sent, with the same handles, keys
// and key ids, so it goes on where its predecessor was. That is done in pieces: what changes
// meanwhile is sent at once, with what it needs: the guild and the voice channel are opened on a
// worker with the first session there, and the channel's other parts are told of the new one as
// soon as it is open, so that from then on what is said in one is heard in all. "Is already there"
// and "was not there" are success: after a restart of control the engine still holds what we
// replay.
//
// Whoever must not go on before the engine has acknowledged passes a callback. It is called once:
// with 0, with the engine's error, with -ETIMEDOUT after RESYNC_WAIT_MS (a restart of the engine is
// waited for), or with -ECANCELED when the thing was removed meanwhile.
//
// Threads: the loop's only. A callback may call anything here.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define RESYNC_WAIT_MS 5000u  // longer than any restart of the engine (takeover.md)
#define RESYNC_RETRY_MS 1000u // at the soonest, for commands that timed out or found no room

struct dplink;
struct guild_part;
struct loop;
struct registry;
struct resync;
struct room;
struct room_part;
struct session;

typedef void resync_done_fn(void *arg, int error);

struct resync_events {
	void (*up)(void *ctx, uint32_t worker_count);
	void (*down)(void *ctx);
	void (*refused)(void *ctx); // another contract
	// The engine does not take a session, or a change to it, and no callback waits to hear it:
	// what is in force there is not known. The session should end.
	void (*session_refused)(void *ctx, struct session *session, int error);
	void *ctx;
};

// Makes the link over 'fd', too. 0, -ENOMEM or -errno.
int resync_create(struct loop *loop, struct registry *registry, int fd, uint32_t own_epoch,
	const struct resync_events *events, struct resync **out)
	__attribute__((warn_unused_result));
// NULL allowed. Callbacks that still wait are not called.
void resync_destroy(struct resync *resync);
void resync_start(struct resync *resync);
struct dplink *resync_link(const struct resync *resync);

// 'fn' may be NULL in all of these.
void resync_guild_open(
	struct resync *resync, struct guild_part *home, resync_done_fn *fn, void *arg);
void resync_session_add(
	struct resync *resync, struct session *session, resync_done_fn *fn, void *arg);
// Key and, where known, the client's address: after registry intent holds them.
void resync_session_key(
	struct resync *resync, struct session *session, resync_done_fn *fn, void *arg);
// Flags and part as session_wanted_*() say.
void resync_session_set(
	struct resync *resync, struct session *session, resync_done_fn *fn, void *arg);
// Changes nothing; waits for what is under way. Only while the session is not
// registry_is_settled().
void resync_session_wait(
	struct resync *resync, struct session *session, resync_done_fn *fn, void *arg);

// For things that the registry has removed; their slots are given back by the ACK.
void resync_session_remove(
	struct resync *resync, struct session *session, resync_done_fn *fn, void *arg);
// 'rest': the room, if it has other parts; they send there no more. NULL: it has none.
void resync_room_close(struct resync *resync, struct room_part *part, struct room *rest);
void resync_guild_close(
	struct resync *resync, struct guild_part *part, resync_done_fn *fn, void *arg);

// Callbacks with this 'arg' will not be called.
void resync_forget(struct resync *resync, const void *arg);
