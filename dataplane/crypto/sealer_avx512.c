// SPDX-License-Identifier: BSD-3-Clause
//
// AES-GCM for four receivers side by side (sealer.md). Compiled with flags of its own.
//
// A vector is four blocks of one receiver. A chunk is two vectors; the last chunk of a packet is
// one or two, and has one lane more than the plaintext needs, with two duties: its keystream is the
// tag's mask, and the hash finds the block of the lengths there. Four receivers side by side keep
// the AES units busy, and between their rounds stands the hash of the chunk before, which wants
// other units: AES and carry-less products cost less together than one after the other. The sums of
// the four receivers' hashes are brought into one vector, a lane for each, so that header, hash of
// the chunks before and reduction cost one multiplication for the four of them.
//
// Constant time: branches and addresses depend on sizes and pointers, never on keys, nonces or
// texts, and there are no tables.
#include <immintrin.h>
#include <stddef.h>
#include <string.h>

#include "crypto/sealer_kernel.h"
#include "crypto/sealer_vec.h"

#define LANES 4
#define CHUNK_BLOCKS 8
#define CHUNK_SIZE 128
#define PREFETCH_GROUPS 2 // ahead; twice that overruns the fill buffers

// Both sizes of a job at once.
ALWAYS_INLINE uint32_t job_sizes(const struct seal_job *job)
{
	return job->src_size | (uint32_t)job->aad_size << 16;
}

// Lanes of the result: two of a0 + a2, a1 + a3, two of b0 + b2, b1 + b3.
ALWAYS_INLINE vec half_sums(vec a, vec b)
{
	return _mm512_xor_si512(
		_mm512_mask_blend_epi64(0xf0, a, b), _mm512_shuffle_i64x2(a, b, 0x4e));
}

// 'a' from receivers 0 and 2, 'b' from 1 and 3: lane n of the result is the sum of receiver n.
ALWAYS_INLINE vec full_sums(vec a, vec b)
{
	vec c = _mm512_mask_blend_epi64(0x33, a, b);

	return _mm512_xor_si512(
		_mm512_mask_blend_epi64(0xcc, a, b), _mm512_shuffle_i64x2(c, c, 0xb1));
}

#define EACH_PART(function, a, b)                         \
	((struct product){.lo = function((a).lo, (b).lo), \
		.mi = function((a).mi, (b).mi),           \
		.hi = function((a).hi, (b).hi)})

// A block of each receiver, a lane for each.
ALWAYS_INLINE vec gather(const uint8_t *const block[SEALER_GROUP])
{
	vec v = broadcast(block[0]);

	v = _mm512_mask_broadcast_i32x4(v, 0x00f0, block_load(block[1]));
	v = _mm512_mask_broadcast_i32x4(v, 0x0f00, block_load(block[2]));
	return _mm512_mask_broadcast_i32x4(v, 0xf000, block_load(block[3]));
}

// A block of each receiver's AAD. A mask keeps the loads inside of it.
ALWAYS_INLINE vec aad_blocks(const struct seal_job *const jobs[SEALER_GROUP], unsigned block,
	const uint16_t masks[SEALER_GROUP])
{
	__m128i b[SEALER_GROUP];
	vec v;

	UNROLL
	for (unsigned g = 0; g < SEALER_GROUP; g++) {
		b[g] = _mm_maskz_loadu_epi8(masks[g], jobs[g]->aad + block * BLOCK_SIZE);
	}
	v = _mm512_inserti32x4(_mm512_castsi128_si512(b[0]), b[1], 1);
	v = _mm512_inserti32x4(v, b[2], 2);
	v = _mm512_inserti32x4(v, b[3], 3);
	return bytes_reverse(v);
}

// The hash of the AAD without its last multiplication by H.
NEVER_INLINE vec aad_hash_long(const struct seal_job *const jobs[SEALER_GROUP], unsigned count,
	const uint16_t masks[SEALER_GROUP])
{
	static const uint16_t all[SEALER_GROUP] = {0xffff, 0xffff, 0xffff, 0xffff};
	const uint8_t *powers[SEALER_GROUP];
	struct product p = {0};

	for (unsigned i = 0; i < count - 1; i++) {
		for (unsigned g = 0; g < SEALER_GROUP; g++) {
			powers[g] = power(jobs[g]->key, count - 1 - i);
		}
		p = multiply_add(p, aad_blocks(jobs, i, all), gather(powers));
	}
	return _mm512_xor_si512(reduce(p), aad_blocks(jobs, count - 1, masks));
}

