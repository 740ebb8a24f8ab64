// SPDX-License-Identifier: BSD-3-Clause
//
// A voice server in a test's hands: WebSockets that keep what was sent, a packet engine that
// answers when the test says so, a clock that stands still. Included by one file of a test, which
// links signaling and registry but neither http, loop nor dplink.
#pragma once

#include <assert.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "admission/admission.h"
#include "api/dp_assert.h"
#include "config/config.h"
#include "dplink/dplink.h"
#include "dplink/resync.h"
#include "http/ws.h"
#include "registry/registry.h"
#include "signaling/voice_server.h"
#include "signaling/voice_stats.h"
#include "support/fake_loop.h"

#define FAKE_MESSAGES_MAX 600
#define FAKE_WAITERS_MAX 256

struct ws_conn {
	void *ctx; // of the server; NULL: refused or over
	char *sent[FAKE_MESSAGES_MAX];
	unsigned sent_count, read_count;
	uint16_t closed_with; // by the server; 0: open
	size_t message_size_max;
};

static struct ws_handler fake_handler;
static void *fake_handler_ctx;
static struct admission *fake_admission;

struct ws_server {
	uint16_t port;
};

int ws_server_create(struct loop *loop, const struct ws_server_params *params,
	struct ws_server **out, char *why, size_t why_size)
{
	static struct ws_server server;

	(void)loop, (void)why, (void)why_size;
	fake_handler = *params->ws;
	fake_handler_ctx = params->ctx;
	fake_admission = params->admission;
	server.port = params->port;
	*out = &server;
	return 0;
}

void ws_server_destroy(struct ws_server *server)
{
	(void)server;
}

void ws_server_stop_accepting(struct ws_server *server)
{
	(void)server;
}

uint16_t ws_server_port(const struct ws_server *server)
{
	return server->port;
}

int ws_conn_send(struct ws_conn *conn, const char *data, size_t size, bool binary)
{
	DP_ASSERT(!binary && conn->closed_with == 0);
	DP_ASSERT(conn->sent_count < FAKE_MESSAGES_MAX);
	conn->sent[conn->sent_count++] = strndup(data, size);
	return 0;
}

void ws_conn_close(struct ws_conn *conn, uint16_t code, const char *reason)
{
	DP_ASSERT(reason != NULL && conn->closed_with == 0);
	conn->closed_with = code;
}

void ws_conn_limit_message(struct ws_conn *conn, size_t message_size_max)
{
	conn->message_size_max = message_size_max;
}

// The engine: who waits for what, in order.
static struct fake_waiter {
	const void *thing;
	struct registry_sync *sync; // NULL: of no session
	uint32_t revision;
	resync_done_fn *fn;
	void *arg;
} fake_waiters[FAKE_WAITERS_MAX];
static unsigned fake_waiter_count;
static unsigned fake_rooms_open, fake_removed, fake_sets, fake_guilds_closed;

static void fake_wait_for(
	const void *thing, struct registry_sync *sync, resync_done_fn *fn, void *arg)
{
	DP_ASSERT(fake_waiter_count < FAKE_WAITERS_MAX);
	fake_waiters[fake_waiter_count++] =
		(struct fake_waiter){thing, sync, sync == NULL ? 0 : sync->wanted, fn, arg};
}

static inline void fake_wait(const void *thing, resync_done_fn *fn, void *arg)
{
	if (fn != NULL)
		fake_wait_for(thing, NULL, fn, arg);
}

// A room is opened with the first session that is told of it, as by the real one.
static inline void fake_open(struct room_part *part)
{
	if (part == NULL || part->phase != ROOM_PART_NEW)
		return;
	part->phase = ROOM_PART_OPEN;
	fake_rooms_open++;
}

// A command for a session, which is not settled until the engine has answered.
static void fake_command(struct session *session, resync_done_fn *fn, void *arg)
{
	session->sync.wanted++;
	fake_open(session_wanted_part(session));
	fake_wait_for(session, &session->sync, fn, arg);
}

void resync_room_close(struct resync *resync, struct room_part *part, struct room *rest)
{
	(void)resync;
	DP_ASSERT(part->member_count == 0 && part->intent->state == INTENT_GONE);
	DP_ASSERT(rest == NULL || rest->parts != NULL);
	if (part->phase != ROOM_PART_NEW)
		fake_rooms_open--;
}

void resync_guild_close(
	struct resync *resync, struct guild_part *part, resync_done_fn *fn, void *arg)
{
	(void)resync;
	DP_ASSERT(part->intent->state == INTENT_GONE);
	fake_guilds_closed++;
	fake_wait(part, fn, arg);
}

