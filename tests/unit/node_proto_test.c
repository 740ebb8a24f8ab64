// SPDX-License-Identifier: BSD-3-Clause
//
// The node protocol's codec: golden texts both ways, every truncation, every missing member, and
// what hostile peers send.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json/json.h"
#include "register/node_proto.h"

static struct node_guild guilds[] = {{1, 1700000000000}, {UINT64_MAX, 0}};
static struct node_worker workers[] = {{18000000, 15750000, 0}, {200, 175, 198}};

#define DIGEST "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff"

static const struct golden {
	struct node_msg msg;
	const char *text;
} golden[] = {
	{{.op = NODE_OP_REGISTER,
		 .name = "n1",
		 .region = "eu",
		 .secret = "s",
		 .contract = 1,
		 .endpoint = "127.0.0.1:8443",
		 .worker_count = 2,
		 .guilds = guilds,
		 .guild_count = 2},
		"{\"op\":\"register\",\"name\":\"n1\",\"region\":\"eu\",\"secret\":\"s\","
		"\"contract\":1,\"endpoint\":\"127.0.0.1:8443\",\"workers\":2,\"guilds\":["
		"{\"guild\":\"1\",\"epoch\":1700000000000},"
		"{\"guild\":\"18446744073709551615\",\"epoch\":0}]}"},
	{{.op = NODE_OP_REGISTERED, .name = "n1", .ping_ms = 1000},
		"{\"op\":\"registered\",\"node\":\"n1\",\"ping_ms\":1000}"},
	{{.op = NODE_OP_ASSIGN, .seq = 7, .guild_id = 5, .epoch = 6},
		"{\"op\":\"assign\",\"seq\":7,\"guild\":\"5\",\"epoch\":6}"},
	{{.op = NODE_OP_UNASSIGN, .seq = INT64_MAX, .guild_id = 5, .epoch = INT64_MAX},
		"{\"op\":\"unassign\",\"seq\":9223372036854775807,\"guild\":\"5\","
		"\"epoch\":9223372036854775807}"},
	{{.op = NODE_OP_VOICE_STATE,
		 .seq = 8,
		 .guild_id = 5,
		 .epoch = 6,
		 .user_id = 9,
		 .channel_id = 10,
		 .session_id = "abc",
		 .has_token = true,
		 .token_digest = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
			 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 255},
		 .deaf = true,
		 .self_mute = true},
		"{\"op\":\"voice_state\",\"seq\":8,\"guild\":\"5\",\"epoch\":6,\"user\":\"9\","
		"\"channel\":\"10\",\"session\":\"abc\",\"token_digest\":\"" DIGEST "\","
		"\"deaf\":true,\"mute\":false,\"self_deaf\":false,\"self_mute\":true,"
		"\"suppress\":false}"},
	{{.op = NODE_OP_VOICE_STATE,
		 .seq = 8,
		 .guild_id = 5,
		 .epoch = 6,
		 .user_id = 9,
		 .session_id = "abc",
		 .mute = true,
		 .self_deaf = true,
		 .suppress = true},
		"{\"op\":\"voice_state\",\"seq\":8,\"guild\":\"5\",\"epoch\":6,\"user\":\"9\","
		"\"channel\":null,\"session\":\"abc\",\"deaf\":false,\"mute\":true,"
		"\"self_deaf\":true,\"self_mute\":false,\"suppress\":true}"},
	{{.op = NODE_OP_ACK, .seq = 8}, "{\"op\":\"ack\",\"seq\":8,\"error\":0}"},
	{{.op = NODE_OP_ACK, .seq = 8, .error = -ESTALE, .why = "old epoch"},
		"{\"op\":\"ack\",\"seq\":8,\"error\":-116,\"why\":\"old epoch\"}"},
	{{.op = NODE_OP_ACK,
		 .seq = 8,
		 .error = -EDQUOT,
		 .why = "no worker",
		 .no_budget = true,
		 .refusal = {1, 200, 171, 66}},
		"{\"op\":\"ack\",\"seq\":8,\"error\":-122,\"why\":\"no worker\","
		"\"no_budget\":{\"worker\":1,\"capacity\":200,\"used\":171,\"price\":66}}"},
	{{.op = NODE_OP_REPORT, .worker_count = 2, .workers = workers},
		"{\"op\":\"report\",\"workers\":["
		"{\"capacity\":18000000,\"budget\":15750000,\"used\":0},"
		"{\"capacity\":200,\"budget\":175,\"used\":198}]}"},
	{{.op = NODE_OP_PING, .seq = 3}, "{\"op\":\"ping\",\"n\":3}"},
	{{.op = NODE_OP_PONG, .seq = 3}, "{\"op\":\"pong\",\"n\":3}"},
	{{.op = NODE_OP_LEFT, .guild_id = 5, .user_id = 9, .session_id = "abc"},
		"{\"op\":\"left\",\"guild\":\"5\",\"user\":\"9\",\"session\":\"abc\"}"},
};

