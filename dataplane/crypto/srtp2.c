// SPDX-License-Identifier: BSD-3-Clause
//
// See srtp2.h.
#include "crypto/srtp2.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <srtp2/srtp.h>

#include "crypto/iv.h"

#define STREAMS_MAX 32  // SSRCs that a key remembers
#define GUESS_MAX 32768 // RFC 3711 appendix A: farther from the newest index, the guess is another
#define WINDOW_SIZE 1024
#define RTP_HEADER_SIZE 12

// The newest index that a stream of the library has taken.
struct stream {
	uint64_t index_max;
	uint32_t ssrc;
	uint32_t used;
};

// One direction: to the library a packet that was sealed is one that came already.
struct side {
	srtp_t session; // NULL: none
	uint32_t next;  // stream to forget when all are used
	struct stream streams[STREAMS_MAX];
};

// What stands in a suite_key.
struct srtp2_key {
	struct side seal, open;
	enum dp_suite suite;
	uint8_t master[DP_KEY_SIZE_MAX + DP_SALT_SIZE_MAX];
};
static_assert(sizeof(struct srtp2_key) <= SUITE_KEY_SIZE, "fits");

int srtp2_start(char *why, size_t why_size)
{
	srtp_err_status_t status = srtp_init();

	if (status == srtp_err_status_ok)
		return 0;
	snprintf(why, why_size,
		"libsrtp2 does not start (its error %d): use crypto_engine ="
		" \"auto\"",
		(int)status);
	return -EIO;
}

const char *srtp2_version(void)
{
	static const char prefix[] = "libsrtp2 ";
	const char *text = srtp_get_version_string(); // "libsrtp2 2.5.0"

	return strncmp(text, prefix, sizeof(prefix) - 1) == 0 ? text + sizeof(prefix) - 1 : text;
}

// One stream: 'ssrc' in host order.
static void policy_fill(srtp_policy_t *policy, struct srtp2_key *key, uint32_t ssrc)
{
	memset(policy, 0, sizeof(*policy));
	switch (key->suite) {
	case DP_SUITE_AES128_GCM:
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy->rtp);
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy->rtcp);
		break;
	case DP_SUITE_AES256_GCM:
		srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy->rtp);
		srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy->rtcp);
		break;
	case DP_SUITE_NONE:
	case DP_SUITE_AES256_GCM_RTPSIZE:
	case DP_SUITE_XCHACHA20_RTPSIZE:
	case DP_SUITE_AES_CM_128_HMAC_SHA1_80:
	case DP_SUITE_COUNT:
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy->rtp);
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy->rtcp);
		break;
	}
	policy->ssrc.type = ssrc_specific;
	policy->ssrc.value = ssrc;
	policy->key = key->master;
	policy->window_size = WINDOW_SIZE;
	policy->allow_repeat_tx = 1; // retransmissions, and whatever a test asks for
}

int srtp2_key_expand(
	enum dp_suite id, struct suite_key *out, const uint8_t *master, const uint8_t *salt)
{
	const struct suite *suite = suite_get(id);
	struct srtp2_key *key = (void *)out->bytes;

	memcpy(key->master, master, suite->key_size);
	memcpy(key->master + suite->key_size, salt, suite->salt_size);
	key->suite = id;
	if (srtp_create(&key->seal.session, NULL) != srtp_err_status_ok ||
		srtp_create(&key->open.session, NULL) != srtp_err_status_ok) {
		srtp2_key_release(out);
		explicit_bzero(out, sizeof(*out));
		return -ENOMEM;
	}
	return 0;
}

void srtp2_key_release(struct suite_key *out)
{
	struct srtp2_key *key = (void *)out->bytes;

	if (key->seal.session != NULL)
		(void)srtp_dealloc(key->seal.session);
	if (key->open.session != NULL)
		(void)srtp_dealloc(key->open.session);
	key->seal.session = key->open.session = NULL;
}

static struct stream *stream_of(struct side *side, uint32_t ssrc)
{
	for (unsigned i = 0; i < STREAMS_MAX; i++) {
		if (side->streams[i].used && side->streams[i].ssrc == ssrc)
			return &side->streams[i];
	}
	return NULL;
}

static void stream_remove(struct side *side, struct stream *s)
{
	if (s->used)
		(void)srtp_remove_stream(side->session, __builtin_bswap32(s->ssrc));
	s->used = 0;
}

