// SPDX-License-Identifier: BSD-3-Clause
//
// The gateway's core by plain calls: who is told what, in which order, when nodes come, answer,
// refuse, fall silent and return.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
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

static void a_client_is_never_early(void **state)
{
	struct gateway_bench *b = gateway_bench_create(true);
	struct core_node *node = gateway_bench_node(b, "n1", "");
	uint8_t digest[DIGEST_SIZE];
	char text[2 * DIGEST_SIZE + 1];

	(void)state;
	op4(b, 1, "s1", GUILD_ONE, 11);
	gateway_bench_expect(b, "n1 registered\n"
				"state guild 1000 user 1 channel 11\n"
				"n1 assign 1000\n"
				"n1 state guild 1000 user 1 channel 11 token\n");
	assert_true(b->last_epoch == b->unix_ms);
	gateway_bench_ack(b, node, b->last_seq - 1, 0);
	gateway_bench_expect(b, "");
	gateway_bench_ack(b, node, b->last_seq, 0);
	gateway_bench_expect(b, "server guild 1000 user 1 session s1 at n1.test:443\n");
	// The node was told the digest of exactly this token.
	assert_int_equal(strlen(b->last_token), 32);
	digest_of(b->last_token, digest);
	for (unsigned i = 0; i < DIGEST_SIZE; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	assert_string_equal(text, b->last_digest);
	gateway_bench_ack(b, node, b->last_seq, 0); // twice is once
	gateway_bench_expect(b, "");
	gateway_bench_destroy(b);
}

static void a_node_that_does_not_ack_keeps_the_client_waiting(void **state)
{
	struct gateway_bench *b = gateway_bench_create(true);
	struct core_node *node = gateway_bench_node(b, "n1", "");
	struct core_node *alive[] = {node, NULL};

	(void)state;
	op4(b, 1, "s1", GUILD_ONE, 11);
	gateway_bench_ack(b, node, b->last_seq - 1, 0);
	gateway_bench_forget(b);
	gateway_bench_pass(b, CORE_ACK_TIMEOUT_MS + 100, alive);
	gateway_bench_expect(b, "");
	assert_int_equal(core_stats(b->core)->ack_timeouts, 1);
	gateway_bench_ack(b, node, b->last_seq, 0); // too late: that token is no more
	gateway_bench_expect(b, "");
	gateway_bench_destroy(b);
}

// The client waits for its endpoint: a node that had no room for a moment is asked again.
static void a_refused_join_is_tried_again(void **state)
{
	struct gateway_bench *b = gateway_bench_create(true);
	struct core_node *node = gateway_bench_node(b, "n1", "");
	struct core_node *alive[] = {node, NULL};
	char first[2 * DIGEST_SIZE + 1];

	(void)state;
	op4(b, 1, "s1", GUILD_ONE, 11);
	memcpy(first, b->last_digest, sizeof(first));
	gateway_bench_ack(b, node, b->last_seq - 1, 0);
	gateway_bench_forget(b);
	gateway_bench_ack(b, node, b->last_seq, -ENOSPC);
	gateway_bench_expect(b, "");
	gateway_bench_pass(b, CORE_JOIN_RETRY_MS - 50, alive);
	gateway_bench_expect(b, "");
	gateway_bench_pass(b, 100, alive);
	gateway_bench_expect(b, "n1 state guild 1000 user 1 channel 11 token\n");
	assert_string_not_equal(first, b->last_digest);
	gateway_bench_ack(b, node, b->last_seq, -ENOSPC);
	gateway_bench_pass(b, CORE_JOIN_RETRY_MS + 100, alive); // it waits longer now
	gateway_bench_expect(b, "");
	gateway_bench_pass(b, CORE_JOIN_RETRY_MS, alive);
	gateway_bench_expect(b, "n1 state guild 1000 user 1 channel 11 token\n");
	gateway_bench_ack(b, node, b->last_seq, 0);
	gateway_bench_expect(b, "server guild 1000 user 1 session s1 at n1.test:443\n");
	gateway_bench_pass(b, 60000, alive);
	gateway_bench_expect(b, "");
	gateway_bench_destroy(b);
}

static void a_join_that_stays_refused_is_seen_to_be_over(void **state)
{
	struct gateway_bench *b = gateway_bench_create(true);
	struct core_node *node = gateway_bench_node(b, "n1", "");
	struct core_node *alive[] = {node, NULL};

	(void)state;
	op4(b, 1, "s1", GUILD_ONE, 11);
	gateway_bench_ack(b, node, b->last_seq - 1, 0);
	gateway_bench_forget(b);
	for (unsigned failure = 1; failure <= CORE_JOIN_FAILURES_MAX; failure++) {
		gateway_bench_ack(b, node, b->last_seq, -ENOSPC);
		if (failure < CORE_JOIN_FAILURES_MAX) {
			gateway_bench_expect(b, "");
			gateway_bench_pass(b, CORE_JOIN_RETRY_MS << (failure - 1), alive);
			gateway_bench_expect(b, "n1 state guild 1000 user 1 channel 11 token\n");
		}
	}
	gateway_bench_pass(b, 50, alive);
	gateway_bench_expect(b, "state guild 1000 user 1 channel 0\n"
				"n1 state guild 1000 user 1 channel 0\n");
	assert_int_equal(core_stats(b->core)->joins_given_up, 1);
	gateway_bench_pass(b, 30000, alive);
	gateway_bench_expect(b, "");
	op4(b, 1, "s1", GUILD_ONE, 11); // and may come again
	gateway_bench_forget(b);
	gateway_bench_ack(b, node, b->last_seq, 0);
	gateway_bench_expect(b, "server guild 1000 user 1 session s1 at n1.test:443\n");
	gateway_bench_destroy(b);
}

// Its socket goes between two tries: whoever brings the node back pushes it, once.
static void a_retry_and_a_lost_node_make_one_push(void **state)
{
	struct gateway_bench *b = gateway_bench_create(true);
	struct core_node *node = gateway_bench_node(b, "n1", "");
	char guilds[64];

	(void)state;
	op4(b, 1, "s1", GUILD_ONE, 11);
	gateway_bench_ack(b, node, b->last_seq - 1, 0);
	gateway_bench_ack(b, node, b->last_seq, -ENOSPC);
	core_node_closed(b->core, node, b->now_ms);
	gateway_bench_forget(b);
	gateway_bench_pass(b, CORE_JOIN_RETRY_MS + 100, NULL);
	gateway_bench_expect(b, "");
	snprintf(guilds, sizeof(guilds), "1000:%llu", (unsigned long long)b->last_epoch);
	node = gateway_bench_node(b, "n1", guilds);
	gateway_bench_expect(b, "n1 registered\nn1 state guild 1000 user 1 channel 11 token\n");
	gateway_bench_ack(b, node, b->last_seq, 0);
	gateway_bench_expect(b, "server guild 1000 user 1 session s1 at n1.test:443\n");
	gateway_bench_pass(b, 5000, (struct core_node *[]){node, NULL});
	gateway_bench_expect(b, "");
	gateway_bench_destroy(b);
}

static void the_same_wish_again_makes_a_fresh_token(void **state)
{
	struct gateway_bench *b = gateway_bench_create(true);
	struct core_node *node = joined(b);
	char first[TOKEN_SIZE];

	(void)state;
	memcpy(first, b->last_token, sizeof(first));
	op4(b, 1, "s1", GUILD_ONE, 11);
	gateway_bench_expect(b, "state guild 1000 user 1 channel 11\n"
				"n1 state guild 1000 user 1 channel 11 token\n");
	op4(b, 1, "s1", GUILD_ONE, 11); // before the ack of the first: only the newest counts
	gateway_bench_forget(b);
	gateway_bench_ack(b, node, b->last_seq - 1, 0);
	gateway_bench_expect(b, "");
	gateway_bench_ack(b, node, b->last_seq, 0);
	gateway_bench_expect(b, "server guild 1000 user 1 session s1 at n1.test:443\n");
	assert_string_not_equal(first, b->last_token);
	gateway_bench_destroy(b);
}

static void a_move_needs_no_token_and_is_seen_after_the_ack(void **state)
{
	struct gateway_bench *b = gateway_bench_create(true);
	struct core_node *node = joined(b);
	struct core_voice_update update = {
		.guild_id = GUILD_ONE, .channel_id = 12, .self_mute = true};

	(void)state;
	op4(b, 1, "s1", GUILD_ONE, 12);
	gateway_bench_expect(b, "n1 state guild 1000 user 1 channel 12\n");
	gateway_bench_ack(b, node, b->last_seq, 0);
	gateway_bench_expect(b, "state guild 1000 user 1 channel 12\n");
	core_voice_update(b->core, model_user(&b->model, 1), "s1", &update, b->now_ms);
	gateway_bench_expect(b, "n1 state guild 1000 user 1 channel 12 self_mute\n");
	gateway_bench_ack(b, node, b->last_seq, 0);
	gateway_bench_expect(b, "state guild 1000 user 1 channel 12 self_mute\n");
	gateway_bench_destroy(b);
}

static void a_refused_move_leaves_everything_as_it_was(void **state)
{
	struct gateway_bench *b = gateway_bench_create(true);
	struct core_node *node = joined(b);

	(void)state;
	op4(b, 1, "s1", GUILD_ONE, 12);
	gateway_bench_forget(b);
	gateway_bench_ack(b, node, b->last_seq, -ENOENT);
	gateway_bench_expect(b, "");
	assert_true(guild_member(model_guild(&b->model, GUILD_ONE), 1)->voice.channel_id == 11);
	gateway_bench_destroy(b);
}

// The second was asked for when the first was not in force, and never came to be.
static void two_refusals_leave_what_was_in_force(void **state)
{
	struct gateway_bench *b = gateway_bench_create(true);
	struct core_node *node = joined(b);
	struct core_voice_update update = {
		.guild_id = GUILD_ONE, .channel_id = 12, .self_mute = true};
	const struct voice *voice = &guild_member(model_guild(&b->model, GUILD_ONE), 1)->voice;

	(void)state;
	op4(b, 1, "s1", GUILD_ONE, 12);
	core_voice_update(b->core, model_user(&b->model, 1), "s1", &update, b->now_ms);
	gateway_bench_forget(b);
	gateway_bench_ack(b, node, b->last_seq - 1, -ENOSPC);
	gateway_bench_ack(b, node, b->last_seq, -ENOSPC);
	gateway_bench_expect(b, "");
	assert_true(voice->channel_id == 11);
	assert_false(voice->self_mute);
	gateway_bench_destroy(b);
}

static void a_refusal_does_not_undo_a_newer_wish(void **state)
{
	struct gateway_bench *b = gateway_bench_create(true);
	struct core_node *node = joined(b);
	struct core_voice_update update = {
		.guild_id = GUILD_ONE, .channel_id = 12, .self_mute = true};

	(void)state;
	op4(b, 1, "s1", GUILD_ONE, 12);
	core_voice_update(b->core, model_user(&b->model, 1), "s1", &update, b->now_ms);
	gateway_bench_forget(b);
	gateway_bench_ack(b, node, b->last_seq - 1, -EIO);
	gateway_bench_ack(b, node, b->last_seq, 0);
	gateway_bench_expect(b, "state guild 1000 user 1 channel 12 self_mute\n");
	gateway_bench_destroy(b);
}

static void a_leave_is_seen_at_once(void **state)
{
	struct gateway_bench *b = gateway_bench_create(true);

	(void)state;
	joined(b);
	op4(b, 1, "another session", GUILD_ONE, 0); // not its own to end
	gateway_bench_expect(b, "");
	op4(b, 1, "s1", GUILD_ONE, 0);
	gateway_bench_expect(b, "state guild 1000 user 1 channel 0\n"
				"n1 state guild 1000 user 1 channel 0\n");
	op4(b, 1, "s1", GUILD_ONE, 0);
	gateway_bench_expect(b, "");
	gateway_bench_destroy(b);
}

static void what_a_user_may_not_is_ignored(void **state)
{
	struct gateway_bench *b = gateway_bench_create(true);

	(void)state;
	gateway_bench_node(b, "n1", "");
	gateway_bench_forget(b);
	op4(b, 1, "s1", GUILD_THREE, 31); // no member
	op4(b, 1, "s1", GUILD_ONE, 21);   // a channel of another guild
	op4(b, 1, "s1", 4000, 41);        // no such guild
	gateway_bench_expect(b, "");
	gateway_bench_destroy(b);
}

static void the_end_of_a_session_leaves_all_its_channels(void **state)
{
	struct gateway_bench *b = gateway_bench_create(true);

	(void)state;
	joined(b);
	op4(b, 1, "s1", GUILD_TWO, 21);
	op4(b, 3, "s3", GUILD_TWO, 21);
	gateway_bench_forget(b);
	core_session_ended(b->core, model_user(&b->model, 1), "s1", b->now_ms);
	gateway_bench_expect(b, "state guild 1000 user 1 channel 0\n"
				"n1 state guild 1000 user 1 channel 0\n"
				"state guild 2000 user 1 channel 0\n"
				"n1 state guild 2000 user 1 channel 0\n");
	gateway_bench_destroy(b);
}

// --- moderators ---

static void a_moderators_wish_is_done_when_the_node_says_so(void **state)
{
	struct gateway_bench *b = gateway_bench_create(true);
	struct core_node *node = joined(b);
	struct guild *guild = model_guild(&b->model, GUILD_ONE);
	struct member *member = guild_member(guild, 1);
	char call[] = "call";
	struct core_patch mute = {.has_mute = true, .mute = true};
	struct core_patch move = {.has_channel = true, .channel_id = 12};
	struct core_patch kick = {.has_channel = true};

	(void)state;
	assert_int_equal(core_member_patch(b->core, guild, member, &mute, call, b->now_ms), 0);
	gateway_bench_expect(b, "n1 state guild 1000 user 1 channel 11 mute\n");
	gateway_bench_ack(b, node, b->last_seq, 0);
	gateway_bench_expect(b, "state guild 1000 user 1 channel 11 mute\ndone call 0\n");
	assert_int_equal(core_member_patch(b->core, guild, member, &move, call, b->now_ms), 0);
	gateway_bench_ack(b, node, b->last_seq, -EIO);
	gateway_bench_expect(b, "n1 state guild 1000 user 1 channel 12 mute\ndone call -5\n");
	assert_true(member->voice.channel_id == 11);
	assert_int_equal(core_member_patch(b->core, guild, member, &kick, call, b->now_ms), 0);
	gateway_bench_expect(b, "n1 state guild 1000 user 1 channel 0 mute\n");
	gateway_bench_ack(b, node, b->last_seq, 0);
	gateway_bench_expect(b, "state guild 1000 user 1 channel 0 mute\ndone call 0\n");
	assert_int_equal(
		core_member_patch(b->core, guild, member, &mute, call, b->now_ms), -ENOTCONN);
	// The mute outlasts the stay.
	op4(b, 1, "s1", GUILD_ONE, 11);
	assert_int_equal(
		gateway_bench_count(b, "n1 state guild 1000 user 1 channel 11 token mute"), 1);
	move.channel_id = 21;
	assert_int_equal(
		core_member_patch(b->core, guild, member, &move, call, b->now_ms), -ENOENT);
	gateway_bench_destroy(b);
}

// The gateway stops while the node is silent: who asked is answered once, and the end of the node's
// socket, later, finds nobody.
static void a_moderators_wish_ends_once(void **state)
{
	struct gateway_bench *b = gateway_bench_create(true);
	struct core_node *node = joined(b);
	struct guild *guild = model_guild(&b->model, GUILD_ONE);
	struct core_patch mute = {.has_mute = true, .mute = true};
	char call[] = "call";

	(void)state;
	assert_int_equal(
		core_member_patch(b->core, guild, guild_member(guild, 1), &mute, call, b->now_ms),
		0);
	assert_int_equal(gateway_bench_count(b, "done call"), 0);
	core_requests_end(b->core, -EIO);
	assert_int_equal(gateway_bench_count(b, "done call -5"), 1);
	core_node_closed(b->core, node, b->now_ms);
	assert_int_equal(gateway_bench_count(b, "done call"), 1);
	gateway_bench_destroy(b);
}

// --- nodes ---

static void nodes_without_secret_or_contract_are_refused(void **state)
{
	struct gateway_bench *b = gateway_bench_create(true);
	struct node_msg msg = {.op = NODE_OP_REGISTER,
		.name = "n",
		.secret = "sesam",
		.endpoint = "e",
		.contract = NODE_CONTRACT};
	uint16_t code;
	const char *why;

	(void)state;
	assert_null(core_node_register(b->core, &msg, &msg, b->now_ms, &code, &why));
	assert_int_equal(code, NODE_CLOSE_BAD_SECRET);
	msg.secret[0] = '\0';
	assert_null(core_node_register(b->core, &msg, &msg, b->now_ms, &code, &why));
	assert_int_equal(code, NODE_CLOSE_BAD_SECRET);
	snprintf(msg.secret, sizeof(msg.secret), "other");
	msg.contract++;
	assert_null(core_node_register(b->core, &msg, &msg, b->now_ms, &code, &why));
	assert_int_equal(code, NODE_CLOSE_CONTRACT);
	gateway_bench_expect(b, "");
	gateway_bench_destroy(b);
}

static void guilds_go_to_the_node_with_the_least_load(void **state)
{
	struct gateway_bench *b = gateway_bench_create(true);

	(void)state;
	gateway_bench_node(b, "n1", "");
	gateway_bench_node(b, "n2", "");
	op4(b, 1, "s1", GUILD_ONE, 11);
	op4(b, 2, "s2", GUILD_ONE, 12); // all channels of a guild on one node
	op4(b, 3, "s3", GUILD_TWO, 21);
	op4(b, 3, "s3", GUILD_THREE, 31); // n2 has one voice, n1 two
	assert_int_equal(gateway_bench_count(b, "n1 assign 1000"), 1);
	assert_int_equal(gateway_bench_count(b, "n1 state guild 1000"), 2);
	assert_int_equal(gateway_bench_count(b, "n2 assign 2000"), 1);
	assert_int_equal(gateway_bench_count(b, "n2 assign 3000"), 1);
	gateway_bench_destroy(b);
}

static void a_join_without_a_node_waits_for_one(void **state)
{
	struct gateway_bench *b = gateway_bench_create(true);
	struct core_node *node;

	(void)state;
	op4(b, 1, "s1", GUILD_ONE, 11);
	gateway_bench_expect(b, "state guild 1000 user 1 channel 11\n");
	gateway_bench_pass(b, 3000, NULL);
	gateway_bench_expect(b, "");
	node = gateway_bench_node(b, "n1", "");
	gateway_bench_expect(b, "n1 registered\nn1 assign 1000\n"
				"n1 state guild 1000 user 1 channel 11 token\n");
	gateway_bench_ack(b, node, b->last_seq, 0);
	gateway_bench_expect(b, "server guild 1000 user 1 session s1 at n1.test:443\n");
	gateway_bench_destroy(b);
}

static void a_silent_node_is_dead_and_its_guilds_move(void **state)
{
	struct gateway_bench *b = gateway_bench_create(true);
	struct core_node *n2;
	uint64_t epoch;

	(void)state;
	joined(b);
	epoch = b->last_epoch;
	n2 = gateway_bench_node(b, "n2", "");
	gateway_bench_forget(b);
	struct core_node *alive[] = {n2, NULL};
	gateway_bench_pass(b, 3900, alive); // three pings may stay unanswered
	gateway_bench_expect(b, "");
	gateway_bench_pass(b, 200, alive);
	gateway_bench_expect(b, "n1 close 4009\n"
				"server guild 1000 user 1 session s1 at null\n"
				"n2 assign 1000\n"
				"n2 state guild 1000 user 1 channel 11 token\n");
	assert_true(b->last_epoch > epoch);
	gateway_bench_ack(b, n2, b->last_seq, 0);
	gateway_bench_expect(b, "server guild 1000 user 1 session s1 at n2.test:443\n");
	assert_int_equal(core_stats(b->core)->nodes_dead, 1);
	gateway_bench_destroy(b);
}

static void a_cut_node_has_two_pings_time_to_come_back(void **state)
{
	struct gateway_bench *b = gateway_bench_create(true);
	struct core_node *node = joined(b);
	char guilds[64];

	(void)state;
	core_node_closed(b->core, node, b->now_ms);
	gateway_bench_pass(b, 1900, NULL);
	gateway_bench_expect(b, "");
	snprintf(guilds, sizeof(guilds), "1000:%llu", (unsigned long long)b->last_epoch);
	node = gateway_bench_node(b, "n1", guilds);
	// The state is repeated without a token: clients notice nothing.
	gateway_bench_expect(b, "n1 registered\nn1 state guild 1000 user 1 channel 11\n");
	gateway_bench_ack(b, node, b->last_seq, 0);
	gateway_bench_expect(b, "");
	core_node_closed(b->core, node, b->now_ms);
	gateway_bench_pass(b, 2100, NULL);
	gateway_bench_expect(b, "server guild 1000 user 1 session s1 at null\n");
	gateway_bench_destroy(b);
}

static void what_happens_while_a_node_is_cut_is_made_up_for(void **state)
{
	struct gateway_bench *b = gateway_bench_create(true);
	struct core_node *node = joined(b);
	char guilds[64];

	(void)state;
	op4(b, 2, "s2", GUILD_ONE, 11); // unacknowledged when the socket goes
	core_node_closed(b->core, node, b->now_ms);
	op4(b, 1, "s1", GUILD_ONE, 0);
	op4(b, 3, "s3", GUILD_ONE, 12);
	gateway_bench_forget(b);
	snprintf(guilds, sizeof(guilds), "1000:%llu", (unsigned long long)b->last_epoch);
	gateway_bench_node(b, "n1", guilds);
	gateway_bench_expect(b, "n1 registered\n"
				"n1 state guild 1000 user 1 channel 0\n"
				"n1 state guild 1000 user 2 channel 11 token\n"
				"n1 state guild 1000 user 3 channel 12 token\n");
	gateway_bench_destroy(b);
}

static void a_node_that_forgot_its_guilds_gets_them_anew(void **state)
{
	struct gateway_bench *b = gateway_bench_create(true);
	struct core_node *node = joined(b);
	uint64_t epoch = b->last_epoch;

	(void)state;
	core_node_closed(b->core, node, b->now_ms);
	gateway_bench_node(b, "n1", "");
	gateway_bench_expect(b, "n1 registered\n"
				"server guild 1000 user 1 session s1 at null\n"
				"n1 assign 1000\n"
				"n1 state guild 1000 user 1 channel 11 token\n");
	assert_true(b->last_epoch > epoch);
	gateway_bench_destroy(b);
}

// The connection was cut before the newest assignment arrived: it claims an older epoch.
static void a_node_that_missed_its_assignment_gets_the_guild_anew(void **state)
{
	struct gateway_bench *b = gateway_bench_create(true);
	struct core_node *node = joined(b);

	(void)state;
	core_node_closed(b->core, node, b->now_ms);
	node = gateway_bench_node(b, "n1", "1000:5");
	gateway_bench_expect(b, "n1 registered\n"
				"n1 unassign 1000 epoch 5\n"
				"server guild 1000 user 1 session s1 at null\n"
				"n1 assign 1000\n"
				"n1 state guild 1000 user 1 channel 11 token\n");
	gateway_bench_ack(b, node, b->last_seq, 0);
	gateway_bench_expect(b, "server guild 1000 user 1 session s1 at n1.test:443\n");
	gateway_bench_destroy(b);
}

static void a_new_gateway_moves_nobody(void **state)
{
	struct gateway_bench *b = gateway_bench_create(true);
	struct core_node *node = gateway_bench_node(b, "n1", "1000:1699999999999");
	struct core_node *alive[] = {node, NULL};

	(void)state;
	gateway_bench_expect(b, "n1 registered\n");
	op4(b, 1, "s1", GUILD_ONE, 11); // to where the guild is, without an assignment
	gateway_bench_expect(b, "state guild 1000 user 1 channel 11\n"
				"n1 state guild 1000 user 1 channel 11 token\n");
	op4(b, 1, "s1", GUILD_ONE, 0);
	gateway_bench_ack(b, node, b->last_seq - 1, 0);
	gateway_bench_ack(b, node, b->last_seq, 0);
	gateway_bench_forget(b);
	// Others of whom this gateway knows nothing may still talk there: it stays.
	gateway_bench_pass(b, 2 * CORE_EMPTY_LINGER_MS, alive);
	gateway_bench_expect(b, "");
	gateway_bench_destroy(b);
}

static void the_higher_epoch_owns_a_guild(void **state)
{
	struct gateway_bench *b = gateway_bench_create(true);

	(void)state;
	gateway_bench_node(b, "n1", "1000:50");
	gateway_bench_node(b, "n2", "1000:40");
	gateway_bench_expect(b, "n1 registered\nn2 registered\nn2 unassign 1000 epoch 40\n");
	gateway_bench_node(b, "n3", "1000:50,4000:1");
	gateway_bench_expect(b, "n3 registered\nn3 unassign 1000 epoch 50\n"
				"n3 unassign 4000 epoch 1\n");
	gateway_bench_node(b, "n4", "1000:60");
	gateway_bench_expect(b, "n4 registered\nn1 unassign 1000 epoch 50\n");
	assert_string_equal(core_node_name(model_guild(&b->model, GUILD_ONE)->node), "n4");
	gateway_bench_destroy(b);
}

static void an_empty_guild_is_given_back_after_a_while(void **state)
{
	struct gateway_bench *b = gateway_bench_create(true);
	struct core_node *node = joined(b);
	struct core_node *alive[] = {node, NULL};
	uint64_t epoch = b->last_epoch;
	char expected[128];

	(void)state;
	op4(b, 1, "s1", GUILD_ONE, 0);
	gateway_bench_ack(b, node, b->last_seq, 0);
	gateway_bench_forget(b);
	gateway_bench_pass(b, CORE_EMPTY_LINGER_MS - 100, alive);
	gateway_bench_expect(b, "");
	gateway_bench_pass(b, 200, alive);
	snprintf(expected, sizeof(expected), "n1 unassign 1000 epoch %llu\n",
		(unsigned long long)epoch);
	gateway_bench_expect(b, expected);
	gateway_bench_ack(b, node, b->last_seq, 0);
	op4(b, 1, "s1", GUILD_ONE, 11);
	assert_int_equal(gateway_bench_count(b, "n1 assign 1000"), 1);
	assert_true(b->last_epoch > epoch);
	gateway_bench_destroy(b);
}

static void a_refused_guild_goes_elsewhere(void **state)
{
	struct gateway_bench *b = gateway_bench_create(true);
	struct core_node *n1 = gateway_bench_node(b, "n1", "");
	struct core_node *n2 = gateway_bench_node(b, "n2", "");
	struct core_node *alive[] = {n1, n2, NULL};

	(void)state;
	op4(b, 1, "s1", GUILD_ONE, 11);
	gateway_bench_ack(b, n1, b->last_seq - 1, -ENOSPC);
	gateway_bench_ack(b, n1, b->last_seq, -ESTALE);
	gateway_bench_forget(b);
	gateway_bench_pass(b, 1100, alive);
	gateway_bench_expect(b, "n2 assign 1000\nn2 state guild 1000 user 1 channel 11 token\n");
	gateway_bench_ack(b, n2, b->last_seq, 0);
	gateway_bench_expect(b, "server guild 1000 user 1 session s1 at n2.test:443\n");
	gateway_bench_destroy(b);
}

static void left(struct gateway_bench *b, struct core_node *node, const char *session)
{
	struct node_msg msg = {.op = NODE_OP_LEFT, .guild_id = GUILD_ONE, .user_id = 1};

	snprintf(msg.session_id, sizeof(msg.session_id), "%s", session);
	core_node_message(b->core, node, &msg, b->now_ms);
}

static void left_ends_the_stay_but_not_a_newer_one(void **state)
{
	struct gateway_bench *b = gateway_bench_create(true);
	struct core_node *node = joined(b);
	struct core_node *alive[] = {node, NULL};

	(void)state;
	left(b, node, "s1"); // so soon after the token it speaks of the session before
	gateway_bench_expect(b, "");
	gateway_bench_pass(b, CORE_LEFT_GRACE_MS, alive);
	left(b, node, "s0");
	gateway_bench_expect(b, "");
	left(b, node, "s1");
	gateway_bench_expect(b, "state guild 1000 user 1 channel 0\n");
	gateway_bench_destroy(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_is_never_early),
		cmocka_unit_test(a_node_that_does_not_ack_keeps_the_client_waiting),
		cmocka_unit_test(a_refused_join_is_tried_again),
		cmocka_unit_test(a_join_that_stays_refused_is_seen_to_be_over),
		cmocka_unit_test(a_retry_and_a_lost_node_make_one_push),
		cmocka_unit_test(the_same_wish_again_makes_a_fresh_token),
		cmocka_unit_test(a_move_needs_no_token_and_is_seen_after_the_ack),
		cmocka_unit_test(a_refused_move_leaves_everything_as_it_was),
		cmocka_unit_test(two_refusals_leave_what_was_in_force),
		cmocka_unit_test(a_refusal_does_not_undo_a_newer_wish),
		cmocka_unit_test(a_leave_is_seen_at_once),
		cmocka_unit_test(what_a_user_may_not_is_ignored),
		cmocka_unit_test(the_end_of_a_session_leaves_all_its_channels),
		cmocka_unit_test(a_moderators_wish_is_done_when_the_node_says_so),
		cmocka_unit_test(a_moderators_wish_ends_once),
		cmocka_unit_test(nodes_without_secret_or_contract_are_refused),
		cmocka_unit_test(guilds_go_to_the_node_with_the_least_load),
		cmocka_unit_test(a_join_without_a_node_waits_for_one),
		cmocka_unit_test(a_silent_node_is_dead_and_its_guilds_move),
		cmocka_unit_test(a_cut_node_has_two_pings_time_to_come_back),
		cmocka_unit_test(what_happens_while_a_node_is_cut_is_made_up_for),
		cmocka_unit_test(a_node_that_forgot_its_guilds_gets_them_anew),
		cmocka_unit_test(a_node_that_missed_its_assignment_gets_the_guild_anew),
		cmocka_unit_test(a_new_gateway_moves_nobody),
		cmocka_unit_test(the_higher_epoch_owns_a_guild),
		cmocka_unit_test(an_empty_guild_is_given_back_after_a_while),
		cmocka_unit_test(a_refused_guild_goes_elsewhere),
		cmocka_unit_test(left_ends_the_stay_but_not_a_newer_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
