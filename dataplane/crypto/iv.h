// SPDX-License-Identifier: BSD-3-Clause
//
// The 'iv' of a job: what differs between the packets of one key, where its suite's nonce has it
// (RFC 3711 section 4.1.1, RFC 7714 sections 8.1 and 9.1, protocol.md 4.5). The key's salt is not
// in it. Built in registers and stored at once: a cipher loads it as one vector.
//
// Pure. x86 only, as libipsec-mb.
#pragma once

#include <assert.h>
#include <emmintrin.h>
#include <stdint.h>
#include <string.h>

#include "api/dp_media.h"

#define IV_INDEX_MAX ((1ull << 48) - 1)     // SRTP: roll-over counter, sequence number
#define IV_RTCP_INDEX_MAX ((1u << 31) - 1u) // SRTCP

static inline void iv_store(uint8_t iv[16], uint64_t first, uint64_t second)
{
	_mm_store_si128((__m128i *)(void *)iv, _mm_set_epi64x((long long)__builtin_bswap64(second),
						       (long long)__builtin_bswap64(first)));
}

// suffix | 12 zeros. 'suffix' as the four bytes are in memory.
static inline void iv_rtpsize(uint8_t iv[16], const uint8_t suffix[4])
{
	int32_t word;

	memcpy(&word, suffix, sizeof(word));
	_mm_store_si128((__m128i *)(void *)iv, _mm_cvtsi32_si128(word));
}

// AES_CM: 0000 | SSRC | ROC | SEQ | 00. GCM: 00 | SSRC | ROC | SEQ | 0000.
// 'suite' is one of DP_SUITES_SRTP, 'index' at most IV_INDEX_MAX.
static inline void iv_srtp(uint8_t iv[16], enum dp_suite suite, uint32_t ssrc, uint64_t index)
{
	if (suite == DP_SUITE_AES_CM_128_HMAC_SHA1_80) {
		iv_store(iv, ssrc, index << 16);
	} else {
		iv_store(iv, (uint64_t)ssrc << 16 | index >> 32, index << 32);
	}
}

// 'index' at most IV_RTCP_INDEX_MAX. The layout is that of SRTP with the index in its place.
static inline void iv_srtcp(uint8_t iv[16], enum dp_suite suite, uint32_t ssrc, uint32_t index)
{
	iv_srtp(iv, suite, ssrc, index);
}

// The 48 bits that iv_srtp() was given, or the index of SRTCP.
static inline uint64_t iv_index(const uint8_t iv[16], enum dp_suite suite)
{
	uint64_t index;

	memcpy(&index, suite == DP_SUITE_AES_CM_128_HMAC_SHA1_80 ? iv + 6 : iv + 4, sizeof(index));
	return __builtin_bswap64(index) & IV_INDEX_MAX;
}
