// SPDX-License-Identifier: BSD-3-Clause
//
// The calls of rest.h. Error bodies are {message, code} with the codes of the public API.
#include "gateway/rest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/payload.h"
#include "json/json.h"
#include "log/log.h"

struct rest_pending {
	struct http_exchange *exchange;
	const struct guild *guild;
	const struct member *member;
};

struct call {
	struct http_exchange *exchange;
	const struct http_request *request;
	const char *path; // below /api/v10
	uint64_t now_ms;
};

void rest_respond(struct rest *rest, struct http_exchange *exchange, unsigned status, json_t *body)
{
	char *text = json_encode(body);

	if (text != NULL)
		rest->respond(exchange, status, NULL, text, strlen(text));
	else if (body == NULL && status == 204)
		rest->respond(exchange, status, NULL, "", 0);
	else
		rest->respond(exchange, 500, NULL, "{}", 2);
	json_text_free(text);
}

static void refuse(struct rest *rest, struct http_exchange *exchange, unsigned status, int code,
	const char *message)
{
	rest_respond(
		rest, exchange, status, json_pack("{s:s,s:i}", "message", message, "code", code));
}

// Who calls. NULL: nobody that we know, or from an address that has presented too many tokens that
// nobody has; then the call is answered.
static const struct user *caller(struct rest *rest, const struct call *call)
{
	const struct http_request *request = call->request;
	struct hub *hub = rest->hub;
	const struct user *user = NULL;

	if (admission_is_blocked(hub->admission, request->ticket, call->now_ms)) {
		refuse(rest, call->exchange, 429, 0, "Too many unknown tokens.");
		return NULL;
	}
	if (strncmp(request->authorization, "Bot ", 4) == 0)
		user = model_user_by_token(hub->model, request->authorization + 4);
	if (user != NULL) {
		admission_release(hub->admission, request->ticket);
		return user;
	}
	hub->stats.auth_failures++;
	if (request->authorization[0] != '\0') // without a token nothing is guessed
		admission_failed(hub->admission, request->ticket, call->now_ms);
	refuse(rest, call->exchange, 401, 0, "401: Unauthorized");
	return NULL;
}

// --- where and who ---

static void gateway_get(struct rest *rest, const struct call *call)
{
	char url[256];

	hub_public_url(rest->hub, call->request->host, url, sizeof(url));
	rest_respond(rest, call->exchange, 200, json_pack("{s:s}", "url", url));
}

static void gateway_bot_get(struct rest *rest, const struct call *call, const struct user *user)
{
	char url[256];

	(void)user;
	hub_public_url(rest->hub, call->request->host, url, sizeof(url));
	rest_respond(rest, call->exchange, 200,
		json_pack("{s:s,s:i,s:{s:i,s:i,s:i,s:i}}", "url", url, "shards", 1,
			"session_start_limit", "total", 1000, "remaining", 1000, "reset_after", 0,
			"max_concurrency", 16));
}

static void self_get(struct rest *rest, const struct call *call, const struct user *user)
{
	rest_respond(rest, call->exchange, 200, payload_user(user, true));
}

// --- members ---

static void member_get(struct rest *rest, const struct call *call, const struct guild *guild,
	const struct member *member)
{
	rest_respond(rest, call->exchange, 200, payload_member(guild, member));
}

// true, false or null; anything else is refused.
static bool flag_parse(const json_t *body, const char *name, bool *has, bool *value)
{
	const json_t *member = json_object_get(body, name);

	*has = json_is_boolean(member);
	*value = json_is_true(member);
	return member == NULL || json_is_null(member) || json_is_boolean(member);
}

static bool patch_parse(const json_t *body, struct core_patch *patch)
{
	const json_t *channel = json_object_get(body, "channel_id");

	*patch = (struct core_patch){0};
	if (!json_is_object(body))
		return false;
	patch->has_channel = channel != NULL;
	if (channel != NULL && !json_is_null(channel) &&
		(!json_is_id(channel, &patch->channel_id) || patch->channel_id == 0))
		return false;
	return flag_parse(body, "mute", &patch->has_mute, &patch->mute) &&
	       flag_parse(body, "deaf", &patch->has_deaf, &patch->deaf);
}

static void patch_begin(struct rest *rest, const struct call *call, struct guild *guild,
	struct member *member, const struct core_patch *patch)
{
	struct rest_pending *pending = calloc(1, sizeof(*pending));
	int error;

