// SPDX-License-Identifier: BSD-3-Clause
//
// The suite table and the life of an engine: names, refusals, and a self-test that notices.

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/engine.h"
#include "crypto/selftest.h"
#include "crypto/suite.h"

static void the_table_has_the_contracts_suites(void **state)
{
	static const struct {
		uint16_t rtp, rtcp;
		bool has_rtcp_key;
	} overheads[DP_SUITE_COUNT] = {
		[DP_SUITE_AES256_GCM_RTPSIZE] = {20, 20, false},
		[DP_SUITE_XCHACHA20_RTPSIZE] = {20, 20, false},
		[DP_SUITE_AES128_GCM] = {16, 20, true},
		[DP_SUITE_AES256_GCM] = {16, 20, true},
		[DP_SUITE_AES_CM_128_HMAC_SHA1_80] = {10, 14, true},
	};

#define CHECK(suffix, number, text, bytes, salt_bytes)                                            \
	{                                                                                         \
		const struct suite *suite = suite_get(number);                                    \
                                                                                                  \
		assert_non_null(suite);                                                           \
		assert_int_equal(suite->id, DP_SUITE_##suffix);                                   \
		assert_string_equal(suite->name, text);                                           \
		assert_int_equal(suite->key_size, bytes);                                         \
		assert_int_equal(suite->salt_size, salt_bytes);                                   \
		assert_int_equal(suite->overhead, overheads[number].rtp);                         \
		assert_int_equal(suite->rtcp_overhead, overheads[number].rtcp);                   \
		assert_int_equal(suite->rtcp_key_derive != NULL, overheads[number].has_rtcp_key); \
		assert_ptr_equal(suite_by_name(text), suite);                                     \
	}
	(void)state;
	DP_SUITES(CHECK)
#undef CHECK
}

static void a_key_of_another_size_is_refused_by_name(void **state)
{
	char why[200] = "";

	(void)state;
	for (unsigned id = DP_SUITE_NONE + 1; id < DP_SUITE_COUNT; id++) {
		const struct suite *suite = suite_get(id);

		for (size_t key = 0; key <= 64; key++) {
			for (size_t salt = 0; salt <= 32; salt++) {
				int expected = key == suite->key_size && salt == suite->salt_size
						       ? 0
						       : -EINVAL;

				assert_int_equal(
					suite_check_sizes(suite, key, salt, why, sizeof(why)),
					expected);
			}
		}
	}
	assert_int_equal(
		suite_check_sizes(suite_by_name("aead_aes_128_gcm"), 32, 14, why, sizeof(why)),
		-EINVAL);
	assert_string_equal(why,
		"a key of 32 and a salt of 14 bytes came for aead_aes_128_gcm, which takes 16 and"
		" 12: both ends must agree on the suite");
}

static void what_is_not_in_the_table_is_null(void **state)
{
	static const unsigned ids[] = {DP_SUITE_NONE, DP_SUITE_COUNT, 255, UINT32_MAX};
	static const char *const names[] = {"", "aead_aes256_gcm", "AEAD_AES256_GCM_RTPSIZE",
		"aead_aes256_gcm_rtpsize ", "xsalsa20_poly1305_lite"};

	(void)state;
	for (unsigned i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		assert_null(suite_get(ids[i]));
	}
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_null(suite_by_name(names[i]));
	}
}

static void a_wiped_key_is_zeros(void **state)
{
	struct crypto_engine *engine = crypto_engine_create(CRYPTO_ENGINE_AUTO, NULL, 0);
	uint8_t key[DP_KEY_SIZE_MAX];

	(void)state;
	assert_non_null(engine);
	memset(key, 0x77, sizeof(key));
	for (unsigned id = DP_SUITE_NONE + 1; id < DP_SUITE_COUNT; id++) {
		struct suite_key expanded = {0};
		static const struct suite_key zeros;

		assert_int_equal(suite_get(id)->key_expand(engine, &expanded, key, key), 0);
		assert_memory_not_equal(&expanded, &zeros, sizeof(zeros));
		suite_key_wipe(engine, &expanded);
		assert_memory_equal(&expanded, &zeros, sizeof(zeros));
	}
	crypto_engine_destroy(engine);
}

