// SPDX-License-Identifier: BSD-3-Clause
//
// Whole calls through the voice server: tokens, joining, who hears of whom, resume, ends. Sockets,
// engine and clock are the test's (support/fake_voice.h).

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/voice_fixture.h"

static void ready_waits_for_the_engine(void **state)
{
	struct ws_conn *conn = fake_connect("v=8");
	char want[200];

	(void)state;
	expect_client(1, "secret");
	assert_string_equal(
		fake_read(conn), "{\"op\":8,\"d\":{\"v\":8,\"heartbeat_interval\":10000}}");
	identify(conn, 1, "secret");
	assert_string_equal(fake_read(conn), "");
	fake_engine_acks(0);
	snprintf(want, sizeof(want),
		"{\"op\":2,\"d\":{\"ssrc\":%u,\"ip\":\"203.0.113.7\",\"port\":50000,\"modes\":["
		"\"aead_aes256_gcm_rtpsize\",\"aead_xchacha20_poly1305_rtpsize\"],",
		ssrc_of(1));
	assert_memory_equal(fake_read(conn), want, strlen(want));
	fake_say(conn, select_text);
	assert_string_equal(fake_read(conn), "");
	fake_engine_acks(0);
	assert_op(fake_read(conn), 4);
	assert_int_equal(session_of(1)->intent->hint.port, 5);
	fake_end(conn, 1000);
}

static void a_node_without_ipv4_tells_its_ipv6_address(void **state)
{
	struct ws_conn *conn;

	(void)state;
	fall();
	fixture_ip = NULL;
	rise();
	fixture_ip = "203.0.113.7";
	expect_client(1, "secret");
	conn = fake_connect("v=8");
	identify(conn, 1, "secret");
	fake_engine_acks(0);
	assert_non_null(strstr(conn->sent[1], "\"ip\":\"2001:db8::7\",\"port\":50000"));
	fake_end(conn, 1000);
}

// A stranger cannot make us hold much; a member may send what a large call's group needs.
static void who_has_identified_may_send_more(void **state)
{
	struct ws_conn *conn = fake_connect("v=8"), *again;

	(void)state;
	assert_int_equal(conn->message_size_max, VOICE_STRANGER_SIZE_MAX);
	expect_client(1, "secret");
	identify(conn, 1, "secret");
	assert_int_equal(conn->message_size_max, VOICE_MESSAGE_SIZE_MAX);
	fake_engine_acks(0);
	fake_end(conn, 1006);
	again = fake_connect("v=8");
	resume(again, 1, "wrong", "");
	assert_int_equal(again->message_size_max, VOICE_STRANGER_SIZE_MAX);
	fake_end(again, 4004);
	again = fake_connect("v=8");
	resume(again, 1, "secret", "");
	assert_int_equal(again->message_size_max, VOICE_MESSAGE_SIZE_MAX);
	fake_end(again, 1000);
}

static void a_token_serves_one_identify(void **state)
{
	struct ws_conn *first = join(1), *second = fake_connect("v=8");

	(void)state;
	identify(second, 1, "token");
	assert_int_equal(second->closed_with, 4004);
	assert_int_equal(first->closed_with, 0); // whoever tries does not harm who has it
	fake_end(second, 4004);
	fake_end(first, 1000);
}

static void wrong_credentials_have_their_codes(void **state)
{
	struct ws_conn *conn;

	(void)state;
	expect_client(1, "token");
	conn = fake_connect("v=8");
	identify(conn, 1, "Token");
	assert_int_equal(conn->closed_with, 4004);
	fake_end(conn, 4004);
	conn = fake_connect("v=8");
	identify(conn, 2, "token"); // nobody waits for this user
	assert_int_equal(conn->closed_with, 4006);
	fake_end(conn, 4006);
	conn = fake_connect("v=8");
	fake_say(conn,
		"{\"op\":0,\"d\":{\"server_id\":\"99\",\"user_id\":\"1\",\"session_id\":\"x\","
		"\"token\":\"token\"}}");
	assert_int_equal(conn->closed_with, 4011);
	fake_end(conn, 4011);
	conn = fake_connect("v=8");
	fake_say(conn,
		"{\"op\":0,\"d\":{\"server_id\":\"11\",\"user_id\":\"1\",\"session_id\":\"x\","
		"\"token\":\"token\"}}");
	assert_int_equal(conn->closed_with, 4006);
	fake_end(conn, 4006);
	// The right one is still good, until its minute is over.
	fake_loop_now_ms += REGISTRY_PENDING_MS;
	conn = fake_connect("v=8");
	identify(conn, 1, "token");
	assert_int_equal(conn->closed_with, 4006);
	fake_end(conn, 4006);
}

