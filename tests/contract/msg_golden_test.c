// SPDX-License-Identifier: BSD-3-Clause
//
// The records between control and dataplane, as numbers that nobody computes: size and offset of
// every field, and the bytes of one record of each type. A change here is a change of the contract,
// and asks for a new DP_CONTRACT_VERSION.

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/dp_msg.h"

static void types_have_these_numbers_and_sizes(void **state)
{
	static const uint16_t sizes[DP_MSG_TYPE_END + 1] = {
		[1] = 80,   // HELLO
		[2] = 24,   // PEER_DOWN
		[3] = 40,   // GUILD_OPEN
		[4] = 24,   // GUILD_CLOSE
		[5] = 48,   // ROOM_OPEN
		[6] = 24,   // ROOM_CLOSE
		[7] = 48,   // SESSION_ADD
		[8] = 80,   // SESSION_KEY
		[9] = 48,   // SESSION_HINT
		[10] = 40,  // SESSION_SET
		[11] = 24,  // SESSION_REMOVE
		[12] = 16,  // REPLAYED
		[13] = 32,  // ROOM_SET
		[16] = 24,  // ACK
		[17] = 272, // DEVICE
	};
	(void)state;

	assert_int_equal(DP_CONTRACT_VERSION, 4);
	assert_int_equal(DP_MSG_NONE, 0);
	for (unsigned type = 0; type <= DP_MSG_TYPE_END; type++)
		assert_int_equal(dp_msg_size(type), sizes[type]);
	assert_int_equal(dp_msg_size(1000), 0);
	assert_int_equal(dp_msg_size(UINT32_MAX), 0);
	assert_int_equal(DP_MSG_HELLO, 1);
	assert_int_equal(DP_MSG_PEER_DOWN, 2);
	assert_int_equal(DP_MSG_GUILD_OPEN, 3);
	assert_int_equal(DP_MSG_GUILD_CLOSE, 4);
	assert_int_equal(DP_MSG_ROOM_OPEN, 5);
	assert_int_equal(DP_MSG_ROOM_CLOSE, 6);
	assert_int_equal(DP_MSG_SESSION_ADD, 7);
	assert_int_equal(DP_MSG_SESSION_KEY, 8);
	assert_int_equal(DP_MSG_SESSION_HINT, 9);
	assert_int_equal(DP_MSG_SESSION_SET, 10);
	assert_int_equal(DP_MSG_SESSION_REMOVE, 11);
	assert_int_equal(DP_MSG_REPLAYED, 12);
	assert_int_equal(DP_MSG_ROOM_SET, 13);
	assert_int_equal(DP_MSG_ACK, 16);
	assert_int_equal(DP_MSG_DEVICE, 17);
}

#define AT(type, member, offset)                                                \
	{                                                                       \
#type "." #member, offsetof(struct type, member), offset,       \
			sizeof(((struct type *)0)->member), sizeof(struct type) \
	}
static const struct {
	const char *name;
	size_t is, shall_be, size, record_size;
} fields[] = {
	AT(dp_handle, index, 0),
	AT(dp_handle, generation, 4),
	AT(dp_addr, ip, 0),
	AT(dp_addr, port, 16),
	AT(dp_addr, family, 18),
	AT(dp_addr, reserved, 19),
	AT(dp_msg_header, epoch, 0),
	AT(dp_msg_header, seq, 4),
	AT(dp_msg_header, type, 8),
	AT(dp_msg_header, size, 10),
	AT(dp_msg_header, worker, 12),
	AT(dp_msg_header, reserved, 14),
	AT(dp_hello, header, 0),
	AT(dp_hello, contract_version, 16),
	AT(dp_hello, peer_epoch, 20),
	AT(dp_hello, worker_count, 24),
	AT(dp_hello, first_port, 26),
	AT(dp_hello, sizes, 28),
	AT(dp_hello, reserved, 76),
	AT(dp_peer_down, header, 0),
	AT(dp_peer_down, peer_epoch, 16),
	AT(dp_peer_down, reserved, 20),
	AT(dp_guild_open, header, 0),
	AT(dp_guild_open, guild, 16),
	AT(dp_guild_open, guild_id, 24),
	AT(dp_guild_open, epoch, 32),
	AT(dp_guild_close, header, 0),
	AT(dp_guild_close, guild, 16),
	AT(dp_room_open, header, 0),
	AT(dp_room_open, room, 16),
	AT(dp_room_open, guild, 24),
	AT(dp_room_open, channel_id, 32),
	AT(dp_room_open, peers, 40),
	AT(dp_room_set, header, 0),
	AT(dp_room_set, room, 16),
	AT(dp_room_set, peers, 24),
	AT(dp_room_close, header, 0),
	AT(dp_room_close, room, 16),
	AT(dp_session_add, header, 0),
	AT(dp_session_add, session, 16),
	AT(dp_session_add, guild, 24),
	AT(dp_session_add, room, 32),
	AT(dp_session_add, ssrc, 40),
	AT(dp_session_add, flags, 44),
	AT(dp_session_key, header, 0),
	AT(dp_session_key, session, 16),
	AT(dp_session_key, key_id, 24),
	AT(dp_session_key, suite, 28),
	AT(dp_session_key, key, 32),
	AT(dp_session_key, salt, 64),
	AT(dp_session_key, reserved, 78),
	AT(dp_session_hint, header, 0),
	AT(dp_session_hint, session, 16),
	AT(dp_session_hint, address, 24),
	AT(dp_session_hint, reserved, 44),
	AT(dp_session_set, header, 0),
	AT(dp_session_set, session, 16),
	AT(dp_session_set, room, 24),
	AT(dp_session_set, flags, 32),
	AT(dp_session_set, reserved, 36),
	AT(dp_session_remove, header, 0),
	AT(dp_session_remove, session, 16),
	AT(dp_ack, header, 0),
	AT(dp_ack, error, 16),
	AT(dp_ack, reserved, 20),
	AT(dp_device, header, 0),
	AT(dp_device, driver, 16),
	AT(dp_device, name, 48),
	AT(dp_device, rung, 80),
	AT(dp_device, steering, 176),
	AT(dp_device, crypto, 192),
	AT(dp_device, drops_countable, 256),
	AT(dp_device, reserved, 257),
};

