// SPDX-License-Identifier: BSD-3-Clause
//
// The listening side of ws.h: sockets of our own (so that a taken port is an errno with a
// sentence), which the library adopts when they are accepted.
//
// The library has a "vhost" for each certificate and one for all plain servers. It moves a
// connection to another vhost by the Host header that the client says, so nothing may be read from
// the vhost: a connection knows its server. The plain vhost is made first and stays, so that it is
// the one that connections are moved to, and a server that ends takes nobody's connection with it.
#include "http/ws_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/http_exchange.h"
#include "http/http_listen.h"
#include "http/http_tls.h"
#include "http/ws_conn.h"

#define CONNECTIONS_MAX_DEFAULT 16384u
#define OPEN_TIMEOUT_DEFAULT_MS 5000u
#define ACCEPTS_PER_TURN_MAX 64
#define ACCEPT_PAUSE_MS 100u // when the process has no descriptor left
#define VHOST_PLAIN "voicenode-plain"
#define VHOST_TLS "voicenode-tls"

struct ws_server {
	struct loop *loop;
	struct loop_exit at_exit;
	struct loop_timer resume; // of accepting; when destroyed: of freeing
	struct loop_fd *watch;
	struct lws_vhost *vhost;
	char *cert_path, *key_path; // NULL: plain
	const struct ws_handler *ws;
	struct http_service service;
	size_t message_size_max, queue_size_max;
	uint32_t connection_count, connections_max, open_timeout_ms;
	struct admission *admission; // NULL: none, or the server is being destroyed
	struct ws_conn *conns;
	int fd;
	uint16_t port;
	char *unix_path; // to be removed with the server
	bool destroyed;  // freed after its last connection
};

// --- the library's vhosts ---

static struct lws_vhost *vhost_plain(struct loop *loop)
{
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN_SERVER,
		.protocols = ws_conn_protocols,
		.vhost_name = VHOST_PLAIN,
		.retry_and_idle_policy = &ws_conn_no_pings,
	};
	struct lws_vhost *vhost = lws_get_vhost_by_name(loop_lws(loop), VHOST_PLAIN);

	return vhost != NULL ? vhost : lws_create_vhost(loop_lws(loop), &info);
}

static struct lws_vhost *vhost_tls(struct ws_server *server)
{
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN_SERVER,
		.protocols = ws_conn_protocols,
		.vhost_name = VHOST_TLS,
		.retry_and_idle_policy = &ws_conn_no_pings,
		.user = server,
		.alpn = "http/1.1", // no HTTP/2
		.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT |
			   LWS_SERVER_OPTION_CREATE_VHOST_SSL_CTX |
			   LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS,
	};

	return lws_create_vhost(loop_lws(server->loop), &info);
}

int ws_server_load_tls(struct lws_vhost *vhost, SSL_CTX *ctx)
{
	const struct ws_server *server = lws_vhost_user(vhost);
	char why[256]; // said before, by http_tls_check()

	return http_tls_serve(ctx, server->cert_path, server->key_path, why, sizeof(why)) ? 0 : 1;
}

// --- the handshake ---

static bool key_valid(struct lws *wsi)
{
	char key[25]; // 16 bytes in base64

	return lws_hdr_copy(wsi, key, sizeof(key), WSI_TOKEN_KEY) == 24 &&
	       strcmp(key + 22, "==") == 0;
}

// The status to refuse an upgrade with, 0: none.
static unsigned upgrade_status(const struct ws_server *server, struct lws *wsi, const char *to)
{
	struct http_text text;
	char version[4];
	bool clean;

	if (strcasecmp(to, "websocket") != 0)
		return 400; // HTTP/2
	if (server->ws == NULL)
		return 404;
	if (lws_hdr_copy(wsi, version, sizeof(version), WSI_TOKEN_VERSION) != 2 ||
		strcmp(version, "13") != 0)
		return 426;
	if (lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) == 0 || !key_valid(wsi))
		return 400;
	text = http_text_read(wsi);
	clean = text.data != NULL && http_text_clean(wsi, &text);
	http_text_free(&text);
	return clean ? 0 : 400;
}

