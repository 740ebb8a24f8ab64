// SPDX-License-Identifier: BSD-3-Clause
//
// Cipher suites as a table: keys in, sealed bytes out. No mbufs here; batches over job arrays, so
// that one packet for N receivers is N jobs of one call. AES-GCM to four and more receivers is
// sealed by our own sealer where the CPU runs it, everything else by libipsec-mb (architecture.md
// decision 4).
//
// Threads: a crypto_engine belongs to one worker. Keys may be read by any worker.
// Nonces: the caller's. The same (key, iv) must never come twice.
#pragma once

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/dp_limits.h"
#include "api/dp_media.h"
#include "api/dp_verdict.h"

// Bytes of an expanded key. The sealer's record comes first, then the library's: ipsec-mb's GCM
// tables and round keys, or what the suite needs instead.
#define SUITE_SEALER_SIZE 384 // [H^9 .. H^1][round keys, the first xored with (salt | 0000)]
#define SUITE_KEY_SIZE (SUITE_SEALER_SIZE + 1024)
#define SUITE_RTCP_KEY_SIZE 64

struct crypto_engine;

// An expanded key, whole cache lines. Zeros, or filled by key_expand(); wiped by suite_key_wipe().
// It may own memory of the engine that expanded it: never copied, used with that engine only unless
// the engine is libipsec-mb's, whose keys every such engine can use.
struct suite_key {
	alignas(DP_CACHE_LINE) uint8_t bytes[SUITE_KEY_SIZE];
};

// Derived session keys of SRTCP, not expanded: RTCP is rare, its keys must not cost a session more
// than a cache line. rtcp_seal() and rtcp_open() expand them at every use.
struct suite_rtcp_key {
	alignas(DP_CACHE_LINE) uint8_t bytes[SUITE_RTCP_KEY_SIZE];
};

// One packet for one receiver: 'dst' = what 'src' becomes, then at most 'overhead' bytes, nothing
// behind. 'dst' does not overlap 'src'. The aad_size bytes in front of 'dst' are the header as it
// travels, whatever the suite: some authenticate it there.
struct seal_job {
	union {
		const struct suite_key *key;
		const struct suite_rtcp_key *rtcp_key; // rtcp_seal() where rtcp_key_derive exists
	};
	const uint8_t *src; // what is encrypted
	uint8_t *dst;
	const uint8_t *aad; // the same header in settled memory (reading back bytes that were just
			    // written one by one costs a failed store forwarding, sealer.md)
	uint16_t src_size;
	uint16_t aad_size; // 8 (RTCP), or 12 to 64
	// What makes the packet's nonce, without the key's salt (crypto/iv.h): written by one
	// 16-byte store, best long before the call.
	alignas(16) uint8_t iv[16];
};

// Opens in place: 'pkt' of 'size' bytes = header | ciphertext | what sealing added.
struct open_job {
	union {
		const struct suite_key *key;
		const struct suite_rtcp_key *rtcp_key; // rtcp_open() where rtcp_key_derive exists
	};
	uint8_t *pkt;
	uint16_t size;
	uint16_t aad_size; // 8 (RTCP), or 12 to 64
	// out: DP_OK (clear text at pkt + aad_size, 'overhead' bytes less) or DP_SRTP_AUTH (the
	// packet behind its header is then garbage)
	enum dp_verdict verdict;
	// As sealed. SRTP: from the index that the caller estimates. rtpsize and SRTCP carry theirs
	// in the packet: out, valid with DP_OK.
	alignas(16) uint8_t iv[16];
};

// SRTP: derives the session's keys for RTP from master key and salt, and expands them. 'salt' may
// be NULL where salt_size is 0. 'out' is zeros or wiped, and is so again on failure: -ENOTSUP
// (engine or CPU do not run this suite: crypto_engine_refusal()), -ENOMEM. Else 0.
typedef int suite_key_fn(struct crypto_engine *engine, struct suite_key *out, const uint8_t *key,
	const uint8_t *salt) __attribute__((warn_unused_result));
typedef int suite_rtcp_key_fn(struct crypto_engine *engine, struct suite_rtcp_key *out,
	const uint8_t *key, const uint8_t *salt) __attribute__((warn_unused_result));
// All jobs of a call are of one suite. 'count' up to DP_WAVE_MAX.
typedef void suite_seal_fn(
	struct crypto_engine *engine, struct seal_job *const jobs[], unsigned count);
