// SPDX-License-Identifier: BSD-3-Clause
//
// AES in counter mode over zeros: see srtp_kdf.h.
#include "crypto/srtp_kdf.h"

#include <string.h>

#include "api/dp_assert.h"
#include "crypto/engine.h"

#define OUT_SIZE_MAX 32
#define LABEL_OFFSET 7 // x = (label * 2^48) xor salt, as numbers of 112 bits

void srtp_kdf_init(struct crypto_engine *engine, struct srtp_kdf *kdf, const uint8_t *key,
	unsigned key_size, const uint8_t *salt, unsigned salt_size)
{
	alignas(16) uint8_t decrypt[sizeof(kdf->round_keys)]; // made along, never used

	DP_ASSERT(key_size == 16 || key_size == 32);
	DP_ASSERT(salt_size <= sizeof(kdf->salt));
	memset(kdf, 0, sizeof(*kdf));
	kdf->key_size = (uint8_t)key_size;
	memcpy(kdf->salt, salt, salt_size);
	if (key_size == 16) {
		IMB_AES_KEYEXP_128(engine->mgr, key, kdf->round_keys, decrypt);
	} else {
		IMB_AES_KEYEXP_256(engine->mgr, key, kdf->round_keys, decrypt);
	}
	explicit_bzero(decrypt, sizeof(decrypt));
}

void srtp_kdf_derive(struct crypto_engine *engine, const struct srtp_kdf *kdf,
	enum srtp_kdf_label label, uint8_t *out, unsigned size)
{
	static const uint8_t zeros[OUT_SIZE_MAX];
	alignas(16) uint8_t iv[16] = {0}; // x | block counter
	IMB_JOB job = {.enc_keys = kdf->round_keys,
		.dec_keys = kdf->round_keys,
		.key_len_in_bytes = kdf->key_size,
		.src = zeros,
		.dst = out,
		.msg_len_to_cipher_in_bytes = size,
		.iv = iv,
		.iv_len_in_bytes = sizeof(iv),
		.cipher_mode = IMB_CIPHER_CNTR,
		.cipher_direction = IMB_DIR_ENCRYPT,
		.hash_alg = IMB_AUTH_NULL};

	DP_ASSERT(size > 0 && size <= OUT_SIZE_MAX);
	memcpy(iv, kdf->salt, sizeof(kdf->salt));
	iv[LABEL_OFFSET] ^= (uint8_t)label;
	IMB_SUBMIT_CIPHER_BURST_NOCHECK(engine->mgr, &job, 1, IMB_CIPHER_CNTR, IMB_DIR_ENCRYPT,
		(IMB_KEY_SIZE_BYTES)kdf->key_size);
}

void srtp_kdf_fini(struct srtp_kdf *kdf)
{
	explicit_bzero(kdf, sizeof(*kdf));
}
