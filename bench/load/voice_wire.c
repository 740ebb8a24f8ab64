// SPDX-License-Identifier: BSD-3-Clause
//
// Voice gateway JSON: parse and build. Pure.
#include "load/voice_wire.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "load/json_read.h"

static int ready_parse(const json_t *d, struct voice_event *event)
{
	const json_t *modes = json_object_get(d, "modes");
	uint32_t port = json_read_u32(d, "port");
	bool found = false;

	event->type = VOICE_READY;
	event->ssrc = json_read_u32(d, "ssrc");
	event->port = (uint16_t)port;
	json_read_text(d, "ip6", event->ip6, VOICE_ADDRESS_SIZE);
	for (size_t i = 0; i < json_array_size(modes); i++) {
		const char *name = json_string_value(json_array_get(modes, i));
		enum rtpsize_client_mode mode;

		if (name == NULL || !rtpsize_client_mode_parse(name, &mode))
			continue;
		if (!found)
			event->mode = mode;
		found = true;
		event->offers[mode] = true;
	}
	if (!found || event->ssrc == 0 || port == 0 || port > UINT16_MAX ||
		!json_read_text(d, "ip", event->ip, VOICE_ADDRESS_SIZE))
		return -EPROTO;
	return 0;
}

static int description_parse(const json_t *d, struct voice_event *event)
{
	const json_t *key = json_object_get(d, "secret_key");
	const char *mode = json_string_value(json_object_get(d, "mode"));

	event->type = VOICE_DESCRIPTION;
	// Each of these is indexed without a default by one stock client or another.
	if (mode == NULL || !rtpsize_client_mode_parse(mode, &event->mode) ||
		!json_is_integer(json_object_get(d, "dave_protocol_version")) ||
		!json_is_string(json_object_get(d, "audio_codec")) ||
		json_object_get(d, "video_codec") == NULL ||
		json_array_size(key) != RTPSIZE_CLIENT_KEY_SIZE)
		return -EPROTO;
	for (size_t i = 0; i < RTPSIZE_CLIENT_KEY_SIZE; i++) {
		const json_t *byte = json_array_get(key, i);

		if (!json_is_integer(byte) || json_integer_value(byte) < 0 ||
			json_integer_value(byte) > 255)
			return -EPROTO;
		event->key[i] = (uint8_t)json_integer_value(byte);
	}
	return 0;
}

static int speaking_parse(const json_t *d, struct voice_event *event)
{
	event->type = VOICE_SPEAKING;
	event->ssrc = json_read_u32(d, "ssrc");
	event->speaking = json_read_u32(d, "speaking");
	event->user_id = json_read_id(d, "user_id");
	return event->ssrc != 0 && event->user_id != 0 ? 0 : -EPROTO;
}

static int beat_ack_parse(const json_t *d, struct voice_event *event)
{
	const json_t *nonce = json_object_get(d, "t");

	event->type = VOICE_BEAT_ACK;
	if (!json_is_integer(nonce))
		return -EPROTO;
	event->beat_nonce = (uint64_t)json_integer_value(nonce);
	return 0;
}

static int root_parse(const json_t *root, struct voice_event *event)
{
	const json_t *op = json_object_get(root, "op");
	const json_t *d = json_object_get(root, "d");
	const json_t *seq = json_object_get(root, "seq");

	if (!json_is_integer(op))
		return -EPROTO;
	if (json_is_integer(seq)) {
		json_int_t number = json_integer_value(seq);

		if (number < 0 || number > UINT16_MAX)
			return -EPROTO;
		event->seq = (int32_t)number;
	}
	switch (json_integer_value(op)) {
	case 2:
		return ready_parse(d, event);
	case 4:
		return description_parse(d, event);
	case 5:
		return speaking_parse(d, event);
	case 6:
		return beat_ack_parse(d, event);
	case 8:
		event->type = VOICE_HELLO;
		event->beat_ms = json_read_u32(d, "heartbeat_interval");
		return event->beat_ms != 0 ? 0 : -EPROTO;
	case 9:
		event->type = VOICE_RESUMED;
		return 0;
	case 11:
		event->type = VOICE_CONNECTED;
		event->user_count = (uint32_t)json_array_size(json_object_get(d, "user_ids"));
		return 0;
	case 13:
		event->type = VOICE_GONE;
		event->user_id = json_read_id(d, "user_id");
		return event->user_id != 0 ? 0 : -EPROTO;
	default:
		return 0;
	}
}

int voice_wire_parse(const char *text, size_t size, struct voice_event *event)
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

char *voice_wire_identify(const struct voice_identity *identity)
{
	char guild[24], user[24];

	snprintf(guild, sizeof(guild), "%" PRIu64, identity->guild_id);
	snprintf(user, sizeof(user), "%" PRIu64, identity->user_id);
	return dump(json_pack("{s:i, s:{s:s, s:s, s:s, s:s, s:i}}", "op", 0, "d", "server_id",
		guild, "user_id", user, "session_id", identity->session_id, "token",
		identity->token, "max_dave_protocol_version", 0));
}

char *voice_wire_resume(const struct voice_identity *identity, int32_t seq_ack)
{
	char guild[24];

	snprintf(guild, sizeof(guild), "%" PRIu64, identity->guild_id);
	return dump(json_pack("{s:i, s:{s:s, s:s, s:s, s:i}}", "op", 7, "d", "server_id", guild,
		"session_id", identity->session_id, "token", identity->token, "seq_ack",
		(int)seq_ack));
}

char *voice_wire_beat(uint64_t nonce, int32_t seq_ack)
{
	return dump(json_pack("{s:i, s:{s:I, s:i}}", "op", 3, "d", "t", (json_int_t)nonce,
		"seq_ack", (int)seq_ack));
}

char *voice_wire_select(const char *address, uint16_t port, enum rtpsize_client_mode mode)
{
	return dump(json_pack("{s:i, s:{s:s, s:{s:s, s:i, s:s}}}", "op", 1, "d", "protocol", "udp",
		"data", "address", address, "port", (int)port, "mode",
		rtpsize_client_mode_name(mode)));
}

char *voice_wire_speaking(uint32_t ssrc, uint32_t speaking)
{
	return dump(json_pack("{s:i, s:{s:i, s:i, s:I}}", "op", 5, "d", "speaking", (int)speaking,
		"delay", 0, "ssrc", (json_int_t)ssrc));
}

enum voice_close_action voice_wire_close_action(uint16_t code, bool established)
{
	if (code == 4014 || code == 4021 || code == 4022)
		return VOICE_CLOSE_STOP;
	if (established && (code < 4000 || code == 4015))
		return VOICE_CLOSE_RESUME;
	return VOICE_CLOSE_REJOIN;
}
