// SPDX-License-Identifier: BSD-3-Clause
//
// aead_aes256_gcm_rtpsize on libipsec-mb's direct calls. What costs half of the library's time when
// done carelessly (sealer.md): it loads nonce and AAD as vectors, and a load that finds its bytes
// in several younger stores waits until those have left the core. So the job's iv, one 16-byte
// store, is the nonce, and the AAD pointer is handed on as it came.
#include <errno.h>

#include "crypto/engine.h"
#include "crypto/gcm_key.h"
#include "crypto/iv.h"
#include "crypto/rtpsize.h"
#include "crypto/sealer.h"
#include "crypto/suite.h"
#include "crypto/tag.h"

int rtpsize_gcm_key_expand(struct crypto_engine *engine, struct suite_key *out, const uint8_t *key,
	const uint8_t *salt)
{
	(void)salt;
	if (!crypto_engine_runs(engine, DP_SUITE_AES256_GCM_RTPSIZE)) {
		return -ENOTSUP;
	}
	IMB_AES256_GCM_PRE(engine->mgr, key, gcm_tables_of(out));
	if (engine->sealer_keys) {
		sealer_key_expand(out, key, 32, NULL);
	}
	return 0;
}

static void library_seal(
	struct crypto_engine *engine, struct seal_job *const jobs[], unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const struct seal_job *job = jobs[i];
		uint8_t *tag = job->dst + job->src_size;

		if (i + GCM_PREFETCH_AHEAD < count) {
			gcm_key_prefetch(jobs[i + GCM_PREFETCH_AHEAD]->key);
		}
		IMB_AES256_GCM_ENC(engine->mgr, gcm_tables(job->key), &engine->gcm, job->dst,
			job->src, job->src_size, job->iv, job->aad, job->aad_size, tag,
			DP_RTPSIZE_TAG_SIZE);
		memcpy(tag + DP_RTPSIZE_TAG_SIZE, job->iv, DP_RTPSIZE_SUFFIX_SIZE);
	}
}

void rtpsize_gcm_seal(struct crypto_engine *engine, struct seal_job *const jobs[], unsigned count)
{
	static const struct sealer_kind kind = {32, DP_RTPSIZE_SUFFIX_SIZE, library_seal};

	sealer_seal(&engine->sealer, engine, &kind, jobs, count);
}

void rtpsize_gcm_open(struct crypto_engine *engine, struct open_job *const jobs[], unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct open_job *job = jobs[i];
		uint8_t *cipher = job->pkt + job->aad_size;
		uint8_t tag[DP_RTPSIZE_TAG_SIZE];
		uint32_t cipher_size;

		if (job->size < job->aad_size + DP_RTPSIZE_OVERHEAD) {
			job->verdict = DP_SRTP_AUTH;
			continue;
		}
		cipher_size = job->size - job->aad_size - DP_RTPSIZE_OVERHEAD;
		iv_rtpsize(job->iv, job->pkt + job->size - DP_RTPSIZE_SUFFIX_SIZE);
		IMB_AES256_GCM_DEC(engine->mgr, gcm_tables(job->key), &engine->gcm, cipher, cipher,
			cipher_size, job->iv, job->pkt, job->aad_size, tag, DP_RTPSIZE_TAG_SIZE);
		job->verdict = tag_equal_16(tag, cipher + cipher_size) ? DP_OK : DP_SRTP_AUTH;
	}
}
