// SPDX-License-Identifier: BSD-3-Clause
//
// Control's end of the link: ACKs, time-outs, refusals and resynchronisation as an engine at the
// other end of a socket sees it. The HELLO exchange alone is in dplink_hello_test.c.

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "dplink/dplink.h"
#include "dplink/resync.h"
#include "registry/registry.h"
#include "support/dplink_fixture.h"

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

	p.worker = guild->worker;
	p.part = registry_room_part_get(registry, guild, guild->worker, 100);
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
	resync_guild_open(resync, registry_guild_home(guild), on_done, NULL);
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
		engine_acks(&msg, epoch, epoch == 4 ? -EEXIST : 0);
		if (epoch > 3) { // it may have another engine's peers
			msg = expect(DP_MSG_ROOM_SET);
			assert_int_equal(msg.dp_room_set.peers, 0);
			engine_acks(&msg, epoch, 0);
		}
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

// What the progress memfd keeps for those who are not there must not go before all are.
static void an_engine_that_has_heard_all_is_told_so_once(void **state)
{
	struct guild *guild;
	union dp_msg msg;

	(void)state;
	assert_int_equal(registry_guild_add(registry, 11, 1, &guild), 0);
	for (uint32_t epoch = 3; epoch < 5; epoch++) {
		engine_comes(epoch);
		msg = expect(DP_MSG_GUILD_OPEN);
		fake_loop_pass(1000, 50);
		assert_int_equal(engine_gets().header.type, DP_MSG_NONE); // not yet
		engine_acks(&msg, epoch, 0);
		fake_loop_pass(1000, 50);
		for (unsigned worker = 0; worker < params.worker_count; worker++) {
			msg = expect(DP_MSG_REPLAYED);
			assert_int_equal(msg.header.worker, worker);
			if (worker == 0)
				engine_acks(&msg, epoch, 0);
		}
		assert_int_equal(engine_gets().header.type, DP_MSG_NONE);
		if (epoch == 3)
			continue; // it dies before the other worker was ready with it
		fake_loop_pass(DPLINK_TIMEOUT_MS + 1000, 50); // no answer: again
		for (unsigned worker = 0; worker < params.worker_count; worker++) {
			msg = expect(DP_MSG_REPLAYED);
			engine_acks(&msg, epoch, 0);
		}
		fake_loop_pass(10000, 50);
		assert_int_equal(engine_gets().header.type, DP_MSG_NONE);
	}
}

static void who_waits_is_answered_by_the_next_engine(void **state)
{
	struct guild *guild;
	union dp_msg msg;

	(void)state;
	engine_comes(3);
	assert_int_equal(registry_guild_add(registry, 11, 1, &guild), 0);
	done_count = 0;
	resync_guild_open(resync, registry_guild_home(guild), on_done, NULL);
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
	resync_guild_open(resync, registry_guild_home(guild), on_done, NULL);
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
	resync_guild_open(resync, registry_guild_home(guild), on_done, NULL);
	msg = expect(DP_MSG_GUILD_OPEN);
	engine_acks(&msg, 3, -ENOSPC);
	assert_int_equal(done_count, 1);
	assert_int_equal(done_error, -ENOSPC);
	fake_loop_pass(5000, 50);
	expect(DP_MSG_REPLAYED); // but nothing again that would be refused again
	expect(DP_MSG_REPLAYED);
}

static int errors[2];

static void on_error(void *arg, int error)
{
	*(int *)arg = error;
}

// A guild and a session that the engine has.
static struct session *settled_session(struct guild **guild)
{
	struct session *session;

	assert_int_equal(registry_guild_add(registry, 11, 1, guild), 0);
	resync_guild_open(resync, registry_guild_home(*guild), NULL, NULL);
	session = add_session(*guild, 1);
	resync_session_add(resync, session, NULL, NULL);
	for (union dp_msg msg = engine_gets(); msg.header.type != DP_MSG_NONE; msg = engine_gets())
		engine_acks(&msg, 3, 0);
	assert_true(registry_is_settled(&session->sync));
	return session;
}

static void a_refusal_is_of_one_change(void **state)
{
	struct guild *guild;
	struct session *session;
	union dp_msg first, second;

	(void)state;
	engine_comes(3);
	session = settled_session(&guild);
	errors[0] = errors[1] = 1;
	resync_session_set(resync, session, on_error, &errors[0]);
	resync_session_set(resync, session, on_error, &errors[1]);
	first = expect(DP_MSG_SESSION_SET);
	second = expect(DP_MSG_SESSION_SET);
	engine_acks(&first, 3, -ENOSPC);
	assert_int_equal(errors[0], -ENOSPC);
	assert_int_equal(errors[1], 1); // not answered yet
	assert_false(registry_is_settled(&session->sync));
	engine_acks(&second, 3, 0);
	assert_int_equal(errors[1], 0);
	assert_true(registry_is_settled(&session->sync));
	assert_int_equal(refusals, 0);
}

