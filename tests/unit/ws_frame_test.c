// SPDX-License-Identifier: BSD-3-Clause
//
// WebSocket framing without sockets: what is refused and with which code, and that nothing depends
// on where the network cuts.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/ws_frame.h"

#define MESSAGE_MAX 100000u

#define BYTES(text) (const uint8_t *)(text), sizeof(text) - 1

// Feeds everything in pieces of 'piece' bytes; returns the first event that is not MORE.
static enum ws_parse feed(struct ws_parser *p, const uint8_t *data, size_t size, size_t piece)
{
	enum ws_parse event = WS_PARSE_MORE;

	while (size > 0 && event == WS_PARSE_MORE) {
		size_t used;
		size_t take = size < piece ? size : piece;
		uint8_t *copy = malloc(take); // exact, so that a sanitizer sees an overrun

		memcpy(copy, data, take);
		event = ws_parser_feed(p, copy, take, &used);
		assert_true(used <= take);
		assert_true(event != WS_PARSE_MORE || used == take);
		free(copy);
		data += used;
		size -= used;
	}
	return event;
}

static void refused(const uint8_t *data, size_t size, uint16_t code)
{
	for (size_t piece = 1; piece <= size; piece++) {
		struct ws_parser p;

		ws_parser_init(&p, MESSAGE_MAX, true);
		assert_int_equal(feed(&p, data, size, piece), WS_PARSE_ERROR);
		assert_int_equal(p.close_code, code);
		ws_parser_fini(&p);
	}
}

static void bad_frames_have_their_close_code(void **state)
{
	(void)state;
	refused(BYTES("\x81\x01x"), 1002);                        // not masked
	refused(BYTES("\xc1\x81\0\0\0\0x"), 1002);                // RSV1
	refused(BYTES("\xa1\x81\0\0\0\0x"), 1002);                // RSV2
	refused(BYTES("\x91\x81\0\0\0\0x"), 1002);                // RSV3
	refused(BYTES("\x83\x80\0\0\0\0"), 1002);                 // unknown opcode
	refused(BYTES("\x8b\x80\0\0\0\0"), 1002);                 // unknown control opcode
	refused(BYTES("\x09\x80\0\0\0\0"), 1002);                 // fragmented ping
	refused(BYTES("\x89\xfe\0\x7e\0\0\0\0"), 1002);           // ping of 126 bytes
	refused(BYTES("\x80\x80\0\0\0\0"), 1002);                 // continuation of nothing
	refused(BYTES("\x01\x80\0\0\0\0\x81\x80\0\0\0\0"), 1002); // message inside a message
	refused(BYTES("\x81\xfe\0\x05\0\0\0\0hello"), 1002);      // length not shortest: 16 bits
	refused(BYTES("\x82\xff\0\0\0\0\0\0\xff\xff\0\0\0\0"), 1002);   // and 64 bits
	refused(BYTES("\x82\xff\x80\0\0\0\0\0\0\0\0\0\0\0"), 1002);     // its top bit
	refused(BYTES("\x82\xff\0\0\0\0\0\x01\x86\xa1\0\0\0\0"), 1009); // a byte too many
	refused(BYTES("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0"), 1009);
	refused(BYTES("\x81\x82\0\0\0\0\xc3\x28"), 1007);     // not UTF-8
	refused(BYTES("\x81\x81\0\0\0\0\xc3"), 1007);         // ends inside a character
	refused(BYTES("\x88\x81\0\0\0\0x"), 1002);            // close payload of one byte
	refused(BYTES("\x88\x82\0\0\0\0\x03\xed"), 1002);     // 1005 on the wire
	refused(BYTES("\x88\x82\0\0\0\0\x03\xe7"), 1002);     // 999
	refused(BYTES("\x88\x83\0\0\0\0\x03\xe8\xff"), 1007); // reason not UTF-8
}

static void fragments_add_up_to_the_bound_of_a_message(void **state)
{
	struct ws_parser p;
	uint8_t *frames = calloc(2, 60008);
	size_t used;

	(void)state;
	memcpy(frames, "\x02\xfe\xea\x60\0\0\0\0", 8); // 60,000 bytes, then as many again
	memcpy(frames + 60008, "\x80\xfe\xea\x60\0\0\0\0", 8);
	ws_parser_init(&p, MESSAGE_MAX, true);
	assert_int_equal(ws_parser_feed(&p, frames, 2 * 60008, &used), WS_PARSE_ERROR);
	assert_int_equal(p.close_code, 1009);
	assert_true(p.message_alloc <= 2 * 65536);
	ws_parser_fini(&p);
	free(frames);
}

static void a_head_alone_costs_no_memory(void **state)
{
	struct ws_parser p;

	(void)state;
	ws_parser_init(&p, SIZE_MAX / 2, true);
	assert_int_equal(feed(&p, BYTES("\x82\xff\0\0\0\xff\0\0\0\0\1\2\3\4"), 14), WS_PARSE_MORE);
	assert_int_equal(p.message_alloc, 0);
	ws_parser_fini(&p);
}

