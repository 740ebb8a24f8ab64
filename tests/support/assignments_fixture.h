// SPDX-License-Identifier: BSD-3-Clause
//
// The start of a test of the gateway's commands: a voice server, and what was acknowledged.
// Included by one file of a test (see fake_voice.h).
#pragma once

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
#ifndef FIXTURE_WORKERS
#define FIXTURE_WORKERS 1
#endif

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
static struct node_refusal last_refusal;

void resync_guild_open(
	struct resync *resync, struct guild_part *home, resync_done_fn *fn, void *arg)
{
	(void)resync;
	fake_wait(home, fn, arg);
}

static void on_ack(
	void *ctx, uint32_t connection, uint64_t seq, int error, const struct node_refusal *refusal)
{
	(void)ctx;
	assert_int_equal(refusal != NULL, error == -EDQUOT);
	if (refusal != NULL)
		last_refusal = *refusal;
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
	const struct intent_params shape = {.worker_count = FIXTURE_WORKERS,
		.guild_count = 2,
		.room_count = 8,
		.session_count = 8};
	struct voice_server_params params = {
		.config = &config, .ip = "203.0.113.7", .left = on_left, .key_is_low = key_is_low};
	bool is_fresh;
	char why[64];

	(void)state;
	config.voice.heartbeat_ms = 10000;
	config.voice.mode_count = 1;
	config.voice.listen.count = 1;
	fake_waiter_count = ack_count = fake_guilds_closed = fake_sets = fake_removed = 0;
	fake_rooms_open = 0;
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

static inline struct ws_conn *identify_as(uint64_t user, const char *token)
{
	struct ws_conn *conn = fake_connect("v=8");
	char text[200];

	snprintf(text, sizeof(text),
		"{\"op\":0,\"d\":{\"server_id\":\"11\",\"user_id\":\"%u\",\"session_id\":\"s1\","
		"\"token\":\"%s\"}}",
		(unsigned)user, token);
	fake_say(conn, text);
	fake_engine_acks(0);
	return conn;
}

static inline struct ws_conn *identify(const char *token)
{
	return identify_as(1, token);
}
