// SPDX-License-Identifier: BSD-3-Clause
//
// Plain HTTP on a server's connection: one request, one answer, then the connection ends. For
// ws_server.c. Threads: the loop's.
#pragma once

#include "http/ws_conn.h"

struct http_service {
	http_handler_fn *handle; // NULL: 404
	void *ctx;
	size_t body_size_max;
};

// What a request's head says, in one block of memory. 'data' NULL: no memory, or no method that we
// know.
struct http_text {
	struct http_request request; // without the body
	char *data;
	size_t data_size;
};
struct http_text http_text_read(struct lws *wsi);
// Whether the head says what it seems to say: the library decodes percent signs (and takes a
// decoded line feed for the end of the line, so that a URL can say a header), lets control
// characters pass, and asks neither for an HTTP version nor, of WebSockets, for a path.
bool http_text_clean(struct lws *wsi, const struct http_text *text);
// Wipes: there is a token in it.
void http_text_free(struct http_text *text);

// The library's HTTP callbacks of a connection whose exchange this is. Nonzero closes.
int http_exchange_event(struct ws_conn *conn, const struct http_service *service,
	enum lws_callback_reasons reason, void *in, size_t size);
// Queues an answer without a body.
void http_exchange_refuse(struct ws_conn *conn, unsigned status);
// The connection is gone: whoever answers later answers nobody.
void http_exchange_orphan(struct ws_conn *conn);
