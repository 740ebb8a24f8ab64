// SPDX-License-Identifier: BSD-3-Clause
//
// Control's end of the link: the HELLO exchange against dead and living engines, ACKs, time-outs,
// and resynchronisation as an engine at the other end of a socket sees it.

#include <errno.h>
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
#include "dplink/link_state.h"
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

static enum link_event feed(struct link_state *link, const void *record, size_t size, bool *answer)
{
	union dp_msg msg;

	memcpy(&msg, record, size);
	return link_state_feed(link, &msg, size, answer);
}

static void the_exchange_ends_in_every_order(void **state)
{
	struct dp_hello first = hello(3, 0), named = hello(3, OWN);
	struct link_state link;
	bool answer;

	(void)state;
	link_state_init(&link, OWN); // it was there before us
	assert_int_equal(feed(&link, &first, sizeof(first), &answer), LINK_IDLE);
	assert_true(answer);
	assert_int_equal(feed(&link, &named, sizeof(named), &answer), LINK_UP);
	assert_false(answer);
	assert_int_equal(link.worker_count, 2);
	assert_int_equal(feed(&link, &named, sizeof(named), &answer), LINK_IDLE);
	assert_false(answer);

	link_state_init(&link, OWN); // it answers our HELLO, and we do not know it
	assert_int_equal(feed(&link, &named, sizeof(named), &answer), LINK_UP);
	assert_true(answer);
}

static void what_was_meant_for_a_predecessor_does_not_count(void **state)
{
	struct dp_hello other = hello(3, OWN - 1), named = hello(3, OWN);
	struct dp_ack ack = {.header = {.epoch = 3, .type = DP_MSG_ACK, .size = sizeof(ack)}};
	struct link_state link;
	bool answer;

	(void)state;
	link_state_init(&link, OWN);
	assert_int_equal(feed(&link, &ack, sizeof(ack), &answer), LINK_DISCARD);
	assert_int_equal(feed(&link, &other, sizeof(other), &answer), LINK_IDLE);
	assert_true(answer);
	assert_int_equal(feed(&link, &ack, sizeof(ack), &answer), LINK_DISCARD);
	assert_int_equal(feed(&link, &named, sizeof(named), &answer), LINK_UP);
	assert_int_equal(feed(&link, &ack, sizeof(ack), &answer), LINK_RECORD);
	ack.header.epoch = 2; // a dead engine's
	assert_int_equal(feed(&link, &ack, sizeof(ack), &answer), LINK_DISCARD);
}

static void a_new_engine_takes_the_place_of_the_old(void **state)
{
	struct dp_hello old = hello(3, OWN), fresh = hello(4, 0), named = hello(4, OWN);
	struct dp_peer_down down = {
		.header = {.type = DP_MSG_PEER_DOWN, .size = sizeof(down)}, .peer_epoch = 3};
	struct link_state link;
	bool answer;

	(void)state;
	link_state_init(&link, OWN);
	assert_int_equal(feed(&link, &old, sizeof(old), &answer), LINK_UP);
	assert_int_equal(feed(&link, &down, sizeof(down), &answer), LINK_DOWN);
	assert_int_equal(feed(&link, &down, sizeof(down), &answer), LINK_IDLE);
	assert_int_equal(feed(&link, &fresh, sizeof(fresh), &answer), LINK_IDLE);
	assert_true(answer);
	assert_int_equal(feed(&link, &named, sizeof(named), &answer), LINK_UP);
	assert_int_equal(feed(&link, &down, sizeof(down), &answer), LINK_IDLE); // late news
	assert_true(link.is_up);
	assert_int_equal(feed(&link, &old, sizeof(old), &answer), LINK_DISCARD);
	// Without PEER_DOWN, its HELLO says it.
	fresh = hello(5, 0);
	assert_int_equal(feed(&link, &fresh, sizeof(fresh), &answer), LINK_DOWN);
	assert_true(answer);
}

static void another_contract_is_refused(void **state)
{
	struct dp_hello h = hello(3, OWN);
	struct link_state link;
	bool answer;

	(void)state;
	link_state_init(&link, OWN);
	h.sizes[DP_MSG_SESSION_KEY]++;
	assert_int_equal(feed(&link, &h, sizeof(h), &answer), LINK_REFUSED);
	h = hello(3, OWN);
	h.contract_version++;
	assert_int_equal(feed(&link, &h, sizeof(h), &answer), LINK_REFUSED);
	h = hello(3, OWN);
	h.worker_count = DP_WORKERS_MAX + 1;
	assert_int_equal(feed(&link, &h, sizeof(h), &answer), LINK_REFUSED);
	assert_false(link.is_up);
}

