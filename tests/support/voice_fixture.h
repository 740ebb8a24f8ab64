// SPDX-License-Identifier: BSD-3-Clause
//
// The start of a test of whole calls: a voice server with one guild, clients with tokens, and what
// they say. Included by one file of a test (see fake_voice.h).
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/fake_voice.h"

#define GUILD 11ull
#define CHANNEL 100ull

static struct intent *intent;
static struct registry *registry;
static struct voice_server *server;
static struct node_config config;
static int fd;
static bool keys_are_low;
static const char *fixture_ip = "203.0.113.7";
static unsigned left_count;
static uint64_t left_user;

static void on_left(void *ctx, uint64_t guild_id, uint64_t user_id, const char *session_id)
{
	(void)ctx, (void)session_id;
	assert_int_equal(guild_id, GUILD);
	left_count++;
	left_user = user_id;
}

static bool key_is_low(void *ctx, const struct session *session)
{
	(void)ctx, (void)session;
	return keys_are_low;
}

static void rise(void)
{
	const struct intent_params shape = {
		.worker_count = 1, .guild_count = 4, .room_count = 8, .session_count = 64};
	struct voice_server_params params = {.config = &config,
		.ip = fixture_ip,
		.ip6 = "2001:db8::7",
		.left = on_left,
		.key_is_low = key_is_low};
	struct guild *guild;
	bool is_fresh;
	char why[128];

	assert_int_equal(intent_open(fd, &shape, &intent, &is_fresh), 0);
	assert_int_equal(registry_create(intent, &registry), 0);
	if (is_fresh) {
		registry_seed(registry, (const uint8_t[SSRC_KEY_SIZE]){5});
		assert_int_equal(registry_guild_add(registry, GUILD, 1, &guild), 0);
	}
	params.registry = registry;
	assert_int_equal(voice_server_create(&params, &server), 0);
	assert_int_equal(voice_server_listen(server, why, sizeof(why)), 0);
}

static void fall(void)
{
	voice_server_destroy(server);
	registry_destroy(registry);
	intent_close(intent);
}

static int setup(void **state)
{
	(void)state;
	config.voice.heartbeat_ms = 10000;
	config.voice.resume_window_s = 60;
	config.voice.mode_count = 2;
	config.voice.mode[0] = CONFIG_MODE_AEAD_AES256_GCM_RTPSIZE;
	config.voice.mode[1] = CONFIG_MODE_AEAD_XCHACHA20_POLY1305_RTPSIZE;
	config.voice.listen.count = 1;
	keys_are_low = false;
	left_count = fake_rooms_open = fake_removed = fake_sets = fake_waiter_count = 0;
	fd = memfd_create("intent", MFD_CLOEXEC);
	rise();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fall();
	close(fd);
	return 0;
}

static void expect_client(uint64_t user, const char *token)
{
	struct intent_pending pending = {.guild_id = GUILD,
		.user_id = user,
		.channel_id = CHANNEL,
		.expires_ms = fake_loop_now_ms + REGISTRY_PENDING_MS};

	snprintf(pending.session_id, sizeof(pending.session_id), "session-%u", (unsigned)user);
	fake_digest(token, pending.token_digest);
	assert_int_equal(registry_pending_put(registry, &pending), 0);
}

static void identify(struct ws_conn *conn, uint64_t user, const char *token)
{
	char text[400];

	snprintf(text, sizeof(text),
		"{\"op\":0,\"d\":{\"server_id\":\"%u\",\"user_id\":\"%u\",\"session_id\":\"session-"
		"%u\","
		"\"token\":\"%s\"}}",
		(unsigned)GUILD, (unsigned)user, (unsigned)user, token);
	fake_say(conn, text);
}

static inline void resume(
	struct ws_conn *conn, uint64_t user, const char *token, const char *seq_ack)
{
	char text[400];

	snprintf(text, sizeof(text),
		"{\"op\":7,\"d\":{\"server_id\":\"%u\",\"session_id\":\"session-%u\",\"token\":\"%"
		"s\"%s}}",
		(unsigned)GUILD, (unsigned)user, token, seq_ack);
	fake_say(conn, text);
}

static const char select_text[] = "{\"op\":1,\"d\":{\"protocol\":\"udp\",\"data\":{\"address\":"
				  "\"198.51.100.9\",\"port\":5,\"mode\":"
				  "\"aead_aes256_gcm_rtpsize\"}}}";

static void assert_op(const char *text, unsigned op)
{
	char want[32];

	snprintf(want, sizeof(want), "{\"op\":%u,", op);
	if (strncmp(text, want, strlen(want)) != 0)
		fail_msg("wanted op %u, got: %s", op, text);
}

static void skip_all(struct ws_conn *conn)
{
	conn->read_count = conn->sent_count;
}

// A client that has read everything up to its Session Description and what follows.
static struct ws_conn *join(uint64_t user)
{
	struct ws_conn *conn = fake_connect("v=8");

	expect_client(user, "token");
	assert_op(fake_read(conn), 8);
	identify(conn, user, "token");
	fake_engine_acks(0);
	assert_op(fake_read(conn), 2);
	fake_say(conn, select_text);
	fake_engine_acks(0);
	skip_all(conn);
	assert_int_equal(conn->closed_with, 0);
	return conn;
}

static struct session *session_of(uint64_t user)
{
	return registry_session_find(registry, GUILD, user);
}

static uint32_t ssrc_of(uint64_t user)
{
	return session_of(user)->intent->ssrc;
}

static inline void speak(struct ws_conn *conn, uint64_t user, unsigned flags)
{
	char text[100];

	snprintf(text, sizeof(text), "{\"op\":5,\"d\":{\"speaking\":%u,\"delay\":0,\"ssrc\":%u}}",
		flags, ssrc_of(user));
	fake_say(conn, text);
}
