// SPDX-License-Identifier: BSD-3-Clause
//
// The gateway's commands: nothing is acknowledged before the packet engine has it, the highest
// epoch wins, and what a client can do with a token that came too late or twice.

#include "support/assignments_fixture.h"

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
	assert_int_equal(fake_guilds_closed, 1);
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
	assert_int_equal(fake_guilds_closed, 1);
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
