// SPDX-License-Identifier: BSD-3-Clause
//
// The list of problems: every one that a file has, in one go and in the file's order.

#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "config/schema.h"

// The line that a problem of the file 'name' is about; those without one come last. 0: of another
// file.
static unsigned line_of(const char *problem, const char *name)
{
	size_t name_size = strlen(name);

	if (strncmp(problem, name, name_size) != 0 || problem[name_size] != ':')
		return 0;
	problem += name_size + 1;
	return *problem >= '0' && *problem <= '9' ? (unsigned)strtoul(problem, NULL, 10) : UINT_MAX;
}

// Where a problem of 'line' belongs: in the file's order, whatever was checked first.
static size_t place_of(const struct config_problems *problems, const char *name, unsigned line)
{
	size_t at = problems->text_size;

	while (at > 0) {
		size_t start = at - 1; // of the line that ends at 'at'

		while (start > 0 && problems->text[start - 1] != '\n')
			start--;
		if (line_of(problems->text + start, name) <= line)
			break;
		at = start;
	}
	return at;
}

static void insert_line(
	struct config_problems *problems, size_t at, const char *line, size_t line_size)
{
	char *text = realloc(problems->text, problems->text_size + line_size + 2);

	if (text == NULL)
		return; // the count still tells that there is a problem
	memmove(text + at + line_size + 1, text + at, problems->text_size - at);
	memcpy(text + at, line, line_size);
	text[at + line_size] = '\n';
	problems->text = text;
	problems->text_size += line_size + 1;
	text[problems->text_size] = '\0';
}

// 'line' 0: not known.
__attribute__((format(printf, 6, 0))) static void add_line(struct config_problems *problems,
	bool is_warning, const char *name, unsigned line, const char *key, const char *format,
	va_list args)
{
	char text[1024];
	int size = line > 0 ? snprintf(text, sizeof(text), "%s:%u: ", name, line)
			    : snprintf(text, sizeof(text), "%s: ", name);
	uint32_t *count = is_warning ? &problems->warning_count : &problems->count;

	if ((*count)++ >= CONFIG_PROBLEMS_MAX)
		return;
	if (is_warning && size < (int)sizeof(text))
		size += snprintf(text + size, sizeof(text) - (size_t)size, "warning: ");
	if (key != NULL && size < (int)sizeof(text))
		size += snprintf(text + size, sizeof(text) - (size_t)size, "%s: ", key);
	if (size < (int)sizeof(text))
		size += vsnprintf(text + size, sizeof(text) - (size_t)size, format, args);
	if (size >= (int)sizeof(text))
		size = (int)sizeof(text) - 1;
	insert_line(
		problems, place_of(problems, name, line > 0 ? line : UINT_MAX), text, (size_t)size);
}

void problem_add(
	struct config_problems *problems, const char *name, unsigned line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_line(problems, false, name, line, NULL, format, args);
	va_end(args);
}

void problem_add_key(struct config_problems *problems, bool is_warning, const char *name,
	unsigned line, const char *key, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_line(problems, is_warning, name, line, key, format, args);
	va_end(args);
}

void config_problem_add(struct config_problems *problems, bool is_warning, const char *path,
	const char *key, const char *format, ...)
{
	unsigned line = config_line_of(path, key);
	va_list args;

	va_start(args, format);
	add_line(problems, is_warning, path, line, key, format, args);
	va_end(args);
}

void schema_problem(struct schema_file *file, const config_setting_t *setting, const char *key,
	const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_line(file->problems, false, file->name,
		setting == NULL ? 0 : config_setting_source_line(setting), key, format, args);
	va_end(args);
}

void schema_problem_key(struct schema_file *file, const char *key, const char *format, ...)
{
	const config_setting_t *setting = config_lookup(file->tree, key);
	va_list args;

	va_start(args, format);
	add_line(file->problems, false, file->name,
		setting == NULL ? 0 : config_setting_source_line(setting), key, format, args);
	va_end(args);
}

void config_problems_print(const struct config_problems *problems, FILE *out)
{
	if (problems->text != NULL)
		fputs(problems->text, out);
	if (problems->count > CONFIG_PROBLEMS_MAX)
		fprintf(out, "... and %u more\n", problems->count - CONFIG_PROBLEMS_MAX);
	fprintf(out, "%u problem%s", problems->count, problems->count == 1 ? "" : "s");
	if (problems->warning_count > 0)
		fprintf(out, ", %u warning%s", problems->warning_count,
			problems->warning_count == 1 ? "" : "s");
	fputc('\n', out);
}

void config_problems_free(struct config_problems *problems)
{
	free(problems->text);
	*problems = (struct config_problems){0};
}
