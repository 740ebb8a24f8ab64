// SPDX-License-Identifier: BSD-3-Clause
//
// AES_CM_128_HMAC_SHA1_80 of SRTP and SRTCP (RFC 3711 section 4) on libipsec-mb's bursts: counter
// mode from the shared payload straight into each packet, then the MACs of all, many lanes at once.
//
// The MAC covers header | ciphertext | roll-over counter, of which the last is not sent: it stands
// where the tag is due while the MAC is taken. SRTCP's last word is covered and sent, so there the
// tag is due behind it.
#include <emmintrin.h>
#include <errno.h>

#include "crypto/engine.h"
#include "crypto/iv.h"
#include "crypto/srtp.h"
#include "crypto/srtp2.h"
#include "crypto/srtp_kdf.h"
#include "crypto/suite.h"
#include "crypto/tag.h"

#define HMAC_BLOCK_SIZE 64
#define AUTH_KEY_SIZE 20
#define ROC_SIZE 4
#define SHA1_STATE_ROOM 32 // 20, kept aligned

// What stands in the library's part of a suite_key: four lines, not sixteen.
struct cm_key {
	alignas(DP_CACHE_LINE) uint8_t round_keys[11 * 16];
	uint8_t salt[16]; // 14 and two zeros: the block counter
	alignas(16) uint8_t inner[SHA1_STATE_ROOM], outer[SHA1_STATE_ROOM]; // of the HMAC
};
static_assert(SUITE_SEALER_SIZE + sizeof(struct cm_key) <= SUITE_KEY_SIZE, "fits");
static_assert(SUITE_SEALER_SIZE % alignof(struct cm_key) == 0, "aligned");

// A suite_rtcp_key.
struct cm_rtcp_key {
	uint8_t cipher[16];
	alignas(16) uint8_t salt[16];
	uint8_t auth[AUTH_KEY_SIZE];
};
static_assert(sizeof(struct cm_rtcp_key) <= SUITE_RTCP_KEY_SIZE, "fits");

static inline const struct cm_key *cm_key(const struct suite_key *key)
{
	return (const void *)(key->bytes + SUITE_SEALER_SIZE);
}

static void hmac_state(IMB_MGR *mgr, uint8_t *state, const uint8_t key[AUTH_KEY_SIZE], uint8_t pad)
{
	uint8_t block[HMAC_BLOCK_SIZE];

	memset(block, pad, sizeof(block));
	for (unsigned i = 0; i < AUTH_KEY_SIZE; i++)
		block[i] ^= key[i];
	IMB_SHA1_ONE_BLOCK(mgr, block, state);
	explicit_bzero(block, sizeof(block));
}

static void expand(
	struct crypto_engine *engine, struct suite_key *out, const struct cm_rtcp_key *derived)
{
	struct cm_key *key = (void *)(out->bytes + SUITE_SEALER_SIZE);
	alignas(16) uint8_t decrypt[sizeof(key->round_keys)]; // made along, never used

	IMB_AES_KEYEXP_128(engine->mgr, derived->cipher, key->round_keys, decrypt);
	memcpy(key->salt, derived->salt, sizeof(key->salt));
	hmac_state(engine->mgr, key->inner, derived->auth, 0x36);
	hmac_state(engine->mgr, key->outer, derived->auth, 0x5c);
	explicit_bzero(decrypt, sizeof(decrypt));
}

// 'first' is SRTP_KDF_RTP_CIPHER or SRTP_KDF_RTCP_CIPHER: the labels stand in the same order.
static void derive(struct crypto_engine *engine, struct cm_rtcp_key *out, enum srtp_kdf_label first,
	const uint8_t *key, const uint8_t *salt)
{
	struct srtp_kdf kdf;

	memset(out, 0, sizeof(*out));
	srtp_kdf_init(engine, &kdf, key, 16, salt, SRTP_MASTER_SALT_SIZE);
	srtp_kdf_derive(engine, &kdf, first, out->cipher, sizeof(out->cipher));
	srtp_kdf_derive(
		engine, &kdf, (enum srtp_kdf_label)(first + 1), out->auth, sizeof(out->auth));
	srtp_kdf_derive(
		engine, &kdf, (enum srtp_kdf_label)(first + 2), out->salt, SRTP_MASTER_SALT_SIZE);
	srtp_kdf_fini(&kdf);
}

