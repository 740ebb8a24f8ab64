// SPDX-License-Identifier: BSD-3-Clause
//
// Sockets and timers around the sans-IO parts: a connection is a 'link', which is a client or, on
// the path /node, a node; everything it says goes to client.c or core.c, everything they want goes
// out here.
#include "gateway/gateway.h"

#include <errno.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "gateway/client.h"
#include "gateway/operator.h"
#include "gateway/rest.h"
#include "http/ws.h"
#include "json/json.h"
#include "log/log.h"
#include "loop/loop.h"

#define TICK_MS 50u
#define HUB_TICK_MS 1000u
#define REGISTER_TIMEOUT_MS 5000u
#define NODE_PATH "/node"
#define RUNTIME_DIR "/run/voicenode"
// Of a client, and of a node whose secret is not known yet. A client is told 4002 by its own code
// where the protocol allows 4,096 bytes; a node without the header may register some 1,500 guilds.
#define STRANGER_FRAME_SIZE_MAX 65536u
// A node's register with all its guilds is the longest message; it takes the header.
#define MESSAGE_SIZE_MAX NODE_MESSAGE_SIZE_MAX
#define QUEUE_SIZE_MAX 33554432u // bytes: READY and every GUILD_CREATE go out in one burst

struct gateway {
	struct loop *loop;
	struct gateway_config *config;
	struct model model;
	struct core *core;
	struct hub hub;
	struct rest rest;
	struct operator_api operator;
	struct ws_server *listener, *operator_listener;
	struct loop_timer tick;
	uint64_t hub_tick_ms;
	uint32_t link_count;
	bool stopping;
};

// One WebSocket.
struct link {
	struct gateway *gateway;
	struct ws_conn *conn;
	bool is_node;
	struct client *client;
	struct core_node *node;         // NULL: not registered
	struct admission_ticket ticket; // of a node, until it has registered
	struct loop_timer deadline;     // to register
};

// --- out ---

static void client_out(void *link, const char *text, size_t size)
{
	// A queue that is full closes the connection, which is what a slow reader gets.
	(void)!ws_conn_send(((struct link *)link)->conn, text, size, false);
}

static void client_out_close(void *link, uint16_t code, const char *reason)
{
	ws_conn_close(((struct link *)link)->conn, code, reason);
}

static const struct hub_output hub_output = {.send = client_out, .close = client_out_close};

static void node_out(void *ctx, void *link, const struct node_msg *msg)
{
	char *text = node_msg_encode(msg);

	(void)ctx;
	if (text == NULL)
		return; // the ack's time-out tells
	(void)!ws_conn_send(((struct link *)link)->conn, text, strlen(text), false);
	json_text_free(text);
}

static void node_out_close(void *ctx, void *link_ptr, uint16_t code, const char *reason)
{
	struct link *link = link_ptr;

	(void)ctx;
	link->node = NULL;
	ws_conn_close(link->conn, code, reason);
}

static void voice_state_out(void *ctx, const struct guild *guild, const struct member *member)
{
	hub_voice_state(&((struct gateway *)ctx)->hub, guild, member);
}

static void voice_server_out(void *ctx, const struct guild *guild, const struct member *member,
	const char *token, const char *endpoint)
{
	hub_voice_server(&((struct gateway *)ctx)->hub, guild, member, token, endpoint);
}

static void done_out(void *ctx, void *request, int error)
{
	rest_done(&((struct gateway *)ctx)->rest, request, error);
}

static void random_out(void *ctx, uint8_t *out, size_t size)
{
	(void)ctx;
	if (RAND_bytes(out, (int)size) != 1)
		abort(); // without randomness there are no tokens
}

