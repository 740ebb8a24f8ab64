// SPDX-License-Identifier: BSD-3-Clause
//
// The clients' side of the gateway by plain calls: authentication, opcodes, limits, resume, REST.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/gateway_bench.h"

#define IDENTIFY(token, intents) \
	"{\"op\":2,\"d\":{\"token\":\"" token "\",\"intents\":" intents ",\"properties\":{}}}"
#define JOIN                                                            \
	"{\"op\":4,\"d\":{\"guild_id\":\"1000\",\"channel_id\":\"11\"," \
	"\"self_mute\":false,\"self_deaf\":false}}"

static struct client *opened(struct gateway_bench *b, const char *link)
{
	struct client *client = client_open(&b->hub, (void *)(uintptr_t)link, NULL,
		"v=10&encoding=json", "gw.test:80", b->now_ms);

	assert_non_null(client);
	return client;
}

static void say(struct gateway_bench *b, struct client *client, const char *text)
{
	client_message(client, text, strlen(text), false, b->now_ms);
}

// A session of user 1 that is past READY.
static struct client *identified(struct gateway_bench *b, const char *link)
{
	struct client *client = opened(b, link);

	say(b, client, IDENTIFY("t1", "129"));
	gateway_bench_forget(b);
	return client;
}

static void resume(struct gateway_bench *b, struct client *client, const char *session, long seq)
{
	char text[256];

	snprintf(text, sizeof(text),
		"{\"op\":6,\"d\":{\"token\":\"t1\",\"session_id\":\"%s\",\"seq\":%ld}}", session,
		seq);
	say(b, client, text);
}

static void identify_brings_ready_and_every_guild(void **state)
{
	struct gateway_bench *b = gateway_bench_create(false);
	struct client *client = opened(b, "c1");

	(void)state;
	gateway_bench_expect(b, "c1 op 10\n");
	say(b, client, IDENTIFY("t1", "129"));
	gateway_bench_expect(b, "c1 READY s 1\nc1 GUILD_CREATE s 2\nc1 GUILD_CREATE s 3\n");
	assert_int_equal(strlen(b->last_session), 32);
	gateway_bench_destroy(b);
}

static void a_shard_sees_its_own_guilds_only(void **state)
{
	struct gateway_bench *b = gateway_bench_create(false);
	struct client *client = opened(b, "c1");

	(void)state; // (id >> 22) % 2 is 0 for these small ids
	gateway_bench_forget(b);
	say(b, client, "{\"op\":2,\"d\":{\"token\":\"Bot t1\",\"intents\":129,\"shard\":[1,2]}}");
	gateway_bench_expect(b, "c1 READY s 1\n");
	gateway_bench_destroy(b);
}

// A first frame, and the code that answers it; 0: the connection stays.
static void first_frame_closes_with(const char *text, uint16_t code)
{
	struct gateway_bench *b = gateway_bench_create(false);
	struct client *client = opened(b, "c1");
	char expected[32] = "";

	gateway_bench_forget(b);
	say(b, client, text);
	if (code != 0)
		snprintf(expected, sizeof(expected), "c1 close %u\n", code);
	gateway_bench_expect(b, expected);
	say(b, client, IDENTIFY("t1", "129")); // after a close nothing counts
	assert_int_equal(gateway_bench_count(b, "c1 READY"), code == 0);
	gateway_bench_destroy(b);
}