static void every_field_is_at_its_offset(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (fields[i].is != fields[i].shall_be)
			fail_msg("%s is at %zu, not at %zu", fields[i].name, fields[i].is,
				fields[i].shall_be);
}

// Fields follow each other without a gap: padding is spelled out, so that no byte of a record is
// ever left over from something else.
static void no_record_has_a_hole(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		bool is_last = i + 1 == sizeof(fields) / sizeof(fields[0]) || fields[i + 1].is == 0;
		size_t next = is_last ? fields[i].record_size : fields[i + 1].is;

		if (fields[i].is + fields[i].size != next)
			fail_msg("a hole behind %s", fields[i].name);
	}
}

static const struct dp_handle one = {0x31323334, 0x41424344}, two = {0x51525354, 0x61626364},
			      three = {0x71727374, 1};

#define HEADER(name)                                                           \
	{                                                                      \
		.epoch = 0x01020304, .seq = 0x11121314, .type = DP_MSG_##name, \
		.size = sizeof(record), .worker = 0x2122                       \
	}
// clang-format off
static const uint8_t hello_bytes[] = {
	0x04, 0x03, 0x02, 0x01, 0x14, 0x13, 0x12, 0x11, 0x01, 0x00, 0x50, 0x00,
	0x22, 0x21, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0xa4, 0xa3, 0xa2, 0xa1,
	0x03, 0x00, 0x50, 0xc3, 0x00, 0x00, 0x50, 0x00, 0x18, 0x00, 0x28, 0x00,
	0x18, 0x00, 0x30, 0x00, 0x18, 0x00, 0x30, 0x00, 0x50, 0x00, 0x30, 0x00,
	0x28, 0x00, 0x18, 0x00, 0x10, 0x00, 0x20, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x18, 0x00, 0x10, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};

static const uint8_t peer_down_bytes[] = {
	0x04, 0x03, 0x02, 0x01, 0x14, 0x13, 0x12, 0x11, 0x02, 0x00, 0x18, 0x00,
	0x22, 0x21, 0x00, 0x00, 0xa4, 0xa3, 0xa2, 0xa1, 0x00, 0x00, 0x00, 0x00,
};

static const uint8_t guild_open_bytes[] = {
	0x04, 0x03, 0x02, 0x01, 0x14, 0x13, 0x12, 0x11, 0x03, 0x00, 0x28, 0x00,
	0x22, 0x21, 0x00, 0x00, 0x34, 0x33, 0x32, 0x31, 0x44, 0x43, 0x42, 0x41,
	0x88, 0x87, 0x86, 0x85, 0x84, 0x83, 0x82, 0x81, 0x98, 0x97, 0x96, 0x95,
	0x94, 0x93, 0x92, 0x91,
};

static const uint8_t guild_close_bytes[] = {
	0x04, 0x03, 0x02, 0x01, 0x14, 0x13, 0x12, 0x11, 0x04, 0x00, 0x18, 0x00,
	0x22, 0x21, 0x00, 0x00, 0x34, 0x33, 0x32, 0x31, 0x44, 0x43, 0x42, 0x41,
};

