// SPDX-License-Identifier: BSD-3-Clause
//
// Connect, register, obey; on any loss wait and begin again.

#include "register/gateway_client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "http/ws.h"
#include "json/json.h"
#include "log/log.h"
#include "loop/loop.h"

// Neither 'registered' nor a command for so long after connecting: the other end is no gateway.
#define PINGS_MISSING 4u // a connection that misses so many, and this on top, is given up
#define PINGS_MISSING_MS 5000u
#define REGISTER_TIMEOUT_MS 5000u
#define QUEUE_SIZE_MAX (2 * NODE_MESSAGE_SIZE_MAX) // the longest register, and acks behind it

enum client_state {
	CLIENT_IDLE, // waits for the timer
	CLIENT_CONNECTING,
	CLIENT_REGISTERING,
	CLIENT_REGISTERED,
};

struct gateway_client {
	struct gateway_client_params params;
	enum client_state state;
	struct ws_conn *ws;  // NULL: not open
	uint32_t connection; // counts those that opened
	uint32_t backoff_ms, jitter, ping_ms;
	char name[NODE_NAME_SIZE]; // as registered last
	struct loop_timer timer;
	struct gateway_client_stats stats;
};

// xorshift32: spreads nodes over time; nothing secret.
static uint32_t jitter(struct gateway_client *client)
{
	client->jitter ^= client->jitter << 13;
	client->jitter ^= client->jitter >> 17;
	client->jitter ^= client->jitter << 5;
	return client->jitter;
}

static void retry_later(struct gateway_client *client)
{
	uint32_t wait_ms = client->backoff_ms / 2 + jitter(client) % (client->backoff_ms / 2 + 1);

	client->state = CLIENT_IDLE;
	client->ws = NULL;
	client->backoff_ms *= 2;
	if (client->backoff_ms > GATEWAY_BACKOFF_MAX_MS)
		client->backoff_ms = GATEWAY_BACKOFF_MAX_MS;
	loop_timer_set(&client->timer, wait_ms);
}

static void send_msg(struct gateway_client *client, const struct node_msg *msg)
{
	char *text;

	if (client->ws == NULL)
		return;
	text = node_msg_encode(msg);
	if (text == NULL) {
		log_error("no memory for a message to the gateway");
		return;
	}
	// A queue that is full closes the connection: 'closed' follows and we come again.
	(void)ws_conn_send(client->ws, text, strlen(text), false);
	json_text_free(text);
}

// Read at every attempt, so that a file that appears or changes is enough.
static int send_register(struct gateway_client *client)
{
	struct node_msg *msg = calloc(1, sizeof(*msg));
	char why[CONFIG_TEXT_SIZE];
	int error;

	if (msg == NULL)
		return -ENOMEM;
	msg->op = NODE_OP_REGISTER;
	msg->contract = NODE_CONTRACT;
	error = config_secret_read(client->params.secret_path, msg->secret, why, sizeof(why));
	if (error != 0)
		log_error("cannot register: %s", why);
	if (error == 0)
		error = client->params.handler.fill_register(client->params.handler.ctx, msg);
	if (error == 0) {
		memcpy(client->name, msg->name, sizeof(client->name));
		send_msg(client, msg);
	}
	node_msg_fini(msg);
	free(msg);
	return error;
}

static void *on_open(void *ctx, struct ws_conn *ws, const struct ws_request *request)
{
	struct gateway_client *client = ctx;

	(void)request;
	client->ws = ws;
	client->state = CLIENT_REGISTERING;
	client->connection++;
	client->stats.connects++;
	if (send_register(client) != 0)
		ws_conn_close(ws, 1000, NULL);
	loop_timer_set(&client->timer, REGISTER_TIMEOUT_MS);
	return client;
}

// A gateway whose machine died says nothing, not even FIN: a connection without pings is dead.
static void expect_ping(struct gateway_client *client)
{
	if (client->state == CLIENT_REGISTERED)
		loop_timer_set(&client->timer,
			PINGS_MISSING_MS + (uint64_t)PINGS_MISSING * client->ping_ms);
}