static void bad_first_frames_get_their_code(void **state)
{
	(void)state;
	first_frame_closes_with(IDENTIFY("nobody", "129"), 4004);
	first_frame_closes_with(IDENTIFY("", "129"), 4004);
	first_frame_closes_with("{\"op\":2,\"d\":{\"token\":\"t1\"}}", 4013);
	first_frame_closes_with(IDENTIFY("t1", "-1"), 4013);
	first_frame_closes_with("{\"op\":2,\"d\":{\"intents\":1}}", 4002);
	first_frame_closes_with("{\"op\":2}", 4002);
	first_frame_closes_with(
		"{\"op\":2,\"d\":{\"token\":\"t1\",\"intents\":1,\"shard\":[2,2]}}", 4010);
	first_frame_closes_with(
		"{\"op\":2,\"d\":{\"token\":\"t1\",\"intents\":1,\"shard\":[0,0]}}", 4010);
	first_frame_closes_with(JOIN, 4003);
	first_frame_closes_with("{\"op\":3,\"d\":{}}", 4003);
	first_frame_closes_with("{\"op\":8,\"d\":{}}", 4003);
	first_frame_closes_with("{\"op\":\"2\"}", 4001);
	first_frame_closes_with("{}", 4001);
	first_frame_closes_with("[]", 4002);
	first_frame_closes_with("{\"op\":2,\"op\":2}", 4002);
	first_frame_closes_with("nonsense", 4002);
	first_frame_closes_with("", 4002);
	first_frame_closes_with("{\"op\":6,\"d\":{\"token\":\"t1\"}}", 4002);
	first_frame_closes_with(
		"{\"op\":6,\"d\":{\"token\":\"x\",\"session_id\":\"a\",\"seq\":0}}", 4004);
	first_frame_closes_with("{\"op\":99,\"d\":{}}", 0);
	first_frame_closes_with("{\"op\":-5}", 0);
}

static void the_query_is_checked(void **state)
{
	struct gateway_bench *b = gateway_bench_create(false);

	(void)state;
	client_open(&b->hub, (void *)(uintptr_t) "c1", NULL, "v=9&encoding=json", "", b->now_ms);
	client_open(&b->hub, (void *)(uintptr_t) "c2", NULL, "v=10&encoding=etf", "", b->now_ms);
	client_open(&b->hub, (void *)(uintptr_t) "c3", NULL, "", "", b->now_ms);
	client_open(&b->hub, (void *)(uintptr_t) "c4", NULL, "compress=zlib-stream&v=10", "",
		b->now_ms);
	gateway_bench_expect(b, "c1 close 4012\nc2 close 4002\nc3 op 10\nc4 op 10\n");
	gateway_bench_destroy(b);
}

static void a_second_identify_closes_with_4005(void **state)
{
	struct gateway_bench *b = gateway_bench_create(false);
	struct client *client = identified(b, "c1");

	(void)state;
	say(b, client, IDENTIFY("t1", "129"));
	gateway_bench_expect(b, "c1 close 4005\n");
	gateway_bench_destroy(b);
}

static void size_and_kind_have_bounds(void **state)
{
	struct gateway_bench *b = gateway_bench_create(false);
	char text[CLIENT_MESSAGE_SIZE_MAX + 2];

	(void)state;
	for (size_t size = CLIENT_MESSAGE_SIZE_MAX; size <= CLIENT_MESSAGE_SIZE_MAX + 1; size++) {
		struct client *client = opened(b, "c1");

		memset(text, ' ', size);
		memcpy(text, "{\"op\":99}", 9);
		text[size] = '\0';
		gateway_bench_forget(b);
		client_message(client, text, size, false, b->now_ms);
		gateway_bench_expect(b, size == CLIENT_MESSAGE_SIZE_MAX ? "" : "c1 close 4002\n");
	}
	client_message(opened(b, "c2"), "{\"op\":99}", 9, true, b->now_ms);
	gateway_bench_expect(b, "c2 op 10\nc2 close 4002\n");
	gateway_bench_destroy(b);
}

static void more_than_120_frames_a_minute_close_with_4008(void **state)
{
	struct gateway_bench *b = gateway_bench_create(false);
	struct client *client = opened(b, "c1");

	(void)state;
	for (unsigned minute = 0; minute < 2; minute++) {
		gateway_bench_forget(b);
		for (unsigned i = 0; i < CLIENT_RATE_MAX; i++)
			say(b, client, "{\"op\":1,\"d\":null}");
		assert_int_equal(gateway_bench_count(b, "c1 op 11"), CLIENT_RATE_MAX);
		b->now_ms += minute == 0 ? CLIENT_RATE_WINDOW_MS : CLIENT_RATE_WINDOW_MS - 1;
	}
	gateway_bench_forget(b);
	say(b, client, "{\"op\":1,\"d\":null}");
	gateway_bench_expect(b, "c1 close 4008\n");
	gateway_bench_destroy(b);
}

