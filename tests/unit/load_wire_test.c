// SPDX-License-Identifier: BSD-3-Clause
//
// The bots' two JSON codecs: what servers send becomes events, what stock clients could not use is
// refused, and what we send is what the protocol says.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "load/gateway_wire.h"
#include "load/voice_wire.h"

#define KEY_32 \
	"0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,255"
#define READY_PORT_70000                                                            \
	"{\"op\":2,\"d\":{\"ssrc\":1,\"ip\":\"1.1.1.1\",\"port\":70000,\"modes\":[" \
	"\"aead_aes256_gcm_rtpsize\"]}}"
#define DESCRIPTION                                                                     \
	"{\"op\":4,\"d\":{\"mode\":\"aead_aes256_gcm_rtpsize\",\"secret_key\":[" KEY_32 \
	"],\"audio_codec\":\"opus\",\"video_codec\":\"H264\",\"dave_protocol_version\":0}}"

static struct gateway_event gateway_parse(const char *text)
{
	struct gateway_event event;

	assert_int_equal(gateway_wire_parse(text, strlen(text), &event), 0);
	return event;
}

static struct voice_event voice_parse(const char *text)
{
	struct voice_event event;

	assert_int_equal(voice_wire_parse(text, strlen(text), &event), 0);
	return event;
}

static void the_gateways_events(void **state)
{
	struct gateway_event event;

	(void)state;
	event = gateway_parse("{\"op\":10,\"d\":{\"heartbeat_interval\":41250.0},\"s\":null}");
	assert_int_equal(event.type, GATEWAY_HELLO);
	assert_int_equal(event.beat_ms, 41250);
	assert_int_equal(event.seq, -1);

	event = gateway_parse("{\"op\":0,\"s\":1,\"t\":\"READY\",\"d\":{\"user\":{\"id\":\"77\"},"
			      "\"session_id\":\"abc\",\"guilds\":[]}}");
	assert_int_equal(event.type, GATEWAY_READY);
	assert_int_equal(event.user_id, 77);
	assert_int_equal(event.seq, 1);
	assert_string_equal(event.session_id, "abc");
	assert_true(event.has_ids);
	assert_int_equal(event.id_count, 0);
	event = gateway_parse("{\"op\":0,\"s\":1,\"t\":\"GUILD_CREATE\",\"d\":{\"id\":\"5\","
			      "\"channels\":[{\"id\":\"51\"},{\"id\":52},{}]}}");
	assert_int_equal(event.type, GATEWAY_GUILD);
	assert_true(event.has_ids);
	assert_int_equal(event.id_count, 3);
	assert_int_equal(event.ids[0], 51);
	assert_int_equal(event.ids[1], 52);
	assert_int_equal(event.ids[2], 0);
	event = gateway_parse("{\"op\":0,\"s\":1,\"t\":\"GUILD_CREATE\",\"d\":{\"id\":\"5\"}}");
	assert_false(event.has_ids);

	event = gateway_parse("{\"op\":0,\"s\":2,\"t\":\"VOICE_STATE_UPDATE\",\"d\":{\"guild_id\":"
			      "\"5\",\"channel_id\":null,\"user_id\":77,\"session_id\":\"v\","
			      "\"mute\":false,\"suppress\":true,\"self_deaf\":true}}");
	assert_int_equal(event.type, GATEWAY_VOICE_STATE);
	assert_int_equal(event.channel_id, 0);
	assert_int_equal(event.user_id, 77);
	assert_true(event.mute && event.deaf);

	event = gateway_parse("{\"op\":0,\"s\":3,\"t\":\"VOICE_SERVER_UPDATE\",\"d\":{\"guild_id\":"
			      "\"5\",\"token\":\"tt\",\"endpoint\":\"h:1\"}}");
	assert_int_equal(event.type, GATEWAY_VOICE_SERVER);
	assert_string_equal(event.endpoint, "h:1");
	event = gateway_parse("{\"op\":0,\"s\":3,\"t\":\"VOICE_SERVER_UPDATE\",\"d\":{\"guild_id\":"
			      "\"5\",\"token\":\"tt\",\"endpoint\":null}}");
	assert_string_equal(event.endpoint, "");
	event = gateway_parse("{\"op\":0,\"s\":3,\"t\":\"VOICE_SERVER_UPDATE\",\"d\":{\"guild_id\":"
			      "\"5\",\"token\":\"\",\"endpoint\":null}}");
	assert_int_equal(event.type, GATEWAY_VOICE_SERVER);
	assert_string_equal(event.endpoint, "");

	assert_int_equal(gateway_parse("{\"op\":9,\"d\":true}").type, GATEWAY_INVALID_SESSION);
	assert_true(gateway_parse("{\"op\":9,\"d\":true}").resumable);
	assert_int_equal(gateway_parse("{\"op\":11,\"d\":null}").type, GATEWAY_BEAT_ACK);
	assert_int_equal(gateway_parse("{\"op\":0,\"s\":9,\"t\":\"TYPING_START\",\"d\":{}}").type,
		GATEWAY_OTHER);
}

