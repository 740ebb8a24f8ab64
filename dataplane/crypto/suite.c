// SPDX-License-Identifier: BSD-3-Clause
//
// The table of suites: one row each, in the order of enum dp_suite.
#include "crypto/suite.h"

#include <stddef.h>
#include <string.h>

#include "crypto/rtpsize.h"

static const struct suite suites[] = {
	[DP_SUITE_AES256_GCM_RTPSIZE - 1] = {DP_SUITE_AES256_GCM_RTPSIZE, "aead_aes256_gcm_rtpsize",
		32, 0, DP_RTPSIZE_OVERHEAD, DP_RTPSIZE_OVERHEAD, rtpsize_gcm_key_expand, NULL,
		rtpsize_gcm_seal, rtpsize_gcm_open, rtpsize_gcm_seal, rtpsize_gcm_open},
	[DP_SUITE_XCHACHA20_RTPSIZE - 1] = {DP_SUITE_XCHACHA20_RTPSIZE,
		"aead_xchacha20_poly1305_rtpsize", 32, 0, DP_RTPSIZE_OVERHEAD, DP_RTPSIZE_OVERHEAD,
		rtpsize_xchacha_key_expand, NULL, rtpsize_xchacha_seal, rtpsize_xchacha_open,
		rtpsize_xchacha_seal, rtpsize_xchacha_open},
};
#define SUITE_ROWS (sizeof(suites) / sizeof(suites[0]))

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

void suite_key_wipe(struct crypto_engine *engine, struct suite_key *key)
{
	(void)engine;
	explicit_bzero(key, sizeof(*key));
}

void suite_rtcp_key_wipe(struct suite_rtcp_key *key)
{
	explicit_bzero(key, sizeof(*key));
}
