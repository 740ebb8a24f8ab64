// SPDX-License-Identifier: BSD-3-Clause
//
// Session keys of SRTP and SRTCP from a master key and salt (RFC 3711 section 4.3, RFC 6188 for
// 256-bit keys, RFC 7714 section 11), with a key derivation rate of zero: derived once.
//
// Threads: as the engine.
#pragma once

#include <stdalign.h>
#include <stdint.h>

struct crypto_engine;

#define SRTP_MASTER_SALT_SIZE 14 // bytes; a shorter salt is followed by zeros

enum srtp_kdf_label {
	SRTP_KDF_RTP_CIPHER = 0,
	SRTP_KDF_RTP_AUTH = 1,
	SRTP_KDF_RTP_SALT = 2,
	SRTP_KDF_RTCP_CIPHER = 3,
	SRTP_KDF_RTCP_AUTH = 4,
	SRTP_KDF_RTCP_SALT = 5,
};

// A master key in work. Secret: srtp_kdf_fini() wipes it.
struct srtp_kdf {
	alignas(16) uint8_t round_keys[15 * 16];
	uint8_t salt[SRTP_MASTER_SALT_SIZE];
	uint8_t key_size;
};

// 'key_size' 16 or 32 bytes, 'salt_size' at most SRTP_MASTER_SALT_SIZE.
void srtp_kdf_init(struct crypto_engine *engine, struct srtp_kdf *kdf, const uint8_t *key,
	unsigned key_size, const uint8_t *salt, unsigned salt_size);
// 'size' at most 32 bytes.
void srtp_kdf_derive(struct crypto_engine *engine, const struct srtp_kdf *kdf,
	enum srtp_kdf_label label, uint8_t *out, unsigned size);
void srtp_kdf_fini(struct srtp_kdf *kdf);
