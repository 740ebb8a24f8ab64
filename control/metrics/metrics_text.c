// SPDX-License-Identifier: BSD-3-Clause
//
// The format's few rules, in one place.

#include "metrics/metrics_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 16384u

void metrics_text_init(struct metrics_text *text)
{
	*text = (struct metrics_text){0};
}

void metrics_text_fini(struct metrics_text *text)
{
	free(text->data);
	*text = (struct metrics_text){0};
}

static bool reserve(struct metrics_text *text, size_t size)
{
	size_t capacity = text->capacity == 0 ? FIRST_SIZE : text->capacity;
	char *data;

	if (text->failed)
		return false;
	while (capacity - text->size <= size)
		capacity *= 2;
	if (capacity == text->capacity)
		return true;
	data = realloc(text->data, capacity);
	if (data == NULL) {
		text->failed = true;
		return false;
	}
	text->data = data;
	text->capacity = capacity;
	return true;
}

__attribute__((format(printf, 2, 3))) static void add(
	struct metrics_text *text, const char *format, ...)
{
	char line[512];
	va_list args;
	int size;

	va_start(args, format);
	size = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (size < 0 || (size_t)size >= sizeof(line) || !reserve(text, (size_t)size)) {
		text->failed = true;
		return;
	}
	memcpy(text->data + text->size, line, (size_t)size + 1);
	text->size += (size_t)size;
}

// Label values: backslash, quote and line feed.
static void add_escaped(struct metrics_text *text, const char *value)
{
	for (; *value != '\0'; value++) {
		if (*value == '\n')
			add(text, "\\n");
		else if (*value == '\\' || *value == '"')
			add(text, "\\%c", *value);
		else
			add(text, "%c", *value);
	}
}

void metrics_family(
	struct metrics_text *text, const char *name, enum metrics_type type, const char *help)
{
	static const char *const types[] = {"counter", "gauge", "histogram"};

	add(text, "# HELP voicenode_%s %s\n# TYPE voicenode_%s %s\n", name, help, name,
		types[type]);
}

static void begin_sample(struct metrics_text *text, const char *name,
	const struct metrics_label *labels, unsigned label_count)
{
	add(text, "voicenode_%s", name);
	for (unsigned index = 0; index < label_count; index++) {
		add(text, "%s%s=\"", index == 0 ? "{" : ",", labels[index].name);
		add_escaped(text, labels[index].value);
		add(text, "\"");
	}
	add(text, "%s ", label_count == 0 ? "" : "}");
}

void metrics_sample(struct metrics_text *text, const char *name, const struct metrics_label *labels,
	unsigned label_count, double value)
{
	begin_sample(text, name, labels, label_count);
	add(text, "%.12g\n", value);
}

void metrics_sample_u64(struct metrics_text *text, const char *name,
	const struct metrics_label *labels, unsigned label_count, uint64_t value)
{
	begin_sample(text, name, labels, label_count);
	add(text, "%" PRIu64 "\n", value);
}
