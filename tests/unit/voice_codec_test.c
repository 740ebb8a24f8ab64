// SPDX-License-Identifier: BSD-3-Clause
//
// Frames of stock clients as they were captured, the traps of protocol.md section 11 that are about
// text, and what the node says back, byte by byte.

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/voice_codec.h"
#include "signaling/voice_encode.h"

static struct voice_frame frame;

static int decode(const char *text)
{
	return voice_frame_decode(text, strlen(text), &frame);
}

static void identify_takes_ids_as_text_or_number(void **state)
{
	(void)state;
	assert_int_equal(
		decode("{\"op\":0,\"d\":{\"server_id\":\"1100000000000000100\",\"user_id\":7,"
		       "\"session_id\":\"0123456789abcdef0123456789abcdef\",\"token\":\"tok\","
		       "\"max_dave_protocol_version\":1,\"video\":true,\"streams\":[{\"type\":"
		       "\"screen\",\"rid\":\"100\",\"quality\":100}]}}"),
		0);
	assert_int_equal(frame.op, VOICE_OP_IDENTIFY);
	assert_int_equal(frame.identify.server_id, 1100000000000000100ull);
	assert_int_equal(frame.identify.user_id, 7);
	assert_string_equal(frame.identify.session_id, "0123456789abcdef0123456789abcdef");
	assert_string_equal(frame.identify.token, "tok");
	assert_int_equal(frame.identify.max_dave_version, 1);
	assert_int_equal(frame.identify.stream_count, 1);
	assert_string_equal(frame.identify.streams[0].rid, "100");
	assert_int_equal(frame.identify.seq_ack, VOICE_SEQ_NONE);
}

static void wiping_removes_the_token(void **state)
{
	const uint8_t *bytes = (const uint8_t *)&frame.identify;

	(void)state;
	assert_int_equal(decode("{\"op\":7,\"d\":{\"server_id\":\"1\",\"session_id\":\"s\","
				"\"token\":\"secret\",\"seq_ack\":10}}"),
		0);
	assert_int_equal(frame.identify.seq_ack, 10);
	voice_frame_wipe(&frame);
	for (size_t index = 0; index < sizeof(frame.identify); index++)
		assert_int_equal(bytes[index], 0);
}

// koe repeats address, port and mode beside 'data'.
static void select_ignores_what_is_beside_data(void **state)
{
	(void)state;
	assert_int_equal(
		decode("{\"op\":1,\"d\":{\"protocol\":\"udp\",\"address\":\"9.9.9.9\","
		       "\"port\":1,\"mode\":\"x\",\"codecs\":[{\"name\":\"opus\"}],\"data\":{"
		       "\"address\":\"198.51.100.9\",\"port\":57181,"
		       "\"mode\":\"aead_aes256_gcm_rtpsize\"},\"experiments\":[]}}"),
		0);
	assert_string_equal(frame.select.mode, "aead_aes256_gcm_rtpsize");
	assert_int_equal(frame.select.address.family, 4);
	assert_int_equal(frame.select.address.port, 57181);
	assert_memory_equal(frame.select.address.ip, ((uint8_t[]){198, 51, 100, 9}), 4);
}

static void select_reads_ipv6_and_survives_nonsense_addresses(void **state)
{
	static const char *const none[] = {"\"0.0.0.0.0\"", "\"\"", "\"localhost\"", "null"};
	char text[256];

	(void)state;
	assert_int_equal(decode("{\"op\":1,\"d\":{\"protocol\":\"udp\",\"data\":{\"address\":"
				"\"2001:db8::7\",\"port\":5,\"mode\":\"m\"}}}"),
		0);
	assert_int_equal(frame.select.address.family, 6);
	assert_int_equal(frame.select.address.ip[15], 7);
	for (unsigned index = 0; index < sizeof(none) / sizeof(none[0]); index++) {
		snprintf(text, sizeof(text),
			"{\"op\":1,\"d\":{\"protocol\":\"udp\",\"data\":{\"address\":%s,\"port\":5,"
			"\"mode\":\"m\"}}}",
			none[index]);
		assert_int_equal(decode(text), 0);
		assert_int_equal(frame.select.address.family, 0);
	}
}

