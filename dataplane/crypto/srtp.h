// SPDX-License-Identifier: BSD-3-Clause
//
// The SRTP suites (RFC 3711, RFC 7714) on libipsec-mb. Rows of the table in suite.c.
//
// Contracts are those of struct suite. Threads: as the engine.
#pragma once

#include <stdbool.h>
#include <string.h>

#include "crypto/iv.h"
#include "crypto/suite.h"

#define SRTP_GCM_TAG_SIZE 16 // bytes
#define SRTP_GCM_SALT_SIZE 12
#define SRTP_CM_TAG_SIZE 10
#define SRTCP_INDEX_SIZE 4          // the E bit and the index
#define SRTCP_ENCRYPTED 0x80000000u // the E bit

// AEAD_AES_128_GCM, AEAD_AES_256_GCM: srtp_gcm.c
suite_key_fn srtp_gcm128_key_expand, srtp_gcm256_key_expand;
suite_rtcp_key_fn srtp_gcm128_rtcp_key_derive, srtp_gcm256_rtcp_key_derive;
suite_seal_fn srtp_gcm128_seal, srtp_gcm256_seal, srtp_gcm128_rtcp_seal, srtp_gcm256_rtcp_seal;
suite_open_fn srtp_gcm128_open, srtp_gcm256_open, srtp_gcm128_rtcp_open, srtp_gcm256_rtcp_open;
// Session keys as they are (salt: SRTP_GCM_SALT_SIZE), below the derivation: published vectors
// begin there.
void srtp_gcm_key_set(struct crypto_engine *engine, enum dp_suite suite, struct suite_key *out,
	const uint8_t *key, const uint8_t *salt);
void srtp_gcm_rtcp_key_set(
	enum dp_suite suite, struct suite_rtcp_key *out, const uint8_t *key, const uint8_t *salt);

// AES_CM_128_HMAC_SHA1_80: srtp_cm.c
suite_key_fn srtp_cm_key_expand;
suite_rtcp_key_fn srtp_cm_rtcp_key_derive;
suite_seal_fn srtp_cm_seal, srtp_cm_rtcp_seal;
suite_open_fn srtp_cm_open, srtp_cm_rtcp_open;
// 16, 14 and 20 bytes.
void srtp_cm_key_set(struct crypto_engine *engine, struct suite_key *out, const uint8_t *key,
	const uint8_t *salt, const uint8_t *auth);

#define SRTCP_HEADER_SIZE 8 // of RTCP: what is in clear

static inline void srtcp_word_put(uint8_t word[4], enum dp_suite suite, const uint8_t iv[16])
{
	uint32_t value = __builtin_bswap32(SRTCP_ENCRYPTED | (uint32_t)iv_index(iv, suite));

	memcpy(word, &value, sizeof(value));
}

// Fills the job's iv from the packet's last word and its SSRC. False: not encrypted.
static inline bool srtcp_word_take(const uint8_t word[4], enum dp_suite suite, struct open_job *job)
{
	uint32_t value, ssrc;

	memcpy(&value, word, sizeof(value));
	memcpy(&ssrc, job->pkt + 4, sizeof(ssrc));
	value = __builtin_bswap32(value);
	if ((value & SRTCP_ENCRYPTED) == 0)
		return false;
	iv_srtcp(job->iv, suite, __builtin_bswap32(ssrc), value & ~SRTCP_ENCRYPTED);
	return true;
}