// What a dead engine of another release left in the socket for our predecessor.
static void only_who_names_us_is_judged(void **state)
{
	struct dp_hello h = hello(3, OWN - 1), named = hello(4, OWN);
	struct link_state link;
	bool answer;

	(void)state;
	link_state_init(&link, OWN);
	h.contract_version++;
	assert_int_equal(feed(&link, &h, sizeof(h), &answer), LINK_IDLE);
	assert_true(answer);
	h = hello(3, 0);
	h.header.size -= 8; // it knew fewer records
	assert_int_equal(feed(&link, &h, sizeof(h) - 8, &answer), LINK_IDLE);
	h.peer_epoch = OWN;
	assert_int_equal(feed(&link, &h, sizeof(h) - 8, &answer), LINK_REFUSED);
	h.header.size = sizeof(h.header) + 4;
	assert_int_equal(feed(&link, &h, sizeof(h.header) + 4, &answer), LINK_DISCARD);
	assert_int_equal(feed(&link, &named, sizeof(named), &answer), LINK_UP);
}

static void every_truncation_is_discarded(void **state)
{
	struct dp_device device = {
		.header = {.epoch = 3, .type = DP_MSG_DEVICE, .size = sizeof(device)}};
	struct dp_hello named = hello(3, OWN);
	struct link_state link;
	bool answer;

	(void)state;
	link_state_init(&link, OWN);
	assert_int_equal(feed(&link, &named, sizeof(named), &answer), LINK_UP);
	for (size_t size = 0; size < sizeof(device); size++)
		assert_int_equal(feed(&link, &device, size, &answer), LINK_DISCARD);
	assert_int_equal(feed(&link, &device, sizeof(device), &answer), LINK_RECORD);
}

// From here on: a real link over a socket, with the test as the engine.

static const struct intent_params params = {
	.worker_count = 2, .guild_count = 4, .room_count = 6, .session_count = 6};
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