// A stream of 'ssrc' whose first packet will be the one of 'index'. NULL: out of memory.
static struct stream *stream_renew(
	struct srtp2_key *key, struct side *side, uint32_t ssrc, uint64_t index)
{
	struct stream *s = stream_of(side, ssrc);
	uint32_t roc = (uint32_t)(index >> 16);
	srtp_policy_t policy;

	if (s == NULL)
		s = &side->streams[side->next++ % STREAMS_MAX];
	stream_remove(side, s);
	policy_fill(&policy, key, ssrc);
	if (srtp_add_stream(side->session, &policy) != srtp_err_status_ok)
		return NULL;
	*s = (struct stream){.ssrc = ssrc, .index_max = index, .used = 1};
	if (roc != 0 && srtp_set_stream_roc(side->session, ssrc, roc) != srtp_err_status_ok)
		return NULL;
	return s;
}

static bool continues(const struct stream *s, uint64_t index)
{
	return s != NULL && index < s->index_max + GUESS_MAX && index + GUESS_MAX > s->index_max;
}

typedef srtp_err_status_t srtp2_call(srtp_t session, void *packet, int *size);

// 'call' of the RTP packet at 'pkt', as the packet of 'index'.
static bool run(struct srtp2_key *key, struct side *side, srtp2_call *call, uint64_t index,
	uint8_t *pkt, int *size)
{
	int before = *size;
	struct stream *s;
	uint32_t ssrc;

	memcpy(&ssrc, pkt + 8, sizeof(ssrc));
	ssrc = __builtin_bswap32(ssrc);
	s = stream_of(side, ssrc);
	if (continues(s, index)) {
		srtp_err_status_t status = call(side->session, pkt, size);

		if (status == srtp_err_status_ok) {
			s->index_max = index > s->index_max ? index : s->index_max;
			return true;
		}
		if (status != srtp_err_status_replay_fail && status != srtp_err_status_replay_old)
			return false;
		*size = before; // it had the packet before, or forgot that far back
	}
	s = stream_renew(key, side, ssrc, index);
	if (s == NULL)
		return false;
	if (call(side->session, pkt, size) == srtp_err_status_ok)
		return true;
	stream_remove(side, s); // a forged packet's index is nobody's
	return false;
}

// Indexes move in the key: which is why a key of this engine has one thread.
static struct srtp2_key *key_of(const struct suite_key *key)
{
	return (struct srtp2_key *)(uintptr_t)key->bytes;
}

void srtp2_seal(struct crypto_engine *engine, struct seal_job *const jobs[], unsigned count)
{
	(void)engine;
	for (unsigned i = 0; i < count; i++) {
		const struct seal_job *job = jobs[i];
		struct srtp2_key *key = key_of(job->key);
		uint16_t overhead = suite_get(key->suite)->overhead;
		int size = job->aad_size + job->src_size;

		memcpy(job->dst, job->src, job->src_size);
		if (!run(key, &key->seal, srtp_protect, iv_index(job->iv, key->suite),
			    job->dst - job->aad_size, &size) ||
			size != job->aad_size + job->src_size + overhead)
			memset(job->dst, 0, (size_t)job->src_size + overhead);
	}
}

// libsrtp2 takes the header's size from the header.
static bool is_header(const uint8_t *pkt, uint32_t size, uint32_t header_size)
{
	uint32_t own = RTP_HEADER_SIZE;

	if (size < RTP_HEADER_SIZE || pkt[0] >> 6 != 2)
		return false;
	own += (pkt[0] & 15u) * 4;
	if ((pkt[0] & 0x10u) != 0) {
		if (size < own + 4)
			return false;
		own += 4 + 4 * ((uint32_t)pkt[own + 2] << 8 | pkt[own + 3]);
	}
	return own == header_size;
}

void srtp2_open(struct crypto_engine *engine, struct open_job *const jobs[], unsigned count)
{
	(void)engine;
	for (unsigned i = 0; i < count; i++) {
		struct open_job *job = jobs[i];
		struct srtp2_key *key = key_of(job->key);
		int size = job->size;

		job->verdict = DP_SRTP_AUTH;
		if (size >= job->aad_size + suite_get(key->suite)->overhead &&
			is_header(job->pkt, job->size, job->aad_size) &&
			run(key, &key->open, srtp_unprotect, iv_index(job->iv, key->suite),
				job->pkt, &size))
			job->verdict = DP_OK;
	}
}
