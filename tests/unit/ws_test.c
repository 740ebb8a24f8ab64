// SPDX-License-Identifier: BSD-3-Clause
//
// http/ over loopback: our client against our server. What a correct client never sends is in
// ws_raw_test.c.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "http/ws.h"
#include "loop/loop.h"
#include "support/ws_bench.h"

static void first_send(struct ws_bench *b, const char *data, size_t size, bool binary)
{
	b->first = data;
	b->first_size = size;
	b->first_binary = binary;
}

// --- our client, our server ---

static void echo_over(struct ws_server_params params, const char *url)
{
	struct ws_bench *b = ws_bench_open(params);

	first_send(b, "h\xc3\xa4llo", 6, false);
	ws_bench_connect(b, url);
	assert_int_equal(loop_run(b->loop), 0);
	assert_string_equal(b->last, "h\xc3\xa4llo");
	assert_false(b->last_binary);
	assert_string_equal(b->path, "/some/path");
	assert_string_equal(b->query, "v=10&encoding=json");
	assert_string_equal(b->authorization, "Bot secret");
	assert_non_null(strstr(b->host, ":"));
	ws_bench_close(b);
}

static void echoes_over_ipv4_ipv6_and_tls(void **state)
{
	(void)state;
	echo_over((struct ws_server_params){.host = "127.0.0.1"},
		"ws://127.0.0.1:%u/some/path?v=10&encoding=json");
	echo_over((struct ws_server_params){.host = "::1"},
		"ws://[::1]:%u/some/path?v=10&encoding=json");
	echo_over((struct ws_server_params){.host = NULL},
		"ws://127.0.0.1:%u/some/path?v=10&encoding=json");
	echo_over((struct ws_server_params){.host = "127.0.0.1", .tls_cert_path = "yes"},
		"wss://127.0.0.1:%u/some/path?v=10&encoding=json");
	echo_over((struct ws_server_params){.host = NULL, .tls_cert_path = "yes"},
		"wss://[::1]:%u/some/path?v=10&encoding=json");
	echo_over((struct ws_server_params){.host = NULL, .tls_cert_path = "yes"},
		"wss://localhost:%u/some/path?v=10&encoding=json");
}

static void next_size(struct ws_bench *b)
{
	static char data[MESSAGE_MAX];
	static const size_t sizes[] = {0, 1, 125, 126, 127, 4096, 16384, 65535, 65536, MESSAGE_MAX};

	if (b->messages > 0)
		assert_int_equal(b->last_size, sizes[b->messages - 1]);
	assert_true(b->messages == 0 || b->last_binary);
	if (b->messages == sizeof(sizes) / sizeof(sizes[0]))
		loop_stop(b->loop, 0);
	else
		assert_int_equal(ws_conn_send(b->client_conn, data, sizes[b->messages], true), 0);
}

static void binary_of_every_head_form_comes_back_whole(void **state)
{
	struct ws_bench *b = ws_bench_open(
		(struct ws_server_params){.host = "127.0.0.1", .tls_cert_path = "yes"});

	(void)state;
	first_send(b, "", 0, true);
	b->on_message = next_size;
	ws_bench_connect(b, "wss://127.0.0.1:%u/");
	assert_int_equal(loop_run(b->loop), 0);
	ws_bench_close(b);
}

static void close_codes_travel(const char *first, uint16_t client_code, uint16_t server_code)
{
	struct ws_bench *b = ws_bench_open((struct ws_server_params){.host = "127.0.0.1"});

	first_send(b, first, strlen(first), false);
	ws_bench_connect(b, "ws://127.0.0.1:%u/");
	assert_int_equal(loop_run(b->loop), 0);
	assert_int_equal(b->client_code, client_code);
	assert_int_equal(b->server_code, server_code);
	ws_bench_close(b);
}

static void server_closes_with_its_code_and_aborts_without(void **state)
{
	(void)state;
	close_codes_travel("close:4015", 4015, 4015); // the server hears the echo
	close_codes_travel("close:1000", 1000, 1000);
	close_codes_travel("abort", 1006, 1006);
}

static void client_close(struct ws_bench *b)
{
	ws_conn_close(b->client_conn, 4321, "bye");
	assert_int_equal(ws_conn_send(b->client_conn, "x", 1, false), -ENOTCONN);
}

