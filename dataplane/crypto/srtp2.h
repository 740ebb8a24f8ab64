// SPDX-License-Identifier: BSD-3-Clause
//
// The SRTP suites by libsrtp2, to compare with: crypto_engine = "libsrtp2". RTP only, because
// nobody can tell libsrtp2 the index of an SRTCP packet, and an index that starts anew with the
// process would use a nonce twice; SRTCP stays libipsec-mb's.
//
// libsrtp2 keeps indexes itself: each key has a table of the last index of every SSRC that it saw,
// and where a job's index is not the one that libsrtp2 would guess, its stream is made anew at that
// index. A key is used by its engine's thread only.
#pragma once

#include "crypto/suite.h"

// Start-up only. Initializes the library. 0, or -EIO with one sentence in 'why'.
int srtp2_start(char *why, size_t why_size) __attribute__((warn_unused_result));
const char *srtp2_version(void); // "2.5.0"

// As suite_key_fn; 'suite' is one of DP_SUITES_SRTP.
int srtp2_key_expand(enum dp_suite suite, struct suite_key *out, const uint8_t *key,
	const uint8_t *salt) __attribute__((warn_unused_result));
// Frees what the library holds. The caller wipes the bytes.
void srtp2_key_release(struct suite_key *key);
// A packet that libsrtp2 refuses to seal (out of memory, a header that is no RTP) becomes zeros.
suite_seal_fn srtp2_seal;
suite_open_fn srtp2_open;
