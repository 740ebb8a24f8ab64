// SPDX-License-Identifier: BSD-3-Clause
//
// JSON by printf: everything printed is a number, a constant, a literal address or a word that
// voice_codec.c has checked, so nothing needs escaping.

#include "signaling/voice_encode.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

void voice_text_init(struct voice_text *text, char *data, size_t capacity)
{
	*text = (struct voice_text){.data = data, .capacity = capacity};
	data[0] = '\0';
}

void voice_text_add(struct voice_text *text, const char *format, ...)
{
	size_t left = text->capacity - text->size;
	va_list args;
	int size;

	va_start(args, format);
	size = vsnprintf(text->data + text->size, left, format, args);
	va_end(args);
	if (size < 0 || (size_t)size >= left) {
		text->full = true;
		return;
	}
	text->size += (size_t)size;
}

void voice_encode_hello(struct voice_text *text, unsigned version, uint32_t heartbeat_ms)
{
	voice_text_add(text, "{\"op\":8,\"d\":{\"v\":%u,\"heartbeat_interval\":%u}}", version,
		heartbeat_ms);
}

static void add_offers(struct voice_text *text, const struct voice_ready *ready)
{
	const struct voice_identify *identify = ready->identify;

	voice_text_add(text, ",\"streams\":[");
	for (unsigned index = 0; identify != NULL && index < identify->stream_count; index++) {
		const struct voice_offer *offer = &identify->streams[index];

		// Audio is the block's first SSRC, then primary and RTX of each layer. A screen is
		// answered as "video", as Discord does.
		voice_text_add(text,
			"%s{\"type\":\"video\",\"ssrc\":%u,\"rtx_ssrc\":%u,\"rid\":\"%s\","
			"\"quality\":%u,"
			"\"active\":false}",
			index == 0 ? "" : ",", ready->ssrc + 1 + 2 * index,
			ready->ssrc + 2 + 2 * index, offer->rid, offer->quality);
	}
	voice_text_add(text, "]");
}

void voice_encode_ready(struct voice_text *text, const struct voice_ready *ready)
{
	voice_text_add(text, "{\"op\":2,\"d\":{\"ssrc\":%u,\"ip\":\"%s\",\"port\":%u,\"modes\":[",
		ready->ssrc, ready->ip, ready->port);
	for (unsigned index = 0; ready->suites[index] != DP_SUITE_NONE; index++)
		voice_text_add(text, "%s\"%s\"", index == 0 ? "" : ",",
			voice_mode_of_suite(ready->suites[index]));
	voice_text_add(text, "],\"experiments\":[]");
	if (ready->ip6 != NULL)
		voice_text_add(text, ",\"ip6\":\"%s\"", ready->ip6);
	add_offers(text, ready);
	voice_text_add(text, "}}");
}

void voice_encode_description(struct voice_text *text, enum dp_suite suite, const uint8_t *key,
	const char *media_session_id, unsigned dave_version)
{
	voice_text_add(text, "{\"op\":4,\"d\":{\"mode\":\"%s\",\"secret_key\":[",
		voice_mode_of_suite(suite));
	for (unsigned index = 0; index < DP_KEY_SIZE_MAX; index++)
		voice_text_add(text, "%s%u", index == 0 ? "" : ",", key[index]);
	voice_text_add(text,
		"],\"audio_codec\":\"opus\",\"video_codec\":\"H264\",\"media_session_id\":\"%s\","
		"\"dave_protocol_version\":%u,\"keyframe_interval\":null}}",
		media_session_id, dave_version);
}

void voice_encode_heartbeat_ack(struct voice_text *text, const struct voice_heartbeat *heartbeat)
{
	int size = (int)heartbeat->nonce.size;

	if (heartbeat->is_object)
		voice_text_add(text, "{\"op\":6,\"d\":{\"t\":%.*s}}", size, heartbeat->nonce.text);
	else
		voice_text_add(text, "{\"op\":6,\"d\":%.*s}", size, heartbeat->nonce.text);
}

void voice_encode_resumed(struct voice_text *text)
{
	voice_text_add(text, "{\"op\":9,\"d\":null}");
}

void voice_encode_backend_version(struct voice_text *text)
{
	voice_text_add(text, "{\"op\":16,\"d\":{\"voice\":\"" VN_VERSION
			     "\",\"rtc_worker\":\"" VN_VERSION "\"}}");
}

void voice_encode_clients_connect(struct voice_text *text, const uint64_t *users, unsigned count)
{
	voice_text_add(text, "{\"op\":11,\"d\":{\"user_ids\":[");
	for (unsigned index = 0; index < count; index++)
		voice_text_add(text, "%s\"%" PRIu64 "\"", index == 0 ? "" : ",", users[index]);
	voice_text_add(text, "]}");
}

void voice_encode_client_disconnect(struct voice_text *text, uint64_t user)
{
	voice_text_add(text, "{\"op\":13,\"d\":{\"user_id\":\"%" PRIu64 "\"}", user);
}

void voice_encode_client_flags(struct voice_text *text, uint64_t user)
{
	voice_text_add(text, "{\"op\":18,\"d\":{\"user_id\":\"%" PRIu64 "\",\"flags\":null}", user);
}

void voice_encode_client_platform(struct voice_text *text, uint64_t user)
{
	voice_text_add(
		text, "{\"op\":20,\"d\":{\"user_id\":\"%" PRIu64 "\",\"platform\":null}", user);
}

void voice_encode_speaking(struct voice_text *text, uint64_t user, uint32_t ssrc, uint32_t flags)
{
	voice_text_add(text,
		"{\"op\":5,\"d\":{\"user_id\":\"%" PRIu64 "\",\"ssrc\":%u,\"speaking\":%u}", user,
		ssrc, flags);
}

static void add_layer(struct voice_text *text, const struct voice_layer *layer)
{
	voice_text_add(text,
		"{\"type\":\"%s\",\"rid\":\"%s\",\"ssrc\":%u,\"active\":%s,\"quality\":%u,"
		"\"rtx_ssrc\":%u",
		layer->type, layer->rid, layer->ssrc, layer->active ? "true" : "false",
		layer->quality, layer->rtx_ssrc);
	if (layer->max_bitrate != 0)
		voice_text_add(text, ",\"max_bitrate\":%u", layer->max_bitrate);
	if (layer->max_framerate != 0)
		voice_text_add(text, ",\"max_framerate\":%u", layer->max_framerate);
	if (layer->resolution_type[0] != '\0')
		voice_text_add(text,
			",\"max_resolution\":{\"type\":\"%s\",\"width\":%u,\"height\":%u}",
			layer->resolution_type, layer->width, layer->height);
	voice_text_add(text, "}");
}

void voice_encode_video(struct voice_text *text, uint64_t user, const struct voice_video *video)
{
	voice_text_add(text,
		"{\"op\":12,\"d\":{\"user_id\":\"%" PRIu64
		"\",\"audio_ssrc\":%u,\"video_ssrc\":%u,\"streams\":[",
		user, video->audio_ssrc, video->video_ssrc);
	for (unsigned index = 0; index < video->stream_count; index++) {
		if (index > 0)
			voice_text_add(text, ",");
		add_layer(text, &video->streams[index]);
	}
	voice_text_add(text, "]}");
}

void voice_text_finish(struct voice_text *text, uint16_t seq)
{
	if (seq == 0)
		voice_text_add(text, "}");
	else
		voice_text_add(text, ",\"seq\":%u}", seq);
}
