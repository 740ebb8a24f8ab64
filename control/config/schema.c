// SPDX-License-Identifier: BSD-3-Clause
//
// A table from one end to the other: the sample file from its rows, the defaults from the sample
// file, and a given text on top of them.

#include "config/schema.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

// libconfig 1.5 does not free the token that a syntax error stands at. The program ends after such
// an error, so it is only the leak checker that must not take it for ours.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LEAK_CHECKED 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define LEAK_CHECKED 1
#endif

#ifdef LEAK_CHECKED
#include <sanitizer/lsan_interface.h>
#endif

#define SAMPLE_COLUMNS 92u // of a comment, without "# "

// Strings in a libconfig tree may be secrets, and libconfig does not wipe what it frees.
static void wipe_strings(config_setting_t *setting)
{
	if (config_setting_type(setting) == CONFIG_TYPE_STRING && setting->value.sval != NULL)
		explicit_bzero(setting->value.sval, strlen(setting->value.sval));
	if (!config_setting_is_aggregate(setting))
		return;
	for (unsigned i = 0; i < (unsigned)config_setting_length(setting); i++)
		wipe_strings(config_setting_get_elem(setting, i));
}

static int read_string(config_t *tree, const char *text)
{
	int result;

#ifdef LEAK_CHECKED
	__lsan_disable();
#endif
	result = config_read_string(tree, text);
#ifdef LEAK_CHECKED
	__lsan_enable();
#endif
	return result;
}

// Returns the first key of 'keys' that the file has, or NULL.
static const config_setting_t *first_of(const config_t *tree, const char *const *keys)
{
	const config_setting_t *found = NULL;

	for (; *keys != NULL && found == NULL; keys++)
		found = config_lookup(tree, *keys);
	return found;
}

// Node and gateway have a file each: one given for the other would only have unknown keys.
static bool is_of_other(struct schema_file *file, const struct schema *schema)
{
	const config_setting_t *telling = first_of(file->tree, schema->other.keys);

	if (telling == NULL || first_of(file->tree, schema->own_keys) != NULL)
		return false;
	file->is_of_other = true;
	problem_add(file->problems, file->name, (unsigned)config_setting_source_line(telling),
		"this is %s: it has \"%s\"; %s", schema->other.what, config_setting_name(telling),
		schema->other.cure);
	return true;
}

unsigned schema_line_of(const char *scanned, const char *key)
{
	const config_setting_t *setting = NULL;
	config_t tree;
	unsigned line = 0;

	config_init(&tree);
	if (read_string(&tree, scanned) == CONFIG_TRUE) {
		setting = config_lookup(&tree, key);
		if (setting != NULL)
			line = (unsigned)config_setting_source_line(setting);
		wipe_strings(config_root_setting(&tree));
	}
	config_destroy(&tree);
	return line;
}

static void read_tree(
	struct schema_file *file, const struct schema *schema, const char *text, void *base)
{
	config_setting_t *root = NULL;

	if (read_string(file->tree, text) != CONFIG_TRUE) {
		problem_add(file->problems, file->name, (unsigned)config_error_line(file->tree),
			"%s; allowed: key = value; name = { ... }; list = [ \"a\", \"b\" ]",
			config_error_text(file->tree));
		return;
	}
	root = config_root_setting(file->tree);
	if (is_of_other(file, schema))
		return;
	schema_walk(file, schema->rows, schema->row_count, root, "", base);
}

// Reads 'text' over what 'base' holds; 'finish' where it is the last word.
static int apply(const struct schema *schema, const char *name, const char *text, size_t text_size,
	bool finish, const void *finish_ctx, void *base, struct config_problems *problems)
{
	config_t tree;
	struct schema_file file = {.name = name, .problems = problems, .tree = &tree};
	uint32_t count_before = problems->count;
	char *copy = NULL;
	int error = config_scan(name, text, text_size, &copy, problems);

	if (error != 0)
		return error;
	config_init(&tree);
	read_tree(&file, schema, copy, base);
	explicit_bzero(copy, strlen(copy));
	free(copy);
	if (finish && config_error_type(&tree) == CONFIG_ERR_NONE && !file.is_of_other &&
		!file.no_memory)
		schema->finish(&file, base, finish_ctx);
	problems->has_rest = problems->wants_rest && finish && !file.is_of_other &&
			     !file.no_memory && config_error_type(&tree) == CONFIG_ERR_NONE;
	wipe_strings(config_root_setting(&tree));
	config_destroy(&tree);
	if (file.no_memory)
		return -ENOMEM;
	return problems->count == count_before ? 0 : -EINVAL;
}

