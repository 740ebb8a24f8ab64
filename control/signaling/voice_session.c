// SPDX-License-Identifier: BSD-3-Clause
//
// The rules of protocol.md 3.6. What it does not say is chosen so that a stock client recovers:
//
// - A version that is missing, below 4 or above 9 is closed with 4020: the request itself is at
// fault,
//   and 4006 or 4009 would make clients fetch new sessions for the same URL for ever.
// - Ops 5, 12, 15, 16 between Ready and op 1 are good: koe and browsers send them there.
// - Unknown opcodes are ignored, so that newer clients work.
// - A session that the dataplane refused is closed with 4015 before Ready: clients come again.

#include "signaling/voice_session.h"

#include <string.h>

#define RATE_UNIT 1000u // thousandths of a frame

static enum voice_action close_with(struct voice_session *s, enum voice_close code)
{
	if (s->state == VOICE_CLOSED)
		return VOICE_DO_NOTHING;
	s->state = VOICE_CLOSED;
	s->close_code = code;
	s->deadline_ms = 0;
	return VOICE_DO_CLOSE;
}

// Two and a half intervals without a heartbeat: Discord's own limit is not known.
static void heard(struct voice_session *s, uint64_t now_ms)
{
	s->deadline_ms = now_ms + s->heartbeat_ms * 5ull / 2;
}

static bool within_rate(struct voice_session *s, uint64_t now_ms)
{
	uint64_t passed_ms = now_ms - s->rate_at_ms;
	uint64_t tokens = s->rate_tokens + passed_ms * VOICE_FRAMES_PER_SECOND;

	if (tokens > VOICE_FRAMES_BURST * RATE_UNIT)
		tokens = VOICE_FRAMES_BURST * RATE_UNIT;
	s->rate_at_ms = now_ms;
	s->rate_tokens = (uint32_t)tokens;
	if (s->rate_tokens < RATE_UNIT)
		return false;
	s->rate_tokens -= RATE_UNIT;
	return true;
}

enum voice_action voice_session_open(
	struct voice_session *s, unsigned version, uint32_t heartbeat_ms, uint64_t now_ms)
{
	*s = (struct voice_session){
		.state = VOICE_WAIT_AUTH,
		.version = version,
		.heartbeat_ms = heartbeat_ms,
		.deadline_ms = now_ms + VOICE_IDENTIFY_MS,
		.rate_at_ms = now_ms,
		.rate_tokens = VOICE_FRAMES_BURST * RATE_UNIT,
	};
	if (version < VOICE_VERSION_MIN || version > VOICE_VERSION_MAX)
		return close_with(s, VOICE_CLOSE_BAD_REQUEST);
	return VOICE_DO_HELLO;
}

static enum voice_action select_protocol(struct voice_session *s, const struct voice_select *select)
{
	if (strcmp(select->protocol, "udp") != 0)
		return close_with(s, VOICE_CLOSE_UNKNOWN_PROTOCOL);
	if (voice_suite_of_mode(select->mode) == DP_SUITE_NONE)
		return close_with(s, VOICE_CLOSE_UNKNOWN_MODE);
	if (s->state == VOICE_ADDING)
		return close_with(s, VOICE_CLOSE_BAD_REQUEST); // nobody told it where to send
	if (s->state == VOICE_KEYING)
		return VOICE_DO_NOTHING; // the answer is on its way
	s->state = VOICE_KEYING;
	return VOICE_DO_SELECT;
}

// Ops that do not depend on the state, once authenticated and Ready was sent.
static enum voice_action feed_member(struct voice_session *s, unsigned op)
{
	if (op == VOICE_OP_BACKEND_VERSION)
		return VOICE_DO_BACKEND_VERSION;
	if (s->state == VOICE_ADDING)
		return VOICE_DO_NOTHING; // no SSRC was told yet, so it cannot mean anything
	if (op == VOICE_OP_SPEAKING)
		return VOICE_DO_SPEAKING;
	if (op == VOICE_OP_VIDEO)
		return VOICE_DO_VIDEO;
	if (op == VOICE_OP_DAVE_TRANSITION_READY || op == VOICE_OP_DAVE_INVALID_COMMIT)
		return s->dave == VOICE_DAVE_OFF ? VOICE_DO_NOTHING : VOICE_DO_DAVE;
	return VOICE_DO_NOTHING; // 14, 15, 32: accepted; the rest is not known
}

