// SPDX-License-Identifier: BSD-3-Clause
//
// WebSocket framing (RFC 6455 section 5) without sockets: bytes in, whole messages out. Used by
// both ends, so a server refuses unmasked frames and a client masked ones.
//
// The library under http/ has a framing of its own, but it takes unmasked client frames without a
// word and does not tell its user; hence this one. Pure, any thread. Neighbour: ws_conn.c feeds it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WS_FRAME_HEAD_SIZE_MAX 14u
#define WS_CONTROL_SIZE_MAX 125u
#define WS_FRAGMENTS_MAX 1024u // of one message; more is an attack with tiny frames

#define WS_CLOSE_NORMAL 1000u
#define WS_CLOSE_GOING_AWAY 1001u
#define WS_CLOSE_PROTOCOL 1002u
#define WS_CLOSE_NO_STATUS 1005u // never on the wire: the close frame was empty
#define WS_CLOSE_ABNORMAL 1006u  // never on the wire: there was no close frame
#define WS_CLOSE_NOT_UTF8 1007u
#define WS_CLOSE_POLICY 1008u
#define WS_CLOSE_TOO_BIG 1009u
#define WS_CLOSE_INTERNAL 1011u

enum ws_opcode {
	WS_CONTINUATION = 0,
	WS_TEXT = 1,
	WS_BINARY = 2,
	WS_CLOSE = 8,
	WS_PING = 9,
	WS_PONG = 10,
};

enum ws_parse {
	WS_PARSE_MORE,    // all bytes taken, nothing whole yet
	WS_PARSE_MESSAGE, // message, message_size, binary
	WS_PARSE_PING,    // control, control_size
	WS_PARSE_PONG,
	WS_PARSE_CLOSE, // close_code
	WS_PARSE_ERROR, // close_code is what to close with; feed nothing more
};

struct ws_parser {
	size_t message_size_max; // bytes
	bool masked;             // what the peer's frames must be

	uint8_t head[WS_FRAME_HEAD_SIZE_MAX];
	uint8_t head_size, head_need;
	uint8_t opcode; // of the current frame
	bool final, in_payload, in_message, binary;
	uint8_t mask[4];
	uint8_t mask_at;
	uint64_t payload_left; // bytes
	uint32_t fragment_count;

	char *message; // owned; NUL-terminated at WS_PARSE_MESSAGE
	size_t message_size, message_alloc;
	uint8_t control[WS_CONTROL_SIZE_MAX];
	uint8_t control_size;
	uint16_t close_code;
};

void ws_parser_init(struct ws_parser *p, size_t message_size_max, bool masked);
void ws_parser_fini(struct ws_parser *p);

// Takes bytes up to the end of one message or control frame; '*used' says how many. What an answer
// points to is valid until the next call.
enum ws_parse ws_parser_feed(struct ws_parser *p, const uint8_t *data, size_t size, size_t *used);

// Writes a frame's head (FIN set) and returns its size. 'mask' NULL: unmasked.
size_t ws_frame_head_build(uint8_t head[WS_FRAME_HEAD_SIZE_MAX], enum ws_opcode opcode, size_t size,
	const uint8_t mask[4]);

#define WS_KEY_SIZE 25u    // bytes of a Sec-WebSocket-Key, with NUL
#define WS_ACCEPT_SIZE 29u // bytes of a Sec-WebSocket-Accept, with NUL
// The answer that proves that a server read the client's key (RFC 6455 section 4.2.2).
void ws_accept_build(const char *key, char accept[WS_ACCEPT_SIZE]);

// RFC 3629: no surrogates, no overlong forms, nothing above U+10FFFF.
bool ws_utf8_valid(const char *text, size_t size);
// May this code stand in a close frame (RFC 6455 section 7.4)?
bool ws_close_code_valid(uint16_t code);
