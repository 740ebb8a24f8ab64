// SPDX-License-Identifier: BSD-3-Clause
//
// http/ over loopback: our client against our server, and hand-written bytes against our server for
// what a correct client never sends. Each test runs a loop of its own until it is done or too late.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
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

#include "http/http_head.h"
#include "http/ws.h"
#include "loop/loop.h"
#include "support/test_cert.h"

#define MESSAGE_MAX 100000u
#define TOO_LATE_MS 5000u

// What happened, on both ends.
struct bench {
	struct loop *loop;
	struct ws_server *server;
	struct loop_timer late;
	char directory[64], cert[96], key[96], unix_path[96];

	struct ws_conn *server_conn, *client_conn;
	unsigned server_open, server_closed, client_open, client_closed, failed, messages;
	uint16_t server_code, client_code;
	char path[128], query[128], authorization[128], host[128];
	char why[400];
	char last[256];
	size_t last_size;
	bool last_binary;
	bool refuse;

	const char *first; // sent by the client as soon as it is open
	size_t first_size;
	bool first_binary;
	void (*on_message)(struct bench *b); // of the client; NULL: stop
};

static void *server_opened(void *ctx, struct ws_conn *conn, const struct ws_request *request)
{
	struct bench *b = ctx;

	b->server_conn = conn;
	b->server_open++;
	snprintf(b->path, sizeof(b->path), "%s", request->path);
	snprintf(b->query, sizeof(b->query), "%s", request->query);
	snprintf(b->authorization, sizeof(b->authorization), "%s", request->authorization);
	snprintf(b->host, sizeof(b->host), "%s", request->host);
	return b->refuse ? NULL : b;
}

static void server_message(void *conn_ctx, const char *data, size_t size, bool binary)
{
	struct bench *b = conn_ctx;
	unsigned code;

	assert_int_equal(data[size], '\0');
	if (sscanf(data, "close:%u", &code) == 1)
		ws_conn_close(b->server_conn, (uint16_t)code, "asked for");
	else if (strcmp(data, "abort") == 0)
		ws_conn_abort(b->server_conn);
	else
		assert_int_equal(ws_conn_send(b->server_conn, data, size, binary), 0);
}

static void server_closed(void *conn_ctx, uint16_t code)
{
	struct bench *b = conn_ctx;

	b->server_closed++;
	b->server_code = code;
	if (b->client_closed > 0 || b->client_open == 0)
		loop_stop(b->loop, 0);
}

static const struct ws_handler server_handler = {
	.open = server_opened, .message = server_message, .closed = server_closed};

static void *client_opened(void *ctx, struct ws_conn *conn, const struct ws_request *request)
{
	struct bench *b = ctx;

	(void)request;
	b->client_open++;
	b->client_conn = conn;
	if (b->first != NULL)
		assert_int_equal(ws_conn_send(conn, b->first, b->first_size, b->first_binary), 0);
	return b;
}

static void client_message(void *conn_ctx, const char *data, size_t size, bool binary)
{
	struct bench *b = conn_ctx;

	b->messages++;
	b->last_size = size;
	b->last_binary = binary;
	snprintf(b->last, sizeof(b->last), "%s", data);
	if (b->on_message != NULL)
		b->on_message(b);
	else
		loop_stop(b->loop, 0);
}

static void client_closed(void *conn_ctx, uint16_t code)
{
	struct bench *b = conn_ctx;

	b->client_closed++;
	b->client_code = code;
	if (b->server_closed > 0 || b->refuse)
		loop_stop(b->loop, 0);
}

static void client_failed(void *ctx, const char *why)
{
	struct bench *b = ctx;

	b->failed++;
	snprintf(b->why, sizeof(b->why), "%s", why);
	loop_stop(b->loop, 0);
}

static const struct ws_handler client_handler = {.open = client_opened,
	.message = client_message,
	.closed = client_closed,
	.failed = client_failed};

static void answer(void *ctx, struct http_exchange *exchange, const struct http_request *request)
{
	char body[512];
	int size = snprintf(body, sizeof(body), "%s %s?%s auth=%s host=%s body=%s", request->method,
		request->path, request->query, request->authorization, request->host,
		request->body);

	(void)ctx;
	assert_int_equal(strlen(request->body), request->body_size);
	http_respond(exchange, 200, "text/plain", body, (size_t)size);
}

