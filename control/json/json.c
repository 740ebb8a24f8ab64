// SPDX-License-Identifier: BSD-3-Clause
//
// The helpers of json.h. Depth is measured before jansson sees the text: its own bound (2048) is
// far above what any of our protocols nests, and deep texts are what attackers send.
#include "json/json.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The whole block, also where a buffer was cut down: what is beyond its text was once in it.
static void wipe_and_free(void *block)
{
	if (block != NULL)
		explicit_bzero(block, malloc_usable_size(block));
	free(block);
}

void json_wipe_memory(void)
{
	json_set_alloc_funcs(malloc, wipe_and_free);
}

void json_text_free(char *text)
{
	wipe_and_free(text);
}

static bool depth_allowed(const char *text, size_t size)
{
	unsigned depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < size; i++) {
		char c = text[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
			continue;
		}
		if (c == '"')
			in_string = true;
		else if (c == '[' || c == '{')
			depth++;
		else if ((c == ']' || c == '}') && depth > 0)
			depth--;
		if (depth > JSON_DEPTH_MAX)
			return false;
	}
	return true;
}

json_t *json_decode(const char *text, size_t size, char *why, size_t why_size)
{
	json_error_t error;
	json_t *value;

	if (!depth_allowed(text, size)) {
		if (why != NULL)
			snprintf(why, why_size, "nested deeper than %u", JSON_DEPTH_MAX);
		return NULL;
	}
	value = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
	if (value == NULL && why != NULL) // jansson quotes the input: only the place is passed on
		snprintf(why, why_size, "not JSON at byte %d", error.position);
	return value;
}

char *json_encode(json_t *value)
{
	char *text = value == NULL ? NULL : json_dumps(value, JSON_COMPACT);

	json_decref(value);
	return text;
}

bool json_is_id(const json_t *value, uint64_t *out)
{
	const char *text = json_string_value(value);
	uint64_t id = 0;

	if (json_is_integer(value)) {
		if (json_integer_value(value) < 0)
			return false;
		*out = (uint64_t)json_integer_value(value);
		return true;
	}
	if (text == NULL || *text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		unsigned digit = (unsigned)(*text - '0');

		if (*text < '0' || *text > '9' || id > (UINT64_MAX - digit) / 10)
			return false;
		id = id * 10 + digit;
	}
	*out = id;
	return true;
}

bool json_get_id(const json_t *object, const char *name, uint64_t *out)
{
	return json_is_id(json_object_get(object, name), out);
}

bool json_get_uint(const json_t *object, const char *name, uint64_t max, uint64_t *out)
{
	const json_t *value = json_object_get(object, name);

	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
		(uint64_t)json_integer_value(value) > max)
		return false;
	*out = (uint64_t)json_integer_value(value);
	return true;
}

const char *json_get_string(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

bool json_copy_string(const json_t *object, const char *name, char *out, size_t size)
{
	const char *text = json_get_string(object, name);

	if (text == NULL || strlen(text) >= size)
		return false;
	memcpy(out, text, strlen(text) + 1);
	return true;
}

bool json_get_bool(const json_t *object, const char *name, bool fallback)
{
	const json_t *value = json_object_get(object, name);

	return json_is_boolean(value) ? json_is_true(value) : fallback;
}

json_t *json_id(uint64_t id)
{
	char text[JSON_SNOWFLAKE_SIZE];

	snprintf(text, sizeof(text), "%" PRIu64, id);
	return json_string(text);
}

json_t *json_id_or_null(uint64_t id)
{
	return id == 0 ? json_null() : json_id(id);
}
