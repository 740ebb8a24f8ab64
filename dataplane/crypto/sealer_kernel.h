// SPDX-License-Identifier: BSD-3-Clause
//
// Between sealer.c, which any CPU runs, and sealer_avx512.c, which is compiled for the CPUs that
// sealer_available() finds and must not be called on others. For these two files and their tests.
#pragma once

#include <assert.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "crypto/suite.h"

#define SEALER_GROUP 4      // jobs sealed side by side
#define SEALER_SRC_MAX 1500 // bytes of plaintext: the block counter then fits one byte
#define SEALER_AAD_MAX 64

// What a chunk of a packet (up to eight blocks in one or two vectors of four) is apart from its
// bytes. No secrets: the packet's sizes tell it all.
struct sealer_piece {
	// A bit for each byte of plaintext: of the last vector, and of the one before, which is not
	// full when the plaintext ends in its fourth block.
	uint64_t mask, mask_before;
	alignas(16) uint64_t lengths[2]; // the block that the hash wants last
	uint32_t powers_at; // bytes from the key's record to the power of H for the first block
	uint8_t lane;       // of the last vector, that of the lengths
	uint8_t lane_mask;  // two bits there; 0: the packet goes on in the next chunk
};

// Packets of the same sizes.
struct sealer_shape {
	alignas(64) struct sealer_piece last;
	uint32_t sizes; // of the plaintext, and of the AAD << 16; 0, which no packet has: empty
	// The chunk before the last, which is not full of plaintext if this ends in its last block.
	struct sealer_piece before_last;
};

#define SEALER_SHAPES 128 // remembered; by their size's last bits

// A chunk of four jobs between encryption and hash: the hash of one runs in the gaps that the
// encryption of the next leaves. Secrets.
struct sealer_pending {
	alignas(64) uint8_t stream[SEALER_GROUP][2][64];
	alignas(64) uint8_t before[64]; // hash of what comes before
	const struct seal_job *job[SEALER_GROUP];
	const struct sealer_piece *piece[SEALER_GROUP];
	uint32_t index; // of the chunk in its packet
	uint32_t vector_count;
	bool ends; // the packet
};

// Zeros before the first call.
struct sealer_scratch {
	struct sealer_pending pending[2];
	struct sealer_shape shapes[SEALER_SHAPES];
	// Where a shape goes whose place is taken: the one there may be in use. It is evicted after
	// the call. Enough for a group, and the one before whose hash is still to come.
	struct sealer_shape spares[2 * SEALER_GROUP];
	struct sealer_shape *evicted;
	unsigned spare_count;
};

// Writes the first SUITE_SEALER_SIZE bytes of 'out'. 'key_size' is 16 or 32; 'salt' is xored into
// every nonce (zeros: none).
void sealer_avx512_key_expand(
	struct suite_key *out, const uint8_t *key, unsigned key_size, const uint8_t salt[12]);

// Seals 'group_count' (at least 1) times four jobs. The four of a group are of one class: the same
// number of vectors (sealer.c) and of AAD blocks; a job may stand there more than once.
// 'suffix_size' (0 or 4) bytes of the nonce follow the tag. Leaves scratch, registers and the stack
// that it used without secrets.
void sealer_avx512_seal(struct sealer_scratch *scratch, unsigned key_size, unsigned suffix_size,
	const struct seal_job *const jobs[], unsigned group_count);
