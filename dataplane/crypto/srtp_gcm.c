// SPDX-License-Identifier: BSD-3-Clause
//
// AEAD_AES_128_GCM and AEAD_AES_256_GCM of SRTP and SRTCP (RFC 7714) on libipsec-mb's direct
// calls. The nonce is iv xor salt, one register, stored for the whole batch before the first call
// needs one; for the rest see rtpsize_gcm.c.
#include <emmintrin.h>
#include <errno.h>
#include <string.h>

#include "crypto/engine.h"
#include "crypto/gcm_key.h"
#include "crypto/iv.h"
#include "crypto/sealer.h"
#include "crypto/srtp.h"
#include "crypto/srtp2.h"
#include "crypto/srtp_kdf.h"
#include "crypto/suite.h"
#include "crypto/tag.h"

#define RTCP_AAD_SIZE 12 // header | E, index (RFC 7714 section 9.2)

// What the two key sizes differ in.
struct gcm {
	aes_gcm_pre_t pre;
	aes_gcm_enc_dec_t encrypt, decrypt;
	enum dp_suite suite;
	uint8_t key_size;
};

// A suite_rtcp_key.
struct gcm_rtcp_key {
	uint8_t key[32];
	alignas(16) uint8_t salt[16];
};
static_assert(sizeof(struct gcm_rtcp_key) <= SUITE_RTCP_KEY_SIZE, "fits");

static inline struct gcm gcm128(const struct crypto_engine *engine)
{
	return (struct gcm){engine->mgr->gcm128_pre, engine->mgr->gcm128_enc,
		engine->mgr->gcm128_dec, DP_SUITE_AES128_GCM, 16};
}

static inline struct gcm gcm256(const struct crypto_engine *engine)
{
	return (struct gcm){engine->mgr->gcm256_pre, engine->mgr->gcm256_enc,
		engine->mgr->gcm256_dec, DP_SUITE_AES256_GCM, 32};
}

static inline void nonce_store(uint8_t nonce[16], const uint8_t iv[16], const uint8_t salt[16])
{
	_mm_store_si128((__m128i *)(void *)nonce,
		_mm_xor_si128(_mm_load_si128((const __m128i *)(const void *)iv),
			_mm_load_si128((const __m128i *)(const void *)salt)));
}

void srtp_gcm_key_set(struct crypto_engine *engine, enum dp_suite suite, struct suite_key *out,
	const uint8_t *key, const uint8_t *salt)
{
	struct gcm gcm = suite == DP_SUITE_AES128_GCM ? gcm128(engine) : gcm256(engine);

	gcm.pre(key, gcm_tables_of(out));
	if (engine->sealer_keys) {
		sealer_key_expand(out, key, gcm.key_size, salt);
	}
	memcpy(out->bytes + GCM_SALT_OFFSET, salt, SRTP_GCM_SALT_SIZE);
	memset(out->bytes + GCM_SALT_OFFSET + SRTP_GCM_SALT_SIZE, 0, 16 - SRTP_GCM_SALT_SIZE);
}

void srtp_gcm_rtcp_key_set(
	enum dp_suite suite, struct suite_rtcp_key *out, const uint8_t *key, const uint8_t *salt)
{
	struct gcm_rtcp_key *derived = (void *)out->bytes;

	memset(out, 0, sizeof(*out));
	memcpy(derived->key, key, suite == DP_SUITE_AES128_GCM ? 16 : 32);
	memcpy(derived->salt, salt, SRTP_GCM_SALT_SIZE);
}

static int key_expand(struct crypto_engine *engine, struct gcm gcm, struct suite_key *out,
	const uint8_t *key, const uint8_t *salt)
{
	uint8_t cipher[32], session_salt[SRTP_GCM_SALT_SIZE];
	struct srtp_kdf kdf;

	if (!crypto_engine_runs(engine, gcm.suite))
		return -ENOTSUP;
	if (engine->kind == CRYPTO_ENGINE_LIBSRTP2)
		return srtp2_key_expand(gcm.suite, out, key, salt);
	srtp_kdf_init(engine, &kdf, key, gcm.key_size, salt, SRTP_GCM_SALT_SIZE);
	srtp_kdf_derive(engine, &kdf, SRTP_KDF_RTP_CIPHER, cipher, gcm.key_size);
	srtp_kdf_derive(engine, &kdf, SRTP_KDF_RTP_SALT, session_salt, sizeof(session_salt));
	srtp_gcm_key_set(engine, gcm.suite, out, cipher, session_salt);
	explicit_bzero(cipher, sizeof(cipher));
	explicit_bzero(session_salt, sizeof(session_salt));
	srtp_kdf_fini(&kdf);
	return 0;
}

