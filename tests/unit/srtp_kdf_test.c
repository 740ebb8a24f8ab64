// SPDX-License-Identifier: BSD-3-Clause
//
// Key derivation against RFC 3711 appendix B.3 and RFC 6188 section 7.3; the labels of SRTCP, which
// no RFC prints, are compared with libsrtp2 by srtp_equal_test.c.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/engine.h"
#include "crypto/srtp_kdf.h"
#include "support/hex.h"

static struct crypto_engine *engine;

struct vector {
	const char *key, *salt;
	enum srtp_kdf_label label;
	const char *derived;
};

#define RFC3711_KEY "E1F97A0D3E018BE0D64FA32C06DE4139"
#define RFC3711_SALT "0EC675AD498AFEEBB6960B3AABE6"
#define RFC6188_KEY "f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6"
#define RFC6188_SALT "3b04803de51ee7c96423ab5b78d2"

static const struct vector vectors[] = {
	{RFC3711_KEY, RFC3711_SALT, SRTP_KDF_RTP_CIPHER, "C61E7A93744F39EE10734AFE3FF7A087"},
	{RFC3711_KEY, RFC3711_SALT, SRTP_KDF_RTP_SALT, "30CBBC08863D8C85D49DB34A9AE1"},
	{RFC3711_KEY, RFC3711_SALT, SRTP_KDF_RTP_AUTH, "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"},
	{RFC6188_KEY, RFC6188_SALT, SRTP_KDF_RTP_CIPHER,
		"5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4"},
	{RFC6188_KEY, RFC6188_SALT, SRTP_KDF_RTP_SALT, "fa31791685ca444a9e07c6c64e93"},
	{RFC6188_KEY, RFC6188_SALT, SRTP_KDF_RTP_AUTH, "fd9c32d39ed5fbb5a9dc96b30818454d1313dc05"},
};

static void begin(struct srtp_kdf *kdf, const struct vector *v)
{
	uint8_t key[32], salt[SRTP_MASTER_SALT_SIZE];
	uint32_t key_size = hex_bytes(key, v->key), salt_size = hex_bytes(salt, v->salt);

	srtp_kdf_init(engine, kdf, key, key_size, salt, salt_size);
}

static void published_keys_come_out(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		uint8_t expected[32], out[32 + 8];
		uint32_t size = hex_bytes(expected, vectors[i].derived);
		struct srtp_kdf kdf;

		begin(&kdf, &vectors[i]);
		memset(out, 0xa5, sizeof(out));
		srtp_kdf_derive(engine, &kdf, vectors[i].label, out, size);
		assert_memory_equal(out, expected, size);
		for (uint32_t at = size; at < sizeof(out); at++) {
			assert_int_equal(out[at], 0xa5);
		}
		srtp_kdf_fini(&kdf);
	}
}

static void a_short_salt_is_followed_by_zeros(void **state)
{
	uint8_t key[32] = {1, 2, 3},
		salt[SRTP_MASTER_SALT_SIZE] = {9, 8, 7, 6, 5, 4, 3, 2, 1, 2, 3, 4};
	uint8_t one[32], other[32];
	struct srtp_kdf kdf;

	(void)state;
	srtp_kdf_init(engine, &kdf, key, 32, salt, 12);
	srtp_kdf_derive(engine, &kdf, SRTP_KDF_RTP_CIPHER, one, 32);
	srtp_kdf_init(engine, &kdf, key, 32, salt, 14);
	srtp_kdf_derive(engine, &kdf, SRTP_KDF_RTP_CIPHER, other, 32);
	assert_memory_equal(one, other, 32);
	salt[11] ^= 1;
	srtp_kdf_init(engine, &kdf, key, 32, salt, 12);
	srtp_kdf_derive(engine, &kdf, SRTP_KDF_RTP_CIPHER, other, 32);
	assert_memory_not_equal(one, other, 32);
}

static void every_label_gives_another_key_and_nothing_stays_behind(void **state)
{
	static const struct srtp_kdf zeros;
	uint8_t keys[6][16];
	struct srtp_kdf kdf;

	(void)state;
	begin(&kdf, &vectors[0]);
	for (unsigned label = 0; label < 6; label++) {
		srtp_kdf_derive(engine, &kdf, (enum srtp_kdf_label)label, keys[label], 16);
		for (unsigned i = 0; i < label; i++) {
			assert_memory_not_equal(keys[i], keys[label], 16);
		}
	}
	srtp_kdf_fini(&kdf);
	assert_memory_equal(&kdf, &zeros, sizeof(kdf));
}

static int engine_create(void **state)
{
	(void)state;
	engine = crypto_engine_create(CRYPTO_ENGINE_AUTO, NULL, 0);
	return engine == NULL;
}

static int engine_destroy(void **state)
{
	(void)state;
	crypto_engine_destroy(engine);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_keys_come_out),
		cmocka_unit_test(a_short_salt_is_followed_by_zeros),
		cmocka_unit_test(every_label_gives_another_key_and_nothing_stays_behind),
	};

	return cmocka_run_group_tests_name("srtp_kdf", tests, engine_create, engine_destroy);
}
