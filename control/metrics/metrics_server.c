// SPDX-License-Identifier: BSD-3-Clause
//
// GET /metrics, and nothing else.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "http/ws.h"
#include "metrics/metrics.h"
#include "metrics/metrics_text.h"
#include "metrics/node_view.h"

#define CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define CONNECTIONS_MAX 64u

struct metrics_server {
	const struct node_view *view;
	struct ws_server *http;
};

static void refuse(struct http_exchange *exchange, unsigned status, const char *text)
{
	http_respond(exchange, status, "text/plain", text, strlen(text));
}

static void on_request(
	void *ctx, struct http_exchange *exchange, const struct http_request *request)
{
	struct metrics_server *server = ctx;
	struct metrics_text text;

	if (strcmp(request->path, "/metrics") != 0) {
		refuse(exchange, 404, "look at /metrics\n");
		return;
	}
	if (strcmp(request->method, "GET") != 0) {
		refuse(exchange, 405, "GET only\n");
		return;
	}
	metrics_text_init(&text);
	metrics_render(server->view, &text);
	if (text.failed)
		refuse(exchange, 500, "out of memory\n");
	else
		http_respond(exchange, 200, CONTENT_TYPE, text.data, text.size);
	metrics_text_fini(&text);
}

int metrics_server_create(struct loop *loop, const struct node_view *view,
	struct metrics_server **out, char *why, size_t why_size)
{
	const struct config_host_port *at = &view->config->metrics.listen_at;
	struct metrics_server *server;
	struct ws_server_params params;
	int error;

	*out = NULL;
	if (view->config->metrics.listen[0] == '\0')
		return 0;
	server = calloc(1, sizeof(*server));
	if (server == NULL)
		return -ENOMEM;
	server->view = view;
	params = (struct ws_server_params){
		.host = at->host[0] == '\0' ? NULL : at->host,
		.port = at->port,
		.name = "metrics",
		.http = on_request,
		.ctx = server,
		.message_size_max = 4096,
		.connections_max = CONNECTIONS_MAX,
		.queue_size_max = 16 * 1024 * 1024,
	};
	error = ws_server_create(loop, &params, &server->http, why, why_size);
	if (error != 0) {
		free(server);
		return error;
	}
	*out = server;
	return 0;
}

void metrics_server_destroy(struct metrics_server *server)
{
	if (server == NULL)
		return;
	ws_server_destroy(server->http);
	free(server);
}

uint16_t metrics_server_port(const struct metrics_server *server)
{
	return server == NULL ? 0 : ws_server_port(server->http);
}
