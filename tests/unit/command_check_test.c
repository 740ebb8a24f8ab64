// SPDX-License-Identifier: BSD-3-Clause
//
// What a worker may see of control's records: good ones as a table, and each with one thing wrong.

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/command_check.h"

static const struct command_limits limits = {
	.worker_count = 2, .guild_count = 16, .session_count = 64, .room_count = 32};

static union dp_msg good(unsigned type)
{
	union dp_msg msg;

	memset(&msg, 0, sizeof(msg));
	msg.header.type = (uint16_t)type;
	msg.header.size = dp_msg_size(type);
	msg.header.worker = 1;
	switch (type) {
	case DP_MSG_GUILD_OPEN:
		msg.dp_guild_open.guild = (struct dp_handle){15, 1};
		break;
	case DP_MSG_GUILD_CLOSE:
		msg.dp_guild_close.guild = (struct dp_handle){15, UINT32_MAX};
		break;
	case DP_MSG_ROOM_OPEN:
		msg.dp_room_open.room = (struct dp_handle){31, 1};
		msg.dp_room_open.guild = (struct dp_handle){0, 1};
		msg.dp_room_open.channel_id = 7;
		break;
	case DP_MSG_ROOM_SET:
		msg.dp_room_set.room = (struct dp_handle){31, 1};
		break;
	case DP_MSG_ROOM_CLOSE:
		msg.dp_room_close.room = (struct dp_handle){0, 1};
		break;
	case DP_MSG_SESSION_ADD:
		msg.dp_session_add.session = (struct dp_handle){63, 1};
		msg.dp_session_add.guild = (struct dp_handle){0, 1};
		msg.dp_session_add.ssrc = DP_SSRCS_PER_SESSION;
		msg.dp_session_add.flags = DP_SESSION_FLAGS;
		break;
	case DP_MSG_SESSION_KEY:
		msg.dp_session_key.session = (struct dp_handle){63, 1};
		msg.dp_session_key.key_id = 1;
		msg.dp_session_key.suite = DP_SUITE_XCHACHA20_RTPSIZE;
		break;
	case DP_MSG_SESSION_HINT:
		msg.dp_session_hint.session = (struct dp_handle){63, 1};
		msg.dp_session_hint.address = (struct dp_addr){.ip = {10}, .port = 1, .family = 4};
		break;
	case DP_MSG_SESSION_SET:
		msg.dp_session_set.session = (struct dp_handle){63, 1};
		msg.dp_session_set.room = (struct dp_handle){3, 1};
		break;
	case DP_MSG_SESSION_REMOVE:
		msg.dp_session_remove.session = (struct dp_handle){63, 1};
		break;
	default:
		break;
	}
	return msg;
}

static const unsigned commands[] = {DP_MSG_GUILD_OPEN, DP_MSG_GUILD_CLOSE, DP_MSG_ROOM_OPEN,
	DP_MSG_ROOM_CLOSE, DP_MSG_SESSION_ADD, DP_MSG_SESSION_KEY, DP_MSG_SESSION_HINT,
	DP_MSG_SESSION_SET, DP_MSG_SESSION_REMOVE, DP_MSG_REPLAYED, DP_MSG_ROOM_SET};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static int check(const union dp_msg *msg)
{
	return command_check(msg, msg->header.size, &limits);
}

static void takes_the_good_ones(void **state)
{
	(void)state;
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		union dp_msg msg = good(commands[i]);

		assert_int_equal(check(&msg), 0);
	}
}

static void refuses_what_is_no_command(void **state)
{
	(void)state;
	for (unsigned type = 0; type < 65536; type++) {
		union dp_msg msg = good(type);
		bool is_command = false;

		for (size_t i = 0; i < COMMAND_COUNT; i++)
			is_command |= commands[i] == type;
		if (msg.header.size == 0)
			msg.header.size = sizeof(msg.header);
		assert_int_equal(check(&msg) == 0, is_command);
	}
}

