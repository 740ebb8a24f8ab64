// SPDX-License-Identifier: BSD-3-Clause
//
// What any CPU runs of the sealer: whether it may be used, which jobs stand side by side, and the
// comparison with the library while it works.
#include "crypto/sealer.h"

#include <assert.h>
#include <cpuid.h>
#include <emmintrin.h>
#include <string.h>

#include "api/dp_assert.h"

#define BLOCK_SIZE 16u
#define AAD_BLOCKS_MAX 4u
#define TAG_SIZE 16u
#define SUFFIX_SIZE 4u

// A class is the number of vectors and that of the AAD's blocks.
#define VECTORS_MAX ((SEALER_SRC_MAX + BLOCK_SIZE - 1) / BLOCK_SIZE / 4 + 1)
#define CLASS_NONE 0xff
static_assert(VECTORS_MAX * AAD_BLOCKS_MAX <= CLASS_NONE, "a byte tells a class");

// Jobs that are planned together: a bit for each.
#define PLAN_MAX 64

bool sealer_available(void)
{
	unsigned a, b, c = 0, d;

	// The last two are not asked by name, since clang 14 does not know VAES there. They need no
	// more of the system than AVX-512 does.
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
	       __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul") &&
	       __builtin_cpu_supports("bmi2") && __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 &&
	       (c & bit_VAES) != 0 && (c & bit_VPCLMULQDQ) != 0;
}

// Any thread may read it.
static void state_set(struct sealer *s, enum sealer_state state)
{
	__atomic_store_n(&s->state, state, __ATOMIC_RELAXED);
}

void sealer_start(struct sealer *s, struct crypto_engine *engine)
{
	memset(s, 0, sizeof(*s));
	s->src_limit = SEALER_SRC_LIMIT;
	if (sealer_available()) {
		s->state = sealer_selftest_passes(engine) ? SEALER_ON : SEALER_UNPROVEN;
	}
}

void sealer_key_expand(
	struct suite_key *out, const uint8_t *key, unsigned key_size, const uint8_t *salt)
{
	static const uint8_t none[12];

	DP_ASSERT(key_size == 16 || key_size == 32);
	sealer_avx512_key_expand(out, key, key_size, salt != NULL ? salt : none);
}

static inline uint8_t class_of(const struct sealer *s, const struct seal_job *job)
{
	unsigned blocks = (job->src_size + BLOCK_SIZE - 1) / BLOCK_SIZE;
	unsigned aad_blocks = (job->aad_size + BLOCK_SIZE - 1) / BLOCK_SIZE;
	bool sealable = job->src_size <= s->src_limit && aad_blocks - 1 < AAD_BLOCKS_MAX;

	return (uint8_t)(sealable ? blocks / 4 * AAD_BLOCKS_MAX + aad_blocks - 1 : CLASS_NONE);
}

// A bit for each of 'classes' that is 'class'.
static inline uint64_t class_bits(const uint8_t classes[PLAN_MAX], uint8_t class)
{
	const __m128i *bytes = (const __m128i *)(const void *)classes;
	uint64_t bits = 0;

	for (unsigned i = 0; i < PLAN_MAX / 16; i++) {
		__m128i same =
			_mm_cmpeq_epi8(_mm_load_si128(&bytes[i]), _mm_set1_epi8((char)class));

		bits |= (uint64_t)(uint32_t)_mm_movemask_epi8(same) << 16 * i;
	}
	return bits;
}

// How many of 'count' jobs of a class are sealed: the library is sooner done with a short tail.
static inline unsigned worthwhile(unsigned count)
{
	unsigned tail = count % SEALER_GROUP;

	return tail < SEALER_TAIL_MIN ? count - tail : count;
}

// Makes whole groups of the 'count' jobs in 'list'; returns their number. A group that lacks jobs
// repeats its last: the same bytes are written twice, and never a packet that nobody asked for.
static inline unsigned groups_fill(const struct seal_job *list[], unsigned count)
{
	for (; count % SEALER_GROUP != 0; count++) {
		list[count] = list[count - 1];
	}
	return count / SEALER_GROUP;
}

static bool all_alike(struct seal_job *const jobs[], unsigned count)
{
	unsigned different = 0;

	for (unsigned i = 1; i < count; i++) {
		different |= jobs[i]->src_size ^ jobs[0]->src_size;
		different |= jobs[i]->aad_size ^ jobs[0]->aad_size;
	}
	return different == 0;
}

