// SPDX-License-Identifier: BSD-3-Clause
//
// The gateway's commands: nothing is acknowledged before the packet engine has it, the highest
// epoch wins, and what a client can do with a token that came too late or twice.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/assignments.h"
#include "register/node_proto.h"
#include "support/fake_voice.h"

#define GUILD 11ull
#define ACKS_MAX 32

static struct intent *intent;
static struct registry *registry;
static struct voice_server *server;
static struct node_config config;
static struct assignments assignments;
static int fd;
static struct {
	uint64_t seq;
	int error;
} acks[ACKS_MAX];
static unsigned ack_count;
static unsigned guilds_closed;

void resync_guild_open(struct resync *resync, struct guild *guild, resync_done_fn *fn, void *arg)
{
	(void)resync;
	fake_wait(guild, fn, arg);
}

void resync_guild_close(struct resync *resync, struct guild *guild, resync_done_fn *fn, void *arg)
{
	(void)resync;
	DP_ASSERT(guild->intent->state == INTENT_GONE);
	guilds_closed++;
	fake_wait(guild, fn, arg);
}

static void on_ack(void *ctx, uint32_t connection, uint64_t seq, int error)
{
	(void)ctx;
	assert_int_equal(connection, 5);
	assert_true(ack_count < ACKS_MAX);
	acks[ack_count].seq = seq;
	acks[ack_count++].error = error;
}

static void on_left(void *ctx, uint64_t guild_id, uint64_t user_id, const char *session_id)
{
	(void)ctx, (void)guild_id, (void)user_id, (void)session_id;
}

static bool key_is_low(void *ctx, const struct session *session)
{
	(void)ctx, (void)session;
	return false;
}

static int setup(void **state)
{
	const struct intent_params shape = {
		.worker_count = 1, .guild_count = 2, .room_count = 8, .session_count = 8};
	struct voice_server_params params = {
		.config = &config, .ip = "203.0.113.7", .left = on_left, .key_is_low = key_is_low};
	bool is_fresh;
	char why[64];

	(void)state;
	config.voice.heartbeat_ms = 10000;
	config.voice.mode_count = 1;
	config.voice.listen.count = 1;
	fake_waiter_count = ack_count = guilds_closed = fake_sets = fake_removed = 0;
	fd = memfd_create("intent", MFD_CLOEXEC);
	assert_int_equal(intent_open(fd, &shape, &intent, &is_fresh), 0);
	assert_int_equal(registry_create(intent, &registry), 0);
	registry_seed(registry, (const uint8_t[SSRC_KEY_SIZE]){5});
	params.registry = registry;
	assert_int_equal(voice_server_create(&params, &server), 0);
	assert_int_equal(voice_server_listen(server, why, sizeof(why)), 0);
	assignments = (struct assignments){.registry = registry, .voice = server, .ack = on_ack};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	voice_server_destroy(server);
	registry_destroy(registry);
	intent_close(intent);
	close(fd);
	return 0;
}

static uint64_t next_seq = 100;

static uint64_t apply(struct node_msg msg)
{
	msg.seq = ++next_seq;
	if (msg.guild_id == 0)
		msg.guild_id = GUILD;
	assignments_apply(&assignments, 5, &msg);
	return msg.seq;
}

// The one new answer is to 'seq'.
static void assert_acked(uint64_t seq, int error)
{
	assert_int_equal(ack_count, 1);
	assert_int_equal(acks[0].seq, seq);
	assert_int_equal(acks[0].error, error);
	ack_count = 0;
}

static void assign(uint64_t epoch)
{
	uint64_t seq = apply((struct node_msg){.op = NODE_OP_ASSIGN, .epoch = epoch});

	assert_int_equal(ack_count, 0);
	fake_engine_acks(0);
	assert_acked(seq, 0);
}

static struct node_msg voice_state(uint64_t user, uint64_t channel, const char *token)
{
	struct node_msg msg = {.op = NODE_OP_VOICE_STATE,
		.epoch = 9,
		.user_id = user,
		.channel_id = channel,
		.session_id = "s1"};

	if (token != NULL) {
		msg.has_token = true;
		fake_digest(token, msg.token_digest);
	}
	return msg;
}

static struct ws_conn *identify(const char *token)
{
	struct ws_conn *conn = fake_connect("v=8");
	char text[200];

	snprintf(text, sizeof(text),
		"{\"op\":0,\"d\":{\"server_id\":\"11\",\"user_id\":\"1\",\"session_id\":\"s1\","
		"\"token\":\"%s\"}}",
		token);
	fake_say(conn, text);
	fake_engine_acks(0);
	return conn;
}

static void a_guild_is_acknowledged_by_the_engine(void **state)
{
	(void)state;
	assign(9);
	assert_int_equal(registry_guild_find(registry, GUILD)->intent->epoch, 9);
	assign(9); // again, after the gateway restarted
}

static void the_highest_epoch_wins(void **state)
{
	struct node_msg msg = voice_state(1, 100, "t");

	(void)state;
	assign(9);
	assert_acked(
		(apply((struct node_msg){.op = NODE_OP_ASSIGN, .epoch = 8}), next_seq), -ESTALE);
	assert_acked(
		(apply((struct node_msg){.op = NODE_OP_UNASSIGN, .epoch = 8}), next_seq), -ESTALE);
	msg.epoch = 8;
	assert_acked((apply(msg), next_seq), -ESTALE);
	assert_null(registry_pending_find(registry, GUILD, 1));
	assign(10);
	msg.epoch = 9;
	assert_acked((apply(msg), next_seq), -ESTALE);
	msg.guild_id = 12;
	assert_acked((apply(msg), next_seq), -ENOENT);
}

