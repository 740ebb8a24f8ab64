// SPDX-License-Identifier: BSD-3-Clause
//
// See host_log.h. A line is one write().

#include "host/host_log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define HOST_LOG_LINE_SIZE 2048u // bytes with the line feed; what is longer is cut

static const char *const level_names[HOST_LOG_LEVEL_COUNT] = {"error", "warn", "info", "debug"};

// Written once at start, before any thread.
static enum host_log_level level_max = HOST_LOG_INFO;

void host_log_open(enum host_log_level level)
{
	level_max = level;
}

bool host_log_level_parse(const char *name, enum host_log_level *level)
{
	for (unsigned i = 0; i < HOST_LOG_LEVEL_COUNT; i++) {
		if (strcmp(name, level_names[i]) != 0)
			continue;
		*level = (enum host_log_level)i;
		return true;
	}
	return false;
}

const char *host_log_quote(struct host_log_text *out, const char *text)
{
	bool for_people = isatty(STDERR_FILENO) == 1;
	size_t used = 0;

	out->bytes[used++] = '"';
	for (; *text != '\0' && used < sizeof(out->bytes) - 6; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte < ' ' || byte == 0x7f) {
			used += (size_t)snprintf(
				out->bytes + used, sizeof(out->bytes) - used, "\\x%02x", byte);
			continue;
		}
		if ((byte == '"' || byte == '\\') && !for_people)
			out->bytes[used++] = '\\';
		out->bytes[used++] = (char)byte;
	}
	out->bytes[used++] = '"';
	out->bytes[used] = '\0';
	return out->bytes;
}

static size_t put_head(char *line, size_t line_size, enum host_log_level level, const char *message)
{
	struct timespec now;
	struct tm utc;
	char when[32];

	if (isatty(STDERR_FILENO) == 1)
		return (size_t)snprintf(line, line_size, "%-5s %s", level_names[level], message);
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &utc);
	return (size_t)snprintf(line, line_size,
		"time=%s.%03ldZ level=%s program=voicenode-dataplane msg=\"%s\"", when,
		now.tv_nsec / 1000000, level_names[level], message);
}

void host_log(enum host_log_level level, const char *message, const char *format, ...)
{
	char line[HOST_LOG_LINE_SIZE];
	size_t room = sizeof(line) - 1; // for the line feed
	va_list list;

	if (level > level_max)
		return;
	size_t used = put_head(line, room, level, message);
	if (used < room && format[0] != '\0') {
		line[used++] = ' ';
		va_start(list, format);
		used += (size_t)vsnprintf(line + used, room - used, format, list);
		va_end(list);
	}
	if (used >= room)
		used = room - 1;
	line[used++] = '\n';
	// stderr gone is nothing that a log line could report.
	if (write(STDERR_FILENO, line, used) < 0)
		return;
}
