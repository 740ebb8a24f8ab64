// SPDX-License-Identifier: BSD-3-Clause
//
// The client's side of aead_aes256_gcm_rtpsize and aead_xchacha20_poly1305_rtpsize, on OpenSSL and
// libsodium. It shares no code with the node, so that the node is checked by something else than
// itself.
//
//   | RTP header | CSRCs | extension preamble | ciphertext | tag 16 | nonce suffix 4 |
//   |<---------- authenticated ------------->|
//   RTCP: the first 8 bytes are authenticated, the rest is ciphertext.
//
// One owner, one thread; the contexts keep the expanded key.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RTPSIZE_CLIENT_KEY_SIZE 32u
#define RTPSIZE_CLIENT_TAG_SIZE 16u
#define RTPSIZE_CLIENT_SUFFIX_SIZE 4u
#define RTPSIZE_CLIENT_OVERHEAD_SIZE (RTPSIZE_CLIENT_TAG_SIZE + RTPSIZE_CLIENT_SUFFIX_SIZE)

enum rtpsize_client_mode {
	RTPSIZE_CLIENT_AES256_GCM,
	RTPSIZE_CLIENT_XCHACHA20_POLY1305,
	RTPSIZE_CLIENT_MODE_COUNT,
};

struct evp_cipher_ctx_st;

struct rtpsize_client {
	enum rtpsize_client_mode mode;
	uint8_t key[RTPSIZE_CLIENT_KEY_SIZE];
	struct evp_cipher_ctx_st *seal_ctx, *open_ctx; // AES-256-GCM only
};

// The name that the protocol uses.
const char *rtpsize_client_mode_name(enum rtpsize_client_mode mode);
// False: not a mode that we speak.
bool rtpsize_client_mode_parse(const char *name, enum rtpsize_client_mode *mode);

// 0, -ENOMEM, -EIO (the library has no such cipher).
int rtpsize_client_init(struct rtpsize_client *client, enum rtpsize_client_mode mode,
	const uint8_t key[RTPSIZE_CLIENT_KEY_SIZE]) __attribute__((warn_unused_result));
// Wipes the key. A zeroed struct is allowed.
void rtpsize_client_fini(struct rtpsize_client *client);

// Where the ciphertext begins in 'packet' (RTP or RTCP, told apart by the second byte). 0; -EPROTO:
// not version 2, or it ends inside the header.
int rtpsize_client_aad_size(const uint8_t *packet, size_t packet_size, size_t *aad_size)
	__attribute__((warn_unused_result));

// Seals the cleartext packet of 'packet_size' bytes into 'out', which has room for
// RTPSIZE_CLIENT_OVERHEAD_SIZE more; not in place. 0, -EPROTO (header), -EIO.
int rtpsize_client_seal(struct rtpsize_client *client, const uint8_t *packet, size_t packet_size,
	const uint8_t suffix[RTPSIZE_CLIENT_SUFFIX_SIZE], uint8_t *out)
	__attribute__((warn_unused_result));

// Opens a sealed packet into 'out' (at least 'packet_size' bytes; not in place): header and
// plaintext. 0 with '*out_size'; -EPROTO (short or bad header), -EBADMSG (tag).
int rtpsize_client_open(struct rtpsize_client *client, const uint8_t *packet, size_t packet_size,
	uint8_t *out, size_t *out_size) __attribute__((warn_unused_result));
