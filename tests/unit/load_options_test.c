// SPDX-License-Identifier: BSD-3-Clause
//
// The command line of voicenode-load.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "load/options.h"

#define ARGS_MAX 24
#define JOIN "--join", "t:1:2:talk"
#define GATEWAY "--gateway", "http://127.0.0.1:80"

static enum options_result parse(
	const char *const *args, struct options *options, char *why, size_t why_size)
{
	static char copies[ARGS_MAX][128];
	char *argv[ARGS_MAX + 1] = {copies[0]};
	int argc = 1;

	snprintf(copies[0], sizeof(copies[0]), "voicenode-load");
	for (; args[argc - 1] != NULL; argc++) {
		assert_true(argc < ARGS_MAX && strlen(args[argc - 1]) < sizeof(copies[0]));
		snprintf(copies[argc], sizeof(copies[argc]), "%s", args[argc - 1]);
		argv[argc] = copies[argc];
	}
	return options_parse(argc, argv, options, why, why_size);
}

static void reads_everything(void **state)
{
	static const char *const args[] = {GATEWAY, JOIN, "--join=u:3:4:listen:ip6", "--ca",
		"ca.pem", "--seconds", "20", "--json", "--progress-fd", "7", "--seed", "42",
		"--ramp-ms", "0", "--mode", "aead_xchacha20_poly1305_rtpsize", "--kind", "turns",
		"--expect-loss", "0.001", NULL};
	struct options options;
	char why[256];

	(void)state;
	assert_int_equal(parse(args, &options, why, sizeof(why)), OPTIONS_RUN);
	assert_string_equal(options.gateway_url, "ws://127.0.0.1:80/?v=10&encoding=json");
	assert_int_equal(options.join_count, 2);
	assert_true(options.joins[1].ip6);
	assert_string_equal(options.ca_path, "ca.pem");
	assert_int_equal(options.run_ms, 20000);
	assert_true(options.json);
	assert_int_equal(options.progress_fd, 7);
	assert_int_equal(options.seed, 42);
	assert_int_equal(options.ramp_ms, 0);
	assert_true(options.has_mode);
	assert_int_equal(options.mode, RTPSIZE_CLIENT_XCHACHA20_POLY1305);
	assert_int_equal(options.kind, OPTIONS_TURNS);
	assert_true(options.loss_max > 0.0009 && options.loss_max < 0.0011);
	options_fini(&options);
}

static void has_defaults(void **state)
{
	static const char *const args[] = {"--gateway", "https://[::1]:443/", JOIN, NULL};
	struct options options;
	char why[256];

	(void)state;
	assert_int_equal(parse(args, &options, why, sizeof(why)), OPTIONS_RUN);
	assert_string_equal(options.gateway_url, "wss://[::1]:443/?v=10&encoding=json");
	assert_int_equal(options.kind, OPTIONS_STEADY);
	assert_int_equal(options.run_ms, 0);
	assert_int_equal(options.progress_fd, -1);
	assert_false(options.json || options.has_mode);
	assert_true(options.loss_max < 0);
	options_fini(&options);
}

static void refuses_with_a_sentence(void **state)
{
	static const char *const wrong[][8] = {
		{NULL},
		{GATEWAY, NULL},
		{JOIN, NULL},
		{"--gateway", "ftp://a", JOIN, NULL},
		{"--gateway", "http://", JOIN, NULL},
		{"--gateway", "http://a/path", JOIN, NULL},
		{GATEWAY, JOIN, "--join", "t:1:2:sing", NULL},
		{GATEWAY, JOIN, "--seconds", "0", NULL},
		{GATEWAY, JOIN, "--seconds", "1s", NULL},
		{GATEWAY, JOIN, "--seconds", NULL},
		{GATEWAY, JOIN, "--progress-fd", "-1", NULL},
		{GATEWAY, JOIN, "--mode", "aes", NULL},
		{GATEWAY, JOIN, "--kind", "often", NULL},
		{GATEWAY, JOIN, "--expect-loss", "2", NULL},
		{GATEWAY, JOIN, "--nonsense", NULL},
		{GATEWAY, JOIN, "stray", NULL},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct options options;
		char why[256] = "";

		assert_int_equal(parse(wrong[i], &options, why, sizeof(why)), OPTIONS_WRONG);
		assert_true(why[0] != '\0');
	}
}

static void never_repeats_a_token(void **state)
{
	static const char *const args[] = {GATEWAY, "--join", "s3cret:x:2:talk", NULL};
	struct options options;
	char why[256];

	(void)state;
	assert_int_equal(parse(args, &options, why, sizeof(why)), OPTIONS_WRONG);
	assert_null(strstr(why, "s3cret"));
}

static void help_is_not_an_error(void **state)
{
	static const char *const args[] = {"--help", NULL};
	struct options options;
	char why[256];

	(void)state;
	assert_int_equal(parse(args, &options, why, sizeof(why)), OPTIONS_HELP);
	assert_non_null(strstr(options_help(), "--expect-loss"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_everything),
		cmocka_unit_test(has_defaults),
		cmocka_unit_test(refuses_with_a_sentence),
		cmocka_unit_test(never_repeats_a_token),
		cmocka_unit_test(help_is_not_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
