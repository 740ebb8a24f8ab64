// SPDX-License-Identifier: BSD-3-Clause
//
// Arithmetic of the sealer's two AVX-512 units: products in the field of GHASH, where blocks stand
// in a key's record, and how secrets leave registers and stack. Empty for other units.
#pragma once

#ifdef __AVX512F__
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#include "crypto/suite.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define NEVER_INLINE static __attribute__((noinline))
#define UNROLL _Pragma("GCC unroll 16")
#define BLOCK_SIZE 16
#define VECTOR_SIZE 64
#define POWERS 9 // H^9 .. H^1
#define ROUND_KEYS_AT (POWERS * BLOCK_SIZE)
#define ROUNDS_128 10
#define ROUNDS_256 14
#define XOR3 0x96 // of vpternlog: a ^ b ^ c

static_assert(ROUND_KEYS_AT + (ROUNDS_256 + 1) * BLOCK_SIZE == SUITE_SEALER_SIZE, "fills it");

typedef __m512i vec;

// A product before its reduction: 256 bits in three overlapping parts, in each of four lanes.
struct product {
	vec lo, mi, hi;
};

ALWAYS_INLINE vec xor3(vec a, vec b, vec c)
{
	return _mm512_ternarylogic_epi64(a, b, c, XOR3);
}

ALWAYS_INLINE __m128i block_load(const uint8_t *block)
{
	return _mm_loadu_si128((const __m128i *)(const void *)block);
}

ALWAYS_INLINE vec broadcast(const uint8_t *block)
{
	return _mm512_broadcast_i32x4(block_load(block));
}

ALWAYS_INLINE vec bytes_reverse(vec v)
{
	return _mm512_shuffle_epi8(v, _mm512_broadcast_i32x4(_mm_setr_epi8(15, 14, 13, 12, 11, 10,
					      9, 8, 7, 6, 5, 4, 3, 2, 1, 0)));
}

ALWAYS_INLINE const uint8_t *power(const struct suite_key *key, unsigned exponent)
{
	return key->bytes + (POWERS - exponent) * BLOCK_SIZE;
}

ALWAYS_INLINE const uint8_t *round_key(const struct suite_key *key, unsigned round)
{
	return key->bytes + ROUND_KEYS_AT + round * BLOCK_SIZE;
}

ALWAYS_INLINE struct product multiply(vec a, vec b)
{
	return (struct product){
		.lo = _mm512_clmulepi64_epi128(a, b, 0x00),
		.mi = _mm512_xor_si512(
			_mm512_clmulepi64_epi128(a, b, 0x01), _mm512_clmulepi64_epi128(a, b, 0x10)),
		.hi = _mm512_clmulepi64_epi128(a, b, 0x11),
	};
}

ALWAYS_INLINE struct product multiply_add(struct product p, vec a, vec b)
{
	return (struct product){
		.lo = _mm512_xor_si512(p.lo, _mm512_clmulepi64_epi128(a, b, 0x00)),
		.mi = xor3(p.mi, _mm512_clmulepi64_epi128(a, b, 0x01),
			_mm512_clmulepi64_epi128(a, b, 0x10)),
		.hi = _mm512_xor_si512(p.hi, _mm512_clmulepi64_epi128(a, b, 0x11)),
	};
}

// Modulo x^128 + x^127 + x^126 + x^121 + 1, bits reflected.
ALWAYS_INLINE vec reduce(struct product p)
{
	const vec poly = _mm512_set1_epi64((long long)0xc200000000000000);
	vec mi = xor3(p.mi, _mm512_clmulepi64_epi128(p.lo, poly, 0x00),
		_mm512_shuffle_epi32(p.lo, _MM_PERM_BADC));

	return xor3(p.hi, _mm512_clmulepi64_epi128(mi, poly, 0x00),
		_mm512_shuffle_epi32(mi, _MM_PERM_BADC));
}

// What the compiler puts aside on the stack may be secret. More than all frames of a call by gcc
// (400 bytes) and clang (1,200) with optimization; without, and in sanitizers, frames are larger.
#define STACK_SIZE 1536

NEVER_INLINE void stack_wipe(void)
{
	uint8_t frame[STACK_SIZE];

	explicit_bzero(frame, sizeof(frame));
}

#define CLEAR(n) "vpxord %%zmm" #n ", %%zmm" #n ", %%zmm" #n "\n\t"

ALWAYS_INLINE void registers_wipe(void)
{
	__asm__ volatile("vzeroall\n\t" CLEAR(16) CLEAR(17) CLEAR(18) CLEAR(19) CLEAR(20) CLEAR(21)
				 CLEAR(22) CLEAR(23) CLEAR(24) CLEAR(25) CLEAR(26) CLEAR(27)
					 CLEAR(28) CLEAR(29) CLEAR(30) CLEAR(31)::
						 : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5",
			 "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
			 "xmm14", "xmm15", "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21",
			 "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", "xmm29",
			 "xmm30", "xmm31");
}
#endif
