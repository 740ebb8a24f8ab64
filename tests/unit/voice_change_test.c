// SPDX-License-Identifier: BSD-3-Clause
//
// Moves and mutes: nobody is told before the packet engine has acknowledged, and a refusal changes
// nothing but the asker's answer.

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/voice_fixture.h"

#define OTHER 200ull // a channel

static int answers[4]; // 1: none yet

static void on_done(void *arg, int error)
{
	assert_int_equal(*(int *)arg, 1);
	*(int *)arg = error;
}

static int begin(void **state)
{
	for (unsigned index = 0; index < 4; index++)
		answers[index] = 1;
	return setup(state);
}

static void ask(uint64_t user, uint32_t flags, uint64_t channel, unsigned answer)
{
	assert_int_equal(voice_server_update(server, session_of(user), flags, channel, on_done,
				 &answers[answer]),
		0);
}

static uint64_t channel_of(uint64_t user)
{
	return session_of(user)->intent->channel_id;
}

static void a_move_is_told_after_the_engine_has_it(void **state)
{
	struct ws_conn *a = join(1), *b = join(2), *c = join(3);

	(void)state;
	ask(3, 0, OTHER, 0);
	fake_engine_acks(0);
	speak(b, 2, 1);
	skip_all(a);
	skip_all(b);
	skip_all(c);
	ask(2, 0, OTHER, 1);
	assert_string_equal(fake_read(a), "");
	assert_string_equal(fake_read(b), "");
	assert_string_equal(fake_read(c), "");
	assert_int_equal(answers[1], 1);
	assert_int_equal(channel_of(2), CHANNEL);
	assert_true(session_wanted_part(session_of(2)) == session_of(3)->part);
	fake_engine_acks(0);
	assert_int_equal(answers[1], 0);
	assert_int_equal(channel_of(2), OTHER);
	assert_op(fake_read(a), 13);
	assert_op(fake_read(b), 13);
	assert_op(fake_read(b), 11);
	assert_op(fake_read(c), 11);
	skip_all(b);
	speak(a, 1, 1);
	assert_string_equal(fake_read(b), "");
	assert_int_equal(fake_rooms_open, 2);
	ask(1, 0, OTHER, 2);
	assert_int_equal(fake_rooms_open, 2); // it is still in there
	fake_engine_acks(0);
	assert_int_equal(fake_rooms_open, 1);
	fake_end(a, 1000);
	fake_end(b, 1000);
	fake_end(c, 1000);
}

static void a_refused_move_never_was(void **state)
{
	struct ws_conn *a = join(1), *b = join(2);
	unsigned sets;

	(void)state;
	skip_all(a);
	skip_all(b);
	ask(2, DP_SESSION_DEAF, OTHER, 0);
	assert_int_equal(fake_rooms_open, 2);
	sets = fake_sets;
	fake_engine_acks(-ENOSPC);
	assert_int_equal(answers[0], -ENOSPC);
	assert_string_equal(fake_read(a), "");
	assert_string_equal(fake_read(b), "");
	assert_int_equal(channel_of(2), CHANNEL);
	assert_int_equal(session_of(2)->intent->flags, 0);
	// The engine took it out of its room: it is told where it belongs.
	assert_int_equal(fake_sets, sets + 1);
	assert_true(session_wanted_part(session_of(2)) == session_of(1)->part);
	assert_int_equal(session_wanted_flags(session_of(2)), 0);
	fake_engine_acks(0);
	assert_null(session_of(2)->changes);
	assert_int_equal(fake_rooms_open, 1);
	assert_int_equal(b->closed_with, 0);
	speak(a, 1, 1);
	assert_op(fake_read(b), 5);
	fake_end(a, 1000);
	fake_end(b, 1000);
}

static void who_cannot_be_put_back_ends(void **state)
{
	struct ws_conn *a = join(1), *b = join(2);

	(void)state;
	skip_all(a);
	ask(2, 0, OTHER, 0);
	fake_engine_acks(-ENOSPC);
	fake_engine_acks(-ENOSPC); // its place was taken
	assert_int_equal(b->closed_with, 4006);
	assert_null(session_of(2));
	assert_op(fake_read(a), 13);
	assert_int_equal(fake_rooms_open, 1);
	fake_end(b, 4006);
	fake_loop_pass(6500, 250);
	assert_int_equal(left_count, 1);
	assert_int_equal(left_user, 2);
	fake_end(a, 1000);
}

// The engine is away for longer than who asked waits; the next one is told what is in force.
static void a_move_that_times_out_is_taken_back(void **state)
{
	struct ws_conn *a = join(1);

	(void)state;
	skip_all(a);
	ask(1, 0, OTHER, 0);
	fake_engine_acks(-ETIMEDOUT);
	assert_int_equal(answers[0], -ETIMEDOUT);
	assert_int_equal(session_wanted_part(session_of(1))->intent->channel_id, CHANNEL);
	fake_engine_acks(-ETIMEDOUT);
	assert_int_equal(a->closed_with, 0);
	assert_int_equal(channel_of(1), CHANNEL);
	assert_int_equal(fake_rooms_open, 1);
	assert_string_equal(fake_read(a), "");
	fake_end(a, 1000);
}

