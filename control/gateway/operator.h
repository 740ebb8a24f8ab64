// SPDX-License-Identifier: BSD-3-Clause
//
// What an operator may ask on the gateway's own UNIX socket, over HTTP: GET /status, /guilds (JSON)
// and /metrics (Prometheus text). Reads only.
//
// Threads: the loop's.
#pragma once

#include "gateway/rest.h"

struct operator_api {
	struct hub *hub;
	struct rest *rest; // for its answers
};

void operator_handle(struct operator_api *api, struct http_exchange *exchange,
	const struct http_request *request);
