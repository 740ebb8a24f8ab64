// SPDX-License-Identifier: BSD-3-Clause
//
// What one address may do at the gateway before it has identified, by plain calls: the listener's
// part, which opens the tickets, is in ws_admission_test.c.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "admission/admission.h"
#include "support/gateway_bench.h"

#define IDENTIFY(token, intents) \
	"{\"op\":2,\"d\":{\"token\":\"" token "\",\"intents\":" intents ",\"properties\":{}}}"
#define PEER "198.51.100.1"

static const char *peer; // of whoever opens

static struct client *opened(struct gateway_bench *b, const char *link)
{
	struct admission_ticket ticket; // the listener's, from accept()
	struct client *client;

	assert_int_equal(
		admission_open(b->hub.admission, peer, b->now_ms, &ticket), ADMISSION_GRANTED);
	client = client_open(&b->hub, (void *)(uintptr_t)link, &ticket, "v=10&encoding=json",
		"gw.test:80", b->now_ms);
	assert_non_null(client);
	assert_int_equal(ticket.source, 0); // the client's now
	return client;
}

static void say(struct gateway_bench *b, struct client *client, const char *text)
{
	client_message(client, text, strlen(text), false, b->now_ms);
}

static void resume(struct gateway_bench *b, struct client *client, const char *session, long seq)
{
	char text[256];

	snprintf(text, sizeof(text),
		"{\"op\":6,\"d\":{\"token\":\"t1\",\"session_id\":\"%s\",\"seq\":%ld}}", session,
		seq);
	say(b, client, text);
}

static void refused(struct gateway_bench *b, enum admission_verdict verdict)
{
	struct admission_ticket ticket;

	assert_int_equal(admission_open(b->hub.admission, peer, b->now_ms, &ticket), verdict);
}

static void bounds_end(struct gateway_bench *b)
{
	while (b->hub.clients != NULL)
		client_closed(b->hub.clients, 1006, b->now_ms);
	admission_destroy(b->hub.admission);
	b->hub.admission = NULL;
	peer = NULL;
	gateway_bench_destroy(b);
}

// Strangers of one address, and tokens that nobody has.
static void an_address_has_bounds_until_it_identifies(void **state)
{
	struct gateway_bench *b = gateway_bench_create(false);
	struct client *client, *early;

	(void)state;
	b->hub.admission = admission_create(1);
	assert_non_null(b->hub.admission);
	peer = PEER;
	early = opened(b, "early");
	for (unsigned i = 0; i < ADMISSION_FAILURES_MAX; i++) {
		client = opened(b, "c");
		gateway_bench_forget(b);
		if (i % 2 == 0)
			say(b, client, IDENTIFY("nobody", "129"));
		else
			say(b, client,
				"{\"op\":6,\"d\":{\"token\":\"x\",\"session_id\":\"y\",\"seq\":1}"
				"}");
		gateway_bench_expect(b, "c close 4004\n");
		client_closed(client, 4004, b->now_ms);
	}
	refused(b, ADMISSION_BLOCKED);
	say(b, early, IDENTIFY("t1", "129"));
	gateway_bench_expect(b, "early close 4008\n");
	client_closed(early, 4008, b->now_ms);
	b->now_ms += ADMISSION_WINDOW_MS;
	for (unsigned i = 0; i < 3 * ADMISSION_STRANGERS_MAX; i++) { // they identify: no matter
		client = opened(b, "c");
		say(b, client, IDENTIFY("t1", "0"));
		gateway_bench_forget(b);
		client_closed(client, 1000, b->now_ms);
	}
	for (unsigned i = 0; i < ADMISSION_STRANGERS_MAX; i++) {
		client = opened(b, "c");
		gateway_bench_forget(b);
	}
	refused(b, ADMISSION_CROWDED);
	assert_int_equal(admission_stats(b->hub.admission)->crowded, 1);
	client_closed(client, 1006, b->now_ms);
	opened(b, "c");
	peer = NULL;
	opened(b, "local");
	bounds_end(b);
}

