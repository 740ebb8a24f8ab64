// SPDX-License-Identifier: BSD-3-Clause
//
// One voice-gateway connection as a state machine (protocol.md 3.6): decoded frames, answers of the
// dataplane and time in, one action out. It owns no socket, no timer and no memory but itself, so a
// test drives a whole call with plain calls. voice_server.c carries the actions out.
//
//	WAIT_AUTH --identify ok--> ADDING --dataplane has it--> WAIT_SELECT --op 1--> KEYING
//	                                                                               |
//	    resume ok --> WAIT_SELECT, KEYING or ACTIVE      ACTIVE <--dataplane has the key
//
// A lost socket ends this object; the session itself goes on as DETACHED in the registry until a
// client resumes it or its window ends.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "signaling/voice_codec.h"

#define VOICE_VERSION_MIN 4u // older ones are refused since 2024-11-18
#define VOICE_VERSION_MAX 9u // 9 adds channel_id to Identify, which the gateway has told us anyway
#define VOICE_VERSION_NUMBERED 8u // from here on messages carry "seq"

#define VOICE_IDENTIFY_MS 15000u    // to send Identify or Resume
#define VOICE_FRAMES_BURST 120u     // frames at once, and
#define VOICE_FRAMES_PER_SECOND 20u // ever after: a lively client sends three

enum voice_state {
	VOICE_WAIT_AUTH,
	VOICE_ADDING,      // authenticated; the dataplane has not acknowledged the session
	VOICE_WAIT_SELECT, // Ready was sent
	VOICE_KEYING,      // op 1 came; the dataplane has not acknowledged the key
	VOICE_ACTIVE,
	VOICE_CLOSED,
};

enum voice_action {
	VOICE_DO_NOTHING,
	VOICE_DO_HELLO,
	VOICE_DO_AUTHENTICATE, // look up; then voice_session_authenticated()
	VOICE_DO_RESUME,       // look up; then voice_session_resumed()
	VOICE_DO_READY,        // send Ready and who is there
	VOICE_DO_SELECT,       // key to the dataplane; then voice_session_keyed()
	VOICE_DO_DESCRIBE,     // send Session Description, tell the others
	VOICE_DO_REPLAY,       // send Resumed and what was missed
	VOICE_DO_HEARTBEAT_ACK,
	VOICE_DO_SPEAKING,
	VOICE_DO_VIDEO,
	VOICE_DO_BACKEND_VERSION,
	VOICE_DO_DAVE,  // hand the frame to the group
	VOICE_DO_CLOSE, // with close_code
};

// The end-to-end encrypted group of a channel (protocol.md 7), as far as a connection needs to
// know. VOICE_DAVE_OFF: version 0 goes into op 4, binary frames are malformed, ops 21 to 31 are
// ignored.
enum voice_dave_version {
	VOICE_DAVE_OFF = 0,
	VOICE_DAVE_1 = 1,
};

struct voice_session {
	enum voice_state state;
	enum voice_dave_version dave; // agreed at Identify: the lower of both sides' newest
	unsigned version;             // of the protocol, from the URL
	uint32_t heartbeat_ms;        // told in Hello
	uint64_t deadline_ms;         // loop clock; voice_session_tick() when it passes
	uint64_t rate_at_ms;          // when 'rate_tokens' was counted
	uint32_t rate_tokens;         // frames that may still come, in thousandths
	enum voice_close close_code;  // valid after VOICE_DO_CLOSE
};

// The socket is open: HELLO or CLOSE.
enum voice_action voice_session_open(
	struct voice_session *s, unsigned version, uint32_t heartbeat_ms, uint64_t now_ms);

// Feeds one text frame. A protocol error is the action CLOSE.
enum voice_action voice_session_feed(
	struct voice_session *s, const struct voice_frame *frame, uint64_t now_ms);
enum voice_action voice_session_feed_binary(struct voice_session *s, uint64_t now_ms);
// voice_frame_decode() failed.
enum voice_action voice_session_malformed(struct voice_session *s);

// What a session that is resumed had come to.
enum voice_key_state {
	VOICE_KEY_NONE,      // op 1 did not come
	VOICE_KEY_UNDER_WAY, // voice_session_keyed() follows
	VOICE_KEY_IN_FORCE,
};

// Answers to AUTHENTICATE and RESUME. 'refusal' NONE: granted.
enum voice_action voice_session_authenticated(
	struct voice_session *s, enum voice_close refusal, uint64_t now_ms);
enum voice_action voice_session_resumed(struct voice_session *s, enum voice_close refusal,
	enum voice_key_state key, uint64_t now_ms);
// The dataplane has the session, or 'error' (-errno) says why not.
enum voice_action voice_session_added(struct voice_session *s, int error);
// The same for the key.
enum voice_action voice_session_keyed(struct voice_session *s, int error);

// Closes from outside: kick, unassign, stop.
enum voice_action voice_session_end(struct voice_session *s, enum voice_close code);
// CLOSE when 'deadline_ms' has passed.
enum voice_action voice_session_tick(struct voice_session *s, uint64_t now_ms);

static inline bool voice_session_is_numbered(const struct voice_session *s)
{
	return s->version >= VOICE_VERSION_NUMBERED;
}
