// SPDX-License-Identifier: BSD-3-Clause
//
// Resuming: another socket for a session that is there, with what its client missed.

#include <errno.h>

#include "http/ws.h"
#include "registry/registry.h"
#include "signaling/voice_conn.h"

static enum voice_close check_resume(const struct voice_server *server,
	const struct voice_identify *resume, unsigned version, struct session **out)
{
	struct resume_cursor cursor;
	struct session *session = registry_session_find_by_id(
		server->registry, resume->server_id, resume->session_id);

	if (session == NULL || session->intent->phase == INTENT_PHASE_ADDING)
		return VOICE_CLOSE_SESSION_INVALID;
	if (!voice_token_fits(resume->token, session->intent->token_digest))
		return VOICE_CLOSE_AUTHENTICATION;
	// What it has, and what is kept for it, is of the version that it began with.
	if (session->intent->version != version)
		return VOICE_CLOSE_SESSION_INVALID;
	if (session->intent->version >= VOICE_VERSION_NUMBERED &&
		resume_begin(&session->intent->ring, resume->seq_ack, &cursor) != 0)
		return VOICE_CLOSE_SESSION_INVALID; // what it missed is no longer here
	*out = session;
	return VOICE_CLOSE_NONE;
}

// The socket that the session had is no longer its own; what it still says does not count.
static void take_over(struct voice_conn *conn, struct session *session)
{
	struct voice_conn *older = session->conn;

	session->conn = conn;
	conn->session = session;
	if (older == NULL)
		return;
	older->session = NULL;
	voice_conn_act(
		older, voice_session_end(&older->machine, VOICE_CLOSE_SESSION_INVALID), NULL);
}

// A key that the engine did not acknowledge, to us, is not told yet: what was sealed with it would
// be lost, or its client be told of a key that is refused.
static enum voice_key_state key_state(const struct session *session)
{
	if (session == NULL || session->intent->key_id == 0)
		return VOICE_KEY_NONE;
	return registry_is_settled(&session->sync) ? VOICE_KEY_IN_FORCE : VOICE_KEY_UNDER_WAY;
}

// Waits as long as the engine stays away: the client was told that it is resumed, and its own key
// may well be in force.
static void on_resumed_keyed(void *arg, int error)
{
	struct voice_conn *conn = arg;

	if (error == -ETIMEDOUT && conn->session != NULL &&
		!registry_is_settled(&conn->session->sync))
		resync_session_wait(conn->server->resync, conn->session, on_resumed_keyed, conn);
	else
		voice_join_keyed(conn, error);
}

// Resumed, what was missed, and Session Description once more, as soon as the engine has the key:
// discord.py waits for it after a Resume, discord.js ignores it where it has a key.
static void replay(struct voice_conn *conn, uint32_t seq_ack)
{
	struct intent_session *intent = conn->session->intent;
	struct resume_cursor cursor;
	char data[VOICE_TEXT_SIZE];
	struct voice_text text;
	size_t size;

	voice_text_init(&text, data, sizeof(data));
	voice_encode_resumed(&text);
	voice_conn_send(conn, VOICE_OP_RESUMED, &text);
	if (voice_session_is_numbered(&conn->machine) &&
		resume_begin(&intent->ring, seq_ack, &cursor) == 0)
		while (resume_next(&intent->ring, &cursor, data, sizeof(data), &size))
			if (ws_conn_send(conn->ws, data, size, false) != 0)
				return;
	if (conn->machine.state == VOICE_KEYING)
		resync_session_wait(conn->server->resync, conn->session, on_resumed_keyed, conn);
	if (conn->machine.state != VOICE_ACTIVE)
		return;
	voice_join_send_key(conn);
}

void voice_resume(struct voice_conn *conn, const struct voice_identify *resume)
{
	struct voice_server *server = conn->server;
	struct session *session = NULL;
	enum voice_close refusal = VOICE_CLOSE_RATE_LIMITED;
	uint32_t seq_ack = resume->seq_ack;
	enum voice_action action;

	if (!voice_conn_is_blocked(conn))
		refusal = check_resume(server, resume, conn->machine.version, &session);
	voice_conn_judged(conn, refusal);
	if (session != NULL) {
		ws_conn_limit_message(conn->ws, VOICE_MESSAGE_SIZE_MAX);
		take_over(conn, session);
	}
	action = voice_session_resumed(
		&conn->machine, refusal, key_state(session), voice_now_ms(server));
	if (action != VOICE_DO_REPLAY) {
		server->stats.resumes_refused++;
		voice_conn_act(conn, action, NULL);
		return;
	}
	server->stats.resumed++;
	replay(conn, seq_ack);
}
