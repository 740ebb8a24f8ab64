// SPDX-License-Identifier: BSD-3-Clause
//
// Formats one event into one line. printf's own formatting is used for each conversion by itself,
// so that a %s value can be escaped before it stands beside the program's own words.

#include "log/log.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOG_SPEC_SIZE 32u // bytes of one conversion, "%-20.3llu"

static struct {
	const char *program;
	enum log_level level;
	bool terminal; // stderr is one: text for people
	log_sink_fn *sink;
	void *sink_arg;
	uint64_t (*clock_ms)(void);
} log_state = {.program = "voicenode", .level = LOG_LEVEL_INFO};

struct log_buffer {
	char text[LOG_LINE_SIZE_MAX];
	uint32_t size;
	bool cut;
};

static const char *const level_names[LOG_LEVEL_COUNT] = {"error", "warn", "info", "debug"};

const char *log_level_name(enum log_level level)
{
	return (unsigned)level < LOG_LEVEL_COUNT ? level_names[level] : "?";
}

void log_open(const char *program, enum log_level level)
{
	log_state.program = program;
	log_state.level = level;
	log_state.terminal = isatty(STDERR_FILENO) == 1;
}

bool log_wants(enum log_level level)
{
	return level <= log_state.level;
}

void log_redirect(log_sink_fn *sink, void *arg, uint64_t (*clock_ms)(void))
{
	log_state.sink = sink;
	log_state.sink_arg = arg;
	log_state.clock_ms = clock_ms;
	log_state.terminal = sink == NULL && isatty(STDERR_FILENO) == 1;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	if (log_state.clock_ms != NULL)
		return log_state.clock_ms();
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

// One site, one line in LOG_SITE_INTERVAL_MS.
static bool site_may_speak(struct log_site *site)
{
	uint64_t now = now_ms();

	if (!site->unlimited && site->last_ms != 0 && now - site->last_ms < LOG_SITE_INTERVAL_MS) {
		site->suppressed++;
		return false;
	}
	site->last_ms = now == 0 ? 1 : now;
	return true;
}

static void put(struct log_buffer *out, const char *text, size_t text_size)
{
	// Three bytes for the dots and one for the line feed are always left.
	size_t room = sizeof(out->text) - 4 - out->size;

	if (text_size > room) {
		text_size = room;
		out->cut = true;
	}
	memcpy(out->text + out->size, text, text_size);
	out->size += (uint32_t)text_size;
}

static void put_text(struct log_buffer *out, const char *text)
{
	put(out, text, strlen(text));
}

static bool is_plain(const char *value)
{
	if (value[0] == '\0')
		return false; // key= alone reads like a mistake: key=""
	for (const char *at = value; *at != '\0'; at++)
		if ((unsigned char)*at <= ' ' || *at == 0x7f || strchr("\"\\=", *at) != NULL)
			return false;
	return true;
}

static void put_value(struct log_buffer *out, const char *value)
{
	if (is_plain(value)) {
		put_text(out, value);
		return;
	}
	put(out, "\"", 1);
	for (const char *at = value; *at != '\0'; at++) {
		char escape[8];

		if (*at == '"' || *at == '\\')
			snprintf(escape, sizeof(escape), "\\%c", *at);
		else if (*at == '\n')
			snprintf(escape, sizeof(escape), "\\n");
		else if (*at == '\r')
			snprintf(escape, sizeof(escape), "\\r");
		else if ((unsigned char)*at < ' ' || *at == 0x7f)
			snprintf(escape, sizeof(escape), "\\x%02x", (unsigned)(unsigned char)*at);
		else
			snprintf(escape, sizeof(escape), "%c", *at);
		put_text(out, escape);
	}
	put(out, "\"", 1);
}

// The arguments, in a struct so that they can be handed on by pointer on every ABI.
struct log_args {
	va_list list;
};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" // 'spec' is one checked piece of the format

static void put_integer(struct log_buffer *out, const char *spec, const char *length, char type,
	struct log_args *args)
{
	char text[128];
	bool is_signed = type == 'd' || type == 'i';

	if (strcmp(length, "ll") == 0 && is_signed)
		snprintf(text, sizeof(text), spec, va_arg(args->list, long long));
	else if (strcmp(length, "ll") == 0)
		snprintf(text, sizeof(text), spec, va_arg(args->list, unsigned long long));
	else if (length[0] == 'z' || length[0] == 't' || length[0] == 'j' || length[0] == 'l')
		// long, size_t, ptrdiff_t and intmax_t are one machine word here.
		snprintf(text, sizeof(text), spec, va_arg(args->list, unsigned long));
	else if (is_signed)
		snprintf(text, sizeof(text), spec, va_arg(args->list, int));
	else
		snprintf(text, sizeof(text), spec, va_arg(args->list, unsigned));
	put_text(out, text);
}

static void put_conversion(struct log_buffer *out, const char *spec, const char *length, char type,
	int precision, struct log_args *args)
{
	char text[LOG_LINE_SIZE_MAX];
	const char *value;

	switch (type) {
	case 's':
		value = va_arg(args->list, const char *);
		if (value != NULL && precision >= 0) { // "%.*s": the text may have no end
			size_t value_size = strnlen(value, (size_t)precision);

			if (value_size >= sizeof(text))
				value_size = sizeof(text) - 1;
			memcpy(text, value, value_size);
			text[value_size] = '\0';
			value = text;
		}
		put_value(out, value == NULL ? "(null)" : value);
		return;
	case 'c':
		text[0] = (char)va_arg(args->list, int);
		text[1] = '\0';
		put_value(out, text);
		return;
	case 'f':
	case 'e':
	case 'g':
		snprintf(text, sizeof(text), spec, va_arg(args->list, double));
		break;
	case 'p':
		snprintf(text, sizeof(text), spec, va_arg(args->list, void *));
		break;
	default:
		put_integer(out, spec, length, type, args);
		return;
	}
	put_text(out, text);
}

#pragma GCC diagnostic pop

// Formats the conversion that 'at' points to, a '%'. Returns what follows it.
static const char *put_spec(struct log_buffer *out, const char *at, struct log_args *args)
{
	char spec[LOG_SPEC_SIZE], length[3] = "";
	size_t size = 0, length_size = 0;
	int precision = -1;

	spec[size++] = *at++;
	while (*at != '\0' && strchr("#0- +123456789.*hlzjt", *at) != NULL && size < 20) {
		if (*at == '*') {
			int number = va_arg(args->list, int);

			if (spec[size - 1] == '.')
				precision = number;
			size += (size_t)snprintf(spec + size, sizeof(spec) - size, "%d", number);
			at++;
			continue;
		}
		if (isdigit((unsigned char)*at) && precision >= 0)
			precision = precision * 10 + (*at - '0');
		if (*at == '.')
			precision = 0;
		if (isalpha((unsigned char)*at) && length_size < 2)
			length[length_size++] = *at;
		spec[size++] = *at++;
	}
	if (*at == '\0')
		return at;
	spec[size++] = *at;
	spec[size] = '\0';
	if (*at == '%')
		put(out, "%", 1);
	else
		put_conversion(out, spec, length, *at, precision, args);
	return at + 1;
}

static void put_format(
	struct log_buffer *out, const char *format, const char *end, struct log_args *args)
{
	while (*format != '\0' && format < end) {
		size_t plain = strcspn(format, "%");

		if (plain > (size_t)(end - format))
			plain = (size_t)(end - format);
		put(out, format, plain);
		format += plain;
		if (*format == '%' && format < end)
			format = put_spec(out, format, args);
	}
}

// Where the first "key=" begins: everything before it is the message. The end if there is none.
static const char *first_key(const char *format)
{
	const char *word = format;

	for (const char *at = format; *at != '\0'; at++) {
		if (*at == ' ')
			word = at + 1;
		else if (*at == '=' && at > word)
			return word;
		else if (*at == '%')
			word = at + 1; // a value, never a key
	}
	return format + strlen(format);
}

static void put_head(struct log_buffer *out, enum log_level level)
{
	struct timespec now;
	struct tm tm;
	char text[96], stamp[40];

	clock_gettime(CLOCK_REALTIME, &now);
	if (log_state.terminal) {
		localtime_r(&now.tv_sec, &tm);
		strftime(stamp, sizeof(stamp), "%H:%M:%S", &tm);
		snprintf(text, sizeof(text), "%s %-5s ", stamp, log_level_name(level));
		put_text(out, text);
		return;
	}
	gmtime_r(&now.tv_sec, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, sizeof(text), "time=%s.%03ldZ level=%s program=", stamp,
		now.tv_nsec / 1000000, log_level_name(level));
	put_text(out, text);
	put_value(out, log_state.program);
	put(out, " ", 1);
}

// The message goes through a buffer of its own: in key=value form it is one quoted value.
static void put_message(
	struct log_buffer *out, const char *format, const char *end, struct log_args *args)
{
	struct log_buffer message = {.size = 0};

	put_format(&message, format, end, args);
	while (message.size > 0 && message.text[message.size - 1] == ' ')
		message.size--;
	message.text[message.size] = '\0';
	if (log_state.terminal) {
		put(out, message.text, message.size);
		return;
	}
	put_text(out, "msg=");
	put_value(out, message.text);
}

static void write_line(const struct log_buffer *out)
{
	ssize_t written;

	if (log_state.sink != NULL) {
		log_state.sink(log_state.sink_arg, out->text, out->size);
		return;
	}
	do
		written = write(STDERR_FILENO, out->text, out->size);
	while (written < 0 && errno == EINTR);
}

void log_line(struct log_site *site, enum log_level level, const char *format, ...)
{
	struct log_buffer out = {.size = 0};
	const char *keys = first_key(format);
	struct log_args args;

	if (!site_may_speak(site))
		return;
	put_head(&out, level);
	va_start(args.list, format);
	put_message(&out, format, keys, &args);
	if (*keys != '\0') {
		put(&out, " ", 1);
		put_format(&out, keys, keys + strlen(keys), &args);
	}
	va_end(args.list);
	if (site->suppressed > 0) {
		char text[32];

		snprintf(text, sizeof(text), " suppressed=%u", site->suppressed);
		put_text(&out, text);
		site->suppressed = 0;
	}
	if (out.cut) {
		memcpy(out.text + out.size, "...", 3);
		out.size += 3;
	}
	out.text[out.size++] = '\n';
	write_line(&out);
}