static void a_newer_wish_outlives_a_refusal(void **state)
{
	struct ws_conn *a = join(1);
	unsigned sets;

	(void)state;
	ask(1, 0, OTHER, 0);
	ask(1, DP_SESSION_MUTE, CHANNEL, 1);
	sets = fake_sets;
	fake_engine_answers(-ENOSPC);
	assert_int_equal(answers[0], -ENOSPC);
	assert_int_equal(answers[1], 1);
	assert_int_equal(fake_sets, sets); // what comes decides
	assert_int_equal(session_wanted_flags(session_of(1)), DP_SESSION_MUTE);
	fake_engine_answers(0);
	assert_int_equal(answers[1], 0);
	assert_int_equal(session_of(1)->intent->flags, DP_SESSION_MUTE);
	assert_int_equal(channel_of(1), CHANNEL);
	assert_int_equal(fake_rooms_open, 1);
	fake_end(a, 1000);
}

static void two_moves_are_both_told(void **state)
{
	struct ws_conn *a = join(1), *b = join(2);

	(void)state;
	ask(2, 0, OTHER, 0);
	ask(2, 0, 300, 1);
	skip_all(a);
	assert_int_equal(fake_rooms_open, 3);
	fake_engine_answers(0);
	assert_int_equal(channel_of(2), OTHER);
	assert_int_equal(session_wanted_part(session_of(2))->intent->channel_id, 300);
	assert_op(fake_read(a), 13);
	fake_engine_answers(0);
	assert_int_equal(channel_of(2), 300);
	assert_int_equal(fake_rooms_open, 2);
	fake_end(a, 1000);
	fake_end(b, 1000);
}

static void an_end_takes_what_is_under_way_along(void **state)
{
	struct ws_conn *a = join(1);

	(void)state;
	ask(1, 0, OTHER, 0);
	ask(1, 0, 300, 1);
	fake_end(a, 1000);
	assert_null(session_of(1));
	assert_int_equal(answers[0], -ECANCELED);
	assert_int_equal(answers[1], -ECANCELED);
	assert_int_equal(fake_rooms_open, 0);
	fake_engine_acks(0); // nobody to tell
}

static void a_mute_is_a_set_and_nothing_else(void **state)
{
	struct ws_conn *a = join(1), *b = join(2);

	(void)state;
	skip_all(a);
	skip_all(b);
	ask(1, DP_SESSION_MUTE, CHANNEL, 0);
	assert_int_equal(fake_sets, 1);
	assert_int_equal(session_wanted_flags(session_of(1)), DP_SESSION_MUTE);
	assert_int_equal(session_of(1)->intent->flags, 0);
	fake_engine_acks(0);
	assert_int_equal(session_of(1)->intent->flags, DP_SESSION_MUTE);
	assert_string_equal(fake_read(b), "");
	assert_string_equal(fake_read(a), "");
	fake_end(a, 1000);
	fake_end(b, 1000);
}

// The gateway was not answered, so it asks again: a successor need not know.
static void a_successor_finds_what_is_in_force(void **state)
{
	struct ws_conn *a = join(1);

	(void)state;
	ask(1, DP_SESSION_MUTE, OTHER, 0);
	fall();
	free(a->ctx);
	for (unsigned index = 0; index < a->sent_count; index++)
		free(a->sent[index]);
	free(a);
	fake_waiter_count = 0;
	rise();
	assert_int_equal(channel_of(1), CHANNEL);
	assert_int_equal(session_of(1)->intent->flags, 0);
	assert_null(session_of(1)->changes);
}

static void a_node_without_a_room_to_give_changes_nothing(void **state)
{
	struct ws_conn *a = join(1);

	(void)state;
	for (uint64_t channel = 1; channel <= 7; channel++) { // of eight
		struct room_part *part =
			registry_room_part_get(registry, session_of(1)->guild, 0, 1000 + channel);

		assert_non_null(part);
		registry_room_part_hold(registry, part);
	}
	assert_int_equal(voice_server_update(server, session_of(1), 0, OTHER, on_done, &answers[0]),
		-ENOSPC);
	assert_int_equal(answers[0], 1);
	assert_null(session_of(1)->changes);
	fake_end(a, 1000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_move_is_told_after_the_engine_has_it),
		TEST(a_refused_move_never_was),
		TEST(who_cannot_be_put_back_ends),
		TEST(a_move_that_times_out_is_taken_back),
		TEST(a_newer_wish_outlives_a_refusal),
		TEST(two_moves_are_both_told),
		TEST(an_end_takes_what_is_under_way_along),
		TEST(a_mute_is_a_set_and_nothing_else),
		TEST(a_successor_finds_what_is_in_force),
		TEST(a_node_without_a_room_to_give_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