// Counters of the vector that begins with block 'first' of the plaintext: big-endian, of which only
// the last byte is ever used.
ALWAYS_INLINE vec counters(unsigned first)
{
	vec lanes = _mm512_setr_epi32(
		0, 0, 0, 2 << 24, 0, 0, 0, 3 << 24, 0, 0, 0, 4 << 24, 0, 0, 0, 5 << 24);

	return _mm512_add_epi32(lanes, _mm512_maskz_set1_epi32(0x8888, (int)(first << 24)));
}

// The counter blocks, and with them the first round.
ALWAYS_INLINE void states_init(
	vec s[SEALER_GROUP][2], const struct sealer_pending *next, unsigned vectors)
{
	unsigned first = next->index * CHUNK_BLOCKS;
	vec tag = _mm512_maskz_set1_epi32(0x8888, 1 << 24);
	vec c0 = counters(first), last = counters(first + (vectors - 1) * LANES);

	UNROLL
	for (unsigned g = 0; g < SEALER_GROUP; g++) {
		const struct seal_job *job = next->job[g];
		vec nonce = _mm512_xor_si512(broadcast(job->iv), broadcast(round_key(job->key, 0)));

		s[g][0] = _mm512_xor_si512(nonce, c0);
		s[g][vectors - 1] = _mm512_xor_si512(
			nonce, _mm512_mask_mov_epi64(last, next->piece[g]->lane_mask, tag));
	}
}

ALWAYS_INLINE void states_round(vec s[SEALER_GROUP][2],
	const struct suite_key *const key[SEALER_GROUP], unsigned vectors, unsigned round,
	bool last)
{
	UNROLL
	for (unsigned g = 0; g < SEALER_GROUP; g++) {
		vec k = broadcast(round_key(key[g], round));

		UNROLL
		for (unsigned z = 0; z < vectors; z++) {
			s[g][z] = last ? _mm512_aesenclast_epi128(s[g][z], k)
				       : _mm512_aesenc_epi128(s[g][z], k);
		}
	}
}

ALWAYS_INLINE void states_store(
	struct sealer_pending *next, vec s[SEALER_GROUP][2], unsigned vectors)
{
	UNROLL
	for (unsigned g = 0; g < SEALER_GROUP; g++) {
		UNROLL
		for (unsigned z = 0; z < vectors; z++) {
			_mm512_store_si512(next->stream[g][z], s[g][z]);
		}
	}
}

// A hash in work.
struct sums {
	struct product one, first, pairs;
	vec tag_masks; // E(J0) of the four
};

// Brings lane n of a vector into all four.
#define LANE_EVERYWHERE(n)                                                                 \
	{                                                                                  \
		2 * (n), 2 * (n) + 1, 2 * (n), 2 * (n) + 1, 2 * (n), 2 * (n) + 1, 2 * (n), \
			2 * (n) + 1                                                        \
	}
static alignas(VECTOR_SIZE) const uint64_t lane_everywhere[LANES][8] = {
	LANE_EVERYWHERE(0), LANE_EVERYWHERE(1), LANE_EVERYWHERE(2), LANE_EVERYWHERE(3)};

// From a vector of keystream to ciphertext, stored and multiplied by its powers of H.
ALWAYS_INLINE void hash_vector(
	struct sums *s, const struct sealer_pending *p, unsigned vectors, unsigned g, unsigned z)
{
	const struct seal_job *job = p->job[g];
	const struct sealer_piece *piece = p->piece[g];
	const size_t at = p->index * (size_t)CHUNK_SIZE + z * VECTOR_SIZE;
	const bool last = z + 1 == vectors;
	__mmask64 mask = last ? piece->mask : piece->mask_before;
	vec stream = _mm512_load_si512(p->stream[g][z]);
	vec powers = _mm512_loadu_si512(job->key->bytes + piece->powers_at + z * VECTOR_SIZE);
	vec plain = _mm512_maskz_loadu_epi8(mask, job->src + at);
	vec text = _mm512_maskz_mov_epi8(mask, stream);

