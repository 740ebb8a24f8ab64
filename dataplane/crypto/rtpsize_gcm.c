// SPDX-License-Identifier: BSD-3-Clause
//
// aead_aes256_gcm_rtpsize on libipsec-mb's direct calls. What costs half of the library's time when
// done carelessly (sealer.md): it loads nonce and AAD as vectors, and a load that finds its bytes
// in several younger stores waits until those have left the core. So the nonce is one 16-byte
// store, and the AAD pointer is handed on as it came.
#include <assert.h>
#include <emmintrin.h>

#include "crypto/engine.h"
#include "crypto/rtpsize.h"
#include "crypto/suite.h"

static_assert(sizeof(struct gcm_key_data) <= SUITE_KEY_SIZE, "key tables fit the record");
static_assert(alignof(struct gcm_key_data) <= alignof(struct suite_key), "and its alignment");

static inline const struct gcm_key_data *tables(const struct suite_key *key)
{
	return (const void *)key->bytes;
}

// One store of the whole register: suffix, then zeros.
static inline void nonce_store(__m128i *nonce, const uint8_t suffix[DP_RTPSIZE_SUFFIX_SIZE])
{
	int32_t word;

	memcpy(&word, suffix, sizeof(word));
	_mm_store_si128(nonce, _mm_cvtsi32_si128(word));
}

// Keys are the only cold memory of a call: 100,000 of them fit no cache. The lines that a voice
// packet reads: round keys, and the lowest powers of the hash key, which stand last.
#define PREFETCH_AHEAD 4

static inline void key_prefetch(const struct suite_key *key)
{
	const char *bytes = (const char *)key->bytes;

	for (unsigned at = 0; at < sizeof(tables(key)->expanded_keys); at += DP_CACHE_LINE) {
		_mm_prefetch(bytes + at, _MM_HINT_T0);
	}
	for (unsigned at = SUITE_KEY_SIZE - 3 * DP_CACHE_LINE; at < SUITE_KEY_SIZE;
		at += DP_CACHE_LINE) {
		_mm_prefetch(bytes + at, _MM_HINT_T0);
	}
}

void rtpsize_gcm_key_expand(struct crypto_engine *engine, struct suite_key *out, const uint8_t *key)
{
	IMB_AES256_GCM_PRE(engine->mgr, key, (struct gcm_key_data *)(void *)out->bytes);
}

void rtpsize_gcm_seal(struct crypto_engine *engine, struct seal_job *const jobs[], unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const struct seal_job *job = jobs[i];
		uint8_t *tag = job->dst + job->src_size;
		__m128i nonce;

		if (i + PREFETCH_AHEAD < count) {
			key_prefetch(jobs[i + PREFETCH_AHEAD]->key);
		}
		nonce_store(&nonce, job->suffix);
		IMB_AES256_GCM_ENC(engine->mgr, tables(job->key), &engine->gcm, job->dst, job->src,
			job->src_size, (const uint8_t *)&nonce, job->aad, job->aad_size, tag,
			DP_RTPSIZE_TAG_SIZE);
		memcpy(tag + DP_RTPSIZE_TAG_SIZE, job->suffix, DP_RTPSIZE_SUFFIX_SIZE);
	}
}

void rtpsize_gcm_open(struct crypto_engine *engine, struct open_job *const jobs[], unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct open_job *job = jobs[i];
		uint8_t *cipher = job->pkt + job->aad_size;
		uint8_t tag[DP_RTPSIZE_TAG_SIZE];
		uint32_t cipher_size;
		__m128i nonce;

		if (job->size < job->aad_size + DP_RTPSIZE_OVERHEAD) {
			job->verdict = DP_SRTP_AUTH;
			continue;
		}
		cipher_size = job->size - job->aad_size - DP_RTPSIZE_OVERHEAD;
		nonce_store(&nonce, job->pkt + job->size - DP_RTPSIZE_SUFFIX_SIZE);
		IMB_AES256_GCM_DEC(engine->mgr, tables(job->key), &engine->gcm, cipher, cipher,
			cipher_size, (const uint8_t *)&nonce, job->pkt, job->aad_size, tag,
			DP_RTPSIZE_TAG_SIZE);
		job->verdict = rtpsize_tag_equal(tag, cipher + cipher_size) ? DP_OK : DP_SRTP_AUTH;
	}
}