static void the_voice_gateways_events(void **state)
{
	struct voice_event event;

	(void)state;
	event = voice_parse("{\"op\":2,\"d\":{\"ssrc\":4294967295,\"ip\":\"10.0.0.1\",\"port\":"
			    "50001,\"ip6\":\"fd00::1\",\"modes\":[\"unknown\","
			    "\"aead_xchacha20_poly1305_rtpsize\",\"aead_aes256_gcm_rtpsize\"]}}");
	assert_int_equal(event.type, VOICE_READY);
	assert_true(event.ssrc == UINT32_MAX);
	assert_int_equal(event.port, 50001);
	assert_string_equal(event.ip, "10.0.0.1");
	assert_string_equal(event.ip6, "fd00::1");
	assert_int_equal(event.mode, RTPSIZE_CLIENT_XCHACHA20_POLY1305);
	assert_true(event.offers[RTPSIZE_CLIENT_AES256_GCM]);

	event = voice_parse(DESCRIPTION);
	assert_int_equal(event.type, VOICE_DESCRIPTION);
	assert_int_equal(event.key[1], 1);
	assert_int_equal(event.key[31], 255);

	event = voice_parse("{\"op\":5,\"seq\":65535,\"d\":{\"speaking\":1,\"ssrc\":9,"
			    "\"user_id\":\"18446744073709551615\"}}");
	assert_int_equal(event.type, VOICE_SPEAKING);
	assert_int_equal(event.seq, 65535);
	assert_true(event.user_id == UINT64_MAX);

	event = voice_parse("{\"op\":11,\"seq\":1,\"d\":{\"user_ids\":[\"1\",\"2\"]}}");
	assert_int_equal(event.user_count, 2);
	event = voice_parse("{\"op\":6,\"d\":{\"t\":1700000000000}}");
	assert_true(event.beat_nonce == 1700000000000);
	assert_int_equal(event.seq, -1);
	assert_int_equal(voice_parse("{\"op\":9,\"d\":null}").type, VOICE_RESUMED);
	assert_int_equal(voice_parse("{\"op\":13,\"d\":{\"user_id\":\"3\"}}").user_id, 3);
	assert_int_equal(voice_parse("{\"op\":18,\"seq\":2,\"d\":{}}").type, VOICE_OTHER);
}

static void refuses_what_a_stock_client_cannot_use(void **state)
{
	static const char *const gateway[] = {
		"",
		"[]",
		"{}",
		"{\"op\":\"10\"}",
		"{\"op\":10,\"d\":{}}",
		"{\"op\":0,\"t\":\"READY\",\"d\":{}}",
		"{\"op\":0,\"s\":1,\"t\":\"READY\",\"d\":{\"session_id\":\"a\"}}",
		"{\"op\":0,\"s\":1,\"t\":\"VOICE_SERVER_UPDATE\",\"d\":{\"guild_id\":\"1\","
		"\"endpoint\":\"h:1\"}}",
		"{\"op\":0,\"s\":1,\"t\":\"VOICE_SERVER_UPDATE\",\"d\":{\"guild_id\":\"1\","
		"\"token\":\"\",\"endpoint\":\"h:1\"}}",
		"{\"op\":0,\"s\":1,\"t\":\"VOICE_STATE_UPDATE\",\"d\":{\"guild_id\":\"1\","
		"\"user_id\":\"2\"}}",
	};
	static const char *const voice[] = {
		"{\"op\":8,\"d\":{}}",
		"{\"op\":2,\"d\":{\"ssrc\":1,\"ip\":\"1.1.1.1\",\"port\":1,\"modes\":[]}}",
		READY_PORT_70000,
		"{\"op\":2,\"d\":{\"ssrc\":1,\"port\":1,\"modes\":[\"aead_aes256_gcm_rtpsize\"]}}",
		"{\"op\":4,\"d\":{\"mode\":\"aead_aes256_gcm_rtpsize\",\"secret_key\":[1,2]}}",
		"{\"op\":5,\"d\":{\"ssrc\":1}}",
		"{\"op\":6,\"d\":5}",
		"{\"op\":13,\"d\":{}}",
		"{\"op\":9,\"seq\":65536,\"d\":null}",
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(gateway) / sizeof(gateway[0]); i++) {
		struct gateway_event event;

		assert_int_equal(
			gateway_wire_parse(gateway[i], strlen(gateway[i]), &event), -EPROTO);
	}
	for (unsigned i = 0; i < sizeof(voice) / sizeof(voice[0]); i++) {
		struct voice_event event;

		assert_int_equal(voice_wire_parse(voice[i], strlen(voice[i]), &event), -EPROTO);
	}
}

