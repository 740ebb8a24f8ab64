// SPDX-License-Identifier: BSD-3-Clause
//
// Fuzz target: a history of the gateway, one event a line: C a client's frame, N a node's frame, R
// the body of a moderator's call, T a second passes, X the client's socket is cut, D the node's.
// Asserts that everything said is JSON, that the loads placement goes by are true, that a client
// is told only tokens that a node acknowledged, and (by the sanitizers) that nothing is used late.

#include <errno.h>
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/client.h"
#include "gateway/rest.h"
#include "log/log.h"

#define MUST(x)   \
	if (!(x)) \
	abort()

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	struct gateway_config config;
	struct model model;
	struct core *core;
	struct hub hub;
	struct rest rest;
	struct client *client;  // NULL: cut
	struct core_node *node; // NULL: not registered, or dead
	uint64_t now_ms;
	uint8_t random;
	unsigned open_calls; // of moderators, each is answered once
};

static const char config_text[] =
	"gateway = { node_secrets = [ \"sesame\" ]; };\n"
	"users = ( { id = \"1\"; name = \"a\"; token = \"t1\"; },\n"
	"  { id = \"2\"; name = \"b\"; token = \"t2\"; } );\n"
	"guilds = ( { id = \"1000\"; name = \"g\"; channels = ( { id = \"11\"; name = \"x\"; },\n"
	"  { id = \"12\"; name = \"y\"; } ); members = [ \"1\", \"2\" ]; moderators = [ \"2\" ]; } "
	");\n";

static struct world *world; // outputs of clients and REST have no context of their own

static void json_check(const char *text, size_t size)
{
	json_t *value = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);

	MUST(value != NULL);
	json_decref(value);
}

static void node_send(void *ctx, void *link, const struct node_msg *msg)
{
	char *text = node_msg_encode(msg);
	struct node_msg back;

	(void)ctx;
	(void)link;
	MUST(text != NULL);
	MUST(node_msg_decode(text, strlen(text), &back) == 0 && back.op == msg->op);
	node_msg_fini(&back);
	free(text);
}

static void node_close(void *ctx, void *link, uint16_t code, const char *reason)
{
	(void)link;
	(void)code;
	(void)reason;
	((struct world *)ctx)->node = NULL;
}

static void voice_state(void *ctx, const struct guild *guild, const struct member *member)
{
	hub_voice_state(&((struct world *)ctx)->hub, guild, member);
}

static void voice_server(void *ctx, const struct guild *guild, const struct member *member,
	const char *token, const char *endpoint)
{
	MUST((token == NULL) == (endpoint == NULL));
	MUST(token == NULL || strlen(token) == TOKEN_SIZE - 1);
	hub_voice_server(&((struct world *)ctx)->hub, guild, member, token, endpoint);
}

static void done(void *ctx, void *request, int error)
{
	rest_done(&((struct world *)ctx)->rest, request, error);
}

static void random_fill(void *ctx, uint8_t *out, size_t size)
{
	memset(out, ++((struct world *)ctx)->random, size);
}

static uint64_t unix_ms(void *ctx)
{
	return 1700000000000 + ((struct world *)ctx)->now_ms;
}

static void client_said(void *link, const char *text, size_t size)
{
	(void)link;
	json_check(text, size);
}

static void client_close_said(void *link, uint16_t code, const char *reason)
{
	(void)link;
	(void)reason;
	MUST(code >= 1000 && code < 5000);
}

static void respond(struct http_exchange *exchange, unsigned status, const char *content_type,
	const char *body, size_t body_size)
{
	(void)exchange;
	(void)content_type;
	MUST(status >= 200 && status < 600);
	MUST(world->open_calls-- > 0);
	json_check(body, body_size);
}

static const struct core_output core_output = {
	node_send, node_close, voice_state, voice_server, done, random_fill, unix_ms};
static const struct hub_output hub_output = {client_said, client_close_said};

