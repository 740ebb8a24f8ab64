// SPDX-License-Identifier: BSD-3-Clause
//
// The connection's state machine: every opcode in every state, by table; deadlines; the rate.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/voice_session.h"

#define NOW 100000u
#define BEAT 10000u

static struct voice_session s;

static const struct voice_frame good_select = {.op = VOICE_OP_SELECT_PROTOCOL,
	.select = {.protocol = "udp", .mode = "aead_aes256_gcm_rtpsize"}};

static void go_to(enum voice_state state)
{
	assert_int_equal(voice_session_open(&s, 8, BEAT, NOW), VOICE_DO_HELLO);
	if (state == VOICE_WAIT_AUTH)
		return;
	if (state == VOICE_CLOSED) {
		assert_int_equal(voice_session_malformed(&s), VOICE_DO_CLOSE);
		return;
	}
	assert_int_equal(voice_session_authenticated(&s, VOICE_CLOSE_NONE, NOW), VOICE_DO_NOTHING);
	if (state == VOICE_ADDING)
		return;
	assert_int_equal(voice_session_added(&s, 0), VOICE_DO_READY);
	if (state == VOICE_WAIT_SELECT)
		return;
	assert_int_equal(voice_session_feed(&s, &good_select, NOW), VOICE_DO_SELECT);
	if (state == VOICE_KEYING)
		return;
	assert_int_equal(voice_session_keyed(&s, 0), VOICE_DO_DESCRIBE);
	assert_int_equal(s.state, VOICE_ACTIVE);
}

static enum voice_action feed(unsigned op)
{
	struct voice_frame frame = {.op = (enum voice_op)op};

	if (op == VOICE_OP_SELECT_PROTOCOL)
		frame = good_select;
	return voice_session_feed(&s, &frame, NOW);
}

// What protocol.md 3.6 allows where. A close code instead of an action closes.
static unsigned expected(enum voice_state state, unsigned op)
{
	if (state == VOICE_CLOSED)
		return VOICE_DO_NOTHING;
	if (op == VOICE_OP_HEARTBEAT)
		return VOICE_DO_HEARTBEAT_ACK;
	if (op == VOICE_OP_IDENTIFY || op == VOICE_OP_RESUME) {
		if (state != VOICE_WAIT_AUTH)
			return VOICE_CLOSE_ALREADY;
		return op == VOICE_OP_IDENTIFY ? VOICE_DO_AUTHENTICATE : VOICE_DO_RESUME;
	}
	if (state == VOICE_WAIT_AUTH)
		return VOICE_CLOSE_NOT_AUTHENTICATED;
	if (op == VOICE_OP_BACKEND_VERSION)
		return VOICE_DO_BACKEND_VERSION;
	if (op == VOICE_OP_SELECT_PROTOCOL) {
		if (state == VOICE_ADDING)
			return VOICE_CLOSE_BAD_REQUEST;
		return state == VOICE_KEYING ? VOICE_DO_NOTHING : VOICE_DO_SELECT;
	}
	if (state == VOICE_ADDING)
		return VOICE_DO_NOTHING;
	if (op == VOICE_OP_SPEAKING)
		return VOICE_DO_SPEAKING;
	if (op == VOICE_OP_VIDEO)
		return VOICE_DO_VIDEO;
	return VOICE_DO_NOTHING;
}

static void every_opcode_in_every_state(void **state)
{
	(void)state;
	for (unsigned at = VOICE_WAIT_AUTH; at <= VOICE_CLOSED; at++)
		for (unsigned op = 0; op < VOICE_OP_COUNT; op++) {
			unsigned want = expected((enum voice_state)at, op);
			enum voice_action action;

			go_to((enum voice_state)at);
			action = feed(op);
			if (want < 1000) {
				assert_int_equal(action, want);
				continue;
			}
			assert_int_equal(action, VOICE_DO_CLOSE);
			assert_int_equal(s.close_code, want);
			assert_int_equal(s.state, VOICE_CLOSED);
		}
}

static void versions_4_to_9_are_served(void **state)
{
	(void)state;
	for (unsigned version = 0; version < 20; version++) {
		bool good = version >= 4 && version <= 9;

		assert_int_equal(voice_session_open(&s, version, BEAT, NOW),
			good ? VOICE_DO_HELLO : VOICE_DO_CLOSE);
		if (!good)
			assert_int_equal(s.close_code, VOICE_CLOSE_BAD_REQUEST);
		assert_int_equal(voice_session_is_numbered(&s), version >= 8);
	}
}