static const char *heartbeat_answer(const char *text)
{
	static char data[256];
	struct voice_text out;

	assert_int_equal(decode(text), 0);
	assert_int_equal(frame.op, VOICE_OP_HEARTBEAT);
	voice_text_init(&out, data, sizeof(data));
	voice_encode_heartbeat_ack(&out, &frame.heartbeat);
	assert_false(out.full);
	return data;
}

// songbird: random 64 bits. A double would lose their last digits, a signed integer the top one.
static void heartbeat_is_echoed_digit_by_digit(void **state)
{
	static const char *const numbers[] = {"0", "-1", "1501184119561", "9007199254740993",
		"18446744073709551615", "99999999999999999999999", "13750.0", "1e3", "1.5E-7"};
	char text[128], want[128];

	(void)state;
	for (unsigned index = 0; index < sizeof(numbers) / sizeof(numbers[0]); index++) {
		snprintf(text, sizeof(text), "{\"op\":3,\"d\":{\"t\":%s,\"seq_ack\":10}}",
			numbers[index]);
		snprintf(want, sizeof(want), "{\"op\":6,\"d\":{\"t\":%s}}", numbers[index]);
		assert_string_equal(heartbeat_answer(text), want);
		assert_int_equal(frame.heartbeat.seq_ack, 10);
		snprintf(text, sizeof(text), "{ \"d\" : %s , \"op\" : 3 }", numbers[index]);
		snprintf(want, sizeof(want), "{\"op\":6,\"d\":%s}", numbers[index]);
		assert_string_equal(heartbeat_answer(text), want);
	}
}

static void heartbeat_shape_is_mirrored(void **state)
{
	(void)state;
	assert_string_equal(heartbeat_answer("{\"op\":3,\"d\":null}"), "{\"op\":6,\"d\":null}");
	assert_string_equal(heartbeat_answer("{\"op\":3,\"d\":{\"seq_ack\":-1,\"t\":5}}"),
		"{\"op\":6,\"d\":{\"t\":5}}");
	assert_int_equal(frame.heartbeat.seq_ack, VOICE_SEQ_NONE);
	// A 't' inside another member is not the nonce.
	assert_string_equal(heartbeat_answer("{\"x\":{\"d\":1},\"op\":3,\"d\":{\"a\":{\"t\":1},"
					     "\"s\":\"\\\"t\\\":2\",\"t\":3}}"),
		"{\"op\":6,\"d\":{\"t\":3}}");
}

static void speaking_is_masked(void **state)
{
	(void)state;
	assert_int_equal(
		decode("{\"op\":5,\"d\":{\"speaking\":255,\"delay\":0,\"ssrc\":713745}}"), 0);
	assert_int_equal(frame.speaking.flags, 7);
	assert_int_equal(frame.speaking.ssrc, 713745);
	assert_int_equal(decode("{\"op\":5,\"d\":{\"speaking\":true}}"), 0);
	assert_int_equal(frame.speaking.flags, 1);
	assert_int_equal(frame.speaking.ssrc, 0);
}

static void unknown_opcodes_are_no_error(void **state)
{
	static const char *const texts[] = {"{\"op\":10}", "{\"op\":17,\"d\":1}", "{\"op\":33}",
		"{\"op\":1000000,\"d\":{}}", "{\"op\":-1}", "{\"op\":99999999999999}"};

	(void)state;
	for (unsigned index = 0; index < sizeof(texts) / sizeof(texts[0]); index++) {
		assert_int_equal(decode(texts[index]), 0);
		assert_int_equal(frame.op, VOICE_OP_UNKNOWN);
	}
}

