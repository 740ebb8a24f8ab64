// SPDX-License-Identifier: BSD-3-Clause
//
// The table of suites: one row each, in the order of enum dp_suite.
#include "crypto/suite.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "crypto/engine.h"
#include "crypto/rtpsize.h"
#include "crypto/srtp.h"
#include "crypto/srtp2.h"

static const struct suite suites[] = {
	[DP_SUITE_AES256_GCM_RTPSIZE - 1] = {DP_SUITE_AES256_GCM_RTPSIZE, "aead_aes256_gcm_rtpsize",
		32, 0, DP_RTPSIZE_OVERHEAD, DP_RTPSIZE_OVERHEAD, rtpsize_gcm_key_expand, NULL,
		rtpsize_gcm_seal, rtpsize_gcm_open, rtpsize_gcm_seal, rtpsize_gcm_open},
	[DP_SUITE_XCHACHA20_RTPSIZE - 1] = {DP_SUITE_XCHACHA20_RTPSIZE,
		"aead_xchacha20_poly1305_rtpsize", 32, 0, DP_RTPSIZE_OVERHEAD, DP_RTPSIZE_OVERHEAD,
		rtpsize_xchacha_key_expand, NULL, rtpsize_xchacha_seal, rtpsize_xchacha_open,
		rtpsize_xchacha_seal, rtpsize_xchacha_open},
	[DP_SUITE_AES128_GCM - 1] = {DP_SUITE_AES128_GCM, "aead_aes_128_gcm", 16, 12,
		SRTP_GCM_TAG_SIZE, SRTP_GCM_TAG_SIZE + SRTCP_INDEX_SIZE, srtp_gcm128_key_expand,
		srtp_gcm128_rtcp_key_derive, srtp_gcm128_seal, srtp_gcm128_open,
		srtp_gcm128_rtcp_seal, srtp_gcm128_rtcp_open},
	[DP_SUITE_AES256_GCM - 1] = {DP_SUITE_AES256_GCM, "aead_aes_256_gcm", 32, 12,
		SRTP_GCM_TAG_SIZE, SRTP_GCM_TAG_SIZE + SRTCP_INDEX_SIZE, srtp_gcm256_key_expand,
		srtp_gcm256_rtcp_key_derive, srtp_gcm256_seal, srtp_gcm256_open,
		srtp_gcm256_rtcp_seal, srtp_gcm256_rtcp_open},
	[DP_SUITE_AES_CM_128_HMAC_SHA1_80 - 1] = {DP_SUITE_AES_CM_128_HMAC_SHA1_80,
		"aes_cm_128_hmac_sha1_80", 16, 14, SRTP_CM_TAG_SIZE,
		SRTP_CM_TAG_SIZE + SRTCP_INDEX_SIZE, srtp_cm_key_expand, srtp_cm_rtcp_key_derive,
		srtp_cm_seal, srtp_cm_open, srtp_cm_rtcp_seal, srtp_cm_rtcp_open},
};
#define SUITE_ROWS (sizeof(suites) / sizeof(suites[0]))
static_assert(SUITE_ROWS == DP_SUITE_COUNT - 1, "a row for each suite");

const struct suite *suite_get(unsigned id)
{
	return id > DP_SUITE_NONE && id <= SUITE_ROWS ? &suites[id - 1] : NULL;
}

const struct suite *suite_by_name(const char *name)
{
	for (unsigned i = 0; i < SUITE_ROWS; i++) {
		if (strcmp(suites[i].name, name) == 0) {
			return &suites[i];
		}
	}
	return NULL;
}

int suite_check_sizes(
	const struct suite *suite, size_t key_size, size_t salt_size, char *why, size_t why_size)
{
	if (key_size == suite->key_size && salt_size == suite->salt_size)
		return 0;
	snprintf(why, why_size,
		"a key of %zu and a salt of %zu bytes came for %s, which takes %u and %u: both"
		" ends must agree on the suite",
		key_size, salt_size, suite->name, suite->key_size, suite->salt_size);
	return -EINVAL;
}

void suite_key_wipe(struct crypto_engine *engine, struct suite_key *key)
{
	if (engine->kind == CRYPTO_ENGINE_LIBSRTP2) {
		srtp2_key_release(key);
	}
	explicit_bzero(key, sizeof(*key));
}

void suite_rtcp_key_wipe(struct suite_rtcp_key *key)
{
	explicit_bzero(key, sizeof(*key));
}
