// SPDX-License-Identifier: BSD-3-Clause
//
// Inside of a crypto_engine, for the files of this folder and their tests only. The engine is the
// libipsec-mb manager, or two, and the scratch memory of one worker's calls.
#pragma once

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <intel-ipsec-mb.h>

#include "api/dp_limits.h"
#include "crypto/hchacha20.h"
#include "crypto/sealer.h"
#include "crypto/suite.h"

#define CRYPTO_BATCH_MAX 64     // jobs that are prepared before the library is called
#define CRYPTO_SHA1_LANES 16    // of its widest path
#define CRYPTO_SHA1_TAG_SIZE 12 // bytes: the shortest that it writes

// All mutable memory of a call. Secrets: wiped when the engine goes.
struct crypto_engine {
	enum crypto_engine_kind kind; // RTP of the SRTP suites is by
	IMB_MGR *mgr;
	IMB_MGR *mgr_sha; // its SHA instructions, for few MACs at once; NULL: none, or mgr's anyway
	hchacha20_many_fn *hchacha20_many; // as wide as the library's path
	// Keys get the sealer's record wherever the CPU has it, so that engines of any path and
	// state may share them.
	bool sealer_keys;
	char name[64];
	char refusal[DP_SUITE_COUNT][200]; // why it does not run the suite; "": it does
	alignas(DP_CACHE_LINE) struct gcm_context_data gcm;
	// Keys of the XChaCha20 messages in work.
	alignas(DP_CACHE_LINE) uint8_t message_keys[HCHACHA20_LANES][HCHACHA20_KEY_SIZE];
	// SRTP: iv xor salt of the jobs in work, and an expanded SRTCP key.
	alignas(DP_CACHE_LINE) uint8_t nonces[CRYPTO_BATCH_MAX][16];
	struct suite_key rtcp_key;
	// AES_CM: what the library is told and what it answers; the tags that came.
	IMB_JOB cm_jobs[CRYPTO_BATCH_MAX];
	uint8_t tags[CRYPTO_BATCH_MAX][CRYPTO_SHA1_TAG_SIZE];
	uint8_t tags_in[CRYPTO_BATCH_MAX][CRYPTO_SHA1_TAG_SIZE];
	struct sealer sealer;
};

// Of srtp_cm.c: what is the same in all of its jobs.
void srtp_cm_prepare(struct crypto_engine *engine);

// How to make an engine, tests' wishes included.
struct crypto_engine_setup {
	enum crypto_engine_kind kind;
	IMB_ARCH arch;  // path of libipsec-mb; IMB_ARCH_NONE: the widest of this CPU
	uint64_t flags; // IMB_FLAG_*: features of the CPU not to use
	void (*tamper)(struct crypto_engine *engine); // before the self-test; NULL
};

// As crypto_engine_create(). NULL also when the CPU lacks the path's features.
struct crypto_engine *crypto_engine_create_as(
	const struct crypto_engine_setup *setup, char *why, size_t why_size);

static inline bool crypto_engine_runs(const struct crypto_engine *engine, enum dp_suite suite)
{
	return engine->refusal[suite][0] == '\0';
}
