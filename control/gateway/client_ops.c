// SPDX-License-Identifier: BSD-3-Clause
//
// What a client's opcodes do: identify, resume, voice state, member requests.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gateway/client.h"
#include "gateway/payload.h"
#include "json/json.h"
#include "log/log.h"

#define OP_INVALID_SESSION 9
#define INTENTS_MAX 0x7ffffffu // bits that the API has defined so far, and then some

static void event_send(struct client *client, const char *type, json_t *data)
{
	struct event *event = event_create(type, data);

	if (event == NULL)
		return;
	hub_dispatch(client->hub, client->session, event);
	event_release(event);
}

static struct user *token_user(const struct hub *hub, const json_t *d)
{
	const char *token = json_get_string(d, "token");

	if (token == NULL)
		return NULL;
	if (strncmp(token, "Bot ", 4) == 0)
		token += 4;
	return model_user_by_token(hub->model, token);
}

// Who presents the token in 'd'. NULL: nobody that we know, or from an address that has presented
// too many; then the connection is closed.
static struct user *authenticate(struct client *client, const json_t *d, uint64_t now_ms)
{
	struct hub *hub = client->hub;
	struct user *user;

	if (admission_is_blocked(hub->admission, &client->ticket, now_ms)) {
		client_close(client, CLOSE_RATE_LIMITED, "too many unknown tokens");
		return NULL;
	}
	user = token_user(hub, d);
	if (user != NULL)
		return user;
	hub->stats.auth_failures++;
	admission_failed(hub->admission, &client->ticket, now_ms);
	client_close(client, CLOSE_AUTHENTICATION, "unknown token");
	return NULL;
}

// Only now is it no stranger: with a token alone, a resume of nothing could be sent for ever.
static void session_attach(struct client *client, struct session *session)
{
	session->client = client;
	client->session = session;
	admission_release(client->hub->admission, &client->ticket);
}

// --- identify ---

static json_t *guilds_unavailable(const struct hub *hub, const struct session *session)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < hub->model->guild_count; i++) {
		const struct guild *guild = &hub->model->guilds[i];

		if (guild_member(guild, session->user->id) != NULL &&
			session_sees(session, guild->id))
			json_array_append_new(list,
				json_pack("{s:o,s:b}", "id", json_id(guild->id), "unavailable", 1));
	}
	return list;
}

static void ready_send(struct client *client)
{
	const struct session *session = client->session;
	const struct hub *hub = client->hub;
	char url[256];
	json_t *data;

	hub_public_url(hub, client->host, url, sizeof(url));
	data = json_pack("{s:i,s:o,s:o,s:s,s:s,s:s,s:{s:o,s:i},s:[i,i]}", "v", 10, "user",
		payload_user(session->user, true), "guilds", guilds_unavailable(hub, session),
		"session_id", session->id, "resume_gateway_url", url, "session_type", "normal",
		"application", "id", json_id(session->user->id), "flags", 0, "shard",
		(int)session->shard_index, (int)session->shard_count);
	json_object_update_new(data,
		json_pack("{s:[],s:[],s:[],s:[],s:{},s:{}}", "private_channels", "relationships",
			"presences", "geo_ordered_rtc_regions", "auth", "user_settings"));
	event_send(client, "READY", data);
}

static void guilds_send(struct client *client)
{
	const struct session *session = client->session;
	const struct model *model = client->hub->model;

	for (uint32_t i = 0; i < model->guild_count && !client->closing; i++) {
		const struct guild *guild = &model->guilds[i];

		if (guild_member(guild, session->user->id) != NULL &&
			session_sees(session, guild->id))
			event_send(client, "GUILD_CREATE", payload_guild(guild, session->user));
	}
}

// Absent: the one shard of one.
static bool shard_parse(const json_t *d, uint32_t *index, uint32_t *count)
{
	const json_t *shard = json_object_get(d, "shard");
	json_int_t first, second;

	*index = 0;
	*count = 1;
	if (shard == NULL || json_is_null(shard))
		return true;
	if (json_array_size(shard) != 2 || !json_is_integer(json_array_get(shard, 0)) ||
		!json_is_integer(json_array_get(shard, 1)))
		return false;
	first = json_integer_value(json_array_get(shard, 0));
	second = json_integer_value(json_array_get(shard, 1));
	if (first < 0 || second < 1 || second > 65536 || first >= second)
		return false;
	*index = (uint32_t)first;
	*count = (uint32_t)second;
	return true;
}

static void session_id_make(const struct hub *hub, char id[SESSION_ID_SIZE])
{
	uint8_t random[(SESSION_ID_SIZE - 1) / 2];

	hub->random(hub->random_ctx, random, sizeof(random));
	for (size_t i = 0; i < sizeof(random); i++)
		snprintf(id + 2 * i, 3, "%02x", random[i]);
}

// The oldest that waits for a resume gives way. False: all of them are in use.
static bool session_make_room(struct hub *hub, const struct user *user, uint64_t now_ms)
{
	while (user->session_count >= SESSIONS_PER_USER_MAX) {
		struct session *oldest = session_oldest_detached(user);

		if (oldest == NULL)
			return false;
		hub_session_end(hub, oldest, now_ms);
	}
	return true;
}

