// SPDX-License-Identifier: BSD-3-Clause
//
// Joining: tokens, SSRC, key, and the frames that carry them. A token serves one Identify of its
// user, guild and session; a Resume (voice_resume.c) shows it again for the session that it made.

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "dplink/dplink.h"
#include "http/ws.h"
#include "log/log.h"
#include "registry/registry.h"
#include "signaling/voice_conn.h"

bool voice_token_fits(const char *token, const uint8_t *digest)
{
	uint8_t own[INTENT_DIGEST_SIZE];

	if (token[0] == '\0')
		return false; // none, or longer than any of ours
	SHA256((const uint8_t *)token, strlen(token), own);
	return CRYPTO_memcmp(own, digest, sizeof(own)) == 0;
}

// 4011: this node does not serve the guild (it may have moved away); clients then ask the main
// gateway anew. 4006: no token waits for this user. 4004: one does, or did, but not this one.
static enum voice_close check_identify(const struct voice_server *server,
	const struct voice_identify *identify, struct intent_pending **out)
{
	struct registry *registry = server->registry;
	uint64_t guild_id = identify->server_id, user_id = identify->user_id;
	struct intent_pending *pending;
	const struct session *session;

	if (registry_guild_find(registry, guild_id) == NULL)
		return VOICE_CLOSE_SERVER_NOT_FOUND;
	pending = registry_pending_find(registry, guild_id, user_id);
	if (pending == NULL) {
		session = registry_session_find(registry, guild_id, user_id);
		if (session != NULL &&
			strcmp(session->intent->session_id, identify->session_id) == 0)
			return VOICE_CLOSE_AUTHENTICATION; // its token was used
		return VOICE_CLOSE_SESSION_INVALID;
	}
	if (voice_now_ms(server) >= pending->expires_ms ||
		strcmp(pending->session_id, identify->session_id) != 0)
		return VOICE_CLOSE_SESSION_INVALID;
	if (!voice_token_fits(identify->token, pending->token_digest))
		return VOICE_CLOSE_AUTHENTICATION;
	*out = pending;
	return VOICE_CLOSE_NONE;
}

// An older session of the same user gives way. The same main session coming again must not be told
// to stay away (4014); another device of the user must.
static void replace_older(struct voice_server *server, const struct intent_pending *pending)
{
	struct session *older =
		registry_session_find(server->registry, pending->guild_id, pending->user_id);
	bool is_same;

	if (older == NULL)
		return;
	is_same = strcmp(older->intent->session_id, pending->session_id) == 0;
	voice_server_end(server, older,
		is_same ? VOICE_CLOSE_SESSION_INVALID : VOICE_CLOSE_DISCONNECTED, NULL, NULL);
}

static int add_session(
	struct voice_conn *conn, const struct intent_pending *pending, struct session **out)
{
	struct voice_server *server = conn->server;
	struct registry_session_params params = {
		.guild = registry_guild_find(server->registry, pending->guild_id),
		.worker = pending->worker,
		.user_id = pending->user_id,
		.flags = pending->flags,
		.version = conn->machine.version,
		.session_id = pending->session_id,
		.token_digest = pending->token_digest,
	};

	// The token holds it, so that the place that was promised is there.
	if (pending->channel_id != 0) {
		params.part = registry_room_part_get(
			server->registry, params.guild, params.worker, pending->channel_id);
		if (params.part == NULL)
			return -ENOSPC;
	}
	return registry_session_add(server->registry, &params, out);
}

static void on_added(void *arg, int error)
{
	struct voice_conn *conn = arg;
	enum voice_action action = voice_session_added(&conn->machine, error);

	if (action == VOICE_DO_CLOSE && conn->session != NULL) {
		struct session *session = conn->session;

		session->conn = NULL;
		conn->session = NULL;
		voice_member_end(conn->server, session, VOICE_CLOSE_CRASHED);
	}
	voice_conn_act(conn, action, NULL);
}

// What may be looked at costs something, and a right token among many wrong ones is a guess.
bool voice_conn_is_blocked(struct voice_conn *conn)
{
	return admission_is_blocked(
		conn->server->admission, &conn->ticket, voice_now_ms(conn->server));
}

// 4006 and 4011 do not count: all clients of an address may be told them at once when a node or a
// guild has moved, and without any fault of theirs.
void voice_conn_judged(struct voice_conn *conn, enum voice_close refusal)
{
	struct admission *admission = conn->server->admission;

	if (refusal == VOICE_CLOSE_AUTHENTICATION)
		admission_failed(admission, &conn->ticket, voice_now_ms(conn->server));
	if (refusal == VOICE_CLOSE_NONE)
		admission_release(admission, &conn->ticket);
}

