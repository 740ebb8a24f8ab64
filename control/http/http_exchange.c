// SPDX-License-Identifier: BSD-3-Clause
//
// The exchanges of http_exchange.h. Each connection serves one request: with keep-alive the library
// (4.1) uses an HTTP head after it has freed it, when a second request asks for an upgrade that it
// does not know, and spins over bytes behind a body.
#include "http/http_exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define HEAD_SIZE_MAX 512u       // bytes of an answer's head
#define ANSWER_TIMEOUT_MS 10000u // for a slow reader to take the whole answer
#define LINGER_TIMEOUT_MS 2000u  // for a peer that still sends, to read why it should not

struct http_exchange {
	struct ws_conn *conn; // NULL: the client has left
	bool head_only;       // HEAD
};

static const struct {
	enum lws_token_indexes token;
	const char *name;
} methods[] = {
	{WSI_TOKEN_GET_URI, "GET"},
	{WSI_TOKEN_HEAD_URI, "HEAD"},
	{WSI_TOKEN_POST_URI, "POST"},
	{WSI_TOKEN_PUT_URI, "PUT"},
	{WSI_TOKEN_PATCH_URI, "PATCH"},
	{WSI_TOKEN_DELETE_URI, "DELETE"},
	{WSI_TOKEN_OPTIONS_URI, "OPTIONS"},
};

// --- requests ---

static const char *header_take(
	struct lws *wsi, enum lws_token_indexes token, char **at, const char *end)
{
	char *text = *at;
	int size = lws_hdr_copy(wsi, text, (int)(end - text), token);

	*at = text + (size > 0 ? size : 0) + 1;
	return text;
}

// The library splits the query at each '&' (and ';').
static const char *query_take(struct lws *wsi, char **at, const char *end)
{
	char *text = *at, *to = text;

	for (int i = 0;; i++) {
		int size =
			lws_hdr_copy_fragment(wsi, to, (int)(end - to), WSI_TOKEN_HTTP_URI_ARGS, i);

		if (size < 0)
			break;
		to += size;
		*to++ = '&';
	}
	if (to > text)
		to--; // the last '&' becomes the NUL
	*to = '\0';
	*at = to + 1;
	return text;
}

struct http_text http_text_read(struct lws *wsi)
{
	static const enum lws_token_indexes others[] = {
		WSI_TOKEN_HTTP_URI_ARGS, WSI_TOKEN_HTTP_AUTHORIZATION, WSI_TOKEN_HOST};
	struct http_text text = {0};
	char *at;
	const char *end;
	size_t method = 0;

	while (method < LWS_ARRAY_SIZE(methods) &&
		lws_hdr_total_length(wsi, methods[method].token) == 0)
		method++;
	if (method == LWS_ARRAY_SIZE(methods))
		return text;
	text.data_size = (size_t)lws_hdr_total_length(wsi, methods[method].token) + 1;
	for (size_t i = 0; i < LWS_ARRAY_SIZE(others); i++)
		text.data_size += (size_t)lws_hdr_total_length(wsi, others[i]) + 2;
	text.data = calloc(1, text.data_size);
	if (text.data == NULL)
		return text;
	at = text.data;
	end = at + text.data_size;
	text.request.method = methods[method].name;
	text.request.path = header_take(wsi, methods[method].token, &at, end);
	text.request.query = query_take(wsi, &at, end);
	text.request.authorization = header_take(wsi, WSI_TOKEN_HTTP_AUTHORIZATION, &at, end);
	text.request.host = header_take(wsi, WSI_TOKEN_HOST, &at, end);
	return text;
}

bool http_text_clean(struct lws *wsi, const struct http_text *text)
{
	char version[9];

	// A line that a URL began took the place of the version.
	if (lws_hdr_copy(wsi, version, sizeof(version), WSI_TOKEN_HTTP) != 8 ||
		(strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0))
		return false;
	for (size_t i = 0; i < text->data_size; i++) {
		unsigned char c = (unsigned char)text->data[i];

		if ((c < ' ' && c != '\0' && c != '\t') || c == 0x7f)
			return false;
	}
	return text->request.path[0] == '/';
}

void http_text_free(struct http_text *text)
{
	if (text->data != NULL)
		explicit_bzero(text->data, text->data_size);
	free(text->data);
	text->data = NULL;
}

// Bytes of the body, or the status to refuse with.
static unsigned body_declared(struct lws *wsi, const struct http_service *service, uint64_t *out)
{
	char text[24];
	int size = lws_hdr_copy(wsi, text, sizeof(text), WSI_TOKEN_HTTP_CONTENT_LENGTH);

	*out = 0;
	if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0) {
		*out = service->body_size_max; // unknown: what we are willing to wait out
		return 411;
	}
	if (size == 0)
		return 0;
	if (size < 0 || size > 18 || strspn(text, "0123456789") != (size_t)size)
		return 400; // also two of them
	*out = strtoull(text, NULL, 10);
	return *out > service->body_size_max ? 413 : 0;
}