static void who_does_not_beat_or_identify_is_closed(void **state)
{
	struct gateway_bench *b = gateway_bench_create(false);
	struct client *client = identified(b, "c1");
	uint64_t start_ms = b->now_ms;

	(void)state;
	opened(b, "c2");
	gateway_bench_forget(b);
	b->now_ms = start_ms + CLIENT_IDENTIFY_MS;
	hub_tick(&b->hub, b->now_ms);
	gateway_bench_expect(b, "c2 close 4003\n");
	say(b, client, "{\"op\":1,\"d\":3}");
	gateway_bench_expect(b, "c1 op 11\n");
	b->now_ms += CLIENT_ZOMBIE_MS - 1;
	hub_tick(&b->hub, b->now_ms);
	gateway_bench_expect(b, "");
	b->now_ms += 1;
	hub_tick(&b->hub, b->now_ms);
	gateway_bench_expect(b, "c1 close 4009\n");
	gateway_bench_destroy(b);
}

// Whoever identifies again and again and lets the socket be cut has no more than so many.
static void the_sessions_of_a_user_are_bounded(void **state)
{
	struct gateway_bench *b = gateway_bench_create(false);
	struct client *clients[SESSIONS_PER_USER_MAX], *client;
	char first[SESSION_ID_SIZE], second[SESSION_ID_SIZE];

	(void)state;
	for (unsigned i = 0; i < SESSIONS_PER_USER_MAX; i++) {
		clients[i] = identified(b, "c");
		if (i < 2)
			memcpy(i == 0 ? first : second, b->last_session, sizeof(first));
	}
	say(b, opened(b, "other"), IDENTIFY("t2", "129")); // another user
	gateway_bench_forget(b);
	say(b, opened(b, "late"), IDENTIFY("t1", "129"));
	gateway_bench_expect(b, "late op 10\nlate close 4008\n");
	client_closed(clients[1], 1006, b->now_ms); // the second goes first
	b->now_ms += 10;
	client_closed(clients[0], 1006, b->now_ms);
	say(b, opened(b, "next"), IDENTIFY("t1", "129"));
	assert_int_equal(gateway_bench_count(b, "next READY"), 1);
	assert_int_equal(b->hub.session_count, SESSIONS_PER_USER_MAX + 1);
	client = opened(b, "r");
	gateway_bench_forget(b);
	resume(b, client, second, 3);
	gateway_bench_expect(b, "r op 9 false\n");
	resume(b, client, first, 3);
	gateway_bench_expect(b, "r RESUMED s 4\n");
	gateway_bench_destroy(b);
}

// --- voice ---

static void a_join_reaches_the_guild_and_the_endpoint_only_the_joiner(void **state)
{
	struct gateway_bench *b = gateway_bench_create(false);
	struct core_node *node = gateway_bench_node(b, "n1", "");
	struct client *ann = identified(b, "ann");
	struct client *bob = opened(b, "bob"), *cid = opened(b, "cid");

	(void)state;
	say(b, bob, IDENTIFY("t2", "129"));
	say(b, cid, IDENTIFY("t3", "1")); // without the intent
	gateway_bench_forget(b);
	say(b, ann, JOIN);
	gateway_bench_expect(b, "ann VOICE_STATE_UPDATE s 4\nbob VOICE_STATE_UPDATE s 3\n"
				"n1 assign 1000\nn1 state guild 1000 user 1 channel 11 token\n");
	gateway_bench_ack(b, node, b->last_seq, 0);
	gateway_bench_expect(b, "ann VOICE_SERVER_UPDATE s 5\n");
	client_closed(ann, 1000, b->now_ms); // a clean end leaves
	gateway_bench_expect(b, "bob VOICE_STATE_UPDATE s 4\n"
				"n1 state guild 1000 user 1 channel 0\n");
	gateway_bench_destroy(b);
}

