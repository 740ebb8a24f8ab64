// SPDX-License-Identifier: BSD-3-Clause
//
// What both processes call things: addresses, cipher suites, the flags of a session.
#pragma once

#include <assert.h>
#include <stdint.h>

// A UDP endpoint. All zero: none.
struct dp_addr {
	uint8_t ip[16];   // network order; IPv4 in the first four bytes, the rest zero
	uint16_t port;    // host order
	uint8_t family;   // 4, 6; 0: none
	uint8_t reserved; // zero, so that addresses compare by memcmp
};
static_assert(sizeof(struct dp_addr) == 20, "compared and hashed as 20 bytes");

// Cipher of a session. The number is on the wire between the processes.
// X(enum suffix, number, name in signaling and metrics, bytes of the (master) key, of its salt)
// Of native clients; signaling offers these.
#define DP_SUITES_RTPSIZE(X)                                       \
	X(AES256_GCM_RTPSIZE, 1, "aead_aes256_gcm_rtpsize", 32, 0) \
	X(XCHACHA20_RTPSIZE, 2, "aead_xchacha20_poly1305_rtpsize", 32, 0)
// Of browsers; DTLS agrees on these.
#define DP_SUITES_SRTP(X)                            \
	X(AES128_GCM, 3, "aead_aes_128_gcm", 16, 12) \
	X(AES256_GCM, 4, "aead_aes_256_gcm", 32, 12) \
	X(AES_CM_128_HMAC_SHA1_80, 5, "aes_cm_128_hmac_sha1_80", 16, 14)
#define DP_SUITES(X)         \
	DP_SUITES_RTPSIZE(X) \
	DP_SUITES_SRTP(X)

#define DP_SUITE_ENUM(name, number, text, key_size, salt_size) DP_SUITE_##name = (number),
enum dp_suite {
	DP_SUITE_NONE = 0,
	DP_SUITES(DP_SUITE_ENUM) //
	DP_SUITE_COUNT,
};

#define DP_SUITE_RTPSIZE_LAST DP_SUITE_XCHACHA20_RTPSIZE

// SRTP authenticates the header extension in clear, and its nonce is the packet's index; rtpsize
// encrypts the extension's body, and carries its nonce.
static inline int dp_suite_is_srtp(unsigned suite)
{
	return suite > DP_SUITE_RTPSIZE_LAST;
}

#define DP_KEY_SIZE_MAX 32  // bytes
#define DP_SALT_SIZE_MAX 14 // bytes
#define DP_RTPSIZE_TAG_SIZE 16
#define DP_RTPSIZE_SUFFIX_SIZE 4
#define DP_RTPSIZE_OVERHEAD (DP_RTPSIZE_TAG_SIZE + DP_RTPSIZE_SUFFIX_SIZE)

#define DP_OPUS_PAYLOAD_TYPE 120 // native clients, protocol.md 4.4

// Flags of a session (SESSION_ADD, SESSION_SET).
#define DP_SESSION_MUTE 0x01u      // by the server, or suppressed: nothing of it is forwarded
#define DP_SESSION_DEAF 0x02u      // by the server: nothing is forwarded to it
#define DP_SESSION_SELF_DEAF 0x04u // by itself: the same
#define DP_SESSION_FLAGS 0x07u

#define DP_SESSION_DEAF_ANY (DP_SESSION_DEAF | DP_SESSION_SELF_DEAF)