#define GOLDEN_COUNT (sizeof(golden) / sizeof(golden[0]))

static void same(const struct node_msg *a, const struct node_msg *b)
{
	struct node_msg left = *a, right = *b;

	assert_int_equal(left.guild_count, right.guild_count);
	for (uint32_t i = 0; i < left.guild_count; i++) {
		assert_true(left.guilds[i].guild_id == right.guilds[i].guild_id);
		assert_true(left.guilds[i].epoch == right.guilds[i].epoch);
	}
	left.guilds = right.guilds = NULL;
	assert_int_equal(left.worker_count, right.worker_count);
	assert_int_equal(left.workers != NULL, right.workers != NULL);
	for (uint32_t i = 0; left.workers != NULL && i < left.worker_count; i++)
		assert_memory_equal(&left.workers[i], &right.workers[i], sizeof(left.workers[i]));
	left.workers = right.workers = NULL;
	assert_memory_equal(&left, &right, sizeof(left));
}

static void every_op_is_written_and_read_as_golden(void **state)
{
	bool seen[NODE_OP_COUNT] = {false};

	(void)state;
	for (size_t i = 0; i < GOLDEN_COUNT; i++) {
		struct node_msg msg;
		char *text = node_msg_encode(&golden[i].msg);

		assert_string_equal(text, golden[i].text);
		assert_int_equal(node_msg_decode(text, strlen(text), &msg), 0);
		same(&msg, &golden[i].msg);
		seen[msg.op] = true;
		node_msg_fini(&msg);
		assert_int_equal(msg.secret[0], 0);
		free(text);
	}
	for (enum node_op op = NODE_OP_UNKNOWN + 1; op < NODE_OP_COUNT; op++)
		assert_true(seen[op]);
}

static void refuses_every_truncation(void **state)
{
	struct node_msg msg;

	(void)state;
	for (size_t i = 0; i < GOLDEN_COUNT; i++)
		for (size_t size = 0; size < strlen(golden[i].text); size++) {
			char *cut = malloc(size + 1); // exact, so that a sanitizer sees an overrun

			memcpy(cut, golden[i].text, size);
			assert_int_equal(node_msg_decode(cut, size, &msg), -EPROTO);
			assert_true(msg.why[0] != '\0');
			free(cut);
		}
}

static int decode_value(json_t *object)
{
	struct node_msg msg;
	char *text = json_dumps(object, JSON_COMPACT);
	int error = node_msg_decode(text, strlen(text), &msg);

	if (error == 0)
		node_msg_fini(&msg);
	free(text);
	return error;
}

