// SPDX-License-Identifier: BSD-3-Clause
//
// The voice gateway's JSON (v8) as a native bot needs it: what comes in becomes one event, what
// goes out is one function each; and what a client does when its WebSocket closes. Pure: text and
// structs; bot_voice.c has the connection and the timers.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "load/rtpsize_client.h"

#define VOICE_ADDRESS_SIZE 46u // bytes of a textual IP address, with NUL
#define VOICE_SPEAKING_VOICE 1u

enum voice_event_type {
	VOICE_OTHER, // nothing that a bot without DAVE and video cares about
	VOICE_HELLO,
	VOICE_READY,
	VOICE_DESCRIPTION,
	VOICE_SPEAKING,
	VOICE_BEAT_ACK,
	VOICE_RESUMED,
	VOICE_CONNECTED, // op 11
	VOICE_GONE,      // op 13
};

struct voice_event {
	enum voice_event_type type;
	int32_t seq;      // -1: not numbered
	uint32_t beat_ms; // HELLO
	uint32_t ssrc;    // READY, SPEAKING
	uint16_t port;    // READY
	char ip[VOICE_ADDRESS_SIZE];
	char ip6[VOICE_ADDRESS_SIZE];           // READY: our node's extra member; or empty
	bool offers[RTPSIZE_CLIENT_MODE_COUNT]; // READY
	enum rtpsize_client_mode mode;          // READY: the first that we speak; DESCRIPTION
	uint8_t key[RTPSIZE_CLIENT_KEY_SIZE];   // DESCRIPTION; wipe it
	uint64_t user_id;                       // SPEAKING, GONE
	uint32_t speaking;                      // SPEAKING: bits
	uint32_t user_count;                    // CONNECTED
	uint64_t beat_nonce;                    // BEAT_ACK: the "t" that we sent
};

// 0; -EPROTO: not JSON, no "op", or an event without what a stock client indexes in it.
int voice_wire_parse(const char *text, size_t size, struct voice_event *event)
	__attribute__((warn_unused_result));

// What identifies a client to the voice gateway.
struct voice_identity {
	uint64_t guild_id, user_id;
	const char *session_id, *token;
};

// Each returns a text to free(), or NULL without memory. 'seq_ack' -1: nothing received yet.
char *voice_wire_identify(const struct voice_identity *identity);
char *voice_wire_resume(const struct voice_identity *identity, int32_t seq_ack);
char *voice_wire_beat(uint64_t nonce, int32_t seq_ack);
char *voice_wire_select(const char *address, uint16_t port, enum rtpsize_client_mode mode);
char *voice_wire_speaking(uint32_t ssrc, uint32_t speaking);

enum voice_close_action {
	VOICE_CLOSE_RESUME, // same endpoint, op 7; socket and key are kept
	VOICE_CLOSE_REJOIN, // op 4 on the main gateway again
	VOICE_CLOSE_STOP,   // kicked, or told not to come back
};

// What a stock client does about close code 'code'; 'established': op 4 had come.
enum voice_close_action voice_wire_close_action(uint16_t code, bool established);
