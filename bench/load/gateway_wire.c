// SPDX-License-Identifier: BSD-3-Clause
//
// Main gateway JSON: parse and build. Pure.
#include "load/gateway_wire.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "load/json_read.h"

// Intents: guilds and their voice states.
#define INTENTS (1 << 0 | 1 << 7)

static int hello_parse(const json_t *d, struct gateway_event *event)
{
	event->type = GATEWAY_HELLO;
	event->beat_ms = json_read_u32(d, "heartbeat_interval");
	return event->beat_ms != 0 ? 0 : -EPROTO;
}

static void ids_parse(const json_t *list, struct gateway_event *event)
{
	event->has_ids = json_is_array(list);
	for (size_t i = 0; i < json_array_size(list); i++) {
		uint64_t id = json_read_id(json_array_get(list, i), "id");

		if (event->id_count < GATEWAY_IDS_MAX)
			event->ids[event->id_count] = id;
		event->id_count++;
	}
}

static int ready_parse(const json_t *d, struct gateway_event *event)
{
	event->type = GATEWAY_READY;
	event->user_id = json_read_id(json_object_get(d, "user"), "id");
	ids_parse(json_object_get(d, "guilds"), event);
	if (event->user_id == 0 ||
		!json_read_text(d, "session_id", event->session_id, GATEWAY_TEXT_SIZE))
		return -EPROTO;
	return 0;
}

static int voice_state_parse(const json_t *d, struct gateway_event *event)
{
	event->type = GATEWAY_VOICE_STATE;
	event->guild_id = json_read_id(d, "guild_id");
	event->channel_id = json_read_id(d, "channel_id");
	event->user_id = json_read_id(d, "user_id");
	event->mute = json_is_true(json_object_get(d, "mute")) ||
		      json_is_true(json_object_get(d, "self_mute")) ||
		      json_is_true(json_object_get(d, "suppress"));
	event->deaf = json_is_true(json_object_get(d, "deaf")) ||
		      json_is_true(json_object_get(d, "self_deaf"));
	if (event->user_id == 0 || event->guild_id == 0 ||
		!json_read_text(d, "session_id", event->session_id, GATEWAY_TEXT_SIZE))
		return -EPROTO;
	return 0;
}

static int voice_server_parse(const json_t *d, struct gateway_event *event)
{
	event->type = GATEWAY_VOICE_SERVER;
	event->guild_id = json_read_id(d, "guild_id");
	if (event->guild_id == 0)
		return -EPROTO;
	// Wait for the next one: there is no node, so there need be no token for it.
	if (json_is_null(json_object_get(d, "endpoint")))
		return 0;
	return json_read_text(d, "token", event->token, GATEWAY_TEXT_SIZE) &&
			       json_read_text(d, "endpoint", event->endpoint, GATEWAY_TEXT_SIZE)
		       ? 0
		       : -EPROTO;
}

static int dispatch_parse(const json_t *root, const json_t *d, struct gateway_event *event)
{
	const char *name = json_string_value(json_object_get(root, "t"));
	const json_t *seq = json_object_get(root, "s");

	if (name == NULL || !json_is_integer(seq))
		return -EPROTO;
	event->seq = json_integer_value(seq);
	if (strcmp(name, "READY") == 0)
		return ready_parse(d, event);
	if (strcmp(name, "VOICE_STATE_UPDATE") == 0)
		return voice_state_parse(d, event);
	if (strcmp(name, "VOICE_SERVER_UPDATE") == 0)
		return voice_server_parse(d, event);
	if (strcmp(name, "RESUMED") == 0) {
		event->type = GATEWAY_RESUMED;
	} else if (strcmp(name, "GUILD_CREATE") == 0) {
		event->type = GATEWAY_GUILD;
		event->guild_id = json_read_id(d, "id");
		ids_parse(json_object_get(d, "channels"), event);
		return event->guild_id != 0 ? 0 : -EPROTO;
	}
	return 0;
}

static int root_parse(const json_t *root, struct gateway_event *event)
{
	const json_t *op = json_object_get(root, "op");
	const json_t *d = json_object_get(root, "d");

	if (!json_is_integer(op))
		return -EPROTO;
	switch (json_integer_value(op)) {
	case 0:
		return dispatch_parse(root, d, event);
	case 1:
		event->type = GATEWAY_BEAT_NOW;
		return 0;
	case 7:
		event->type = GATEWAY_RECONNECT;
		return 0;
	case 9:
		event->type = GATEWAY_INVALID_SESSION;
		event->resumable = json_is_true(d);
		return 0;
	case 10:
		return hello_parse(d, event);
	case 11:
		event->type = GATEWAY_BEAT_ACK;
		return 0;
	default:
		return 0;
	}
}

int gateway_wire_parse(const char *text, size_t size, struct gateway_event *event)
{
	json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);

	memset(event, 0, sizeof(*event));
	event->seq = -1;

	int status = root_parse(root, event);

	json_decref(root);
	return status;
}

static char *dump(json_t *root)
{
	char *text = root != NULL ? json_dumps(root, JSON_COMPACT) : NULL;

	json_decref(root);
	return text;
}

char *gateway_wire_identify(const char *token)
{
	return dump(json_pack("{s:i, s:{s:s, s:i, s:{s:s, s:s, s:s}}}", "op", 2, "d", "token",
		token, "intents", INTENTS, "properties", "os", "linux", "browser", "voicenode-load",
		"device", "voicenode-load"));
}

char *gateway_wire_resume(const char *token, const char *session_id, int64_t seq)
{
	return dump(json_pack("{s:i, s:{s:s, s:s, s:I}}", "op", 6, "d", "token", token,
		"session_id", session_id, "seq", (json_int_t)seq));
}

char *gateway_wire_beat(int64_t seq)
{
	if (seq < 0)
		return dump(json_pack("{s:i, s:n}", "op", 1, "d"));
	return dump(json_pack("{s:i, s:I}", "op", 1, "d", (json_int_t)seq));
}

char *gateway_wire_voice_state(uint64_t guild_id, uint64_t channel_id)
{
	char guild[24], channel[24];

	snprintf(guild, sizeof(guild), "%" PRIu64, guild_id);
	snprintf(channel, sizeof(channel), "%" PRIu64, channel_id);
	return dump(json_pack("{s:i, s:{s:s, s:s?, s:b, s:b}}", "op", 4, "d", "guild_id", guild,
		"channel_id", channel_id != 0 ? channel : NULL, "self_mute", 0, "self_deaf", 0));
}