static void a_refusing_engine_leaves_nothing_behind(void **state)
{
	struct ws_conn *conn = fake_connect("v=8");

	(void)state;
	expect_client(1, "token");
	identify(conn, 1, "token");
	fake_engine_acks(-28);
	assert_int_equal(conn->closed_with, 4015);
	assert_null(session_of(1));
	assert_int_equal(fake_rooms_open, 0);
	fake_end(conn, 4015);
	fake_loop_pass(6500, 250);
	assert_int_equal(left_count, 1); // the gateway must not believe that it is there
}

static void a_refused_key_ends_the_session(void **state)
{
	struct ws_conn *conn = fake_connect("v=8");

	(void)state;
	expect_client(1, "token");
	identify(conn, 1, "token");
	fake_engine_acks(0);
	fake_say(conn, select_text);
	fake_engine_acks(-EINVAL);
	assert_int_equal(conn->closed_with, 4006); // nothing to resume
	assert_null(session_of(1));
	fake_end(conn, 4006);
}

static void a_session_that_a_new_engine_refuses_ends(void **state)
{
	struct ws_conn *a = join(1), *b = join(2);

	(void)state;
	skip_all(a);
	voice_server_refused(server, session_of(2), -ENOSPC);
	assert_int_equal(b->closed_with, 4006);
	assert_op(fake_read(a), 13);
	fake_end(b, 4006);
	fake_loop_pass(6500, 250);
	assert_int_equal(left_count, 1);
	assert_int_equal(left_user, 2);
	fake_end(a, 1000);
}

static void members_hear_of_each_other(void **state)
{
	struct ws_conn *a = join(1), *b;
	char want[200];

	(void)state;
	speak(a, 1, 5); // the priority bit is not permitted
	b = fake_connect("v=8");
	expect_client(2, "token");
	identify(b, 2, "token");
	assert_string_equal(fake_read(a), ""); // not before it is there
	fake_engine_acks(0);
	assert_op(fake_read(b), 8);
	assert_op(fake_read(b), 2);
	assert_string_equal(fake_read(b), "{\"op\":11,\"d\":{\"user_ids\":[\"1\"]},\"seq\":1}");
	assert_string_equal(
		fake_read(b), "{\"op\":18,\"d\":{\"user_id\":\"1\",\"flags\":null},\"seq\":2}");
	assert_string_equal(
		fake_read(b), "{\"op\":20,\"d\":{\"user_id\":\"1\",\"platform\":null},\"seq\":3}");
	snprintf(want, sizeof(want),
		"{\"op\":5,\"d\":{\"user_id\":\"1\",\"ssrc\":%u,\"speaking\":1},\"seq\":4}",
		ssrc_of(1));
	assert_string_equal(fake_read(b), want);
	// koe says this before op 1.
	speak(b, 2, 0);
	fake_say(b, "{\"op\":12,\"d\":{\"audio_ssrc\":0,\"video_ssrc\":0,\"rtx_ssrc\":0,"
		    "\"streams\":[]}}");
	fake_say(b, "{\"op\":15,\"d\":{\"any\":100}}");
	assert_string_equal(fake_read(a), "");
	fake_say(b, select_text);
	fake_engine_acks(0);
	assert_op(fake_read(b), 4);
	assert_string_equal(fake_read(a), "{\"op\":11,\"d\":{\"user_ids\":[\"2\"]},\"seq\":1}");
	assert_op(fake_read(a), 18);
	assert_op(fake_read(a), 20);
	snprintf(want, sizeof(want),
		"{\"op\":5,\"d\":{\"user_id\":\"2\",\"ssrc\":%u,\"speaking\":0},\"seq\":4}",
		ssrc_of(2));
	assert_string_equal(fake_read(a), want);
	speak(b, 2, 0); // nothing new
	assert_string_equal(fake_read(a), "");
	fake_end(b, 1000);
	assert_string_equal(fake_read(a), "{\"op\":13,\"d\":{\"user_id\":\"2\"},\"seq\":5}");
	fake_end(a, 1000);
	assert_int_equal(fake_rooms_open, 0);
}

