// SPDX-License-Identifier: BSD-3-Clause
//
// The listening side of ws.h: sockets of our own (so that a taken port is an errno with a
// sentence), the upgrade, and plain HTTP requests, one per connection.
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/http_head.h"
#include "http/http_listen.h"
#include "http/tls_stream.h"
#include "http/ws_conn.h"

#define CONNECTIONS_MAX_DEFAULT 16384u
#define OPEN_TIMEOUT_DEFAULT_MS 5000u
#define ACCEPTS_PER_TURN_MAX 64
#define ACCEPT_PAUSE_MS 100u // when the process has no descriptor left

struct ws_server {
	struct loop *loop;
	struct loop_exit at_exit;
	struct loop_timer resume; // of accepting
	struct loop_fd *watch;
	SSL_CTX *tls_ctx; // NULL: plain
	const struct ws_handler *ws;
	http_handler_fn *http;
	void *ctx;
	size_t message_size_max, body_size_max, queue_size_max;
	uint32_t connection_count, connections_max, open_timeout_ms;
	struct ws_conn *conns;
	int fd;
	uint16_t port;
	char *unix_path; // to be removed with the server
	bool destroyed;  // freed with its last connection
};

struct http_exchange {
	struct ws_conn *conn; // NULL: the client has left
};

// --- answers ---

static const char *status_text(unsigned status)
{
	static const struct {
		unsigned status;
		const char *text;
	} texts[] = {
		{200, "OK"},
		{204, "No Content"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{411, "Length Required"},
		{413, "Content Too Large"},
		{426, "Upgrade Required"},
		{429, "Too Many Requests"},
		{431, "Request Header Fields Too Large"},
		{500, "Internal Server Error"},
		{503, "Service Unavailable"},
		{504, "Gateway Timeout"},
		{505, "HTTP Version Not Supported"},
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].status == status)
			return texts[i].text;
	return "Status";
}

static void response_send(struct ws_conn *conn, unsigned status, const char *extra,
	const char *content_type, const char *body, size_t body_size)
{
	char head[512];
	int size = snprintf(head, sizeof(head),
		"HTTP/1.1 %u %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s"
		"Connection: close\r\n\r\n",
		status, status_text(status), content_type, body_size, extra);

	if (ws_conn_write(conn, head, (size_t)size) != 0)
		return;
	if (body_size > 0 && ws_conn_write(conn, body, body_size) != 0)
		return;
	ws_conn_drain(conn);
}

void http_respond(struct http_exchange *exchange, unsigned status, const char *content_type,
	const char *body, size_t body_size)
{
	struct ws_conn *conn = exchange->conn;

	free(exchange);
	if (conn == NULL)
		return;
	conn->exchange = NULL;
	if (conn->dead)
		return;
	response_send(conn, status, "", content_type == NULL ? "application/json" : content_type,
		body, body_size);
}

static void refuse(struct ws_conn *conn, unsigned status)
{
	response_send(conn, status, status == 426 ? "Sec-WebSocket-Version: 13\r\n" : "",
		"text/plain", "", 0);
}

// --- requests ---

static bool wants_websocket(const struct http_head *head)
{
	return http_header_has_token(head, "Upgrade", "websocket") &&
	       http_header_has_token(head, "Connection", "upgrade");
}

static bool key_valid(const char *key)
{
	return strlen(key) == WS_KEY_SIZE - 1 && strcmp(key + 22, "==") == 0;
}

static void upgrade(struct ws_conn *conn, struct ws_server *server, const struct http_head *head)
{
	const char *key = http_header_get(head, "Sec-WebSocket-Key");
	char accept[WS_ACCEPT_SIZE], answer[256], peer[64];
	struct ws_request request;
	int size;

	if (server->ws == NULL) {
		refuse(conn, 404);
		return;
	}
	if (strcmp(http_header_get(head, "Sec-WebSocket-Version"), "13") != 0) {
		refuse(conn, 426);
		return;
	}
	if (strcmp(head->method, "GET") != 0 || !key_valid(key)) {
		refuse(conn, 400);
		return;
	}
	ws_accept_build(key, accept);
	size = snprintf(answer, sizeof(answer),
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		accept);
	if (ws_conn_write(conn, answer, (size_t)size) != 0)
		return;
	ws_conn_peer(conn, peer, sizeof(peer));
	request = (struct ws_request){
		.path = head->path,
		.query = head->query,
		.authorization = http_header_get(head, "Authorization"),
		.host = http_header_get(head, "Host"),
		.peer = peer,
	};
	ws_conn_open(conn, server->ctx, &request);
}