void client_identify(struct client *client, const json_t *d, uint64_t now_ms)
{
	struct hub *hub = client->hub;
	struct session *session;
	uint32_t shard_index, shard_count;
	uint64_t intents;
	char id[SESSION_ID_SIZE];
	struct user *user;

	if (!json_is_object(d) || json_get_string(d, "token") == NULL) {
		client_close(client, CLOSE_DECODE, "identify needs a token");
		return;
	}
	user = authenticate(client, d, now_ms);
	if (user == NULL)
		return;
	if (!json_get_uint(d, "intents", INTENTS_MAX, &intents)) {
		client_close(client, CLOSE_INTENTS, "intents: a number");
		return;
	}
	if (!shard_parse(d, &shard_index, &shard_count)) {
		client_close(client, CLOSE_SHARD, "shard: [index, count]");
		return;
	}
	if (!session_make_room(hub, user, now_ms)) {
		hub->stats.crowded_users++;
		client_close(
			client, CLOSE_RATE_LIMITED, "too many sessions of this user are in use");
		return;
	}
	session_id_make(hub, id);
	session = session_create(&hub->sessions, user, id);
	if (session == NULL) {
		client_close(client, 1013, "out of memory");
		return;
	}
	hub->session_count++;
	hub->stats.identifies++;
	session->intents = (uint32_t)intents;
	session->shard_index = shard_index;
	session->shard_count = shard_count;
	session_attach(client, session);
	log_info("client identified user=%llu shard=%u/%u", (unsigned long long)user->id,
		shard_index, shard_count);
	ready_send(client);
	if ((intents & INTENT_GUILDS) != 0)
		guilds_send(client);
}

// --- resume ---

static void session_invalid(struct client *client)
{
	client->hub->stats.invalid_sessions++;
	client_send(
		client, json_pack("{s:i,s:b,s:n,s:n}", "op", OP_INVALID_SESSION, "d", 0, "s", "t"));
}

void client_resume(struct client *client, const json_t *d, uint64_t now_ms)
{
	struct hub *hub = client->hub;
	const char *id = json_get_string(d, "session_id");
	struct session *session;
	struct user *user;
	uint64_t seq, last;

	if (id == NULL || json_get_string(d, "token") == NULL ||
		!json_get_uint(d, "seq", INT64_MAX, &seq)) {
		client_close(client, CLOSE_DECODE, "resume needs token, session_id, seq");
		return;
	}
	user = authenticate(client, d, now_ms);
	if (user == NULL)
		return;
	session = session_find(user, id);
	if (session == NULL) {
		session_invalid(client);
		return;
	}
	if (seq > session->seq) {
		client_close(client, CLOSE_SEQ, "seq was never sent");
		return;
	}
	if (session->seq - seq > session->kept_count) { // what was missed is gone
		hub_session_end(hub, session, now_ms);
		session_invalid(client);
		return;
	}
	if (session->client != NULL) {
		struct client *old = session->client;

		old->session = NULL;
		client_close(old, CLOSE_RESUMED_ELSEWHERE, "resumed elsewhere");
	}
	session_attach(client, session);
	hub->stats.resumes++;
	last = session->seq;
	session_received(session, seq);
	for (uint64_t next = seq + 1; next <= last; next++)
		client_send_event(client, session_event(session, next), next);
	event_send(client, "RESUMED", json_object());
}

// --- the rest ---

void client_voice_state(struct client *client, const json_t *d, uint64_t now_ms)
{
	const json_t *channel = json_object_get(d, "channel_id");
	struct core_voice_update update = {
		.self_mute = json_get_bool(d, "self_mute", false),
		.self_deaf = json_get_bool(d, "self_deaf", false),
	};

	if (!json_get_id(d, "guild_id", &update.guild_id) ||
		(channel != NULL && !json_is_null(channel) &&
			!json_is_id(channel, &update.channel_id))) {
		client_close(client, CLOSE_DECODE, "voice state needs guild_id, channel_id");
		return;
	}
	core_voice_update(
		client->hub->core, client->session->user, client->session->id, &update, now_ms);
}

static bool id_listed(const json_t *ids, uint64_t id)
{
	uint64_t other;

	if (!json_is_array(ids))
		return json_is_id(ids, &other) && other == id;
	for (size_t i = 0; i < json_array_size(ids); i++)
		if (json_is_id(json_array_get(ids, i), &other) && other == id)
			return true;
	return false;
}

void client_request_members(struct client *client, const json_t *d)
{
	const json_t *ids = json_object_get(d, "user_ids");
	const char *query = json_get_string(d, "query"), *nonce = json_get_string(d, "nonce");
	struct guild *guild;
	json_t *members = json_array(), *data;
	uint64_t guild_id, limit = 0;

	guild = json_get_id(d, "guild_id", &guild_id) ? model_guild(client->hub->model, guild_id)
						      : NULL;
	if (guild == NULL || guild_member(guild, client->session->user->id) == NULL) {
		json_decref(members);
		return;
	}
	(void)json_get_uint(d, "limit", PAYLOAD_CHUNK_MAX, &limit);
	if (limit == 0)
		limit = PAYLOAD_CHUNK_MAX;
	for (uint32_t i = 0; i < guild->member_count && json_array_size(members) < limit; i++) {
		const struct member *member = &guild->members[i];

		if (ids != NULL ? id_listed(ids, member->user->id)
				: query == NULL || strncasecmp(member->user->name, query,
							   strlen(query)) == 0)
			json_array_append_new(members, payload_member(guild, member));
	}
	data = json_pack("{s:o,s:o,s:i,s:i,s:[]}", "guild_id", json_id(guild_id), "members",
		members, "chunk_index", 0, "chunk_count", 1, "not_found");
	if (nonce != NULL)
		json_object_set_new(data, "nonce", json_string(nonce));
	event_send(client, "GUILD_MEMBERS_CHUNK", data);
}
