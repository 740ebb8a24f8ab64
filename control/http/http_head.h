// SPDX-License-Identifier: BSD-3-Clause
//
// The head of an HTTP/1.1 request or response, parsed strictly and in place, without sockets.
// Strict because a lenient reader in front of or behind a strict one is how requests are smuggled.
//
// Pure, any thread. Neighbours: ws_server.c (requests), ws_client.c (responses).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_HEAD_SIZE_MAX 16384u // bytes, with the empty line
#define HTTP_HEADERS_MAX 64u

struct http_header {
	const char *name; // as it was sent; compare without case
	const char *value;
};

// Points into the parsed buffer.
struct http_head {
	const char *method; // request
	const char *path;
	const char *query; // "" without
	unsigned status;   // response
	struct http_header headers[HTTP_HEADERS_MAX];
	unsigned header_count;
	size_t content_size; // of Content-Length, 0 without
};

// Bytes of the head at the start of 'data' including its empty line, 0: not whole yet.
size_t http_head_size(const char *data, size_t size);

// 'head_size' bytes at 'text' are one head; NULs are written over its separators. Return 0, or the
// status to answer with: 400 malformed, 411 a body of unsaid length, 431 too many headers, 505.
unsigned http_request_parse(char *text, size_t head_size, struct http_head *head);
unsigned http_response_parse(char *text, size_t head_size, struct http_head *head);

// The header's value, "" when it is not there.
const char *http_header_get(const struct http_head *head, const char *name);
// Is 'token' one of the comma-separated words of the header? Without case.
bool http_header_has_token(const struct http_head *head, const char *name, const char *token);
