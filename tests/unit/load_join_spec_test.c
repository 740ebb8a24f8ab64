// SPDX-License-Identifier: BSD-3-Clause
//
// --join: what it means and what it refuses.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "load/join_spec.h"

static void reads_a_plain_talker(void **state)
{
	struct join_spec spec;
	char why[160];

	(void)state;
	assert_int_equal(join_spec_parse("tokA:100:200:talk", &spec, why, sizeof(why)), 0);
	assert_string_equal(spec.token, "tokA");
	assert_int_equal(spec.guild_id, 100);
	assert_int_equal(spec.channel_id, 200);
	assert_true(spec.talks);
	assert_int_equal(spec.keepalive_size, 8);
	assert_false(spec.nonce_little || spec.ip6 || spec.loss_ok || spec.has_mode);
}

static void reads_every_option(void **state)
{
	struct join_spec spec;
	char why[160];

	(void)state;
	assert_int_equal(join_spec_parse("t:18446744073709551615:1:listen:nonce=le:keepalive=9:"
					 "mode=aead_xchacha20_poly1305_rtpsize:ip6:loss-ok",
				 &spec, why, sizeof(why)),
		0);
	assert_true(spec.guild_id == UINT64_MAX);
	assert_false(spec.talks);
	assert_true(spec.nonce_little && spec.ip6 && spec.loss_ok && spec.has_mode);
	assert_int_equal(spec.keepalive_size, 9);
	assert_int_equal(spec.mode, RTPSIZE_CLIENT_XCHACHA20_POLY1305);
	assert_int_equal(join_spec_parse("t:1:1:talk:nonce=le:nonce=be:keepalive=0", &spec, why,
				 sizeof(why)),
		0);
	assert_false(spec.nonce_little);
	assert_int_equal(spec.keepalive_size, 0);
}

static void refuses_with_a_reason(void **state)
{
	static const char *const wrong[] = {
		"",
		":1:2:talk",
		"t",
		"t:1",
		"t:1:2",
		"t:1:2:",
		"t:1:2:sing",
		"t:x:2:talk",
		"t:-1:2:talk",
		"t:0:2:talk",
		"t:1:0:talk",
		"t: 1:2:talk",
		"t:1x:2:talk",
		"t:18446744073709551616:2:talk",
		"t:1:2:talk:",
		"t:1:2:talk:nonce=",
		"t:1:2:talk:nonce=xe",
		"t:1:2:talk:keepalive=",
		"t:1:2:talk:keepalive=5",
		"t:1:2:talk:keepalive=48",
		"t:1:2:talk:mode=xsalsa20",
		"t:1:2:talk:ip6=1",
		"t:1:2:talk:ip6:",
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct join_spec spec;
		char why[160] = "";

		assert_int_equal(join_spec_parse(wrong[i], &spec, why, sizeof(why)), -EINVAL);
		assert_true(why[0] != '\0');
	}
}

static void bounds_the_token(void **state)
{
	struct join_spec spec;
	char text[JOIN_SPEC_TOKEN_SIZE + 16], why[160];

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text + JOIN_SPEC_TOKEN_SIZE - 1, ":1:2:talk", 10);
	assert_int_equal(join_spec_parse(text, &spec, why, sizeof(why)), 0);
	assert_int_equal(strlen(spec.token), JOIN_SPEC_TOKEN_SIZE - 1);
	text[JOIN_SPEC_TOKEN_SIZE - 1] = 'a';
	memcpy(text + JOIN_SPEC_TOKEN_SIZE, ":1:2:talk", 10);
	assert_int_equal(join_spec_parse(text, &spec, why, sizeof(why)), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_plain_talker),
		cmocka_unit_test(reads_every_option),
		cmocka_unit_test(refuses_with_a_reason),
		cmocka_unit_test(bounds_the_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