static int upgrade_check(struct ws_conn *conn, const struct ws_server *server, const char *to)
{
	unsigned status = upgrade_status(server, conn->wsi, to);

	if (status == 0)
		return 0;
	http_exchange_refuse(conn, status);
	(void)ws_conn_flush(conn);
	return -1; // closes when what was written is out
}

static int upgraded(struct ws_conn *conn, struct ws_server *server)
{
	struct http_text text = http_text_read(conn->wsi);
	struct ws_request request = {
		.path = text.request.path,
		.query = text.request.query,
		.authorization = text.request.authorization,
		.host = text.request.host,
		.ticket = &conn->ticket,
	};

	if (text.data == NULL)
		return -1;
	ws_conn_open(conn, server->service.ctx, &request);
	http_text_free(&text);
	return 0;
}

static int server_event(
	struct ws_conn *conn, enum lws_callback_reasons reason, void *in, size_t size)
{
	struct ws_server *server = conn->role_ctx;

	switch ((int)reason) {
	case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
		return upgrade_check(conn, server, in);
	case LWS_CALLBACK_ESTABLISHED:
		return upgraded(conn, server);
	default:
		return http_exchange_event(conn, &server->service, reason, in, size);
	}
}

// --- life ---

// Not from inside a connection's last callback: the vhost goes with it.
static void server_free(void *arg)
{
	struct ws_server *server = arg;

	loop_timer_stop(&server->resume);
	loop_exit_remove(server->loop, &server->at_exit);
	if (server->cert_path != NULL && server->vhost != NULL && loop_lws(server->loop) != NULL)
		lws_vhost_destroy(server->vhost);
	free(server->unix_path);
	free(server->cert_path);
	free(server->key_path);
	free(server);
}

static void server_free_later(struct ws_server *server)
{
	loop_timer_init(server->loop, &server->resume, server_free, server);
	loop_timer_set(&server->resume, 0);
}

static void server_gone(struct ws_conn *conn, const char *why)
{
	struct ws_server *server = conn->role_ctx;

	(void)why;
	http_exchange_orphan(conn);
	admission_release(server->admission, &conn->ticket);
	if (conn->prev != NULL)
		conn->prev->next = conn->next;
	else
		server->conns = conn->next;
	if (conn->next != NULL)
		conn->next->prev = conn->prev;
	server->connection_count--;
	if (server->destroyed && server->connection_count == 0)
		server_free_later(server);
}

static const struct ws_role server_role = {.event = server_event, .gone = server_gone};

static bool adopt(struct ws_server *server, struct ws_conn *conn, int fd)
{
	lws_adopt_desc_t desc = {
		.vh = server->vhost,
		.type = LWS_ADOPT_HTTP | LWS_ADOPT_SOCKET |
			(server->cert_path != NULL ? LWS_ADOPT_ALLOW_SSL : 0),
		.fd.sockfd = fd,
		.opaque = conn,
	};

	conn->adopting = true;
	conn->wsi = lws_adopt_descriptor_vhost_via_info(&desc);
	conn->adopting = false;
	return conn->wsi != NULL; // else the fd is closed
}

static void peer_text(int fd, char *out, size_t size)
{
	struct sockaddr_storage address = {0};
	socklen_t address_size = sizeof(address);
	const struct sockaddr_in *v4 = (const void *)&address;
	const struct sockaddr_in6 *v6 = (const void *)&address;

	snprintf(out, size, "local");
	if (getpeername(fd, (void *)&address, &address_size) < 0)
		return;
	if (address.ss_family == AF_INET)
		inet_ntop(AF_INET, &v4->sin_addr, out, (socklen_t)size);
	if (address.ss_family == AF_INET6)
		inet_ntop(AF_INET6, &v6->sin6_addr, out, (socklen_t)size);
}