static void an_engine_without_room_undoes_the_guild(void **state)
{
	uint64_t seq = apply((struct node_msg){.op = NODE_OP_ASSIGN, .epoch = 9});

	(void)state;
	fake_engine_acks(-ENOSPC);
	assert_int_equal(acks[0].seq, seq);
	assert_int_equal(acks[0].error, -ENOSPC);
	assert_null(registry_guild_find(registry, GUILD));
	assert_int_equal(guilds_closed, 1);
}

static void a_token_is_good_as_soon_as_it_is_acknowledged(void **state)
{
	struct ws_conn *conn;

	(void)state;
	assign(9);
	assert_acked(apply(voice_state(1, 100, "tok")), 0);
	conn = identify("tok");
	assert_int_equal(conn->closed_with, 0);
	assert_int_equal(registry_session_find(registry, GUILD, 1)->intent->channel_id, 100);
	fake_end(conn, 1000);
}

static void flags_reach_a_token_that_waits(void **state)
{
	struct node_msg msg = voice_state(1, 200, NULL);
	struct ws_conn *conn;

	(void)state;
	assign(9);
	assert_acked(apply(voice_state(1, 100, "tok")), 0);
	msg.suppress = true;
	msg.self_deaf = true;
	assert_acked(apply(msg), 0);
	conn = identify("tok");
	assert_int_equal(registry_session_find(registry, GUILD, 1)->intent->flags,
		DP_SESSION_MUTE | DP_SESSION_SELF_DEAF);
	assert_int_equal(registry_session_find(registry, GUILD, 1)->intent->channel_id, 200);
	fake_end(conn, 1000);
}

static void a_mute_is_acknowledged_by_the_engine(void **state)
{
	struct node_msg msg = voice_state(1, 100, NULL);
	struct ws_conn *conn;
	uint64_t seq;

	(void)state;
	assign(9);
	apply(voice_state(1, 100, "tok"));
	conn = identify("tok");
	ack_count = 0;
	msg.mute = true;
	seq = apply(msg);
	assert_int_equal(ack_count, 0);
	fake_engine_acks(0);
	assert_int_equal(registry_session_find(registry, GUILD, 1)->intent->flags, DP_SESSION_MUTE);
	assert_acked(seq, 0);
	fake_end(conn, 1000);
}

static void a_kick_closes_with_4014_and_is_acknowledged(void **state)
{
	struct ws_conn *conn;
	uint64_t seq;

	(void)state;
	assign(9);
	apply(voice_state(1, 100, "tok"));
	conn = identify("tok");
	ack_count = 0;
	seq = apply(voice_state(1, 0, NULL));
	assert_int_equal(conn->closed_with, 4014);
	assert_int_equal(ack_count, 0);
	fake_engine_acks(0);
	assert_acked(seq, 0);
	fake_end(conn, 4014);
}

static void leaving_takes_the_token_back(void **state)
{
	struct ws_conn *conn;

	(void)state;
	assign(9);
	apply(voice_state(1, 100, "tok"));
	ack_count = 0;
	assert_acked(apply(voice_state(1, 0, NULL)), 0);
	conn = identify("tok");
	assert_int_equal(conn->closed_with, 4006);
	fake_end(conn, 4006);
}

// The main session of another device leaves: this one stays.
static void another_sessions_leave_is_not_ours(void **state)
{
	struct node_msg msg = voice_state(1, 0, NULL);
	struct ws_conn *conn;

	(void)state;
	assign(9);
	apply(voice_state(1, 100, "tok"));
	conn = identify("tok");
	ack_count = 0;
	snprintf(msg.session_id, sizeof(msg.session_id), "s2");
	assert_acked(apply(msg), 0);
	assert_int_equal(conn->closed_with, 0);
	fake_end(conn, 1000);
}

static void an_unassigned_guild_ends_with_4006(void **state)
{
	struct ws_conn *conn, *late;
	uint64_t seq;

	(void)state;
	assign(9);
	apply(voice_state(1, 100, "tok"));
	conn = identify("tok");
	apply(voice_state(2, 100, "other"));
	ack_count = 0;
	seq = apply((struct node_msg){.op = NODE_OP_UNASSIGN, .epoch = 10});
	assert_int_equal(conn->closed_with, 4006);
	assert_int_equal(guilds_closed, 1);
	assert_int_equal(fake_removed, 1);
	fake_engine_acks(0);
	assert_acked(seq, 0);
	assert_null(registry_pending_find(registry, GUILD, 2));
	late = identify("tok");
	assert_int_equal(late->closed_with, 4011);
	fake_end(late, 4011);
	fake_end(conn, 4006);
	assert_acked((apply((struct node_msg){.op = NODE_OP_UNASSIGN, .epoch = 10}), next_seq), 0);
}

static void the_list_names_guilds_and_epochs(void **state)
{
	struct node_msg msg = {0};

	(void)state;
	assign(9);
	assert_int_equal(assignments_list(&assignments, &msg), 0);
	assert_int_equal(msg.guild_count, 1);
	assert_int_equal(msg.guilds[0].guild_id, GUILD);
	assert_int_equal(msg.guilds[0].epoch, 9);
	free(msg.guilds);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_guild_is_acknowledged_by_the_engine),
		TEST(the_highest_epoch_wins),
		TEST(an_engine_without_room_undoes_the_guild),
		TEST(a_token_is_good_as_soon_as_it_is_acknowledged),
		TEST(flags_reach_a_token_that_waits),
		TEST(a_mute_is_acknowledged_by_the_engine),
		TEST(a_kick_closes_with_4014_and_is_acknowledged),
		TEST(leaving_takes_the_token_back),
		TEST(another_sessions_leave_is_not_ours),
		TEST(an_unassigned_guild_ends_with_4006),
		TEST(the_list_names_guilds_and_epochs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
