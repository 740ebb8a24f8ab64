// SPDX-License-Identifier: BSD-3-Clause
//
// The scalar form: see hchacha20.h.
#include "crypto/hchacha20.h"

#include <string.h>

static inline uint32_t rotate(uint32_t v, unsigned bits)
{
	return v << bits | v >> (32 - bits);
}

static inline void quarter_round(uint32_t x[16], unsigned a, unsigned b, unsigned c, unsigned d)
{
	x[a] += x[b];
	x[d] = rotate(x[d] ^ x[a], 16);
	x[c] += x[d];
	x[b] = rotate(x[b] ^ x[c], 12);
	x[a] += x[b];
	x[d] = rotate(x[d] ^ x[a], 8);
	x[c] += x[d];
	x[b] = rotate(x[b] ^ x[c], 7);
}

void hchacha20(uint8_t out[HCHACHA20_KEY_SIZE], const uint8_t key[HCHACHA20_KEY_SIZE],
	const uint8_t input[HCHACHA20_INPUT_SIZE])
{
	// "expand 32-byte k"
	uint32_t x[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};

	// Words are little endian in memory, as on every CPU that libipsec-mb runs on.
	memcpy(&x[4], key, HCHACHA20_KEY_SIZE);
	memcpy(&x[12], input, HCHACHA20_INPUT_SIZE);
	for (unsigned round = 0; round < 20; round += 2) {
		quarter_round(x, 0, 4, 8, 12);
		quarter_round(x, 1, 5, 9, 13);
		quarter_round(x, 2, 6, 10, 14);
		quarter_round(x, 3, 7, 11, 15);
		quarter_round(x, 0, 5, 10, 15);
		quarter_round(x, 1, 6, 11, 12);
		quarter_round(x, 2, 7, 8, 13);
		quarter_round(x, 3, 4, 9, 14);
	}
	memcpy(out, &x[0], 16);
	memcpy(out + 16, &x[12], 16);
}
