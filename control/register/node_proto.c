// SPDX-License-Identifier: BSD-3-Clause
//
// The codec of node_proto.h: strict about what it knows, deaf to what it does not.
#include "register/node_proto.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json/json.h"

#define DIGEST_TEXT_SIZE (2 * NODE_DIGEST_SIZE + 1)
#define ERRNO_MAX 4095 // the kernel's own bound
#define NUMBER_MAX ((uint64_t)INT64_MAX)
#define PPS_MAX 1000000000000ull // so that the sum of all workers of all nodes fits

static const char *const op_names[] = {[NODE_OP_UNKNOWN] = NULL,
#define OP_NAME(name, text) [NODE_OP_##name] = text,
	NODE_OPS(OP_NAME)
#undef OP_NAME
};

static int refuse(struct node_msg *msg, const char *what)
{
	snprintf(msg->why, sizeof(msg->why), "%s", what);
	return -EPROTO;
}

static enum node_op op_find(const char *text)
{
	for (enum node_op op = NODE_OP_UNKNOWN + 1; op < NODE_OP_COUNT; op++)
		if (strcmp(op_names[op], text) == 0)
			return op;
	return NODE_OP_UNKNOWN;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool digest_parse(const char *text, uint8_t digest[NODE_DIGEST_SIZE])
{
	if (text == NULL || strlen(text) != DIGEST_TEXT_SIZE - 1)
		return false;
	for (unsigned i = 0; i < NODE_DIGEST_SIZE; i++) {
		int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		digest[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static void digest_print(const uint8_t digest[NODE_DIGEST_SIZE], char text[DIGEST_TEXT_SIZE])
{
	for (unsigned i = 0; i < NODE_DIGEST_SIZE; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
}

// Copies a member that must be there and hold at least one character.
static bool text_required(const json_t *object, const char *name, char *out, size_t size)
{
	return json_copy_string(object, name, out, size) && out[0] != '\0';
}

static bool seq_get(const json_t *object, const char *name, struct node_msg *msg)
{
	return json_get_uint(object, name, NUMBER_MAX, &msg->seq);
}

static bool guild_get(const json_t *object, uint64_t *guild_id, uint64_t *epoch)
{
	return json_get_id(object, "guild", guild_id) && *guild_id != 0 &&
	       json_get_uint(object, "epoch", NUMBER_MAX, epoch);
}

static int guilds_decode(const json_t *list, struct node_msg *msg)
{
	size_t count = json_array_size(list);

	if (!json_is_array(list) || count > NODE_GUILDS_MAX)
		return refuse(msg, "guilds: a list of at most 16384");
	if (count == 0)
		return 0;
	msg->guilds = calloc(count, sizeof(msg->guilds[0]));
	if (msg->guilds == NULL)
		return refuse(msg, "out of memory");
	for (size_t i = 0; i < count; i++) {
		struct node_guild *guild = &msg->guilds[i];

		if (!guild_get(json_array_get(list, i), &guild->guild_id, &guild->epoch))
			return refuse(msg, "guilds: each is {guild, epoch}");
		msg->guild_count++;
	}
	return 0;
}

static int register_decode(const json_t *object, struct node_msg *msg)
{
	uint64_t contract, worker_count;

	if (!text_required(object, "name", msg->name, sizeof(msg->name)))
		return refuse(msg, "name: a text of 1 to 63 bytes");
	if (!json_copy_string(object, "region", msg->region, sizeof(msg->region)))
		return refuse(msg, "region: a text of at most 63 bytes");
	if (!json_copy_string(object, "secret", msg->secret, sizeof(msg->secret)))
		return refuse(msg, "secret: a text of at most 127 bytes");
	if (!text_required(object, "endpoint", msg->endpoint, sizeof(msg->endpoint)))
		return refuse(msg, "endpoint: host:port, at most 127 bytes");
	if (!json_get_uint(object, "contract", UINT32_MAX, &contract))
		return refuse(msg, "contract: a number");
	if (!json_get_uint(object, "workers", UINT32_MAX, &worker_count))
		return refuse(msg, "workers: a number");
	msg->contract = (uint32_t)contract;
	msg->worker_count = (uint32_t)worker_count;
	return guilds_decode(json_object_get(object, "guilds"), msg);
}

static int registered_decode(const json_t *object, struct node_msg *msg)
{
	uint64_t ping_ms;

	if (!text_required(object, "node", msg->name, sizeof(msg->name)))
		return refuse(msg, "node: a text of 1 to 63 bytes");
	if (!json_get_uint(object, "ping_ms", UINT32_MAX, &ping_ms))
		return refuse(msg, "ping_ms: a number");
	msg->ping_ms = (uint32_t)ping_ms;
	return 0;
}

static int assign_decode(const json_t *object, struct node_msg *msg)
{
	if (!seq_get(object, "seq", msg) || !guild_get(object, &msg->guild_id, &msg->epoch))
		return refuse(msg, "needs seq, guild, epoch");
	return 0;
}

// Absent flags are false; a flag that is no boolean is an error, since it may be a mute.
static bool flag_get(const json_t *object, const char *name, bool *out)
{
	const json_t *value = json_object_get(object, name);

	*out = json_is_true(value);
	return value == NULL || json_is_boolean(value);
}

static int voice_state_decode(const json_t *object, struct node_msg *msg)
{
	const json_t *channel = json_object_get(object, "channel");
	const json_t *digest = json_object_get(object, "token_digest");

	if (assign_decode(object, msg) != 0)
		return -EPROTO;
	if (!json_get_id(object, "user", &msg->user_id) || msg->user_id == 0)
		return refuse(msg, "user: an id");
	if (!json_is_null(channel) &&
		(!json_is_id(channel, &msg->channel_id) || msg->channel_id == 0))
		return refuse(msg, "channel: an id or null");
	if (!text_required(object, "session", msg->session_id, sizeof(msg->session_id)))
		return refuse(msg, "session: a text of 1 to 64 bytes");
	if (digest != NULL && !json_is_null(digest)) {
		if (!digest_parse(json_string_value(digest), msg->token_digest))
			return refuse(msg, "token_digest: 64 lower-case hex digits");
		msg->has_token = true;
	}
	if (!flag_get(object, "deaf", &msg->deaf) || !flag_get(object, "mute", &msg->mute) ||
		!flag_get(object, "self_deaf", &msg->self_deaf) ||
		!flag_get(object, "self_mute", &msg->self_mute) ||
		!flag_get(object, "suppress", &msg->suppress))
		return refuse(msg, "deaf, mute, self_deaf, self_mute, suppress: true or false");
	return 0;
}

static int refusal_decode(const json_t *object, struct node_msg *msg)
{
	struct node_refusal *refusal = &msg->refusal;
	uint64_t worker;

	if (!json_get_uint(object, "worker", NODE_WORKERS_MAX - 1, &worker) ||
		!json_get_uint(object, "capacity", PPS_MAX, &refusal->capacity_pps) ||
		!json_get_uint(object, "used", PPS_MAX, &refusal->used_pps) ||
		!json_get_uint(object, "price", PPS_MAX, &refusal->price_pps))
		return refuse(msg, "no_budget: needs worker, capacity, used, price");
	refusal->worker = (uint32_t)worker;
	msg->no_budget = true;
	return 0;
}

static int ack_decode(const json_t *object, struct node_msg *msg)
{
	const json_t *error = json_object_get(object, "error");
	const json_t *no_budget = json_object_get(object, "no_budget");
	const char *why = json_get_string(object, "why");

	if (!seq_get(object, "seq", msg))
		return refuse(msg, "seq: a number");
	if (!json_is_integer(error) || json_integer_value(error) > 0 ||
		json_integer_value(error) < -ERRNO_MAX)
		return refuse(msg, "error: 0 or a negative errno");
	msg->error = (int)json_integer_value(error);
	snprintf(msg->why, sizeof(msg->why), "%s", why == NULL ? "" : why);
	if (no_budget == NULL)
		return 0;
	return msg->error != 0 ? refusal_decode(no_budget, msg)
			       : refuse(msg, "no_budget: not without an error");
}

static int report_decode(const json_t *object, struct node_msg *msg)
{
	const json_t *list = json_object_get(object, "workers");
	size_t count = json_array_size(list);

	if (!json_is_array(list) || count == 0 || count > NODE_WORKERS_MAX)
		return refuse(msg, "workers: a list of 1 to 64");
	msg->workers = calloc(count, sizeof(msg->workers[0]));
	if (msg->workers == NULL)
		return refuse(msg, "out of memory");
	for (size_t i = 0; i < count; i++) {
		const json_t *item = json_array_get(list, i);
		struct node_worker *worker = &msg->workers[i];

		if (!json_get_uint(item, "capacity", PPS_MAX, &worker->capacity_pps) ||
			!json_get_uint(item, "budget", PPS_MAX, &worker->budget_pps) ||
			!json_get_uint(item, "used", PPS_MAX, &worker->used_pps))
			return refuse(msg, "workers: each is {capacity, budget, used}");
		msg->worker_count++;
	}
	return 0;
}

static int left_decode(const json_t *object, struct node_msg *msg)
{
	if (!json_get_id(object, "guild", &msg->guild_id) || msg->guild_id == 0 ||
		!json_get_id(object, "user", &msg->user_id) || msg->user_id == 0 ||
		!text_required(object, "session", msg->session_id, sizeof(msg->session_id)))
		return refuse(msg, "needs guild, user, session");
	return 0;
}

static int msg_decode(const json_t *object, struct node_msg *msg)
{
	const char *op = json_get_string(object, "op");

	if (op == NULL)
		return refuse(msg, "op: a text");
	msg->op = op_find(op);
	switch (msg->op) {
	case NODE_OP_REGISTER:
		return register_decode(object, msg);
	case NODE_OP_REGISTERED:
		return registered_decode(object, msg);
	case NODE_OP_ASSIGN:
	case NODE_OP_UNASSIGN:
		return assign_decode(object, msg);
	case NODE_OP_VOICE_STATE:
		return voice_state_decode(object, msg);
	case NODE_OP_ACK:
		return ack_decode(object, msg);
	case NODE_OP_PING:
	case NODE_OP_PONG:
		return seq_get(object, "n", msg) ? 0 : refuse(msg, "n: a number");
	case NODE_OP_LEFT:
		return left_decode(object, msg);
	case NODE_OP_REPORT:
		return report_decode(object, msg);
	case NODE_OP_UNKNOWN:
	case NODE_OP_COUNT:
		break;
	}
	return 0;
}

int node_msg_decode(const char *text, size_t size, struct node_msg *msg)
{
	json_t *object;
	int error;

	*msg = (struct node_msg){0};
	if (size > NODE_MESSAGE_SIZE_MAX)
		return refuse(msg, "longer than 1 MiB");
	object = json_decode(text, size, msg->why, sizeof(msg->why));
	if (object == NULL)
		return -EPROTO;
	error = msg_decode(object, msg);
	json_decref(object);
	if (error != 0)
		node_msg_fini(msg);
	return error;
}

void node_msg_fini(struct node_msg *msg)
{
	free(msg->guilds);
	msg->guilds = NULL;
	msg->guild_count = 0;
	free(msg->workers);
	msg->workers = NULL;
	explicit_bzero(msg->secret, sizeof(msg->secret));
}

// --- encoding ---

static json_t *register_encode(const struct node_msg *msg)
{
	json_t *guilds = json_array();

	for (uint32_t i = 0; i < msg->guild_count; i++)
		json_array_append_new(
			guilds, json_pack("{s:o,s:I}", "guild", json_id(msg->guilds[i].guild_id),
					"epoch", (json_int_t)msg->guilds[i].epoch));
	return json_pack("{s:s,s:s,s:s,s:s,s:I,s:s,s:I,s:o}", "op", op_names[msg->op], "name",
		msg->name, "region", msg->region, "secret", msg->secret, "contract",
		(json_int_t)msg->contract, "endpoint", msg->endpoint, "workers",
		(json_int_t)msg->worker_count, "guilds", guilds);
}

static json_t *assign_encode(const struct node_msg *msg)
{
	return json_pack("{s:s,s:I,s:o,s:I}", "op", op_names[msg->op], "seq", (json_int_t)msg->seq,
		"guild", json_id(msg->guild_id), "epoch", (json_int_t)msg->epoch);
}

static json_t *voice_state_encode(const struct node_msg *msg)
{
	char digest[DIGEST_TEXT_SIZE];
	json_t *object = assign_encode(msg);

	json_object_set_new(object, "user", json_id(msg->user_id));
	json_object_set_new(object, "channel", json_id_or_null(msg->channel_id));
	json_object_set_new(object, "session", json_string(msg->session_id));
	if (msg->has_token) {
		digest_print(msg->token_digest, digest);
		json_object_set_new(object, "token_digest", json_string(digest));
	}
	json_object_set_new(object, "deaf", json_boolean(msg->deaf));
	json_object_set_new(object, "mute", json_boolean(msg->mute));
	json_object_set_new(object, "self_deaf", json_boolean(msg->self_deaf));
	json_object_set_new(object, "self_mute", json_boolean(msg->self_mute));
	json_object_set_new(object, "suppress", json_boolean(msg->suppress));
	return object;
}

static json_t *ack_encode(const struct node_msg *msg)
{
	json_t *object = json_pack("{s:s,s:I,s:i}", "op", op_names[msg->op], "seq",
		(json_int_t)msg->seq, "error", msg->error);

	if (msg->error != 0 && msg->why[0] != '\0')
		json_object_set_new(object, "why", json_string(msg->why));
	if (msg->no_budget)
		json_object_set_new(object, "no_budget",
			json_pack("{s:I,s:I,s:I,s:I}", "worker", (json_int_t)msg->refusal.worker,
				"capacity", (json_int_t)msg->refusal.capacity_pps, "used",
				(json_int_t)msg->refusal.used_pps, "price",
				(json_int_t)msg->refusal.price_pps));
	return object;
}

static json_t *report_encode(const struct node_msg *msg)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < msg->worker_count; i++)
		json_array_append_new(
			list, json_pack("{s:I,s:I,s:I}", "capacity",
				      (json_int_t)msg->workers[i].capacity_pps, "budget",
				      (json_int_t)msg->workers[i].budget_pps, "used",
				      (json_int_t)msg->workers[i].used_pps));
	return json_pack("{s:s,s:o}", "op", op_names[msg->op], "workers", list);
}

char *node_msg_encode(const struct node_msg *msg)
{
	switch (msg->op) {
	case NODE_OP_REGISTER:
		return json_encode(register_encode(msg));
	case NODE_OP_REGISTERED:
		return json_encode(json_pack("{s:s,s:s,s:I}", "op", op_names[msg->op], "node",
			msg->name, "ping_ms", (json_int_t)msg->ping_ms));
	case NODE_OP_ASSIGN:
	case NODE_OP_UNASSIGN:
		return json_encode(assign_encode(msg));
	case NODE_OP_VOICE_STATE:
		return json_encode(voice_state_encode(msg));
	case NODE_OP_ACK:
		return json_encode(ack_encode(msg));
	case NODE_OP_PING:
	case NODE_OP_PONG:
		return json_encode(
			json_pack("{s:s,s:I}", "op", op_names[msg->op], "n", (json_int_t)msg->seq));
	case NODE_OP_LEFT:
		return json_encode(json_pack("{s:s,s:o,s:o,s:s}", "op", op_names[msg->op], "guild",
			json_id(msg->guild_id), "user", json_id(msg->user_id), "session",
			msg->session_id));
	case NODE_OP_REPORT:
		return json_encode(report_encode(msg));
	case NODE_OP_UNKNOWN:
	case NODE_OP_COUNT:
		break;
	}
	return NULL;
}
