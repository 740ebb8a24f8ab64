// SPDX-License-Identifier: BSD-3-Clause
//
// Inside of a crypto_engine, for the files of this folder and their tests only. The engine is the
// libipsec-mb manager and the scratch memory of one worker's calls.
#pragma once

#include <stdalign.h>
#include <stdint.h>

#include <intel-ipsec-mb.h>

#include "api/dp_limits.h"
#include "crypto/hchacha20.h"

// All mutable memory of a call. Secrets: wiped when the engine goes.
struct crypto_engine {
	IMB_MGR *mgr;
	hchacha20_many_fn *hchacha20_many; // as wide as the library's path
	char name[64];
	alignas(DP_CACHE_LINE) struct gcm_context_data gcm;
	// Keys of the XChaCha20 messages in work.
	alignas(DP_CACHE_LINE) uint8_t message_keys[HCHACHA20_LANES][HCHACHA20_KEY_SIZE];
};

// crypto_engine_create() with one of the library's paths chosen: IMB_ARCH_NONE for the best of this
// CPU, and IMB_FLAG_* to switch CPU features off. NULL also when the CPU lacks the path's features.
struct crypto_engine *crypto_engine_create_on(IMB_ARCH arch, uint64_t flags);