void voice_join_authenticate(struct voice_conn *conn, const struct voice_identify *identify)
{
	struct voice_server *server = conn->server;
	uint64_t now_ms = voice_now_ms(server);
	struct intent_pending *pending = NULL;
	enum voice_close refusal = voice_conn_is_blocked(conn)
					   ? VOICE_CLOSE_RATE_LIMITED
					   : check_identify(server, identify, &pending);
	struct session *session = NULL;

	voice_conn_judged(conn, refusal);
	if (refusal == VOICE_CLOSE_NONE) {
		replace_older(server, pending);
		if (add_session(conn, pending, &session) != 0) {
			log_warn("node is full: a session is refused");
			refusal = VOICE_CLOSE_CRASHED;
			voice_member_departed(
				server, pending->guild_id, pending->user_id, pending->session_id);
		}
		registry_pending_remove(server->registry, pending);
		voice_server_tidy(server);
	}
	if (session != NULL) {
		ws_conn_limit_message(conn->ws, VOICE_MESSAGE_SIZE_MAX);
		conn->session = session;
		session->conn = conn;
		conn->identified_ms = now_ms;
		conn->offered = *identify;
		explicit_bzero(conn->offered.token, sizeof(conn->offered.token));
	}
	voice_conn_act(conn, voice_session_authenticated(&conn->machine, refusal, now_ms), NULL);
	if (session != NULL)
		resync_session_add(server->resync, session, on_added, conn);
}

void voice_join_ready(struct voice_conn *conn)
{
	struct voice_server *server = conn->server;
	struct session *session = conn->session;
	char data[VOICE_TEXT_SIZE];
	struct voice_text text;
	struct voice_ready ready = {
		.ssrc = session->intent->ssrc,
		.ip = server->params.ip != NULL ? server->params.ip : server->params.ip6,
		.ip6 = server->params.ip6,
		.port = (uint16_t)(dplink_first_port(resync_link(server->resync)) +
				   session->worker),
		.identify = &conn->offered,
	};

	memcpy(ready.suites, server->suites, sizeof(ready.suites));
	voice_text_init(&text, data, sizeof(data));
	voice_encode_ready(&text, &ready);
	session->intent->phase = INTENT_PHASE_READY;
	voice_conn_send(conn, VOICE_OP_READY, &text);
	voice_room_snapshot(session);
}

static bool suite_is_offered(const struct voice_server *server, enum dp_suite suite)
{
	for (unsigned index = 0; server->suites[index] != DP_SUITE_NONE; index++)
		if (server->suites[index] == suite)
			return true;
	return false;
}

static int make_media_session_id(char *out, size_t out_size)
{
	uint8_t random[16];

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -EIO;
	for (unsigned index = 0; index < sizeof(random); index++)
		snprintf(out + 2 * index, out_size - 2 * index, "%02x", random[index]);
	return 0;
}

// The order matters to a successor of this process: a key id is used up before its key is written,
// and names a key only when all of it is there. So no (session, key id) ever has two keys.
static int make_key(struct intent_session *intent, enum dp_suite suite)
{
	if (make_media_session_id(intent->media_session_id, sizeof(intent->media_session_id)) != 0)
		return -EIO;
	__atomic_store_n(&intent->key_id, 0, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&intent->key_id_last, 1, __ATOMIC_SEQ_CST);
	if (getrandom(intent->key, sizeof(intent->key), 0) != (ssize_t)sizeof(intent->key))
		return -EIO;
	intent->suite = suite;
	__atomic_store_n(&intent->key_id, intent->key_id_last, __ATOMIC_SEQ_CST);
	return 0;
}

void voice_join_keyed(void *arg, int error)
{
	struct voice_conn *conn = arg;

	if (error != 0 && error != -ETIMEDOUT && conn->session != NULL) {
		// It may not be resumed either: the engine will never have this key.
		voice_server_refused(conn->server, conn->session, error);
		return;
	}
	voice_conn_act(conn, voice_session_keyed(&conn->machine, error), NULL);
}

void voice_join_select(struct voice_conn *conn, const struct voice_select *select)
{
	struct voice_server *server = conn->server;
	struct intent_session *intent = conn->session->intent;
	enum dp_suite suite = voice_suite_of_mode(select->mode);
	int error = 0;

	if (!suite_is_offered(server, suite)) {
		voice_conn_act(
			conn, voice_session_end(&conn->machine, VOICE_CLOSE_UNKNOWN_MODE), NULL);
		return;
	}
	intent->hint = select->address;
	// Asked again in the same mode, the key stays: discord.js takes only its first op 4.
	if (intent->key_id == 0 || intent->suite != (uint32_t)suite)
		error = make_key(intent, suite);
	if (error != 0)
		voice_join_keyed(conn, error);
	else
		resync_session_key(server->resync, conn->session, voice_join_keyed, conn);
}

void voice_join_send_key(struct voice_conn *conn)
{
	const struct intent_session *intent = conn->session->intent;
	char data[VOICE_TEXT_SIZE];
	struct voice_text text;

	voice_text_init(&text, data, sizeof(data));
	voice_encode_description(&text, (enum dp_suite)intent->suite, intent->key,
		intent->media_session_id, conn->machine.dave);
	voice_conn_send(conn, VOICE_OP_SESSION_DESCRIPTION, &text);
	explicit_bzero(data, sizeof(data));
	if (conn->session->intent->phase == INTENT_PHASE_ACTIVE)
		return;
	conn->session->intent->phase = INTENT_PHASE_ACTIVE;
	voice_room_joined(conn->session);
}

void voice_join_describe(struct voice_conn *conn)
{
	struct voice_server *server = conn->server;

	if (conn->identified_ms != 0)
		voice_stats_joined(&server->stats, voice_now_ms(server) - conn->identified_ms);
	conn->identified_ms = 0;
	voice_join_send_key(conn);
}
