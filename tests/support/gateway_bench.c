// SPDX-License-Identifier: BSD-3-Clause
//
// The world of gateway_bench.h.
#include "support/gateway_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char config_text[] =
	"gateway = { node_secrets = [ \"other\", \"sesame\" ]; ping_ms = 1000; dead_after_pings = "
	"3; };\n"
	"users = ( { id = \"1\"; name = \"ann\"; bot = true; token = \"t1\"; },\n"
	"  { id = \"2\"; name = \"bob\"; bot = true; token = \"t2\"; },\n"
	"  { id = \"3\"; name = \"cid\"; bot = true; token = \"t3\"; } );\n"
	"guilds = ( { id = \"2000\"; name = \"two\"; channels = ( { id = \"21\"; name = \"c\"; } "
	");\n"
	"    members = [ \"3\", \"1\" ]; moderators = [ ]; },\n"
	"  { id = \"1000\"; name = \"one\"; channels = ( { id = \"11\"; name = \"a\"; },\n"
	"    { id = \"12\"; name = \"b\"; } ); members = [ \"1\", \"2\", \"3\" ];\n"
	"    moderators = [ \"2\" ]; },\n"
	"  { id = \"3000\"; name = \"three\"; channels = ( { id = \"31\"; name = \"d\"; } );\n"
	"    members = [ \"3\" ]; moderators = [ ]; } );\n";

