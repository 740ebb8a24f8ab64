// SPDX-License-Identifier: BSD-3-Clause
//
// A client whose host is a name, with a resolver that is the test's: it answers when the test lets
// it. The loop's own thread never asks it for a name, and what else the loop does goes on.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "http/resolve.h"
#include "support/ws_bench.h"

#define BEATS 200u

typedef int getaddrinfo_fn(const char *, const char *, const struct addrinfo *, struct addrinfo **);

static pthread_t loop_thread;
static sem_t answers; // one for each lookup of a "stuck" name that may end
static atomic_uint stuck;

// Takes the place of the C library's, for ours and for what the library calls.
int getaddrinfo(
	const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
	getaddrinfo_fn *real = (getaddrinfo_fn *)(uintptr_t)dlsym(RTLD_NEXT, "getaddrinfo");
	bool is_literal = node == NULL || strspn(node, "0123456789abcdef.:") == strlen(node) ||
			  (hints != NULL && (hints->ai_flags & AI_NUMERICHOST));
	struct addrinfo *second;

	if (is_literal)
		return real(node, service, hints, out);
	if (pthread_equal(pthread_self(), loop_thread))
		abort(); // the loop would have waited
	if (strncmp(node, "stuck", 5) == 0) {
		atomic_fetch_add(&stuck, 1);
		sem_wait(&answers);
		atomic_fetch_sub(&stuck, 1);
		return EAI_AGAIN;
	}
	if (strcmp(node, "two.test") != 0)
		return EAI_NONAME;
	// The first refuses: the servers of this test listen at the second.
	assert_int_equal(real("127.0.0.9", service, hints, out), 0);
	assert_int_equal(real("127.0.0.1", service, hints, &second), 0);
	(*out)->ai_next = second;
	return 0;
}

static unsigned failures;
static char last_why[400];

static void *never_opened(void *ctx, struct ws_conn *conn, const struct ws_request *request)
{
	(void)ctx, (void)conn, (void)request;
	fail_msg("connected to a host without an address");
	return NULL;
}

static void never_closed(void *ctx, uint16_t code)
{
	(void)ctx, (void)code;
}

static void failed(void *ctx, const char *why)
{
	failures++;
	snprintf(last_why, sizeof(last_why), "%s", why);
	loop_stop(ctx, 0);
}

static const struct ws_handler lost = {
	.open = never_opened, .closed = never_closed, .failed = failed};

static void connect_to(struct ws_bench *b, const char *url, uint32_t timeout_ms)
{
	const struct ws_client_params params = {.url = url,
		.handler = &lost,
		.ctx = b->loop,
		.message_size_max = 10,
		.connect_timeout_ms = timeout_ms};

	assert_int_equal(ws_client_connect(b->loop, &params), 0);
}

static void until_stuck(unsigned count)
{
	while (atomic_load(&stuck) != count)
		usleep(1000);
}

// The threads end; what they say, nobody hears.
static void let_go(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		sem_post(&answers);
	until_stuck(0);
}

static void beat(struct ws_bench *b)
{
	if (b->messages == BEATS)
		loop_stop(b->loop, 0);
	else
		assert_int_equal(ws_conn_send(b->client_conn, "beat", 4, false), 0);
}

static void a_name_that_nobody_answers_for_stops_nobody(void **state)
{
	struct ws_bench *b = ws_bench_open((struct ws_server_params){.host = "127.0.0.1"});

	(void)state;
	failures = 0;
	connect_to(b, "ws://stuck.test:1/", 60000);
	until_stuck(1);
	b->first = "beat";
	b->first_size = 4;
	b->on_message = beat;
	ws_bench_connect(b, "ws://127.0.0.1:%u/"); // a session, and its heartbeats
	assert_int_equal(loop_run(b->loop), 0);
	assert_int_equal(b->messages, BEATS);
	assert_int_equal(failures, 0);
	assert_int_equal(atomic_load(&stuck), 1); // all the while
	ws_bench_close(b);                        // the lookup is left behind
	let_go(1);
}

static void its_time_is_bounded(void **state)
{
	struct ws_bench *b = ws_bench_open((struct ws_server_params){.host = "127.0.0.1"});

	(void)state;
	failures = 0;
	connect_to(b, "ws://stuck.test:1/", 20);
	assert_int_equal(failures, 0); // never from inside the call
	assert_int_equal(loop_run(b->loop), 0);
	assert_int_equal(failures, 1);
	assert_non_null(strstr(last_why, "no name server says what the address of stuck.test is"));
	until_stuck(1);
	let_go(1);
	ws_bench_close(b);
}

static void so_are_the_lookups_that_are_left_behind(void **state)
{
	struct ws_bench *b = ws_bench_open((struct ws_server_params){.host = "127.0.0.1"});

	(void)state;
	for (unsigned i = 0; i < RESOLVE_THREADS_MAX; i++)
		do { // of an earlier test there may be one that has not ended yet
			connect_to(b, "ws://stuck.test:1/", 20);
			assert_int_equal(loop_run(b->loop), 0);
		} while (strstr(last_why, "under way") != NULL);
	until_stuck(RESOLVE_THREADS_MAX);
	failures = 0;
	connect_to(b, "ws://stuck.test:1/", 60000);
	assert_int_equal(loop_run(b->loop), 0);
	assert_int_equal(failures, 1);
	assert_non_null(strstr(last_why, "4 lookups are under way"));
	let_go(RESOLVE_THREADS_MAX);
	do { // as soon as they are gone, names are looked up again
		connect_to(b, "ws://nobody.test:1/", 60000);
		assert_int_equal(loop_run(b->loop), 0);
	} while (strstr(last_why, "under way") != NULL);
	assert_non_null(strstr(last_why, "the host nobody.test has no address: "));
	ws_bench_close(b);
}

static void the_next_address_is_tried(void **state)
{
	struct ws_bench *b = ws_bench_open((struct ws_server_params){.host = "127.0.0.1"});
	char url[64];

	(void)state;
	b->first = "x";
	b->first_size = 1;
	ws_bench_connect(b, "ws://two.test:%u/path");
	assert_int_equal(loop_run(b->loop), 0);
	assert_int_equal(b->failed, 0);
	assert_string_equal(b->last, "x");
	assert_int_equal(strncmp(b->host, "two.test:", 9), 0); // the name, not the address
	failures = 0;
	snprintf(url, sizeof(url), "ws://two.test:%u/", 1u); // both refuse
	connect_to(b, url, 60000);
	assert_int_equal(loop_run(b->loop), 0);
	assert_int_equal(failures, 1);
	assert_non_null(strstr(last_why, "refused"));
	ws_bench_close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_that_nobody_answers_for_stops_nobody),
		cmocka_unit_test(its_time_is_bounded),
		cmocka_unit_test(so_are_the_lookups_that_are_left_behind),
		cmocka_unit_test(the_next_address_is_tried),
	};

	signal(SIGPIPE, SIG_IGN);
	loop_thread = pthread_self();
	sem_init(&answers, 0, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
