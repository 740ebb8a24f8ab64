// SPDX-License-Identifier: BSD-3-Clause
//
// control/supervisor/demo_view.c: what the demo makes of the node's answers and the bots' lines.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "supervisor/demo_view.h"

static const char progress_text[] =
	"{\"t_ms\":1000,\"joined\":5,\"guilds\":[{\"guild\":\"1100000000000000100\",\"members\":4,"
	"\"speakers\":3,\"sent\":150,\"expected\":450,\"received\":441,\"loss_ratio\":0.02,"
	"\"latency_us\":{\"p50\":81,\"p99\":410}}]}";
static const char guilds_text[] =
	"{\"guilds\":[{\"guild\":\"7\",\"packets_in\":1},{\"guild\":\"1100000000000000100\","
	"\"packets_in\":150,\"packets_out\":450}]}";
static const char status_text[] =
	"{\"workers\":[{\"received\":9007199254740993,\"sent\":5},{\"received\":1,\"sent\":6}],"
	"\"drops\":{\"no_session\":0,\"replay\":3}}";
static const char load_text[] =
	"{\"loss_ratio\":0.0,\"latency_us\":{\"p50\":80,\"p90\":90,\"p99\":300}}";

static json_t *parse(const char *text)
{
	json_t *value = json_loads(text, 0, NULL);

	assert_non_null(value);
	return value;
}

static void one_object_with_exactly_the_promised_members(void **state)
{
	json_t *status = parse(status_text), *load = parse(load_text);
	json_t *result = demo_view_result(2, 8, status, load);

	(void)state;
	assert_non_null(result);
	char *text = json_dumps(result, JSON_COMPACT | JSON_SORT_KEYS);
	assert_string_equal(text,
		"{\"drops\":{\"no_session\":0,\"replay\":3},\"guilds\":2,"
		"\"latency_us\":{\"p50\":80,\"p99\":300},\"loss_ratio\":0.0,\"members\":8,"
		"\"packets_in\":9007199254740994,\"packets_out\":11}");
	free(text);
	json_decref(result);
	json_decref(status);
	json_decref(load);
}

static void no_result_when_something_is_missing(void **state)
{
	static const char *const halves[][2] = {
		{"{}", load_text},
		{"{\"workers\":[],\"drops\":{}}", load_text},
		{"{\"workers\":[{\"received\":1,\"sent\":1}]}", load_text},
		{status_text, "{}"},
		{status_text, "{\"loss_ratio\":0}"},
		{status_text, "{\"loss_ratio\":0,\"latency_us\":{\"p50\":1}}"},
		{status_text, "{\"loss_ratio\":\"0\",\"latency_us\":{\"p50\":1,\"p99\":1}}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(halves) / sizeof(halves[0]); i++) {
		json_t *status = parse(halves[i][0]), *load = parse(halves[i][1]);
		assert_null(demo_view_result(2, 8, status, load));
		json_decref(status);
		json_decref(load);
	}
	assert_null(demo_view_result(2, 8, NULL, NULL));
}

static void table_joins_bots_and_node_by_guild(void **state)
{
	struct demo_sample sample = {parse(progress_text), parse(guilds_text), parse(status_text)};
	char *text = NULL;
	size_t size = 0, ends = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	unsigned lines = demo_view_table(out, &sample);
	fclose(out);
	for (size_t i = 0; i < size; i++)
		ends += text[i] == '\n';
	assert_int_equal(lines, ends);
	assert_int_equal(lines, 3);
	assert_non_null(strstr(text,
		"1100000000000000100        4         3         150          450     2.00 %"));
	assert_non_null(strstr(text, "81 / 410 us"));
	assert_non_null(strstr(text, "drops: replay 3\n"));
	free(text);
	json_decref((json_t *)(uintptr_t)sample.progress);
	json_decref((json_t *)(uintptr_t)sample.guilds);
	json_decref((json_t *)(uintptr_t)sample.status);
}

static void table_of_nothing_is_still_a_table(void **state)
{
	struct demo_sample sample = {0};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_int_equal(demo_view_table(out, &sample), 2);
	fclose(out);
	assert_non_null(strstr(text, "drops: none\n"));
	assert_int_equal(demo_view_joined(NULL), 0);
	free(text);
}

static void speakers_of_all_guilds_are_added(void **state)
{
	json_t *line = parse("{\"guilds\":[{\"speakers\":3},{},{\"speakers\":4}]}");

	(void)state;
	assert_int_equal(demo_view_speakers(line), 7);
	assert_int_equal(demo_view_speakers(NULL), 0);
	json_decref(line);
}

static void an_interruption_says_what_stood(void **state)
{
	char text[256];

	(void)state;
	demo_view_interrupted(DEMO_STAGE_NETWORK, 0, 8, text, sizeof(text));
	assert_string_equal(text, "interrupted while the gateway started: only the network stood; "
				  "everything the demo made was removed");
	demo_view_interrupted(DEMO_STAGE_NODE, 3, 8, text, sizeof(text));
	assert_string_equal(text,
		"interrupted while the bots joined: network, gateway and node stood, 3 of 8 bots "
		"were in; everything the demo made was removed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_object_with_exactly_the_promised_members),
		cmocka_unit_test(no_result_when_something_is_missing),
		cmocka_unit_test(table_joins_bots_and_node_by_guild),
		cmocka_unit_test(table_of_nothing_is_still_a_table),
		cmocka_unit_test(speakers_of_all_guilds_are_added),
		cmocka_unit_test(an_interruption_says_what_stood),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