static void handle(struct gateway_client *client, struct node_msg *msg)
{
	const struct gateway_client_handler *handler = &client->params.handler;
	unsigned op = (unsigned)msg->op;

	if (op == NODE_OP_PING) {
		struct node_msg pong = {.op = NODE_OP_PONG, .seq = msg->seq};

		client->stats.pings++;
		expect_ping(client);
		if (handler->is_alive(handler->ctx))
			send_msg(client, &pong);
		else
			client->stats.pings_withheld++;
	} else if (op == NODE_OP_REGISTERED && client->state == CLIENT_REGISTERING) {
		client->state = CLIENT_REGISTERED;
		client->backoff_ms = GATEWAY_BACKOFF_FIRST_MS;
		client->ping_ms = msg->ping_ms;
		expect_ping(client);
		log_notice("registered with the gateway url=%s", client->params.url);
		handler->registered(handler->ctx, msg);
	} else if ((op == NODE_OP_ASSIGN || op == NODE_OP_UNASSIGN || op == NODE_OP_VOICE_STATE) &&
		   client->state == CLIENT_REGISTERED) {
		handler->command(handler->ctx, msg);
	} else {
		client->stats.unknown++;
	}
}

static void on_message(void *conn_ctx, const char *data, size_t size, bool binary)
{
	struct gateway_client *client = conn_ctx;
	struct node_msg *msg = calloc(1, sizeof(*msg));

	if (msg == NULL || binary || node_msg_decode(data, size, msg) != 0) {
		log_warn("gateway sent what cannot be read url=%s", client->params.url);
		ws_conn_close(client->ws, NODE_CLOSE_DECODE, NULL);
	} else {
		handle(client, msg);
		node_msg_fini(msg);
	}
	free(msg);
}

static void on_closed(void *conn_ctx, uint16_t code)
{
	struct gateway_client *client = conn_ctx;

	if (code == NODE_CLOSE_BAD_SECRET)
		log_error("the gateway does not know this node's secret; cure: the same line in "
			  "gateway.secret_file here and in the gateway's secrets url=%s",
			client->params.url);
	else if (code == NODE_CLOSE_CONTRACT)
		log_error("the gateway speaks another version of the node protocol; cure: run the "
			  "same release on both url=%s",
			client->params.url);
	else if (code == NODE_CLOSE_NAME_TAKEN || code == NODE_CLOSE_REPLACED)
		log_error("another node has this node's name at the gateway; cure: set node.name "
			  "in one of the two files (or wait, if it is this node before a restart) "
			  "name=%s url=%s",
			client->name, client->params.url);
	else
		log_warn("gateway connection lost, calls go on url=%s code=%u", client->params.url,
			code);
	retry_later(client);
}

static void on_failed(void *ctx, const char *why)
{
	struct gateway_client *client = ctx;

	client->stats.failures++;
	log_warn("gateway not reached, trying again url=%s why=%s", client->params.url, why);
	retry_later(client);
}

// The header that lets a register be long. Without one (no secret, or not one that a header can
// carry) the register may still do: it says the secret itself, and says what is wrong with it.
static const char *authorization(const struct gateway_client *client, char *out, size_t size)
{
	char secret[NODE_SECRET_SIZE], why[CONFIG_TEXT_SIZE];
	const char *header = NULL;

	if (config_secret_read(client->params.secret_path, secret, why, sizeof(why)) == 0) {
		const char *odd = secret;

		while (*odd > ' ' && *odd <= '~')
			odd++;
		snprintf(out, size, NODE_AUTHORIZATION "%s", secret);
		header = *odd == '\0' ? out : NULL;
	}
	explicit_bzero(secret, sizeof(secret));
	return header;
}