static void client_closes_with_its_code(void **state)
{
	struct ws_bench *b = ws_bench_open((struct ws_server_params){.host = "127.0.0.1"});

	(void)state;
	first_send(b, "x", 1, false);
	b->on_message = client_close;
	ws_bench_connect(b, "ws://127.0.0.1:%u/");
	assert_int_equal(loop_run(b->loop), 0);
	assert_int_equal(b->server_code, 4321);
	assert_int_equal(b->client_code, 4321);
	ws_bench_close(b);
}

static void too_long_a_message_closes_with_1009(void **state)
{
	static char data[MESSAGE_MAX + 1];
	struct ws_bench *b = ws_bench_open((struct ws_server_params){.host = "127.0.0.1"});

	(void)state;
	first_send(b, data, sizeof(data), true);
	ws_bench_connect(b, "ws://127.0.0.1:%u/");
	assert_int_equal(loop_run(b->loop), 0);
	assert_int_equal(b->client_code, 1009);
	ws_bench_close(b);
}

static void refusing_open_closes_with_1008(void **state)
{
	struct ws_bench *b = ws_bench_open((struct ws_server_params){.host = "127.0.0.1"});

	(void)state;
	b->refuse = true;
	ws_bench_connect(b, "ws://127.0.0.1:%u/");
	assert_int_equal(loop_run(b->loop), 0);
	assert_int_equal(b->client_code, 1008);
	ws_bench_close(b);
}

static void destroying_the_server_closes_with_1001(void **state)
{
	struct ws_bench *b = ws_bench_open((struct ws_server_params){.host = "127.0.0.1"});

	(void)state;
	first_send(b, "x", 1, false);
	ws_bench_connect(b, "ws://127.0.0.1:%u/");
	assert_int_equal(loop_run(b->loop), 0);
	ws_server_destroy(b->server);
	b->server = NULL;
	assert_int_equal(loop_run(b->loop), 0);
	assert_int_equal(b->client_code, 1001);
	ws_bench_close(b);
}

static void a_client_that_cannot_connect_says_why(void **state)
{
	struct ws_bench *b = ws_bench_open((struct ws_server_params){.host = "127.0.0.1"});
	struct ws_client_params params = {.url = "ws://127.0.0.1:1/",
		.handler = &ws_bench_client,
		.ctx = b,
		.message_size_max = 10};
	static const char *const bad[] = {"http://x/", "ws://", "ws://:1/", "ws://h:99999999/",
		"ws://h:1/a b", "ws://[::1/", "ws://h:/"};

	(void)state;
	assert_int_equal(ws_client_connect(b->loop, &params), 0);
	assert_int_equal(b->failed, 0); // never from inside the call
	assert_int_equal(loop_run(b->loop), 0);
	assert_non_null(strstr(b->why, "refused"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		params.url = bad[i];
		assert_int_equal(ws_client_connect(b->loop, &params), -EINVAL);
	}
	ws_bench_close(b);
}

// Connects, and says what 'failed' said.
static const char *refusal(struct ws_bench *b, const char *host, const char *ca_path)
{
	char url[96];
	struct ws_client_params params = {.url = url,
		.ca_path = ca_path,
		.handler = &ws_bench_client,
		.ctx = b,
		.message_size_max = 10};

	snprintf(url, sizeof(url), "wss://%s:%u/", host, ws_server_port(b->server));
	b->failed = 0;
	assert_int_equal(ws_client_connect(b->loop, &params), 0);
	assert_int_equal(b->failed, 0); // never from inside the call
	assert_int_equal(loop_run(b->loop), 0);
	assert_int_equal(b->failed, 1);
	assert_int_equal(b->client_open, 0);
	assert_int_equal(b->server_open, 0); // not a byte of ours was said
	return b->why;
}

static void a_client_refuses_a_certificate_that_it_does_not_trust(void **state)
{
	struct ws_bench *b =
		ws_bench_open((struct ws_server_params){.host = NULL, .tls_cert_path = "yes"});

	(void)state;
	assert_non_null(strstr(refusal(b, "127.0.0.1", NULL), "certificate refused: self-signed"));
	// Trusted, but for localhost, 127.0.0.1 and ::1 only.
	assert_non_null(strstr(refusal(b, "127.0.0.2", b->cert), "IP address mismatch"));
	assert_non_null(strstr(refusal(b, "[::ffff:127.0.0.1]", b->cert), "IP address mismatch"));
	assert_non_null(strstr(refusal(b, "127.1", b->cert), "hostname mismatch"));
	assert_non_null(strstr(refusal(b, "127.0.0.1", "/nonexistent"),
		"the CA file /nonexistent cannot be read"));
	ws_bench_close(b);
}

static void a_client_that_is_refused_says_the_status(void **state)
{
	struct ws_bench *b = ws_bench_open(
		(struct ws_server_params){.host = "127.0.0.1", .tls_cert_path = "yes"});
	struct ws_server_params params = {.tls_cert_path = b->cert,
		.tls_key_path = b->key,
		.host = "127.0.0.1",
		.message_size_max = 10}; // no WebSocket here
	char why[200];

	(void)state;
	ws_server_destroy(b->server);
	assert_int_equal(ws_server_create(b->loop, &params, &b->server, why, sizeof(why)), 0);
	assert_non_null(strstr(refusal(b, "127.0.0.1", b->cert), "HTTP status 404"));
	ws_bench_close(b);
}

// What the library would do with several servers in one process: choose among them by what the
// client says.
static void a_server_is_chosen_by_its_socket_and_nothing_else(void **state)
{
	struct ws_bench *tls = ws_bench_open(
		(struct ws_server_params){.host = "127.0.0.1", .tls_cert_path = "yes"});
	struct ws_bench plain = {.loop = tls->loop};
	static const char *const names[] = {
		"voicenode-tls", "voicenode-plain", "v", "voicenode-loop", ":1", "x.", "x"};
	struct ws_server_params params = {.host = "127.0.0.1", .message_size_max = 10};
	char request[128], out[256], why[200];

	(void)state;
	assert_int_equal(ws_server_create(tls->loop, &params, &plain.server, why, sizeof(why)), 0);
	loop_timer_init(tls->loop, &plain.late_timer, tls->late_timer.fn, &plain);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int fd = ws_bench_raw(&plain);

		snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", names[i]);
		ws_bench_exchange(&plain, fd, request, strlen(request), out, sizeof(out));
		assert_non_null(strstr(out, " 404 ")); // it has no handler, the other does
		close(fd);
	}
	ws_server_destroy(plain.server);
	first_send(tls, "x", 1, false);
	ws_bench_connect(tls, "wss://localhost:%u/");
	assert_int_equal(loop_run(tls->loop), 0);
	assert_string_equal(tls->last, "x");
	ws_bench_close(tls);
}

