// SPDX-License-Identifier: BSD-3-Clause
//
// The connecting side of ws.h over the library's client, which resolves (and waits for the system's
// resolver: programs that must not wait give addresses), connects to one address after the other,
// makes TLS and asks for the upgrade.
#include <errno.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/client_vhost.h"
#include "http/ws_conn.h"

// The library writes the Host header, and the request line, into this many bytes and cuts the rest.
#define HOST_SIZE 112u
#define PATH_SIZE_MAX 2000u
#define CONNECT_TIMEOUT_DEFAULT_MS 5000u

struct ws_client {
	struct loop *loop;
	struct loop_exit at_exit; // while it has no socket that the library knows
	struct loop_timer timer;  // then: 'failed' from the loop
	const struct ws_handler *handler;
	void *ctx;
	struct ws_conn *conn;
	struct client_vhost *vhost; // TLS only
	bool opened;
	char host[HOST_SIZE]; // without brackets
	char host_header[HOST_SIZE + 10];
	char *path;
	char *authorization;
};

static void client_free(struct ws_client *client)
{
	loop_exit_remove(client->loop, &client->at_exit);
	loop_timer_stop(&client->timer);
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
	const struct ws_client *client = conn->role_ctx;
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

	client_free(client);
	if (!opened)
		handler->failed(ctx, why);
}

static const struct ws_role client_role = {.event = client_event, .gone = client_gone};

static void connect_begin(
	struct ws_client *client, struct lws_vhost *vhost, uint16_t port, bool tls)
{
	struct ws_conn *conn = client->conn;
	struct lws_client_connect_info info = {
		.context = loop_lws(client->loop),
		.vhost = vhost,
		.address = client->host,
		.port = port,
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
	snprintf(conn->why, sizeof(conn->why),
		"cannot connect to %s: refused, unreachable, or the host has no address",
		client->host_header);
	loop_timer_set(&client->timer, 0); // the caller must not be called back from inside
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
	struct lws_vhost *vhost;
	uint16_t port;
	bool tls;
	int error;

	if (client == NULL)
		return -ENOMEM;
	client->loop = loop;
	client->handler = params->handler;
	client->ctx = params->ctx;
	loop_timer_init(loop, &client->timer, client_failed, client);
	client->at_exit = (struct loop_exit){.fn = client_exit, .arg = client};
	error = url_parse(client, params->url, &tls, &port);
	if (error == 0 && params->authorization != NULL) {
		client->authorization = strdup(params->authorization);
		if (client->authorization == NULL)
			error = -ENOMEM;
		else if (strpbrk(client->authorization, "\r\n") != NULL)
			error = -EINVAL;
	}
	if (error == 0) {
		client->conn = ws_conn_create(
			loop, &client_role, client, params->handler, params->message_size_max);
		if (client->conn == NULL)
			error = -ENOMEM;
		else if (params->queue_size_max != 0)
			client->conn->queue_size_max = params->queue_size_max;
	}
	if (error != 0) {
		client_free(client);
		return error;
	}
	loop_exit_add(loop, &client->at_exit);
	vhost = client_vhost_get(loop, params->ca_path, tls ? client->host : NULL, &client->vhost,
		client->conn->why, sizeof(client->conn->why));
	if (vhost == NULL) {
		loop_timer_set(&client->timer, 0);
		return 0;
	}
	ws_conn_deadline(client->conn,
		params->connect_timeout_ms != 0 ? params->connect_timeout_ms
						: CONNECT_TIMEOUT_DEFAULT_MS,
		"timed out while connecting, in TLS or in the WebSocket's upgrade");
	connect_begin(client, vhost, port, tls);
	return 0;
}
