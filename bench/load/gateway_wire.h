// SPDX-License-Identifier: BSD-3-Clause
//
// The main gateway's JSON (v10) as a bot needs it: what comes in becomes one event, what goes out
// is one function each. Pure: text and structs; bot_gateway.c has the connection and the timers.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GATEWAY_IDS_MAX 64u    // of the guilds of a user, of the channels of a guild
#define GATEWAY_TEXT_SIZE 161u // bytes of a session id, token or endpoint, with NUL

enum gateway_event_type {
	GATEWAY_OTHER, // nothing that a voice bot cares about
	GATEWAY_HELLO,
	GATEWAY_READY,
	GATEWAY_RESUMED,
	GATEWAY_GUILD, // GUILD_CREATE
	GATEWAY_VOICE_STATE,
	GATEWAY_VOICE_SERVER,
	GATEWAY_BEAT_ACK,
	GATEWAY_BEAT_NOW, // the gateway asks for a heartbeat
	GATEWAY_RECONNECT,
	GATEWAY_INVALID_SESSION,
};

// Texts are empty and numbers 0 where the event has none.
struct gateway_event {
	enum gateway_event_type type;
	int64_t seq;                        // of a dispatch; -1: none
	uint32_t beat_ms;                   // HELLO
	uint64_t user_id;                   // READY, VOICE_STATE
	uint64_t guild_id;                  // GUILD, VOICE_STATE, VOICE_SERVER
	uint64_t channel_id;                // VOICE_STATE; 0: left
	char session_id[GATEWAY_TEXT_SIZE]; // READY, VOICE_STATE
	char token[GATEWAY_TEXT_SIZE];      // VOICE_SERVER
	char endpoint[GATEWAY_TEXT_SIZE];   // VOICE_SERVER; empty: the node is lost, wait
	bool has_ids;                       // READY: guilds, GUILD: channels; not if it names none
	uint32_t id_count;                  // the first GATEWAY_IDS_MAX of them are in 'ids'
	uint64_t ids[GATEWAY_IDS_MAX];
	bool mute, deaf; // VOICE_STATE: by the server, by oneself or by suppression
	bool resumable;  // INVALID_SESSION
};

// 0; -EPROTO: not JSON, not an object with "op", or an event without what it must have.
int gateway_wire_parse(const char *text, size_t size, struct gateway_event *event)
	__attribute__((warn_unused_result));

// Each returns a text to free(), or NULL without memory.
char *gateway_wire_identify(const char *token);
char *gateway_wire_resume(const char *token, const char *session_id, int64_t seq);
char *gateway_wire_beat(int64_t seq);
// 'channel_id' 0: leave.
char *gateway_wire_voice_state(uint64_t guild_id, uint64_t channel_id);
