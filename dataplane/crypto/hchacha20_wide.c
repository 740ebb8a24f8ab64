// SPDX-License-Identifier: BSD-3-Clause
//
// The form for many messages at once: lane n of sixteen vectors is the state of message n, so that
// a round is the scalar round on vectors. One source, compiled for two vector sets; the compiler
// splits the vectors where the registers are narrower.
#include <stdalign.h>
#include <stddef.h>
#include <string.h>

#include "crypto/hchacha20.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))

typedef uint32_t lanes __attribute__((vector_size(4 * HCHACHA20_LANES)));

// Words of all messages, a row for each word of the state that differs between them.
struct columns {
	alignas(64) uint32_t key[8][HCHACHA20_LANES];
	alignas(64) uint32_t input[HCHACHA20_LANES];
};

#define ROTATE(v, bits) ((v) << (bits) | (v) >> (32 - (bits)))

ALWAYS_INLINE void quarter_round(lanes *a, lanes *b, lanes *c, lanes *d)
{
	*a += *b;
	*d = ROTATE(*d ^ *a, 16);
	*c += *d;
	*b = ROTATE(*b ^ *c, 12);
	*a += *b;
	*d = ROTATE(*d ^ *a, 8);
	*c += *d;
	*b = ROTATE(*b ^ *c, 7);
}

ALWAYS_INLINE void rounds(struct columns *s)
{
	lanes x[16] = {0};

	x[0] += 0x61707865u; // "expand 32-byte k"
	x[1] += 0x3320646eu;
	x[2] += 0x79622d32u;
	x[3] += 0x6b206574u;
	memcpy(&x[4], s->key, sizeof(s->key));
	memcpy(&x[12], s->input, sizeof(s->input));
	for (unsigned round = 0; round < 20; round += 2) {
		quarter_round(&x[0], &x[4], &x[8], &x[12]);
		quarter_round(&x[1], &x[5], &x[9], &x[13]);
		quarter_round(&x[2], &x[6], &x[10], &x[14]);
		quarter_round(&x[3], &x[7], &x[11], &x[15]);
		quarter_round(&x[0], &x[5], &x[10], &x[15]);
		quarter_round(&x[1], &x[6], &x[11], &x[12]);
		quarter_round(&x[2], &x[7], &x[8], &x[13]);
		quarter_round(&x[3], &x[4], &x[9], &x[14]);
	}
	memcpy(s->key[0], &x[0], sizeof(s->key) / 2);
	memcpy(s->key[4], &x[12], sizeof(s->key) / 2);
}

// Lanes beyond 'count' compute something that nobody reads.
ALWAYS_INLINE void wide(uint8_t (*out)[HCHACHA20_KEY_SIZE], const uint8_t *const keys[],
	const uint32_t *words, unsigned count)
{
	struct columns s = {0};
	uint32_t row[8];

	for (unsigned lane = 0; lane < count; lane++) {
		memcpy(row, keys[lane], sizeof(row));
		for (unsigned word = 0; word < 8; word++) {
			s.key[word][lane] = row[word];
		}
		s.input[lane] = words[lane];
	}
	rounds(&s);
	for (unsigned lane = 0; lane < count; lane++) {
		for (unsigned word = 0; word < 8; word++) {
			row[word] = s.key[word][lane];
		}
		memcpy(out[lane], row, sizeof(row));
	}
	explicit_bzero(&s, sizeof(s));
	explicit_bzero(row, sizeof(row));
}

__attribute__((target("avx2"))) static void wide_avx2(uint8_t (*out)[HCHACHA20_KEY_SIZE],
	const uint8_t *const keys[], const uint32_t *words, unsigned count)
{
	wide(out, keys, words, count);
}

__attribute__((target("avx512f"))) static void wide_avx512(uint8_t (*out)[HCHACHA20_KEY_SIZE],
	const uint8_t *const keys[], const uint32_t *words, unsigned count)
{
	wide(out, keys, words, count);
}

static void one_by_one(uint8_t (*out)[HCHACHA20_KEY_SIZE], const uint8_t *const keys[],
	const uint32_t *words, unsigned count)
{
	for (unsigned lane = 0; lane < count; lane++) {
		uint8_t input[HCHACHA20_INPUT_SIZE] = {0};

		memcpy(input, &words[lane], sizeof(words[lane]));
		hchacha20(out[lane], keys[lane], input);
	}
}

hchacha20_many_fn *hchacha20_many(enum hchacha20_path path)
{
	switch (path) {
	case HCHACHA20_SCALAR:
		return one_by_one;
	case HCHACHA20_AVX2:
		return __builtin_cpu_supports("avx2") ? wide_avx2 : NULL;
	case HCHACHA20_AVX512:
		return __builtin_cpu_supports("avx512f") ? wide_avx512 : NULL;
	}
	return NULL;
}