int srtp_cm_key_expand(struct crypto_engine *engine, struct suite_key *out, const uint8_t *key,
	const uint8_t *salt)
{
	struct cm_rtcp_key derived;

	if (!crypto_engine_runs(engine, DP_SUITE_AES_CM_128_HMAC_SHA1_80))
		return -ENOTSUP;
	if (engine->kind == CRYPTO_ENGINE_LIBSRTP2)
		return srtp2_key_expand(DP_SUITE_AES_CM_128_HMAC_SHA1_80, out, key, salt);
	derive(engine, &derived, SRTP_KDF_RTP_CIPHER, key, salt);
	expand(engine, out, &derived);
	explicit_bzero(&derived, sizeof(derived));
	return 0;
}

int srtp_cm_rtcp_key_derive(struct crypto_engine *engine, struct suite_rtcp_key *out,
	const uint8_t *key, const uint8_t *salt)
{
	if (!crypto_engine_runs(engine, DP_SUITE_AES_CM_128_HMAC_SHA1_80))
		return -ENOTSUP;
	memset(out, 0, sizeof(*out));
	derive(engine, (void *)out->bytes, SRTP_KDF_RTCP_CIPHER, key, salt);
	return 0;
}

void srtp_cm_key_set(struct crypto_engine *engine, struct suite_key *out, const uint8_t *key,
	const uint8_t *salt, const uint8_t *auth)
{
	struct cm_rtcp_key derived = {0};

	memcpy(derived.cipher, key, sizeof(derived.cipher));
	memcpy(derived.salt, salt, SRTP_MASTER_SALT_SIZE);
	memcpy(derived.auth, auth, AUTH_KEY_SIZE);
	expand(engine, out, &derived);
	explicit_bzero(&derived, sizeof(derived));
}

// The packet at 'message': what the MAC covers, what is ciphered from 'src' into it, where the tag
// is due.
struct cm_packet {
	const struct cm_key *key;
	const uint8_t *iv, *src;
	uint8_t *message, *cipher;
	uint32_t message_size, cipher_size;
};

static inline void put(struct crypto_engine *engine, unsigned at, const struct cm_packet *p)
{
	IMB_JOB *job = &engine->cm_jobs[at];

	_mm_store_si128((__m128i *)(void *)engine->nonces[at],
		_mm_xor_si128(_mm_load_si128((const __m128i *)(const void *)p->iv),
			_mm_load_si128((const __m128i *)(const void *)p->key->salt)));
	job->enc_keys = p->key->round_keys;
	job->src = p->src;
	job->dst = p->cipher;
	job->msg_len_to_cipher_in_bytes = p->cipher_size;
	// The library hashes what stands at an offset from the cipher's source, wherever that is:
	// the difference to the packet, modulo 2^64.
	job->hash_start_src_offset_in_bytes = (uintptr_t)p->message - (uintptr_t)p->src;
	job->msg_len_to_hash_in_bytes = p->message_size;
	job->u.HMAC._hashed_auth_key_xor_ipad = p->key->inner;
	job->u.HMAC._hashed_auth_key_xor_opad = p->key->outer;
}

static inline void cipher(struct crypto_engine *engine, unsigned count)
{
	IMB_SUBMIT_CIPHER_BURST_NOCHECK(engine->mgr, engine->cm_jobs, count, IMB_CIPHER_CNTR,
		IMB_DIR_ENCRYPT, IMB_KEY_128_BYTES);
}

// The wide lanes cost the same however few of them are filled; the SHA instructions cost by the
// packet. Measured: 12 lanes of 16 is where they meet, and fewer than two full sets never pay.
static inline void mac(struct crypto_engine *engine, unsigned count)
{
	unsigned wide = count;

	if (engine->mgr_sha != NULL) {
		wide = count < 2 * CRYPTO_SHA1_LANES ? 0 : count - count % CRYPTO_SHA1_LANES;
		if (wide > 0 && count - wide >= 12)
			wide = count;
	}
	if (wide > 0)
		IMB_SUBMIT_HASH_BURST_NOCHECK(
			engine->mgr, engine->cm_jobs, wide, IMB_AUTH_HMAC_SHA_1);
	if (wide < count)
		IMB_SUBMIT_HASH_BURST_NOCHECK(
			engine->mgr_sha, engine->cm_jobs + wide, count - wide, IMB_AUTH_HMAC_SHA_1);
}

