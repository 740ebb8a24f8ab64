// SPDX-License-Identifier: BSD-3-Clause
//
// Whose a node's name is: the node's that has it and answers; a silent one loses it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "support/gateway_bench.h"

static void op4(struct gateway_bench *b, uint64_t user, const char *session, uint64_t guild,
	uint64_t channel)
{
	struct core_voice_update update = {.guild_id = guild, .channel_id = channel};

	core_voice_update(b->core, model_user(&b->model, user), session, &update, b->now_ms);
}

// User 1 is in channel 11 of guild 1000 on node n1.
static struct core_node *joined(struct gateway_bench *b)
{
	struct core_node *node = gateway_bench_node(b, "n1", "");

	op4(b, 1, "s1", GUILD_ONE, 11);
	gateway_bench_ack(b, node, b->last_seq - 1, 0);
	gateway_bench_ack(b, node, b->last_seq, 0);
	gateway_bench_forget(b);
	return node;
}

static void a_name_stays_with_the_node_that_answers(void **state)
{
	struct gateway_bench *b = gateway_bench_create(true);
	struct core_node *alive[] = {joined(b), NULL};
	uint64_t refused = core_stats(b->core)->nodes_refused;
	struct node_msg msg = {.op = NODE_OP_REGISTER, .contract = NODE_CONTRACT};
	const char *why;
	uint16_t code;

	(void)state;
	snprintf(msg.name, sizeof(msg.name), "n1");
	snprintf(msg.secret, sizeof(msg.secret), "sesame");
	for (unsigned i = 0; i < 20; i++) {
		assert_null(core_node_register(
			b->core, (void *)(uintptr_t) "n1", &msg, b->now_ms, &code, &why));
		assert_int_equal(code, NODE_CLOSE_NAME_TAKEN);
		assert_non_null(strstr(why, "set node.name"));
		gateway_bench_pass(b, 500, alive);
	}
	assert_int_equal(core_stats(b->core)->nodes_refused, refused + 20);
	gateway_bench_expect(b, ""); // nothing was closed, nobody moved
	gateway_bench_destroy(b);
}

// A machine that was cut off comes back while its old connection lingers.
static void a_silent_node_is_replaced_by_its_name(void **state)
{
	struct gateway_bench *b = gateway_bench_create(true);
	struct core_node *nobody[] = {NULL};
	uint64_t waited_ms = 0;
	char guilds[64];

	(void)state;
	joined(b);
	snprintf(guilds, sizeof(guilds), "1000:%llu", (unsigned long long)b->last_epoch);
	while (gateway_bench_node(b, "n1", guilds) == NULL) {
		gateway_bench_pass(b, 50, nobody);
		waited_ms += 50;
	}
	assert_true(waited_ms < (uint64_t)b->config.ping_ms * (b->config.dead_after_pings + 1));
	gateway_bench_expect(b, "n1 close 4005\nn1 registered\n"
				"n1 state guild 1000 user 1 channel 11\n");
	gateway_bench_destroy(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_stays_with_the_node_that_answers),
		cmocka_unit_test(a_silent_node_is_replaced_by_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