static const uint8_t room_open_bytes[] = {
	0x04, 0x03, 0x02, 0x01, 0x14, 0x13, 0x12, 0x11, 0x05, 0x00, 0x30, 0x00,
	0x22, 0x21, 0x00, 0x00, 0x34, 0x33, 0x32, 0x31, 0x44, 0x43, 0x42, 0x41,
	0x54, 0x53, 0x52, 0x51, 0x64, 0x63, 0x62, 0x61, 0x88, 0x87, 0x86, 0x85,
	0x84, 0x83, 0x82, 0x81, 0x98, 0x97, 0x96, 0x95, 0x94, 0x93, 0x92, 0x91,
};

static const uint8_t room_set_bytes[] = {
	0x04, 0x03, 0x02, 0x01, 0x14, 0x13, 0x12, 0x11, 0x0d, 0x00, 0x20, 0x00,
	0x22, 0x21, 0x00, 0x00, 0x34, 0x33, 0x32, 0x31, 0x44, 0x43, 0x42, 0x41,
	0x98, 0x97, 0x96, 0x95, 0x94, 0x93, 0x92, 0x91,
};

static const uint8_t room_close_bytes[] = {
	0x04, 0x03, 0x02, 0x01, 0x14, 0x13, 0x12, 0x11, 0x06, 0x00, 0x18, 0x00,
	0x22, 0x21, 0x00, 0x00, 0x34, 0x33, 0x32, 0x31, 0x44, 0x43, 0x42, 0x41,
};

static const uint8_t session_add_bytes[] = {
	0x04, 0x03, 0x02, 0x01, 0x14, 0x13, 0x12, 0x11, 0x07, 0x00, 0x30, 0x00,
	0x22, 0x21, 0x00, 0x00, 0x34, 0x33, 0x32, 0x31, 0x44, 0x43, 0x42, 0x41,
	0x54, 0x53, 0x52, 0x51, 0x64, 0x63, 0x62, 0x61, 0x74, 0x73, 0x72, 0x71,
	0x01, 0x00, 0x00, 0x00, 0xb0, 0xb3, 0xb2, 0xb1, 0x07, 0x00, 0x00, 0x00,
};

static const uint8_t session_key_bytes[] = {
	0x04, 0x03, 0x02, 0x01, 0x14, 0x13, 0x12, 0x11, 0x08, 0x00, 0x50, 0x00,
	0x22, 0x21, 0x00, 0x00, 0x34, 0x33, 0x32, 0x31, 0x44, 0x43, 0x42, 0x41,
	0x02, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0xe0, 0xe1, 0xe2, 0xe3,
	0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xeb, 0xec, 0xed, 0xee, 0xef,
	0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb,
	0xfc, 0xfd, 0xfe, 0xff, 0xd0, 0xd1, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7,
	0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0x00, 0x00,
};

static const uint8_t session_hint_bytes[] = {
	0x04, 0x03, 0x02, 0x01, 0x14, 0x13, 0x12, 0x11, 0x09, 0x00, 0x30, 0x00,
	0x22, 0x21, 0x00, 0x00, 0x34, 0x33, 0x32, 0x31, 0x44, 0x43, 0x42, 0x41,
	0xcb, 0x00, 0x71, 0x09, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x51, 0xc3, 0x04, 0x00, 0x00, 0x00, 0x00, 0x00,
};

static const uint8_t session_set_bytes[] = {
	0x04, 0x03, 0x02, 0x01, 0x14, 0x13, 0x12, 0x11, 0x0a, 0x00, 0x28, 0x00,
	0x22, 0x21, 0x00, 0x00, 0x34, 0x33, 0x32, 0x31, 0x44, 0x43, 0x42, 0x41,
	0x74, 0x73, 0x72, 0x71, 0x01, 0x00, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00,
};

static const uint8_t session_remove_bytes[] = {
	0x04, 0x03, 0x02, 0x01, 0x14, 0x13, 0x12, 0x11, 0x0b, 0x00, 0x18, 0x00,
	0x22, 0x21, 0x00, 0x00, 0x34, 0x33, 0x32, 0x31, 0x44, 0x43, 0x42, 0x41,
};

static const uint8_t ack_bytes[] = {
	0x04, 0x03, 0x02, 0x01, 0x14, 0x13, 0x12, 0x11, 0x10, 0x00, 0x18, 0x00,
	0x22, 0x21, 0x00, 0x00, 0x8c, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00,
};