void resync_session_add(
	struct resync *resync, struct session *session, resync_done_fn *fn, void *arg)
{
	(void)resync;
	fake_command(session, fn, arg);
}

void resync_session_key(
	struct resync *resync, struct session *session, resync_done_fn *fn, void *arg)
{
	(void)resync;
	fake_command(session, fn, arg);
}

void resync_session_set(
	struct resync *resync, struct session *session, resync_done_fn *fn, void *arg)
{
	(void)resync;
	fake_sets++;
	fake_command(session, fn, arg);
}

void resync_session_wait(
	struct resync *resync, struct session *session, resync_done_fn *fn, void *arg)
{
	(void)resync;
	DP_ASSERT(!registry_is_settled(&session->sync));
	fake_wait_for(session, &session->sync, fn, arg);
}

void resync_session_remove(
	struct resync *resync, struct session *session, resync_done_fn *fn, void *arg)
{
	(void)resync;
	DP_ASSERT(session->intent->state == INTENT_GONE && session->conn == NULL);
	fake_removed++;
	// Who still waits for something of it hears that it is gone, as with the real one.
	for (unsigned index = 0; index < fake_waiter_count; index++) {
		struct fake_waiter waiter = fake_waiters[index];

		if (waiter.thing != session || waiter.fn == NULL)
			continue;
		fake_waiters[index].fn = NULL;
		waiter.fn(waiter.arg, -ECANCELED);
	}
	fake_wait(session, fn, arg);
}

void resync_forget(struct resync *resync, const void *arg)
{
	(void)resync;
	for (unsigned index = 0; index < fake_waiter_count; index++)
		if (fake_waiters[index].arg == arg)
			fake_waiters[index].fn = NULL;
}

struct dplink *resync_link(const struct resync *resync)
{
	(void)resync;
	return NULL;
}

uint16_t dplink_first_port(const struct dplink *link)
{
	(void)link;
	return 50000;
}

// The engine answers what it was asked first, and who waits for that hears it.
static inline void fake_engine_answers(int error)
{
	struct fake_waiter waiter = fake_waiters[0];

	DP_ASSERT(fake_waiter_count > 0);
	memmove(fake_waiters, fake_waiters + 1, --fake_waiter_count * sizeof(fake_waiters[0]));
	if (waiter.sync != NULL && error != -ETIMEDOUT && waiter.revision > waiter.sync->acked)
		waiter.sync->acked = waiter.revision;
	if (waiter.fn != NULL)
		waiter.fn(waiter.arg, error);
}

// The engine answers everything that it was asked; what is asked because of that waits.
static inline void fake_engine_acks(int error)
{
	for (unsigned count = fake_waiter_count; count > 0; count--)
		fake_engine_answers(error);
}

// A client's socket, from the address 'peer'. Without a 'ctx' it was refused.
static inline struct ws_conn *fake_connect_from(const char *query, const char *peer)
{
	struct admission_ticket ticket;
	const struct ws_request request = {.path = "/", .query = query, .ticket = &ticket};
	struct ws_conn *conn = calloc(1, sizeof(*conn));

	DP_ASSERT(conn != NULL);
	if (admission_open(fake_admission, peer, fake_loop_now_ms, &ticket) != ADMISSION_GRANTED)
		return conn;
	conn->ctx = fake_handler.open(fake_handler_ctx, conn, &request);
	admission_release(fake_admission, &ticket); // if it was left here
	return conn;
}

static inline struct ws_conn *fake_connect(const char *query)
{
	return fake_connect_from(query, NULL);
}

static inline void fake_say(struct ws_conn *conn, const char *text)
{
	DP_ASSERT(conn->closed_with == 0);
	fake_handler.message(conn->ctx, text, strlen(text), false);
}

// The socket ends, as the client sees it with 'code', or as the server closed it.
static inline void fake_end(struct ws_conn *conn, uint16_t code)
{
	fake_handler.closed(conn->ctx, code);
	conn->ctx = NULL;
	for (unsigned index = 0; index < conn->sent_count; index++)
		free(conn->sent[index]);
	free(conn);
}

// The next message that the client has not read; "" when there is none.
static inline const char *fake_read(struct ws_conn *conn)
{
	return conn->read_count < conn->sent_count ? conn->sent[conn->read_count++] : "";
}

static inline void fake_digest(const char *token, uint8_t *digest)
{
	SHA256((const uint8_t *)token, strlen(token), digest);
}
