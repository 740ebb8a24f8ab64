// SPDX-License-Identifier: BSD-3-Clause
//
// The connecting side of ws.h over the library's client, which connects, makes TLS and asks for the
// upgrade. It would also resolve, and wait for the system's resolver meanwhile: so it is given
// addresses, one after the other, by resolve.c.
#include <errno.h>
#include <netdb.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/client_vhost.h"
#include "http/resolve.h"
#include "http/ws_conn.h"

// The library writes the Host header, and the request line, into this many bytes and cuts the rest.
#define HOST_SIZE 112u
#define PATH_SIZE_MAX 2000u
#define CONNECT_TIMEOUT_DEFAULT_MS 5000u

struct ws_client {
	struct loop *loop;
	struct loop_exit at_exit; // while it has no socket that the library knows
	struct loop_timer timer;  // then: the next address, or 'failed', from the loop
	const struct ws_handler *handler;
	void *ctx;
	size_t message_size_max, queue_size_max;
	uint64_t deadline_ms; // loop clock
	struct ws_conn *conn;
	struct client_vhost *vhost;    // TLS only
	struct lws_vhost *lws_vhost;   // that it connects from
	struct resolve *resolve;       // NULL: no lookup is under way
	struct resolve_answer answer;  // its addresses
	unsigned tried;                // so many of them
	bool opened, tls, unreachable; // 'unreachable': the newest address
	uint16_t port;
	char host[HOST_SIZE]; // without brackets
	char host_header[HOST_SIZE + 10];
	char *path;
	char *authorization;
};

static void client_free(struct ws_client *client)
{
	loop_exit_remove(client->loop, &client->at_exit);
	loop_timer_stop(&client->timer);
	resolve_cancel(client->resolve);
	client_vhost_put(client->vhost);
	if (client->authorization != NULL)
		explicit_bzero(client->authorization, strlen(client->authorization));
	free(client->authorization);
	free(client->path);
	free(client);
}

static void client_exit(void *arg)
{
	struct ws_client *client = arg;

	ws_conn_free(client->conn);
	client_free(client);
}

static void connect_next(void *arg);
static bool client_again(struct ws_client *client);

// The library has no connection (any more): report and forget.
static void client_failed(void *arg)
{
	struct ws_client *client = arg;
	const struct ws_handler *handler = client->handler;
	void *ctx = client->ctx;
	char why[sizeof(client->conn->why)];

	memcpy(why, client->conn->why, sizeof(why));
	client_exit(client);
	handler->failed(ctx, why);
}

static void why_set(struct ws_conn *conn, const char *library_words, size_t size)
{
	struct ws_client *client = conn->role_ctx;
	unsigned status = lws_http_client_http_response(conn->wsi);
	SSL *ssl = lws_get_ssl(conn->wsi);
	long verify = ssl == NULL ? X509_V_OK : SSL_get_verify_result(ssl);

	if (conn->dead) // too late; 'why' says so
		return;
	if (status != 0)
		snprintf(conn->why, sizeof(conn->why),
			"the peer refused the WebSocket (HTTP status %u): %.*s", status, (int)size,
			library_words);
	else if (verify != X509_V_OK)
		snprintf(conn->why, sizeof(conn->why), "certificate refused: %s",
			X509_verify_cert_error_string(verify));
	else if (ssl != NULL)
		snprintf(conn->why, sizeof(conn->why), "TLS with %s failed: %.*s",
			client->host_header, (int)size, library_words);
	else
		snprintf(conn->why, sizeof(conn->why),
			"cannot connect to %s: refused, or no answer: %.*s", client->host_header,
			(int)size, library_words);
	client->unreachable = status == 0 && verify == X509_V_OK && ssl == NULL;
}

static int authorize(struct ws_client *client, struct lws *wsi, unsigned char **at, size_t size)
{
	const char *text = client->authorization;

	return text == NULL
		       ? 0
		       : lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_AUTHORIZATION,
				 (const unsigned char *)text, (int)strlen(text), at, *at + size);
}

