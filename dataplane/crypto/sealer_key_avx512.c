// SPDX-License-Identifier: BSD-3-Clause
//
// A key's record of the sealer: nine powers of H, then the round keys, the first with the salt in
// it, so that a nonce needs no salt. Compiled with the flags of sealer_avx512.c.
#include <immintrin.h>
#include <string.h>

#include "crypto/sealer_kernel.h"
#include "crypto/sealer_vec.h"

// Word n of the result is the sum of words 0 to n.
ALWAYS_INLINE __m128i running_sum(__m128i words)
{
	words = _mm_xor_si128(words, _mm_slli_si128(words, 4));
	return _mm_xor_si128(words, _mm_slli_si128(words, 8));
}

// FIPS 197 section 5.2, four words at a time: from the four a key's length before, and from the
// last word, rotated and with the round constant where a key's length begins, else only
// substituted.
ALWAYS_INLINE void round_keys_expand(__m128i *rk, unsigned key_words, unsigned rounds)
{
	const unsigned step = key_words / 4;
	int constant = 1;

	for (unsigned i = step; i <= rounds; i++) {
		__m128i word = _mm_aeskeygenassist_si128(rk[i - 1], 0);

		if (i % step == 0) {
			word = _mm_xor_si128(
				_mm_shuffle_epi32(word, 0xff), _mm_set1_epi32(constant));
			constant = constant << 1 ^ (constant >> 7) * 0x11b;
		} else {
			word = _mm_shuffle_epi32(word, 0xaa);
		}
		rk[i] = _mm_xor_si128(running_sum(rk[i - step]), word);
	}
}

// Times x, bits reflected: products with what was multiplied by it need no shift.
ALWAYS_INLINE __m128i times_x(__m128i h)
{
	__m128i carries = _mm_srai_epi32(_mm_shuffle_epi32(h, 0xd3), 31);

	return _mm_xor_si128(_mm_add_epi64(h, h),
		_mm_and_si128(carries, _mm_set_epi64x((long long)0xc200000000000001, 1)));
}

void sealer_avx512_key_expand(
	struct suite_key *out, const uint8_t *key, unsigned key_size, const uint8_t salt[12])
{
	const unsigned rounds = key_size == 16 ? ROUNDS_128 : ROUNDS_256;
	__m128i *powers = (__m128i *)(void *)out->bytes, *rk = powers + POWERS, h;
	vec hash_key, product;

	memset(out->bytes, 0, SUITE_SEALER_SIZE);
	memcpy(rk, key, key_size);
	round_keys_expand(rk, key_size / 4, rounds);
	h = rk[0];
	for (unsigned round = 1; round < rounds; round++) {
		h = _mm_aesenc_si128(h, rk[round]);
	}
	h = _mm_aesenclast_si128(h, rk[rounds]);
	hash_key = bytes_reverse(_mm512_zextsi128_si512(h));
	hash_key = product = _mm512_zextsi128_si512(times_x(_mm512_castsi512_si128(hash_key)));
	for (unsigned n = 1; n <= POWERS; n++) {
		powers[POWERS - n] = _mm512_castsi512_si128(product);
		product = reduce(multiply(product, hash_key));
	}
	rk[0] = _mm_xor_si128(rk[0], _mm_maskz_loadu_epi8(0x0fff, salt));
	stack_wipe();
	registers_wipe();
}