static struct crypto_engine *engine_on(IMB_ARCH arch, uint64_t flags, char *why, size_t size)
{
	return crypto_engine_create_as(
		&(struct crypto_engine_setup){.arch = arch, .flags = flags}, why, size);
}

static void an_engine_names_library_and_path(void **state)
{
	static const struct {
		IMB_ARCH arch;
		const char *name;
	} table[] = {{IMB_ARCH_SSE, " sse"}, {IMB_ARCH_AVX, " avx"}, {IMB_ARCH_AVX2, " avx2"},
		{IMB_ARCH_AVX512, " avx512"}};
	unsigned engines = 0;

	(void)state;
	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct crypto_engine *engine = engine_on(table[i].arch, 0, NULL, 0);
		const char *name;

		if (engine == NULL) {
			continue; // not on this CPU
		}
		engines++;
		name = crypto_engine_name(engine);
		assert_memory_equal(name, "ipsec-mb ", 9);
		name = strrchr(name, ' ');
		assert_memory_equal(name, table[i].name, strlen(table[i].name));
		assert_string_equal(name + strlen(table[i].name),
			crypto_engine_interleaves(engine) ? "+sealer" : "");
		assert_true(!crypto_engine_interleaves(engine) || table[i].arch == IMB_ARCH_AVX512);
		assert_null(crypto_engine_warning(engine));
		for (unsigned id = DP_SUITE_NONE + 1; id < DP_SUITE_COUNT; id++) {
			assert_null(crypto_engine_refusal(engine, (enum dp_suite)id));
		}
		crypto_engine_destroy(engine);
	}
	assert_true(engines >= 1);
	crypto_engine_destroy(NULL);
}

// Refused by name at the key, before anything could be sealed with it.
static void assert_refused(struct crypto_engine *engine, enum dp_suite id, const char *cure)
{
	const struct suite *suite = suite_get(id);
	const char *why = crypto_engine_refusal(engine, id);
	uint8_t key[DP_KEY_SIZE_MAX] = {1}, salt[DP_SALT_SIZE_MAX] = {2};
	static const struct suite_key zeros;
	struct suite_key expanded = {0};

	assert_non_null(why);
	assert_non_null(strstr(why, suite->name));
	assert_non_null(strstr(why, cure));
	assert_int_equal(suite->key_expand(engine, &expanded, key, salt), -ENOTSUP);
	assert_memory_equal(&expanded, &zeros, sizeof(zeros));
	if (suite->rtcp_key_derive != NULL) {
		struct suite_rtcp_key rtcp;

		assert_int_equal(suite->rtcp_key_derive(engine, &rtcp, key, salt), -ENOTSUP);
	}
}

static void no_aes_instructions_is_no_engine(void **state)
{
	char why[256] = "";

	(void)state;
	assert_null(engine_on(IMB_ARCH_NONE, IMB_FLAG_AESNI_OFF, why, sizeof(why)));
	assert_non_null(strstr(why, "lacks the AES instructions"));
}

static void libsrtp2_refuses_rtpsize_by_name(void **state)
{
	char why[256] = "";
	struct crypto_engine *engine =
		crypto_engine_create(CRYPTO_ENGINE_LIBSRTP2, why, sizeof(why));

	(void)state;
	assert_string_equal(why, "");
	assert_non_null(engine);
	assert_memory_equal(crypto_engine_name(engine), "libsrtp2 2.", 11);
	for (unsigned id = DP_SUITE_NONE + 1; id < DP_SUITE_COUNT; id++) {
		if (id > DP_SUITE_RTPSIZE_LAST) {
			assert_null(crypto_engine_refusal(engine, (enum dp_suite)id));
		} else {
			assert_refused(engine, (enum dp_suite)id, "set crypto_engine to");
		}
	}
	crypto_engine_destroy(engine);
}

// An encryption that is wrong in one bit.
static aes_gcm_enc_dec_t right_gcm;

static void wrong_gcm(const struct gcm_key_data *key, struct gcm_context_data *ctx, uint8_t *out,
	uint8_t const *in, uint64_t size, const uint8_t *iv, uint8_t const *aad, uint64_t aad_size,
	uint8_t *tag, uint64_t tag_size)
{
	right_gcm(key, ctx, out, in, size, iv, aad, aad_size, tag, tag_size);
	tag[tag_size - 1] ^= 0x80;
}

