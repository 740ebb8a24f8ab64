// SPDX-License-Identifier: BSD-3-Clause
//
// Admission: a join is placed before its client hears of it, on the guild's home worker while that
// has budget, then on another one, then nowhere; and who is refused is told why.

#define FIXTURE_WORKERS 2
#include "support/assignments_fixture.h"

#define CAPACITY 200u // 175 of it for joins: three members of one channel, or two and growth

static int begin(void **state)
{
	setup(state);
	for (uint32_t worker = 0; worker < FIXTURE_WORKERS; worker++)
		registry_set_capacity(registry, worker, CAPACITY);
	assign(9);
	return 0;
}

static int push(uint64_t user, uint64_t channel, const char *token)
{
	uint64_t seq = apply(voice_state(user, channel, token));

	if (ack_count == 0)
		fake_engine_acks(0);
	assert_int_equal(ack_count, 1);
	assert_int_equal(acks[0].seq, seq);
	ack_count = 0;
	return acks[0].error;
}

static uint64_t used(uint32_t worker)
{
	struct registry_load load;

	registry_load(registry, worker, &load);
	return load.used_pps;
}

static uint32_t worker_of(uint64_t user)
{
	return registry_session_find(registry, GUILD, user)->worker;
}

// The port that Ready told.
static unsigned port_of(struct ws_conn *conn)
{
	for (unsigned at = 0; at < conn->sent_count; at++) {
		const char *port = strstr(conn->sent[at], "\"port\":");

		if (strncmp(conn->sent[at], "{\"op\":2,", 8) == 0 && port != NULL)
			return (unsigned)atoi(port + 7);
	}
	return 0;
}

static void a_channel_spreads_and_the_last_is_refused(void **state)
{
	struct ws_conn *conns[6];
	uint32_t home = registry_guild_find(registry, GUILD)->worker;

	(void)state;
	for (uint64_t user = 1; user <= 5; user++) {
		assert_int_equal(push(user, 100, "tok"), 0);
		conns[user] = identify_as(user, "tok");
		assert_int_equal(conns[user]->closed_with, 0);
		assert_int_equal(worker_of(user), user <= 3 ? home : 1 - home);
		assert_int_equal(port_of(conns[user]), 50000 + worker_of(user));
	}
	assert_int_equal(fake_rooms_open, 2);
	assert_int_equal(used(home), 3 * 65);
	// Six would hear 68 each: what is on its home worker could not bear it.
	assert_int_equal(push(6, 100, "tok"), -EDQUOT);
	assert_int_equal(last_refusal.worker, home);
	assert_int_equal(last_refusal.capacity_pps, CAPACITY);
	assert_int_equal(last_refusal.used_pps, 3 * 65);
	assert_int_equal(last_refusal.price_pps, 3 * (68 - 65));
	assert_null(registry_pending_find(registry, GUILD, 6));
	assert_int_equal(used(home), 3 * 65); // and nothing of it is left
	// In a channel of its own it would burden nobody, but there is no room beside the two.
	assert_int_equal(push(6, 200, "tok"), -EDQUOT);
	assert_int_equal(last_refusal.worker, 1 - home);
	assert_int_equal(last_refusal.price_pps, 50);
	assert_int_equal(push(5, 0, NULL), 0);
	fake_end(conns[5], 1000);
	assert_int_equal(push(6, 200, "tok"), 0);
	conns[5] = identify_as(6, "tok");
	assert_int_equal(worker_of(6), 1 - home);
	for (uint64_t user = 1; user <= 5; user++)
		fake_end(conns[user], 1000);
	assert_int_equal(used(0) + used(1), 0);
	assert_int_equal(fake_rooms_open, 0);
	assert_null(registry_guild_find(registry, GUILD)->parts->next);
}

static void tokens_that_wait_are_counted(void **state)
{
	(void)state;
	for (uint64_t user = 1; user <= 5; user++)
		assert_int_equal(push(user, 100, "tok"), 0);
	assert_int_equal(push(6, 100, "tok"), -EDQUOT);
	assert_int_equal(push(5, 100, "newer"), 0); // it takes its own place
	assert_int_equal(push(5, 0, NULL), 0);
	assert_int_equal(push(6, 100, "tok"), 0);
	fake_loop_pass(REGISTRY_PENDING_MS + 2000, 250); // nobody came
	assert_int_equal(used(0) + used(1), 0);
	assert_null(registry_guild_find(registry, GUILD)->rooms);
}

static void a_move_stays_on_its_worker_or_is_refused(void **state)
{
	uint32_t home = registry_guild_find(registry, GUILD)->worker;
	struct ws_conn *conns[5];

	(void)state;
	for (uint64_t user = 1; user <= 4; user++) {
		assert_int_equal(push(user, user <= 3 ? 100 : 200, "tok"), 0);
		conns[user] = identify_as(user, "tok");
	}
	assert_int_equal(worker_of(4), 1 - home);
	assert_int_equal(used(home), 3 * 56);
	assert_int_equal(push(4, 100, NULL), 0); // a part of its own there
	assert_int_equal(worker_of(4), 1 - home);
	assert_int_equal(registry_session_find(registry, GUILD, 4)->room->member_count, 4);
	registry_set_capacity(registry, 1 - home, 60); // 52 for joins
	assert_int_equal(push(4, 300, NULL), 0);       // it gives back more than it takes
	assert_int_equal(push(4, 100, NULL), -EDQUOT);
	assert_int_equal(last_refusal.worker, 1 - home);
	assert_int_equal(registry_session_find(registry, GUILD, 4)->room->channel_id, 300);
	for (uint64_t user = 1; user <= 4; user++)
		fake_end(conns[user], 1000);
}

static void who_comes_again_takes_its_own_place(void **state)
{
	struct ws_conn *conns[6], *again;

	(void)state;
	for (uint64_t user = 1; user <= 5; user++) {
		assert_int_equal(push(user, 100, "tok"), 0);
		conns[user] = identify_as(user, "tok");
	}
	assert_int_equal(push(3, 100, "again"), 0);
	again = identify_as(3, "again");
	assert_int_equal(conns[3]->closed_with, 4006);
	fake_end(conns[3], 4006);
	conns[3] = again;
	assert_int_equal(used(0) + used(1), 5 * 65);
	for (uint64_t user = 1; user <= 5; user++)
		fake_end(conns[user], 1000);
}

// A node that stops in the middle of a spread channel leaves no part behind.
static void a_spread_guild_leaves_whole(void **state)
{
	struct ws_conn *conns[6];

	(void)state;
	for (uint64_t user = 1; user <= 4; user++) {
		assert_int_equal(push(user, 100, "tok"), 0);
		conns[user] = identify_as(user, "tok");
	}
	assert_int_equal(push(5, 100, "tok"), 0);
	apply((struct node_msg){.op = NODE_OP_UNASSIGN, .epoch = 10});
	for (uint64_t user = 1; user <= 4; user++) {
		assert_int_equal(conns[user]->closed_with, 4006);
		fake_end(conns[user], 4006);
	}
	assert_null(registry_guild_find(registry, GUILD));
	assert_int_equal(fake_guilds_closed, 2);
	assert_int_equal(fake_rooms_open, 0);
	assert_int_equal(used(0) + used(1), 0);
	fake_engine_acks(0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_channel_spreads_and_the_last_is_refused),
		TEST(tokens_that_wait_are_counted),
		TEST(a_move_stays_on_its_worker_or_is_refused),
		TEST(who_comes_again_takes_its_own_place),
		TEST(a_spread_guild_leaves_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
