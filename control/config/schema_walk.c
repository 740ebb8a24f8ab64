// SPDX-License-Identifier: BSD-3-Clause
//
// Which keys a file has: known ones go to schema_value(), unknown ones are told with the nearest
// known name.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/schema.h"

#define NAME_MAX_SIZE 48u // bytes compared of a name; no key is as long

// The last part of a path: "key" of "voice.tls.key".
static const char *last_part(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot == NULL ? path : dot + 1;
}

// Whether 'row' is a direct child of the group 'path'.
static bool is_child(const struct schema_row *row, const char *path)
{
	size_t path_size = strlen(path);

	if (path_size == 0)
		return strchr(row->path, '.') == NULL;
	return strncmp(row->path, path, path_size) == 0 && row->path[path_size] == '.' &&
	       strchr(row->path + path_size + 1, '.') == NULL;
}

static const struct schema_row *find_row(
	const struct schema_row *rows, unsigned row_count, const char *path, const char *name)
{
	for (unsigned i = 0; i < row_count; i++)
		if (is_child(&rows[i], path) && strcmp(last_part(rows[i].path), name) == 0)
			return &rows[i];
	return NULL;
}

// Insertions, deletions, replacements and swaps of neighbours between two names.
static unsigned distance(const char *a, const char *b)
{
	unsigned rows[3][NAME_MAX_SIZE + 1], *before = rows[0], *last = rows[1], *now = rows[2];
	size_t a_size = strnlen(a, NAME_MAX_SIZE), b_size = strnlen(b, NAME_MAX_SIZE);

	memset(rows, 0, sizeof(rows));
	for (unsigned j = 0; j <= b_size; j++)
		last[j] = j;
	for (unsigned i = 1; i <= a_size; i++) {
		unsigned *spare = before;

		now[0] = i;
		for (unsigned j = 1; j <= b_size; j++) {
			unsigned best = last[j - 1] + (a[i - 1] != b[j - 1]);

			if (last[j] + 1 < best)
				best = last[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
				before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			now[j] = best;
		}
		before = last;
		last = now;
		now = spare;
	}
	return last[b_size];
}

// The nearest key of the same group, else the place where a key of this name is known.
static const char *nearest(
	const struct schema_row *rows, unsigned row_count, const char *path, const char *name)
{
	const char *best = NULL;
	unsigned best_distance = (unsigned)strlen(name) / 4 + 2;

	for (unsigned i = 0; i < row_count; i++) {
		const char *known = last_part(rows[i].path);
		unsigned d = distance(name, known);

		if (is_child(&rows[i], path) && d < best_distance && d < strlen(known)) {
			best = known;
			best_distance = d;
		}
	}
	for (unsigned i = 0; best == NULL && i < row_count; i++)
		if (strcmp(last_part(rows[i].path), name) == 0)
			best = rows[i].path;
	return best;
}

static void unknown_key(struct schema_file *file, const struct schema_row *rows, unsigned row_count,
	const config_setting_t *setting, const char *path, const char *key)
{
	const char *guess = nearest(rows, row_count, path, config_setting_name(setting));
	char known[512];
	size_t size = 0;

	if (guess != NULL) {
		schema_problem(file, setting, key, "unknown key; did you mean \"%s\"?", guess);
		return;
	}
	known[0] = '\0';
	for (unsigned i = 0; i < row_count && size < sizeof(known); i++)
		if (is_child(&rows[i], path))
			size += (size_t)snprintf(known + size, sizeof(known) - size, "%s%s",
				size == 0 ? "" : ", ", last_part(rows[i].path));
	schema_problem(file, setting, key, "unknown key; allowed here: %s", known);
}

// Not its value: where a group should be, it might be anything, also a secret.
static const char *kind_of(const config_setting_t *setting)
{
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_STRING:
		return "text in quotes";
	case CONFIG_TYPE_BOOL:
		return "true or false";
	case CONFIG_TYPE_ARRAY:
	case CONFIG_TYPE_LIST:
		return "a list";
	default:
		return "a number";
	}
}

// 'shown' is 'path' with the indexes of the lists it lies in.
static void walk(struct schema_file *file, const struct schema_row *rows, unsigned row_count,
	const config_setting_t *group, const char *path, const char *shown, void *base)
{
	for (unsigned i = 0; i < (unsigned)config_setting_length(group); i++) {
		const config_setting_t *setting = config_setting_get_elem(group, i);
		const char *name = config_setting_name(setting);
		const struct schema_row *row = find_row(rows, row_count, path, name);
		char key[SCHEMA_KEY_SIZE], shown_key[SCHEMA_KEY_SIZE];

		snprintf(key, sizeof(key), "%s%s%s", path, path[0] == '\0' ? "" : ".", name);
		snprintf(shown_key, sizeof(shown_key), "%s%s%s", shown, shown[0] == '\0' ? "" : ".",
			name);
		if (row == NULL)
			unknown_key(file, rows, row_count, setting, path, shown_key);
		else if (row->type != SCHEMA_GROUP)
			schema_value(file, row, setting, shown_key, base);
		else if (!config_setting_is_group(setting))
			schema_problem(file, setting, shown_key,
				"found %s; allowed: a group, { key = value; ... }",
				kind_of(setting));
		else
			walk(file, rows, row_count, setting, key, shown_key, base);
	}
}

void schema_walk(struct schema_file *file, const struct schema_row *rows, unsigned row_count,
	const config_setting_t *group, const char *path, void *base)
{
	walk(file, rows, row_count, group, "", path, base);
}