static void loads_check(const struct world *w)
{
	const struct guild *guild = &w->model.guilds[0];
	struct core_node_info rows[4];
	uint32_t voices = 0, count = core_nodes(w->core, rows, 4), sum = 0;

	for (uint32_t i = 0; i < guild->member_count; i++)
		voices += guild->members[i].voice.channel_id != 0;
	MUST(voices == guild->voice_count);
	for (uint32_t i = 0; i < count && i < 4; i++)
		sum += rows[i].voice_count;
	MUST(count > 4 || sum == (guild->node == NULL ? 0 : voices));
}

static void client_line(struct world *w, const char *text, size_t size)
{
	if (w->client == NULL || w->client->closing) {
		if (w->client != NULL)
			client_closed(w->client, 4000, w->now_ms);
		w->client = client_open(&w->hub, w, NULL, "v=10", "host", w->now_ms);
		MUST(w->client != NULL);
	}
	client_message(w->client, text, size, false, w->now_ms);
}

static void node_line(struct world *w, const char *text, size_t size)
{
	struct node_msg msg;
	uint16_t code;
	const char *why;

	if (node_msg_decode(text, size, &msg) != 0)
		return;
	if (w->node != NULL)
		core_node_message(w->core, w->node, &msg, w->now_ms);
	else if (msg.op == NODE_OP_REGISTER)
		w->node = core_node_register(w->core, w, &msg, w->now_ms, &code, &why);
	node_msg_fini(&msg);
}

static void rest_line(struct world *w, const char *text, size_t size)
{
	struct http_request request = {.method = "PATCH",
		.path = "/api/v10/guilds/1000/members/1",
		.query = "",
		.authorization = "Bot t2",
		.host = "",
		.body = text,
		.body_size = size};

	w->open_calls++;
	rest_handle(&w->rest, NULL, &request, w->now_ms);
}

static void line(struct world *w, const char *text, size_t size)
{
	switch (size == 0 ? '\0' : text[0]) {
	case 'C':
		client_line(w, text + 1, size - 1);
		break;
	case 'N':
		node_line(w, text + 1, size - 1);
		break;
	case 'R':
		rest_line(w, text + 1, size - 1);
		break;
	case 'X':
		if (w->client != NULL)
			client_closed(w->client, 1006, w->now_ms);
		w->client = NULL;
		break;
	case 'D':
		if (w->node != NULL)
			core_node_closed(w->core, w->node, w->now_ms);
		w->node = NULL;
		break;
	case 'T':
		w->now_ms += 1000;
		core_tick(w->core, w->now_ms);
		hub_tick(&w->hub, w->now_ms);
		break;
	default:
		break;
	}
	loads_check(w);
}

static void log_drop(void *arg, const char *text, uint32_t size)
{
	(void)arg;
	(void)text;
	(void)size;
}

static void world_open(struct world *w)
{
	struct config_problems problems = {0};

	log_redirect(log_drop, NULL, NULL);
	MUST(gateway_config_parse(
		     "fuzz", config_text, sizeof(config_text) - 1, &w->config, &problems) == 0);
	config_problems_free(&problems);
	MUST(model_init(&w->model, &w->config) == 0);
	w->now_ms = 1000000;
	w->core = core_create(&(struct core_params){&w->model, &w->config, &core_output, w});
	MUST(w->core != NULL);
	w->hub = (struct hub){.config = &w->config,
		.model = &w->model,
		.core = w->core,
		.output = &hub_output,
		.random = random_fill,
		.random_ctx = w};
	w->rest = (struct rest){.hub = &w->hub, .respond = respond};
	world = w;
}

static void world_close(struct world *w)
{
	core_requests_end(w->core, -EIO);
	MUST(w->open_calls == 0);
	if (w->client != NULL)
		client_closed(w->client, 1006, w->now_ms);
	hub_fini(&w->hub);
	core_destroy(w->core);
	model_fini(&w->model);
	gateway_config_free(&w->config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = {0};
	char *text = malloc(size + 1), *at = text, *end = text + size;

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	*end = '\n';
	world_open(&w);
	while (at < end) {
		char *stop = memchr(at, '\n', (size_t)(end - at) + 1);

		*stop = '\0';
		line(&w, at, (size_t)(stop - at));
		at = stop + 1;
	}
	world_close(&w);
	free(text);
	return 0;
}