enum voice_action voice_session_feed(
	struct voice_session *s, const struct voice_frame *frame, uint64_t now_ms)
{
	unsigned op = (unsigned)frame->op;

	if (s->state == VOICE_CLOSED)
		return VOICE_DO_NOTHING;
	if (!within_rate(s, now_ms))
		return close_with(s, VOICE_CLOSE_RATE_LIMITED);
	if (op == VOICE_OP_HEARTBEAT) {
		if (s->state != VOICE_WAIT_AUTH)
			heard(s, now_ms);
		return VOICE_DO_HEARTBEAT_ACK;
	}
	if (op == VOICE_OP_IDENTIFY || op == VOICE_OP_RESUME) {
		if (s->state != VOICE_WAIT_AUTH)
			return close_with(s, VOICE_CLOSE_ALREADY);
		return op == VOICE_OP_IDENTIFY ? VOICE_DO_AUTHENTICATE : VOICE_DO_RESUME;
	}
	if (s->state == VOICE_WAIT_AUTH)
		return close_with(s, VOICE_CLOSE_NOT_AUTHENTICATED);
	if (op == VOICE_OP_SELECT_PROTOCOL)
		return select_protocol(s, &frame->select);
	return feed_member(s, op);
}

enum voice_action voice_session_feed_binary(struct voice_session *s, uint64_t now_ms)
{
	if (s->state == VOICE_CLOSED)
		return VOICE_DO_NOTHING;
	if (!within_rate(s, now_ms))
		return close_with(s, VOICE_CLOSE_RATE_LIMITED);
	if (s->state == VOICE_WAIT_AUTH)
		return close_with(s, VOICE_CLOSE_NOT_AUTHENTICATED);
	if (s->dave == VOICE_DAVE_OFF)
		return close_with(s, VOICE_CLOSE_DECODE);
	return VOICE_DO_DAVE;
}

enum voice_action voice_session_malformed(struct voice_session *s)
{
	return close_with(s, VOICE_CLOSE_DECODE);
}

enum voice_action voice_session_authenticated(
	struct voice_session *s, enum voice_close refusal, uint64_t now_ms)
{
	if (s->state != VOICE_WAIT_AUTH)
		return VOICE_DO_NOTHING;
	if (refusal != VOICE_CLOSE_NONE)
		return close_with(s, refusal);
	s->state = VOICE_ADDING;
	heard(s, now_ms);
	return VOICE_DO_NOTHING;
}

enum voice_action voice_session_resumed(struct voice_session *s, enum voice_close refusal,
	enum voice_key_state key, uint64_t now_ms)
{
	static const enum voice_state states[] = {[VOICE_KEY_NONE] = VOICE_WAIT_SELECT,
		[VOICE_KEY_UNDER_WAY] = VOICE_KEYING,
		[VOICE_KEY_IN_FORCE] = VOICE_ACTIVE};

	if (s->state != VOICE_WAIT_AUTH)
		return VOICE_DO_NOTHING;
	if (refusal != VOICE_CLOSE_NONE)
		return close_with(s, refusal);
	s->state = states[key];
	heard(s, now_ms);
	return VOICE_DO_REPLAY;
}

enum voice_action voice_session_added(struct voice_session *s, int error)
{
	if (s->state != VOICE_ADDING)
		return VOICE_DO_NOTHING;
	if (error != 0)
		return close_with(s, VOICE_CLOSE_CRASHED);
	s->state = VOICE_WAIT_SELECT;
	return VOICE_DO_READY;
}

enum voice_action voice_session_keyed(struct voice_session *s, int error)
{
	if (s->state != VOICE_KEYING)
		return VOICE_DO_NOTHING;
	if (error != 0)
		return close_with(s, VOICE_CLOSE_CRASHED);
	s->state = VOICE_ACTIVE;
	return VOICE_DO_DESCRIBE;
}

enum voice_action voice_session_end(struct voice_session *s, enum voice_close code)
{
	return close_with(s, code);
}

enum voice_action voice_session_tick(struct voice_session *s, uint64_t now_ms)
{
	if (s->state == VOICE_CLOSED || now_ms < s->deadline_ms)
		return VOICE_DO_NOTHING;
	return close_with(s, VOICE_CLOSE_TIMEOUT);
}