static void refuses_every_truncation(void **state)
{
	struct voice_event event;

	(void)state;
	for (size_t size = 0; size < strlen(DESCRIPTION); size++)
		assert_int_equal(voice_wire_parse(DESCRIPTION, size, &event), -EPROTO);
}

static void text_is(char *text, const char *expected)
{
	assert_non_null(text);
	assert_string_equal(text, expected);
	free(text);
}

static void says_what_the_protocol_says(void **state)
{
	const struct voice_identity identity = {5, 77, "sess", "tok"};

	(void)state;
	text_is(gateway_wire_beat(-1), "{\"op\":1,\"d\":null}");
	text_is(gateway_wire_beat(251), "{\"op\":1,\"d\":251}");
	text_is(gateway_wire_resume("t", "s", 4),
		"{\"op\":6,\"d\":{\"token\":\"t\",\"session_id\":\"s\",\"seq\":4}}");
	text_is(gateway_wire_voice_state(5, 6),
		"{\"op\":4,\"d\":{\"guild_id\":\"5\",\"channel_id\":\"6\",\"self_mute\":false,"
		"\"self_deaf\":false}}");
	text_is(gateway_wire_voice_state(5, 0),
		"{\"op\":4,\"d\":{\"guild_id\":\"5\",\"channel_id\":null,\"self_mute\":false,"
		"\"self_deaf\":false}}");
	text_is(voice_wire_identify(&identity),
		"{\"op\":0,\"d\":{\"server_id\":\"5\",\"user_id\":\"77\",\"session_id\":\"sess\","
		"\"token\":\"tok\",\"max_dave_protocol_version\":0}}");
	text_is(voice_wire_resume(&identity, -1),
		"{\"op\":7,\"d\":{\"server_id\":\"5\",\"session_id\":\"sess\",\"token\":\"tok\","
		"\"seq_ack\":-1}}");
	text_is(voice_wire_beat(1700000000000, 3),
		"{\"op\":3,\"d\":{\"t\":1700000000000,\"seq_ack\":3}}");
	text_is(voice_wire_select("1.2.3.4", 5, RTPSIZE_CLIENT_AES256_GCM),
		"{\"op\":1,\"d\":{\"protocol\":\"udp\",\"data\":{\"address\":\"1.2.3.4\",\"port\":"
		"5,"
		"\"mode\":\"aead_aes256_gcm_rtpsize\"}}}");
	text_is(voice_wire_speaking(4294967295, 1),
		"{\"op\":5,\"d\":{\"speaking\":1,\"delay\":0,\"ssrc\":4294967295}}");
}

static void closes_as_stock_clients_do(void **state)
{
	(void)state;
	assert_int_equal(voice_wire_close_action(4015, true), VOICE_CLOSE_RESUME);
	assert_int_equal(voice_wire_close_action(1006, true), VOICE_CLOSE_RESUME);
	assert_int_equal(voice_wire_close_action(1001, true), VOICE_CLOSE_RESUME);
	assert_int_equal(voice_wire_close_action(1006, false), VOICE_CLOSE_REJOIN);
	assert_int_equal(voice_wire_close_action(4006, true), VOICE_CLOSE_REJOIN);
	assert_int_equal(voice_wire_close_action(4009, true), VOICE_CLOSE_REJOIN);
	assert_int_equal(voice_wire_close_action(4014, true), VOICE_CLOSE_STOP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_gateways_events),
		cmocka_unit_test(the_voice_gateways_events),
		cmocka_unit_test(refuses_what_a_stock_client_cannot_use),
		cmocka_unit_test(refuses_every_truncation),
		cmocka_unit_test(says_what_the_protocol_says),
		cmocka_unit_test(closes_as_stock_clients_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
