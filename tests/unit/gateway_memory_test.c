// SPDX-License-Identifier: BSD-3-Clause
//
// A gateway without memory says so: what no node was told is not in force, not shown to the guild
// and not answered as done.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>

#include "support/gateway_bench.h"

static bool memory_is_out;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
	return memory_is_out ? NULL : __real_calloc(count, size);
}

static void op4(struct gateway_bench *b, uint64_t channel, bool self_mute)
{
	struct core_voice_update update = {
		.guild_id = GUILD_ONE, .channel_id = channel, .self_mute = self_mute};

	core_voice_update(b->core, model_user(&b->model, 1), "s1", &update, b->now_ms);
}

static int patch(struct gateway_bench *b, struct core_patch patch)
{
	struct guild *guild = model_guild(&b->model, GUILD_ONE);
	static char request[] = "call";

	return core_member_patch(
		b->core, guild, guild_member(guild, 1), &patch, request, b->now_ms);
}

static const struct voice *voice_of(struct gateway_bench *b)
{
	return &guild_member(model_guild(&b->model, GUILD_ONE), 1)->voice;
}

static struct core_node *joined(struct gateway_bench *b, bool acked)
{
	struct core_node *node = gateway_bench_node(b, "n1", "");

	op4(b, 11, false);
	gateway_bench_ack(b, node, b->last_seq - 1, 0);
	if (acked)
		gateway_bench_ack(b, node, b->last_seq, 0);
	gateway_bench_forget(b);
	return node;
}

static void what_no_node_was_told_is_not_done(void **state)
{
	struct gateway_bench *b = gateway_bench_create(true);
	struct core_node *node = joined(b, true);

	(void)state;
	memory_is_out = true;
	assert_int_equal(patch(b, (struct core_patch){.has_mute = true, .mute = true}), -ENOMEM);
	assert_int_equal(
		patch(b, (struct core_patch){.has_channel = true, .channel_id = 12}), -ENOMEM);
	assert_int_equal(patch(b, (struct core_patch){.has_channel = true}), -ENOMEM);
	op4(b, 12, true);
	memory_is_out = false;
	gateway_bench_expect(b, "");
	assert_int_equal(voice_of(b)->channel_id, 11);
	assert_false(voice_of(b)->mute || voice_of(b)->self_mute);
	assert_int_equal(model_guild(&b->model, GUILD_ONE)->voice_count, 1);
	assert_int_equal(core_stats(b->core)->kicks + core_stats(b->core)->moves, 0);
	assert_int_equal(patch(b, (struct core_patch){.has_channel = true}), 0); // once more
	gateway_bench_expect(b, "n1 state guild 1000 user 1 channel 0\n");
	gateway_bench_ack(b, node, b->last_seq, 0);
	gateway_bench_expect(b, "state guild 1000 user 1 channel 0\ndone call 0\n");
	assert_int_equal(core_stats(b->core)->kicks, 1);
	gateway_bench_destroy(b);
}

// Its token is on the way: what fails meanwhile does not take it away.
static void a_join_under_way_stays_under_way(void **state)
{
	struct gateway_bench *b = gateway_bench_create(true);
	struct core_node *node = joined(b, false);

	(void)state;
	memory_is_out = true;
	assert_int_equal(patch(b, (struct core_patch){.has_mute = true, .mute = true}), -ENOMEM);
	assert_int_equal(patch(b, (struct core_patch){.has_channel = true}), -ENOMEM);
	memory_is_out = false;
	gateway_bench_ack(b, node, b->last_seq, 0);
	gateway_bench_expect(b, "server guild 1000 user 1 session s1 at n1.test:443\n");
	assert_int_equal(voice_of(b)->in_force.channel_id, 11);
	assert_false(voice_of(b)->mute);
	gateway_bench_destroy(b);
}

// A node that is away is another thing: the next one is told.
static void without_a_node_it_is_done(void **state)
{
	struct gateway_bench *b = gateway_bench_create(true);
	struct core_node *node = joined(b, true);

	(void)state;
	core_node_closed(b->core, node, b->now_ms);
	assert_int_equal(patch(b, (struct core_patch){.has_mute = true, .mute = true}), 0);
	gateway_bench_expect(b, "state guild 1000 user 1 channel 11 mute\ndone call 0\n");
	gateway_bench_destroy(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_no_node_was_told_is_not_done),
		cmocka_unit_test(a_join_under_way_stays_under_way),
		cmocka_unit_test(without_a_node_it_is_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