static void without_the_intent_a_client_sees_only_itself(void **state)
{
	struct gateway_bench *b = gateway_bench_create(false);
	struct client *ann = opened(b, "ann"), *bob = opened(b, "bob");

	(void)state;
	say(b, ann, IDENTIFY("t1", "1"));
	say(b, bob, IDENTIFY("t2", "1"));
	gateway_bench_forget(b);
	say(b, ann, JOIN);
	gateway_bench_expect(b, "ann VOICE_STATE_UPDATE s 4\n");
	gateway_bench_destroy(b);
}

static void a_shard_hears_of_its_own_guilds_only(void **state)
{
	struct gateway_bench *b = gateway_bench_create(false);
	struct client *ann = identified(b, "ann"), *bob = opened(b, "bob");

	(void)state;
	say(b, bob, "{\"op\":2,\"d\":{\"token\":\"t2\",\"intents\":129,\"shard\":[1,2]}}");
	gateway_bench_forget(b);
	say(b, ann, JOIN);
	gateway_bench_expect(b, "ann VOICE_STATE_UPDATE s 4\n");
	gateway_bench_destroy(b);
}

static void only_1000_and_1001_end_a_session(void **state)
{
	static const struct {
		uint16_t code;
		bool ends;
	} cases[] = {{1000, true}, {1001, true}, {1002, false}, {1005, false}, {1006, false},
		{4000, false}, {4009, false}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct gateway_bench *b = gateway_bench_create(false);

		client_closed(identified(b, "c1"), cases[i].code, b->now_ms);
		assert_int_equal(b->hub.sessions == NULL, cases[i].ends);
		gateway_bench_destroy(b);
	}
}

static void the_oldest_event_that_is_kept_can_be_resumed_from(void **state)
{
	struct gateway_bench *b = gateway_bench_create(false);
	struct client *client = identified(b, "c1");
	char session[SESSION_ID_SIZE];

	(void)state;
	memcpy(session, b->last_session, sizeof(session));
	say(b, client, "{\"op\":1,\"d\":1}"); // 2 and 3 stay
	client_closed(client, 1006, b->now_ms);
	client = opened(b, "c2");
	gateway_bench_forget(b);
	resume(b, client, session, 1);
	gateway_bench_expect(b, "c2 GUILD_CREATE s 2\nc2 GUILD_CREATE s 3\nc2 RESUMED s 4\n");
	gateway_bench_destroy(b);
}

static void requested_members_come_in_a_chunk(void **state)
{
	struct gateway_bench *b = gateway_bench_create(false);
	struct client *client = identified(b, "c1");

	(void)state;
	say(b, client, "{\"op\":8,\"d\":{\"guild_id\":\"1000\",\"query\":\"\",\"limit\":0}}");
	say(b, client, "{\"op\":8,\"d\":{\"guild_id\":\"3000\",\"query\":\"\"}}"); // not hers
	say(b, client, "{\"op\":3,\"d\":{\"status\":\"online\"}}");
	gateway_bench_expect(b, "c1 GUILD_MEMBERS_CHUNK s 4\n");
	gateway_bench_destroy(b);
}

// --- resume ---

static void a_cut_client_resumes_without_a_gap_and_stays_in_voice(void **state)
{
	struct gateway_bench *b = gateway_bench_create(false);
	struct core_node *node = gateway_bench_node(b, "n1", "");
	struct client *client = identified(b, "c1");
	char session[SESSION_ID_SIZE];

	(void)state;
	memcpy(session, b->last_session, sizeof(session));
	say(b, client, JOIN);
	gateway_bench_forget(b);
	client_closed(client, 1006, b->now_ms);
	gateway_bench_ack(b, node, b->last_seq, 0); // the endpoint comes while it is away
	gateway_bench_expect(b, "");
	b->now_ms += SESSION_WINDOW_MS - 1;
	hub_tick(&b->hub, b->now_ms);
	client = opened(b, "c2");
	gateway_bench_forget(b);
	resume(b, client, session, 3);
	gateway_bench_expect(b, "c2 VOICE_STATE_UPDATE s 4\nc2 VOICE_SERVER_UPDATE s 5\n"
				"c2 RESUMED s 6\n");
	assert_true(guild_member(model_guild(&b->model, GUILD_ONE), 1)->voice.channel_id == 11);
	// Once more, from another socket while the second is still open.
	resume(b, opened(b, "c3"), session, 6);
	gateway_bench_expect(b, "c3 op 10\nc2 close 4000\nc3 RESUMED s 7\n");
	gateway_bench_destroy(b);
}