int schema_load(const struct schema *schema, const char *name, const char *text, size_t text_size,
	const void *finish_ctx, void *base, struct config_problems *problems)
{
	char *sample = NULL;
	int error;

	memset(base, 0, schema->struct_size);
	error = schema_sample(schema, &sample);
	if (error != 0)
		return error;
	error = apply(
		schema, "built-in default", sample, strlen(sample), false, NULL, base, problems);
	free(sample);
	if (error == 0)
		error = apply(schema, name, text, text_size, true, finish_ctx, base, problems);
	if (error != 0 && !problems->has_rest)
		schema_free(schema->rows, schema->row_count, base, schema->struct_size);
	return error;
}

void schema_free(const struct schema_row *rows, unsigned row_count, void *base, size_t base_size)
{
	for (unsigned i = 0; i < row_count; i++) {
		const struct schema_row *row = &rows[i];
		uint32_t count;
		char *items;

		if (row->type != SCHEMA_IDS && row->type != SCHEMA_GROUPS)
			continue;
		memcpy(&items, (char *)base + row->offset, sizeof(items));
		memcpy(&count, (char *)base + row->count_offset, sizeof(count));
		for (uint32_t j = 0; row->type == SCHEMA_GROUPS && j < count; j++)
			schema_free(row->rows, row->row_count, items + j * row->size, row->size);
		free(items);
	}
	explicit_bzero(base, base_size);
}

static unsigned depth_of(const char *path)
{
	unsigned depth = 0;

	for (; *path != '\0'; path++)
		depth += *path == '.';
	return depth;
}

static void indent(FILE *out, unsigned depth)
{
	for (unsigned i = 0; i < depth; i++)
		fputc('\t', out);
}

// Every line of 'text' as a comment.
static void comment(FILE *out, unsigned depth, const char *text)
{
	while (*text != '\0') {
		int size = (int)strcspn(text, "\n");

		indent(out, depth);
		fprintf(out, "#%s%.*s\n", size == 0 ? "" : " ", size, text);
		text += size + (text[size] == '\n');
	}
}

// One sentence as comment lines of at most 'SAMPLE_COLUMNS'.
static void comment_wrapped(FILE *out, unsigned depth, const char *text)
{
	size_t width = SAMPLE_COLUMNS - depth * 8;

	while (strlen(text) > width) {
		size_t size = width;

		while (size > 0 && text[size] != ' ')
			size--;
		if (size == 0)
			break;
		indent(out, depth);
		fprintf(out, "# %.*s\n", (int)size, text);
		text += size + 1;
	}
	indent(out, depth);
	fprintf(out, "# %s\n", text);
}

static void sample_row(FILE *out, const struct schema_row *row)
{
	unsigned depth = depth_of(row->path);
	const char *name = strrchr(row->path, '.');
	char allowed[512], sentence[560];

	comment(out, depth, row->help);
	name = name == NULL ? row->path : name + 1;
	if (row->type == SCHEMA_GROUP) {
		indent(out, depth);
		fprintf(out, "%s = {\n", name);
		return;
	}
	schema_allowed(row, allowed, sizeof(allowed));
	snprintf(sentence, sizeof(sentence), "Allowed: %s.%s", allowed,
		row->restart ? " [restart]" : "");
	comment_wrapped(out, depth, sentence);
	indent(out, depth);
	fprintf(out, "%s = %s;\n", name, row->fallback);
}

int schema_sample(const struct schema *schema, char **text)
{
	char *made = NULL;
	size_t made_size = 0;
	FILE *out = open_memstream(&made, &made_size);
	unsigned depth = 0;

	if (out == NULL)
		return -ENOMEM;
	comment(out, 0, schema->title);
	for (unsigned i = 0; i < schema->row_count; i++) {
		const struct schema_row *row = &schema->rows[i];

		// The groups that end before this row.
		while (depth > depth_of(row->path)) {
			indent(out, --depth);
			fputs("};\n", out);
		}
		if (row->type == SCHEMA_GROUP || i == 0 || schema->rows[i - 1].type != SCHEMA_GROUP)
			fputc('\n', out);
		sample_row(out, row);
		depth += row->type == SCHEMA_GROUP;
	}
	while (depth > 0) {
		indent(out, --depth);
		fputs("};\n", out);
	}
	if (fclose(out) != 0) {
		free(made);
		return -ENOMEM;
	}
	*text = made;
	return 0;
}
