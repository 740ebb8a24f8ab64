// SPDX-License-Identifier: BSD-3-Clause
//
// The parser of http_head.h (RFC 9112, without obsolete line folding).
#include "http/http_head.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define CONTENT_SIZE_MAX 1000000000u // what fits without overflow; callers have their own bounds

size_t http_head_size(const char *data, size_t size)
{
	const char *end = memmem(data, size, "\r\n\r\n", 4);

	return end == NULL ? 0 : (size_t)(end - data) + 4;
}

static bool is_token_char(char c)
{
	return isalnum((unsigned char)c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool is_token(const char *text)
{
	if (*text == '\0')
		return false;
	while (*text != '\0')
		if (!is_token_char(*text++))
			return false;
	return true;
}

// Cuts the next line off 'cursor', NULL when it holds a control character.
static char *line_next(char **cursor)
{
	char *line = *cursor;
	char *end = strstr(line, "\r\n"); // every line of a whole head ends so

	*end = '\0';
	*cursor = end + 2;
	for (const char *c = line; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' && *c != '\t')
			return NULL;
	return line;
}

static bool content_size_parse(const char *text, size_t *out)
{
	size_t size = 0;

	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		if (!isdigit((unsigned char)*text))
			return false;
		size = size * 10 + (size_t)(*text - '0');
		if (size > CONTENT_SIZE_MAX)
			return false;
	}
	*out = size;
	return true;
}

static unsigned header_parse(char *line, struct http_head *head)
{
	char *colon = strchr(line, ':');
	char *value, *end;

	if (colon == NULL)
		return 400;
	*colon = '\0';
	if (!is_token(line)) // also refuses a space before the colon
		return 400;
	value = colon + 1 + strspn(colon + 1, " \t");
	end = value + strlen(value);
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	if (head->header_count == HTTP_HEADERS_MAX)
		return 431;
	if (strcasecmp(line, "Transfer-Encoding") == 0)
		return 411;
	if (strcasecmp(line, "Content-Length") == 0) {
		if (http_header_get(head, "Content-Length")[0] != '\0')
			return 400;
		if (!content_size_parse(value, &head->content_size))
			return 400;
	}
	head->headers[head->header_count++] = (struct http_header){line, value};
	return 0;
}

static unsigned headers_parse(char *cursor, struct http_head *head)
{
	for (;;) {
		char *line = line_next(&cursor);
		unsigned status;

		if (line == NULL)
			return 400;
		if (*line == '\0')
			return 0;
		status = header_parse(line, head);
		if (status != 0)
			return status;
	}
}

// A NUL inside would hide what follows from every string function.
static bool has_nul(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

unsigned http_request_parse(char *text, size_t head_size, struct http_head *head)
{
	char *cursor = text;
	char *line, *target, *version, *query;

	*head = (struct http_head){0};
	if (has_nul(text, head_size))
		return 400;
	line = line_next(&cursor);
	if (line == NULL)
		return 400;
	target = strchr(line, ' ');
	if (target == NULL)
		return 400;
	*target++ = '\0';
	version = strchr(target, ' ');
	if (version == NULL)
		return 400;
	*version++ = '\0';
	if (!is_token(line) || target[0] != '/')
		return 400;
	if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0)
		return strncmp(version, "HTTP/", 5) == 0 ? 505 : 400;
	query = strchr(target, '?');
	if (query != NULL)
		*query++ = '\0';
	head->method = line;
	head->path = target;
	head->query = query == NULL ? "" : query;
	return headers_parse(cursor, head);
}

unsigned http_response_parse(char *text, size_t head_size, struct http_head *head)
{
	char *cursor = text;
	const char *line;

	*head = (struct http_head){0};
	if (has_nul(text, head_size))
		return 400;
	line = line_next(&cursor);
	if (line == NULL || strncmp(line, "HTTP/1.1 ", 9) != 0)
		return 400;
	for (int i = 9; i < 12; i++) {
		if (!isdigit((unsigned char)line[i]))
			return 400;
		head->status = head->status * 10 + (unsigned)(line[i] - '0');
	}
	return headers_parse(cursor, head);
}

const char *http_header_get(const struct http_head *head, const char *name)
{
	for (unsigned i = 0; i < head->header_count; i++)
		if (strcasecmp(head->headers[i].name, name) == 0)
			return head->headers[i].value;
	return "";
}

bool http_header_has_token(const struct http_head *head, const char *name, const char *token)
{
	const char *at = http_header_get(head, name);
	size_t token_size = strlen(token);

	while (*at != '\0') {
		size_t size;

		at += strspn(at, " \t,");
		size = strcspn(at, " \t,");
		if (size == token_size && strncasecmp(at, token, size) == 0)
			return true;
		at += size;
	}
	return false;
}
