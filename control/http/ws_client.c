// SPDX-License-Identifier: BSD-3-Clause
//
// The connecting side of ws.h: resolves, connects to one address after the other, asks for the
// upgrade and checks the answer. A host name is resolved by the system's resolver, which waits;
// programs that must not wait give addresses.
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/http_head.h"
#include "http/tls_stream.h"
#include "http/ws_conn.h"

#define HOST_SIZE 256u
#define CONNECT_TIMEOUT_DEFAULT_MS 5000u

struct ws_client {
	struct loop *loop;
	struct loop_exit at_exit; // while it has no socket that the library knows
	const struct ws_handler *handler;
	void *ctx;
	struct ws_conn *conn;
	struct addrinfo *addresses, *next;
	int fd; // being connected
	struct loop_fd *watch;
	struct loop_timer timer; // the whole way to 'open'
	uint32_t timeout_ms;
	bool opened;
	char why[384];
	char key[WS_KEY_SIZE];
	char host[HOST_SIZE]; // without brackets
	char host_header[HOST_SIZE + 10];
	char *path;
	char *authorization;
};

static void client_free(struct ws_client *client)
{
	loop_exit_remove(client->loop, &client->at_exit);
	loop_timer_stop(&client->timer);
	loop_fd_remove(client->watch);
	if (client->fd >= 0)
		close(client->fd);
	if (client->addresses != NULL)
		freeaddrinfo(client->addresses);
	if (client->authorization != NULL)
		explicit_bzero(client->authorization, strlen(client->authorization));
	free(client->authorization);
	free(client->path);
	free(client);
}

// Nothing was ever given to the library: report and forget.
static void client_fail(struct ws_client *client)
{
	const struct ws_handler *handler = client->handler;
	void *ctx = client->ctx;
	char why[sizeof(client->why)];

	memcpy(why, client->why, sizeof(why));
	ws_conn_free(client->conn);
	client_free(client);
	handler->failed(ctx, why);
}

static void client_exit(void *arg)
{
	struct ws_client *client = arg;

	ws_conn_free(client->conn);
	client_free(client);
}

static void client_timer(void *arg)
{
	client_fail(arg);
}

// The caller of ws_client_connect() must not be called back from inside it.
static void client_fail_later(struct ws_client *client, const char *why)
{
	snprintf(client->why, sizeof(client->why), "%s", why);
	loop_timer_set(&client->timer, 0);
}

// --- the handshake ---

static void client_connected(struct ws_conn *conn)
{
	struct ws_client *client = conn->role_ctx;
	const char *authorization = client->authorization;
	char *request = NULL;
	int size = asprintf(&request,
		"GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n%s%s%s\r\n",
		client->path, client->host_header, client->key,
		authorization == NULL ? "" : "Authorization: ",
		authorization == NULL ? "" : authorization, authorization == NULL ? "" : "\r\n");

	if (size < 0) {
		ws_conn_abort(conn);
		return;
	}
	conn->phase = WS_PHASE_HANDSHAKE;
	(void)!ws_conn_write(conn, request, (size_t)size);
	explicit_bzero(request, (size_t)size);
	free(request);
}

static bool answer_valid(const struct ws_client *client, const struct http_head *head)
{
	char accept[WS_ACCEPT_SIZE];

	ws_accept_build(client->key, accept);
	return head->status == 101 && http_header_has_token(head, "Upgrade", "websocket") &&
	       http_header_has_token(head, "Connection", "upgrade") &&
	       http_header_get(head, "Sec-WebSocket-Extensions")[0] == '\0' &&
	       strcmp(http_header_get(head, "Sec-WebSocket-Accept"), accept) == 0;
}