void srtp_cm_prepare(struct crypto_engine *engine)
{
	for (unsigned i = 0; i < CRYPTO_BATCH_MAX; i++) {
		engine->cm_jobs[i] = (IMB_JOB){.key_len_in_bytes = 16,
			.iv = engine->nonces[i],
			.iv_len_in_bytes = 16,
			.auth_tag_output = engine->tags[i],
			.auth_tag_output_len_in_bytes = CRYPTO_SHA1_TAG_SIZE,
			.cipher_mode = IMB_CIPHER_CNTR,
			.cipher_direction = IMB_DIR_ENCRYPT,
			.hash_alg = IMB_AUTH_HMAC_SHA_1,
			.chain_order = IMB_ORDER_CIPHER_HASH};
	}
}

#define PREFETCH_AHEAD 8

static inline void key_prefetch(const struct suite_key *key)
{
	for (unsigned at = 0; at < sizeof(struct cm_key); at += DP_CACHE_LINE)
		_mm_prefetch((const char *)cm_key(key) + at, _MM_HINT_T0);
}

static inline void roc_put(uint8_t *at, const uint8_t iv[16])
{
	memcpy(at, iv + 8, ROC_SIZE);
}

static void seal_batch(struct crypto_engine *engine, struct seal_job *const jobs[], unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const struct seal_job *job = jobs[i];

		if (i + PREFETCH_AHEAD < count)
			key_prefetch(jobs[i + PREFETCH_AHEAD]->key);
		roc_put(job->dst + job->src_size, job->iv);
		put(engine, i,
			&(struct cm_packet){.key = cm_key(job->key),
				.iv = job->iv,
				.src = job->src,
				.message = job->dst - job->aad_size,
				.cipher = job->dst,
				.message_size = (uint32_t)job->aad_size + job->src_size + ROC_SIZE,
				.cipher_size = job->src_size});
	}
	cipher(engine, count);
	mac(engine, count);
	for (unsigned i = 0; i < count; i++)
		memcpy(jobs[i]->dst + jobs[i]->src_size, engine->tags[i], SRTP_CM_TAG_SIZE);
}

void srtp_cm_seal(struct crypto_engine *engine, struct seal_job *const jobs[], unsigned count)
{
	if (engine->kind == CRYPTO_ENGINE_LIBSRTP2) {
		srtp2_seal(engine, jobs, count);
		return;
	}
	for (unsigned i = 0; i < count; i += CRYPTO_BATCH_MAX) {
		unsigned left = count - i;

		seal_batch(engine, &jobs[i], left < CRYPTO_BATCH_MAX ? left : CRYPTO_BATCH_MAX);
	}
}

// Takes packets that are long enough from the front of 'jobs' into 'batch', and their tags out of
// them. Returns the number of jobs looked at.
static unsigned open_begin(struct crypto_engine *engine, struct open_job *const jobs[],
	unsigned count, struct open_job *batch[CRYPTO_BATCH_MAX], unsigned *batch_count)
{
	unsigned seen = 0, taken = 0;

	for (; seen < count && taken < CRYPTO_BATCH_MAX; seen++) {
		struct open_job *job = jobs[seen];
		uint8_t *clear = job->pkt + job->aad_size, *tag;

		if (seen + PREFETCH_AHEAD < count)
			key_prefetch(jobs[seen + PREFETCH_AHEAD]->key);
		job->verdict = DP_SRTP_AUTH;
		if (job->size < job->aad_size + SRTP_CM_TAG_SIZE)
			continue;
		tag = job->pkt + job->size - SRTP_CM_TAG_SIZE;
		memcpy(engine->tags_in[taken], tag, SRTP_CM_TAG_SIZE);
		roc_put(tag, job->iv);
		put(engine, taken,
			&(struct cm_packet){.key = cm_key(job->key),
				.iv = job->iv,
				.src = clear,
				.message = job->pkt,
				.cipher = clear,
				.message_size = (uint32_t)job->size - SRTP_CM_TAG_SIZE + ROC_SIZE,
				.cipher_size = (uint32_t)(tag - clear)});
		batch[taken++] = job;
	}
	*batch_count = taken;
	return seen;
}

