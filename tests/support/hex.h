// SPDX-License-Identifier: BSD-3-Clause
//
// Published vectors as they are printed. For cmocka tests.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

// Bytes of 'hex', digits of either case only. Returns how many.
static inline uint32_t hex_bytes(uint8_t *out, const char *hex)
{
	uint32_t size = 0;

	for (; hex[0] != '\0'; hex += 2) {
		unsigned byte;

		assert_int_equal(sscanf(hex, "%2x", &byte), 1);
		out[size++] = (uint8_t)byte;
	}
	return size;
}
