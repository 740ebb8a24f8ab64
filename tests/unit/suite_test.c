// SPDX-License-Identifier: BSD-3-Clause
//
// The suite table and the life of an engine: names, refusals, and a self-test that notices.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/engine.h"
#include "crypto/selftest.h"
#include "crypto/suite.h"

static void the_table_has_the_contracts_suites(void **state)
{
#define CHECK(suffix, number, text, bytes, salt_bytes)                  \
	{                                                               \
		const struct suite *suite = suite_get(number);          \
                                                                        \
		assert_non_null(suite);                                 \
		assert_int_equal(suite->id, DP_SUITE_##suffix);         \
		assert_string_equal(suite->name, text);                 \
		assert_int_equal(suite->key_size, bytes);               \
		assert_int_equal(suite->salt_size, salt_bytes);         \
		assert_int_equal(suite->overhead, DP_RTPSIZE_OVERHEAD); \
		assert_ptr_equal(suite_by_name(text), suite);           \
	}
	(void)state;
	DP_SUITES_RTPSIZE(CHECK)
#undef CHECK
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
	struct crypto_engine *engine = crypto_engine_create();
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
		struct crypto_engine *engine = crypto_engine_create_on(table[i].arch, 0);
		const char *name;

		if (engine == NULL) {
			continue; // not on this CPU
		}
		engines++;
		name = crypto_engine_name(engine);
		assert_memory_equal(name, "ipsec-mb ", 9);
		assert_string_equal(strrchr(name, ' '), table[i].name);
		crypto_engine_destroy(engine);
	}
	assert_true(engines >= 1);
}

static void no_aes_instructions_is_no_engine(void **state)
{
	(void)state;
	assert_null(crypto_engine_create_on(IMB_ARCH_NONE, IMB_FLAG_AESNI_OFF));
	crypto_engine_destroy(NULL);
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

static void the_self_test_notices_a_wrong_cipher(void **state)
{
	struct crypto_engine *engine = crypto_engine_create();

	(void)state;
	assert_non_null(engine);
	assert_true(selftest_passes(engine));

	right_gcm = engine->mgr->gcm256_enc;
	engine->mgr->gcm256_enc = wrong_gcm;
	assert_false(selftest_passes(engine));
	engine->mgr->gcm256_enc = right_gcm;

	right_gcm = engine->mgr->gcm256_dec;
	engine->mgr->gcm256_dec = wrong_gcm;
	assert_false(selftest_passes(engine));
	engine->mgr->gcm256_dec = right_gcm;

	engine->hchacha20_many = wrong_hchacha20;
	assert_false(selftest_passes(engine));
	crypto_engine_destroy(engine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_has_the_contracts_suites),
		cmocka_unit_test(what_is_not_in_the_table_is_null),
		cmocka_unit_test(a_wiped_key_is_zeros),
		cmocka_unit_test(an_engine_names_library_and_path),
		cmocka_unit_test(no_aes_instructions_is_no_engine),
		cmocka_unit_test(the_self_test_notices_a_wrong_cipher),
	};

	return cmocka_run_group_tests_name("suite", tests, NULL, NULL);
}