static void unknown_protocol_and_mode_have_their_codes(void **state)
{
	struct voice_frame frame = good_select;

	(void)state;
	go_to(VOICE_WAIT_SELECT);
	memcpy(frame.select.protocol, "webrtc", 7);
	assert_int_equal(voice_session_feed(&s, &frame, NOW), VOICE_DO_CLOSE);
	assert_int_equal(s.close_code, VOICE_CLOSE_UNKNOWN_PROTOCOL);
	go_to(VOICE_WAIT_SELECT);
	frame = good_select;
	memcpy(frame.select.mode, "xsalsa20_poly1305", 18);
	assert_int_equal(voice_session_feed(&s, &frame, NOW), VOICE_DO_CLOSE);
	assert_int_equal(s.close_code, VOICE_CLOSE_UNKNOWN_MODE);
}

static void a_second_select_is_answered_again(void **state)
{
	(void)state;
	go_to(VOICE_ACTIVE);
	assert_int_equal(feed(VOICE_OP_SELECT_PROTOCOL), VOICE_DO_SELECT);
	assert_int_equal(voice_session_keyed(&s, 0), VOICE_DO_DESCRIBE);
	assert_int_equal(voice_session_keyed(&s, 0), VOICE_DO_NOTHING);
}

static void binary_frames_are_malformed_without_dave(void **state)
{
	(void)state;
	go_to(VOICE_ACTIVE);
	assert_int_equal(voice_session_feed_binary(&s, NOW), VOICE_DO_CLOSE);
	assert_int_equal(s.close_code, VOICE_CLOSE_DECODE);
	go_to(VOICE_WAIT_AUTH);
	assert_int_equal(voice_session_feed_binary(&s, NOW), VOICE_DO_CLOSE);
	assert_int_equal(s.close_code, VOICE_CLOSE_NOT_AUTHENTICATED);
}

static void silence_before_identify_ends_after_15_s(void **state)
{
	(void)state;
	go_to(VOICE_WAIT_AUTH);
	assert_int_equal(feed(VOICE_OP_HEARTBEAT), VOICE_DO_HEARTBEAT_ACK); // does not help
	assert_int_equal(voice_session_tick(&s, NOW + 14999), VOICE_DO_NOTHING);
	assert_int_equal(voice_session_tick(&s, NOW + 15000), VOICE_DO_CLOSE);
	assert_int_equal(s.close_code, VOICE_CLOSE_TIMEOUT);
	assert_int_equal(voice_session_tick(&s, NOW + 99999), VOICE_DO_NOTHING);
}

static void missed_heartbeats_end_after_two_and_a_half(void **state)
{
	struct voice_frame beat = {.op = VOICE_OP_HEARTBEAT};

	(void)state;
	go_to(VOICE_ACTIVE);
	assert_int_equal(voice_session_tick(&s, NOW + 24999), VOICE_DO_NOTHING);
	assert_int_equal(voice_session_feed(&s, &beat, NOW + 24999), VOICE_DO_HEARTBEAT_ACK);
	assert_int_equal(voice_session_tick(&s, NOW + 49998), VOICE_DO_NOTHING);
	assert_int_equal(voice_session_tick(&s, NOW + 49999), VOICE_DO_CLOSE);
	assert_int_equal(s.close_code, VOICE_CLOSE_TIMEOUT);
}

static void a_flood_is_closed_and_a_lively_client_is_not(void **state)
{
	struct voice_frame frame = {.op = VOICE_OP_SPEAKING};
	uint64_t now = NOW;

	(void)state;
	go_to(VOICE_ACTIVE);
	for (unsigned count = 0; count < 10000; count++, now += 1000 / VOICE_FRAMES_PER_SECOND)
		assert_int_equal(voice_session_feed(&s, &frame, now), VOICE_DO_SPEAKING);
	for (unsigned count = 0; s.state != VOICE_CLOSED; count++) {
		assert_true(count <= VOICE_FRAMES_BURST);
		(void)voice_session_feed(&s, &frame, now);
	}
	assert_int_equal(s.close_code, VOICE_CLOSE_RATE_LIMITED);
}

