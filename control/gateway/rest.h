// SPDX-License-Identifier: BSD-3-Clause
//
// The REST calls that clients of the gateway need: where the gateway is, who they are, and what a
// moderator does to a member. Requests in, answers out through 'respond', some of them later, when
// a node has acknowledged. No socket.
//
// Threads: the loop's. Neighbours: operator.c serves operators on a socket of their own.
#pragma once

#include <jansson.h>

#include "gateway/hub.h"
#include "http/ws.h"

#define REST_BODY_SIZE_MAX 16384u // bytes

struct rest {
	struct hub *hub;
	// Called exactly once for each exchange.
	void (*respond)(struct http_exchange *exchange, unsigned status, const char *content_type,
		const char *body, size_t body_size);
};

// 'request' is valid during the call only.
void rest_handle(struct rest *rest, struct http_exchange *exchange,
	const struct http_request *request, uint64_t now_ms);
// For core_output: 'request' is what rest_handle() gave to the core, whose it was until now.
void rest_done(struct rest *rest, void *request, int error);

// Answers with a JSON text; takes over 'body'. NULL: no content.
void rest_respond(struct rest *rest, struct http_exchange *exchange, unsigned status, json_t *body);