static void wrong_hchacha20(uint8_t (*out)[HCHACHA20_KEY_SIZE], const uint8_t *const keys[],
	const uint32_t *words, unsigned count)
{
	hchacha20_many(HCHACHA20_SCALAR)(out, keys, words, count);
	out[count - 1][0] ^= 1;
}

static submit_hash_burst_t right_hash;

static uint32_t wrong_hash(
	IMB_MGR *mgr, IMB_JOB *jobs, const uint32_t count, const IMB_HASH_ALG algorithm)
{
	uint32_t done = right_hash(mgr, jobs, count, algorithm);

	jobs[count - 1].auth_tag_output[9] ^= 1;
	return done;
}

static submit_cipher_burst_t right_counter;

static uint32_t wrong_counter(IMB_MGR *mgr, IMB_JOB *jobs, const uint32_t count,
	const IMB_CIPHER_MODE cipher, const IMB_CIPHER_DIRECTION direction,
	const IMB_KEY_SIZE_BYTES key_size)
{
	uint32_t done = right_counter(mgr, jobs, count, cipher, direction, key_size);

	jobs[0].dst[0] ^= 0x10;
	return done;
}

#define TAMPER_GCM(name)                                        \
	static void tamper_##name(struct crypto_engine *engine) \
	{                                                       \
		right_gcm = engine->mgr->name;                  \
		engine->mgr->name = wrong_gcm;                  \
	}
TAMPER_GCM(gcm128_enc)
TAMPER_GCM(gcm128_dec)
TAMPER_GCM(gcm256_enc)
TAMPER_GCM(gcm256_dec)

static void tamper_hash(struct crypto_engine *engine)
{
	right_hash = engine->mgr->submit_hash_burst_nocheck;
	engine->mgr->submit_hash_burst_nocheck = wrong_hash;
}

static void tamper_narrow_hash(struct crypto_engine *engine)
{
	IMB_MGR *mgr = engine->mgr_sha != NULL ? engine->mgr_sha : engine->mgr;

	right_hash = mgr->submit_hash_burst_nocheck;
	mgr->submit_hash_burst_nocheck = wrong_hash;
}

static void tamper_counter(struct crypto_engine *engine)
{
	right_counter = engine->mgr->submit_cipher_burst_nocheck;
	engine->mgr->submit_cipher_burst_nocheck = wrong_counter;
}

static void tamper_hchacha20(struct crypto_engine *engine)
{
	engine->hchacha20_many = wrong_hchacha20;
}

static void the_self_test_names_what_computes_wrongly(void **state)
{
	static const struct {
		void (*tamper)(struct crypto_engine *engine);
		const char *suite; // the first that it breaks
	} table[] = {
		{tamper_gcm128_enc, "aead_aes_128_gcm"},
		{tamper_gcm128_dec, "aead_aes_128_gcm"},
		{tamper_gcm256_enc, "aead_aes256_gcm_rtpsize"},
		{tamper_gcm256_dec, "aead_aes256_gcm_rtpsize"},
		{tamper_hash, "aes_cm_128_hmac_sha1_80"},
		{tamper_narrow_hash, "aes_cm_128_hmac_sha1_80"},
		{tamper_counter, "aead_aes_128_gcm"}, // whose keys it derives
		{tamper_hchacha20, "aead_xchacha20_poly1305_rtpsize"},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct crypto_engine_setup setup = {.tamper = table[i].tamper};
		char why[256] = "", expected[100];

		assert_null(crypto_engine_create_as(&setup, why, sizeof(why)));
		snprintf(expected, sizeof(expected), "the self-test of %s failed on ipsec-mb",
			table[i].suite);
		assert_memory_equal(why, expected, strlen(expected));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_has_the_contracts_suites),
		cmocka_unit_test(what_is_not_in_the_table_is_null),
		cmocka_unit_test(a_key_of_another_size_is_refused_by_name),
		cmocka_unit_test(a_wiped_key_is_zeros),
		cmocka_unit_test(an_engine_names_library_and_path),
		cmocka_unit_test(no_aes_instructions_is_no_engine),
		cmocka_unit_test(libsrtp2_refuses_rtpsize_by_name),
		cmocka_unit_test(the_self_test_names_what_computes_wrongly),
	};

	return cmocka_run_group_tests_name("suite", tests, NULL, NULL);
}
