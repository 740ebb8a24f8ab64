// SPDX-License-Identifier: BSD-3-Clause
//
// AES-GCM for many receivers at once, on CPUs with AVX-512, VAES and VPCLMULQDQ: jobs are sealed
// four side by side, whatever their plaintexts (sealer.md). libipsec-mb is what it is compared
// with, and what seals the jobs that it leaves: too few of their class, or too long to gain.
//
// Two jobs are of one class when plaintext plus one block takes the same number of vectors of four
// blocks, and the AAD the same number of blocks.
//
// Threads: a struct sealer belongs to one worker. Keys may be read by any worker.
// Constant time: no branch and no address depends on a key, a nonce or a text.
#pragma once

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "api/dp_limits.h"
#include "crypto/sealer_kernel.h"
#include "crypto/suite.h"

// The library is sooner done with fewer jobs: of a call, and of the last four of a class, which are
// a group that repeats one where it lacks jobs.
#define SEALER_CALL_MIN 4
#define SEALER_TAIL_MIN 2
// Bytes of plaintext from which the library, one packet at a time, is as fast (six vectors, Zen 4).
#define SEALER_SRC_LIMIT 368

enum sealer_state {
	SEALER_ABSENT, // the CPU lacks instructions, or the library runs on a narrower path
	SEALER_ON,
	SEALER_UNPROVEN,  // the self-test found a wrong answer
	SEALER_DISPROVEN, // the cross-check found one, while it was at work
};

// Jobs by the library: of one key size, tags and suffixes as the sealer's. 'count' may be 0.
typedef void sealer_library_fn(
	struct crypto_engine *engine, struct seal_job *const jobs[], unsigned count);

// What is the same for all jobs of a call: a constant of the suite.
struct sealer_kind {
	uint8_t key_size;    // bytes: 16, 32
	uint8_t suffix_size; // bytes of the nonce that follow the tag: 0, 4
	sealer_library_fn *library;
};

// Zeros: SEALER_ABSENT, seals nothing.
struct sealer {
	enum sealer_state state; // written by the worker, read by anyone (one word)
	uint16_t src_limit;      // bytes of plaintext, up to SEALER_SRC_MAX: longer ones are left
	// Every so many groups, the four jobs of one are sealed by the library too, and compared;
	// 0: never. Costs four packets of the library each.
	uint32_t check_every;
	uint32_t unchecked; // groups since the last check
	uint64_t checked;   // groups, since the start
	const struct seal_job *list[2 * DP_WAVE_MAX];
	struct sealer_scratch scratch;
	uint8_t expected[SEALER_SRC_MAX + 20]; // ciphertext, tag, suffix of the library
};

// Whether this CPU, and the system on it, have what the sealer is compiled for.
bool sealer_available(void);

// Start-up only. State ON when sealer_available() and the sealer gives the answers that are known
// and those that the engine's library gives; else ABSENT or UNPROVEN. No cross-check,
// SEALER_SRC_LIMIT.
void sealer_start(struct sealer *s, struct crypto_engine *engine);
// sealer_start()'s second half: whether all answers are right. Needs sealer_available().
bool sealer_selftest_passes(struct crypto_engine *engine);

// Only where sealer_available(). Fills the first SUITE_SEALER_SIZE bytes of 'out'. 'key_size' is 16
// or 32, 'salt' 12 bytes that are xored into every nonce; NULL: none.
void sealer_key_expand(
	struct suite_key *out, const uint8_t *key, unsigned key_size, const uint8_t *salt);

// Seals 'count' jobs of one kind, up to DP_WAVE_MAX; the last call is of the library, for the jobs
// that are better left to it. Any state.
void sealer_seal(struct sealer *s, struct crypto_engine *engine, const struct sealer_kind *kind,
	struct seal_job *const jobs[], unsigned count);