static void a_foreign_ssrc_closes_with_4020(void **state)
{
	struct ws_conn *a = join(1), *b = join(2);

	(void)state;
	skip_all(b);
	speak(a, 2, 1);
	assert_int_equal(a->closed_with, 4020);
	assert_string_equal(fake_read(b), "");
	assert_non_null(session_of(1)); // koe resumes after 4020
	fake_end(a, 4020);
	fake_end(b, 1000);
}

static void video_is_remembered_for_late_joiners(void **state)
{
	struct ws_conn *a = join(1), *b;
	char text[300], want[300];

	(void)state;
	snprintf(text, sizeof(text),
		"{\"op\":12,\"d\":{\"audio_ssrc\":%u,\"video_ssrc\":%u,\"rtx_ssrc\":%u,\"streams\":"
		"[]}}",
		ssrc_of(1), ssrc_of(1) + 1, ssrc_of(1) + 2);
	fake_say(a, text);
	b = join(2);
	snprintf(want, sizeof(want),
		"{\"op\":12,\"d\":{\"user_id\":\"1\",\"audio_ssrc\":%u,\"video_ssrc\":%u,"
		"\"streams\":[]},"
		"\"seq\":5}",
		ssrc_of(1), ssrc_of(1) + 1);
	assert_op(b->sent[5], 5); // who never spoke: its SSRC
	assert_string_equal(b->sent[6], want);
	skip_all(b);
	fake_say(a, "{\"op\":12,\"d\":{\"audio_ssrc\":0,\"video_ssrc\":1234,\"streams\":[]}}");
	assert_string_equal(fake_read(b), ""); // somebody else's SSRC
	fake_say(a, "{\"op\":12,\"d\":{\"audio_ssrc\":0,\"video_ssrc\":0,\"streams\":[]}}");
	assert_op(fake_read(b), 12);
	fake_end(a, 1000);
	fake_end(b, 1000);
}

static void a_cut_socket_resumes_with_what_it_missed(void **state)
{
	struct ws_conn *a = join(1), *b = join(2), *again;
	uint8_t key[DP_KEY_SIZE_MAX];
	char want[200];

	(void)state;
	memcpy(key, session_of(2)->intent->key, sizeof(key));
	fake_end(b, 1006);
	assert_non_null(session_of(2));
	skip_all(a);
	speak(a, 1, 1);
	speak(a, 1, 0);
	again = fake_connect("v=8");
	resume(again, 2, "token", ",\"seq_ack\":4");
	assert_op(fake_read(again), 8);
	assert_string_equal(fake_read(again), "{\"op\":9,\"d\":null}");
	snprintf(want, sizeof(want),
		"{\"op\":5,\"d\":{\"user_id\":\"1\",\"ssrc\":%u,\"speaking\":1},\"seq\":5}",
		ssrc_of(1));
	assert_string_equal(fake_read(again), want);
	assert_op(fake_read(again), 5);
	assert_op(fake_read(again), 4); // discord.py waits for it
	assert_string_equal(fake_read(again), "");
	assert_string_equal(fake_read(a), ""); // nobody noticed
	assert_memory_equal(session_of(2)->intent->key, key, sizeof(key));
	fake_end(again, 1000);
	fake_end(a, 1000);
}

static void a_resume_must_fit(void **state)
{
	struct ws_conn *a = join(1), *other;

	(void)state;
	fake_end(a, 1006);
	other = fake_connect("v=8");
	resume(other, 1, "wrong", "");
	assert_int_equal(other->closed_with, 4004);
	fake_end(other, 4004);
	other = fake_connect("v=8");
	resume(other, 2, "token", "");
	assert_int_equal(other->closed_with, 4006);
	fake_end(other, 4006);
	other = fake_connect("v=8");
	resume(other, 1, "token", ",\"seq_ack\":77"); // it never got that
	assert_int_equal(other->closed_with, 4006);
	fake_end(other, 4006);
	other = fake_connect("v=8");
	resume(other, 1, "token", ",\"seq_ack\":-1");
	assert_int_equal(other->closed_with, 0);
	fake_end(other, 1000);
}

