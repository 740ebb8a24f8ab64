// SPDX-License-Identifier: BSD-3-Clause
//
// A node without budget: its refusal takes the member out of the channel at once, a move back to
// where it was, and what nodes report is seen.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "support/gateway_bench.h"

static void op4(struct gateway_bench *b, uint64_t user, const char *session, uint64_t channel)
{
	struct core_voice_update update = {.guild_id = GUILD_ONE, .channel_id = channel};

	core_voice_update(b->core, model_user(&b->model, user), session, &update, b->now_ms);
}

static void refuse(struct gateway_bench *b, struct core_node *node, uint64_t seq)
{
	const struct node_msg msg = {.op = NODE_OP_ACK,
		.seq = seq,
		.error = -EDQUOT,
		.why = "no worker has budget",
		.no_budget = true,
		.refusal = {.worker = 1, .capacity_pps = 200, .used_pps = 171, .price_pps = 66}};

	core_node_message(b->core, node, &msg, b->now_ms);
}

static struct core_node *one_is_in(struct gateway_bench *b)
{
	struct core_node *node = gateway_bench_node(b, "n1", "");

	op4(b, 1, "s1", 11);
	gateway_bench_ack(b, node, b->last_seq - 1, 0);
	gateway_bench_ack(b, node, b->last_seq, 0);
	gateway_bench_forget(b);
	return node;
}

static void who_has_no_place_is_out_at_once(void **state)
{
	struct gateway_bench *b = gateway_bench_create(true);
	struct core_node *node = one_is_in(b), *alive[] = {node, NULL};

	(void)state;
	op4(b, 2, "s2", 11);
	gateway_bench_forget(b);
	refuse(b, node, b->last_seq);
	gateway_bench_expect(b, "state guild 1000 user 2 channel 0\n"
				"n1 state guild 1000 user 2 channel 0\n");
	gateway_bench_ack(b, node, b->last_seq, 0);
	assert_int_equal(core_stats(b->core)->joins_no_budget, 1);
	assert_int_equal(core_stats(b->core)->joins_given_up, 0);
	assert_int_equal(core_stats(b->core)->join_retries, 0);
	gateway_bench_pass(b, 60000, alive); // nor does it come back by itself
	gateway_bench_expect(b, "");
	op4(b, 2, "s2", 11); // but may be asked for again
	gateway_bench_expect(b, "state guild 1000 user 2 channel 11\n"
				"n1 state guild 1000 user 2 channel 11 token\n");
	gateway_bench_ack(b, node, b->last_seq, 0);
	gateway_bench_expect(b, "server guild 1000 user 2 session s2 at n1.test:443\n");
	gateway_bench_destroy(b);
}

// It left before the refusal came: there is nothing to take out of.
static void a_refusal_that_comes_late_changes_nothing(void **state)
{
	struct gateway_bench *b = gateway_bench_create(true);
	struct core_node *node = one_is_in(b);
	uint64_t seq;

	(void)state;
	op4(b, 2, "s2", 11);
	seq = b->last_seq;
	op4(b, 2, "s2", 0);
	gateway_bench_forget(b);
	refuse(b, node, seq);
	gateway_bench_expect(b, "");
	assert_int_equal(core_stats(b->core)->joins_no_budget, 0);
	gateway_bench_destroy(b);
}

static void a_move_without_budget_is_taken_back(void **state)
{
	struct gateway_bench *b = gateway_bench_create(true);
	struct core_node *node = one_is_in(b), *alive[] = {node, NULL};

	(void)state;
	op4(b, 1, "s1", 12);
	gateway_bench_expect(b, "n1 state guild 1000 user 1 channel 12\n");
	refuse(b, node, b->last_seq);
	gateway_bench_pass(b, 5000, alive);
	gateway_bench_expect(b, "");
	assert_int_equal(guild_member(model_guild(&b->model, GUILD_ONE), 1)->voice.channel_id, 11);
	gateway_bench_destroy(b);
}

static void what_a_node_reports_is_seen(void **state)
{
	struct gateway_bench *b = gateway_bench_create(true);
	struct core_node *node = gateway_bench_node(b, "n1", "");
	struct node_worker workers[] = {{1000, 875, 100}, {2000, 1750, 50}};
	const struct node_msg msg = {.op = NODE_OP_REPORT, .worker_count = 2, .workers = workers};
	struct core_node_info row;

	(void)state;
	assert_int_equal(core_nodes(b->core, &row, 1), 1);
	assert_int_equal(row.budget.capacity_pps, 0);
	core_node_message(b->core, node, &msg, b->now_ms);
	assert_int_equal(core_nodes(b->core, &row, 1), 1);
	assert_int_equal(row.budget.capacity_pps, 3000);
	assert_int_equal(row.budget.budget_pps, 2625);
	assert_int_equal(row.budget.used_pps, 150);
	assert_int_equal(core_stats(b->core)->node_unknown_ops, 0);
	gateway_bench_destroy(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_has_no_place_is_out_at_once),
		cmocka_unit_test(a_refusal_that_comes_late_changes_nothing),
		cmocka_unit_test(a_move_without_budget_is_taken_back),
		cmocka_unit_test(what_a_node_reports_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