// A token alone is no session: whoever resumes what is not there stays a stranger until it
// identifies.
static void a_resume_of_nothing_stays_a_stranger(void **state)
{
	struct gateway_bench *b = gateway_bench_create(false);
	struct client *clients[ADMISSION_STRANGERS_MAX];
	char session[SESSION_ID_SIZE];

	(void)state;
	b->hub.admission = admission_create(1);
	assert_non_null(b->hub.admission);
	peer = PEER;
	for (unsigned i = 0; i < ADMISSION_STRANGERS_MAX; i++) {
		clients[i] = opened(b, "c");
		gateway_bench_forget(b);
		resume(b, clients[i], "nothing", 1);
		gateway_bench_expect(b, "c op 9 false\n");
	}
	refused(b, ADMISSION_CROWDED);
	say(b, clients[0], IDENTIFY("t1", "1")); // now it has a session
	memcpy(session, b->last_session, sizeof(session));
	client_closed(opened(b, "c"), 1006, b->now_ms);
	client_closed(clients[0], 1006, b->now_ms);
	resume(b, clients[1], session, 1); // and so has this one
	assert_ptr_equal(clients[1]->session->client, clients[1]);
	clients[0] = opened(b, "c");
	clients[0] = opened(b, "c"); // for the one that left, and the one that resumed
	refused(b, ADMISSION_CROWDED);
	bounds_end(b);
}

static void rest(struct gateway_bench *b, const struct http_request *request, const char *begin)
{
	gateway_bench_forget(b);
	rest_handle(&b->rest, (struct http_exchange *)b, request, b->now_ms);
	if (gateway_bench_count(b, begin) != 1)
		fail_msg("expected %s in %s", begin, b->script);
}

// A call with a connection of its own, as each has.
static void guess(struct gateway_bench *b, const char *authorization, const char *answer)
{
	struct admission_ticket ticket;
	struct http_request request = {.method = "GET",
		.path = "/api/v10/users/@me",
		.query = "",
		.authorization = authorization,
		.host = "gw.test:80",
		.body = "",
		.ticket = &ticket};

	assert_int_equal(
		admission_open(b->hub.admission, PEER, b->now_ms, &ticket), ADMISSION_GRANTED);
	rest(b, &request, answer);
	admission_release(b->hub.admission, &ticket);
}

static void guesses_by_rest_count_like_any_others(void **state)
{
	struct gateway_bench *b = gateway_bench_create(false);
	struct admission_ticket early;
	struct http_request request = {.method = "GET",
		.path = "/api/v10/users/@me",
		.query = "",
		.authorization = "Bot t1",
		.host = "gw.test:80",
		.body = "",
		.ticket = &early};

	(void)state;
	b->hub.admission = admission_create(1);
	peer = PEER;
	assert_int_equal(
		admission_open(b->hub.admission, PEER, b->now_ms, &early), ADMISSION_GRANTED);
	for (unsigned i = 0; i < 2 * ADMISSION_FAILURES_MAX; i++)
		guess(b, "", "401 "); // guesses nothing
	for (unsigned i = 0; i < ADMISSION_FAILURES_MAX; i++) {
		guess(b, "Bot t1", "200 "); // of somebody beside them
		guess(b, i % 2 == 0 ? "Bot nobody" : "t1", "401 ");
	}
	refused(b, ADMISSION_BLOCKED);
	rest(b, &request, "429 "); // the right one at last, and too late
	b->now_ms += ADMISSION_WINDOW_MS;
	rest(b, &request, "200 ");
	assert_int_equal(early.source, 0); // known: no stranger while it waits for its answer
	bounds_end(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_has_bounds_until_it_identifies),
		cmocka_unit_test(a_resume_of_nothing_stays_a_stranger),
		cmocka_unit_test(guesses_by_rest_count_like_any_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