static void a_window_that_is_over_ends_the_session(void **state)
{
	struct gateway_bench *b = gateway_bench_create(false);
	struct client *client = identified(b, "c1");
	char session[SESSION_ID_SIZE];

	(void)state;
	memcpy(session, b->last_session, sizeof(session));
	gateway_bench_node(b, "n1", "");
	say(b, client, JOIN);
	client_closed(client, 4000, b->now_ms);
	b->now_ms += SESSION_WINDOW_MS;
	gateway_bench_forget(b);
	hub_tick(&b->hub, b->now_ms);
	gateway_bench_expect(b, "n1 state guild 1000 user 1 channel 0\n");
	client = opened(b, "c2");
	resume(b, client, session, 3);
	gateway_bench_expect(b, "c2 op 10\nc2 op 9 false\n");
	say(b, client, IDENTIFY("t1", "129")); // and it may begin anew on the same socket
	assert_int_equal(gateway_bench_count(b, "c2 READY s 1"), 1);
	gateway_bench_destroy(b);
}

static void a_resume_of_what_is_no_longer_kept_is_refused(void **state)
{
	struct gateway_bench *b = gateway_bench_create(false);
	struct client *client = identified(b, "c1");
	char session[SESSION_ID_SIZE];

	(void)state;
	memcpy(session, b->last_session, sizeof(session));
	client_closed(client, 1006, b->now_ms);
	for (unsigned i = 0; i < SESSION_EVENTS_MAX; i++) {
		struct event *event = event_create("TEST", json_object());

		hub_dispatch(&b->hub, b->hub.sessions, event);
		event_release(event);
	}
	client = opened(b, "c2");
	gateway_bench_forget(b);
	resume(b, client, session, 99999);
	gateway_bench_expect(b, "c2 close 4007\n");
	client = opened(b, "c3");
	gateway_bench_forget(b);
	resume(b, client, session, 2); // event 3 is gone
	gateway_bench_expect(b, "c3 op 9 false\n");
	assert_null(b->hub.sessions);
	gateway_bench_destroy(b);
}

static void another_users_session_cannot_be_resumed(void **state)
{
	struct gateway_bench *b = gateway_bench_create(false);
	struct client *client = opened(b, "c1");

	(void)state;
	say(b, client, IDENTIFY("t2", "129"));
	client = opened(b, "c2");
	gateway_bench_forget(b);
	resume(b, client, b->last_session, 0);
	gateway_bench_expect(b, "c2 op 9 false\n");
	gateway_bench_destroy(b);
}

static void beats_trim_what_is_kept(void **state)
{
	struct gateway_bench *b = gateway_bench_create(false);
	struct client *client = identified(b, "c1");
	struct session *session = b->hub.sessions;

	(void)state;
	assert_int_equal(session->kept_count, 3);
	say(b, client, "{\"op\":1,\"d\":2}");
	assert_int_equal(session->kept_count, 1);
	say(b, client, "{\"op\":1,\"d\":99}"); // never sent: ignored
	assert_int_equal(session->kept_count, 1);
	assert_null(session_event(session, 2));
	assert_string_equal(session_event(session, 3)->type, "GUILD_CREATE");
	gateway_bench_destroy(b);
}

// --- REST ---

static void call(struct gateway_bench *b, const char *method, const char *path,
	const char *authorization, const char *body)
{
	struct http_request request = {.method = method,
		.path = path,
		.query = "",
		.authorization = authorization,
		.host = "gw.test:80",
		.body = body,
		.body_size = strlen(body)};

	gateway_bench_forget(b);
	rest_handle(&b->rest, (struct http_exchange *)b, &request, b->now_ms);
}

static void answers(struct gateway_bench *b, const char *begin)
{
	if (gateway_bench_count(b, begin) != 1)
		fail_msg("expected %s in %s", begin, b->script);
}

