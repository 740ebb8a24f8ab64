// SPDX-License-Identifier: BSD-3-Clause
//
// The list of problems: every one that a file has, in one go.

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "config/schema.h"

static void append_line(struct config_problems *problems, const char *line, size_t line_size)
{
	char *text = realloc(problems->text, problems->text_size + line_size + 2);

	if (text == NULL)
		return; // the count still tells that there is a problem
	memcpy(text + problems->text_size, line, line_size);
	problems->text = text;
	problems->text_size += line_size;
	problems->text[problems->text_size++] = '\n';
	problems->text[problems->text_size] = '\0';
}

__attribute__((format(printf, 5, 0))) static void add_line(struct config_problems *problems,
	const char *name, unsigned line, const char *key, const char *format, va_list args)
{
	char text[1024];
	int size = line > 0 ? snprintf(text, sizeof(text), "%s:%u: ", name, line)
			    : snprintf(text, sizeof(text), "%s: ", name);

	if (problems->count++ >= CONFIG_PROBLEMS_MAX)
		return;
	if (key != NULL && size < (int)sizeof(text))
		size += snprintf(text + size, sizeof(text) - (size_t)size, "%s: ", key);
	if (size < (int)sizeof(text))
		size += vsnprintf(text + size, sizeof(text) - (size_t)size, format, args);
	if (size >= (int)sizeof(text))
		size = (int)sizeof(text) - 1;
	append_line(problems, text, (size_t)size);
}

void problem_add(
	struct config_problems *problems, const char *name, unsigned line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_line(problems, name, line, NULL, format, args);
	va_end(args);
}

void schema_problem(struct schema_file *file, const config_setting_t *setting, const char *key,
	const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_line(file->problems, file->name,
		setting == NULL ? 0 : config_setting_source_line(setting), key, format, args);
	va_end(args);
}

void schema_problem_key(struct schema_file *file, const char *key, const char *format, ...)
{
	const config_setting_t *setting = config_lookup(file->tree, key);
	va_list args;

	va_start(args, format);
	add_line(file->problems, file->name,
		setting == NULL ? 0 : config_setting_source_line(setting), key, format, args);
	va_end(args);
}

void config_problems_print(const struct config_problems *problems, FILE *out)
{
	if (problems->text != NULL)
		fputs(problems->text, out);
	if (problems->count > CONFIG_PROBLEMS_MAX)
		fprintf(out, "... and %u more\n", problems->count - CONFIG_PROBLEMS_MAX);
	fprintf(out, "%u problem%s; nothing was changed\n", problems->count,
		problems->count == 1 ? "" : "s");
}

void config_problems_free(struct config_problems *problems)
{
	free(problems->text);
	*problems = (struct config_problems){0};
}
