// SPDX-License-Identifier: BSD-3-Clause
//
// Looks at JSON text without decoding it: how deep it nests, and the raw characters of a number. A
// heartbeat's nonce is echoed as the text that came (protocol.md 8.7: clients send 64-bit numbers
// that no double holds). The decoder proper is jansson, in voice_codec.c. Pure, any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct json_token {
	const char *text; // inside the scanned text, not terminated; NULL: not there
	size_t size;
};

// The deepest nesting of objects and arrays in 'text', or 'limit' + 1 as soon as it is exceeded.
// The text need not be JSON: brackets inside strings do not count.
unsigned json_scan_depth(const char *text, size_t size, unsigned limit);

// The value of member 'name' of the object that 'object' holds, brackets and quotes included. Only
// keys written without escapes are found, and the first of several. False: not an object, no such
// member, or the text ends early.
bool json_scan_member(struct json_token object, const char *name, struct json_token *value);

// Is it a number as RFC 8259 writes it, of at most 'size_max' characters?
bool json_scan_is_number(struct json_token token, size_t size_max);
