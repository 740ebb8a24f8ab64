// SPDX-License-Identifier: BSD-3-Clause
//
// HChaCha20: the draft's vector, libsodium as oracle, and every vector path against the scalar one.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "crypto/hchacha20.h"
#include "support/packet.h"

#define RANDOM_KEYS 100000u
#define GUARD 64

static void gives_the_vector_of_the_draft(void **state)
{
	// draft-irtf-cfrg-xchacha-03 section 2.2.1
	static const uint8_t input[HCHACHA20_INPUT_SIZE] = {0x00, 0x00, 0x00, 0x09, 0x00, 0x00,
		0x00, 0x4a, 0x00, 0x00, 0x00, 0x00, 0x31, 0x41, 0x59, 0x27};
	static const uint8_t expected[HCHACHA20_KEY_SIZE] = {0x82, 0x41, 0x3b, 0x42, 0x27, 0xb2,
		0x7b, 0xfe, 0xd3, 0x0e, 0x42, 0x50, 0x8a, 0x87, 0x7d, 0x73, 0xa0, 0xf9, 0xe4, 0xd5,
		0x8a, 0x74, 0xa8, 0x53, 0xc1, 0x2e, 0xc4, 0x13, 0x26, 0xd3, 0xec, 0xdc};
	uint8_t key[HCHACHA20_KEY_SIZE], out[HCHACHA20_KEY_SIZE];

	(void)state;
	for (unsigned i = 0; i < sizeof(key); i++) {
		key[i] = (uint8_t)i;
	}
	hchacha20(out, key, input);
	assert_memory_equal(out, expected, sizeof(out));
}

static void agrees_with_libsodium(void **state)
{
	struct packet_random random = {.state = 20};
	uint8_t key[HCHACHA20_KEY_SIZE], input[HCHACHA20_INPUT_SIZE];
	uint8_t out[HCHACHA20_KEY_SIZE], expected[HCHACHA20_KEY_SIZE];

	(void)state;
	for (unsigned i = 0; i < RANDOM_KEYS; i++) {
		packet_random_fill(&random, key, sizeof(key));
		packet_random_fill(&random, input, sizeof(input));
		hchacha20(out, key, input);
		crypto_core_hchacha20(expected, input, key, NULL);
		assert_memory_equal(out, expected, sizeof(out));
	}
}

static void check_many(hchacha20_many_fn *many, struct packet_random *random, unsigned count)
{
	uint8_t key_bytes[HCHACHA20_LANES][HCHACHA20_KEY_SIZE];
	uint8_t room[HCHACHA20_LANES * HCHACHA20_KEY_SIZE + GUARD];
	uint8_t(*out)[HCHACHA20_KEY_SIZE] = (void *)room;
	const uint8_t *keys[HCHACHA20_LANES];
	uint32_t words[HCHACHA20_LANES];

	packet_random_fill(random, &key_bytes[0][0], sizeof(key_bytes));
	memset(room, 0xa5, sizeof(room));
	for (unsigned i = 0; i < HCHACHA20_LANES; i++) {
		keys[i] = key_bytes[packet_random_below(random, HCHACHA20_LANES)];
		words[i] = (uint32_t)packet_random_next(random);
	}
	many(out, keys, words, count);
	for (unsigned i = 0; i < count; i++) {
		uint8_t input[HCHACHA20_INPUT_SIZE] = {0}, expected[HCHACHA20_KEY_SIZE];

		memcpy(input, &words[i], sizeof(words[i]));
		crypto_core_hchacha20(expected, input, keys[i], NULL);
		assert_memory_equal(out[i], expected, sizeof(expected));
	}
	for (unsigned i = count * HCHACHA20_KEY_SIZE; i < sizeof(room); i++) {
		assert_int_equal(room[i], 0xa5);
	}
}

static void every_path_gives_the_same_for_every_count(void **state)
{
	struct packet_random random = {.state = 16};
	unsigned paths = 0;

	(void)state;
	for (enum hchacha20_path path = HCHACHA20_SCALAR; path <= HCHACHA20_AVX512; path++) {
		hchacha20_many_fn *many = hchacha20_many(path);

		if (many == NULL) {
			continue;
		}
		paths++;
		for (unsigned round = 0; round < 500; round++) {
			for (unsigned count = 0; count <= HCHACHA20_LANES; count++) {
				check_many(many, &random, count);
			}
		}
	}
	assert_true(paths >= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_the_vector_of_the_draft),
		cmocka_unit_test(agrees_with_libsodium),
		cmocka_unit_test(every_path_gives_the_same_for_every_count),
	};

	if (sodium_init() < 0) {
		return 1;
	}
	return cmocka_run_group_tests_name("hchacha20", tests, NULL, NULL);
}
