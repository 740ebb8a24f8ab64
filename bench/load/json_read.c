// SPDX-License-Identifier: BSD-3-Clause
//
// Reading members of JSON objects. Pure.
#include "load/json_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

uint64_t json_read_id_value(const json_t *value)
{
	if (json_is_integer(value)) {
		json_int_t number = json_integer_value(value);

		return number > 0 ? (uint64_t)number : 0;
	}

	const char *text = json_string_value(value);
	char *end;

	if (text == NULL || text[0] < '0' || text[0] > '9')
		return 0;
	errno = 0;

	uint64_t id = strtoull(text, &end, 10);

	return errno == 0 && *end == '\0' ? id : 0;
}

uint64_t json_read_id(const json_t *object, const char *name)
{
	return json_read_id_value(json_object_get(object, name));
}

uint32_t json_read_u32(const json_t *object, const char *name)
{
	double number = json_number_value(json_object_get(object, name));

	return number >= 0 && number <= 4294967295.0 ? (uint32_t)number : 0;
}

bool json_read_text(const json_t *object, const char *name, char *text, size_t text_size)
{
	const char *value = json_string_value(json_object_get(object, name));

	if (value == NULL || value[0] == '\0' || strlen(value) >= text_size)
		return false;
	memcpy(text, value, strlen(value) + 1);
	return true;
}