	if (last) {
		// Stands behind 'mask': hashed, not stored.
		vec lengths = _mm512_maskz_broadcast_i64x2(piece->lane_mask,
			_mm_load_si128((const __m128i *)(const void *)piece->lengths));

		text = xor3(text, plain, lengths);
		s->tag_masks = _mm512_mask_permutexvar_epi64(s->tag_masks, (__mmask8)(3u << 2 * g),
			_mm512_load_si512(lane_everywhere[piece->lane]), stream);
	} else {
		text = _mm512_xor_si512(text, plain);
	}
	_mm512_mask_storeu_epi8(job->dst + at, mask, text);
	text = bytes_reverse(text);
	s->one = z == 0 ? multiply(text, powers) : multiply_add(s->one, text, powers);
}

// What the hash so far is multiplied by.
ALWAYS_INLINE vec before_powers(const struct sealer_pending *p)
{
	// The AAD's hash still lacks one multiplication by H.
	const ptrdiff_t back = p->index == 0 ? BLOCK_SIZE : 0;
	const uint8_t *powers[SEALER_GROUP];

	UNROLL
	for (unsigned g = 0; g < SEALER_GROUP; g++) {
		powers[g] = p->job[g]->key->bytes + p->piece[g]->powers_at - back;
	}
	return gather(powers);
}

// Number 'step' of the steps of a hash: 4 * vectors steps of a vector each, which take the
// receivers in the order in which the sums want them, one for what comes before, one for the
// reduction.
ALWAYS_INLINE void hash_step(
	struct sums *s, const struct sealer_pending *p, unsigned vectors, unsigned step)
{
	static const unsigned order[SEALER_GROUP] = {0, 2, 1, 3};
	const unsigned turn = step / vectors, z = step % vectors;

	if (turn < SEALER_GROUP) {
		hash_vector(s, p, vectors, order[turn], z);
		if (z + 1 < vectors) {
			return;
		}
		if (turn == 0 || turn == 2) {
			s->first = s->one;
		} else if (turn == 1) {
			s->pairs = EACH_PART(half_sums, s->first, s->one);
		} else {
			s->one = EACH_PART(half_sums, s->first, s->one);
			s->one = EACH_PART(full_sums, s->pairs, s->one);
		}
	} else if (step == SEALER_GROUP * vectors) {
		s->one = multiply_add(s->one, _mm512_load_si512(p->before), before_powers(p));
	} else if (step == SEALER_GROUP * vectors + 1) {
		s->one.lo = reduce(s->one);
	}
}

ALWAYS_INLINE void tags_store(const struct sealer_pending *p, vec tags, unsigned suffix_size)
{
	const __m128i tag[SEALER_GROUP] = {_mm512_castsi512_si128(tags),
		_mm512_extracti32x4_epi32(tags, 1), _mm512_extracti32x4_epi32(tags, 2),
		_mm512_extracti32x4_epi32(tags, 3)};

	UNROLL
	for (unsigned g = 0; g < SEALER_GROUP; g++) {
		const struct seal_job *job = p->job[g];
		uint8_t *at = job->dst + job->src_size;

		_mm_storeu_si128((__m128i *)(void *)at, tag[g]);
		if (suffix_size != 0) {
			memcpy(at + BLOCK_SIZE, job->iv, 4);
		}
	}
}

// The hash goes into the tags, or is what comes before the next chunk of the same packets.
ALWAYS_INLINE void hash_finish(const struct sums *s, const struct sealer_pending *p,
	struct sealer_pending *next, unsigned suffix_size)
{
	if (p->ends) {
		tags_store(
			p, _mm512_xor_si512(bytes_reverse(s->one.lo), s->tag_masks), suffix_size);
	} else {
		_mm512_store_si512(next->before, s->one.lo);
	}
}

// Encrypts the chunk 'next', and hashes what 'p' has left from the chunk before.
ALWAYS_INLINE void turn(struct sealer_pending *next, const struct sealer_pending *p,
	unsigned suffix_size, unsigned rounds, unsigned vectors, unsigned hash_vectors)
{
	const struct suite_key *const key[SEALER_GROUP] = {
		next->job[0]->key, next->job[1]->key, next->job[2]->key, next->job[3]->key};
	struct sums sums = {.tag_masks = _mm512_setzero_si512()};
	vec s[SEALER_GROUP][2];

	states_init(s, next, vectors);
	UNROLL
	for (unsigned round = 1; round <= rounds; round++) {
		states_round(s, key, vectors, round, round == rounds);
		hash_step(&sums, p, hash_vectors, round - 1);
	}
	states_store(next, s, vectors);
	hash_finish(&sums, p, next, suffix_size);
}