static void rest_says_where_and_who(void **state)
{
	struct gateway_bench *b = gateway_bench_create(false);

	(void)state;
	call(b, "GET", "/api/v10/gateway", "", "");
	gateway_bench_expect(b, "200 {\"url\":\"ws://gw.test:80\"}\n");
	call(b, "GET", "/api/v10/gateway/bot", "Bot t1", "");
	answers(b, "200 {\"url\":\"ws://gw.test:80\",\"shards\":1,\"session_start_limit\":");
	call(b, "GET", "/api/v10/gateway/bot", "t1", "");
	gateway_bench_expect(b, "401 {\"message\":\"401: Unauthorized\",\"code\":0}\n");
	call(b, "GET", "/api/v10/users/@me", "Bot t2", "");
	answers(b, "200 {\"id\":\"2\",\"username\":\"bob\"");
	call(b, "GET", "/api/v10/users/@me", "Bot t4", "");
	answers(b, "401 ");
	call(b, "GET", "/api/v10/nothing", "Bot t1", "");
	answers(b, "404 ");
	call(b, "GET", "/", "", "");
	answers(b, "404 ");
	call(b, "GET", "/api/v10", "Bot t1", "");
	answers(b, "404 ");
	call(b, "DELETE", "/api/v10/gateway", "Bot t1", "");
	answers(b, "404 ");
	snprintf(b->config.public_url, sizeof(b->config.public_url), "wss://gw.example");
	call(b, "GET", "/api/v10/gateway", "", "");
	gateway_bench_expect(b, "200 {\"url\":\"wss://gw.example\"}\n");
	gateway_bench_destroy(b);
}

static void a_host_header_cannot_write_the_answer(void **state)
{
	struct gateway_bench *b = gateway_bench_create(false);
	char url[128];

	(void)state;
	hub_public_url(&b->hub, "evil\",\"x\":\"", url, sizeof(url));
	assert_string_equal(url, "ws://127.0.0.1:8480");
	hub_public_url(&b->hub, "a/b", url, sizeof(url));
	assert_string_equal(url, "ws://127.0.0.1:8480");
	hub_public_url(&b->hub, "[::1]:8480", url, sizeof(url));
	assert_string_equal(url, "ws://[::1]:8480");
	gateway_bench_destroy(b);
}

#define MEMBER_ONE "/api/v10/guilds/1000/members/1"

static void moderation_needs_the_right_and_the_nodes_word(void **state)
{
	struct gateway_bench *b = gateway_bench_create(false);
	struct core_node *node = gateway_bench_node(b, "n1", "");
	struct client *client = identified(b, "c1");

	(void)state;
	call(b, "PATCH", MEMBER_ONE, "Bot t2", "{\"mute\":true}");
	answers(b, "400 {\"message\":\"Target user is not connected to voice.\",\"code\":40032}");
	say(b, client, JOIN);
	gateway_bench_ack(b, node, b->last_seq - 1, 0);
	gateway_bench_ack(b, node, b->last_seq, 0);
	call(b, "PATCH", MEMBER_ONE, "Bot t1", "{\"mute\":true}");
	answers(b, "403 {\"message\":\"Missing Permissions\",\"code\":50013}");
	call(b, "PATCH", "/api/v10/guilds/2000/members/1", "Bot t2", "{\"mute\":true}");
	answers(b, "404 {\"message\":\"Unknown Guild\",\"code\":10004}");
	call(b, "PATCH", "/api/v10/guilds/1000/members/9", "Bot t2", "{\"mute\":true}");
	answers(b, "404 {\"message\":\"Unknown Member\",\"code\":10007}");
	call(b, "PATCH", MEMBER_ONE "/x", "Bot t2", "{\"mute\":true}");
	answers(b, "404 {\"message\":\"404: Not Found\",\"code\":0}");
	call(b, "PATCH", MEMBER_ONE, "Bot t2", "{\"channel_id\":\"21\"}");
	answers(b, "404 {\"message\":\"Unknown Channel\",\"code\":10003}");
	call(b, "PATCH", MEMBER_ONE, "Bot t2", "{\"mute\":1}");
	answers(b, "400 {\"message\":\"Invalid Form Body\",\"code\":50035}");
	call(b, "PATCH", MEMBER_ONE, "Bot t2", "{\"channel_id\":\"x\"}");
	answers(b, "400 ");
	call(b, "PATCH", MEMBER_ONE, "Bot t2", "{");
	answers(b, "400 ");
	call(b, "PATCH", MEMBER_ONE, "Bot t2", "{\"nick\":\"x\"}");
	answers(b, "200 ");
	call(b, "DELETE", MEMBER_ONE, "Bot t2", "");
	answers(b, "405 ");
	call(b, "PATCH", MEMBER_ONE, "Bot t2", "{\"mute\":true,\"deaf\":true}");
	gateway_bench_expect(b, "n1 state guild 1000 user 1 channel 11 mute deaf\n");
	gateway_bench_ack(b, node, b->last_seq, 0);
	answers(b, "200 {\"user\":{\"id\":\"1\"");
	call(b, "PATCH", MEMBER_ONE, "Bot t2", "{\"channel_id\":null}");
	gateway_bench_ack(b, node, b->last_seq, 0);
	answers(b, "200 ");
	gateway_bench_destroy(b);
}