static void a_refusal_that_nobody_waits_for_is_said_once(void **state)
{
	struct guild *guild;
	struct session *session;
	union dp_msg msg;

	(void)state;
	engine_comes(3);
	session = settled_session(&guild);
	session->intent->key_id = 1;
	engine_comes(4); // and has less room than its predecessor
	msg = expect(DP_MSG_GUILD_OPEN);
	engine_acks(&msg, 4, 0);
	msg = expect(DP_MSG_ROOM_OPEN);
	engine_acks(&msg, 4, 0);
	msg = expect(DP_MSG_ROOM_SET);
	engine_acks(&msg, 4, 0);
	msg = expect(DP_MSG_SESSION_ADD);
	engine_acks(&msg, 4, -ENOSPC);
	assert_int_equal(refusals, 1);
	assert_ptr_equal(refused, session);
	assert_int_equal(refused_error, -ENOSPC);
	msg = expect(DP_MSG_SESSION_KEY);
	engine_acks(&msg, 4, -ESTALE);
	msg = expect(DP_MSG_SESSION_SET);
	engine_acks(&msg, 4, -ESTALE);
	assert_int_equal(refusals, 1);
	engine_comes(5);
	expect(DP_MSG_GUILD_OPEN);
	expect(DP_MSG_ROOM_OPEN);
	expect(DP_MSG_ROOM_SET);
	msg = expect(DP_MSG_SESSION_ADD);
	engine_acks(&msg, 5, -ENOSPC);
	assert_int_equal(refusals, 2); // another engine
}

// There is always something under way: what was lost is told again all the same.
static void a_busy_link_does_not_keep_what_was_lost(void **state)
{
	struct guild *lost, *guild;
	struct session *session;
	bool is_told = false;

	(void)state;
	engine_comes(3);
	session = settled_session(&guild);
	assert_int_equal(registry_guild_add(registry, 12, 1, &lost), 0);
	resync_guild_open(resync, registry_guild_home(lost), NULL, NULL);
	expect(DP_MSG_GUILD_OPEN); // its ACK never comes
	for (unsigned step = 0; step < 100 && !is_told; step++) {
		union dp_msg last = {0};

		resync_session_set(resync, session, NULL, NULL);
		fake_loop_pass(100, 50);
		for (union dp_msg msg = engine_gets(); msg.header.type != DP_MSG_NONE;
			msg = engine_gets()) {
			is_told = is_told || msg.header.type == DP_MSG_GUILD_OPEN;
			if (last.header.type != DP_MSG_NONE)
				engine_acks(&last, 3, 0);
			last = msg;
		}
		resync_session_set(resync, session, NULL, NULL); // before the last answer
		if (last.header.type != DP_MSG_NONE)
			engine_acks(&last, 3, 0);
	}
	assert_true(is_told);
}

#define CROWD 600u

static bool engine_has[2 * CROWD]; // sessions, by index

// Takes what is there, and keeps what a real engine would refuse.
static unsigned engine_works(unsigned most)
{
	unsigned count = 0;

	for (; count < most; count++) {
		union dp_msg msg = engine_gets();

		if (msg.header.type == DP_MSG_NONE)
			break;
		if (msg.header.type == DP_MSG_SESSION_ADD)
			engine_has[msg.dp_session_add.session.index] = true;
		if (msg.header.type == DP_MSG_SESSION_SET)
			assert_true(engine_has[msg.dp_session_set.session.index]);
		engine_acks(&msg, 3, 0);
	}
	return count;
}

// A large node's engine comes back: what happens meanwhile is not put behind all of that.
static void a_walk_lets_new_commands_through(void **state)
{
	struct session *last = NULL, *fresh;
	struct dplink_stats stats;
	struct guild *guild;
	unsigned commands = 0;
	int size = 1 << 20;

	(void)state;
	assert_int_equal(setsockopt(own_end, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	memset(engine_has, 0, sizeof(engine_has));
	assert_int_equal(registry_guild_add(registry, 11, 1, &guild), 0);
	for (unsigned user = 1; user <= CROWD; user++)
		last = add_session(guild, user);
	engine_comes(3);
	dplink_stats(resync_link(resync), &stats);
	assert_in_range(stats.queued, 1, 300);
	assert_false(last->sync.is_told);
	errors[0] = errors[1] = 1;
	resync_session_set(resync, last, on_error, &errors[0]); // far behind in the walk
	fresh = add_session(guild, CROWD + 1);
	resync_session_add(resync, fresh, on_error, &errors[1]);
	while (errors[1] == 1 && commands < 10000)
		commands += engine_works(1);
	assert_int_equal(errors[0], 0);
	assert_int_equal(errors[1], 0);
	assert_in_range(commands, 1, 600); // of more than 1,200
	while (engine_works(100) > 0)
		fake_loop_pass(50, 5);
	for (struct session *session = NULL;
		(session = registry_session_next(registry, session)) != NULL;)
		assert_true(engine_has[session->index] && registry_is_settled(&session->sync));
	assert_int_equal(refusals, 0);
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
	resync_guild_open(resync, registry_guild_home(guild), on_done, NULL);
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
	expect(DP_MSG_GUILD_OPEN); // what a session needs is told before it
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
	guild->rooms->parts->phase = ROOM_PART_OPEN;
	(void)registry_room_part_remove(registry, registry_idle_room_part(registry));
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
	resync_guild_open(resync, registry_guild_home(guild), on_done, &mine);
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
		TEST(a_call_is_told_in_order_and_acknowledged),
		TEST(a_new_engine_gets_everything),
		TEST(an_engine_that_has_heard_all_is_told_so_once),
		TEST(who_waits_is_answered_by_the_next_engine),
		TEST(a_silent_engine_times_out_and_is_asked_again),
		TEST(a_refusal_reaches_who_waits_once),
		TEST(a_refusal_is_of_one_change),
		TEST(a_refusal_that_nobody_waits_for_is_said_once),
		TEST(a_busy_link_does_not_keep_what_was_lost),
		TEST(a_walk_lets_new_commands_through),
		TEST(what_is_there_already_is_success),
		TEST(a_removal_frees_the_slot_when_acknowledged),
		TEST(a_removal_is_told_to_every_engine_until_acknowledged),
		TEST(what_is_forgotten_is_not_called),
		TEST(commands_beyond_the_window_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
