// SPDX-License-Identifier: BSD-3-Clause
//
// A cursor over JSON text that knows strings and brackets and nothing else. It never reads past
// 'end' and never recurses, so hostile text costs one pass.

#include "signaling/json_scan.h"

#include <string.h>

static const char *skip_space(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
		at++;
	return at;
}

// 'at' is on the opening quote. Returns what follows the closing one, or NULL.
static const char *skip_string(const char *at, const char *end)
{
	for (at++; at < end; at++) {
		if (*at == '\\')
			at++;
		else if (*at == '"')
			return at + 1;
	}
	return NULL;
}

unsigned json_scan_depth(const char *text, size_t size, unsigned limit)
{
	const char *end = text + size;
	unsigned depth = 0, deepest = 0;

	for (const char *at = text; at != NULL && at < end;) {
		if (*at == '"') {
			at = skip_string(at, end);
			continue;
		}
		if (*at == '{' || *at == '[') {
			if (++depth > deepest)
				deepest = depth;
			if (deepest > limit)
				return limit + 1;
		} else if ((*at == '}' || *at == ']') && depth > 0) {
			depth--;
		}
		at++;
	}
	return deepest;
}

// Returns what follows the value at 'at', or NULL.
static const char *skip_value(const char *at, const char *end)
{
	unsigned depth = 0;

	while (at < end) {
		if (*at == '"') {
			at = skip_string(at, end);
			if (at == NULL || depth == 0)
				return at;
			continue;
		}
		if (*at == '{' || *at == '[') {
			depth++;
		} else if (*at == '}' || *at == ']') {
			if (depth == 0)
				return at; // the end of the object around a bare value
			if (--depth == 0)
				return at + 1;
		} else if (*at == ',' && depth == 0) {
			return at;
		}
		at++;
	}
	return depth == 0 ? at : NULL;
}

static bool key_is(const char *key, const char *after, const char *name)
{
	size_t size = strlen(name);

	return (size_t)(after - key) == size + 2 && memcmp(key + 1, name, size) == 0;
}

bool json_scan_member(struct json_token object, const char *name, struct json_token *value)
{
	const char *at = object.text;
	const char *end = at + object.size;

	at = skip_space(at, end);
	if (at == end || *at != '{')
		return false;
	for (;;) {
		const char *key = skip_space(at + 1, end);
		const char *key_end, *start;

		if (key == end || *key != '"')
			return false;
		key_end = skip_string(key, end);
		if (key_end == NULL)
			return false;
		at = skip_space(key_end, end);
		if (at == end || *at != ':')
			return false;
		start = skip_space(at + 1, end);
		at = skip_value(start, end);
		if (at == NULL || at == start)
			return false;
		if (key_is(key, key_end, name)) {
			while (at > start && strchr(" \t\r\n", at[-1]) != NULL)
				at--;
			*value = (struct json_token){.text = start, .size = (size_t)(at - start)};
			return true;
		}
		at = skip_space(at, end);
		if (at == end || *at != ',')
			return false;
	}
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *skip_digits(const char *at, const char *end)
{
	while (at < end && is_digit(*at))
		at++;
	return at;
}

bool json_scan_is_number(struct json_token token, size_t size_max)
{
	const char *at = token.text, *start;
	const char *end = at + token.size;

	if (token.size == 0 || token.size > size_max)
		return false;
	if (*at == '-')
		at++;
	start = at;
	at = skip_digits(at, end);
	if (at == start || (*start == '0' && at - start > 1))
		return false;
	if (at < end && *at == '.') {
		start = ++at;
		at = skip_digits(at, end);
		if (at == start)
			return false;
	}
	if (at < end && (*at == 'e' || *at == 'E')) {
		at++;
		if (at < end && (*at == '+' || *at == '-'))
			at++;
		start = at;
		at = skip_digits(at, end);
		if (at == start)
			return false;
	}
	return at == end;
}
