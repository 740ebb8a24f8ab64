// SPDX-License-Identifier: BSD-3-Clause
//
// The life of a session after it began: moves, mutes, its socket's loss, its end. Who has gone for
// good is told to the gateway a moment later, so that a client that comes straight back is not
// reported.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dplink/dplink.h"
#include "http/ws.h"
#include "log/log.h"
#include "registry/registry.h"
#include "signaling/voice_conn.h"

#define DEPARTED_MS 5000u // a rejoin through the main gateway takes less than a second

struct voice_departed {
	struct voice_departed *next;
	uint64_t guild_id, user_id;
	uint64_t due_ms;
	char session_id[INTENT_SESSION_ID_SIZE];
};

void voice_member_departed(
	struct voice_server *server, uint64_t guild_id, uint64_t user_id, const char *session_id)
{
	struct voice_departed *departed = calloc(1, sizeof(*departed));

	if (departed == NULL)
		return; // the gateway will find out when it is asked next
	departed->guild_id = guild_id;
	departed->user_id = user_id;
	departed->due_ms = voice_now_ms(server) + DEPARTED_MS;
	snprintf(departed->session_id, sizeof(departed->session_id), "%s", session_id);
	departed->next = server->departed;
	server->departed = departed;
}

static bool came_back(const struct voice_server *server, const struct voice_departed *departed)
{
	uint64_t guild_id = departed->guild_id, user_id = departed->user_id;

	return registry_session_find(server->registry, guild_id, user_id) != NULL ||
	       registry_pending_find(server->registry, guild_id, user_id) != NULL;
}

static void tell_departed(struct voice_server *server, uint64_t now_ms)
{
	struct voice_departed **at = &server->departed;

	while (*at != NULL) {
		struct voice_departed *departed = *at;

		if (now_ms < departed->due_ms) {
			at = &departed->next;
			continue;
		}
		*at = departed->next;
		if (!came_back(server, departed))
			server->params.left(server->params.ctx, departed->guild_id,
				departed->user_id, departed->session_id);
		free(departed);
	}
}

void voice_member_fini(struct voice_server *server)
{
	while (server->departed != NULL) {
		struct voice_departed *next = server->departed->next;

		free(server->departed);
		server->departed = next;
	}
}

void voice_server_tidy(struct voice_server *server)
{
	struct room_part *room;
	struct guild_part *guild;

	while ((room = registry_idle_room_part(server->registry)) != NULL) {
		struct room *rest = registry_room_part_remove(server->registry, room);

		resync_room_close(server->resync, room, rest);
	}
	while ((guild = registry_idle_guild_part(server->registry)) != NULL) {
		registry_guild_part_remove(guild);
		resync_guild_close(server->resync, guild, NULL, NULL);
	}
}

void voice_server_end(struct voice_server *server, struct session *session, enum voice_close code,
	resync_done_fn *fn, void *arg)
{
	struct voice_conn *conn = session->conn;

	session->conn = NULL;
	if (conn != NULL) {
		conn->session = NULL;
		resync_forget(server->resync, conn); // what it waits for never comes
	}
	voice_room_left(session->room, session);
	registry_session_remove(server->registry, session);
	resync_session_remove(server->resync, session, fn, arg);
	voice_change_drop(session);
	voice_server_tidy(server);
	if (conn != NULL)
		voice_conn_act(conn, voice_session_end(&conn->machine, code), NULL);
}

void voice_member_end(struct voice_server *server, struct session *session, enum voice_close code)
{
	voice_member_departed(server, session->intent->guild_id, session->intent->user_id,
		session->intent->session_id);
	voice_server_end(server, session, code, NULL, NULL);
}

// 4006: its client asks the main gateway anew.
void voice_server_refused(struct voice_server *server, struct session *session, int error)
{
	log_warn("session ends because the packet engine refused it guild=%llu error=%s",
		(unsigned long long)session->intent->guild_id, strerror(-error));
	voice_member_end(server, session, VOICE_CLOSE_SESSION_INVALID);
}

void voice_member_detach(struct voice_server *server, struct session *session)
{
	session->conn = NULL;
	if (session->intent->phase == INTENT_PHASE_ADDING) {
		voice_member_end(server, session, VOICE_CLOSE_NONE);
		return;
	}
	session->detached_until_ms =
		voice_now_ms(server) + server->params.config->voice.resume_window_s * 1000ull;
}

void voice_member_leave(struct voice_server *server, struct session *session)
{
	session->conn = NULL;
	voice_member_end(server, session, VOICE_CLOSE_NONE);
}

void voice_member_adopt(struct voice_server *server)
{
	unsigned count = 0;

	for (struct guild *guild = registry_guilds(server->registry); guild != NULL;
		guild = guild->all_next)
		for (struct session *session = guild->sessions; session != NULL;
			session = session->guild_next, count++)
			voice_member_detach(server, session);
	if (count > 0)
		log_notice("sessions of the predecessor wait for their clients sessions=%u", count);
}

static void sweep_session(struct voice_server *server, struct session *session, uint64_t now_ms)
{
	if (session->conn == NULL && now_ms >= session->detached_until_ms) {
		voice_member_end(server, session, VOICE_CLOSE_SESSION_INVALID);
		return;
	}
	if (session->intent->key_id != 0 &&
		server->params.key_is_low(server->params.ctx, session)) {
		log_notice("session ends because its key has few nonces left guild=%llu",
			(unsigned long long)session->intent->guild_id);
		voice_member_end(server, session, VOICE_CLOSE_SESSION_INVALID);
	}
}

void voice_member_sweep(struct voice_server *server, uint64_t now_ms)
{
	for (struct guild *guild = registry_guilds(server->registry); guild != NULL;
		guild = guild->all_next)
		for (struct session *session = guild->sessions, *next; session != NULL;
			session = next) {
			next = session->guild_next;
			sweep_session(server, session, now_ms);
		}
	registry_pending_sweep(server->registry, 0, now_ms);
	tell_departed(server, now_ms);
}