static void refuses_every_other_size_and_worker(void **state)
{
	(void)state;
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		union dp_msg msg = good(commands[i]);
		uint16_t right = msg.header.size;

		for (size_t size = 0; size < 600; size++)
			assert_int_equal(command_check(&msg, size, &limits) == 0, size == right);
		for (uint16_t size = 0; size < 600; size++) {
			msg.header.size = size;
			assert_int_equal(command_check(&msg, right, &limits) == 0, size == right);
		}
		msg.header.size = right;
		for (uint16_t worker = 0; worker < 300; worker++) {
			msg.header.worker = worker;
			assert_int_equal(check(&msg) == 0, worker < limits.worker_count);
		}
	}
}

// Each row breaks one field of a good record.
#define BREAK(type, member, value)                      \
	do {                                            \
		union dp_msg msg = good(type);          \
		msg.member = (value);                   \
		assert_int_equal(check(&msg), -EINVAL); \
	} while (0)

static void refuses_one_wrong_field(void **state)
{
	(void)state;
	BREAK(DP_MSG_GUILD_OPEN, dp_guild_open.guild.index, 16);
	BREAK(DP_MSG_GUILD_OPEN, dp_guild_open.guild.generation, 0);
	BREAK(DP_MSG_GUILD_CLOSE, dp_guild_close.guild.index, UINT32_MAX);
	BREAK(DP_MSG_GUILD_CLOSE, dp_guild_close.guild.generation, 0);
	BREAK(DP_MSG_ROOM_OPEN, dp_room_open.room.index, 32);
	BREAK(DP_MSG_ROOM_OPEN, dp_room_open.room.generation, 0);
	BREAK(DP_MSG_ROOM_OPEN, dp_room_open.guild.index, 16);
	BREAK(DP_MSG_ROOM_OPEN, dp_room_open.guild.generation, 0);
	BREAK(DP_MSG_ROOM_OPEN, dp_room_open.peers, 2);
	BREAK(DP_MSG_ROOM_OPEN, dp_room_open.peers, 4);
	BREAK(DP_MSG_ROOM_OPEN, dp_room_open.peers, 1ull << 63);
	BREAK(DP_MSG_ROOM_SET, dp_room_set.room.index, 32);
	BREAK(DP_MSG_ROOM_SET, dp_room_set.room.generation, 0);
	BREAK(DP_MSG_ROOM_SET, dp_room_set.peers, 2);
	BREAK(DP_MSG_ROOM_SET, dp_room_set.peers, 5);
	BREAK(DP_MSG_ROOM_CLOSE, dp_room_close.room.index, 32);
	BREAK(DP_MSG_ROOM_CLOSE, dp_room_close.room.generation, 0);
	BREAK(DP_MSG_SESSION_ADD, dp_session_add.session.index, 64);
	BREAK(DP_MSG_SESSION_ADD, dp_session_add.session.generation, 0);
	BREAK(DP_MSG_SESSION_ADD, dp_session_add.guild.index, 16);
	BREAK(DP_MSG_SESSION_ADD, dp_session_add.guild.generation, 0);
	BREAK(DP_MSG_SESSION_ADD, dp_session_add.ssrc, 0);
	BREAK(DP_MSG_SESSION_ADD, dp_session_add.ssrc, DP_SSRCS_PER_SESSION + 1);
	BREAK(DP_MSG_SESSION_ADD, dp_session_add.flags, DP_SESSION_FLAGS + 1);
	BREAK(DP_MSG_SESSION_KEY, dp_session_key.session.index, 64);
	BREAK(DP_MSG_SESSION_KEY, dp_session_key.session.generation, 0);
	BREAK(DP_MSG_SESSION_KEY, dp_session_key.key_id, 0);
	BREAK(DP_MSG_SESSION_KEY, dp_session_key.suite, DP_SUITE_NONE);
	BREAK(DP_MSG_SESSION_KEY, dp_session_key.suite, DP_SUITE_COUNT);
	BREAK(DP_MSG_SESSION_KEY, dp_session_key.suite, UINT32_MAX);
	BREAK(DP_MSG_SESSION_HINT, dp_session_hint.session.index, 64);
	BREAK(DP_MSG_SESSION_HINT, dp_session_hint.session.generation, 0);
	BREAK(DP_MSG_SESSION_HINT, dp_session_hint.address.port, 0);
	BREAK(DP_MSG_SESSION_HINT, dp_session_hint.address.family, 0);
	BREAK(DP_MSG_SESSION_HINT, dp_session_hint.address.family, 5);
	BREAK(DP_MSG_SESSION_HINT, dp_session_hint.address.reserved, 1);
	BREAK(DP_MSG_SESSION_HINT, dp_session_hint.address.ip[4], 1);
	BREAK(DP_MSG_SESSION_HINT, dp_session_hint.address.ip[15], 1);
	BREAK(DP_MSG_SESSION_SET, dp_session_set.session.index, 64);
	BREAK(DP_MSG_SESSION_SET, dp_session_set.session.generation, 0);
	BREAK(DP_MSG_SESSION_SET, dp_session_set.room.index, 32);
	BREAK(DP_MSG_SESSION_SET, dp_session_set.flags, UINT32_MAX);
	BREAK(DP_MSG_SESSION_REMOVE, dp_session_remove.session.index, 64);
	BREAK(DP_MSG_SESSION_REMOVE, dp_session_remove.session.generation, 0);
}

