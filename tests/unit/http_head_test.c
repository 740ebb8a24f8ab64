// SPDX-License-Identifier: BSD-3-Clause
//
// HTTP heads: what is taken, what is refused with which status, and every truncation.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "http/http_head.h"

static unsigned request_status(const char *text, size_t size)
{
	struct http_head head;
	char *copy = malloc(size + 1);
	unsigned status;

	memcpy(copy, text, size);
	copy[size] = '\0';
	status = http_request_parse(copy, size, &head);
	free(copy);
	return status;
}

static void requests_are_taken_or_refused(void **state)
{
	static const struct {
		const char *text;
		unsigned status;
	} cases[] = {
		{"GET / HTTP/1.1\r\n\r\n", 0},
		{"GET / HTTP/1.0\r\nA:b\r\n\r\n", 0},
		{"PATCH /a?b HTTP/1.1\r\nContent-Length: 4\r\n\r\n", 0},
		{"GET / HTTP/1.1\r\nA:\r\n\r\n", 0},
		{"POST /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411},
		{"POST /p HTTP/1.1\r\nContent-Length: 1\r\ntransfer-encoding: x\r\n\r\n", 411},
		{"POST /p HTTP/1.1\r\nContent-Length: 1\r\ncontent-length: 1\r\n\r\n", 400},
		{"POST /p HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400},
		{"POST /p HTTP/1.1\r\nContent-Length: +1\r\n\r\n", 400},
		{"POST /p HTTP/1.1\r\nContent-Length: 1,1\r\n\r\n", 400},
		{"POST /p HTTP/1.1\r\nContent-Length:\r\n\r\n", 400},
		{"POST /p HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nA : b\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\n: b\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nA\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nA: b\nB: c\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nA: b\rB: c\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nA: \x01\r\n\r\n", 400},
		{"GET  / HTTP/1.1\r\n\r\n", 400},
		{"GET / HTTP/1.1 \r\n\r\n", 505},
		{"G@T / HTTP/1.1\r\n\r\n", 400},
		{"GET x HTTP/1.1\r\n\r\n", 400},
		{"GET http://x/ HTTP/1.1\r\n\r\n", 400},
		{"GET /\r\n\r\n", 400},
		{"GET\r\n\r\n", 400},
		{"GET / HTTP/2.0\r\n\r\n", 505},
		{"GET / SIP/2.0\r\n\r\n", 400},
		{"\r\n\r\n", 400},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (request_status(cases[i].text, strlen(cases[i].text)) != cases[i].status)
			fail_msg("%s", cases[i].text);
	assert_int_equal(request_status("GET /\0 HTTP/1.1\r\n\r\n", 19), 400);
}

static void a_whole_head_ends_with_its_empty_line(void **state)
{
	static const char text[] = "GET /a?b=c&d HTTP/1.1\r\nHost: x:1\r\n"
				   "CONNECTION: keep-alive , Upgrade\r\nX:  y z \t\r\n\r\nbody";
	size_t head_size = sizeof(text) - 1 - 4;
	char copy[sizeof(text)];
	struct http_head head;

	(void)state;
	for (size_t size = 0; size < head_size; size++)
		assert_int_equal(http_head_size(text, size), 0);
	for (size_t size = head_size; size < sizeof(text); size++)
		assert_int_equal(http_head_size(text, size), head_size);
	memcpy(copy, text, sizeof(text));
	assert_int_equal(http_request_parse(copy, head_size, &head), 0);
	assert_string_equal(head.method, "GET");
	assert_string_equal(head.path, "/a");
	assert_string_equal(head.query, "b=c&d");
	assert_string_equal(http_header_get(&head, "host"), "x:1");
	assert_string_equal(http_header_get(&head, "x"), "y z");
	assert_string_equal(http_header_get(&head, "none"), "");
	assert_true(http_header_has_token(&head, "Connection", "upgrade"));
	assert_false(http_header_has_token(&head, "Connection", "upgrad"));
	assert_string_equal(copy + head_size, "body"); // left alone
}

static void the_number_of_headers_has_a_bound(void **state)
{
	char text[8 * HTTP_HEADERS_MAX + 64];

	(void)state;
	for (unsigned count = HTTP_HEADERS_MAX; count <= HTTP_HEADERS_MAX + 1; count++) {
		strncpy(text, "GET / HTTP/1.1\r\n", sizeof(text));
		for (unsigned i = 0; i < count; i++)
			memcpy(text + 16 + i * 5, "A:b\r\n", 5);
		memcpy(text + 16 + count * 5, "\r\n", 2);
		assert_int_equal(
			request_status(text, 18 + count * 5), count <= HTTP_HEADERS_MAX ? 0 : 431);
	}
}

static void responses_have_a_status(void **state)
{
	char good[] = "HTTP/1.1 101 Switching Protocols\r\nA: b\r\n\r\n";
	char bad[] = "HTTP/1.1 1x1 No\r\n\r\n";
	char short_one[] = "HTTP/1.1 \r\n\r\n";
	struct http_head head;

	(void)state;
	assert_int_equal(http_response_parse(good, sizeof(good) - 1, &head), 0);
	assert_int_equal(head.status, 101);
	assert_string_equal(http_header_get(&head, "A"), "b");
	assert_int_equal(http_response_parse(bad, sizeof(bad) - 1, &head), 400);
	assert_int_equal(http_response_parse(short_one, sizeof(short_one) - 1, &head), 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_taken_or_refused),
		cmocka_unit_test(a_whole_head_ends_with_its_empty_line),
		cmocka_unit_test(the_number_of_headers_has_a_bound),
		cmocka_unit_test(responses_have_a_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
