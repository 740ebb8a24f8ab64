// SPDX-License-Identifier: BSD-3-Clause
//
// The bench of ws_bench.h.
#include "support/ws_bench.h"

#include <setjmp.h>
#include <stdarg.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/test_cert.h"

#define TOO_LATE_MS 5000u
#define MOMENT_MS 40u

static void *server_opened(void *ctx, struct ws_conn *conn, const struct ws_request *request)
{
	struct ws_bench *b = ctx;

	b->server_conn = conn;
	b->server_open++;
	snprintf(b->path, sizeof(b->path), "%s", request->path);
	snprintf(b->query, sizeof(b->query), "%s", request->query);
	snprintf(b->authorization, sizeof(b->authorization), "%s", request->authorization);
	snprintf(b->host, sizeof(b->host), "%s", request->host);
	if (b->take_tickets)
		b->ticket = admission_take(request->ticket);
	return b->refuse ? NULL : b;
}

static void server_message(void *conn_ctx, const char *data, size_t size, bool binary)
{
	struct ws_bench *b = conn_ctx;
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
	struct ws_bench *b = conn_ctx;

	b->server_closed++;
	b->server_code = code;
	if (b->client_closed > 0 || b->client_open == 0)
		loop_stop(b->loop, 0);
}

const struct ws_handler ws_bench_server = {
	.open = server_opened, .message = server_message, .closed = server_closed};

static void *client_opened(void *ctx, struct ws_conn *conn, const struct ws_request *request)
{
	struct ws_bench *b = ctx;

	(void)request;
	b->client_open++;
	b->client_conn = conn;
	if (b->first != NULL)
		assert_int_equal(ws_conn_send(conn, b->first, b->first_size, b->first_binary), 0);
	return b;
}

static void client_message(void *conn_ctx, const char *data, size_t size, bool binary)
{
	struct ws_bench *b = conn_ctx;

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
	struct ws_bench *b = conn_ctx;

	b->client_closed++;
	b->client_code = code;
	if (b->server_closed > 0 || b->refuse)
		loop_stop(b->loop, 0);
}

static void client_failed(void *ctx, const char *why)
{
	struct ws_bench *b = ctx;

	b->failed++;
	snprintf(b->why, sizeof(b->why), "%s", why);
	loop_stop(b->loop, 0);
}

const struct ws_handler ws_bench_client = {.open = client_opened,
	.message = client_message,
	.closed = client_closed,
	.failed = client_failed};

static void answer(void *ctx, struct http_exchange *exchange, const struct http_request *request)
{
	struct ws_bench *b = ctx;
	char body[512];
	int size = snprintf(body, sizeof(body), "%s %s?%s auth=%s host=%s body=%s", request->method,
		request->path, request->query, request->authorization, request->host,
		request->body);

	assert_int_equal(strlen(request->body), request->body_size);
	if (b->answer_late)
		b->late = exchange;
	else
		http_respond(exchange, 200, "text/plain", body, (size_t)size);
}

static void too_late(void *arg)
{
	struct ws_bench *b = arg;

	b->is_late = true;
	loop_stop(b->loop, -ETIMEDOUT);
}

struct ws_bench *ws_bench_open(struct ws_server_params params)
{
	struct ws_bench *b = calloc(1, sizeof(*b));
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
	loop_timer_init(b->loop, &b->late_timer, too_late, b);
	loop_timer_set(&b->late_timer, TOO_LATE_MS);
	params.ws = &ws_bench_server;
	params.http = answer;
	params.ctx = b;
	params.message_size_max = MESSAGE_MAX;
	params.body_size_max = MESSAGE_MAX;
	params.name = "test";
	if (ws_server_create(b->loop, &params, &b->server, why, sizeof(why)) != 0)
		fail_msg("%s", why);
	return b;
}

void ws_bench_close(struct ws_bench *b)
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

void ws_bench_connect(struct ws_bench *b, const char *format)
{
	char url[128];
	struct ws_client_params params = {.url = url,
		.authorization = "Bot secret",
		.handler = &ws_bench_client,
		.ctx = b,
		.ca_path = access(b->cert, R_OK) == 0 ? b->cert : NULL,
		.message_size_max = MESSAGE_MAX};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(url, sizeof(url), format, ws_server_port(b->server));
#pragma GCC diagnostic pop
	assert_int_equal(ws_client_connect(b->loop, &params), 0);
}

int ws_bench_raw(const struct ws_bench *b)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(ws_server_port(b->server)),
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (void *)&address, sizeof(address)), 0);
	return fd;
}

size_t ws_bench_exchange(
	struct ws_bench *b, int fd, const void *data, size_t size, char *out, size_t out_size)
{
	ssize_t got;

	assert_int_equal(send(fd, data, size, MSG_NOSIGNAL), (ssize_t)size);
	b->is_late = false;
	loop_timer_set(&b->late_timer, MOMENT_MS);
	while (!b->is_late) // 'closed' stops it too, maybe in the same round
		(void)loop_run(b->loop);
	got = recv(fd, out, out_size - 1, MSG_DONTWAIT);
	if (got < 0)
		got = 0;
	out[got] = '\0';
	return (size_t)got;
}
