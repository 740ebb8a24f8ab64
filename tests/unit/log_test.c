// SPDX-License-Identifier: BSD-3-Clause
//
// Log lines: their form, what a hostile value can do to them (nothing), and the rate limit.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "log/log.h"

static char last_line[LOG_LINE_SIZE_MAX + 1];
static unsigned line_count;
static uint64_t clock_now_ms;

static void keep_line(void *arg, const char *line, uint32_t line_size)
{
	(void)arg;
	assert_in_range(line_size, 1, LOG_LINE_SIZE_MAX);
	assert_int_equal(line[line_size - 1], '\n');
	assert_null(memchr(line, '\n', line_size - 1)); // one event, one line
	memcpy(last_line, line, line_size - 1);
	last_line[line_size - 1] = '\0';
	line_count++;
}

static uint64_t clock_ms(void)
{
	return clock_now_ms;
}

static int redirect(void **state)
{
	(void)state;
	log_open("test", LOG_LEVEL_INFO);
	log_redirect(keep_line, NULL, clock_ms);
	line_count = 0;
	clock_now_ms = 1000;
	return 0;
}

// What follows "program=test " in the last line.
static const char *body(void)
{
	const char *at = strstr(last_line, "program=test ");

	assert_non_null(at);
	return at + strlen("program=test ");
}

static void message_and_keys_are_separated(void **state)
{
	(void)state;
	log_info("node lost node=%s guilds=%u ratio=%.2f", "n1", 3u, 0.5);
	assert_string_equal(body(), "msg=\"node lost\" node=n1 guilds=3 ratio=0.50");
	assert_int_equal(strncmp(last_line, "time=20", 7), 0);
	assert_non_null(strstr(last_line, " level=info "));
	log_warn("stopping");
	assert_string_equal(body(), "msg=stopping");
	log_error("%s is missing, cure it path=%s", "/a b", "");
	assert_string_equal(body(), "msg=\"\\\"/a b\\\" is missing, cure it\" path=\"\"");
}

static void every_integer_width_prints(void **state)
{
	(void)state;
	log_info("x a=%d b=%ld c=%lld d=%zu e=%llu f=%hhu g=%5d h=%-4x| i=%%", -1, -2L, -3LL,
		(size_t)4, 18446744073709551615ULL, (unsigned char)7, 42, 255u);
	assert_string_equal(
		body(), "msg=x a=-1 b=-2 c=-3 d=4 e=18446744073709551615 f=7 g=   42 h=ff  | i=%");
}

static void bounded_strings_need_no_end(void **state)
{
	const char raw[3] = {'a', 'b', 'c'};
	(void)state;

	log_info("x a=%.*s b=%.2s", 3, raw, "defg");
	assert_string_equal(body(), "msg=x a=abc b=de");
}

static void hostile_values_forge_nothing(void **state)
{
	static const struct {
		const char *value, *shown;
	} rows[] = {
		{"a\nlevel=error msg=forged", "\"a\\nlevel=error msg=forged\""},
		{"a\r\n", "\"a\\r\\n\""},
		{"a b=c", "\"a b=c\""},
		{"k=v", "\"k=v\""},
		{"say \"x\"", "\"say \\\"x\\\"\""},
		{"back\\slash", "\"back\\\\slash\""},
		{"\x1b[31mred", "\"\\x1b[31mred\""},
		{"%s%n", "%s%n"},
		{"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
	};
	(void)state;

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char expected[128];

		clock_now_ms += LOG_SITE_INTERVAL_MS;
		log_info("x v=%s", rows[i].value);
		snprintf(expected, sizeof(expected), "msg=x v=%s", rows[i].shown);
		assert_string_equal(body(), expected);
	}
}

static void long_lines_are_cut_and_say_so(void **state)
{
	static char text[LOG_LINE_SIZE_MAX * 2];
	(void)state;

	for (size_t size = LOG_LINE_SIZE_MAX - 200; size < LOG_LINE_SIZE_MAX + 200; size++) {
		memset(text, 'x', size);
		text[size] = '\0';
		clock_now_ms += LOG_SITE_INTERVAL_MS;
		log_info("long v=%s w=%u", text, 7u); // keep_line() checks the bounds
	}
	assert_string_equal(last_line + strlen(last_line) - 4, "x...");
	assert_int_equal(strlen(last_line), LOG_LINE_SIZE_MAX - 1);
}

static void one_line_a_second_per_site(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 25; i++) { // 0, 100, ... 2400 ms
		log_warn("busy turn=%u", i);
		if (i == 10 || i == 20)
			assert_non_null(strstr(last_line, " suppressed=9"));
		clock_now_ms += 100;
	}
	assert_int_equal(line_count, 3);
	log_warn("another site");
	assert_int_equal(line_count, 4);
	assert_null(strstr(last_line, "suppressed"));
}

static void notices_are_never_kept_back(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 5; i++)
		log_notice("address %u", i);
	assert_int_equal(line_count, 5);
}

static void levels_above_the_chosen_are_silent(void **state)
{
	(void)state;
	for (unsigned level = 0; level < LOG_LEVEL_COUNT; level++) {
		log_open("test", level);
		log_redirect(keep_line, NULL, clock_ms);
		clock_now_ms += 10 * LOG_SITE_INTERVAL_MS;
		line_count = 0;
		log_error("e");
		log_warn("w");
		log_info("i");
		log_debug("d");
		assert_int_equal(line_count, level + 1);
	}
	assert_string_equal(log_level_name(LOG_LEVEL_DEBUG), "debug");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(message_and_keys_are_separated, redirect),
		cmocka_unit_test_setup(every_integer_width_prints, redirect),
		cmocka_unit_test_setup(bounded_strings_need_no_end, redirect),
		cmocka_unit_test_setup(hostile_values_forge_nothing, redirect),
		cmocka_unit_test_setup(long_lines_are_cut_and_say_so, redirect),
		cmocka_unit_test_setup(one_line_a_second_per_site, redirect),
		cmocka_unit_test_setup(notices_are_never_kept_back, redirect),
		cmocka_unit_test_setup(levels_above_the_chosen_are_silent, redirect),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