static void a_resume_takes_the_socket_over(void **state)
{
	struct ws_conn *a = join(1), *again = fake_connect("v=8");

	(void)state;
	resume(again, 1, "token", "");
	assert_int_equal(again->closed_with, 0);
	assert_int_equal(a->closed_with, 4006);
	fake_end(a, 1006); // late news from the old one
	assert_non_null(session_of(1)->conn);
	fake_end(again, 1000);
}

// Its socket is cut between op 1 and op 4: nobody is told of a key before the engine has it.
static void a_resume_waits_for_the_key(void **state)
{
	struct ws_conn *other = join(2), *conn = fake_connect("v=8"), *again, *third;

	(void)state;
	expect_client(1, "token");
	identify(conn, 1, "token");
	fake_engine_acks(0);
	fake_say(conn, select_text);
	fake_end(conn, 1006);
	skip_all(other);
	again = fake_connect("v=8");
	resume(again, 1, "token", "");
	assert_op(fake_read(again), 8);
	assert_op(fake_read(again), 9);
	while (again->read_count < again->sent_count)
		assert_memory_not_equal(fake_read(again), "{\"op\":4,", 8);
	assert_string_equal(fake_read(other), ""); // not there for others, either
	fake_say(again, select_text);              // the answer is on its way
	fake_end(again, 1006);
	third = fake_connect("v=8");
	resume(third, 1, "token", "");
	skip_all(third);
	fake_engine_acks(-ETIMEDOUT); // the engine is away: it waits on
	assert_string_equal(fake_read(third), "");
	assert_int_equal(third->closed_with, 0);
	fake_engine_acks(0);
	assert_op(fake_read(third), 4);
	assert_string_equal(fake_read(third), "");
	assert_op(fake_read(other), 11);
	fake_end(third, 1000);
	fake_end(other, 1000);
}

static void a_resume_in_another_version_is_refused(void **state)
{
	static const char *const versions[] = {"v=7", "v=9"};
	struct ws_conn *a = join(1), *other;

	(void)state;
	fake_end(a, 1006);
	for (unsigned index = 0; index < 2; index++) {
		other = fake_connect(versions[index]);
		resume(other, 1, "token", "");
		assert_int_equal(other->closed_with, 4006);
		fake_end(other, 4006);
	}
	other = fake_connect("v=8");
	resume(other, 1, "token", "");
	assert_int_equal(other->closed_with, 0);
	fake_end(other, 1000);
}

static void a_token_that_is_too_long_is_a_wrong_one(void **state)
{
	static const struct {
		const char *what;
		uint16_t code;
	} cases[] = {{"token", 4004}, {"session_id", 4006}};
	char text[600], x[200];

	(void)state;
	expect_client(1, "token");
	memset(x, 'x', sizeof(x));
	for (unsigned index = 0; index < 2; index++) {
		struct ws_conn *conn = fake_connect("v=8");
		bool is_token = index == 0;

		snprintf(text, sizeof(text),
			"{\"op\":0,\"d\":{\"server_id\":\"11\",\"user_id\":\"1\",\"session_id\":\"%"
			".*s"
			"\",\"token\":\"%.*s\"}}",
			is_token ? 9 : 199, is_token ? "session-1" : x, is_token ? 199 : 5,
			is_token ? x : "token");
		fake_say(conn, text);
		assert_int_equal(conn->closed_with, cases[index].code);
		fake_end(conn, cases[index].code);
	}
}

static void a_successor_resumes_with_the_same_key(void **state)
{
	struct ws_conn *a = join(1), *again;
	uint32_t ssrc = ssrc_of(1);
	uint8_t key[DP_KEY_SIZE_MAX];

	(void)state;
	memcpy(key, session_of(1)->intent->key, sizeof(key));
	fall(); // the process dies; so do its sockets
	free(a->ctx);
	for (unsigned index = 0; index < a->sent_count; index++)
		free(a->sent[index]);
	free(a);
	rise();
	session_of(1)->sync.wanted++; // it is told the engine
	again = fake_connect("v=8");
	resume(again, 1, "token", "");
	assert_op(fake_read(again), 8);
	assert_op(fake_read(again), 9);
	assert_string_equal(fake_read(again), ""); // op 4 when the engine has it again
	fake_engine_acks(0);
	assert_op(fake_read(again), 4);
	assert_int_equal(ssrc_of(1), ssrc);
	assert_memory_equal(session_of(1)->intent->key, key, sizeof(key));
	fake_end(again, 1000);
}

