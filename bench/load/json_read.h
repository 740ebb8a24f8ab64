// SPDX-License-Identifier: BSD-3-Clause
//
// Members of a JSON object from a server that may send ids as text or as number. Pure; used by the
// two *_wire.c. 'object' may be NULL or no object: then nothing is found.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The id of member 'name'; 0: absent, null or not an id.
uint64_t json_read_id(const json_t *object, const char *name);
// An id that stands alone, for example in an array.
uint64_t json_read_id_value(const json_t *value);
// A number, whole or not (old servers send 13750.0). 0: absent or outside 32 bits.
uint32_t json_read_u32(const json_t *object, const char *name);
// False: absent, not text, empty, or it does not fit 'text'.
bool json_read_text(const json_t *object, const char *name, char *text, size_t text_size);
