// SPDX-License-Identifier: BSD-3-Clause
//
// HChaCha20 (draft-irtf-cfrg-xchacha-03 section 2.2): the key of one XChaCha20 message from a
// long-lived key and the first 16 bytes of the 24-byte nonce. libipsec-mb has ChaCha20 but not
// this. Constant time: additions, xors and rotations by constants only.
//
// Pure, any thread.
#pragma once

#include <stdint.h>

#define HCHACHA20_KEY_SIZE 32
#define HCHACHA20_INPUT_SIZE 16
#define HCHACHA20_LANES 16 // messages of one call of a hchacha20_many_fn

void hchacha20(uint8_t out[HCHACHA20_KEY_SIZE], const uint8_t key[HCHACHA20_KEY_SIZE],
	const uint8_t input[HCHACHA20_INPUT_SIZE]);

// The keys of 'count' messages, at most HCHACHA20_LANES. The input of message n is words[n] as it
// is in memory, then 12 zeros.
typedef void hchacha20_many_fn(uint8_t (*out)[HCHACHA20_KEY_SIZE], const uint8_t *const keys[],
	const uint32_t *words, unsigned count);

enum hchacha20_path {
	HCHACHA20_SCALAR,
	HCHACHA20_AVX2,
	HCHACHA20_AVX512,
};

// NULL: this CPU lacks it.
hchacha20_many_fn *hchacha20_many(enum hchacha20_path path);