static void exchange_begin(struct ws_conn *conn, struct ws_server *server,
	const struct http_head *head, const char *body)
{
	struct http_request request = {
		.method = head->method,
		.path = head->path,
		.query = head->query,
		.authorization = http_header_get(head, "Authorization"),
		.host = http_header_get(head, "Host"),
		.body = body,
		.body_size = head->content_size,
	};
	struct http_exchange *exchange;

	if (server->http == NULL) {
		refuse(conn, 404);
		return;
	}
	exchange = malloc(sizeof(*exchange));
	if (exchange == NULL) {
		refuse(conn, 503);
		return;
	}
	exchange->conn = conn;
	conn->exchange = exchange;
	conn->phase = WS_PHASE_EXCHANGE;
	loop_timer_stop(&conn->timer); // from here on the handler's time counts
	server->http(server->ctx, exchange, &request);
}

// 'text' is a copy of the head that the parser may cut up. Returns the bytes dealt with.
static size_t request_handle(struct ws_conn *conn, char *text, size_t head_size)
{
	struct ws_server *server = conn->role_ctx;
	struct http_head head;
	unsigned status = http_request_parse(text, head_size, &head);
	char *body = (char *)conn->in + head_size;
	char after;

	if (status != 0) {
		refuse(conn, status);
		return conn->in_size;
	}
	if (head.content_size > server->body_size_max) {
		refuse(conn, 413);
		return conn->in_size;
	}
	if (conn->in_size - head_size < head.content_size)
		return 0;
	if (wants_websocket(&head) && head.content_size == 0) {
		upgrade(conn, server, &head);
		return head_size;
	}
	after = body[head.content_size];
	body[head.content_size] = '\0';
	exchange_begin(conn, server, &head, body);
	body[head.content_size] = after;
	return conn->in_size;
}

static size_t server_handshake(struct ws_conn *conn)
{
	size_t head_size = http_head_size((const char *)conn->in, conn->in_size);
	char *text;
	size_t used;

	if (head_size > HTTP_HEAD_SIZE_MAX ||
		(head_size == 0 && conn->in_size >= HTTP_HEAD_SIZE_MAX)) {
		refuse(conn, 431);
		return conn->in_size;
	}
	if (head_size == 0)
		return 0;
	text = malloc(head_size + 1);
	if (text == NULL) {
		ws_conn_abort(conn);
		return 0;
	}
	memcpy(text, conn->in, head_size);
	text[head_size] = '\0';
	used = request_handle(conn, text, head_size);
	explicit_bzero(text, head_size);
	free(text);
	return used;
}

// --- life ---

static void server_free(struct ws_server *server)
{
	tls_ctx_free(server->tls_ctx);
	free(server);
}

static void server_gone(struct ws_conn *conn, const char *why)
{
	struct ws_server *server = conn->role_ctx;

	(void)why;
	if (conn->exchange != NULL)
		conn->exchange->conn = NULL;
	if (conn->prev != NULL)
		conn->prev->next = conn->next;
	else
		server->conns = conn->next;
	if (conn->next != NULL)
		conn->next->prev = conn->prev;
	server->connection_count--;
	if (server->destroyed && server->connection_count == 0)
		server_free(server);
}

static void server_connected(struct ws_conn *conn)
{
	(void)conn; // a server's connections begin in the handshake
}

static const struct ws_role server_role = {
	.connected = server_connected,
	.handshake = server_handshake,
	.gone = server_gone,
};

