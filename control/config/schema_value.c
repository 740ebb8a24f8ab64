// SPDX-License-Identifier: BSD-3-Clause
//
// One value of the file against its row: type, bounds, words, form; then into the struct. What is
// refused is quoted back with what is allowed, unless it is a secret.

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "config/schema.h"

static_assert(sizeof(enum config_idle) == sizeof(uint32_t), "WORD rows store enums as 32 bits");

static void *field(const struct schema_row *row, void *base)
{
	return (char *)base + row->offset;
}

static uint32_t *count_field(const struct schema_row *row, void *base)
{
	return (uint32_t *)(void *)((char *)base + row->count_offset);
}

static void words_text(const struct schema_row *row, char *out, size_t out_size)
{
	size_t size = 0;

	out[0] = '\0';
	for (unsigned i = 0; row->words[i] != NULL && size < out_size; i++)
		size += (size_t)snprintf(out + size, out_size - size, "%s\"%s\"",
			i == 0                      ? ""
			: row->words[i + 1] == NULL ? " or "
						    : ", ",
			row->words[i]);
}

static void number_allowed(const struct schema_row *row, char *out, size_t out_size)
{
	int size = snprintf(
		out, out_size, "a whole number from %" PRId64 " to %" PRId64, row->min, row->max);

	if (row->words != NULL && size > 0 && (size_t)size < out_size)
		snprintf(out + size, out_size - (size_t)size, ", or \"%s\"", row->words[0]);
}

void schema_allowed(const struct schema_row *row, char *out, size_t out_size)
{
	char words[160];

	switch (row->type) {
	case SCHEMA_NUMBER:
		number_allowed(row, out, out_size);
		break;
	case SCHEMA_BOOL:
		snprintf(out, out_size, "true or false");
		break;
	case SCHEMA_WORD:
		words_text(row, out, out_size);
		break;
	case SCHEMA_WORDS:
		words_text(row, words, sizeof(words));
		snprintf(out, out_size, "a list of %s, each at most once", words);
		break;
	case SCHEMA_TEXT:
		snprintf(out, out_size, "%s", row->allowed);
		break;
	case SCHEMA_ID:
		snprintf(out, out_size, "an id, \"1\" to \"18446744073709551615\", in quotes");
		break;
	case SCHEMA_TEXTS:
		snprintf(out, out_size,
			"a list, [ \"...\", \"...\" ], of %" PRId64 " to %" PRId64
			" items, each %s",
			row->min, row->max, row->allowed);
		break;
	case SCHEMA_IDS:
		snprintf(out, out_size, "a list of at most %" PRId64 " ids, [ \"1\", \"2\" ]",
			row->max);
		break;
	case SCHEMA_GROUPS:
		snprintf(out, out_size,
			"a list of at most %" PRId64 " groups, ( { ... }, { ... } )", row->max);
		break;
	case SCHEMA_GROUP:
		snprintf(out, out_size, "a group, { key = value; ... }");
		break;
	}
}

static void item_allowed(const struct schema_row *row, char *out, size_t out_size)
{
	if (row->type == SCHEMA_TEXTS)
		snprintf(out, out_size, "%s", row->allowed);
	else if (row->type == SCHEMA_WORDS)
		words_text(row, out, out_size);
	else if (row->type == SCHEMA_IDS)
		snprintf(out, out_size, "an id, \"1\" to \"18446744073709551615\", in quotes");
	else
		snprintf(out, out_size, "a group, { key = value; ... }");
}

// The digits of a number that scan.c marked, or NULL.
static const char *marked_number(const config_setting_t *setting)
{
	const char *text = config_setting_get_string(setting);

	return text != NULL && text[0] == SCAN_NUMBER_MARK ? text + 1 : NULL;
}