static size_t client_handshake(struct ws_conn *conn)
{
	struct ws_client *client = conn->role_ctx;
	size_t head_size = http_head_size((const char *)conn->in, conn->in_size);
	struct ws_request request = {"", "", "", "", ""};
	struct http_head head;

	if (head_size == 0)
		return 0;
	// Whatever follows the head stays whole: the parser writes inside the head only.
	if (http_response_parse((char *)conn->in, head_size, &head) != 0 ||
		!answer_valid(client, &head)) {
		snprintf(conn->why, sizeof(conn->why),
			"the peer refused the WebSocket (HTTP status %u)", head.status);
		ws_conn_abort(conn);
		conn->phase = WS_PHASE_DRAIN;
		return head_size;
	}
	conn->why[0] = '\0';
	client->opened = true;
	ws_conn_open(conn, client->ctx, &request);
	return head_size;
}

static void client_gone(struct ws_conn *conn, const char *why)
{
	struct ws_client *client = conn->role_ctx;
	const struct ws_handler *handler = client->handler;
	bool opened = client->opened;
	void *ctx = client->ctx;

	client_free(client);
	if (!opened)
		handler->failed(ctx, why);
}

static const struct ws_role client_role = {
	.connected = client_connected,
	.handshake = client_handshake,
	.gone = client_gone,
};

// --- the socket ---

static void connect_next(struct ws_client *client);

static void connect_done(struct ws_client *client)
{
	int fd = client->fd, on = 1;
	uint64_t now_ms = loop_now_ms(client->loop);
	uint64_t deadline_ms = client->timer.deadline_ms;

	loop_fd_remove(client->watch);
	client->watch = NULL;
	client->fd = -1;
	loop_timer_stop(&client->timer);
	loop_exit_remove(client->loop, &client->at_exit);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	ws_conn_deadline(client->conn, deadline_ms > now_ms ? deadline_ms - now_ms : 0,
		"timed out during TLS or the WebSocket's upgrade");
	if (ws_conn_adopt(client->conn, fd) != 0) {
		snprintf(client->why, sizeof(client->why), "out of memory");
		client_fail(client);
	}
}

static void connect_ready(void *arg, int fd, short revents)
{
	struct ws_client *client = arg;
	int error = 0;
	socklen_t size = sizeof(error);

	(void)revents;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
	if (error == 0) {
		connect_done(client);
		return;
	}
	snprintf(client->why, sizeof(client->why), "cannot connect to %s: %s", client->host_header,
		strerror(error));
	loop_fd_remove(client->watch);
	client->watch = NULL;
	close(client->fd);
	client->fd = -1;
	connect_next(client);
}

static void connect_next(struct ws_client *client)
{
	while (client->next != NULL) {
		const struct addrinfo *info = client->next;

		client->next = info->ai_next;
		client->fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (client->fd >= 0 &&
			(connect(client->fd, info->ai_addr, info->ai_addrlen) == 0 ||
				errno == EINPROGRESS) &&
			loop_fd_add(client->loop, client->fd, POLLOUT, connect_ready, client,
				&client->watch) == 0)
			return;
		snprintf(client->why, sizeof(client->why), "cannot connect to %s: %s",
			client->host_header, strerror(errno));
		if (client->fd >= 0)
			close(client->fd);
		client->fd = -1;
	}
	loop_timer_set(&client->timer, 0); // 'why' says what the last address said
}

// --- the URL ---