static const uint8_t device_bytes[] = {
	0x04, 0x03, 0x02, 0x01, 0x14, 0x13, 0x12, 0x11, 0x11, 0x00, 0x10, 0x01,
	0x22, 0x21, 0x00, 0x00, 0x6e, 0x65, 0x74, 0x5f, 0x61, 0x66, 0x5f, 0x70,
	0x61, 0x63, 0x6b, 0x65, 0x74, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x65, 0x74, 0x68, 0x30, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x77, 0x68, 0x79, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x73, 0x6f, 0x66, 0x74,
	0x77, 0x61, 0x72, 0x65, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x69, 0x70, 0x73, 0x65, 0x63, 0x2d, 0x6d, 0x62, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};

// clang-format on

static void hello_is_these_bytes(void **state)
{
	struct dp_hello record = {.header = HEADER(HELLO),
		.peer_epoch = 0xa1a2a3a4,
		.worker_count = 3,
		.first_port = 50000};
	(void)state;

	dp_hello_fill(&record);
	assert_int_equal(sizeof(record), sizeof(hello_bytes));
	assert_memory_equal(&record, hello_bytes, sizeof(hello_bytes));
}

static void peer_down_is_these_bytes(void **state)
{
	struct dp_peer_down record = {.header = HEADER(PEER_DOWN), .peer_epoch = 0xa1a2a3a4};
	(void)state;

	assert_int_equal(sizeof(record), sizeof(peer_down_bytes));
	assert_memory_equal(&record, peer_down_bytes, sizeof(peer_down_bytes));
}

static void guild_open_is_these_bytes(void **state)
{
	struct dp_guild_open record = {.header = HEADER(GUILD_OPEN),
		.guild = one,
		.guild_id = 0x8182838485868788,
		.epoch = 0x9192939495969798};
	(void)state;

	assert_int_equal(sizeof(record), sizeof(guild_open_bytes));
	assert_memory_equal(&record, guild_open_bytes, sizeof(guild_open_bytes));
}

static void guild_close_is_these_bytes(void **state)
{
	struct dp_guild_close record = {.header = HEADER(GUILD_CLOSE), .guild = one};
	(void)state;

	assert_int_equal(sizeof(record), sizeof(guild_close_bytes));
	assert_memory_equal(&record, guild_close_bytes, sizeof(guild_close_bytes));
}

static void room_open_is_these_bytes(void **state)
{
	struct dp_room_open record = {.header = HEADER(ROOM_OPEN),
		.room = one,
		.guild = two,
		.channel_id = 0x8182838485868788,
		.peers = 0x9192939495969798};
	(void)state;

	assert_int_equal(sizeof(record), sizeof(room_open_bytes));
	assert_memory_equal(&record, room_open_bytes, sizeof(room_open_bytes));
}

static void room_set_is_these_bytes(void **state)
{
	struct dp_room_set record = {
		.header = HEADER(ROOM_SET), .room = one, .peers = 0x9192939495969798};
	(void)state;

	assert_int_equal(sizeof(record), sizeof(room_set_bytes));
	assert_memory_equal(&record, room_set_bytes, sizeof(room_set_bytes));
}

static void room_close_is_these_bytes(void **state)
{
	struct dp_room_close record = {.header = HEADER(ROOM_CLOSE), .room = one};
	(void)state;

	assert_int_equal(sizeof(record), sizeof(room_close_bytes));
	assert_memory_equal(&record, room_close_bytes, sizeof(room_close_bytes));
}

static void session_add_is_these_bytes(void **state)
{
	struct dp_session_add record = {.header = HEADER(SESSION_ADD),
		.session = one,
		.guild = two,
		.room = three,
		.ssrc = 0xb1b2b3b0,
		.flags = DP_SESSION_MUTE | DP_SESSION_DEAF | DP_SESSION_SELF_DEAF};
	(void)state;

	assert_int_equal(sizeof(record), sizeof(session_add_bytes));
	assert_memory_equal(&record, session_add_bytes, sizeof(session_add_bytes));
}

static void session_key_is_these_bytes(void **state)
{
	struct dp_session_key record = {.header = HEADER(SESSION_KEY),
		.session = one,
		.key_id = 2,
		.suite = DP_SUITE_AES256_GCM_RTPSIZE,
		.key = {0xe0, 0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xeb,
			0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7,
			0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff},
		.salt = {0xd0, 0xd1, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xdb,
			0xdc, 0xdd}};
	(void)state;

	assert_int_equal(sizeof(record), sizeof(session_key_bytes));
	assert_memory_equal(&record, session_key_bytes, sizeof(session_key_bytes));
}