static void connect_now(struct gateway_client *client)
{
	char header[sizeof(NODE_AUTHORIZATION) + NODE_SECRET_SIZE];
	static const struct ws_handler handler = {
		.open = on_open, .message = on_message, .closed = on_closed, .failed = on_failed};
	const char *ca_path = client->params.ca_path;
	struct ws_client_params params = {
		.url = client->params.url,
		.authorization = authorization(client, header, sizeof(header)),
		.ca_path = ca_path == NULL || ca_path[0] == '\0' ? NULL : ca_path,
		.handler = &handler,
		.ctx = client,
		.message_size_max = NODE_MESSAGE_SIZE_MAX,
		.queue_size_max = QUEUE_SIZE_MAX,
	};

	client->state = CLIENT_CONNECTING;
	if (ws_client_connect(client->params.loop, &params) != 0) {
		log_error("gateway.url cannot be used url=%s", client->params.url);
		client->backoff_ms = GATEWAY_BACKOFF_MAX_MS;
		retry_later(client);
	}
	explicit_bzero(header, sizeof(header));
}

static void on_timer(void *arg)
{
	struct gateway_client *client = arg;

	if (client->state == CLIENT_IDLE)
		connect_now(client);
	else if (client->ws != NULL)
		ws_conn_abort(client->ws); // 'closed' follows
}

int gateway_client_create(const struct gateway_client_params *params, struct gateway_client **out)
{
	struct gateway_client *client = calloc(1, sizeof(*client));

	if (client == NULL)
		return -ENOMEM;
	client->params = *params;
	client->backoff_ms = GATEWAY_BACKOFF_FIRST_MS;
	client->jitter = params->jitter_seed | 1;
	loop_timer_init(params->loop, &client->timer, on_timer, client);
	*out = client;
	return 0;
}

void gateway_client_destroy(struct gateway_client *client)
{
	if (client == NULL)
		return;
	loop_timer_stop(&client->timer);
	free(client);
}

void gateway_client_start(struct gateway_client *client)
{
	connect_now(client);
}

bool gateway_client_is_registered(const struct gateway_client *client)
{
	return client->state == CLIENT_REGISTERED;
}

uint32_t gateway_client_ping_ms(const struct gateway_client *client)
{
	return client->state == CLIENT_REGISTERED ? client->ping_ms : 0;
}

uint32_t gateway_client_connection(const struct gateway_client *client)
{
	return client->connection;
}

static void explain(struct node_msg *msg, const struct node_refusal *refusal)
{
	msg->no_budget = true;
	msg->refusal = *refusal;
	snprintf(msg->why, sizeof(msg->why),
		"no worker has budget: worker %u uses %llu of %llu packets/s, this takes %llu",
		refusal->worker, (unsigned long long)refusal->used_pps,
		(unsigned long long)refusal->capacity_pps, (unsigned long long)refusal->price_pps);
}

void gateway_client_ack(struct gateway_client *client, uint32_t connection, uint64_t seq, int error,
	const struct node_refusal *refusal)
{
	struct node_msg msg = {.op = NODE_OP_ACK, .seq = seq, .error = error};

	if (connection != client->connection || client->state != CLIENT_REGISTERED)
		return;
	if (refusal != NULL)
		explain(&msg, refusal);
	else if (error != 0)
		snprintf(msg.why, sizeof(msg.why), "%s", strerror(-error));
	send_msg(client, &msg);
}

bool gateway_client_report(
	struct gateway_client *client, const struct node_worker *workers, uint32_t worker_count)
{
	struct node_worker copy[NODE_WORKERS_MAX];
	struct node_msg msg = {.op = NODE_OP_REPORT, .worker_count = worker_count, .workers = copy};

	if (client->state != CLIENT_REGISTERED || worker_count > NODE_WORKERS_MAX)
		return false;
	memcpy(copy, workers, worker_count * sizeof(copy[0]));
	send_msg(client, &msg);
	return true;
}

void gateway_client_left(
	struct gateway_client *client, uint64_t guild_id, uint64_t user_id, const char *session_id)
{
	struct node_msg msg = {.op = NODE_OP_LEFT, .guild_id = guild_id, .user_id = user_id};

	if (client->state != CLIENT_REGISTERED)
		return;
	snprintf(msg.session_id, sizeof(msg.session_id), "%s", session_id);
	send_msg(client, &msg);
}

const struct gateway_client_stats *gateway_client_stats(const struct gateway_client *client)
{
	return &client->stats;
}