// --- secrets ---

// A sanitizer's heap is elsewhere, and freed memory waits in it.
#if defined(__SANITIZE_ADDRESS__)
#define OTHER_HEAP true
#elif defined(__has_feature)
#define OTHER_HEAP __has_feature(address_sanitizer)
#else
#define OTHER_HEAP false
#endif

// Whether the C library's heap holds 'a' followed by 'b', in use or freed.
static bool heap_holds(const char *a, const char *b)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	size_t a_size = strlen(a), b_size = strlen(b);
	char line[512];
	bool found = false;

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps) != NULL) {
		uintptr_t begin, end;

		if (strstr(line, "[heap]") == NULL ||
			sscanf(line, "%" SCNxPTR "-%" SCNxPTR, &begin, &end) != 2)
			continue;
		for (; begin + a_size + b_size <= end; begin++)
			found |= memcmp((const char *)begin, a, a_size) == 0 &&
				 memcmp((const char *)begin + a_size, b, b_size) == 0;
	}
	fclose(maps);
	return found;
}

static void forget(struct ws_bench *b)
{
	explicit_bzero(b->authorization, sizeof(b->authorization));
	explicit_bzero(b->last, sizeof(b->last));
}

static void no_token_or_message_stays_in_the_heap(void **state)
{
	char token[64], message[64], url[64];
	struct ws_client_params params = {.url = url,
		.authorization = token,
		.handler = &ws_bench_client,
		.message_size_max = MESSAGE_MAX};
	struct ws_bench *b;

	(void)state;
	if (OTHER_HEAP)
		skip();
	b = ws_bench_open((struct ws_server_params){.host = "127.0.0.1"});
	params.ctx = b;
	snprintf(url, sizeof(url), "ws://127.0.0.1:%u/", ws_server_port(b->server));
	snprintf(token, sizeof(token), "Bot %s%s", "canary-of-", "the-token");
	snprintf(message, sizeof(message), "%s%s", "canary-of-", "the-message");
	first_send(b, message, strlen(message), false);
	assert_int_equal(ws_client_connect(b->loop, &params), 0);
	assert_int_equal(loop_run(b->loop), 0);
	assert_string_equal(b->authorization, token);
	assert_string_equal(b->last, message);
	assert_true(heap_holds("canary-of-", "the-token")); // the search finds what is there
	ws_server_destroy(b->server);
	b->server = NULL;
	assert_int_equal(loop_run(b->loop), 0);
	loop_destroy(b->loop);
	b->loop = NULL;
	forget(b);
	assert_false(heap_holds("canary-of-", "the-token"));
	assert_false(heap_holds("canary-of-", "the-message"));
	ws_bench_close(b);
}