static void a_window_that_ends_removes(void **state)
{
	struct ws_conn *a = join(1), *b = join(2);

	(void)state;
	skip_all(a);
	fake_end(b, 1006);
	for (unsigned beat = 0; beat < 5; beat++) {
		fake_say(a, "{\"op\":3,\"d\":1}");
		fake_loop_pass(10000, 250);
	}
	assert_non_null(session_of(2));
	fake_say(a, "{\"op\":3,\"d\":1}");
	fake_loop_pass(11500, 250);
	assert_null(session_of(2));
	assert_non_null(strstr(a->sent[a->sent_count - 1], "{\"op\":13,\"d\":{\"user_id\":\"2\"}"));
	assert_int_equal(left_count, 0);
	fake_say(a, "{\"op\":3,\"d\":1}");
	fake_loop_pass(6500, 250);
	assert_int_equal(left_count, 1);
	assert_int_equal(left_user, 2);
	fake_end(a, 1000);
}

static void who_comes_straight_back_has_not_left(void **state)
{
	struct ws_conn *a = join(1);

	(void)state;
	fake_end(a, 1000); // discord.js, at a new token
	a = join(1);
	fake_loop_pass(8000, 250);
	assert_int_equal(left_count, 0);
	fake_end(a, 1000);
	fake_loop_pass(8000, 250);
	assert_int_equal(left_count, 1);
}

static void a_new_identify_replaces_the_old_session(void **state)
{
	struct ws_conn *a = join(1), *b;
	uint32_t ssrc = ssrc_of(1);

	(void)state;
	b = join(1);
	assert_int_equal(a->closed_with, 4006);
	assert_int_not_equal(ssrc_of(1), ssrc);
	fake_end(a, 4006);
	assert_non_null(session_of(1));
	fake_end(b, 1000);
}

static void a_kick_is_4014_and_acknowledged_by_the_engine(void **state)
{
	struct ws_conn *a = join(1), *b = join(2);

	(void)state;
	skip_all(a);
	voice_server_end(server, session_of(2), VOICE_CLOSE_DISCONNECTED, NULL, NULL);
	assert_int_equal(b->closed_with, 4014);
	assert_int_equal(fake_removed, 1);
	assert_op(fake_read(a), 13);
	fake_end(b, 4014);
	fake_end(a, 1000);
}

static void missed_heartbeats_detach(void **state)
{
	struct ws_conn *a = join(1);

	(void)state;
	fake_loop_pass(25250, 250);
	assert_int_equal(a->closed_with, 4009);
	assert_non_null(session_of(1));
	assert_null(session_of(1)->conn);
	fake_end(a, 4009);
}

static void a_spent_key_sends_the_client_for_a_new_one(void **state)
{
	struct ws_conn *a = join(1);

	(void)state;
	keys_are_low = true;
	fake_loop_pass(1500, 250);
	assert_int_equal(a->closed_with, 4006);
	assert_null(session_of(1));
	fake_end(a, 4006);
}

static void a_socket_lost_before_ready_leaves_nothing(void **state)
{
	struct ws_conn *conn = fake_connect("v=8");

	(void)state;
	expect_client(1, "token");
	identify(conn, 1, "token");
	fake_end(conn, 1006);
	assert_null(session_of(1));
	fake_engine_acks(0); // nobody to tell
}

// The engine has not answered yet; the client's code is the kick's, and nothing comes afterwards.
static void a_kick_during_the_join_is_4014(void **state)
{
	struct ws_conn *conn = fake_connect("v=8");

	(void)state;
	expect_client(1, "token");
	identify(conn, 1, "token");
	voice_server_end(server, session_of(1), VOICE_CLOSE_DISCONNECTED, NULL, NULL);
	assert_int_equal(conn->closed_with, 4014);
	assert_int_equal(fake_removed, 1);
	fake_end(conn, 4014);
	fake_engine_acks(0);
}