typedef void turn_fn(
	struct sealer_pending *next, const struct sealer_pending *p, unsigned suffix_size);

#define TURN(rounds, vectors, hash_vectors)                                                        \
	NEVER_INLINE void turn_##rounds##_##vectors##_##hash_vectors(                              \
		struct sealer_pending *next, const struct sealer_pending *p, unsigned suffix_size) \
	{                                                                                          \
		turn(next, p, suffix_size, rounds, vectors, hash_vectors);                         \
	}

TURN(10, 1, 1)
TURN(10, 1, 2)
TURN(10, 2, 1)
TURN(10, 2, 2)
TURN(14, 1, 1)
TURN(14, 1, 2)
TURN(14, 2, 1)
TURN(14, 2, 2)

static turn_fn *const turns_10[2][2] = {{turn_10_1_1, turn_10_1_2}, {turn_10_2_1, turn_10_2_2}};
static turn_fn *const turns_14[2][2] = {{turn_14_1_1, turn_14_1_2}, {turn_14_2_1, turn_14_2_2}};

// The first chunk of a call, with nothing to hash.
NEVER_INLINE void turn_first(struct sealer_pending *next, unsigned rounds)
{
	const struct suite_key *const key[SEALER_GROUP] = {
		next->job[0]->key, next->job[1]->key, next->job[2]->key, next->job[3]->key};
	vec s[SEALER_GROUP][2];

	if (next->vector_count == 2) {
		states_init(s, next, 2);
	} else {
		states_init(s, next, 1);
		UNROLL
		for (unsigned g = 0; g < SEALER_GROUP; g++) {
			s[g][1] = s[g][0]; // for nothing
		}
	}
	for (unsigned round = 1; round < rounds; round++) {
		states_round(s, key, 2, round, false);
	}
	states_round(s, key, 2, rounds, true);
	states_store(next, s, 2);
}

// The hash of the last chunk of a call.
NEVER_INLINE void turn_last(const struct sealer_pending *p, unsigned suffix_size)
{
	struct sums sums = {.tag_masks = _mm512_setzero_si512()};

	if (p->vector_count == 1) {
		UNROLL
		for (unsigned step = 0; step < SEALER_GROUP + 2; step++) {
			hash_step(&sums, p, 1, step);
		}
	} else {
		UNROLL
		for (unsigned step = 0; step < SEALER_GROUP * 2 + 2; step++) {
			hash_step(&sums, p, 2, step);
		}
	}
	hash_finish(&sums, p, NULL, suffix_size);
}

// A bit for each of 'size' bytes of a vector. Sizes are no secrets.
static uint64_t bytes_mask(int size)
{
	return size <= 0 ? 0
			 : UINT64_MAX >> (VECTOR_SIZE - (size < VECTOR_SIZE ? size : VECTOR_SIZE));
}

static const struct sealer_piece full_chunk = {.mask = UINT64_MAX,
	.mask_before = UINT64_MAX,
	.powers_at = (POWERS - CHUNK_BLOCKS) * BLOCK_SIZE};

NEVER_INLINE const struct sealer_shape *shape_build(
	struct sealer_scratch *scratch, struct sealer_shape *shape, const struct seal_job *job)
{
	const unsigned blocks = (job->src_size + BLOCK_SIZE - 1u) / BLOCK_SIZE;
	const unsigned count = blocks % CHUNK_BLOCKS + 1, vectors = count > LANES ? 2 : 1;
	const int size = job->src_size - (int)(blocks / CHUNK_BLOCKS * CHUNK_SIZE);

	if (shape->sizes != 0) {
		scratch->evicted = shape;
		shape = &scratch->spares[scratch->spare_count++ % (2 * SEALER_GROUP)];
	}
	shape->sizes = job_sizes(job);
	shape->last = (struct sealer_piece){
		.mask = bytes_mask(size - (int)(vectors - 1) * VECTOR_SIZE),
		.mask_before = bytes_mask(size),
		.lengths = {__builtin_bswap64(job->aad_size * 8ull),
			__builtin_bswap64(job->src_size * 8ull)},
		.powers_at = (POWERS - count) * BLOCK_SIZE,
		.lane = blocks % LANES,
		.lane_mask = (uint8_t)(3u << 2 * (blocks % LANES)),
	};
	shape->before_last = full_chunk;
	shape->before_last.mask = bytes_mask(size + CHUNK_SIZE - VECTOR_SIZE);
	return shape;
}