static void exchange_run(struct ws_conn *conn, const struct http_service *service)
{
	struct http_text text = http_text_read(conn->wsi);
	bool clean = text.data != NULL && http_text_clean(conn->wsi, &text);
	struct http_exchange *exchange = clean ? calloc(1, sizeof(*exchange)) : NULL;

	if (exchange == NULL) {
		http_exchange_refuse(conn, text.data == NULL || clean ? 503 : 400);
		http_text_free(&text);
		return;
	}
	exchange->conn = conn;
	exchange->head_only = strcmp(text.request.method, "HEAD") == 0;
	text.request.body = conn->in == NULL ? "" : conn->in;
	text.request.body_size = conn->in_size;
	text.request.ticket = &conn->ticket;
	conn->exchange = exchange;
	conn->phase = WS_PHASE_EXCHANGE;
	loop_timer_stop(&conn->timer); // from here on the handler's time counts
	service->handle(service->ctx, exchange, &text.request);
	http_text_free(&text);
	ws_conn_forget(conn);
	// Answered later: until then nothing is read, or the library would spin over what it may
	// not read yet.
	if (conn->phase == WS_PHASE_EXCHANGE)
		lws_rx_flow_control(conn->wsi, 0);
}

static void request_begin(struct ws_conn *conn, const struct http_service *service)
{
	unsigned status = body_declared(conn->wsi, service, &conn->body_left);

	conn->phase = WS_PHASE_BODY;
	if (service->handle == NULL)
		status = 404;
	if (status != 0)
		http_exchange_refuse(conn, status);
	else if (conn->body_left == 0)
		exchange_run(conn, service);
}

static int body_received(struct ws_conn *conn, const void *data, size_t size)
{
	if (conn->phase == WS_PHASE_BODY && size <= conn->body_left &&
		!ws_conn_collect(conn, data, size))
		return -1;
	conn->body_left -= size < conn->body_left ? size : conn->body_left;
	return 0;
}

// Comes again for every byte behind the body.
static int body_ended(struct ws_conn *conn, const struct http_service *service)
{
	if (conn->body_over)
		return -1;
	conn->body_over = true;
	conn->body_left = 0;
	if (conn->phase == WS_PHASE_BODY)
		exchange_run(conn, service);
	else if (conn->phase == WS_PHASE_ANSWER)
		lws_callback_on_writable(conn->wsi);
	return 0;
}

// --- answers ---

static void answer(struct ws_conn *conn, unsigned status, const char *content_type,
	const char *body, size_t body_size, bool head_only)
{
	uint8_t head[LWS_PRE + HEAD_SIZE_MAX], *at = head, *end = head + sizeof(head), *to;
	size_t head_size;

	conn->phase = WS_PHASE_ANSWER;
	if (lws_add_http_common_headers(conn->wsi, status | LWSAHH_FLAG_NO_SERVER_NAME,
		    content_type, body_size, &at, end) != 0 ||
		(status == 426 && lws_add_http_header_by_token(conn->wsi, WSI_TOKEN_VERSION,
					  (const uint8_t *)"13", 2, &at, end) != 0) ||
		lws_add_http_header_by_token(conn->wsi, WSI_TOKEN_CONNECTION,
			(const uint8_t *)"close", 5, &at, end) != 0 ||
		lws_finalize_http_header(conn->wsi, &at, end) != 0) {
		ws_conn_abort(conn);
		return;
	}
	head_size = (size_t)(at - head);
	if (head_only)
		body_size = 0;
	if (!ws_conn_queue(conn, LWS_WRITE_HTTP_FINAL, head_size + body_size, &to)) {
		ws_conn_abort(conn);
		return;
	}
	memcpy(to, head, head_size);
	if (body_size > 0)
		memcpy(to + head_size, body, body_size);
	ws_conn_deadline(conn, ANSWER_TIMEOUT_MS, NULL);
}

void http_respond(struct http_exchange *exchange, unsigned status, const char *content_type,
	const char *body, size_t body_size)
{
	struct ws_conn *conn = exchange->conn;
	bool head_only = exchange->head_only;

	free(exchange);
	if (conn == NULL)
		return;
	conn->exchange = NULL;
	if (conn->dead)
		return;
	lws_rx_flow_control(conn->wsi, 1); // without it the library does not write either
	answer(conn, status, content_type == NULL ? "application/json" : content_type, body,
		body_size, head_only);
}

void http_exchange_refuse(struct ws_conn *conn, unsigned status)
{
	answer(conn, status, "text/plain", "", 0, false);
}

void http_exchange_orphan(struct ws_conn *conn)
{
	if (conn->exchange != NULL)
		conn->exchange->conn = NULL;
	conn->exchange = NULL;
}

static int answer_send(struct ws_conn *conn)
{
	if (conn->phase != WS_PHASE_ANSWER || conn->dead)
		return 0;
	if (ws_conn_flush(conn) != 0)
		return -1;
	if (conn->out_size > 0)
		return 0;
	if (conn->body_left == 0 || lws_is_ssl(conn->wsi)) // TLS: the library says good-bye itself
		return -1;
	// The peer still sends. To close now would reset the connection and take the answer from
	// its hands.
	shutdown(lws_get_socket_fd(conn->wsi), SHUT_WR);
	ws_conn_deadline(conn, LINGER_TIMEOUT_MS, NULL);
	return 0;
}

int http_exchange_event(struct ws_conn *conn, const struct http_service *service,
	enum lws_callback_reasons reason, void *in, size_t size)
{
	switch ((int)reason) {
	case LWS_CALLBACK_HTTP:
		request_begin(conn, service);
		return 0;
	case LWS_CALLBACK_HTTP_BODY:
		return body_received(conn, in, size);
	case LWS_CALLBACK_HTTP_BODY_COMPLETION:
		return body_ended(conn, service);
	case LWS_CALLBACK_HTTP_WRITEABLE:
		return answer_send(conn);
	default:
		return 0;
	}
}