static bool admitted(struct ws_server *server, int fd, struct admission_ticket *ticket)
{
	char peer[INET6_ADDRSTRLEN];

	peer_text(fd, peer, sizeof(peer));
	return admission_open(server->admission, peer, loop_now_ms(server->loop), ticket) ==
	       ADMISSION_GRANTED;
}

static void connection_begin(struct ws_server *server, int fd)
{
	struct admission_ticket ticket;
	struct ws_conn *conn = NULL;
	int on = 1;

	if (admitted(server, fd, &ticket)) {
		conn = ws_conn_create(
			server->loop, &server_role, server, server->ws, server->message_size_max);
		if (conn == NULL)
			admission_release(server->admission, &ticket);
	}
	if (conn == NULL) {
		close(fd);
		return;
	}
	conn->ticket = ticket;
	if (server->queue_size_max != 0)
		conn->queue_size_max = server->queue_size_max;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	if (!adopt(server, conn, fd)) {
		admission_release(server->admission, &conn->ticket);
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

// The loop ends: no connection is left, no timer runs any more.
static void server_exit(void *arg)
{
	struct ws_server *server = arg;

	if (!server->destroyed)
		ws_server_destroy(server);
	server_free(server);
}

// The vhosts, the certificate, copies of what outlives the call.
static int server_prepare(
	struct ws_server *server, const struct ws_server_params *params, char *why, size_t why_size)
{
	if (params->tls_cert_path != NULL) {
		if (!http_tls_check(params->tls_cert_path, params->tls_key_path, why, why_size))
			return -EINVAL;
		server->cert_path = strdup(params->tls_cert_path);
		server->key_path = strdup(params->tls_key_path);
		if (server->cert_path == NULL || server->key_path == NULL)
			return -ENOMEM;
	}
	if (params->unix_path != NULL) {
		server->unix_path = strdup(params->unix_path);
		if (server->unix_path == NULL)
			return -ENOMEM;
	}
	server->vhost = vhost_plain(server->loop);
	if (server->vhost != NULL && server->cert_path != NULL)
		server->vhost = vhost_tls(server);
	return server->vhost == NULL ? -ENOMEM : 0;
}

int ws_server_create(struct loop *loop, const struct ws_server_params *params,
	struct ws_server **out, char *why, size_t why_size)
{
	struct ws_server *server = calloc(1, sizeof(*server));
	int error;

	snprintf(why, why_size, "Out of memory.");
	if (server == NULL)
		return -ENOMEM;
	server->fd = -1;
	server->loop = loop;
	server->ws = params->ws;
	server->service = (struct http_service){
		.handle = params->http,
		.ctx = params->ctx,
		.body_size_max = params->http == NULL ? 0 : params->body_size_max,
	};
	server->message_size_max = params->message_size_max;
	server->queue_size_max = params->queue_size_max;
	server->admission = params->admission;
	server->connections_max =
		params->connections_max != 0 ? params->connections_max : CONNECTIONS_MAX_DEFAULT;
	server->open_timeout_ms =
		params->open_timeout_ms != 0 ? params->open_timeout_ms : OPEN_TIMEOUT_DEFAULT_MS;
	loop_timer_init(loop, &server->resume, accept_resume, server);
	server->at_exit = (struct loop_exit){.fn = server_exit, .arg = server};
	error = server_prepare(server, params, why, why_size);
	if (error != 0)
		goto fail;
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
	loop_timer_stop(&server->resume);
	loop_fd_remove(server->watch);
	close(server->fd);
	if (server->unix_path != NULL)
		unlink(server->unix_path);
	server->destroyed = true;
	for (struct ws_conn *conn = server->conns; conn != NULL; conn = next) {
		next = conn->next;
		admission_release(server->admission, &conn->ticket);
		if (conn->phase == WS_PHASE_OPEN)
			ws_conn_close(conn, WS_CLOSE_GOING_AWAY, NULL);
		else if (conn->phase < WS_PHASE_OPEN)
			ws_conn_abort(conn);
	}
	server->admission = NULL;
	if (server->connection_count == 0)
		server_free_later(server);
}

uint16_t ws_server_port(const struct ws_server *server)
{
	return server->port;
}