static void say(struct gateway_bench *b, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void say(struct gateway_bench *b, const char *format, ...)
{
	size_t at = strlen(b->script);
	va_list args;

	va_start(args, format);
	vsnprintf(b->script + at, sizeof(b->script) - at, format, args);
	va_end(args);
	at = strlen(b->script);
	assert_true(at + 2 < sizeof(b->script));
	memcpy(b->script + at, "\n", 2);
}

static void flags_print(const struct node_msg *msg, char out[64])
{
	snprintf(out, 64, "%s%s%s%s", msg->mute ? " mute" : "", msg->deaf ? " deaf" : "",
		msg->self_mute ? " self_mute" : "", msg->self_deaf ? " self_deaf" : "");
}

static void node_said(void *ctx, void *link, const struct node_msg *msg)
{
	struct gateway_bench *b = ctx;
	const char *name = link;
	char flags[64];

	switch (msg->op) {
	case NODE_OP_REGISTERED:
		say(b, "%s registered", name);
		return;
	case NODE_OP_PING:
		return;
	case NODE_OP_ASSIGN:
		b->last_epoch = msg->epoch;
		say(b, "%s assign %" PRIu64, name, msg->guild_id);
		break;
	case NODE_OP_UNASSIGN:
		say(b, "%s unassign %" PRIu64 " epoch %" PRIu64, name, msg->guild_id, msg->epoch);
		break;
	case NODE_OP_VOICE_STATE:
		flags_print(msg, flags);
		say(b, "%s state guild %" PRIu64 " user %" PRIu64 " channel %" PRIu64 "%s%s", name,
			msg->guild_id, msg->user_id, msg->channel_id,
			msg->has_token ? " token" : "", flags);
		for (unsigned i = 0; msg->has_token && i < DIGEST_SIZE; i++)
			snprintf(b->last_digest + 2 * i, 3, "%02x", msg->token_digest[i]);
		break;
	case NODE_OP_REGISTER:
	case NODE_OP_ACK:
	case NODE_OP_PONG:
	case NODE_OP_LEFT:
	case NODE_OP_REPORT:
	case NODE_OP_UNKNOWN:
	case NODE_OP_COUNT:
		fail_msg("op %d to a node", (int)msg->op);
	}
	b->last_seq = msg->seq;
}

static void node_closed(void *ctx, void *link, uint16_t code, const char *reason)
{
	(void)reason;
	say(ctx, "%s close %u", (const char *)link, code);
}

static void state_said(void *ctx, const struct guild *guild, const struct member *member)
{
	const struct voice *voice = &member->voice;

	say(ctx, "state guild %" PRIu64 " user %" PRIu64 " channel %" PRIu64 "%s%s%s%s", guild->id,
		member->user->id, voice->channel_id, voice->mute ? " mute" : "",
		voice->deaf ? " deaf" : "", voice->self_mute ? " self_mute" : "",
		voice->self_deaf ? " self_deaf" : "");
}

static void server_said(void *ctx, const struct guild *guild, const struct member *member,
	const char *token, const char *endpoint)
{
	struct gateway_bench *b = ctx;

	snprintf(b->last_token, sizeof(b->last_token), "%s", token == NULL ? "" : token);
	say(b, "server guild %" PRIu64 " user %" PRIu64 " session %s at %s", guild->id,
		member->user->id, member->voice.session_id, endpoint == NULL ? "null" : endpoint);
}

static void state_sent(void *ctx, const struct guild *guild, const struct member *member)
{
	hub_voice_state(&((struct gateway_bench *)ctx)->hub, guild, member);
}

static void server_sent(void *ctx, const struct guild *guild, const struct member *member,
	const char *token, const char *endpoint)
{
	struct gateway_bench *b = ctx;

	snprintf(b->last_token, sizeof(b->last_token), "%s", token == NULL ? "" : token);
	hub_voice_server(&b->hub, guild, member, token, endpoint);
}

// A request of a core-only bench is its name.
static void done_said(void *ctx, void *request, int error)
{
	say(ctx, "done %s %d", (const char *)request, error);
}

static void done_sent(void *ctx, void *request, int error)
{
	rest_done(&((struct gateway_bench *)ctx)->rest, request, error);
}

static void random_fill(void *ctx, uint8_t *out, size_t size)
{
	struct gateway_bench *b = ctx;

	b->random++;
	memset(out, b->random, size);
}

static uint64_t unix_ms(void *ctx)
{
	return ((struct gateway_bench *)ctx)->unix_ms;
}

static const struct core_output core_only_output = {
	node_said, node_closed, state_said, server_said, done_said, random_fill, unix_ms};
static const struct core_output whole_output = {
	node_said, node_closed, state_sent, server_sent, done_sent, random_fill, unix_ms};

static struct gateway_bench *whole; // the frames' output has no context of its own

static void frame_said(void *link, const char *text, size_t size)
{
	json_t *frame = json_loadb(text, size, 0, NULL);
	const json_t *d = json_object_get(frame, "d");
	const char *type = json_string_value(json_object_get(frame, "t"));
	long op = (long)json_integer_value(json_object_get(frame, "op"));

	assert_non_null(frame);
	assert_int_equal(strlen(text), size);
	if (type == NULL) {
		say(whole, "%s op %ld%s", (const char *)link, op, json_is_false(d) ? " false" : "");
	} else {
		say(whole, "%s %s s %ld", (const char *)link, type,
			(long)json_integer_value(json_object_get(frame, "s")));
		if (strcmp(type, "READY") == 0)
			snprintf(whole->last_session, sizeof(whole->last_session), "%s",
				json_string_value(json_object_get(d, "session_id")));
	}
	json_decref(frame);
}

static void client_close_said(void *link, uint16_t code, const char *reason)
{
	(void)reason;
	say(whole, "%s close %u", (const char *)link, code);
}

static const struct hub_output hub_output = {frame_said, client_close_said};

static void respond_said(struct http_exchange *exchange, unsigned status, const char *content_type,
	const char *body, size_t body_size)
{
	(void)exchange;
	(void)content_type;
	assert_int_equal(strlen(body), body_size);
	say(whole, "%u %s", status, body);
}

struct gateway_bench *gateway_bench_create(bool core_only)
{
	struct gateway_bench *b = calloc(1, sizeof(*b));
	struct config_problems problems = {0};

	assert_non_null(b);
	if (gateway_config_parse(
		    "test", config_text, sizeof(config_text) - 1, &b->config, &problems) != 0)
		fail_msg("%s", problems.text);
	assert_int_equal(model_init(&b->model, &b->config), 0);
	b->now_ms = 1000000;
	b->unix_ms = 1700000000000;
	b->core = core_create(&(struct core_params){.model = &b->model,
		.config = &b->config,
		.output = core_only ? &core_only_output : &whole_output,
		.ctx = b});
	assert_non_null(b->core);
	b->hub = (struct hub){.config = &b->config,
		.model = &b->model,
		.core = b->core,
		.output = &hub_output,
		.random = random_fill,
		.random_ctx = b};
	b->rest = (struct rest){.hub = &b->hub, .respond = respond_said};
	whole = b;
	return b;
}

void gateway_bench_destroy(struct gateway_bench *b)
{
	core_requests_end(b->core, -EIO);
	while (b->hub.clients != NULL)
		client_closed(b->hub.clients, 1006, b->now_ms);
	hub_fini(&b->hub);
	core_destroy(b->core);
	model_fini(&b->model);
	gateway_config_free(&b->config);
	free(b);
	whole = NULL;
}

void gateway_bench_expect(struct gateway_bench *b, const char *lines)
{
	assert_string_equal(b->script, lines);
	b->script[0] = '\0';
}

void gateway_bench_forget(struct gateway_bench *b)
{
	b->script[0] = '\0';
}

unsigned gateway_bench_count(const struct gateway_bench *b, const char *begin)
{
	unsigned count = 0;

	for (const char *line = b->script; *line != '\0'; line = strchr(line, '\n') + 1)
		count += strncmp(line, begin, strlen(begin)) == 0;
	return count;
}

struct core_node *gateway_bench_node(struct gateway_bench *b, const char *name, const char *guilds)
{
	struct node_guild list[8];
	struct node_msg msg = {.op = NODE_OP_REGISTER,
		.contract = NODE_CONTRACT,
		.worker_count = 2,
		.guilds = list};
	uint16_t code;
	const char *why;
	int used;

	snprintf(msg.name, sizeof(msg.name), "%s", name);
	snprintf(msg.secret, sizeof(msg.secret), "sesame");
	snprintf(msg.endpoint, sizeof(msg.endpoint), "%s.test:443", name);
	while (sscanf(guilds, "%" SCNu64 ":%" SCNu64 "%n", &list[msg.guild_count].guild_id,
		       &list[msg.guild_count].epoch, &used) == 2) {
		msg.guild_count++;
		guilds += used + (guilds[used] == ',');
	}
	return core_node_register(b->core, (void *)(uintptr_t)name, &msg, b->now_ms, &code, &why);
}

void gateway_bench_ack(struct gateway_bench *b, struct core_node *node, uint64_t seq, int error)
{
	struct node_msg msg = {.op = NODE_OP_ACK, .seq = seq, .error = error};

	core_node_message(b->core, node, &msg, b->now_ms);
}

void gateway_bench_pass(struct gateway_bench *b, uint64_t ms, struct core_node *const *alive)
{
	struct node_msg pong = {.op = NODE_OP_PONG};

	for (uint64_t passed = 0; passed < ms; passed += 50) {
		b->now_ms += 50;
		b->unix_ms += 50;
		core_tick(b->core, b->now_ms);
		// A node answers whatever ping is newest: try the few that it may be.
		for (unsigned i = 0; alive != NULL && alive[i] != NULL; i++)
			for (pong.seq = 1; pong.seq < 200; pong.seq++)
				core_node_message(b->core, alive[i], &pong, b->now_ms);
	}
}
