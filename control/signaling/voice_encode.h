// SPDX-License-Identifier: BSD-3-Clause
//
// What the node says to voice clients (protocol.md 3.3), written into a caller's buffer. Every
// frame has "d", since discord.py needs it. Numbered messages are made without their end, because
// each receiver has its own number: voice_text_finish() adds it.
//
// Pure, any thread. A text that did not fit is 'full' and must not be sent.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "signaling/voice_codec.h"

#define VOICE_TEXT_SIZE 4096u     // bytes that hold every frame made here
#define VOICE_USERS_PER_FRAME 64u // ids in one CLIENTS_CONNECT: 1,500 bytes

struct voice_text {
	char *data; // 'capacity' bytes of the caller's; NUL-terminated
	size_t size, capacity;
	bool full;
};

void voice_text_init(struct voice_text *text, char *data, size_t capacity);
void voice_text_add(struct voice_text *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

struct voice_ready {
	uint32_t ssrc;
	const char *ip, *ip6; // literals; ip6 NULL: none
	uint16_t port;
	enum dp_suite suites[DP_SUITE_COUNT];  // by preference, ended by DP_SUITE_NONE
	const struct voice_identify *identify; // its offered streams are answered; NULL: none
};

// Complete frames, without number.
void voice_encode_hello(struct voice_text *text, unsigned version, uint32_t heartbeat_ms);
void voice_encode_ready(struct voice_text *text, const struct voice_ready *ready);
// 'key' has DP_KEY_SIZE_MAX bytes. The text holds it: wipe the buffer.
void voice_encode_description(struct voice_text *text, enum dp_suite suite, const uint8_t *key,
	const char *media_session_id, unsigned dave_version);
void voice_encode_heartbeat_ack(struct voice_text *text, const struct voice_heartbeat *heartbeat);
void voice_encode_resumed(struct voice_text *text);
void voice_encode_backend_version(struct voice_text *text);

// Numbered messages without their end.
void voice_encode_clients_connect(struct voice_text *text, const uint64_t *users, unsigned count);
void voice_encode_client_disconnect(struct voice_text *text, uint64_t user);
void voice_encode_client_flags(struct voice_text *text, uint64_t user);
void voice_encode_client_platform(struct voice_text *text, uint64_t user);
void voice_encode_speaking(struct voice_text *text, uint64_t user, uint32_t ssrc, uint32_t flags);
void voice_encode_video(struct voice_text *text, uint64_t user, const struct voice_video *video);
// 'seq' 0: a version below 8, which knows no numbers.
void voice_text_finish(struct voice_text *text, uint16_t seq);