static void nobody_resumes_what_was_never_ready(void **state)
{
	struct ws_conn *conn = fake_connect("v=8"), *other = fake_connect("v=8");

	(void)state;
	expect_client(1, "token");
	identify(conn, 1, "token");
	resume(other, 1, "token", "");
	assert_int_equal(other->closed_with, 4006);
	assert_int_equal(conn->closed_with, 0);
	fake_end(other, 4006);
	fake_engine_acks(0);
	assert_op(fake_read(conn), 8);
	assert_op(fake_read(conn), 2);
	fake_end(conn, 1000);
}

static void an_orderly_stop_keeps_every_session(void **state)
{
	struct ws_conn *a = join(1);

	(void)state;
	voice_server_stop(server, VOICE_CLOSE_CRASHED);
	assert_int_equal(a->closed_with, 4015);
	assert_non_null(session_of(1));
	fake_end(a, 4015);
}

static void old_versions_have_no_numbers(void **state)
{
	struct ws_conn *a = fake_connect("v=7"), *b;

	(void)state;
	expect_client(1, "token");
	identify(a, 1, "token");
	fake_engine_acks(0);
	fake_say(a, select_text);
	fake_engine_acks(0);
	skip_all(a);
	b = join(2);
	assert_string_equal(fake_read(a), "{\"op\":11,\"d\":{\"user_ids\":[\"2\"]}}");
	fake_end(b, 1000);
	fake_end(a, 1000);
	a = fake_connect("");
	assert_int_equal(a->closed_with, 4020);
	fake_end(a, 4020);
}

static void another_mode_has_another_key_id(void **state)
{
	struct ws_conn *a = join(1);
	uint8_t key[DP_KEY_SIZE_MAX];

	(void)state;
	memcpy(key, session_of(1)->intent->key, sizeof(key));
	assert_int_equal(session_of(1)->intent->key_id, 1);
	fake_say(a, select_text);
	fake_engine_acks(0);
	assert_int_equal(session_of(1)->intent->key_id, 1);
	assert_memory_equal(session_of(1)->intent->key, key, sizeof(key));
	fake_say(a, "{\"op\":1,\"d\":{\"protocol\":\"udp\",\"data\":{\"mode\":"
		    "\"aead_xchacha20_poly1305_rtpsize\"}}}");
	fake_engine_acks(0);
	assert_int_equal(session_of(1)->intent->key_id, 2);
	assert_memory_not_equal(session_of(1)->intent->key, key, sizeof(key));
	fake_end(a, 1000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ready_waits_for_the_engine),
		TEST(a_node_without_ipv4_tells_its_ipv6_address),
		TEST(who_has_identified_may_send_more),
		TEST(a_token_serves_one_identify),
		TEST(wrong_credentials_have_their_codes),
		TEST(a_refusing_engine_leaves_nothing_behind),
		TEST(a_refused_key_ends_the_session),
		TEST(a_session_that_a_new_engine_refuses_ends),
		TEST(members_hear_of_each_other),
		TEST(a_foreign_ssrc_closes_with_4020),
		TEST(video_is_remembered_for_late_joiners),
		TEST(a_cut_socket_resumes_with_what_it_missed),
		TEST(a_resume_must_fit),
		TEST(a_resume_takes_the_socket_over),
		TEST(a_resume_waits_for_the_key),
		TEST(a_resume_in_another_version_is_refused),
		TEST(a_token_that_is_too_long_is_a_wrong_one),
		TEST(a_successor_resumes_with_the_same_key),
		TEST(a_window_that_ends_removes),
		TEST(who_comes_straight_back_has_not_left),
		TEST(a_new_identify_replaces_the_old_session),
		TEST(a_kick_is_4014_and_acknowledged_by_the_engine),
		TEST(missed_heartbeats_detach),
		TEST(a_spent_key_sends_the_client_for_a_new_one),
		TEST(a_socket_lost_before_ready_leaves_nothing),
		TEST(a_kick_during_the_join_is_4014),
		TEST(nobody_resumes_what_was_never_ready),
		TEST(an_orderly_stop_keeps_every_session),
		TEST(old_versions_have_no_numbers),
		TEST(another_mode_has_another_key_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