static void connection_begin(struct ws_server *server, int fd)
{
	struct ws_conn *conn = ws_conn_create(
		server->loop, &server_role, server, server->ws, server->message_size_max);
	int on = 1;

	if (conn == NULL) {
		close(fd);
		return;
	}
	conn->phase = WS_PHASE_HANDSHAKE;
	conn->in_max = HTTP_HEAD_SIZE_MAX + server->body_size_max;
	if (server->queue_size_max != 0)
		conn->queue_size_max = server->queue_size_max;
	if (server->tls_ctx != NULL) {
		conn->tls = tls_stream_create(server->tls_ctx, NULL);
		if (conn->tls == NULL) {
			close(fd);
			ws_conn_free(conn);
			return;
		}
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	if (ws_conn_adopt(conn, fd) != 0) {
		ws_conn_free(conn);
		return;
	}
	conn->next = server->conns;
	if (conn->next != NULL)
		conn->next->prev = conn;
	server->conns = conn;
	server->connection_count++;
	ws_conn_deadline(conn, server->open_timeout_ms, NULL);
}

static void accept_ready(void *arg, int fd, short revents)
{
	struct ws_server *server = arg;

	(void)revents;
	for (int i = 0; i < ACCEPTS_PER_TURN_MAX; i++) {
		int conn_fd = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (conn_fd >= 0 && server->connection_count < server->connections_max) {
			connection_begin(server, conn_fd);
			continue;
		}
		if (conn_fd >= 0) {
			close(conn_fd);
			continue;
		}
		if (errno == ECONNABORTED || errno == EINTR)
			continue;
		if (errno != EAGAIN) { // no descriptor, no memory: spinning would not help
			loop_fd_set_events(server->watch, 0);
			loop_timer_set(&server->resume, ACCEPT_PAUSE_MS);
		}
		return;
	}
}

static void accept_resume(void *arg)
{
	struct ws_server *server = arg;

	loop_fd_set_events(server->watch, POLLIN);
}

static void server_exit(void *arg)
{
	ws_server_destroy(arg);
}

int ws_server_create(struct loop *loop, const struct ws_server_params *params,
	struct ws_server **out, char *why, size_t why_size)
{
	struct ws_server *server = calloc(1, sizeof(*server));
	int error = -ENOMEM;

	snprintf(why, why_size, "Out of memory.");
	if (server == NULL)
		return -ENOMEM;
	server->fd = -1;
	server->loop = loop;
	server->ws = params->ws;
	server->http = params->http;
	server->ctx = params->ctx;
	server->message_size_max = params->message_size_max;
	server->body_size_max = params->http == NULL ? 0 : params->body_size_max;
	server->queue_size_max = params->queue_size_max;
	server->connections_max =
		params->connections_max != 0 ? params->connections_max : CONNECTIONS_MAX_DEFAULT;
	server->open_timeout_ms =
		params->open_timeout_ms != 0 ? params->open_timeout_ms : OPEN_TIMEOUT_DEFAULT_MS;
	loop_timer_init(loop, &server->resume, accept_resume, server);
	server->at_exit = (struct loop_exit){.fn = server_exit, .arg = server};
	if (params->tls_cert_path != NULL) {
		server->tls_ctx = tls_server_ctx_create(
			params->tls_cert_path, params->tls_key_path, why, why_size);
		if (server->tls_ctx == NULL) {
			error = -EINVAL;
			goto fail;
		}
	}
	if (params->unix_path != NULL) {
		server->unix_path = strdup(params->unix_path);
		if (server->unix_path == NULL)
			goto fail;
	}
	if (params->listen_fd > 0) {
		server->fd = params->listen_fd;
		server->port = http_listen_port(server->fd);
	} else {
		error = http_listen(params->host, params->port, params->unix_path, &server->fd,
			&server->port, why, why_size);
		if (error != 0)
			goto fail;
	}
	error = loop_fd_add(loop, server->fd, POLLIN, accept_ready, server, &server->watch);
	if (error != 0)
		goto fail;
	loop_exit_add(loop, &server->at_exit);
	*out = server;
	return 0;
fail:
	if (server->fd >= 0)
		close(server->fd);
	free(server->unix_path);
	server_free(server);
	return error;
}

void ws_server_stop_accepting(struct ws_server *server)
{
	loop_timer_stop(&server->resume);
	loop_fd_set_events(server->watch, 0);
}

void ws_server_destroy(struct ws_server *server)
{
	struct ws_conn *next;

	if (server == NULL)
		return;
	loop_exit_remove(server->loop, &server->at_exit);
	loop_timer_stop(&server->resume);
	loop_fd_remove(server->watch);
	close(server->fd);
	if (server->unix_path != NULL)
		unlink(server->unix_path);
	free(server->unix_path);
	server->unix_path = NULL;
	server->destroyed = true;
	for (struct ws_conn *conn = server->conns; conn != NULL; conn = next) {
		next = conn->next;
		if (conn->phase == WS_PHASE_OPEN)
			ws_conn_close(conn, WS_CLOSE_GOING_AWAY, NULL);
		else if (conn->phase < WS_PHASE_OPEN)
			ws_conn_abort(conn);
	}
	if (server->connection_count == 0)
		server_free(server);
}

uint16_t ws_server_port(const struct ws_server *server)
{
	return server->port;
}
