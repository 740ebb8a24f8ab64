// SPDX-License-Identifier: BSD-3-Clause
//
// Whether two authentication tags are equal, in a time that does not depend on where they differ.
//
// Pure.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

// Hides from the compiler that what follows is a comparison, which it could make two branches of.
static inline bool tag_is_zero(uint64_t difference)
{
	__asm__("" : "+r"(difference));
	return difference == 0;
}

static inline bool tag_equal_16(const uint8_t a[16], const uint8_t b[16])
{
	uint64_t x[2], y[2];

	memcpy(x, a, 16);
	memcpy(y, b, 16);
	return tag_is_zero((x[0] ^ y[0]) | (x[1] ^ y[1]));
}

static inline bool tag_equal_10(const uint8_t a[10], const uint8_t b[10])
{
	uint64_t x, y;
	uint16_t u, v;

	memcpy(&x, a, 8);
	memcpy(&y, b, 8);
	memcpy(&u, a + 8, 2);
	memcpy(&v, b + 8, 2);
	return tag_is_zero((x ^ y) | (uint64_t)(u ^ v));
}