static uint64_t unix_ms(void *ctx)
{
	struct timespec now;

	(void)ctx;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

static const struct core_output core_output = {
	.node_send = node_out,
	.node_close = node_out_close,
	.voice_state = voice_state_out,
	.voice_server = voice_server_out,
	.done = done_out,
	.random = random_out,
	.unix_ms = unix_ms,
};

// --- in ---

static void register_late(void *arg)
{
	ws_conn_close(((struct link *)arg)->conn, CLOSE_NOT_AUTHENTICATED, "no register in time");
}

static void secret_refuse(struct link *link, uint64_t now_ms)
{
	static const char why[] = "unknown secret";

	admission_failed(link->gateway->hub.admission, &link->ticket, now_ms);
	log_warn("node refused before it registered code=%u why=%s", NODE_CLOSE_BAD_SECRET, why);
	ws_conn_close(link->conn, NODE_CLOSE_BAD_SECRET, why);
}

// The secret in the header, before the register that says it too, is what allows a long register.
static void node_open(struct link *link, const struct ws_request *request)
{
	static const size_t scheme_size = sizeof(NODE_AUTHORIZATION) - 1;
	struct gateway *gateway = link->gateway;
	uint64_t now_ms = loop_now_ms(gateway->loop);

	link->ticket = admission_take(request->ticket);
	loop_timer_set(&link->deadline, REGISTER_TIMEOUT_MS);
	if (strncmp(request->authorization, NODE_AUTHORIZATION, scheme_size) != 0)
		return;
	if (admission_is_blocked(gateway->hub.admission, &link->ticket, now_ms))
		ws_conn_close(link->conn, CLOSE_RATE_LIMITED, "too many unknown secrets");
	else if (!core_secret_known(gateway->core, request->authorization + scheme_size))
		secret_refuse(link, now_ms);
	else
		ws_conn_limit_message(link->conn, MESSAGE_SIZE_MAX);
}

static bool client_begin(struct link *link, const struct ws_request *request)
{
	struct gateway *gateway = link->gateway;

	link->client = client_open(&gateway->hub, link, request->ticket, request->query,
		request->host, loop_now_ms(gateway->loop));
	return link->client != NULL;
}

static void *link_open(void *ctx, struct ws_conn *conn, const struct ws_request *request)
{
	struct gateway *gateway = ctx;
	struct link *link = gateway->stopping ? NULL : calloc(1, sizeof(*link));

	if (link == NULL)
		return NULL;
	link->gateway = gateway;
	link->conn = conn;
	link->is_node = strcmp(request->path, NODE_PATH) == 0;
	loop_timer_init(gateway->loop, &link->deadline, register_late, link);
	ws_conn_limit_message(conn, STRANGER_FRAME_SIZE_MAX);
	if (link->is_node) {
		node_open(link, request);
	} else if (!client_begin(link, request)) {
		free(link);
		return NULL;
	}
	gateway->link_count++;
	return link;
}

static void node_register(struct link *link, const struct node_msg *msg)
{
	struct gateway *gateway = link->gateway;
	uint64_t now_ms = loop_now_ms(gateway->loop);
	uint16_t code;
	const char *why;

	if (msg->op != NODE_OP_REGISTER) {
		ws_conn_close(link->conn, NODE_CLOSE_DECODE, "register first");
		return;
	}
	if (admission_is_blocked(gateway->hub.admission, &link->ticket, now_ms)) {
		ws_conn_close(link->conn, CLOSE_RATE_LIMITED, "too many unknown secrets");
		return;
	}
	link->node = core_node_register(gateway->core, link, msg, now_ms, &code, &why);
	if (link->node != NULL) {
		admission_release(gateway->hub.admission, &link->ticket);
		ws_conn_limit_message(link->conn, MESSAGE_SIZE_MAX);
		loop_timer_stop(&link->deadline);
		return;
	}
	if (code == NODE_CLOSE_BAD_SECRET)
		admission_failed(gateway->hub.admission, &link->ticket, now_ms);
	log_warn("node refused node=%s endpoint=%s code=%u why=%s", msg->name, msg->endpoint, code,
		why);
	ws_conn_close(link->conn, code, why);
}

static void node_message(struct link *link, const char *data, size_t size, bool binary)
{
	struct gateway *gateway = link->gateway;
	struct node_msg msg;

	if (binary || node_msg_decode(data, size, &msg) != 0) {
		const char *why = binary ? "text frames only" : msg.why;

		log_warn("node sent a malformed frame node=%s why=%s",
			link->node == NULL ? "?" : core_node_name(link->node), why);
		ws_conn_close(link->conn, NODE_CLOSE_DECODE, why);
		return;
	}
	if (link->node == NULL)
		node_register(link, &msg);
	else
		core_node_message(gateway->core, link->node, &msg, loop_now_ms(gateway->loop));
	node_msg_fini(&msg);
}

static void link_message(void *conn_ctx, const char *data, size_t size, bool binary)
{
	struct link *link = conn_ctx;

	if (link->is_node)
		node_message(link, data, size, binary);
	else
		client_message(link->client, data, size, binary, loop_now_ms(link->gateway->loop));
}

static void link_closed(void *conn_ctx, uint16_t code)
{
	struct link *link = conn_ctx;
	struct gateway *gateway = link->gateway;
	uint64_t now_ms = loop_now_ms(gateway->loop);

	loop_timer_stop(&link->deadline);
	admission_release(gateway->hub.admission, &link->ticket);
	if (link->node != NULL)
		core_node_closed(gateway->core, link->node, now_ms);
	if (link->client != NULL)
		client_closed(link->client, gateway->stopping ? 1006 : code, now_ms);
	gateway->link_count--;
	free(link);
}

static const struct ws_handler link_handler = {
	.open = link_open, .message = link_message, .closed = link_closed};

static void http_in(void *ctx, struct http_exchange *exchange, const struct http_request *request)
{
	struct gateway *gateway = ctx;

	rest_handle(&gateway->rest, exchange, request, loop_now_ms(gateway->loop));
}

static void operator_in(
	void *ctx, struct http_exchange *exchange, const struct http_request *request)
{
	struct gateway *gateway = ctx;

	operator_handle(&gateway->operator, exchange, request);
}

static void tick(void *arg)
{
	struct gateway *gateway = arg;
	uint64_t now_ms = loop_now_ms(gateway->loop);

	core_tick(gateway->core, now_ms);
	if (now_ms >= gateway->hub_tick_ms) {
		gateway->hub_tick_ms = now_ms + HUB_TICK_MS;
		hub_tick(&gateway->hub, now_ms);
	}
	loop_timer_set(&gateway->tick, TICK_MS);
}

// --- life ---

static const char *text_or_null(const char *text)
{
	return text[0] == '\0' ? NULL : text;
}

static int listeners_open(struct gateway *gateway, char *why, size_t why_size)
{
	const struct gateway_config *config = gateway->config;
	struct ws_server_params params = {
		.host = text_or_null(config->listen_at.host),
		.port = config->listen_at.port,
		.tls_cert_path = text_or_null(config->tls_certificate),
		.tls_key_path = text_or_null(config->tls_key),
		.name = "gateway",
		.ws = &link_handler,
		.http = http_in,
		.ctx = gateway,
		.message_size_max = MESSAGE_SIZE_MAX,
		.body_size_max = REST_BODY_SIZE_MAX,
		.queue_size_max = QUEUE_SIZE_MAX,
		.admission = gateway->hub.admission,
	};
	struct ws_server_params operator_params = {
		.unix_path = config->socket,
		.name = "operator",
		.http = operator_in,
		.ctx = gateway,
		.message_size_max = REST_BODY_SIZE_MAX,
		.body_size_max = REST_BODY_SIZE_MAX,
	};
	int error = ws_server_create(gateway->loop, &params, &gateway->listener, why, why_size);

	if (error != 0 || config->socket[0] == '\0')
		return error;
	// The default's, as `voicenode run` makes it; where that cannot be, the listener says so.
	if (strncmp(config->socket, RUNTIME_DIR "/", sizeof(RUNTIME_DIR)) == 0)
		(void)mkdir(RUNTIME_DIR, 0755);
	return ws_server_create(
		gateway->loop, &operator_params, &gateway->operator_listener, why, why_size);
}

int gateway_create(struct loop *loop, struct gateway_config *config, struct gateway **out,
	char *why, size_t why_size)
{
	struct gateway *gateway = calloc(1, sizeof(*gateway));
	int error = -ENOMEM;
	uint64_t seed;

	snprintf(why, why_size, "Out of memory.");
	if (gateway == NULL)
		return -ENOMEM;
	gateway->loop = loop;
	gateway->config = config;
	error = model_init(&gateway->model, config);
	if (error != 0)
		goto fail;
	error = -ENOMEM;
	gateway->core = core_create(&(struct core_params){.model = &gateway->model,
		.config = config,
		.output = &core_output,
		.ctx = gateway});
	if (gateway->core == NULL)
		goto fail;
	random_out(NULL, (uint8_t *)&seed, sizeof(seed));
	gateway->hub = (struct hub){.config = config,
		.admission = admission_create(seed),
		.model = &gateway->model,
		.core = gateway->core,
		.output = &hub_output,
		.random = random_out};
	if (gateway->hub.admission == NULL)
		goto fail;
	gateway->rest = (struct rest){.hub = &gateway->hub, .respond = http_respond};
	gateway->operator=(struct operator_api){.hub = &gateway->hub, .rest = &gateway->rest};
	error = listeners_open(gateway, why, why_size);
	if (error != 0)
		goto fail;
	loop_timer_init(loop, &gateway->tick, tick, gateway);
	loop_timer_set(&gateway->tick, TICK_MS);
	*out = gateway;
	return 0;
fail:
	ws_server_destroy(gateway->listener);
	admission_destroy(gateway->hub.admission);
	core_destroy(gateway->core);
	model_fini(&gateway->model);
	free(gateway);
	return error;
}

void gateway_stop(struct gateway *gateway)
{
	gateway->stopping = true;
	loop_timer_stop(&gateway->tick);
	core_requests_end(gateway->core, -EIO);
	ws_server_destroy(gateway->listener);
	ws_server_destroy(gateway->operator_listener);
	gateway->listener = gateway->operator_listener = NULL;
}

bool gateway_stopped(const struct gateway *gateway)
{
	return gateway->stopping && gateway->link_count == 0;
}

void gateway_destroy(struct gateway *gateway)
{
	if (gateway == NULL)
		return;
	hub_fini(&gateway->hub);
	admission_destroy(gateway->hub.admission);
	core_destroy(gateway->core);
	model_fini(&gateway->model);
	free(gateway);
}

uint16_t gateway_port(const struct gateway *gateway)
{
	return ws_server_port(gateway->listener);
}
