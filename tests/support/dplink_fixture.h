// SPDX-License-Identifier: BSD-3-Clause
//
// The start of a test of control's end of the link: a registry, and a packet engine at the other
// end of a socket that says and hears what the test wants. Included by one file of a test.
#pragma once

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "dplink/dplink.h"
#include "dplink/resync.h"
#include "registry/registry.h"
#include "support/fake_loop.h"

#define OWN 7u // epoch of this control

static struct dp_hello hello(uint32_t epoch, uint32_t answers)
{
	struct dp_hello h = {.header = {.epoch = epoch, .type = DP_MSG_HELLO, .size = sizeof(h)},
		.peer_epoch = answers,
		.worker_count = 2,
		.first_port = 50000};

	dp_hello_fill(&h);
	return h;
}

static const struct intent_params params = {
	.worker_count = 2, .guild_count = 4, .room_count = 6, .session_count = 700};
static int engine, memfd, own_end;
static struct intent *intent;
static struct registry *registry;
static struct resync *resync;
static struct loop_fd *watch; // of the link: the first that was added
static unsigned ups, downs;

static void on_up(void *ctx, uint32_t worker_count)
{
	(void)ctx;
	assert_int_equal(worker_count, 2);
	ups++;
}

static void on_down(void *ctx)
{
	(void)ctx;
	downs++;
}

static void on_refused(void *ctx)
{
	(void)ctx;
	fail();
}

static unsigned refusals;
static const struct session *refused;
static int refused_error;

static void on_session_refused(void *ctx, struct session *session, int error)
{
	(void)ctx;
	refusals++;
	refused = session;
	refused_error = error;
}

static int setup(void **state)
{
	const struct resync_events events = {.up = on_up,
		.down = on_down,
		.refused = on_refused,
		.session_refused = on_session_refused};
	bool is_fresh;
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	own_end = ends[0];
	engine = ends[1];
	memfd = memfd_create("intent", MFD_CLOEXEC);
	assert_int_equal(intent_open(memfd, &params, &intent, &is_fresh), 0);
	assert_int_equal(registry_create(intent, &registry), 0);
	registry_seed(registry, (const uint8_t[SSRC_KEY_SIZE]){9});
	ups = downs = refusals = 0;
	assert_int_equal(resync_create(NULL, registry, own_end, OWN, &events, &resync), 0);
	watch = fake_last_watch;
	resync_start(resync);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	resync_destroy(resync);
	registry_destroy(registry);
	intent_close(intent);
	close(memfd);
	close(own_end);
	close(engine);
	return 0;
}

static void turn(void)
{
	watch->fn(watch->arg, own_end, POLLIN);
}

static void engine_says(const void *record, size_t size)
{
	assert_int_equal(send(engine, record, size, 0), size);
	turn();
}

// The next record that the engine gets; type 0: none.
static union dp_msg engine_gets(void)
{
	union dp_msg msg = {0};

	(void)!recv(engine, &msg, sizeof(msg), MSG_DONTWAIT);
	return msg;
}

static void engine_acks(const union dp_msg *msg, uint32_t epoch, int error)
{
	struct dp_ack ack = {.header = {.epoch = epoch,
				     .seq = msg->header.seq,
				     .type = DP_MSG_ACK,
				     .size = sizeof(ack),
				     .worker = msg->header.worker},
		.error = error};

	engine_says(&ack, sizeof(ack));
}

static void engine_comes(uint32_t epoch)
{
	struct dp_hello first = hello(epoch, 0), named = hello(epoch, OWN);

	engine_says(&first, sizeof(first));
	engine_says(&named, sizeof(named));
	for (;;) { // its HELLOs; the first command stays
		union dp_msg msg;

		if (recv(engine, &msg, sizeof(msg), MSG_DONTWAIT | MSG_PEEK) <= 0 ||
			msg.header.type != DP_MSG_HELLO)
			break;
		assert_int_equal(msg.header.epoch, OWN);
		(void)!recv(engine, &msg, sizeof(msg), 0);
	}
}

static union dp_msg expect(enum dp_msg_type type)
{
	union dp_msg msg = engine_gets();

	assert_int_equal(msg.header.type, type);
	assert_int_equal(msg.header.epoch, OWN);
	assert_int_equal(msg.header.size, dp_msg_size(type));
	return msg;
}
