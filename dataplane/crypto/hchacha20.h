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

void hchacha20(uint8_t out[HCHACHA20_KEY_SIZE], const uint8_t key[HCHACHA20_KEY_SIZE],
	const uint8_t input[HCHACHA20_INPUT_SIZE]);