static int setup(void **state)
{
	const struct resync_events events = {.up = on_up, .down = on_down, .refused = on_refused};
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
	ups = downs = 0;
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

static int done_count, done_error;

static void on_done(void *arg, int error)
{
	(void)arg;
	done_count++;
	done_error = error;
}

static struct session *add_session(struct guild *guild, uint64_t user)
{
	static const uint8_t digest[INTENT_DIGEST_SIZE];
	struct registry_session_params p = {.guild = guild,
		.user_id = user,
		.session_id = "s",
		.token_digest = digest,
		.flags = DP_SESSION_SELF_DEAF};
	struct session *session;
	bool is_new;

	p.room = registry_room_get(registry, guild, 100, &is_new);
	if (is_new)
		resync_room_open(resync, p.room);
	assert_int_equal(registry_session_add(registry, &p, &session), 0);
	return session;
}

static void a_call_is_told_in_order_and_acknowledged(void **state)
{
	struct guild *guild;
	struct session *session;
	union dp_msg msg;

	(void)state;
	engine_comes(3);
	assert_int_equal(ups, 1);
	done_count = 0;
	assert_int_equal(registry_guild_add(registry, 11, 1, &guild), 0);
	resync_guild_open(resync, guild, on_done, NULL);
	msg = expect(DP_MSG_GUILD_OPEN);
	assert_int_equal(msg.dp_guild_open.guild_id, 11);
	assert_int_equal(done_count, 0);
	engine_acks(&msg, 3, 0);
	assert_int_equal(done_count, 1);
	session = add_session(guild, 1);
	resync_session_add(resync, session, on_done, NULL);
	msg = expect(DP_MSG_ROOM_OPEN);
	engine_acks(&msg, 3, 0);
	msg = expect(DP_MSG_SESSION_ADD);
	assert_int_equal(msg.dp_session_add.ssrc, session->intent->ssrc);
	assert_int_equal(msg.dp_session_add.flags, DP_SESSION_SELF_DEAF);
	assert_int_equal(done_count, 1);
	engine_acks(&msg, 3, 0);
	assert_int_equal(done_count, 2);
	session->intent->key_id = 1;
	session->intent->suite = DP_SUITE_AES256_GCM_RTPSIZE;
	memset(session->intent->key, 0xab, DP_KEY_SIZE_MAX);
	session->intent->hint.family = 4;
	resync_session_key(resync, session, on_done, NULL);
	msg = expect(DP_MSG_SESSION_KEY);
	assert_int_equal(msg.dp_session_key.key[31], 0xab);
	engine_acks(&msg, 3, 0);
	assert_int_equal(done_count, 2); // the hint is part of it
	msg = expect(DP_MSG_SESSION_HINT);
	engine_acks(&msg, 3, 0);
	assert_int_equal(done_count, 3);
	assert_int_equal(done_error, 0);
}

// After a crash of the engine: everything again, same names, same key and key id.
static void a_new_engine_gets_everything(void **state)
{
	struct guild *guild;
	struct session *session;
	struct dp_handle handle;
	union dp_msg msg;

	(void)state;
	assert_int_equal(registry_guild_add(registry, 11, 1, &guild), 0);
	session = add_session(guild, 1);
	session->intent->key_id = 4;
	session->intent->suite = DP_SUITE_XCHACHA20_RTPSIZE;
	handle = session_handle(session);
	for (uint32_t epoch = 3; epoch < 6; epoch++) {
		engine_comes(epoch);
		msg = expect(DP_MSG_GUILD_OPEN);
		engine_acks(&msg, epoch, epoch == 4 ? -EEXIST : 0);
		msg = expect(DP_MSG_ROOM_OPEN);
		engine_acks(&msg, epoch, 0);
		msg = expect(DP_MSG_SESSION_ADD);
		assert_memory_equal(&msg.dp_session_add.session, &handle, sizeof(handle));
		engine_acks(&msg, epoch, epoch == 4 ? -EEXIST : 0);
		msg = expect(DP_MSG_SESSION_KEY);
		assert_int_equal(msg.dp_session_key.key_id, 4);
		engine_acks(&msg, epoch, 0);
		msg = expect(DP_MSG_SESSION_SET);
		assert_int_equal(msg.dp_session_set.flags, DP_SESSION_SELF_DEAF);
		engine_acks(&msg, epoch, 0);
		assert_int_equal(session->sync.acked, session->sync.wanted);
		assert_int_equal(engine_gets().header.type, DP_MSG_NONE);
	}
	assert_int_equal(ups, 3);
}

static void who_waits_is_answered_by_the_next_engine(void **state)
{
	struct guild *guild;
	union dp_msg msg;

	(void)state;
	engine_comes(3);
	assert_int_equal(registry_guild_add(registry, 11, 1, &guild), 0);
	done_count = 0;
	resync_guild_open(resync, guild, on_done, NULL);
	expect(DP_MSG_GUILD_OPEN); // and it dies without a word
	engine_comes(4);
	assert_int_equal(done_count, 0);
	msg = expect(DP_MSG_GUILD_OPEN);
	engine_acks(&msg, 4, 0);
	assert_int_equal(done_count, 1);
	assert_int_equal(done_error, 0);
}

static void a_silent_engine_times_out_and_is_asked_again(void **state)
{
	struct guild *guild;
	union dp_msg msg;

	(void)state;
	engine_comes(3);
	assert_int_equal(registry_guild_add(registry, 11, 1, &guild), 0);
	done_count = 0;
	resync_guild_open(resync, guild, on_done, NULL);
	msg = expect(DP_MSG_GUILD_OPEN);
	fake_loop_pass(DPLINK_TIMEOUT_MS + 2 * RESYNC_RETRY_MS, 50);
	engine_acks(&msg, 3, 0); // too late for that one
	assert_int_equal(done_count, 0);
	msg = expect(DP_MSG_GUILD_OPEN);
	fake_loop_pass(RESYNC_WAIT_MS, 50);
	assert_int_equal(done_count, 1);
	assert_int_equal(done_error, -ETIMEDOUT);
}

static void a_refusal_reaches_who_waits_once(void **state)
{
	struct guild *guild;
	union dp_msg msg;

	(void)state;
	engine_comes(3);
	assert_int_equal(registry_guild_add(registry, 11, 1, &guild), 0);
	done_count = 0;
	resync_guild_open(resync, guild, on_done, NULL);
	msg = expect(DP_MSG_GUILD_OPEN);
	engine_acks(&msg, 3, -ENOSPC);
	assert_int_equal(done_count, 1);
	assert_int_equal(done_error, -ENOSPC);
	fake_loop_pass(5000, 50);
	assert_int_equal(engine_gets().header.type, DP_MSG_NONE); // it would be refused again
}

// Handles are never given twice, so what is there already is what we asked for.
static void what_is_there_already_is_success(void **state)
{
	struct guild *guild;
	union dp_msg msg;

	(void)state;
	engine_comes(3);
	assert_int_equal(registry_guild_add(registry, 11, 1, &guild), 0);
	done_count = 0;
	resync_guild_open(resync, guild, on_done, NULL);
	msg = expect(DP_MSG_GUILD_OPEN);
	engine_acks(&msg, 3, -EEXIST);
	assert_int_equal(done_count, 1);
	assert_int_equal(done_error, 0);
}

static void a_removal_frees_the_slot_when_acknowledged(void **state)
{
	struct guild *guild;
	struct session *session;
	struct dp_handle handle;
	uint32_t worker;
	union dp_msg msg;

	(void)state;
	engine_comes(3);
	assert_int_equal(registry_guild_add(registry, 11, 1, &guild), 0);
	session = add_session(guild, 1);
	done_count = 0;
	resync_session_add(resync, session, on_done, NULL);
	handle = session_handle(session);
	worker = session->worker;
	registry_session_remove(registry, session);
	resync_session_remove(resync, session, NULL, NULL);
	assert_int_equal(done_count, 1);
	assert_int_equal(done_error, -ECANCELED);
	expect(DP_MSG_ROOM_OPEN);
	msg = expect(DP_MSG_SESSION_ADD);
	engine_acks(&msg, 3, 0); // its session is gone: nobody cares
	msg = expect(DP_MSG_SESSION_REMOVE);
	assert_non_null(registry_session_at(registry, worker, handle));
	engine_acks(&msg, 3, -ESTALE); // it was not there: as good
	assert_null(registry_session_at(registry, worker, handle));
}

// A control that died left a removal; its successor's engine still has the session.
static void a_removal_is_told_to_every_engine_until_acknowledged(void **state)
{
	struct guild *guild;
	struct session *session;

	(void)state;
	assert_int_equal(registry_guild_add(registry, 11, 1, &guild), 0);
	session = add_session(guild, 1);
	registry_session_remove(registry, session);
	registry_room_remove(guild->rooms);
	registry_guild_remove(registry, guild);
	engine_comes(3);
	expect(DP_MSG_SESSION_REMOVE);
	expect(DP_MSG_ROOM_CLOSE);
	expect(DP_MSG_GUILD_CLOSE);
	engine_comes(4);
	expect(DP_MSG_SESSION_REMOVE);
}

static void what_is_forgotten_is_not_called(void **state)
{
	struct guild *guild;
	union dp_msg msg;
	int mine = 0;

	(void)state;
	engine_comes(3);
	assert_int_equal(registry_guild_add(registry, 11, 1, &guild), 0);
	done_count = 0;
	resync_guild_open(resync, guild, on_done, &mine);
	resync_forget(resync, &mine);
	msg = expect(DP_MSG_GUILD_OPEN);
	engine_acks(&msg, 3, 0);
	assert_int_equal(done_count, 0);
}

// More commands than may be unanswered: the rest waits, in order, and no key stays in the queue.
static void commands_beyond_the_window_wait(void **state)
{
	struct guild *guild;
	struct session *session;
	struct dplink_stats stats;
	unsigned count = 0;
	uint32_t last_flags = 0;
	int size = 1 << 20;

	(void)state;
	// So that the window is what ends first, not the socket.
	assert_int_equal(setsockopt(own_end, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	engine_comes(3);
	assert_int_equal(registry_guild_add(registry, 11, 1, &guild), 0);
	session = add_session(guild, 1);
	for (uint32_t step = 1; step <= 3 * DPLINK_IN_FLIGHT_MAX; step++) {
		session->intent->flags = step;
		resync_session_set(resync, session, NULL, NULL);
	}
	dplink_stats(resync_link(resync), &stats);
	assert_int_equal(stats.in_flight, DPLINK_IN_FLIGHT_MAX);
	for (;;) {
		union dp_msg msg = engine_gets();

		if (msg.header.type == DP_MSG_NONE)
			break;
		if (msg.header.type == DP_MSG_SESSION_SET) {
			assert_int_equal(msg.dp_session_set.flags, last_flags + 1);
			last_flags++;
			count++;
		}
		engine_acks(&msg, 3, 0);
	}
	assert_int_equal(count, 3 * DPLINK_IN_FLIGHT_MAX);
	assert_int_equal(session->sync.acked, session->sync.wanted);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_exchange_ends_in_every_order),
		cmocka_unit_test(what_was_meant_for_a_predecessor_does_not_count),
		cmocka_unit_test(a_new_engine_takes_the_place_of_the_old),
		cmocka_unit_test(another_contract_is_refused),
		cmocka_unit_test(only_who_names_us_is_judged),
		cmocka_unit_test(every_truncation_is_discarded),
		TEST(a_call_is_told_in_order_and_acknowledged),
		TEST(a_new_engine_gets_everything),
		TEST(who_waits_is_answered_by_the_next_engine),
		TEST(a_silent_engine_times_out_and_is_asked_again),
		TEST(a_refusal_reaches_who_waits_once),
		TEST(what_is_there_already_is_success),
		TEST(a_removal_frees_the_slot_when_acknowledged),
		TEST(a_removal_is_told_to_every_engine_until_acknowledged),
		TEST(what_is_forgotten_is_not_called),
		TEST(commands_beyond_the_window_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