static void no_room_is_a_place(void **state)
{
	union dp_msg add = good(DP_MSG_SESSION_ADD), set = good(DP_MSG_SESSION_SET);

	(void)state;
	add.dp_session_add.room = (struct dp_handle){0, 0};
	set.dp_session_set.room = (struct dp_handle){0, 0};
	assert_int_equal(check(&add), 0);
	assert_int_equal(check(&set), 0);
	add.dp_session_add.room = (struct dp_handle){32, 1};
	assert_int_equal(check(&add), -EINVAL);
}

static void peers_are_the_other_workers(void **state)
{
	union dp_msg open = good(DP_MSG_ROOM_OPEN), set = good(DP_MSG_ROOM_SET);
	struct command_limits many = limits;

	(void)state;
	open.dp_room_open.peers = set.dp_room_set.peers = 1;
	assert_int_equal(check(&open), 0);
	assert_int_equal(check(&set), 0);
	open.dp_room_open.channel_id = 0; // by which the parts know each other
	assert_int_equal(check(&open), -EINVAL);
	open.dp_room_open.peers = 0;
	assert_int_equal(check(&open), 0);
	many.worker_count = DP_WORKERS_MAX;
	set.header.worker = DP_WORKERS_MAX - 1;
	set.dp_room_set.peers = ~0ull >> 1;
	assert_int_equal(command_check(&set, set.header.size, &many), 0);
	set.dp_room_set.peers = 1ull << 63;
	assert_int_equal(command_check(&set, set.header.size, &many), -EINVAL);
}

static void ipv6_hints_use_all_bytes(void **state)
{
	union dp_msg msg = good(DP_MSG_SESSION_HINT);

	(void)state;
	msg.dp_session_hint.address.family = 6;
	memset(msg.dp_session_hint.address.ip, 0xfd, 16);
	assert_int_equal(check(&msg), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_the_good_ones),
		cmocka_unit_test(refuses_what_is_no_command),
		cmocka_unit_test(refuses_every_other_size_and_worker),
		cmocka_unit_test(refuses_one_wrong_field),
		cmocka_unit_test(no_room_is_a_place),
		cmocka_unit_test(peers_are_the_other_workers),
		cmocka_unit_test(ipv6_hints_use_all_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