static void malformed_frames_are_refused(void **state)
{
	static const char *const texts[] = {"", "x", "[]", "{}", "{\"op\":\"0\"}", "{\"op\":null}",
		"{\"op\":0}", "{\"op\":0,\"d\":[]}", "{\"op\":0,\"d\":{\"server_id\":\"12x\"}}",
		"{\"op\":0,\"d\":{\"server_id\":\"18446744073709551616\"}}",
		"{\"op\":0,\"d\":{\"server_id\":-1}}", "{\"op\":0,\"d\":{\"token\":1}}",
		"{\"op\":0,\"d\":{\"streams\":{}}}", "{\"op\":0,\"d\":{\"streams\":[1]}}",
		"{\"op\":0,\"d\":{\"streams\":[{\"rid\":\"\\\"\"}]}}",
		"{\"op\":1,\"d\":{\"protocol\":5}}",
		"{\"op\":1,\"d\":{\"protocol\":\"udp\",\"data\":7}}", "{\"op\":3,\"d\":\"x\"}",
		"{\"op\":3,\"d\":{\"t\":\"5\"}}", "{\"op\":3,\"d\":true}",
		"{\"op\":3,\"d\":{\"t\":5,\"seq_ack\":65536}}", "{\"op\":3,\"d\":{\"t\":1e999}}",
		"{\"op\":3,\"d\":{\"t\":123456789012345678901234567890123456789012345}}",
		"{\"op\":3,\"op\":3,\"d\":1}", "{\"op\":5,\"d\":1}",
		"{\"op\":5,\"d\":{\"ssrc\":-1}}", "{\"op\":5,\"d\":{\"ssrc\":4294967296}}",
		"{\"op\":5,\"d\":{\"speaking\":\"1\"}}",
		"{\"op\":12,\"d\":{\"streams\":[{\"type\":\"a b\"}]}}", "{\"op\":5,\"d\":{}}x",
		"{\"op\":5,\"d\":{\"a\":\"\xff\"}}", "{\"op\":5,\"d\":{\"a\":\"\\ud800\"}}",
		"{\"op\":5,\"d\":{\"a\":\"\\u0000\"}}"};

	(void)state;
	for (unsigned index = 0; index < sizeof(texts) / sizeof(texts[0]); index++)
		if (decode(texts[index]) != -EPROTO)
			fail_msg("taken for good: %s", texts[index]);
}

// Not malformed: its answer is that of a wrong one.
static void what_is_too_long_to_be_known_is_unknown(void **state)
{
	char x[400], text[600];

	(void)state;
	memset(x, 'x', sizeof(x));
	for (int size = 127; size <= 399; size += 272) {
		snprintf(text, sizeof(text),
			"{\"op\":0,\"d\":{\"session_id\":\"s\",\"token\":\"%.*s\"}}", size, x);
		assert_int_equal(decode(text), 0);
		assert_int_equal(strlen(frame.identify.token), size == 127 ? 127 : 0);
		snprintf(text, sizeof(text), "{\"op\":7,\"d\":{\"session_id\":\"%.*s\"}}", size, x);
		assert_int_equal(decode(text), 0);
		assert_string_equal(frame.identify.session_id, "");
		snprintf(text, sizeof(text), "{\"op\":1,\"d\":{\"protocol\":\"%.*s\"}}", size, x);
		assert_int_equal(decode(text), 0);
		assert_string_equal(frame.select.protocol, "");
		snprintf(text, sizeof(text),
			"{\"op\":1,\"d\":{\"protocol\":\"udp\",\"data\":{\"mode\":\"%.*s\"}}}",
			size, x);
		assert_int_equal(decode(text), 0);
		assert_string_equal(frame.select.mode, "");
	}
}