static bool optional(const char *name)
{
	static const char *const names[] = {"token_digest", "deaf", "mute", "self_deaf",
		"self_mute", "suppress", "why", "no_budget"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static void refuses_every_missing_or_mistyped_member(void **state)
{
	(void)state;
	for (size_t i = 0; i < GOLDEN_COUNT; i++) {
		json_t *object = json_loads(golden[i].text, 0, NULL);
		const char *name;
		json_t *value;

		json_object_foreach(object, name, value)
		{
			json_t *copy = json_copy(object);

			json_object_del(copy, name);
			assert_int_equal(decode_value(copy), optional(name) ? 0 : -EPROTO);
			json_object_set_new(copy, name, json_pack("[[]]"));
			if (strcmp(name, "why") != 0)
				assert_int_equal(decode_value(copy), -EPROTO);
			json_object_set_new(copy, name, json_integer(-5000));
			if (strcmp(name, "why") != 0)
				assert_int_equal(decode_value(copy), -EPROTO);
			json_decref(copy);
		}
		json_object_set_new(object, "later_member", json_pack("{s:i}", "x", 1));
		assert_int_equal(decode_value(object), 0);
		json_decref(object);
	}
}

static int decode(const char *text)
{
	struct node_msg msg;
	int error = node_msg_decode(text, strlen(text), &msg);

	if (error == 0)
		node_msg_fini(&msg);
	return error;
}

static void hostile_texts_are_refused(void **state)
{
	static const char *const refused[] = {
		"[]",
		"null",
		"{\"op\":1}",
		"{\"op\":\"ping\",\"n\":1,\"n\":2}",
		"{\"op\":\"ping\",\"n\":1.5}",
		"{\"op\":\"ping\",\"n\":99999999999999999999}",
		"{\"op\":\"assign\",\"seq\":1,\"guild\":\"0\",\"epoch\":1}",
		"{\"op\":\"assign\",\"seq\":1,\"guild\":\"18446744073709551616\",\"epoch\":1}",
		"{\"op\":\"ack\",\"seq\":1,\"error\":1}",
		"{\"op\":\"ack\",\"seq\":1,\"error\":0,\"no_budget\":{\"worker\":0,"
		"\"capacity\":1,\"used\":1,\"price\":1}}",
		"{\"op\":\"ack\",\"seq\":1,\"error\":-122,\"no_budget\":{\"worker\":64,"
		"\"capacity\":1,\"used\":1,\"price\":1}}",
		"{\"op\":\"ack\",\"seq\":1,\"error\":-122,\"no_budget\":{\"worker\":0,"
		"\"capacity\":1,\"used\":1}}",
		"{\"op\":\"report\",\"workers\":[]}",
		"{\"op\":\"report\",\"workers\":[{\"capacity\":1,\"budget\":1}]}",
		"{\"op\":\"report\",\"workers\":[{\"capacity\":1,\"budget\":1,"
		"\"used\":1000000000001}]}",
		"{\"op\":\"left\",\"guild\":1,\"user\":2,\"session\":\"\"}",
		"{\"op\":\"left\",\"guild\":1,\"user\":2,\"session\":"
		"\"12345678901234567890123456789012345678901234567890123456789012345\"}",
		"{\"op\":\"voice_state\",\"seq\":1,\"guild\":1,\"epoch\":1,\"user\":1,"
		"\"channel\":1,\"session\":\"s\",\"token_digest\":\"00\"}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (decode(refused[i]) != -EPROTO)
			fail_msg("%s", refused[i]);
	assert_int_equal(decode("{\"op\":\"assign\",\"seq\":1,\"guild\":7,\"epoch\":1}"), 0);
}

static void an_unknown_op_is_no_error(void **state)
{
	static const char text[] = "{\"op\":\"dance\",\"seq\":\"x\"}";
	struct node_msg msg;

	(void)state;
	assert_int_equal(node_msg_decode(text, sizeof(text) - 1, &msg), 0);
	assert_int_equal(msg.op, NODE_OP_UNKNOWN);
	node_msg_fini(&msg);
}

static void the_number_of_guilds_has_a_bound(void **state)
{
	(void)state;
	for (unsigned count = NODE_GUILDS_MAX; count <= NODE_GUILDS_MAX + 1; count++) {
		json_t *object = json_loads(golden[0].text, 0, NULL);
		json_t *list = json_object_get(object, "guilds");
		char *text;

		json_array_clear(list);
		for (unsigned i = 0; i < count; i++)
			json_array_append_new(list, json_pack("{s:i,s:i}", "guild", 1, "epoch", 1));
		text = json_dumps(object, JSON_COMPACT);
		assert_int_equal(decode(text), count <= NODE_GUILDS_MAX ? 0 : -EPROTO);
		free(text);
		json_decref(object);
	}
}

static void the_number_of_workers_has_a_bound(void **state)
{
	(void)state;
	for (unsigned count = NODE_WORKERS_MAX; count <= NODE_WORKERS_MAX + 1; count++) {
		json_t *list = json_array();
		json_t *object = json_pack("{s:s,s:o}", "op", "report", "workers", list);
		char *text;

		for (unsigned i = 0; i < count; i++)
			json_array_append_new(list,
				json_pack("{s:i,s:i,s:i}", "capacity", 1, "budget", 1, "used", 1));
		text = json_dumps(object, JSON_COMPACT);
		assert_int_equal(decode(text), count <= NODE_WORKERS_MAX ? 0 : -EPROTO);
		free(text);
		json_decref(object);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_op_is_written_and_read_as_golden),
		cmocka_unit_test(refuses_every_truncation),
		cmocka_unit_test(refuses_every_missing_or_mistyped_member),
		cmocka_unit_test(hostile_texts_are_refused),
		cmocka_unit_test(an_unknown_op_is_no_error),
		cmocka_unit_test(the_number_of_guilds_has_a_bound),
		cmocka_unit_test(the_number_of_workers_has_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