static void too_late(void *arg)
{
	struct bench *b = arg;

	loop_stop(b->loop, -ETIMEDOUT);
}

static struct bench *bench_open(struct ws_server_params params)
{
	struct bench *b = calloc(1, sizeof(*b));
	char why[256];

	snprintf(b->directory, sizeof(b->directory), "/tmp/ws_test_XXXXXX");
	assert_non_null(mkdtemp(b->directory));
	snprintf(b->cert, sizeof(b->cert), "%s/cert.pem", b->directory);
	snprintf(b->key, sizeof(b->key), "%s/key.pem", b->directory);
	snprintf(b->unix_path, sizeof(b->unix_path), "%s/socket", b->directory);
	if (params.tls_cert_path != NULL) {
		test_cert_write(b->cert, b->key);
		params.tls_cert_path = b->cert;
		params.tls_key_path = b->key;
	}
	if (params.unix_path != NULL)
		params.unix_path = b->unix_path;
	b->loop = loop_create();
	assert_non_null(b->loop);
	loop_timer_init(b->loop, &b->late, too_late, b);
	loop_timer_set(&b->late, TOO_LATE_MS);
	params.ws = &server_handler;
	params.http = answer;
	params.ctx = b;
	params.message_size_max = MESSAGE_MAX;
	params.body_size_max = MESSAGE_MAX;
	params.name = "test";
	if (ws_server_create(b->loop, &params, &b->server, why, sizeof(why)) != 0)
		fail_msg("%s", why);
	return b;
}

static void bench_close(struct bench *b)
{
	ws_server_destroy(b->server);
	loop_destroy(b->loop);
	assert_int_equal(b->server_open - (b->refuse ? 1u : 0u), b->server_closed);
	assert_int_equal(b->client_open, b->client_closed);
	unlink(b->cert);
	unlink(b->key);
	assert_int_equal(access(b->unix_path, F_OK), -1);
	assert_int_equal(rmdir(b->directory), 0);
	free(b);
}

static void bench_connect(struct bench *b, const char *format)
{
	char url[128];
	struct ws_client_params params = {.url = url,
		.authorization = "Bot secret",
		.handler = &client_handler,
		.ctx = b,
		.ca_path = access(b->cert, R_OK) == 0 ? b->cert : NULL,
		.message_size_max = MESSAGE_MAX};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(url, sizeof(url), format, ws_server_port(b->server));
#pragma GCC diagnostic pop
	assert_int_equal(ws_client_connect(b->loop, &params), 0);
}

static void first_send(struct bench *b, const char *data, size_t size, bool binary)
{
	b->first = data;
	b->first_size = size;
	b->first_binary = binary;
}

// --- our client, our server ---

static void echo_over(struct ws_server_params params, const char *url)
{
	struct bench *b = bench_open(params);

	first_send(b, "h\xc3\xa4llo", 6, false);
	bench_connect(b, url);
	assert_int_equal(loop_run(b->loop), 0);
	assert_string_equal(b->last, "h\xc3\xa4llo");
	assert_false(b->last_binary);
	assert_string_equal(b->path, "/some/path");
	assert_string_equal(b->query, "v=10&encoding=json");
	assert_string_equal(b->authorization, "Bot secret");
	assert_non_null(strstr(b->host, ":"));
	bench_close(b);
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

static void next_size(struct bench *b)
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
	struct bench *b =
		bench_open((struct ws_server_params){.host = "127.0.0.1", .tls_cert_path = "yes"});

	(void)state;
	first_send(b, "", 0, true);
	b->on_message = next_size;
	bench_connect(b, "wss://127.0.0.1:%u/");
	assert_int_equal(loop_run(b->loop), 0);
	bench_close(b);
}

static void close_codes_travel(const char *first, uint16_t client_code, uint16_t server_code)
{
	struct bench *b = bench_open((struct ws_server_params){.host = "127.0.0.1"});

	first_send(b, first, strlen(first), false);
	bench_connect(b, "ws://127.0.0.1:%u/");
	assert_int_equal(loop_run(b->loop), 0);
	assert_int_equal(b->client_code, client_code);
	assert_int_equal(b->server_code, server_code);
	bench_close(b);
}

static void server_closes_with_its_code_and_aborts_without(void **state)
{
	(void)state;
	close_codes_travel("close:4015", 4015, 4015); // the server hears the echo
	close_codes_travel("close:1000", 1000, 1000);
	close_codes_travel("abort", 1006, 1006);
}

