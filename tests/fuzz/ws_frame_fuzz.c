// SPDX-License-Identifier: BSD-3-Clause
//
// Fuzz target: any bytes from a WebSocket peer, whole and in single bytes. Asserts what ws_conn.c
// relies on: progress, bounds, terminated UTF-8 text, close codes that may be sent, and that the
// result does not depend on where the network cuts.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/ws_frame.h"

#define MESSAGE_MAX 600u

#define MUST(x)   \
	if (!(x)) \
	abort()

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void event_check(const struct ws_parser *p, enum ws_parse event)
{
	switch (event) {
	case WS_PARSE_MESSAGE:
		MUST(p->message_size <= MESSAGE_MAX);
		MUST(p->message[p->message_size] == '\0');
		MUST(p->binary || ws_utf8_valid(p->message, p->message_size));
		break;
	case WS_PARSE_PING:
	case WS_PARSE_PONG:
		MUST(p->control_size <= WS_CONTROL_SIZE_MAX);
		break;
	case WS_PARSE_CLOSE:
		MUST(p->close_code == WS_CLOSE_NO_STATUS || ws_close_code_valid(p->close_code));
		break;
	case WS_PARSE_ERROR:
		MUST(ws_close_code_valid(p->close_code));
		break;
	case WS_PARSE_MORE:
		break;
	}
}

// A number that stands for everything that was parsed.
static uint64_t run(const uint8_t *data, size_t size, size_t piece)
{
	struct ws_parser p;
	uint64_t sum = 0;

	ws_parser_init(&p, MESSAGE_MAX, true);
	while (size > 0) {
		size_t take = size < piece ? size : piece, used;
		enum ws_parse event = ws_parser_feed(&p, data, take, &used);

		MUST(used > 0 && used <= take);
		event_check(&p, event);
		if (event != WS_PARSE_MORE)
			sum = sum * 31 + (uint64_t)event;
		if (event == WS_PARSE_MESSAGE)
			for (size_t i = 0; i < p.message_size; i++)
				sum = sum * 31 + (uint8_t)p.message[i];
		if (event == WS_PARSE_ERROR || event == WS_PARSE_CLOSE) {
			sum = sum * 31 + p.close_code;
			break;
		}
		data += used;
		size -= used;
	}
	MUST(p.message_alloc <= 4 * MESSAGE_MAX);
	ws_parser_fini(&p);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	MUST(run(data, size, 1) == run(data, size, SIZE_MAX));
	MUST(run(data, size, 7) == run(data, size, SIZE_MAX));
	return 0;
}
