// SPDX-License-Identifier: BSD-3-Clause
//
// The frame level of client.h: which opcode may come when, beats, limits. What the opcodes do is in
// client_ops.c.
#include "gateway/client.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json/json.h"

enum op {
	OP_DISPATCH = 0,
	OP_HEARTBEAT = 1,
	OP_IDENTIFY = 2,
	OP_PRESENCE = 3,
	OP_VOICE_STATE = 4,
	OP_RESUME = 6,
	OP_REQUEST_MEMBERS = 8,
	OP_HELLO = 10,
	OP_HEARTBEAT_ACK = 11,
};

void client_close(struct client *client, uint16_t code, const char *reason)
{
	if (client->closing)
		return;
	client->closing = true;
	client->hub->output->close(client->link, code, reason);
}

void client_send(struct client *client, json_t *frame)
{
	char *text = json_encode(frame);

	if (text == NULL)
		return;
	if (!client->closing)
		client->hub->output->send(client->link, text, strlen(text));
	json_text_free(text);
}

void client_send_event(struct client *client, const struct event *event, uint64_t seq)
{
	static const char format[] = "{\"op\":0,\"s\":%" PRIu64 ",\"t\":\"%s\",\"d\":%s}";
	char *text;
	int size;

	if (client->closing)
		return;
	// Measured first: a buffer that grows would leave tokens behind in what it grew out of.
	size = snprintf(NULL, 0, format, seq, event->type, event->data);
	text = size < 0 ? NULL : malloc((size_t)size + 1);
	if (text == NULL)
		return;
	snprintf(text, (size_t)size + 1, format, seq, event->type, event->data);
	client->hub->output->send(client->link, text, (size_t)size);
	json_text_free(text);
}

// The value of 'name' in a query, at most 'size' bytes with NUL. False: not there.
static bool query_get(const char *query, const char *name, char *out, size_t size)
{
	size_t name_size = strlen(name);

	while (*query != '\0') {
		size_t pair_size = strcspn(query, "&");

		if (pair_size > name_size && query[name_size] == '=' &&
			strncmp(query, name, name_size) == 0) {
			snprintf(out, size, "%.*s", (int)(pair_size - name_size - 1),
				query + name_size + 1);
			return true;
		}
		query += pair_size + (query[pair_size] == '&');
	}
	return false;
}

struct client *client_open(struct hub *hub, void *link, struct admission_ticket *ticket,
	const char *query, const char *host, uint64_t now_ms)
{
	struct client *client = calloc(1, sizeof(*client));
	char value[16];

	if (client == NULL)
		return NULL;
	if (ticket != NULL)
		client->ticket = admission_take(ticket);
	client->hub = hub;
	client->link = link;
	client->opened_ms = client->beat_ms = client->window_ms = now_ms;
	snprintf(client->host, sizeof(client->host), "%s", host);
	client->next = hub->clients;
	if (client->next != NULL)
		client->next->prev = client;
	hub->clients = client;
	hub->client_count++;
	if (query_get(query, "v", value, sizeof(value)) && strcmp(value, "10") != 0)
		client_close(client, CLOSE_VERSION, "this gateway speaks v=10");
	else if (query_get(query, "encoding", value, sizeof(value)) && strcmp(value, "json") != 0)
		client_close(client, CLOSE_DECODE, "this gateway speaks encoding=json");
	client_send(client, json_pack("{s:i,s:{s:i},s:n,s:n}", "op", OP_HELLO, "d",
				    "heartbeat_interval", CLIENT_HEARTBEAT_MS, "s", "t"));
	return client;
}

static void heartbeat(struct client *client, const json_t *d, uint64_t now_ms)
{
	client->beat_ms = now_ms;
	// A resume from before this number cannot come any more.
	if (client->session != NULL && json_is_integer(d) && json_integer_value(d) > 0 &&
		(uint64_t)json_integer_value(d) <= client->session->seq)
		session_received(client->session, (uint64_t)json_integer_value(d));
	client_send(client, json_pack("{s:i,s:n,s:n,s:n}", "op", OP_HEARTBEAT_ACK, "d", "s", "t"));
}

static bool rate_allowed(struct client *client, uint64_t now_ms)
{
	if (now_ms - client->window_ms >= CLIENT_RATE_WINDOW_MS) {
		client->window_ms = now_ms;
		client->window_count = 0;
	}
	return ++client->window_count <= CLIENT_RATE_MAX;
}

static void authenticated_op(struct client *client, json_int_t op, const json_t *d, uint64_t now_ms)
{
	if (client->session == NULL) {
		client_close(client, CLOSE_NOT_AUTHENTICATED, "identify first");
		return;
	}
	if (op == OP_VOICE_STATE)
		client_voice_state(client, d, now_ms);
	if (op == OP_REQUEST_MEMBERS)
		client_request_members(client, d);
}

static void op_handle(struct client *client, json_int_t op, const json_t *d, uint64_t now_ms)
{
	switch (op) {
	case OP_HEARTBEAT:
		heartbeat(client, d, now_ms);
		break;
	case OP_IDENTIFY:
	case OP_RESUME:
		if (client->session != NULL)
			client_close(client, CLOSE_ALREADY_AUTHENTICATED, "already authenticated");
		else if (op == OP_IDENTIFY)
			client_identify(client, d, now_ms);
		else
			client_resume(client, d, now_ms);
		break;
	case OP_PRESENCE: // accepted: nobody here shows presences
	case OP_VOICE_STATE:
	case OP_REQUEST_MEMBERS:
		authenticated_op(client, op, d, now_ms);
		break;
	default:
		client->hub->stats.unknown_ops++;
		break;
	}
}

void client_message(
	struct client *client, const char *text, size_t size, bool binary, uint64_t now_ms)
{
	json_t *frame, *op;

	if (client->closing)
		return;
	if (!rate_allowed(client, now_ms)) {
		client->hub->stats.rate_limited++;
		client_close(client, CLOSE_RATE_LIMITED, "more than 120 frames in 60 s");
		return;
	}
	frame = binary || size > CLIENT_MESSAGE_SIZE_MAX ? NULL : json_decode(text, size, NULL, 0);
	if (!json_is_object(frame)) {
		client->hub->stats.malformed++;
		client_close(client, CLOSE_DECODE, "not a JSON object of at most 4096 bytes");
		json_decref(frame);
		return;
	}
	op = json_object_get(frame, "op");
	if (json_is_integer(op))
		op_handle(client, json_integer_value(op), json_object_get(frame, "d"), now_ms);
	else
		client_close(client, CLOSE_OPCODE, "op is no integer");
	json_decref(frame);
}

void client_closed(struct client *client, uint16_t code, uint64_t now_ms)
{
	struct hub *hub = client->hub;
	struct session *session = client->session;

	if (client->prev != NULL)
		client->prev->next = client->next;
	else
		hub->clients = client->next;
	if (client->next != NULL)
		client->next->prev = client->prev;
	hub->client_count--;
	admission_release(hub->admission, &client->ticket);
	free(client);
	if (session == NULL)
		return;
	session->client = NULL;
	session->detached_ms = now_ms;
	if (code == 1000 || code == 1001)
		hub_session_end(hub, session, now_ms);
}