// Splits ws://host:port/path; '*port' points into 'client->host_header' or to the default.
static int url_parse(struct ws_client *client, const char *url, bool *tls, char port[6])
{
	const char *authority, *path, *host_end, *colon;
	size_t host_size;

	*tls = strncmp(url, "wss://", 6) == 0;
	if (!*tls && strncmp(url, "ws://", 5) != 0)
		return -EINVAL;
	authority = url + (*tls ? 6 : 5);
	path = authority + strcspn(authority, "/?#");
	host_end = authority[0] == '[' ? memchr(authority, ']', (size_t)(path - authority)) : NULL;
	if (authority[0] == '[' && host_end == NULL)
		return -EINVAL;
	colon = memchr(host_end == NULL ? authority : host_end, ':',
		(size_t)(path - (host_end == NULL ? authority : host_end)));
	if (host_end == NULL)
		host_end = colon == NULL ? path : colon;
	authority += authority[0] == '[';
	host_size = (size_t)(host_end - authority);
	if (host_size == 0 || host_size >= HOST_SIZE)
		return -EINVAL;
	memcpy(client->host, authority, host_size);
	snprintf(port, 6, "%s", *tls ? "443" : "80");
	if (colon != NULL) {
		size_t port_size = (size_t)(path - colon - 1);

		if (port_size == 0 || port_size > 5 || strspn(colon + 1, "0123456789") < port_size)
			return -EINVAL;
		memcpy(port, colon + 1, port_size);
		port[port_size] = '\0';
	}
	snprintf(client->host_header, sizeof(client->host_header), "%s%s%s:%s",
		strchr(client->host, ':') != NULL ? "[" : "", client->host,
		strchr(client->host, ':') != NULL ? "]" : "", port);
	if (asprintf(&client->path, "%s%.*s", *path == '/' ? "" : "/", (int)strcspn(path, "#"),
		    path) < 0) {
		client->path = NULL;
		return -ENOMEM;
	}
	// Nothing that could end the request line or a header early.
	for (const char *c = url; *c != '\0'; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return -EINVAL;
	return 0;
}

static bool key_make(char key[WS_KEY_SIZE])
{
	uint8_t nonce[16];

	if (RAND_bytes(nonce, sizeof(nonce)) != 1)
		return false;
	EVP_EncodeBlock((uint8_t *)key, nonce, sizeof(nonce));
	return true;
}

static int tls_begin(struct ws_client *client, const char *ca_path)
{
	SSL_CTX *ctx = tls_client_ctx_create(ca_path, client->why, sizeof(client->why));

	if (ctx == NULL)
		return -EINVAL;
	client->conn->tls = tls_stream_create(ctx, client->host);
	tls_ctx_free(ctx); // the stream holds a reference
	if (client->conn->tls != NULL)
		return 0;
	snprintf(client->why, sizeof(client->why), "out of memory");
	return -ENOMEM;
}

int ws_client_connect(struct loop *loop, const struct ws_client_params *params)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
	struct ws_client *client = calloc(1, sizeof(*client));
	char port[6];
	bool tls;
	int error = -ENOMEM;

	if (client == NULL)
		return -ENOMEM;
	client->fd = -1;
	client->loop = loop;
	client->handler = params->handler;
	client->ctx = params->ctx;
	client->timeout_ms = params->connect_timeout_ms != 0 ? params->connect_timeout_ms
							     : CONNECT_TIMEOUT_DEFAULT_MS;
	loop_timer_init(loop, &client->timer, client_timer, client);
	client->at_exit = (struct loop_exit){.fn = client_exit, .arg = client};
	error = url_parse(client, params->url, &tls, port);
	if (error != 0)
		goto fail;
	error = -ENOMEM;
	if (params->authorization != NULL) {
		client->authorization = strdup(params->authorization);
		if (client->authorization == NULL)
			goto fail;
		if (strpbrk(client->authorization, "\r\n") != NULL) {
			error = -EINVAL;
			goto fail;
		}
	}
	client->conn = ws_conn_create(
		loop, &client_role, client, params->handler, params->message_size_max);
	if (client->conn == NULL || !key_make(client->key))
		goto fail;
	client->conn->masked = true;
	client->conn->in_max = HTTP_HEAD_SIZE_MAX + params->message_size_max;
	loop_exit_add(loop, &client->at_exit);
	loop_timer_set(&client->timer, client->timeout_ms);
	if (tls && tls_begin(client, params->ca_path) != 0) {
		loop_timer_set(&client->timer, 0);
		return 0;
	}
	if (getaddrinfo(client->host, port, &hints, &client->addresses) != 0) {
		client_fail_later(client, "the host has no address");
		return 0;
	}
	client->next = client->addresses;
	snprintf(client->why, sizeof(client->why), "timed out");
	connect_next(client);
	return 0;
fail:
	if (client->conn != NULL)
		ws_conn_free(client->conn);
	client_free(client);
	return error;
}