static void refusals_close_with_their_code(void **state)
{
	(void)state;
	go_to(VOICE_WAIT_AUTH);
	assert_int_equal(
		voice_session_authenticated(&s, VOICE_CLOSE_AUTHENTICATION, NOW), VOICE_DO_CLOSE);
	assert_int_equal(s.close_code, VOICE_CLOSE_AUTHENTICATION);
	go_to(VOICE_WAIT_AUTH);
	assert_int_equal(
		voice_session_resumed(&s, VOICE_CLOSE_SESSION_INVALID, VOICE_KEY_IN_FORCE, NOW),
		VOICE_DO_CLOSE);
	assert_int_equal(s.close_code, VOICE_CLOSE_SESSION_INVALID);
}

static void resume_returns_to_where_it_was(void **state)
{
	(void)state;
	go_to(VOICE_WAIT_AUTH);
	assert_int_equal(voice_session_resumed(&s, VOICE_CLOSE_NONE, VOICE_KEY_IN_FORCE, NOW),
		VOICE_DO_REPLAY);
	assert_int_equal(s.state, VOICE_ACTIVE);
	go_to(VOICE_WAIT_AUTH);
	assert_int_equal(
		voice_session_resumed(&s, VOICE_CLOSE_NONE, VOICE_KEY_NONE, NOW), VOICE_DO_REPLAY);
	assert_int_equal(s.state, VOICE_WAIT_SELECT);
	go_to(VOICE_WAIT_AUTH); // op 1 came, the dataplane has not answered
	assert_int_equal(voice_session_resumed(&s, VOICE_CLOSE_NONE, VOICE_KEY_UNDER_WAY, NOW),
		VOICE_DO_REPLAY);
	assert_int_equal(s.state, VOICE_KEYING);
	assert_int_equal(voice_session_keyed(&s, 0), VOICE_DO_DESCRIBE);
	assert_int_equal(s.state, VOICE_ACTIVE);
}

static void a_refusing_engine_closes_with_4015(void **state)
{
	(void)state;
	go_to(VOICE_ADDING);
	assert_int_equal(voice_session_added(&s, -28), VOICE_DO_CLOSE);
	assert_int_equal(s.close_code, VOICE_CLOSE_CRASHED);
	go_to(VOICE_KEYING);
	assert_int_equal(voice_session_keyed(&s, -110), VOICE_DO_CLOSE);
	assert_int_equal(s.close_code, VOICE_CLOSE_CRASHED);
}

// An answer that comes after the connection went on, or ended, does nothing.
static void late_answers_do_nothing(void **state)
{
	(void)state;
	go_to(VOICE_ACTIVE);
	assert_int_equal(voice_session_added(&s, 0), VOICE_DO_NOTHING);
	go_to(VOICE_CLOSED);
	assert_int_equal(voice_session_added(&s, 0), VOICE_DO_NOTHING);
	assert_int_equal(voice_session_keyed(&s, -5), VOICE_DO_NOTHING);
	assert_int_equal(voice_session_authenticated(&s, VOICE_CLOSE_NONE, NOW), VOICE_DO_NOTHING);
	assert_int_equal(voice_session_resumed(&s, VOICE_CLOSE_NONE, VOICE_KEY_IN_FORCE, NOW),
		VOICE_DO_NOTHING);
	assert_int_equal(s.state, VOICE_CLOSED);
	assert_int_equal(voice_session_end(&s, VOICE_CLOSE_DISCONNECTED), VOICE_DO_NOTHING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_opcode_in_every_state),
		cmocka_unit_test(versions_4_to_9_are_served),
		cmocka_unit_test(unknown_protocol_and_mode_have_their_codes),
		cmocka_unit_test(a_second_select_is_answered_again),
		cmocka_unit_test(binary_frames_are_malformed_without_dave),
		cmocka_unit_test(silence_before_identify_ends_after_15_s),
		cmocka_unit_test(missed_heartbeats_end_after_two_and_a_half),
		cmocka_unit_test(a_flood_is_closed_and_a_lively_client_is_not),
		cmocka_unit_test(refusals_close_with_their_code),
		cmocka_unit_test(resume_returns_to_where_it_was),
		cmocka_unit_test(a_refusing_engine_closes_with_4015),
		cmocka_unit_test(late_answers_do_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