static int client_event(
	struct ws_conn *conn, enum lws_callback_reasons reason, void *in, size_t size)
{
	struct ws_client *client = conn->role_ctx;
	struct ws_request request = {"", "", "", "", NULL};

	switch ((int)reason) {
	case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
		return authorize(client, conn->wsi, in, size);
	case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
		why_set(conn, in, in == NULL ? 0 : strnlen(in, size));
		return 0;
	case LWS_CALLBACK_CLIENT_ESTABLISHED:
		client->opened = true;
		ws_conn_open(conn, client->ctx, &request);
		return 0;
	default:
		return 0;
	}
}

static void client_gone(struct ws_conn *conn, const char *why)
{
	struct ws_client *client = conn->role_ctx;
	const struct ws_handler *handler = client->handler;
	bool opened = client->opened;
	void *ctx = client->ctx;

	if (!opened && client->unreachable && client_again(client))
		return;
	client_free(client);
	if (!opened)
		handler->failed(ctx, why);
}

static const struct ws_role client_role = {.event = client_event, .gone = client_gone};

// --- connecting ---

static bool conn_make(struct ws_client *client)
{
	client->conn = ws_conn_create(
		client->loop, &client_role, client, client->handler, client->message_size_max);
	if (client->conn == NULL)
		return false;
	if (client->queue_size_max != 0)
		client->conn->queue_size_max = client->queue_size_max;
	loop_exit_add(client->loop, &client->at_exit);
	return true;
}

static uint64_t time_left(const struct ws_client *client)
{
	uint64_t now_ms = loop_now_ms(client->loop);

	return now_ms < client->deadline_ms ? client->deadline_ms - now_ms : 0;
}

// The connection to the newest address is gone: is there another address, and time for it?
static bool client_again(struct ws_client *client)
{
	if (loop_lws(client->loop) == NULL || client->tried == client->answer.count ||
		time_left(client) == 0 || !conn_make(client))
		return false;
	loop_timer_init(client->loop, &client->timer, connect_next, client);
	loop_timer_set(&client->timer, 0); // not from inside the library
	return true;
}

// The caller must not be called back from inside.
static void fail_later(struct ws_client *client)
{
	loop_timer_init(client->loop, &client->timer, client_failed, client);
	loop_timer_set(&client->timer, 0);
}

static void connect_next(void *arg)
{
	struct ws_client *client = arg;
	bool tls = client->tls;
	struct ws_conn *conn = client->conn;
	struct lws_client_connect_info info = {
		.context = loop_lws(client->loop),
		.vhost = client->lws_vhost,
		.address = client->answer.address[client->tried++],
		.port = client->port,
		.path = client->path,
		.host = client->host_header,
		// The certificate is checked for the host by what client_vhost.c set up: the
		// library's own check takes an IPv6 literal for no host at all.
		.ssl_connection =
			(tls ? LCCSCF_USE_SSL | LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK : 0) |
			LCCSCF_HTTP_NO_FOLLOW_REDIRECT,
		.alpn = "http/1.1",
		.ietf_version_or_minus_one = -1,
		.retry_and_idle_policy = &ws_conn_no_pings,
		.opaque_user_data = conn,
	};
	struct lws *wsi;

	client->unreachable = false;
	ws_conn_deadline(conn, time_left(client),
		"timed out while connecting, in TLS or in the WebSocket's upgrade");
	conn->adopting = true;
	wsi = lws_client_connect_via_info(&info);
	conn->adopting = false;
	if (wsi != NULL && !conn->gone) {
		conn->wsi = wsi;
		loop_exit_remove(client->loop, &client->at_exit); // the library ends it now
		return;
	}
	conn->wsi = NULL;
	loop_timer_stop(&conn->timer);
	snprintf(conn->why, sizeof(conn->why), "cannot connect to %s: refused or unreachable",
		client->host_header);
	client->conn = NULL;
	loop_exit_remove(client->loop, &client->at_exit);
	if (client_again(client)) {
		ws_conn_free(conn);
		return;
	}
	client->conn = conn;
	loop_exit_add(client->loop, &client->at_exit);
	fail_later(client);
}

