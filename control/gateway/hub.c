// SPDX-License-Identifier: BSD-3-Clause
//
// Events from the core to sessions, and the sessions' time. See hub.h.
#include "gateway/hub.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "gateway/client.h"
#include "gateway/payload.h"
#include "log/log.h"

void hub_dispatch(struct hub *hub, struct session *session, struct event *event)
{
	(void)hub;
	session_keep(session, event);
	if (session->client != NULL)
		client_send_event(session->client, event, session->seq);
}

void hub_session_end(struct hub *hub, struct session *session, uint64_t now_ms)
{
	struct user *user = session->user;
	char id[SESSION_ID_SIZE];

	memcpy(id, session->id, sizeof(id));
	if (session->client != NULL)
		session->client->session = NULL;
	session_destroy(&hub->sessions, session);
	hub->session_count--;
	hub->stats.sessions_ended++;
	core_session_ended(hub->core, user, id, now_ms);
}

// Everyone in the guild who asked for voice states, and the session itself in any case: its voice
// connection waits for it.
static bool wants_voice_state(
	const struct session *session, const struct guild *guild, const struct member *member)
{
	if (session->user == member->user && strcmp(session->id, member->voice.session_id) == 0)
		return true;
	return (session->intents & INTENT_GUILD_VOICE_STATES) != 0 &&
	       session_sees(session, guild->id);
}

void hub_voice_state(struct hub *hub, const struct guild *guild, const struct member *member)
{
	struct event *event =
		event_create("VOICE_STATE_UPDATE", payload_voice_state(guild, member, true));

	if (event == NULL)
		return;
	for (uint32_t i = 0; i < guild->member_count; i++) {
		struct session *session = guild->members[i].user->sessions;

		for (; session != NULL; session = session->next_of_user)
			if (wants_voice_state(session, guild, member))
				hub_dispatch(hub, session, event);
	}
	event_release(event);
}

void hub_voice_server(struct hub *hub, const struct guild *guild, const struct member *member,
	const char *token, const char *endpoint)
{
	struct session *session = session_find(member->user, member->voice.session_id);
	struct event *event;

	if (session == NULL)
		return;
	event = event_create("VOICE_SERVER_UPDATE", payload_voice_server(guild, token, endpoint));
	if (event == NULL)
		return;
	hub_dispatch(hub, session, event);
	event_release(event);
}

static void client_tick(struct hub *hub, struct client *client, uint64_t now_ms)
{
	if (client->session == NULL && now_ms - client->opened_ms >= CLIENT_IDENTIFY_MS) {
		client_close(client, CLOSE_NOT_AUTHENTICATED, "no identify in time");
		return;
	}
	if (now_ms - client->beat_ms < CLIENT_ZOMBIE_MS || client->closing)
		return;
	hub->stats.zombies++;
	client_close(client, CLOSE_TIMED_OUT, "no heartbeat");
}

void hub_tick(struct hub *hub, uint64_t now_ms)
{
	struct session *next;

	for (struct client *client = hub->clients; client != NULL; client = client->next)
		client_tick(hub, client, now_ms);
	for (struct session *session = hub->sessions; session != NULL; session = next) {
		next = session->next;
		if (session->client == NULL && now_ms - session->detached_ms >= SESSION_WINDOW_MS)
			hub_session_end(hub, session, now_ms);
	}
}

void hub_fini(struct hub *hub)
{
	while (hub->sessions != NULL)
		session_destroy(&hub->sessions, hub->sessions);
	hub->session_count = 0;
}

// Nothing but what a host and port consist of may come back out of a header.
static bool host_valid(const char *host)
{
	if (*host == '\0')
		return false;
	for (; *host != '\0'; host++)
		if (!isalnum((unsigned char)*host) && strchr(".:-[]", *host) == NULL)
			return false;
	return true;
}

void hub_public_url(const struct hub *hub, const char *host, char *out, size_t out_size)
{
	const char *scheme = hub->config->tls_certificate[0] != '\0' ? "wss" : "ws";

	if (hub->config->public_url[0] != '\0')
		snprintf(out, out_size, "%s", hub->config->public_url);
	else
		snprintf(out, out_size, "%s://%s", scheme,
			host_valid(host) ? host : hub->config->listen);
}
