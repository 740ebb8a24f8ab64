// SPDX-License-Identifier: BSD-3-Clause
//
// Cipher suites as a table: keys in, sealed bytes out. No mbufs here; batches over job arrays, so
// that one packet for N receivers is N jobs of one call. libipsec-mb does the work (architecture.md
// decision 4).
//
// Threads: a crypto_engine belongs to one worker. Keys may be read by any worker.
// Nonces: the caller's. The same (key, nonce) must never come twice.
#pragma once

#include <stdalign.h>
#include <stdint.h>

#include "api/dp_limits.h"
#include "api/dp_media.h"
#include "api/dp_verdict.h"

#define SUITE_KEY_SIZE 1024 // bytes of an expanded key: ipsec-mb's GCM tables and round keys

struct crypto_engine;

// An expanded key, whole cache lines. Wiped by suite_key_wipe().
struct suite_key {
	alignas(DP_CACHE_LINE) uint8_t bytes[SUITE_KEY_SIZE];
};

// One packet for one receiver: 'dst' = seal('src') | tag | nonce suffix. 'dst' does not overlap
// 'src'. Writes src_size + DP_RTPSIZE_OVERHEAD bytes at 'dst' and nothing behind.
struct seal_job {
	const struct suite_key *key;
	const uint8_t *src; // extension body and payload
	uint8_t *dst;
	const uint8_t *aad; // settled memory: the clear header (reading back bytes that were just
			    // written one by one costs a failed store forwarding, sealer.md)
	uint16_t src_size;
	uint16_t aad_size; // 8 (RTCP), 12 or 16
	uint8_t suffix[4]; // nonce = suffix, then zeros
};

// Opens in place: 'pkt' of 'size' bytes = aad | ciphertext | tag | suffix.
struct open_job {
	const struct suite_key *key;
	uint8_t *pkt;
	uint16_t size;
	uint16_t aad_size;
	enum dp_verdict verdict; // out: DP_OK (clear text at pkt + aad_size, size - aad_size - 20
				 // bytes) or DP_SRTP_AUTH ('pkt' behind the aad is then garbage)
};

struct suite {
	enum dp_suite id;
	const char *name; // of signaling and metrics
	uint16_t key_size;
	uint16_t overhead; // bytes that sealing adds
	void (*key_expand)(struct crypto_engine *engine, struct suite_key *out, const uint8_t *key);
	// All jobs of a call are of this suite. 'count' up to DP_WAVE_MAX.
	void (*seal)(struct crypto_engine *engine, struct seal_job *const jobs[], unsigned count);
	void (*open)(struct crypto_engine *engine, struct open_job *const jobs[], unsigned count);
};

// NULL: no such suite. Static storage.
const struct suite *suite_get(unsigned id);
const struct suite *suite_by_name(const char *name);

void suite_key_wipe(struct suite_key *key);

// Start-up only. NULL: out of memory, or the CPU cannot run the library. Also runs a self-test of
// each suite against published vectors; a failure returns NULL.
struct crypto_engine *crypto_engine_create(void);
void crypto_engine_destroy(struct crypto_engine *engine); // NULL allowed
// "ipsec-mb 1.3.0 avx512": library and widest path in use. Valid while the engine lives.
const char *crypto_engine_name(const struct crypto_engine *engine);
