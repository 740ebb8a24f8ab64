// SPDX-License-Identifier: BSD-3-Clause
//
// The few helpers over jansson that keep codecs short: strict decoding of what peers send, and
// members read with a default. Threads: any. Neighbours: every codec of control/.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_DEPTH_MAX 32u      // arrays and objects inside one another
#define JSON_SNOWFLAKE_SIZE 21u // decimal text of a 64-bit id, with NUL

// From now on what jansson gives back is wiped first: texts of peers and what was made of them hold
// tokens and secrets. Call once, before any other use.
void json_wipe_memory(void);
// Wipes and frees a text of json_encode() or json_dumps(). NULL allowed.
void json_text_free(char *text);

// Decodes one whole text: valid UTF-8, no duplicate members, no NUL in strings, at most
// JSON_DEPTH_MAX deep. NULL otherwise, 'why' (NULL allowed) then says what is wrong and where.
json_t *json_decode(const char *text, size_t size, char *why, size_t why_size);
// The compact text, to be freed with json_text_free(), or NULL without memory. Takes over 'value'.
char *json_encode(json_t *value);

// A member that is a decimal string or a non-negative integer of at most 64 bits. False: it is
// missing, or something else.
bool json_get_id(const json_t *object, const char *name, uint64_t *out);
// The same for the value itself.
bool json_is_id(const json_t *value, uint64_t *out);
// A member that is an integer in 0 .. max.
bool json_get_uint(const json_t *object, const char *name, uint64_t max, uint64_t *out);
// The member's text, NULL when it is missing or no string.
const char *json_get_string(const json_t *object, const char *name);
// Copies the member's text. False: missing, no string, or it does not fit 'size' with its NUL.
bool json_copy_string(const json_t *object, const char *name, char *out, size_t size);
// The member's truth, 'fallback' when it is missing or no boolean.
bool json_get_bool(const json_t *object, const char *name, bool fallback);

// An id as the decimal string that JavaScript can hold.
json_t *json_id(uint64_t id);
// null for 0.
json_t *json_id_or_null(uint64_t id);