// Lists jobs of the same sizes, and writes the others to 'left'. Returns the number of groups.
static unsigned plan_alike(struct sealer *s, const struct seal_job *list[],
	struct seal_job *const jobs[], unsigned count, struct seal_job *left[],
	unsigned *left_count)
{
	unsigned listed = class_of(s, jobs[0]) == CLASS_NONE ? 0 : worthwhile(count);

	memcpy(list, jobs, listed * sizeof(jobs[0]));
	memcpy(&left[*left_count], jobs + listed, (count - listed) * sizeof(jobs[0]));
	*left_count += count - listed;
	return groups_fill(list, listed);
}

// The same for up to PLAN_MAX jobs of any sizes, class by class.
static unsigned plan_mix(struct sealer *s, const struct seal_job *list[],
	struct seal_job *const jobs[], unsigned count, struct seal_job *left[],
	unsigned *left_count)
{
	uint64_t todo = UINT64_MAX >> (PLAN_MAX - count), unlisted = todo;
	alignas(16) uint8_t classes[PLAN_MAX] = {0};
	unsigned groups = 0;

	for (unsigned i = 0; i < count; i++) {
		classes[i] = class_of(s, jobs[i]);
	}
	while (todo != 0) {
		uint8_t class = classes[__builtin_ctzll(todo)];
		uint64_t bits = class_bits(classes, class) & todo;
		const struct seal_job **at = &list[groups * SEALER_GROUP];
		unsigned listed = worthwhile((unsigned)__builtin_popcountll(bits));

		todo &= ~bits;
		if (class == CLASS_NONE) {
			continue;
		}
		for (unsigned i = 0; i < listed; i++, bits &= bits - 1) {
			at[i] = jobs[__builtin_ctzll(bits)];
			unlisted &= ~(bits & -bits);
		}
		groups += groups_fill(at, listed);
	}
	for (; unlisted != 0; unlisted &= unlisted - 1) {
		left[(*left_count)++] = jobs[__builtin_ctzll(unlisted)];
	}
	return groups;
}

static bool job_holds(struct sealer *s, struct crypto_engine *engine,
	const struct sealer_kind *kind, const struct seal_job *job)
{
	struct seal_job again = *job;
	unsigned size = job->src_size + TAG_SIZE + kind->suffix_size;

	again.dst = s->expected;
	kind->library(engine, &(struct seal_job *){&again}, 1);
	return memcmp(job->dst, s->expected, size) == 0;
}

// One of the groups that were just sealed, now and then.
static bool check_holds(struct sealer *s, struct crypto_engine *engine,
	const struct sealer_kind *kind, unsigned group_count)
{
	const struct seal_job *const *group;

	s->unchecked += group_count;
	if (s->unchecked < s->check_every) {
		return true;
	}
	s->unchecked = 0;
	group = &s->list[s->checked % group_count * SEALER_GROUP];
	s->checked++;
	for (unsigned g = 0; g < SEALER_GROUP; g++) {
		if (!job_holds(s, engine, kind, group[g])) {
			return false;
		}
	}
	return true;
}

// Writes the jobs that are left for the library to 'left'; returns their number.
static unsigned groups_seal(struct sealer *s, struct crypto_engine *engine,
	const struct sealer_kind *kind, struct seal_job *const jobs[], unsigned count,
	struct seal_job *left[])
{
	unsigned groups = 0, left_count = 0;

	for (unsigned from = 0; from < count; from += PLAN_MAX) {
		unsigned rest = count - from < PLAN_MAX ? count - from : PLAN_MAX;
		const struct seal_job **list = &s->list[groups * SEALER_GROUP];

		groups += (all_alike(jobs + from, rest) ? plan_alike : plan_mix)(
			s, list, jobs + from, rest, left, &left_count);
	}
	if (groups == 0) {
		return left_count;
	}
	sealer_avx512_seal(&s->scratch, kind->key_size, kind->suffix_size, s->list, groups);
	if (s->check_every != 0 && !check_holds(s, engine, kind, groups)) {
		// The library seals the whole call again, over what may be wrong.
		state_set(s, SEALER_DISPROVEN);
		memcpy(left, jobs, count * sizeof(jobs[0]));
		return count;
	}
	return left_count;
}

void sealer_seal(struct sealer *s, struct crypto_engine *engine, const struct sealer_kind *kind,
	struct seal_job *const jobs[], unsigned count)
{
	struct seal_job *left[DP_WAVE_MAX];

	DP_ASSERT(count <= DP_WAVE_MAX);
	if (s->state == SEALER_ON && count >= SEALER_CALL_MIN) {
		count = groups_seal(s, engine, kind, jobs, count, left);
		jobs = left;
	}
	kind->library(engine, jobs, count);
}