// Verdicts by the MACs; then what is true is deciphered. What is not keeps its ciphertext.
static void open_end(struct crypto_engine *engine, struct open_job *const batch[], unsigned count)
{
	mac(engine, count);
	for (unsigned i = 0; i < count; i++) {
		if (tag_equal_10(engine->tags[i], engine->tags_in[i]))
			batch[i]->verdict = DP_OK;
		else
			engine->cm_jobs[i].msg_len_to_cipher_in_bytes = 0;
	}
	cipher(engine, count);
}

void srtp_cm_open(struct crypto_engine *engine, struct open_job *const jobs[], unsigned count)
{
	struct open_job *batch[CRYPTO_BATCH_MAX];
	unsigned batch_count;

	if (engine->kind == CRYPTO_ENGINE_LIBSRTP2) {
		srtp2_open(engine, jobs, count);
		return;
	}
	for (unsigned i = 0; i < count;) {
		i += open_begin(engine, &jobs[i], count - i, batch, &batch_count);
		if (batch_count > 0)
			open_end(engine, batch, batch_count);
	}
}

// Header | cipher | E, index | tag. One by one: a derived key is expanded for each.
void srtp_cm_rtcp_seal(struct crypto_engine *engine, struct seal_job *const jobs[], unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const struct seal_job *job = jobs[i];
		uint8_t *word = job->dst + job->src_size;

		expand(engine, &engine->rtcp_key, (const void *)job->rtcp_key->bytes);
		srtcp_word_put(word, DP_SUITE_AES_CM_128_HMAC_SHA1_80, job->iv);
		put(engine, 0,
			&(struct cm_packet){.key = cm_key(&engine->rtcp_key),
				.iv = job->iv,
				.src = job->src,
				.message = job->dst - SRTCP_HEADER_SIZE,
				.cipher = job->dst,
				.message_size =
					SRTCP_HEADER_SIZE + job->src_size + SRTCP_INDEX_SIZE,
				.cipher_size = job->src_size});
		cipher(engine, 1);
		mac(engine, 1);
		memcpy(word + SRTCP_INDEX_SIZE, engine->tags[0], SRTP_CM_TAG_SIZE);
	}
	explicit_bzero(&engine->rtcp_key, sizeof(engine->rtcp_key));
}

void srtp_cm_rtcp_open(struct crypto_engine *engine, struct open_job *const jobs[], unsigned count)
{
	const unsigned trailer = SRTCP_INDEX_SIZE + SRTP_CM_TAG_SIZE;

	for (unsigned i = 0; i < count; i++) {
		struct open_job *job = jobs[i];
		uint8_t *clear = job->pkt + SRTCP_HEADER_SIZE, *word;

		job->verdict = DP_SRTP_AUTH;
		if (job->aad_size != SRTCP_HEADER_SIZE || job->size < SRTCP_HEADER_SIZE + trailer)
			continue;
		word = job->pkt + job->size - trailer;
		if (!srtcp_word_take(word, DP_SUITE_AES_CM_128_HMAC_SHA1_80, job))
			continue;
		expand(engine, &engine->rtcp_key, (const void *)job->rtcp_key->bytes);
		memcpy(engine->tags_in[0], word + SRTCP_INDEX_SIZE, SRTP_CM_TAG_SIZE);
		put(engine, 0,
			&(struct cm_packet){.key = cm_key(&engine->rtcp_key),
				.iv = job->iv,
				.src = clear,
				.message = job->pkt,
				.cipher = clear,
				.message_size = (uint32_t)job->size - SRTP_CM_TAG_SIZE,
				.cipher_size = (uint32_t)(word - clear)});
		open_end(engine, &jobs[i], 1);
	}
	explicit_bzero(&engine->rtcp_key, sizeof(engine->rtcp_key));
}