static void session_hint_is_these_bytes(void **state)
{
	struct dp_session_hint record = {.header = HEADER(SESSION_HINT),
		.session = one,
		.address = {.ip = {203, 0, 113, 9}, .port = 50001, .family = 4}};
	(void)state;

	assert_int_equal(sizeof(record), sizeof(session_hint_bytes));
	assert_memory_equal(&record, session_hint_bytes, sizeof(session_hint_bytes));
}

static void session_set_is_these_bytes(void **state)
{
	struct dp_session_set record = {.header = HEADER(SESSION_SET),
		.session = one,
		.room = three,
		.flags = DP_SESSION_MUTE | DP_SESSION_SELF_DEAF};
	(void)state;

	assert_int_equal(sizeof(record), sizeof(session_set_bytes));
	assert_memory_equal(&record, session_set_bytes, sizeof(session_set_bytes));
}

static void session_remove_is_these_bytes(void **state)
{
	struct dp_session_remove record = {.header = HEADER(SESSION_REMOVE), .session = one};
	(void)state;

	assert_int_equal(sizeof(record), sizeof(session_remove_bytes));
	assert_memory_equal(&record, session_remove_bytes, sizeof(session_remove_bytes));
}

static void ack_is_these_bytes(void **state)
{
	struct dp_ack record = {.header = HEADER(ACK), .error = -ESTALE};
	(void)state;

	assert_int_equal(sizeof(record), sizeof(ack_bytes));
	assert_memory_equal(&record, ack_bytes, sizeof(ack_bytes));
}

static void device_is_these_bytes(void **state)
{
	struct dp_device record = {.header = HEADER(DEVICE),
		.driver = "net_af_packet",
		.name = "eth0",
		.rung = "why",
		.steering = "software",
		.crypto = "ipsec-mb",
		.drops_countable = 1};
	(void)state;

	assert_int_equal(sizeof(record), sizeof(device_bytes));
	assert_memory_equal(&record, device_bytes, sizeof(device_bytes));
}

static void a_hello_of_another_contract_is_refused(void **state)
{
	struct dp_hello hello = {0};
	(void)state;

	assert_int_equal(dp_hello_check(&hello), -EPROTO);
	dp_hello_fill(&hello);
	assert_int_equal(dp_hello_check(&hello), 0);
	hello.contract_version++;
	assert_int_equal(dp_hello_check(&hello), -EPROTO);
	hello.contract_version -= 2;
	assert_int_equal(dp_hello_check(&hello), -EPROTO);
	for (unsigned type = 0; type < DP_MSG_TYPE_END; type++) { // unused numbers, too
		dp_hello_fill(&hello);
		hello.sizes[type] += 8;
		assert_int_equal(dp_hello_check(&hello), -EPROTO);
	}
	dp_hello_fill(&hello);
	assert_int_equal(dp_hello_check(&hello), 0);
}

// What a HELLO says beside its sizes is not for this check: another epoch, more workers.
static void a_hello_is_filled_without_touching_the_rest(void **state)
{
	struct dp_hello hello = {
		.header.epoch = 7, .peer_epoch = 8, .worker_count = 9, .first_port = 10};
	(void)state;

	dp_hello_fill(&hello);
	assert_int_equal(hello.header.epoch, 7);
	assert_int_equal(hello.peer_epoch, 8);
	assert_int_equal(hello.worker_count, 9);
	assert_int_equal(hello.first_port, 10);
	assert_int_equal(dp_hello_check(&hello), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_have_these_numbers_and_sizes),
		cmocka_unit_test(every_field_is_at_its_offset),
		cmocka_unit_test(no_record_has_a_hole),
		cmocka_unit_test(hello_is_these_bytes),
		cmocka_unit_test(peer_down_is_these_bytes),
		cmocka_unit_test(guild_open_is_these_bytes),
		cmocka_unit_test(guild_close_is_these_bytes),
		cmocka_unit_test(room_open_is_these_bytes),
		cmocka_unit_test(room_set_is_these_bytes),
		cmocka_unit_test(room_close_is_these_bytes),
		cmocka_unit_test(session_add_is_these_bytes),
		cmocka_unit_test(session_key_is_these_bytes),
		cmocka_unit_test(session_hint_is_these_bytes),
		cmocka_unit_test(session_set_is_these_bytes),
		cmocka_unit_test(session_remove_is_these_bytes),
		cmocka_unit_test(ack_is_these_bytes),
		cmocka_unit_test(device_is_these_bytes),
		cmocka_unit_test(a_hello_of_another_contract_is_refused),
		cmocka_unit_test(a_hello_is_filled_without_touching_the_rest),
	};

	return cmocka_run_group_tests_name("msg_golden", tests, NULL, NULL);
}
