// SPDX-License-Identifier: BSD-3-Clause
//
// What one address may do at the voice gateway before it has identified, and that a thousand bots
// behind one address are welcome.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admission/admission.h"
#include "support/voice_fixture.h"

#define PEER "198.51.100.1"

static struct ws_conn *crowd[ADMISSION_STRANGERS_MAX];

static void refused(const char *peer)
{
	struct ws_conn *conn = fake_connect_from("v=8", peer);

	assert_null(conn->ctx);
	assert_int_equal(conn->sent_count, 0); // not even Hello
	free(conn);
}

static void strangers_of_an_address_are_bounded(void **state)
{
	struct ws_conn *conn;

	(void)state;
	for (unsigned i = 0; i < ADMISSION_STRANGERS_MAX; i++)
		crowd[i] = fake_connect_from("v=8", PEER);
	refused(PEER);
	conn = fake_connect_from("v=8", "198.51.100.2");
	assert_non_null(conn->ctx);
	fake_end(conn, 1006);
	assert_int_equal(voice_server_admission(server)->crowded, 1);
	expect_client(1, "token");
	identify(crowd[0], 1, "token"); // one of them identifies: it does not count any more
	conn = fake_connect_from("v=8", PEER);
	assert_non_null(conn->ctx);
	fake_end(conn, 1006);
	fake_end(crowd[0], 1006); // and it leaves: that gives no second place
	conn = fake_connect_from("v=8", PEER);
	assert_non_null(conn->ctx);
	refused(PEER);
	fake_end(conn, 1006);
	for (unsigned i = 1; i < ADMISSION_STRANGERS_MAX; i++)
		fake_end(crowd[i], 1006);
}

static void bots_that_identify_do_not_count(void **state)
{
	struct ws_conn *bots[60]; // of 64 sessions; each is cut and comes again

	(void)state;
	for (unsigned round = 0; round < 20; round++)
		for (unsigned i = 0; i < 60; i++) {
			uint64_t user = i + 1;

			if (round > 0)
				fake_end(bots[i], 1006);
			bots[i] = fake_connect_from("v=8", PEER);
			assert_non_null(bots[i]->ctx);
			if (round == 0) {
				expect_client(user, "token");
				identify(bots[i], user, "token");
				fake_engine_acks(0);
			} else {
				resume(bots[i], user, "token", "");
			}
			assert_int_equal(bots[i]->closed_with, 0);
		}
	for (unsigned i = 0; i < 60; i++)
		fake_end(bots[i], 1000);
	assert_int_equal(voice_server_admission(server)->crowded, 0);
}

static void wrong(void (*say)(struct ws_conn *conn), uint16_t code)
{
	struct ws_conn *conn = fake_connect_from("v=8", PEER);

	assert_non_null(conn->ctx);
	say(conn);
	assert_int_equal(conn->closed_with, code);
	fake_end(conn, code);
}

static void wrong_identify(struct ws_conn *conn)
{
	identify(conn, 1, "guess");
}

static void wrong_resume(struct ws_conn *conn)
{
	resume(conn, 2, "guess", "");
}

static void unknown_session(struct ws_conn *conn)
{
	resume(conn, 3, "token", "");
}

static void guesses_of_an_address_are_bounded(void **state)
{
	struct ws_conn *member = join(2), *open = fake_connect_from("v=8", PEER), *conn;

	(void)state;
	expect_client(1, "token");
	// After a restart of a node all its clients may be told that their session is gone.
	for (unsigned i = 0; i < 2 * ADMISSION_FAILURES_MAX; i++)
		wrong(unknown_session, 4006);
	for (unsigned i = 0; i < ADMISSION_FAILURES_MAX; i++)
		wrong(i % 2 == 0 ? wrong_identify : wrong_resume, 4004);
	refused(PEER);
	identify(open, 1, "token"); // the right one at last, and too late
	assert_int_equal(open->closed_with, 4021);
	fake_end(open, 4021);
	assert_int_equal(voice_server_admission(server)->failures, ADMISSION_FAILURES_MAX);
	assert_int_equal(voice_server_admission(server)->blocked, 2);
	conn = fake_connect_from("v=8", "198.51.100.2");
	identify(conn, 1, "token");
	assert_int_equal(conn->closed_with, 0);
	fake_end(conn, 1000);
	assert_int_equal(member->closed_with, 0);
	fake_end(member, 1000);
	fake_loop_pass(ADMISSION_WINDOW_MS, 250);
	conn = fake_connect_from("v=8", PEER);
	assert_non_null(conn->ctx);
	fake_end(conn, 1006);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(strangers_of_an_address_are_bounded),
		TEST(bots_that_identify_do_not_count),
		TEST(guesses_of_an_address_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