typedef void suite_open_fn(
	struct crypto_engine *engine, struct open_job *const jobs[], unsigned count);

struct suite {
	enum dp_suite id;
	const char *name;  // of signaling and metrics
	uint16_t key_size; // bytes of the master key
	uint16_t salt_size;
	uint16_t overhead; // bytes that sealing adds to RTP
	uint16_t rtcp_overhead;
	suite_key_fn *key_expand;
	suite_rtcp_key_fn *rtcp_key_derive; // NULL: RTCP is sealed with the key of RTP (rtpsize)
	suite_seal_fn *seal;
	suite_open_fn *open;
	suite_seal_fn *rtcp_seal; // aad_size is 8
	suite_open_fn *rtcp_open; // SRTCP that is not encrypted (E bit clear) is DP_SRTP_AUTH
};

// NULL: no such suite. Static storage.
const struct suite *suite_get(unsigned id);
const struct suite *suite_by_name(const char *name);

static inline bool suite_is_gcm(unsigned suite)
{
	return suite == DP_SUITE_AES256_GCM_RTPSIZE || suite == DP_SUITE_AES128_GCM ||
	       suite == DP_SUITE_AES256_GCM;
}

// Starts to fetch what sealing a voice packet reads of the key. 'interleaves':
// crypto_engine_interleaves().
static inline void suite_key_prefetch(const struct suite_key *key, unsigned suite, bool interleaves)
{
	const uint8_t *tables = key->bytes + SUITE_SEALER_SIZE;

	if (interleaves && suite_is_gcm(suite)) {
		for (unsigned at = 0; at < SUITE_SEALER_SIZE; at += DP_CACHE_LINE)
			__builtin_prefetch(key->bytes + at, 0, 2);
		return;
	}
	for (unsigned at = 0; at < 4 * DP_CACHE_LINE; at += DP_CACHE_LINE) // round keys
		__builtin_prefetch(tables + at, 0, 2);
	for (unsigned at = 1024 - 3 * DP_CACHE_LINE; at < 1024; at += DP_CACHE_LINE) // powers of H
		__builtin_prefetch(tables + at, 0, 2);
}

// 0, or -EINVAL with one sentence in 'why': the suite takes other sizes, in bytes.
int suite_check_sizes(const struct suite *suite, size_t key_size, size_t salt_size, char *why,
	size_t why_size) __attribute__((warn_unused_result));
// 'engine' is the one that expanded the key.
void suite_key_wipe(struct crypto_engine *engine, struct suite_key *key);
void suite_rtcp_key_wipe(struct suite_rtcp_key *key);

enum crypto_engine_kind {
	CRYPTO_ENGINE_AUTO, // libipsec-mb, the widest path that this CPU has, and the sealer if it
			    // can
	CRYPTO_ENGINE_IPSEC_MB, // the library alone
	CRYPTO_ENGINE_LIBSRTP2, // to compare with: SRTP suites only, 20 to 100 times the time
};

// Start-up only. NULL with one sentence in 'why' (NULL allowed, with size 0): out of memory, the
// CPU runs no suite, or the self-test of a suite against published vectors failed.
struct crypto_engine *crypto_engine_create(
	enum crypto_engine_kind kind, char *why, size_t why_size);
// Keys that it expanded have been wiped. NULL allowed.
void crypto_engine_destroy(struct crypto_engine *engine);
// "ipsec-mb 1.3.0 avx512+sealer": library, widest path in use, and whether the interleaving sealer
// (crypto/sealer.h) works beside it. Valid while the engine lives.
const char *crypto_engine_name(const struct crypto_engine *engine);
// One sentence: why the engine does not run this suite. NULL: it does. Valid while the engine
// lives.
const char *crypto_engine_refusal(const struct crypto_engine *engine, enum dp_suite suite);
// One sentence: what the operator should know; any thread, any time. NULL: nothing. Static storage.
const char *crypto_engine_warning(const struct crypto_engine *engine);
// Whether four and more AES-GCM jobs are sealed side by side. Any thread.
bool crypto_engine_interleaves(const struct crypto_engine *engine);
// Every so many groups of four, one is sealed by the library too and compared; 0, the default:
// never. A difference switches the sealer off, and the packets that go out are the library's.
// Costs four packets of the library each time. The engine's worker, or before it runs.
void crypto_engine_check_every(struct crypto_engine *engine, uint32_t groups);