static void nesting_is_bounded(void **state)
{
	char text[30000];

	(void)state;
	memset(text, '[', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(decode(text), -EPROTO);
	assert_int_equal(json_scan_depth(text, sizeof(text) - 1, 16), 17);
	assert_int_equal(json_scan_depth("{\"a\":\"[[[[\",\"b\":[{}]}", 21, 16), 3);
}

static void refuses_every_truncation(void **state)
{
	static const char text[] =
		"{\"op\":12,\"d\":{\"audio_ssrc\":16,\"video_ssrc\":17,\"streams\":[{"
		"\"type\":\"video\",\"rid\":\"100\",\"ssrc\":17,\"active\":true,"
		"\"max_resolution\":{\"type\":\"fixed\",\"width\":1280,\"height\":"
		"720}}]}}";

	(void)state;
	for (size_t size = 0; size < sizeof(text) - 1; size++)
		assert_int_equal(voice_frame_decode(text, size, &frame), -EPROTO);
	assert_int_equal(voice_frame_decode(text, sizeof(text) - 1, &frame), 0);
	assert_int_equal(frame.video.streams[0].width, 1280);
}

static void version_is_read_from_either_spelling(void **state)
{
	static const struct {
		const char *query;
		unsigned version;
	} rows[] = {{"v=8", 8}, {"v=4&encoding=json", 4}, {"encoding=json&v=9", 9}, {"", 0},
		{"v=", 0}, {"v=8x", 0}, {"v=-8", 0}, {"v=8888", 0}, {"av=8", 0}, {"a&v=7", 7}};

	(void)state;
	for (unsigned index = 0; index < sizeof(rows) / sizeof(rows[0]); index++)
		assert_int_equal(voice_version_of_query(rows[index].query), rows[index].version);
}

static char said_data[VOICE_TEXT_SIZE];
static struct voice_text said;

static const char *numbered(uint16_t seq)
{
	voice_text_finish(&said, seq);
	assert_false(said.full);
	return said_data;
}

static void server_frames_are_golden(void **state)
{
	const uint64_t users[] = {1, 18446744073709551615ull};
	const struct voice_video video = {.audio_ssrc = 16,
		.video_ssrc = 17,
		.stream_count = 1,
		.streams = {{.type = "video",
			.rid = "100",
			.ssrc = 17,
			.rtx_ssrc = 18,
			.quality = 100,
			.active = true,
			.resolution_type = "fixed",
			.width = 2,
			.height = 1}}};

	(void)state;
	voice_text_init(&said, said_data, sizeof(said_data));
	voice_encode_hello(&said, 8, 13750);
	assert_string_equal(said_data, "{\"op\":8,\"d\":{\"v\":8,\"heartbeat_interval\":13750}}");
	voice_text_init(&said, said_data, sizeof(said_data));
	voice_encode_resumed(&said);
	assert_string_equal(said_data, "{\"op\":9,\"d\":null}");
	voice_text_init(&said, said_data, sizeof(said_data));
	voice_encode_clients_connect(&said, users, 2);
	assert_string_equal(numbered(1),
		"{\"op\":11,\"d\":{\"user_ids\":[\"1\",\"18446744073709551615\"]},\"seq\":1}");
	voice_text_init(&said, said_data, sizeof(said_data));
	voice_encode_speaking(&said, 7, 16, 1);
	assert_string_equal(numbered(65535),
		"{\"op\":5,\"d\":{\"user_id\":\"7\",\"ssrc\":16,\"speaking\":1},\"seq\":65535}");
	voice_text_init(&said, said_data, sizeof(said_data));
	voice_encode_client_disconnect(&said, 7);
	assert_string_equal(numbered(0), "{\"op\":13,\"d\":{\"user_id\":\"7\"}}");
	voice_text_init(&said, said_data, sizeof(said_data));
	voice_encode_video(&said, 7, &video);
	assert_string_equal(numbered(3),
		"{\"op\":12,\"d\":{\"user_id\":\"7\",\"audio_ssrc\":16,\"video_ssrc\":17,"
		"\"streams\":[{"
		"\"type\":\"video\",\"rid\":\"100\",\"ssrc\":17,\"active\":true,\"quality\":100,"
		"\"rtx_ssrc\":18,\"max_resolution\":{\"type\":\"fixed\",\"width\":2,\"height\":1}}]"
		"},"
		"\"seq\":3}");
}

static void ready_answers_offered_streams(void **state)
{
	const struct voice_identify identify = {.stream_count = 2,
		.streams = {{.type = "screen", .rid = "100", .quality = 100},
			{.type = "video", .rid = "50", .quality = 50}}};
	const struct voice_ready ready = {.ssrc = 32,
		.ip = "203.0.113.7",
		.port = 50001,
		.suites = {DP_SUITE_AES256_GCM_RTPSIZE, DP_SUITE_XCHACHA20_RTPSIZE},
		.identify = &identify};

	(void)state;
	voice_text_init(&said, said_data, sizeof(said_data));
	voice_encode_ready(&said, &ready);
	assert_string_equal(said_data,
		"{\"op\":2,\"d\":{\"ssrc\":32,\"ip\":\"203.0.113.7\",\"port\":50001,\"modes\":["
		"\"aead_aes256_gcm_rtpsize\",\"aead_xchacha20_poly1305_rtpsize\"],\"experiments\":["
		"],"
		"\"streams\":[{\"type\":\"video\",\"ssrc\":33,\"rtx_ssrc\":34,\"rid\":\"100\","
		"\"quality\":100,\"active\":false},{\"type\":\"video\",\"ssrc\":35,\"rtx_ssrc\":36,"
		"\"rid\":\"50\",\"quality\":50,\"active\":false}]}}");
}

static void description_has_every_key_that_clients_index(void **state)
{
	uint8_t key[DP_KEY_SIZE_MAX];

	(void)state;
	memset(key, 255, sizeof(key));
	voice_text_init(&said, said_data, sizeof(said_data));
	voice_encode_description(&said, DP_SUITE_XCHACHA20_RTPSIZE, key, "ab", 0);
	assert_false(said.full);
	assert_non_null(
		strstr(said_data, "{\"op\":4,\"d\":{\"mode\":\"aead_xchacha20_poly1305_rtpsize\","
				  "\"secret_key\":[255,255,"));
	assert_non_null(strstr(said_data, ",255],\"audio_codec\":\"opus\",\"video_codec\":\"H264\","
					  "\"media_session_id\":\"ab\",\"dave_protocol_version\":0,"
					  "\"keyframe_interval\":null}}"));
}

static void a_text_that_does_not_fit_is_full(void **state)
{
	char small[16];
	struct voice_text text;

	(void)state;
	voice_text_init(&text, small, sizeof(small));
	voice_encode_hello(&text, 8, 13750);
	assert_true(text.full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identify_takes_ids_as_text_or_number),
		cmocka_unit_test(wiping_removes_the_token),
		cmocka_unit_test(select_ignores_what_is_beside_data),
		cmocka_unit_test(select_reads_ipv6_and_survives_nonsense_addresses),
		cmocka_unit_test(heartbeat_is_echoed_digit_by_digit),
		cmocka_unit_test(heartbeat_shape_is_mirrored),
		cmocka_unit_test(speaking_is_masked),
		cmocka_unit_test(unknown_opcodes_are_no_error),
		cmocka_unit_test(malformed_frames_are_refused),
		cmocka_unit_test(what_is_too_long_to_be_known_is_unknown),
		cmocka_unit_test(nesting_is_bounded),
		cmocka_unit_test(refuses_every_truncation),
		cmocka_unit_test(version_is_read_from_either_spelling),
		cmocka_unit_test(server_frames_are_golden),
		cmocka_unit_test(ready_answers_offered_streams),
		cmocka_unit_test(description_has_every_key_that_clients_index),
		cmocka_unit_test(a_text_that_does_not_fit_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