// --- listeners ---

static void a_taken_port_is_said_in_one_sentence(void **state)
{
	struct ws_bench *b = ws_bench_open((struct ws_server_params){.host = "127.0.0.1"});
	struct ws_server_params params = {
		.host = "127.0.0.1", .port = ws_server_port(b->server), .message_size_max = 10};
	struct ws_server *second = NULL;
	char why[256];

	(void)state;
	assert_int_equal(
		ws_server_create(b->loop, &params, &second, why, sizeof(why)), -EADDRINUSE);
	assert_non_null(strstr(why, "another program listens there"));
	params.port = 0;
	params.tls_cert_path = "/nonexistent.pem";
	params.tls_key_path = "/nonexistent.pem";
	assert_int_equal(ws_server_create(b->loop, &params, &second, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "/nonexistent.pem"));
	assert_null(second);
	ws_bench_close(b);
}

static void a_unix_socket_serves(void **state)
{
	struct ws_bench *b = ws_bench_open((struct ws_server_params){.unix_path = "yes"});
	struct ws_server_params params = {.unix_path = b->unix_path, .message_size_max = 10};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct ws_server *second = NULL;
	char out[1024], why[256];
	struct stat info;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", b->unix_path);
	assert_int_equal(stat(b->unix_path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0660);
	assert_int_equal(connect(fd, (void *)&address, sizeof(address)), 0);
	ws_bench_exchange(b, fd, "GET /u HTTP/1.1\r\n\r\n", 19, out, sizeof(out));
	assert_non_null(strstr(out, "GET /u"));
	assert_int_equal(
		ws_server_create(b->loop, &params, &second, why, sizeof(why)), -EADDRINUSE);
	close(fd);
	ws_bench_close(b);
}

static int listening(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	assert_int_equal(bind(fd, (void *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

static void a_successor_inherits_the_socket_and_who_waits_in_it(void **state)
{
	int listener = listening(), heirs = dup(listener), fd;
	struct ws_bench *b = ws_bench_open((struct ws_server_params){.listen_fd = listener});
	struct ws_bench heir = {.loop = b->loop};
	struct ws_server_params params = {.listen_fd = heirs, .message_size_max = 10};
	char out[256], why[200];

	(void)state;
	loop_timer_init(b->loop, &heir.late_timer, b->late_timer.fn, &heir);
	ws_server_stop_accepting(b->server);
	fd = ws_bench_raw(b);
	assert_int_equal(
		ws_bench_exchange(b, fd, "GET / HTTP/1.1\r\n\r\n", 18, out, sizeof(out)), 0);
	assert_int_equal(ws_server_create(b->loop, &params, &heir.server, why, sizeof(why)), 0);
	assert_int_equal(ws_server_port(heir.server), ws_server_port(b->server));
	ws_bench_exchange(&heir, fd, "", 0, out, sizeof(out));
	assert_non_null(strstr(out, " 404 ")); // the heir has no handler
	close(fd);
	ws_server_destroy(heir.server);
	ws_bench_close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(echoes_over_ipv4_ipv6_and_tls),
		cmocka_unit_test(binary_of_every_head_form_comes_back_whole),
		cmocka_unit_test(server_closes_with_its_code_and_aborts_without),
		cmocka_unit_test(client_closes_with_its_code),
		cmocka_unit_test(too_long_a_message_closes_with_1009),
		cmocka_unit_test(refusing_open_closes_with_1008),
		cmocka_unit_test(destroying_the_server_closes_with_1001),
		cmocka_unit_test(a_client_that_cannot_connect_says_why),
		cmocka_unit_test(a_client_refuses_a_certificate_that_it_does_not_trust),
		cmocka_unit_test(a_client_that_is_refused_says_the_status),
		cmocka_unit_test(a_server_is_chosen_by_its_socket_and_nothing_else),
		cmocka_unit_test(no_token_or_message_stays_in_the_heap),
		cmocka_unit_test(a_successor_inherits_the_socket_and_who_waits_in_it),
		cmocka_unit_test(a_taken_port_is_said_in_one_sentence),
		cmocka_unit_test(a_unix_socket_serves),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
