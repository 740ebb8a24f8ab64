// SPDX-License-Identifier: BSD-3-Clause
//
// aead_xchacha20_poly1305_rtpsize. XChaCha20 is HChaCha20, which makes a key of the first 16 bytes
// of the nonce (suffix, 12 zeros), and ChaCha20-Poly1305 under that key with the rest of the nonce
// (4 zeros by definition, then 8 bytes that are zeros here). The first is ours, the second
// libipsec-mb's. Expanding a key is storing it.
#include <errno.h>

#include "crypto/engine.h"
#include "crypto/hchacha20.h"
#include "crypto/iv.h"
#include "crypto/rtpsize.h"
#include "crypto/suite.h"
#include "crypto/tag.h"

#define CHACHA_NONCE_SIZE 12

// One message under its own key.
struct message {
	const uint8_t *key;
	const uint8_t *aad, *src;
	uint8_t *dst, *tag;
	uint16_t aad_size, size;
	IMB_CIPHER_DIRECTION direction;
};

// A batch of vectors costs as much as two scalar messages, however few of its lanes are in use.
#define WIDE_MIN 3

static void message_keys(struct crypto_engine *engine, const uint8_t *const keys[],
	const uint32_t *suffixes, unsigned count)
{
	hchacha20_many_fn *many = engine->hchacha20_many;

	if (count < WIDE_MIN) {
		many = hchacha20_many(HCHACHA20_SCALAR);
	}
	many(engine->message_keys, keys, suffixes, count);
}

static void message_run(IMB_MGR *mgr, const struct message *m)
{
	static const uint8_t zeros[CHACHA_NONCE_SIZE];
	IMB_JOB *job = IMB_GET_NEXT_JOB(mgr);

	job->cipher_mode = IMB_CIPHER_CHACHA20_POLY1305;
	job->hash_alg = IMB_AUTH_CHACHA20_POLY1305;
	job->cipher_direction = m->direction;
	job->chain_order =
		m->direction == IMB_DIR_ENCRYPT ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
	job->enc_keys = m->key;
	job->dec_keys = m->key;
	job->key_len_in_bytes = HCHACHA20_KEY_SIZE;
	job->iv = zeros;
	job->iv_len_in_bytes = CHACHA_NONCE_SIZE;
	job->src = m->src;
	job->dst = m->dst;
	job->cipher_start_src_offset_in_bytes = 0;
	job->hash_start_src_offset_in_bytes = 0;
	job->msg_len_to_cipher_in_bytes = m->size;
	job->msg_len_to_hash_in_bytes = m->size;
	job->u.CHACHA20_POLY1305.aad = m->aad;
	job->u.CHACHA20_POLY1305.aad_len_in_bytes = m->aad_size;
	job->auth_tag_output = m->tag;
	job->auth_tag_output_len_in_bytes = DP_RTPSIZE_TAG_SIZE;
	// Done on return: the library queues nothing of this cipher.
	IMB_SUBMIT_JOB_NOCHECK(mgr);
}

int rtpsize_xchacha_key_expand(struct crypto_engine *engine, struct suite_key *out,
	const uint8_t *key, const uint8_t *salt)
{
	(void)salt;
	if (!crypto_engine_runs(engine, DP_SUITE_XCHACHA20_RTPSIZE)) {
		return -ENOTSUP;
	}
	memcpy(out->bytes, key, HCHACHA20_KEY_SIZE);
	return 0;
}

static void seal_lanes(struct crypto_engine *engine, struct seal_job *const jobs[], unsigned count)
{
	const uint8_t *keys[HCHACHA20_LANES];
	uint32_t suffixes[HCHACHA20_LANES];

	for (unsigned i = 0; i < count; i++) {
		keys[i] = jobs[i]->key->bytes;
		memcpy(&suffixes[i], jobs[i]->iv, sizeof(suffixes[i]));
	}
	message_keys(engine, keys, suffixes, count);
	for (unsigned i = 0; i < count; i++) {
		const struct seal_job *job = jobs[i];
		uint8_t *tag = job->dst + job->src_size;

		message_run(engine->mgr, &(struct message){.key = engine->message_keys[i],
						 .aad = job->aad,
						 .src = job->src,
						 .dst = job->dst,
						 .tag = tag,
						 .aad_size = job->aad_size,
						 .size = job->src_size,
						 .direction = IMB_DIR_ENCRYPT});
		memcpy(tag + DP_RTPSIZE_TAG_SIZE, job->iv, DP_RTPSIZE_SUFFIX_SIZE);
	}
}

void rtpsize_xchacha_seal(
	struct crypto_engine *engine, struct seal_job *const jobs[], unsigned count)
{
	for (unsigned i = 0; i < count; i += HCHACHA20_LANES) {
		unsigned left = count - i;

		seal_lanes(engine, &jobs[i], left < HCHACHA20_LANES ? left : HCHACHA20_LANES);
	}
}

static void open_one(struct crypto_engine *engine, struct open_job *job, const uint8_t *key)
{
	uint8_t *cipher = job->pkt + job->aad_size;
	uint16_t size = (uint16_t)(job->size - job->aad_size - DP_RTPSIZE_OVERHEAD);
	uint8_t tag[DP_RTPSIZE_TAG_SIZE];

	message_run(engine->mgr, &(struct message){.key = key,
					 .aad = job->pkt,
					 .src = cipher,
					 .dst = cipher,
					 .tag = tag,
					 .aad_size = job->aad_size,
					 .size = size,
					 .direction = IMB_DIR_DECRYPT});
	job->verdict = tag_equal_16(tag, cipher + size) ? DP_OK : DP_SRTP_AUTH;
}

// 'jobs' gives, in its order, up to HCHACHA20_LANES packets that are long enough. Returns the
// number of jobs looked at.
static unsigned open_lanes(
	struct crypto_engine *engine, struct open_job *const jobs[], unsigned count)
{
	const uint8_t *keys[HCHACHA20_LANES];
	struct open_job *whole[HCHACHA20_LANES];
	uint32_t suffixes[HCHACHA20_LANES];
	unsigned seen = 0, whole_count = 0;

	for (; seen < count && whole_count < HCHACHA20_LANES; seen++) {
		struct open_job *job = jobs[seen];

		if (job->size < job->aad_size + DP_RTPSIZE_OVERHEAD) {
			job->verdict = DP_SRTP_AUTH;
			continue;
		}
		keys[whole_count] = job->key->bytes;
		iv_rtpsize(job->iv, job->pkt + job->size - DP_RTPSIZE_SUFFIX_SIZE);
		memcpy(&suffixes[whole_count], job->iv, sizeof(suffixes[0]));
		whole[whole_count++] = job;
	}
	message_keys(engine, keys, suffixes, whole_count);
	for (unsigned i = 0; i < whole_count; i++) {
		open_one(engine, whole[i], engine->message_keys[i]);
	}
	return seen;
}

void rtpsize_xchacha_open(
	struct crypto_engine *engine, struct open_job *const jobs[], unsigned count)
{
	for (unsigned i = 0; i < count;) {
		i += open_lanes(engine, &jobs[i], count - i);
	}
}
