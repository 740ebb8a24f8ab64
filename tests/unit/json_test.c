// SPDX-License-Identifier: BSD-3-Clause
//
// The JSON helpers: what is refused, and ids in both of their forms.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json/json.h"

static bool accepts(const char *text, size_t size)
{
	json_t *value = json_decode(text, size, NULL, 0);

	json_decref(value);
	return value != NULL;
}

#define ACCEPTS(text) accepts(text, sizeof(text) - 1)

static void hostile_texts_are_refused(void **state)
{
	char why[64];

	(void)state;
	assert_true(ACCEPTS("{\"a\":[1,2.5,\"\xc3\xa4\",null,true]}"));
	assert_false(ACCEPTS(""));
	assert_false(ACCEPTS("{\"a\":1,\"a\":2}"));
	assert_false(ACCEPTS("{\"a\":1} x"));
	assert_false(ACCEPTS("{\"a\":1e400}"));
	assert_false(ACCEPTS("{\"a\":99999999999999999999}"));
	assert_false(ACCEPTS("[\"\xc3\x28\"]"));
	assert_false(ACCEPTS("[\"\\ud800\"]"));
	assert_false(ACCEPTS("[\"\\u0000\"]"));
	assert_false(ACCEPTS("[\"\0\"]"));
	assert_null(json_decode("[1,", 3, why, sizeof(why)));
	assert_non_null(strstr(why, "byte"));
}

static void depth_has_a_bound_and_strings_do_not_count(void **state)
{
	char text[2 * (JSON_DEPTH_MAX + 1) + 1];
	char *deep = malloc(1000000);
	char why[64];

	(void)state;
	for (unsigned depth = JSON_DEPTH_MAX; depth <= JSON_DEPTH_MAX + 1; depth++) {
		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		assert_int_equal(accepts(text, 2 * depth), depth <= JSON_DEPTH_MAX);
	}
	memset(deep, '[', 1000000);
	assert_null(json_decode(deep, 1000000, why, sizeof(why)));
	assert_non_null(strstr(why, "deeper"));
	deep[1] = '"';
	deep[2] = '\\';
	deep[3] = '"';
	deep[999998] = '"';
	deep[999999] = ']';
	assert_true(accepts(deep, 1000000));
	free(deep);
}

static void ids_are_strings_or_numbers_of_64_bits(void **state)
{
	static const struct {
		const char *text;
		bool valid;
		uint64_t id;
	} cases[] = {
		{"{\"id\":\"18446744073709551615\"}", true, UINT64_MAX},
		{"{\"id\":\"18446744073709551616\"}", false, 0},
		{"{\"id\":\"99999999999999999999\"}", false, 0},
		{"{\"id\":\"0\"}", true, 0},
		{"{\"id\":42}", true, 42},
		{"{\"id\":-1}", false, 0},
		{"{\"id\":1.5}", false, 0},
		{"{\"id\":\"\"}", false, 0},
		{"{\"id\":\"1x\"}", false, 0},
		{"{\"id\":\" 1\"}", false, 0},
		{"{\"id\":null}", false, 0},
		{"{}", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *object = json_decode(cases[i].text, strlen(cases[i].text), NULL, 0);
		uint64_t id = 0;

		assert_non_null(object);
		if (json_get_id(object, "id", &id) != cases[i].valid)
			fail_msg("%s", cases[i].text);
		assert_true(id == cases[i].id);
		json_decref(object);
	}
}

static void ids_are_written_as_strings(void **state)
{
	char *text = json_encode(json_pack("[o,o]", json_id(UINT64_MAX), json_id_or_null(0)));

	(void)state;
	assert_string_equal(text, "[\"18446744073709551615\",null]");
	json_text_free(text);
}

static void strings_that_do_not_fit_are_refused_whole(void **state)
{
	json_t *object = json_pack("{s:s}", "a", "1234");
	char out[5] = "old";

	(void)state;
	assert_false(json_copy_string(object, "a", out, 4));
	assert_string_equal(out, "old");
	assert_true(json_copy_string(object, "a", out, 5));
	assert_string_equal(out, "1234");
	json_decref(object);
}

#define SECRET "7d4f0c5be1a94f6b"

static unsigned freed, leaks; // blocks, and those that still held the secret

void __real_free(void *block);
void __wrap_free(void *block);

// Every free() of json.c comes here (linker option --wrap).
void __wrap_free(void *block)
{
	if (block != NULL) {
		freed++;
		leaks += memmem(block, malloc_usable_size(block), SECRET, strlen(SECRET)) != NULL;
	}
	__real_free(block);
}

// Whatever jansson made of a token, and what was made of it to send, is gone with its memory.
static void secrets_do_not_stay_in_freed_memory(void **state)
{
	char text[2000], padding[1500] = {0};
	json_t *object;

	(void)state;
	memset(padding, 'x', sizeof(padding) - 1);
	snprintf(text, sizeof(text), "{\"token\":\"" SECRET "\",\"more\":[\"%s\",\"" SECRET "\"]}",
		padding);
	freed = leaks = 0;
	object = json_decode(text, strlen(text), NULL, 0);
	assert_non_null(object);
	assert_null(json_decode("{\"token\":\"" SECRET, 26, NULL, 0)); // broken off
	json_object_set_new(object, "key", json_pack("[s,i]", SECRET, 7));
	json_text_free(json_encode(object));
	json_text_free(NULL);
	assert_true(freed > 10);
	assert_int_equal(leaks, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hostile_texts_are_refused),
		cmocka_unit_test(depth_has_a_bound_and_strings_do_not_count),
		cmocka_unit_test(ids_are_strings_or_numbers_of_64_bits),
		cmocka_unit_test(ids_are_written_as_strings),
		cmocka_unit_test(strings_that_do_not_fit_are_refused_whole),
		cmocka_unit_test(secrets_do_not_stay_in_freed_memory),
	};

	json_wipe_memory();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
