// SPDX-License-Identifier: BSD-3-Clause
//
// Changes of flags and channel. A change is asked of the packet engine first; until it has
// acknowledged, the session is where it was, in the intent and in everybody's eyes. Then the change
// is in force and others are told. A refusal leaves everything as it was, and the engine, which may
// have done one half, is told so.
//
// What is under way is not in the intent memfd: whoever asked was not answered, and asks the
// successor of this process again.

#include <errno.h>
#include <stdlib.h>

#include "registry/registry.h"
#include "signaling/voice_conn.h"

struct voice_change {
	struct voice_change *next; // older
	struct voice_server *server;
	struct session *session; // NULL: it ended
	struct room_part *part;  // on its worker; NULL: in none
	uint32_t flags;
	bool is_restore; // back to what is in force, after a refusal
	resync_done_fn *fn;
	void *arg;
};

static void on_changed(void *arg, int error);

static int start(struct session *session, const struct voice_change *from)
{
	struct voice_change *change = malloc(sizeof(*change));

	if (change == NULL)
		return -ENOMEM;
	*change = *from;
	change->session = session;
	change->next = session->changes;
	session->changes = change;
	session->wanted_part = change->part;
	session->wanted_flags = change->flags;
	if (change->part != NULL)
		registry_room_part_hold(change->server->registry, change->part);
	resync_session_set(change->server->resync, session, on_changed, change);
	return 0;
}

// Out of the session's list. True: it was the newest.
static bool take_out(struct voice_change *change)
{
	struct voice_change **at = &change->session->changes;
	bool is_newest = *at == change;

	while (*at != change)
		at = &(*at)->next;
	*at = change->next;
	change->session = NULL;
	return is_newest;
}

// Its part may close, if nobody else is there.
static void let_go(struct voice_change *change)
{
	if (change->part != NULL)
		registry_room_part_release(change->server->registry, change->part);
	change->part = NULL;
}

static void move(struct voice_server *server, struct session *session, struct room_part *to)
{
	voice_room_left(session->room, session);
	voice_room_forget(session);
	session->intent->speaking = 0;
	registry_session_move(server->registry, session, to);
	voice_room_snapshot(session);
	if (session->intent->phase == INTENT_PHASE_ACTIVE)
		voice_room_joined(session);
}

// The engine refused the newest change: it may have moved the session out of its room already.
static void restore(struct voice_server *server, struct session *session)
{
	const struct voice_change change = {.server = server,
		.part = session->part,
		.flags = session->intent->flags,
		.is_restore = true};

	if (start(session, &change) != 0)
		voice_member_end(server, session, VOICE_CLOSE_SESSION_INVALID);
}

static void on_changed(void *arg, int error)
{
	struct voice_change *change = arg;
	struct voice_server *server = change->server;
	struct session *session = change->session;
	bool is_newest = false;

	if (session != NULL)
		is_newest = take_out(change);
	if (session != NULL && error == 0) {
		session->intent->flags = change->flags;
		if (session->part != change->part)
			move(server, session, change->part);
	} else if (session != NULL && is_newest && error != -ECANCELED) {
		if (!change->is_restore)
			restore(server, session);
		else if (error != -ETIMEDOUT) // the next engine is told again
			voice_server_refused(server, session, error);
	}
	let_go(change);
	voice_server_tidy(server);
	if (change->fn != NULL)
		change->fn(change->arg, error);
	free(change);
}

void voice_change_drop(struct session *session)
{
	while (session->changes != NULL) {
		struct voice_change *change = session->changes;

		take_out(change); // on_changed() frees it, when it is called with -ECANCELED
		let_go(change);
	}
}

void voice_change_fini(struct voice_server *server)
{
	struct session *session = NULL;

	while ((session = registry_session_next(server->registry, session)) != NULL)
		while (session->changes != NULL) {
			struct voice_change *change = session->changes;

			take_out(change);
			let_go(change);
			free(change);
		}
}

int voice_server_update(struct voice_server *server, struct session *session, uint32_t flags,
	uint64_t channel_id, resync_done_fn *fn, void *arg)
{
	struct voice_change change = {.server = server, .flags = flags, .fn = fn, .arg = arg};
	int error;

	if (channel_id != 0) {
		change.part = registry_room_part_get(
			server->registry, session->guild, session->worker, channel_id);
		if (change.part == NULL)
			return -ENOSPC;
	}
	error = start(session, &change);
	if (error != 0)
		voice_server_tidy(server);
	return error;
}