static int rtcp_key_derive(struct crypto_engine *engine, struct gcm gcm, struct suite_rtcp_key *out,
	const uint8_t *key, const uint8_t *salt)
{
	struct gcm_rtcp_key *derived = (void *)out->bytes;
	struct srtp_kdf kdf;

	if (!crypto_engine_runs(engine, gcm.suite))
		return -ENOTSUP;
	memset(out, 0, sizeof(*out));
	srtp_kdf_init(engine, &kdf, key, gcm.key_size, salt, SRTP_GCM_SALT_SIZE);
	srtp_kdf_derive(engine, &kdf, SRTP_KDF_RTCP_CIPHER, derived->key, gcm.key_size);
	srtp_kdf_derive(engine, &kdf, SRTP_KDF_RTCP_SALT, derived->salt, SRTP_GCM_SALT_SIZE);
	srtp_kdf_fini(&kdf);
	return 0;
}

static inline void seal_batch(struct crypto_engine *engine, aes_gcm_enc_dec_t encrypt,
	struct seal_job *const jobs[], unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		nonce_store(engine->nonces[i], jobs[i]->iv, jobs[i]->key->bytes + GCM_SALT_OFFSET);
	}
	for (unsigned i = 0; i < count; i++) {
		const struct seal_job *job = jobs[i];

		if (i + GCM_PREFETCH_AHEAD < count) {
			gcm_key_prefetch(jobs[i + GCM_PREFETCH_AHEAD]->key);
		}
		encrypt(gcm_tables(job->key), &engine->gcm, job->dst, job->src, job->src_size,
			engine->nonces[i], job->aad, job->aad_size, job->dst + job->src_size,
			SRTP_GCM_TAG_SIZE);
	}
}

static inline void library_seal(struct crypto_engine *engine, aes_gcm_enc_dec_t encrypt,
	struct seal_job *const jobs[], unsigned count)
{
	for (unsigned i = 0; i < count; i += CRYPTO_BATCH_MAX) {
		unsigned left = count - i;

		seal_batch(engine, encrypt, &jobs[i],
			left < CRYPTO_BATCH_MAX ? left : CRYPTO_BATCH_MAX);
	}
}

static void library_seal_128(
	struct crypto_engine *engine, struct seal_job *const jobs[], unsigned count)
{
	library_seal(engine, engine->mgr->gcm128_enc, jobs, count);
}

static void library_seal_256(
	struct crypto_engine *engine, struct seal_job *const jobs[], unsigned count)
{
	library_seal(engine, engine->mgr->gcm256_enc, jobs, count);
}

static inline void seal_all(struct crypto_engine *engine, const struct sealer_kind *kind,
	struct seal_job *const jobs[], unsigned count)
{
	if (engine->kind == CRYPTO_ENGINE_LIBSRTP2) {
		srtp2_seal(engine, jobs, count);
		return;
	}
	sealer_seal(&engine->sealer, engine, kind, jobs, count);
}

static inline void open_all(struct crypto_engine *engine, aes_gcm_enc_dec_t decrypt,
	struct open_job *const jobs[], unsigned count)
{
	if (engine->kind == CRYPTO_ENGINE_LIBSRTP2) {
		srtp2_open(engine, jobs, count);
		return;
	}
	for (unsigned i = 0; i < count; i++) {
		struct open_job *job = jobs[i];
		uint8_t *cipher = job->pkt + job->aad_size;
		uint8_t tag[SRTP_GCM_TAG_SIZE];
		uint32_t cipher_size;

		if (job->size < job->aad_size + SRTP_GCM_TAG_SIZE) {
			job->verdict = DP_SRTP_AUTH;
			continue;
		}
		cipher_size = job->size - job->aad_size - SRTP_GCM_TAG_SIZE;
		nonce_store(engine->nonces[0], job->iv, job->key->bytes + GCM_SALT_OFFSET);
		decrypt(gcm_tables(job->key), &engine->gcm, cipher, cipher, cipher_size,
			engine->nonces[0], job->pkt, job->aad_size, tag, sizeof(tag));
		job->verdict = tag_equal_16(tag, cipher + cipher_size) ? DP_OK : DP_SRTP_AUTH;
	}
}

// The tables of a derived SRTCP key, and the nonce that is due.
static void rtcp_begin(struct crypto_engine *engine, const struct gcm *gcm,
	const struct suite_rtcp_key *key, const uint8_t iv[16])
{
	const struct gcm_rtcp_key *derived = (const void *)key->bytes;

	gcm->pre(derived->key, gcm_tables_of(&engine->rtcp_key));
	nonce_store(engine->nonces[0], iv, derived->salt);
}