static void quote(const char *text, char *out, size_t out_size)
{
	size_t size = 0;

	out[size++] = '"';
	for (; *text != '\0' && size < out_size - 6; text++)
		out[size++] = (unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text;
	if (*text != '\0') {
		while (size > 1 && ((unsigned char)out[size - 1] & 0xc0) == 0x80)
			size--; // not through the middle of a character
		memcpy(out + size, "...", 3);
		size += 3;
	}
	out[size++] = '"';
	out[size] = '\0';
}

// What stands in the file, for a problem.
static void found(
	const struct schema_row *row, const config_setting_t *setting, char *out, size_t out_size)
{
	int type = config_setting_type(setting);

	if (marked_number(setting) != NULL)
		type = CONFIG_TYPE_INT64;
	if (row->secret && type == CONFIG_TYPE_STRING)
		snprintf(out, out_size, "a string of %zu bytes",
			strlen(config_setting_get_string(setting)));
	else if (row->secret && (type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64))
		snprintf(out, out_size, "a number");
	else if (marked_number(setting) != NULL)
		snprintf(out, out_size, "the number %.40s", marked_number(setting));
	else if (type == CONFIG_TYPE_STRING)
		quote(config_setting_get_string(setting), out, out_size);
	else if (type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64)
		snprintf(out, out_size, "the number %lld", config_setting_get_int64(setting));
	else if (type == CONFIG_TYPE_FLOAT)
		snprintf(out, out_size, "the number %g", config_setting_get_float(setting));
	else if (type == CONFIG_TYPE_BOOL)
		snprintf(out, out_size, "%s", config_setting_get_bool(setting) ? "true" : "false");
	else
		snprintf(out, out_size, "%s", type == CONFIG_TYPE_GROUP ? "a group" : "a list");
}

static void refuse(struct schema_file *file, const struct schema_row *row,
	const config_setting_t *setting, const char *key, const char *why)
{
	char what[128], allowed[512];

	found(row, setting, what, sizeof(what));
	if (config_setting_name(setting) == NULL) // an item of the row's list
		item_allowed(row, allowed, sizeof(allowed));
	else
		schema_allowed(row, allowed, sizeof(allowed));
	schema_problem(file, setting, key, "found %s%s%s; allowed: %s", what,
		why == NULL ? "" : ", which ", why == NULL ? "" : why, allowed);
}

static void value_number(struct schema_file *file, const struct schema_row *row,
	const config_setting_t *setting, const char *key, void *base)
{
	const char *raw = marked_number(setting), *text = config_setting_get_string(setting);
	int type = config_setting_type(setting);
	char digits[48], allowed[128];
	long long value;

	number_allowed(row, allowed, sizeof(allowed));
	if (row->words != NULL && text != NULL && strcmp(text, row->words[0]) == 0) {
		*(uint32_t *)field(row, base) = 0;
		return;
	}

	errno = 0;
	if (raw != NULL) {
		bool hex = raw[0] == '0' && (raw[1] | 0x20) == 'x';

		value = strtoll(raw, NULL, hex ? 16 : 10); // clamps: still out of bounds
		snprintf(digits, sizeof(digits), "%.40s%s", raw, strlen(raw) > 40 ? "..." : "");
	} else if (type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64) {
		value = config_setting_get_int64(setting);
		snprintf(digits, sizeof(digits), "%lld", value);
	} else {
		refuse(file, row, setting, key, NULL);
		return;
	}
	if (value == 0 && row->min > 0 && row->zero != NULL) {
		schema_problem(file, setting, key, "0 is %s; allowed: %s", row->zero, allowed);
		return;
	}
	if (value < row->min || value > row->max) {
		schema_problem(file, setting, key, "%s is %s %" PRId64 "; allowed: %s", digits,
			value < row->min ? "below" : "above",
			value < row->min ? row->min : row->max, allowed);
		return;
	}
	*(uint32_t *)field(row, base) = (uint32_t)value;
}

static void value_bool(struct schema_file *file, const struct schema_row *row,
	const config_setting_t *setting, const char *key, void *base)
{
	if (config_setting_type(setting) != CONFIG_TYPE_BOOL)
		refuse(file, row, setting, key, NULL);
	else
		*(bool *)field(row, base) = config_setting_get_bool(setting) != 0;
}

// RFC 3629, without control characters. Names and tokens travel on in JSON.
static bool is_text(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	while (*at != '\0') {
		unsigned more = *at < 0x80 ? 0 : *at < 0xe0 ? 1 : *at < 0xf0 ? 2 : 3;
		uint32_t point = more == 0 ? *at : *at & (0x3fu >> more);

		if (*at < ' ' || *at == 0x7f || (*at >= 0x80 && *at < 0xc2) || *at > 0xf4)
			return false;
		at++;
		for (unsigned i = 0; i < more; i++, at++) {
			if ((*at & 0xc0) != 0x80)
				return false;
			point = point << 6 | (*at & 0x3f);
		}
		if ((more == 2 && point < 0x800) || (more == 3 && point < 0x10000) ||
			point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
			return false;
	}
	return true;
}

// Checks a string and copies it to 'out', row->size bytes.
static void value_text(struct schema_file *file, const struct schema_row *row,
	const config_setting_t *setting, const char *key, char *out)
{
	const char *text = config_setting_get_string(setting);
	char why[SCHEMA_WHY_SIZE];
	int64_t text_size;

	out[0] = '\0'; // nothing, not the default, is what others see of what was refused
	if (text == NULL || marked_number(setting) != NULL) {
		refuse(file, row, setting, key, NULL);
		return;
	}
	text_size = (int64_t)strlen(text);
	why[0] = '\0';
	if (text_size >= (int64_t)row->size)
		snprintf(why, sizeof(why), "is longer than %zu bytes", row->size - 1);
	else if (row->type == SCHEMA_TEXT && text_size == 0 && row->min > 0)
		snprintf(why, sizeof(why), "is empty");
	else if (row->type == SCHEMA_TEXT && text_size < row->min)
		snprintf(why, sizeof(why), "is shorter than %" PRId64 " bytes", row->min);
	else if (row->type == SCHEMA_TEXT && text_size > row->max)
		snprintf(why, sizeof(why), "is longer than %" PRId64 " bytes", row->max);
	else if (!is_text(text))
		snprintf(why, sizeof(why), "holds control characters or is not UTF-8");
	else if (row->check == NULL || row->check(text, why, sizeof(why)))
		why[0] = '\0';
	if (why[0] != '\0')
		refuse(file, row, setting, key, why);
	else
		memcpy(out, text, (size_t)text_size + 1);
}

// Returns false where the string is no word of the row.
static bool value_word(struct schema_file *file, const struct schema_row *row,
	const config_setting_t *setting, const char *key, uint32_t *out)
{
	const char *text = config_setting_get_string(setting);

	for (uint32_t i = 0; text != NULL && row->words[i] != NULL; i++)
		if (strcmp(row->words[i], text) == 0) {
			*out = i;
			return true;
		}
	refuse(file, row, setting, key, NULL);
	return false;
}

static void value_id(struct schema_file *file, const struct schema_row *row,
	const config_setting_t *setting, const char *key, uint64_t *out)
{
	const char *text = config_setting_get_string(setting);
	size_t digits = text == NULL ? 0 : strspn(text, "0123456789");

	if (digits == 0 || text[digits] != '\0' || text[0] == '0') {
		refuse(file, row, setting, key, NULL);
		return;
	}
	errno = 0;
	unsigned long long value = strtoull(text, NULL, 10);

	if (errno != 0 || digits > 20)
		refuse(file, row, setting, key, NULL);
	else
		*out = value;
}

// Whether 'setting' is a list with as many items as the row allows.
static bool list_count(struct schema_file *file, const struct schema_row *row,
	const config_setting_t *setting, const char *key, uint32_t *count)
{
	char allowed[512];
	int items;

	if (!config_setting_is_list(setting) && !config_setting_is_array(setting)) {
		refuse(file, row, setting, key, NULL);
		return false;
	}
	items = config_setting_length(setting);
	if (items < row->min || items > row->max) {
		schema_allowed(row, allowed, sizeof(allowed));
		schema_problem(file, setting, key, "found a list of %d item%s; allowed: %s", items,
			items == 1 ? "" : "s", allowed);
		return false;
	}
	*count = (uint32_t)items;
	return true;
}

static void value_inline_list(struct schema_file *file, const struct schema_row *row,
	const config_setting_t *setting, const char *key, void *base)
{
	uint32_t *words = field(row, base), count = 0;

	if (!list_count(file, row, setting, key, &count))
		return;
	for (unsigned i = 0; i < count; i++) {
		const config_setting_t *item = config_setting_get_elem(setting, i);
		char item_key[SCHEMA_KEY_SIZE + 16];

		snprintf(item_key, sizeof(item_key), "%s[%u]", key, i);
		if (row->type == SCHEMA_TEXTS) {
			value_text(file, row, item, item_key,
				(char *)field(row, base) + i * row->size);
			continue;
		}
		if (!value_word(file, row, item, item_key, &words[i]))
			continue;
		for (unsigned j = 0; j < i; j++)
			if (words[j] == words[i])
				schema_problem(file, item, item_key,
					"found \"%s\" a second time; allowed: each once",
					row->words[words[i]]);
	}
	*count_field(row, base) = count;
}

static void check_missing(struct schema_file *file, const struct schema_row *row,
	const config_setting_t *item, const char *key)
{
	for (unsigned i = 0; i < row->row_count; i++) {
		char allowed[512];

		if (row->rows[i].fallback != NULL ||
			config_setting_get_member(item, row->rows[i].path) != NULL)
			continue;
		schema_allowed(&row->rows[i], allowed, sizeof(allowed));
		schema_problem(file, item, key, "the key \"%s\" is missing; allowed: %s",
			row->rows[i].path, allowed);
	}
}

static void value_allocated_list(struct schema_file *file, const struct schema_row *row,
	const config_setting_t *setting, const char *key, void *base)
{
	void **place = field(row, base);
	uint32_t count = 0;
	char *items;

	if (!list_count(file, row, setting, key, &count) || count == 0)
		return;
	items = calloc(count, row->size);
	if (items == NULL) {
		file->no_memory = true;
		return;
	}
	*place = items;
	*count_field(row, base) = count;
	for (unsigned i = 0; i < count; i++) {
		const config_setting_t *item = config_setting_get_elem(setting, i);
		char item_key[SCHEMA_KEY_SIZE + 16];

		snprintf(item_key, sizeof(item_key), "%s[%u]", key, i);
		if (row->type == SCHEMA_IDS) {
			value_id(file, row, item, item_key, (uint64_t *)(void *)items + i);
		} else if (!config_setting_is_group(item)) {
			refuse(file, row, item, item_key, NULL);
		} else {
			check_missing(file, row, item, item_key);
			schema_walk(file, row->rows, row->row_count, item, item_key,
				items + i * row->size);
		}
	}
}

void schema_value(struct schema_file *file, const struct schema_row *row,
	const config_setting_t *setting, const char *key, void *base)
{
	switch (row->type) {
	case SCHEMA_NUMBER:
		value_number(file, row, setting, key, base);
		break;
	case SCHEMA_BOOL:
		value_bool(file, row, setting, key, base);
		break;
	case SCHEMA_WORD:
		(void)value_word(file, row, setting, key, field(row, base));
		break;
	case SCHEMA_TEXT:
		value_text(file, row, setting, key, field(row, base));
		break;
	case SCHEMA_ID:
		value_id(file, row, setting, key, field(row, base));
		break;
	case SCHEMA_TEXTS:
	case SCHEMA_WORDS:
		value_inline_list(file, row, setting, key, base);
		break;
	case SCHEMA_IDS:
	case SCHEMA_GROUPS:
		value_allocated_list(file, row, setting, key, base);
		break;
	case SCHEMA_GROUP:
		break; // schema_walk.c
	}
}