static void client_close(struct bench *b)
{
	ws_conn_close(b->client_conn, 4321, "bye");
	assert_int_equal(ws_conn_send(b->client_conn, "x", 1, false), -ENOTCONN);
}

static void client_closes_with_its_code(void **state)
{
	struct bench *b = bench_open((struct ws_server_params){.host = "127.0.0.1"});

	(void)state;
	first_send(b, "x", 1, false);
	b->on_message = client_close;
	bench_connect(b, "ws://127.0.0.1:%u/");
	assert_int_equal(loop_run(b->loop), 0);
	assert_int_equal(b->server_code, 4321);
	assert_int_equal(b->client_code, 4321);
	bench_close(b);
}

static void too_long_a_message_closes_with_1009(void **state)
{
	static char data[MESSAGE_MAX + 1];
	struct bench *b = bench_open((struct ws_server_params){.host = "127.0.0.1"});

	(void)state;
	first_send(b, data, sizeof(data), true);
	bench_connect(b, "ws://127.0.0.1:%u/");
	assert_int_equal(loop_run(b->loop), 0);
	assert_int_equal(b->client_code, 1009);
	bench_close(b);
}

static void refusing_open_closes_with_1008(void **state)
{
	struct bench *b = bench_open((struct ws_server_params){.host = "127.0.0.1"});

	(void)state;
	b->refuse = true;
	bench_connect(b, "ws://127.0.0.1:%u/");
	assert_int_equal(loop_run(b->loop), 0);
	assert_int_equal(b->client_code, 1008);
	bench_close(b);
}

static void destroying_the_server_closes_with_1001(void **state)
{
	struct bench *b = bench_open((struct ws_server_params){.host = "127.0.0.1"});

	(void)state;
	first_send(b, "x", 1, false);
	bench_connect(b, "ws://127.0.0.1:%u/");
	assert_int_equal(loop_run(b->loop), 0);
	ws_server_destroy(b->server);
	b->server = NULL;
	assert_int_equal(loop_run(b->loop), 0);
	assert_int_equal(b->client_code, 1001);
	bench_close(b);
}

static void a_client_that_cannot_connect_says_why(void **state)
{
	struct bench *b = bench_open((struct ws_server_params){.host = "127.0.0.1"});
	struct ws_client_params params = {.url = "ws://127.0.0.1:1/",
		.handler = &client_handler,
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
	bench_close(b);
}

static void a_client_refuses_a_certificate_that_it_does_not_trust(void **state)
{
	struct bench *b =
		bench_open((struct ws_server_params){.host = "127.0.0.1", .tls_cert_path = "yes"});
	char url[64];
	struct ws_client_params params = {
		.url = url, .handler = &client_handler, .ctx = b, .message_size_max = 10};

	(void)state;
	snprintf(url, sizeof(url), "wss://127.0.0.1:%u/", ws_server_port(b->server));
	assert_int_equal(ws_client_connect(b->loop, &params), 0);
	assert_int_equal(loop_run(b->loop), 0);
	assert_non_null(strstr(b->why, "certificate"));
	assert_int_equal(b->server_open, 0);
	// Trusted, but not for this name.
	snprintf(url, sizeof(url), "wss://127.0.0.2:%u/", ws_server_port(b->server));
	params.ca_path = b->cert;
	ws_server_destroy(b->server);
	b->server = NULL;
	struct ws_server_params again = {.tls_cert_path = b->cert,
		.tls_key_path = b->key,
		.host = "127.0.0.2",
		.ws = &server_handler,
		.ctx = b,
		.message_size_max = 10};
	char why[200];
	assert_int_equal(ws_server_create(b->loop, &again, &b->server, why, sizeof(why)), 0);
	snprintf(url, sizeof(url), "wss://127.0.0.2:%u/", ws_server_port(b->server));
	assert_int_equal(ws_client_connect(b->loop, &params), 0);
	assert_int_equal(loop_run(b->loop), 0);
	assert_non_null(strstr(b->why, "mismatch"));
	bench_close(b);
}

// --- hand-written bytes ---

static int raw_connect(struct bench *b)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(ws_server_port(b->server)),
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (void *)&address, sizeof(address)), 0);
	return fd;
}

// Sends, lets the server work for a moment, and returns what came back.
static size_t raw_exchange(
	struct bench *b, int fd, const void *data, size_t size, char *out, size_t out_size)
{
	ssize_t got;