ALWAYS_INLINE const struct sealer_shape *shape_of(
	struct sealer_scratch *scratch, const struct seal_job *job)
{
	struct sealer_shape *shape = &scratch->shapes[job->src_size % SEALER_SHAPES];

	return shape->sizes == job_sizes(job) ? shape : shape_build(scratch, shape, job);
}

// Five lines of AES-128, six of AES-256. Into the second cache: more lines of it than of the first
// can be on their way at once.
ALWAYS_INLINE void keys_prefetch(const struct seal_job *const jobs[SEALER_GROUP], unsigned key_size)
{
	UNROLL
	for (unsigned g = 0; g < SEALER_GROUP; g++) {
		const char *bytes = (const char *)jobs[g]->key->bytes;

		UNROLL
		for (unsigned at = 0; at < SUITE_SEALER_SIZE - DP_CACHE_LINE; at += DP_CACHE_LINE) {
			_mm_prefetch(bytes + at, _MM_HINT_T1);
		}
		if (key_size == 32) {
			_mm_prefetch(bytes + SUITE_SEALER_SIZE - DP_CACHE_LINE, _MM_HINT_T1);
		}
	}
}

// The hash of the AAD of four jobs, which lacks its last multiplication by H.
ALWAYS_INLINE vec aad_hash(const struct seal_job *const jobs[SEALER_GROUP])
{
	unsigned count = (jobs[0]->aad_size + BLOCK_SIZE - 1u) / BLOCK_SIZE;
	uint16_t masks[SEALER_GROUP];

	UNROLL
	for (unsigned g = 0; g < SEALER_GROUP; g++) {
		masks[g] = (uint16_t)(0xffffu >> (-jobs[g]->aad_size & (BLOCK_SIZE - 1)));
	}
	return count == 1 ? aad_blocks(jobs, 0, masks) : aad_hash_long(jobs, count, masks);
}

void sealer_avx512_seal(struct sealer_scratch *scratch, unsigned key_size, unsigned suffix_size,
	const struct seal_job *const jobs[], unsigned group_count)
{
	turn_fn *const(*turns)[2] = key_size == 16 ? turns_10 : turns_14;
	struct sealer_pending *next = &scratch->pending[0], *free = &scratch->pending[1], *p = NULL;

	for (; group_count > 0; group_count--, jobs += SEALER_GROUP) {
		unsigned blocks = (jobs[0]->src_size + BLOCK_SIZE - 1u) / BLOCK_SIZE;
		unsigned last = blocks / CHUNK_BLOCKS;
		const struct sealer_shape *shape[SEALER_GROUP];

		if (group_count > PREFETCH_GROUPS) {
			keys_prefetch(jobs + PREFETCH_GROUPS * SEALER_GROUP, key_size);
		}
		UNROLL
		for (unsigned g = 0; g < SEALER_GROUP; g++) {
			shape[g] = shape_of(scratch, jobs[g]);
		}
		_mm512_store_si512(next->before, aad_hash(jobs));
		for (unsigned index = 0; index <= last; index++) {
			bool ends = index == last;
			unsigned vectors = ends && blocks % CHUNK_BLOCKS < LANES ? 1 : 2;

			UNROLL
			for (unsigned g = 0; g < SEALER_GROUP; g++) {
				next->job[g] = jobs[g];
				next->piece[g] = ends                ? &shape[g]->last
						 : index + 1 == last ? &shape[g]->before_last
								     : &full_chunk;
			}
			next->index = index;
			next->vector_count = vectors;
			next->ends = ends;
			if (p == NULL) {
				turn_first(next, key_size == 16 ? ROUNDS_128 : ROUNDS_256);
			} else {
				turns[vectors - 1][p->vector_count - 1](next, p, suffix_size);
				free = p;
			}
			p = next;
			next = free;
		}
	}
	turn_last(p, suffix_size);
	explicit_bzero(scratch->pending, sizeof(scratch->pending));
	if (scratch->evicted != NULL) {
		scratch->evicted->sizes = 0;
		scratch->evicted = NULL;
	}
	stack_wipe();
	registers_wipe();
}