// Header | cipher | tag | E, index: the header and the last word are authenticated.
static void rtcp_seal(
	struct crypto_engine *engine, struct gcm gcm, struct seal_job *const jobs[], unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const struct seal_job *job = jobs[i];
		uint8_t *tag = job->dst + job->src_size, aad[RTCP_AAD_SIZE];

		rtcp_begin(engine, &gcm, job->rtcp_key, job->iv);
		srtcp_word_put(aad + SRTCP_HEADER_SIZE, gcm.suite, job->iv);
		memcpy(aad, job->aad, SRTCP_HEADER_SIZE);
		gcm.encrypt(gcm_tables(&engine->rtcp_key), &engine->gcm, job->dst, job->src,
			job->src_size, engine->nonces[0], aad, sizeof(aad), tag, SRTP_GCM_TAG_SIZE);
		memcpy(tag + SRTP_GCM_TAG_SIZE, aad + SRTCP_HEADER_SIZE, SRTCP_INDEX_SIZE);
	}
	explicit_bzero(&engine->rtcp_key, sizeof(engine->rtcp_key));
}

static void rtcp_open(
	struct crypto_engine *engine, struct gcm gcm, struct open_job *const jobs[], unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct open_job *job = jobs[i];
		uint8_t aad[RTCP_AAD_SIZE], tag[SRTP_GCM_TAG_SIZE], *cipher, *end;
		uint32_t cipher_size;

		job->verdict = DP_SRTP_AUTH;
		if (job->aad_size != SRTCP_HEADER_SIZE ||
			job->size < SRTCP_HEADER_SIZE + SRTP_GCM_TAG_SIZE + SRTCP_INDEX_SIZE)
			continue;
		cipher = job->pkt + SRTCP_HEADER_SIZE;
		cipher_size = job->size - SRTCP_HEADER_SIZE - SRTP_GCM_TAG_SIZE - SRTCP_INDEX_SIZE;
		end = cipher + cipher_size + SRTP_GCM_TAG_SIZE;
		if (!srtcp_word_take(end, gcm.suite, job))
			continue;
		rtcp_begin(engine, &gcm, job->rtcp_key, job->iv);
		memcpy(aad, job->pkt, SRTCP_HEADER_SIZE);
		memcpy(aad + SRTCP_HEADER_SIZE, end, SRTCP_INDEX_SIZE);
		gcm.decrypt(gcm_tables(&engine->rtcp_key), &engine->gcm, cipher, cipher,
			cipher_size, engine->nonces[0], aad, sizeof(aad), tag, sizeof(tag));
		if (tag_equal_16(tag, cipher + cipher_size))
			job->verdict = DP_OK;
	}
	explicit_bzero(&engine->rtcp_key, sizeof(engine->rtcp_key));
}

int srtp_gcm128_key_expand(struct crypto_engine *engine, struct suite_key *out, const uint8_t *key,
	const uint8_t *salt)
{
	return key_expand(engine, gcm128(engine), out, key, salt);
}

int srtp_gcm128_rtcp_key_derive(struct crypto_engine *engine, struct suite_rtcp_key *out,
	const uint8_t *key, const uint8_t *salt)
{
	return rtcp_key_derive(engine, gcm128(engine), out, key, salt);
}

void srtp_gcm128_seal(struct crypto_engine *engine, struct seal_job *const jobs[], unsigned count)
{
	static const struct sealer_kind kind = {16, 0, library_seal_128};

	seal_all(engine, &kind, jobs, count);
}

void srtp_gcm128_open(struct crypto_engine *engine, struct open_job *const jobs[], unsigned count)
{
	open_all(engine, engine->mgr->gcm128_dec, jobs, count);
}

void srtp_gcm128_rtcp_seal(
	struct crypto_engine *engine, struct seal_job *const jobs[], unsigned count)
{
	rtcp_seal(engine, gcm128(engine), jobs, count);
}

void srtp_gcm128_rtcp_open(
	struct crypto_engine *engine, struct open_job *const jobs[], unsigned count)
{
	rtcp_open(engine, gcm128(engine), jobs, count);
}

int srtp_gcm256_key_expand(struct crypto_engine *engine, struct suite_key *out, const uint8_t *key,
	const uint8_t *salt)
{
	return key_expand(engine, gcm256(engine), out, key, salt);
}

int srtp_gcm256_rtcp_key_derive(struct crypto_engine *engine, struct suite_rtcp_key *out,
	const uint8_t *key, const uint8_t *salt)
{
	return rtcp_key_derive(engine, gcm256(engine), out, key, salt);
}

void srtp_gcm256_seal(struct crypto_engine *engine, struct seal_job *const jobs[], unsigned count)
{
	static const struct sealer_kind kind = {32, 0, library_seal_256};

	seal_all(engine, &kind, jobs, count);
}

void srtp_gcm256_open(struct crypto_engine *engine, struct open_job *const jobs[], unsigned count)
{
	open_all(engine, engine->mgr->gcm256_dec, jobs, count);
}

void srtp_gcm256_rtcp_seal(
	struct crypto_engine *engine, struct seal_job *const jobs[], unsigned count)
{
	rtcp_seal(engine, gcm256(engine), jobs, count);
}

void srtp_gcm256_rtcp_open(
	struct crypto_engine *engine, struct open_job *const jobs[], unsigned count)
{
	rtcp_open(engine, gcm256(engine), jobs, count);
}
