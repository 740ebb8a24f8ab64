// SPDX-License-Identifier: BSD-3-Clause
//
// The gateway's core through thousands of random histories: placement's loads stay true, and every
// one of them ends well.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/core_private.h"
#include "support/gateway_bench.h"

static void op4(struct gateway_bench *b, uint64_t user, const char *session, uint64_t guild,
	uint64_t channel)
{
	struct core_voice_update update = {.guild_id = guild, .channel_id = channel};

	core_voice_update(b->core, model_user(&b->model, user), session, &update, b->now_ms);
}

static uint32_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33);
}

// The loads that placement goes by are what a recount says.
static void loads_are_true(struct gateway_bench *b)
{
	struct core_node_info rows[8];
	uint32_t count = core_nodes(b->core, rows, 8);

	for (uint32_t i = 0; i < b->model.guild_count; i++) {
		const struct guild *guild = &b->model.guilds[i];
		uint32_t voices = 0;

		for (uint32_t k = 0; k < guild->member_count; k++)
			voices += guild->members[k].voice.channel_id != 0;
		assert_int_equal(voices, guild->voice_count);
	}
	for (uint32_t n = 0; n < count; n++) {
		uint32_t guilds = 0, voices = 0;

		for (uint32_t i = 0; i < b->model.guild_count; i++) {
			const struct guild *guild = &b->model.guilds[i];

			if (guild->node == NULL ||
				strcmp(core_node_name(guild->node), rows[n].name) != 0)
				continue;
			guilds++;
			voices += guild->voice_count;
		}
		assert_int_equal(rows[n].guild_count, guilds);
		assert_int_equal(rows[n].voice_count, voices);
	}
}

// Whoever still needs an endpoint is asked for again, or has no node that could be asked.
static void nobody_waits_for_ever(struct gateway_bench *b)
{
	for (uint32_t i = 0; i < b->model.guild_count; i++) {
		const struct guild *guild = &b->model.guilds[i];

		for (uint32_t k = 0; k < guild->member_count; k++) {
			const struct voice *voice = &guild->members[k].voice;

			if (voice->channel_id == 0 || !voice->wants_token || guild->node == NULL ||
				guild->node->link == NULL)
				continue;
			assert_true(voice->join_retry_ms != 0);
			assert_true(guild->join_retry_ms != 0 &&
				    guild->join_retry_ms <= voice->join_retry_ms);
		}
	}
}

static void random_step(struct gateway_bench *b, struct core_node *nodes[2], uint64_t *seed)
{
	static const char *const names[] = {"n1", "n2"};
	static const uint64_t guilds[] = {GUILD_ONE, GUILD_TWO, GUILD_THREE};
	static const uint64_t channels[] = {0, 11, 12, 21, 31};
	unsigned n = next_random(seed) % 2;
	struct core_node *registered;

	switch (next_random(seed) % 8) {
	case 0:
		registered = gateway_bench_node(b, names[n], next_random(seed) % 2 ? "1000:5" : "");
		if (registered != NULL) // NULL: it is there, and answers
			nodes[n] = registered;
		break;
	case 1:
		if (nodes[n] != NULL)
			core_node_closed(b->core, nodes[n], b->now_ms);
		nodes[n] = NULL;
		break;
	case 2:
	case 3:
		if (nodes[n] != NULL)
			gateway_bench_ack(b, nodes[n], b->last_seq - next_random(seed) % 3,
				next_random(seed) % 4 == 0 ? -EIO : 0);
		break;
	case 4:
		core_session_ended(
			b->core, model_user(&b->model, 1 + next_random(seed) % 3), "s", b->now_ms);
		break;
	default:
		op4(b, 1 + next_random(seed) % 3, "s", guilds[next_random(seed) % 3],
			channels[next_random(seed) % 5]);
		break;
	}
}

static void random_histories_keep_the_loads_true_and_end_well(void **state)
{
	(void)state;
	for (uint64_t run = 1; run <= 300; run++) {
		struct gateway_bench *b = gateway_bench_create(true);
		struct core_node *nodes[2] = {NULL, NULL};
		uint64_t seed = run;

		for (unsigned step = 0; step < 60; step++) {
			random_step(b, nodes, &seed);
			loads_are_true(b);
			nobody_waits_for_ever(b);
			b->now_ms += 100; // acks time out, nodes that were cut die
			b->unix_ms += 100;
			for (unsigned n = 0; n < 2; n++)
				if (nodes[n] != NULL)
					for (uint64_t seq = 0; seq < 20; seq++)
						core_node_message(b->core, nodes[n],
							&(struct node_msg){
								.op = NODE_OP_PONG, .seq = seq},
							b->now_ms);
			core_tick(b->core, b->now_ms);
			loads_are_true(b);
			gateway_bench_forget(b);
		}
		gateway_bench_destroy(b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_histories_keep_the_loads_true_and_end_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
