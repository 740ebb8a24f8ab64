// SPDX-License-Identifier: BSD-3-Clause
//
// A pass over the file's tokens before libconfig sees them. libconfig 1.5 lets integers overflow
// without a word, follows @include, cuts strings at \x00, and leaks where a string has no end;
// after this pass it meets none of these.

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/schema.h"

struct scan {
	const char *name;
	const char *at, *end;
	unsigned line;
	unsigned depth;
	char *out;
	size_t out_size;
	struct config_problems *problems;
};

static void copy(struct scan *scan, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (scan->at[i] == '\n')
			scan->line++;
	memcpy(scan->out + scan->out_size, scan->at, size);
	scan->out_size += size;
	scan->at += size;
}

static size_t left(const struct scan *scan)
{
	return (size_t)(scan->end - scan->at);
}

static void scan_line_comment(struct scan *scan)
{
	const char *feed = memchr(scan->at, '\n', left(scan));

	copy(scan, feed == NULL ? left(scan) : (size_t)(feed - scan->at));
}

static void scan_block_comment(struct scan *scan)
{
	const char *close = memmem(scan->at + 2, left(scan) - 2, "*/", 2);

	if (close == NULL) {
		problem_add(scan->problems, scan->name, scan->line,
			"found a comment without its end; allowed: /* ... */");
		scan->at = scan->end;
		return;
	}
	copy(scan, (size_t)(close + 2 - scan->at));
}

static void scan_string(struct scan *scan)
{
	size_t size = 1;

	while (size < left(scan) && scan->at[size] != '"') {
		if (scan->at[size] == '\\' && left(scan) - size >= 4 &&
			memcmp(scan->at + size, "\\x00", 4) == 0)
			problem_add(scan->problems, scan->name, scan->line,
				"found \\x00 in a string; allowed: any other character");
		size += scan->at[size] == '\\' ? 2 : 1;
	}
	if (size >= left(scan)) {
		problem_add(scan->problems, scan->name, scan->line,
			"found a string without its end; allowed: \"...\"");
		scan->at = scan->end;
		return;
	}
	copy(scan, size + 1);
}

// Whether the integer of 'size' characters fits in 32 bits, as libconfig keeps it.
static bool fits(const char *text, size_t size)
{
	char digits[32];
	long long value;

	if (size >= sizeof(digits))
		return false;
	memcpy(digits, text, size);
	digits[size] = '\0';
	errno = 0;
	value = strtoll(digits, NULL, digits[0] == '0' && (digits[1] | 0x20) == 'x' ? 16 : 10);
	return errno == 0 && value >= INT32_MIN && value <= INT32_MAX;
}

static void scan_number(struct scan *scan)
{
	const char *text = scan->at;
	size_t size = *text == '+' || *text == '-' ? 1 : 0, whole;

	if (left(scan) - size >= 2 && text[size] == '0' && (text[size + 1] | 0x20) == 'x') {
		size += 2;
		while (size < left(scan) && isxdigit((unsigned char)text[size]))
			size++;
	} else {
		while (size < left(scan) && isdigit((unsigned char)text[size]))
			size++;
	}
	whole = size;
	while (size < left(scan) && (isalnum((unsigned char)text[size]) || text[size] == '.'))
		size++;
	// A suffix L or LL (64 bits) may follow; a point or an exponent makes it a float.
	if ((size == whole || strspn(text + whole, "L") >= size - whole) && !fits(text, whole)) {
		scan->out[scan->out_size++] = '"';
		scan->out[scan->out_size++] = SCAN_NUMBER_MARK;
		copy(scan, whole);
		scan->out[scan->out_size++] = '"';
		scan->at = text + size;
		return;
	}
	copy(scan, size);
}

static void scan_name(struct scan *scan)
{
	size_t size = 1;

	while (size < left(scan) &&
		(isalnum((unsigned char)scan->at[size]) || strchr("-_*", scan->at[size]) != NULL) &&
		scan->at[size] != '\0')
		size++;
	copy(scan, size);
}

static void scan_refuse(struct scan *scan, const char *what)
{
	problem_add(scan->problems, scan->name, scan->line, "%s", what);
	scan->at++;
}

static void scan_bracket(struct scan *scan)
{
	if (strchr("({[", *scan->at) == NULL) {
		scan->depth -= scan->depth > 0;
	} else if (++scan->depth > SCHEMA_DEPTH_MAX) {
		problem_add(scan->problems, scan->name, scan->line,
			"found groups and lists nested deeper than %u", SCHEMA_DEPTH_MAX);
		scan->at = scan->end; // one of these is enough
		return;
	}
	copy(scan, 1);
}

static void scan_token(struct scan *scan)
{
	char next = left(scan) > 1 ? scan->at[1] : '\0';
	unsigned char c = (unsigned char)*scan->at;

	if (c == '#' || (c == '/' && next == '/'))
		scan_line_comment(scan);
	else if (c == '/' && next == '*')
		scan_block_comment(scan);
	else if (c == '"')
		scan_string(scan);
	else if (isdigit(c) || ((c == '+' || c == '-') && isdigit((unsigned char)next)))
		scan_number(scan);
	else if (isalpha(c) || c == '*')
		scan_name(scan);
	else if (c == '@')
		scan_refuse(scan, "found @include; allowed: one file with all of its keys");
	else if (c == '\0' || c > 0x7e)
		scan_refuse(scan, "found a byte that is not text outside of a string");
	else if (strchr("(){}[]", c) != NULL)
		scan_bracket(scan);
	else
		copy(scan, 1);
}

int config_scan(const char *name, const char *text, size_t text_size, char **out,
	struct config_problems *problems)
{
	struct scan scan = {
		.name = name,
		.at = text,
		.end = text + text_size,
		.line = 1,
		.problems = problems,
	};
	uint32_t count_before = problems->count;

	if (memchr(text, '\0', text_size) != NULL) {
		problem_add(problems, name, 0, "found a NUL byte: this is not a text file");
		return -EINVAL;
	}
	// A number grows by three characters, and has at least ten of its own.
	scan.out = malloc(text_size + text_size / 2 + 16);
	if (scan.out == NULL)
		return -ENOMEM;
	while (scan.at < scan.end)
		scan_token(&scan);
	scan.out[scan.out_size] = '\0';
	if (problems->count != count_before) {
		explicit_bzero(scan.out, scan.out_size); // it may hold tokens
		free(scan.out);
		return -EINVAL;
	}
	*out = scan.out;
	return 0;
}