static void a_node_that_says_nothing_is_answered_for(void **state)
{
	struct gateway_bench *b = gateway_bench_create(false);
	struct core_node *node = gateway_bench_node(b, "n1", "");
	struct client *client = identified(b, "c1");

	(void)state;
	say(b, client, JOIN);
	gateway_bench_ack(b, node, b->last_seq - 1, 0);
	gateway_bench_ack(b, node, b->last_seq, 0);
	call(b, "PATCH", MEMBER_ONE, "Bot t2", "{\"mute\":true}");
	gateway_bench_forget(b);
	gateway_bench_pass(b, CORE_ACK_TIMEOUT_MS + 100, (struct core_node *[]){node, NULL});
	answers(b, "504 ");
	assert_false(guild_member(model_guild(&b->model, GUILD_ONE), 1)->voice.mute);
	call(b, "PATCH", MEMBER_ONE, "Bot t2", "{\"mute\":true}");
	gateway_bench_forget(b);
	core_node_closed(b->core, node, b->now_ms);
	answers(b, "503 ");
	gateway_bench_destroy(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identify_brings_ready_and_every_guild),
		cmocka_unit_test(a_shard_sees_its_own_guilds_only),
		cmocka_unit_test(bad_first_frames_get_their_code),
		cmocka_unit_test(the_query_is_checked),
		cmocka_unit_test(a_second_identify_closes_with_4005),
		cmocka_unit_test(size_and_kind_have_bounds),
		cmocka_unit_test(more_than_120_frames_a_minute_close_with_4008),
		cmocka_unit_test(who_does_not_beat_or_identify_is_closed),
		cmocka_unit_test(the_sessions_of_a_user_are_bounded),
		cmocka_unit_test(a_join_reaches_the_guild_and_the_endpoint_only_the_joiner),
		cmocka_unit_test(without_the_intent_a_client_sees_only_itself),
		cmocka_unit_test(a_shard_hears_of_its_own_guilds_only),
		cmocka_unit_test(only_1000_and_1001_end_a_session),
		cmocka_unit_test(the_oldest_event_that_is_kept_can_be_resumed_from),
		cmocka_unit_test(requested_members_come_in_a_chunk),
		cmocka_unit_test(a_cut_client_resumes_without_a_gap_and_stays_in_voice),
		cmocka_unit_test(a_window_that_is_over_ends_the_session),
		cmocka_unit_test(a_resume_of_what_is_no_longer_kept_is_refused),
		cmocka_unit_test(another_users_session_cannot_be_resumed),
		cmocka_unit_test(beats_trim_what_is_kept),
		cmocka_unit_test(rest_says_where_and_who),
		cmocka_unit_test(a_host_header_cannot_write_the_answer),
		cmocka_unit_test(moderation_needs_the_right_and_the_nodes_word),
		cmocka_unit_test(a_node_that_says_nothing_is_answered_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