	assert_int_equal(send(fd, data, size, MSG_NOSIGNAL), (ssize_t)size);
	loop_timer_set(&b->late, 40);
	assert_int_equal(loop_run(b->loop), -ETIMEDOUT);
	got = recv(fd, out, out_size - 1, MSG_DONTWAIT);
	if (got < 0)
		got = 0;
	out[got] = '\0';
	return (size_t)got;
}

static const char upgrade[] =
	"GET /x?v=1 HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n"
	"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
	"Sec-WebSocket-Extensions: permessage-deflate\r\n"
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

// Opens a WebSocket by hand, sends 'frame' and expects 'code' in the answering close frame.
static void frame_closes_with(const char *frame, size_t size, uint16_t code)
{
	struct bench *b = bench_open((struct ws_server_params){.host = "127.0.0.1"});
	int fd = raw_connect(b);
	char out[1024];
	size_t got = raw_exchange(b, fd, upgrade, sizeof(upgrade) - 1, out, sizeof(out));

	assert_true(got > 0);
	assert_non_null(strstr(out, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
	assert_null(strstr(out, "deflate"));
	got = raw_exchange(b, fd, frame, size, out, sizeof(out));
	if (code == 0) {
		assert_int_equal(got, 0);
	} else {
		assert_true(got >= 4);
		assert_int_equal((uint8_t)out[0], 0x88);
		assert_int_equal((uint8_t)out[2] << 8 | (uint8_t)out[3], code);
	}
	close(fd);
	bench_close(b);
}

#define FRAME(bytes, code) frame_closes_with(bytes, sizeof(bytes) - 1, code)

// The table of what is wrong is in ws_frame_test.c; here, that the peer is told.
static void bad_frames_get_their_close_code(void **state)
{
	(void)state;
	FRAME("\x81\x01x", 1002);                              // not masked
	FRAME("\x82\xff\0\0\0\0\0\x01\x86\xa1\0\0\0\0", 1009); // one byte more than allowed
	FRAME("\x81\x82\0\0\0\0\xc3\x28", 1007);               // not UTF-8
	FRAME("\x88\x82\0\0\0\0\x0f\xa1", 4001);               // a good close is echoed
	FRAME("\x8a\x80\0\0\0\0", 0);                          // an unasked pong is fine
}

static void fragments_with_a_ping_between_make_one_message(void **state)
{
	struct bench *b = bench_open((struct ws_server_params){.host = "127.0.0.1"});
	static const char frames[] = "\x01\x82\0\0\0\0\xc3\xa4"
				     "\x89\x82\1\2\3\4\x69\x6b"
				     "\x00\x81\0\0\0\0b"
				     "\x80\x81\0\0\0\0c";
	int fd = raw_connect(b);
	char out[1024];

	(void)state;
	raw_exchange(b, fd, upgrade, sizeof(upgrade) - 1, out, sizeof(out));
	assert_int_equal(raw_exchange(b, fd, frames, sizeof(frames) - 1, out, sizeof(out)), 10);
	assert_memory_equal(out,
		"\x8a\x02hi"
		"\x81\x04\xc3\xa4"
		"bc",
		10);
	close(fd);
	bench_close(b);
}

// Every byte its own segment: nothing may depend on where TCP cuts.
static void a_head_and_a_frame_in_single_bytes_work(void **state)
{
	struct bench *b = bench_open((struct ws_server_params){.host = "127.0.0.1"});
	static const char frame[] = "\x81\x85\1\2\3\4igohn";
	int fd = raw_connect(b);
	char out[1024];

	(void)state;
	loop_timer_set(&b->late, 0);
	for (size_t i = 0; i < sizeof(upgrade) - 1; i++) {
		assert_int_equal(send(fd, upgrade + i, 1, MSG_NOSIGNAL), 1);
		loop_timer_set(&b->late, 0);
		loop_run(b->loop);
	}
	raw_exchange(b, fd, frame, 3, out, sizeof(out));
	assert_non_null(strstr(out, "101 Switching"));
	assert_int_equal(raw_exchange(b, fd, frame + 3, sizeof(frame) - 4, out, sizeof(out)), 7);
	assert_memory_equal(out, "\x81\x05hello", 7);
	close(fd);
	bench_close(b);
}

static void a_slow_reader_is_cut_and_costs_no_more_than_its_bound(void **state)
{
	static char data[60000];
	struct bench *b = bench_open(
		(struct ws_server_params){.host = "127.0.0.1", .queue_size_max = 200000});
	int fd = raw_connect(b);
	char out[1024];
	size_t sent = 0;
	int error = 0;

	(void)state;
	raw_exchange(b, fd, upgrade, sizeof(upgrade) - 1, out, sizeof(out));
	while (sent < 50000000) {
		error = ws_conn_send(b->server_conn, data, sizeof(data), true);
		if (error != 0)
			break;
		sent += sizeof(data);
		loop_timer_set(&b->late, 0);
		loop_run(b->loop);
	}
	assert_int_equal(error, -ENOBUFS);
	assert_int_equal(ws_conn_send(b->server_conn, data, 1, true), -ENOTCONN);
	loop_timer_set(&b->late, 1000);
	assert_int_equal(loop_run(b->loop), 0); // stopped by 'closed'
	assert_int_equal(b->server_code, 1006);
	close(fd);
	bench_close(b);
}

static void http_case(const char *request, const char *expected)
{
	struct bench *b = bench_open((struct ws_server_params){.host = "127.0.0.1"});
	int fd = raw_connect(b);
	char out[2048];

	raw_exchange(b, fd, request, strlen(request), out, sizeof(out));
	if (strstr(out, expected) == NULL)
		fail_msg("expected %s in %s", expected, out);
	assert_non_null(strstr(out, "Connection: close\r\n"));
	assert_int_equal(recv(fd, out, 1, MSG_DONTWAIT), 0);
	close(fd);
	bench_close(b);
}

static void http_requests_are_answered_or_refused(void **state)
{
	static char endless[HTTP_HEAD_SIZE_MAX + 50];

	(void)state;
	http_case("GET /api/x?q=1 HTTP/1.1\r\nHost: h\r\nAuthorization: Bot t\r\n\r\n",
		"GET /api/x?q=1 auth=Bot t host=h body=");
	http_case("PATCH /p HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n{\"a\"", "body={\"a\"");
	http_case("POST /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", " 411 ");
	http_case("POST /p HTTP/1.1\r\nContent-Length: 900000\r\n\r\n", " 413 ");
	http_case("GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", " 400 "); // more: http_head_test.c
	memset(endless, 'a', sizeof(endless) - 1);
	memcpy(endless, "GET / HTTP/1.1\r\nA: ", 19);
	http_case(endless, " 431 ");
	http_case("GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
		  "Sec-WebSocket-Version: 8\r\n\r\n",
		" 426 ");
	http_case("GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
		  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n\r\n",
		" 400 ");
}

static void who_says_nothing_is_cut(void **state)
{
	struct bench *b =
		bench_open((struct ws_server_params){.host = "127.0.0.1", .open_timeout_ms = 30});
	int fd = raw_connect(b);
	char out[16];

	(void)state;
	raw_exchange(b, fd, "GET", 3, out, sizeof(out));
	loop_timer_set(&b->late, 60);
	loop_run(b->loop);
	assert_int_equal(recv(fd, out, sizeof(out), MSG_DONTWAIT), 0);
	close(fd);
	bench_close(b);
}

// --- listeners ---

static void a_taken_port_is_said_in_one_sentence(void **state)
{
	struct bench *b = bench_open((struct ws_server_params){.host = "127.0.0.1"});
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
	bench_close(b);
}

static void a_unix_socket_serves(void **state)
{
	struct bench *b = bench_open((struct ws_server_params){.unix_path = "yes"});
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
	raw_exchange(b, fd, "GET /u HTTP/1.1\r\n\r\n", 19, out, sizeof(out));
	assert_non_null(strstr(out, "GET /u"));
	assert_int_equal(
		ws_server_create(b->loop, &params, &second, why, sizeof(why)), -EADDRINUSE);
	close(fd);
	bench_close(b);
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
		cmocka_unit_test(bad_frames_get_their_close_code),
		cmocka_unit_test(fragments_with_a_ping_between_make_one_message),
		cmocka_unit_test(a_head_and_a_frame_in_single_bytes_work),
		cmocka_unit_test(a_slow_reader_is_cut_and_costs_no_more_than_its_bound),
		cmocka_unit_test(http_requests_are_answered_or_refused),
		cmocka_unit_test(who_says_nothing_is_cut),
		cmocka_unit_test(a_taken_port_is_said_in_one_sentence),
		cmocka_unit_test(a_unix_socket_serves),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