static void resolved(void *arg, const struct resolve_answer *answer)
{
	struct ws_client *client = arg;

	client->resolve = NULL;
	client->answer = *answer;
	if (answer->error == 0) {
		loop_timer_stop(&client->timer);
		connect_next(client);
		return;
	}
	snprintf(client->conn->why, sizeof(client->conn->why), "the host %s has no address: %s",
		client->host, gai_strerror(answer->error));
	client_failed(client);
}

// The resolver does not say when it gives up: then the deadline does.
static void look_up(struct ws_client *client)
{
	struct ws_conn *conn = client->conn;
	int error = resolve_begin(client->loop, client->host, resolved, client, &client->resolve);

	if (error == 0) {
		snprintf(conn->why, sizeof(conn->why),
			"timed out: no name server says what the address of %s is", client->host);
		loop_timer_set(&client->timer, time_left(client));
		return;
	}
	if (error == -EAGAIN)
		snprintf(conn->why, sizeof(conn->why),
			"the address of %s is not looked up: %u lookups are under way that no name "
			"server has answered",
			client->host, RESOLVE_THREADS_MAX);
	else
		snprintf(conn->why, sizeof(conn->why), "the address of %s is not looked up: %s",
			client->host, strerror(-error));
	fail_later(client);
}

// --- the URL ---

// Splits ws://host:port/path.
static int url_parse(struct ws_client *client, const char *url, bool *tls, uint16_t *out)
{
	const char *authority, *path, *host_end, *colon;
	unsigned long number;
	size_t host_size;
	char port[6];

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
	number = strtoul(port, NULL, 10);
	if (number > UINT16_MAX)
		return -EINVAL;
	*out = (uint16_t)number;
	snprintf(client->host_header, sizeof(client->host_header), "%s%s%s:%s",
		strchr(client->host, ':') != NULL ? "[" : "", client->host,
		strchr(client->host, ':') != NULL ? "]" : "", port);
	if (asprintf(&client->path, "%s%.*s", *path == '/' ? "" : "/", (int)strcspn(path, "#"),
		    path) < 0) {
		client->path = NULL;
		return -ENOMEM;
	}
	if (strlen(client->path) > PATH_SIZE_MAX)
		return -EINVAL;
	// Nothing that could end the request line or a header early.
	for (const char *c = url; *c != '\0'; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return -EINVAL;
	return 0;
}

int ws_client_connect(struct loop *loop, const struct ws_client_params *params)
{
	struct ws_client *client = calloc(1, sizeof(*client));
	int error;

	if (client == NULL)
		return -ENOMEM;
	client->loop = loop;
	client->handler = params->handler;
	client->ctx = params->ctx;
	client->message_size_max = params->message_size_max;
	client->queue_size_max = params->queue_size_max;
	client->deadline_ms =
		loop_now_ms(loop) + (params->connect_timeout_ms != 0 ? params->connect_timeout_ms
								     : CONNECT_TIMEOUT_DEFAULT_MS);
	loop_timer_init(loop, &client->timer, client_failed, client);
	client->at_exit = (struct loop_exit){.fn = client_exit, .arg = client};
	error = url_parse(client, params->url, &client->tls, &client->port);
	if (error == 0 && params->authorization != NULL) {
		client->authorization = strdup(params->authorization);
		if (client->authorization == NULL)
			error = -ENOMEM;
		else if (strpbrk(client->authorization, "\r\n") != NULL)
			error = -EINVAL;
	}
	if (error == 0 && !conn_make(client))
		error = -ENOMEM;
	if (error != 0) {
		client_free(client);
		return error;
	}
	client->lws_vhost =
		client_vhost_get(loop, params->ca_path, client->tls ? client->host : NULL,
			&client->vhost, client->conn->why, sizeof(client->conn->why));
	if (client->lws_vhost == NULL)
		fail_later(client);
	else if (resolve_literal(client->host, &client->answer) == 0)
		connect_next(client);
	else
		look_up(client);
	return 0;
}