	if (pending == NULL) {
		refuse(rest, call->exchange, 503, 0, "out of memory");
		return;
	}
	*pending =
		(struct rest_pending){.exchange = call->exchange, .guild = guild, .member = member};
	error = core_member_patch(rest->hub->core, guild, member, patch, pending, call->now_ms);
	if (error != 0)
		rest_done(rest, pending, error);
}

static void member_patch(
	struct rest *rest, const struct call *call, struct guild *guild, struct member *member)
{
	json_t *body =
		call->request->body_size > REST_BODY_SIZE_MAX
			? NULL
			: json_decode(call->request->body, call->request->body_size, NULL, 0);
	struct core_patch patch;
	bool valid = patch_parse(body, &patch);

	json_decref(body);
	if (!valid)
		refuse(rest, call->exchange, 400, 50035, "Invalid Form Body");
	else if (!patch.has_mute && !patch.has_deaf && !patch.has_channel)
		member_get(rest, call, guild, member);
	else
		patch_begin(rest, call, guild, member, &patch);
}

void rest_done(struct rest *rest, void *request, int error)
{
	struct rest_pending *pending = request;
	struct http_exchange *exchange = pending->exchange;

	switch (error) {
	case 0:
		rest_respond(rest, exchange, 200, payload_member(pending->guild, pending->member));
		break;
	case -ENOTCONN:
		refuse(rest, exchange, 400, 40032, "Target user is not connected to voice.");
		break;
	case -ENOENT:
		refuse(rest, exchange, 404, 10003, "Unknown Channel");
		break;
	case -ENOMEM:
		refuse(rest, exchange, 503, 0, "The gateway is out of memory.");
		break;
	case -ETIMEDOUT:
		refuse(rest, exchange, 504, 0, "The voice node did not answer.");
		break;
	default:
		refuse(rest, exchange, 503, 0, "The voice node refused.");
		break;
	}
	free(pending);
}

// /guilds/{guild}/members/{user}
static void members_call(struct rest *rest, const struct call *call, const struct user *user)
{
	char guild_text[JSON_SNOWFLAKE_SIZE], user_text[JSON_SNOWFLAKE_SIZE];
	int end = 0;
	struct member *member, *self;
	struct guild *guild;

	if (sscanf(call->path, "/guilds/%20[0-9]/members/%20[0-9]%n", guild_text, user_text,
		    &end) != 2 ||
		call->path[end] != '\0') {
		refuse(rest, call->exchange, 404, 0, "404: Not Found");
		return;
	}
	guild = model_guild(rest->hub->model, strtoull(guild_text, NULL, 10));
	self = guild == NULL ? NULL : guild_member(guild, user->id);
	if (self == NULL) {
		refuse(rest, call->exchange, 404, 10004, "Unknown Guild");
		return;
	}
	member = guild_member(guild, strtoull(user_text, NULL, 10));
	if (member == NULL)
		refuse(rest, call->exchange, 404, 10007, "Unknown Member");
	else if (strcmp(call->request->method, "GET") == 0)
		member_get(rest, call, guild, member);
	else if (strcmp(call->request->method, "PATCH") != 0)
		refuse(rest, call->exchange, 405, 0, "405: Method Not Allowed");
	else if (!self->moderator)
		refuse(rest, call->exchange, 403, 50013, "Missing Permissions");
	else
		member_patch(rest, call, guild, member);
}

// --- dispatch ---

// Cuts "/api" and "/v10" off. NULL: not ours.
static const char *api_path(const char *path)
{
	if (strncmp(path, "/api/", 5) != 0)
		return NULL;
	path += 4;
	if (path[1] == 'v' && path[2] >= '0' && path[2] <= '9') {
		path = strchr(path + 1, '/');
	}
	return path;
}

void rest_handle(struct rest *rest, struct http_exchange *exchange,
	const struct http_request *request, uint64_t now_ms)
{
	struct call call = {exchange, request, api_path(request->path), now_ms};
	bool is_get = strcmp(request->method, "GET") == 0;
	const struct user *user;

	if (call.path == NULL) {
		refuse(rest, exchange, 404, 0, "404: Not Found");
		return;
	}
	if (is_get && strcmp(call.path, "/gateway") == 0) {
		gateway_get(rest, &call);
		return;
	}
	user = caller(rest, &call);
	if (user == NULL)
		return;
	if (is_get && strcmp(call.path, "/gateway/bot") == 0)
		gateway_bot_get(rest, &call, user);
	else if (is_get && strcmp(call.path, "/users/@me") == 0)
		self_get(rest, &call, user);
	else
		members_call(rest, &call, user);
}
