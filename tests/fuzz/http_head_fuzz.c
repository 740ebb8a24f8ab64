// SPDX-License-Identifier: BSD-3-Clause
//
// Fuzz target: any bytes as an HTTP head, of a request and of a response. Asserts what ws_server.c
// and ws_client.c rely on: every pointer inside the head and terminated there, what follows the
// head untouched, no control characters in what is passed on.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/http_head.h"

#define MUST(x)   \
	if (!(x)) \
	abort()

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void text_check(const char *text, const char *begin, size_t size)
{
	MUST(text >= begin && text < begin + size);
	MUST(memchr(text, '\0', size - (size_t)(text - begin)) != NULL);
	for (; *text != '\0'; text++)
		MUST((unsigned char)*text >= ' ' || *text == '\t');
}

static void head_check(const struct http_head *head, const char *begin, size_t size)
{
	MUST(head->header_count <= HTTP_HEADERS_MAX);
	for (unsigned i = 0; i < head->header_count; i++) {
		text_check(head->headers[i].name, begin, size);
		text_check(head->headers[i].value, begin, size);
		MUST(head->headers[i].name[0] != '\0');
	}
	MUST(http_header_get(head, "Transfer-Encoding")[0] == '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t head_size = http_head_size((const char *)data, size);
	struct http_head head;
	char *copy;

	if (head_size == 0)
		return 0;
	MUST(head_size <= size);
	copy = malloc(head_size + 2);
	if (copy == NULL)
		return 0;
	memcpy(copy, data, head_size);
	memcpy(copy + head_size, "!", 2);
	if (http_request_parse(copy, head_size, &head) == 0) {
		head_check(&head, copy, head_size);
		text_check(head.method, copy, head_size);
		text_check(head.path, copy, head_size);
		MUST(head.path[0] == '/');
		(void)http_header_has_token(&head, "Connection", "upgrade");
	}
	MUST(copy[head_size] == '!');
	memcpy(copy, data, head_size);
	if (http_response_parse(copy, head_size, &head) == 0) {
		head_check(&head, copy, head_size);
		MUST(head.status <= 999);
	}
	MUST(copy[head_size] == '!');
	free(copy);
	return 0;
}