static void too_many_fragments_are_refused(void **state)
{
	struct ws_parser p;
	enum ws_parse event = WS_PARSE_MORE;
	unsigned count = 0;

	(void)state;
	ws_parser_init(&p, MESSAGE_MAX, true);
	while (event == WS_PARSE_MORE && count <= WS_FRAGMENTS_MAX)
		event = feed(&p,
			count++ == 0 ? (const uint8_t *)"\x01\x80\0\0\0\0"
				     : (const uint8_t *)"\x00\x80\0\0\0\0",
			6, 6);
	assert_int_equal(event, WS_PARSE_ERROR);
	assert_int_equal(count, WS_FRAGMENTS_MAX + 1);
	assert_int_equal(p.close_code, 1008);
	ws_parser_fini(&p);
}

// Whatever we build, in whatever pieces it arrives, is what is read: both directions, every form
// of the length.
static void what_is_built_is_read_back(void **state)
{
	static const size_t sizes[] = {0, 1, 125, 126, 127, 65535, 65536, MESSAGE_MAX};
	static const uint8_t mask[4] = {0x12, 0x34, 0x56, 0x78};
	static const size_t pieces[] = {1, 3, 1000, SIZE_MAX};
	uint8_t *frame = malloc(MESSAGE_MAX + WS_FRAME_HEAD_SIZE_MAX);

	(void)state;
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]) * 8; i++) {
		size_t size = sizes[i / 8], piece = pieces[i % 4], head_size;
		bool masked = i % 8 >= 4;
		struct ws_parser p;

		head_size = ws_frame_head_build(frame, WS_BINARY, size, masked ? mask : NULL);
		for (size_t k = 0; k < size; k++)
			frame[head_size + k] = (uint8_t)k ^ (masked ? mask[k & 3] : 0);
		ws_parser_init(&p, MESSAGE_MAX, masked);
		assert_int_equal(feed(&p, frame, head_size + size, piece), WS_PARSE_MESSAGE);
		assert_true(p.binary);
		assert_int_equal(p.message_size, size);
		for (size_t k = 0; k < size; k++)
			assert_int_equal((uint8_t)p.message[k], (uint8_t)k);
		assert_int_equal(p.message[size], 0);
		ws_parser_fini(&p);
	}
	free(frame);
}

static void control_frames_are_heard_between_fragments(void **state)
{
	static const uint8_t frames[] = "\x01\x82\0\0\0\0\xc3\xa4"
					"\x89\x82\1\2\3\4\x69\x6b"
					"\x80\x81\0\0\0\0"
					"c"
					"\x88\x80\0\0\0\0";
	const uint8_t *at = frames;
	size_t left = sizeof(frames) - 1, used;
	struct ws_parser p;

	(void)state;
	ws_parser_init(&p, MESSAGE_MAX, true);
	assert_int_equal(ws_parser_feed(&p, at, left, &used), WS_PARSE_PING);
	assert_int_equal(p.control_size, 2);
	assert_memory_equal(p.control, "hi", 2);
	at += used;
	left -= used;
	assert_int_equal(ws_parser_feed(&p, at, left, &used), WS_PARSE_MESSAGE);
	assert_string_equal(p.message, "\xc3\xa4"
				       "c");
	at += used;
	left -= used;
	assert_int_equal(ws_parser_feed(&p, at, left, &used), WS_PARSE_CLOSE);
	assert_int_equal(p.close_code, WS_CLOSE_NO_STATUS);
	assert_int_equal(used, left);
	ws_parser_fini(&p);
}

static void utf8_is_what_rfc_3629_says(void **state)
{
	static const struct {
		const char *text;
		bool valid;
	} cases[] = {
		{"", true},
		{"\x7f", true},
		{"\xc2\x80", true},
		{"\xdf\xbf", true},
		{"\xe0\xa0\x80", true},
		{"\xed\x9f\xbf", true},
		{"\xee\x80\x80", true},
		{"\xf0\x90\x80\x80", true},
		{"\xf4\x8f\xbf\xbf", true},
		{"\x80", false},
		{"\xc0\x80", false},
		{"\xc1\xbf", false},
		{"\xe0\x9f\xbf", false},
		{"\xed\xa0\x80", false},
		{"\xf0\x8f\xbf\xbf", false},
		{"\xf4\x90\x80\x80", false},
		{"\xf5\x80\x80\x80", false},
		{"\xff", false},
		{"a\xe2\x82", false},
		{"\xe2\x28\xa1", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (ws_utf8_valid(cases[i].text, strlen(cases[i].text)) != cases[i].valid)
			fail_msg("case %zu", i);
}

static void the_accept_key_is_the_rfcs(void **state)
{
	char accept[WS_ACCEPT_SIZE];

	(void)state;
	ws_accept_build("dGhlIHNhbXBsZSBub25jZQ==", accept);
	assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_frames_have_their_close_code),
		cmocka_unit_test(fragments_add_up_to_the_bound_of_a_message),
		cmocka_unit_test(a_head_alone_costs_no_memory),
		cmocka_unit_test(too_many_fragments_are_refused),
		cmocka_unit_test(what_is_built_is_read_back),
		cmocka_unit_test(control_frames_are_heard_between_fragments),
		cmocka_unit_test(utf8_is_what_rfc_3629_says),
		cmocka_unit_test(the_accept_key_is_the_rfcs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
