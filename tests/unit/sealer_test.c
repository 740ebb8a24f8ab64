// SPDX-License-Identifier: BSD-3-Clause
//
// The sealer against libipsec-mb, which it must equal in every bit, and OpenSSL on a sample; what
// it must not touch; what it must wipe; how it is switched off.
//
// That it takes the same time whatever the key is by construction (no branch, no address, no table
// of sealer_avx512.c depends on one). No tool here can show it: valgrind does not run AVX-512.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "crypto/engine.h"
#include "crypto/gcm_key.h"
#include "crypto/sealer.h"

#define TAG_SIZE 16
#define SALT_SIZE 12
#define KEYS 24
#define ROOM_SIZE 2304 // of a packet
#define GUARD 0xa5
#define GUARD_SIZE 80 // bytes that are looked at on both sides

static uint64_t random_state = 0x9e3779b97f4a7c15;

static uint64_t random_next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static void random_fill(uint8_t *at, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		at[i] = (uint8_t)(random_next() >> 24);
	}
}

// Jobs, what they read, and where they write: one room of guard bytes for each.
static struct field {
	struct crypto_engine engine; // of which the library's manager is used
	struct sealer sealer;
	struct sealer_kind kind;
	struct suite_key keys[KEYS];
	uint8_t raw_keys[KEYS][32], salts[KEYS][SALT_SIZE];
	struct seal_job jobs[DP_WAVE_MAX];
	struct seal_job *list[DP_WAVE_MAX];
	struct seal_job *left[DP_WAVE_MAX]; // what the sealer gave to the library
	unsigned left_count;
	uint8_t src[DP_WAVE_MAX][ROOM_SIZE], aad[DP_WAVE_MAX][128];
	uint8_t dst[DP_WAVE_MAX][ROOM_SIZE];
	uint8_t expected[ROOM_SIZE];
} f;

static void library_seal(
	struct crypto_engine *engine, struct seal_job *const jobs[], unsigned count)
{
	aes_gcm_enc_dec_t encrypt =
		f.kind.key_size == 16 ? engine->mgr->gcm128_enc : engine->mgr->gcm256_enc;

	for (unsigned i = 0; i < count; i++) {
		const struct seal_job *job = jobs[i];
		uint8_t *tag = job->dst + job->src_size, nonce[16];

		for (unsigned b = 0; b < sizeof(nonce); b++) {
			nonce[b] = job->iv[b] ^ job->key->bytes[GCM_SALT_OFFSET + b];
		}
		encrypt(gcm_tables(job->key), &engine->gcm, job->dst, job->src, job->src_size,
			nonce, job->aad, job->aad_size, tag, TAG_SIZE);
		memcpy(tag + TAG_SIZE, job->iv, f.kind.suffix_size);
	}
}

// What a sealer is given: keeps in mind what it is given in turn.
static void library_witness(
	struct crypto_engine *engine, struct seal_job *const jobs[], unsigned count)
{
	if (count == 0 || jobs[0]->dst != f.sealer.expected) { // not a cross-check
		memcpy(f.left, jobs, count * sizeof(jobs[0]));
		f.left_count = count;
	}
	library_seal(engine, jobs, count);
}

static void library_broken(
	struct crypto_engine *engine, struct seal_job *const jobs[], unsigned count)
{
	library_witness(engine, jobs, count);
	if (count > 0 && jobs[0]->dst == f.sealer.expected) {
		jobs[0]->dst[jobs[0]->src_size + TAG_SIZE - 1] ^= 0x10;
	}
}

static void kind_set(unsigned key_size, unsigned suffix_size)
{
	f.kind = (struct sealer_kind){(uint8_t)key_size, (uint8_t)suffix_size, library_witness};
	for (unsigned i = 0; i < KEYS; i++) {
		random_fill(f.raw_keys[i], sizeof(f.raw_keys[i]));
		random_fill(f.salts[i], sizeof(f.salts[i]));
		memset(&f.keys[i], 0, sizeof(f.keys[i]));
		sealer_key_expand(&f.keys[i], f.raw_keys[i], key_size, f.salts[i]);
		(key_size == 16 ? f.engine.mgr->gcm128_pre : f.engine.mgr->gcm256_pre)(
			f.raw_keys[i], gcm_tables_of(&f.keys[i]));
		memcpy(f.keys[i].bytes + GCM_SALT_OFFSET, f.salts[i], SALT_SIZE);
	}
}

static int setup(void **state)
{
	(void)state;
	f.engine.mgr = alloc_mb_mgr(0);
	assert_non_null(f.engine.mgr);
	init_mb_mgr_auto(f.engine.mgr, NULL);
	for (unsigned i = 0; i < DP_WAVE_MAX; i++) {
		random_fill(f.src[i], sizeof(f.src[i]));
		random_fill(f.aad[i], sizeof(f.aad[i]));
	}
	sealer_start(&f.sealer, &f.engine);
	if (!sealer_available()) {
		printf("sealer_test: this CPU, or its emulation, has no sealer: nothing to test\n");
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free_mb_mgr(f.engine.mgr);
	return 0;
}

static int fresh(void **state)
{
	(void)state;
	if (!sealer_available()) {
		return 0;
	}
	sealer_start(&f.sealer, &f.engine);
	assert_int_equal(f.sealer.state, SEALER_ON);
	f.sealer.src_limit = SEALER_SRC_MAX;
	return 0;
}

static void skip_without_sealer(void)
{
	if (!sealer_available()) {
		skip();
	}
}

// Job 'i' of random key and nonce, its bytes 'shift' (0 to 63) off.
static void job_set(unsigned i, unsigned src_size, unsigned aad_size, unsigned shift)
{
	struct seal_job *job = &f.jobs[i];

	*job = (struct seal_job){.key = &f.keys[random_next() % KEYS],
		.src = f.src[i] + shift,
		.dst = f.dst[i] + 128 + 63 - shift,
		.aad = f.aad[i] + shift % 32,
		.src_size = (uint16_t)src_size,
		.aad_size = (uint16_t)aad_size};
	random_fill(job->iv, SALT_SIZE);
	f.list[i] = job;
	memset(job->dst - GUARD_SIZE, GUARD, src_size + TAG_SIZE + 4u + 2 * GUARD_SIZE);
}

// Whether what stands at the job's destination is what the library writes there, and no more.
static void job_check(const struct seal_job *job)
{
	unsigned size = job->src_size + TAG_SIZE + f.kind.suffix_size;
	struct seal_job again = *job;

	again.dst = f.expected;
	library_seal(&f.engine, &(struct seal_job *){&again}, 1);
	if (memcmp(job->dst, f.expected, size) != 0) {
		fail_msg("AES-%u, %u bytes, AAD of %u: not what the library writes",
			f.kind.key_size * 8u, job->src_size, job->aad_size);
	}
	for (unsigned i = 0; i < GUARD_SIZE; i++) {
		if (job->dst[size + i] != GUARD || job->dst[-1 - (int)i] != GUARD) {
			fail_msg("AES-%u, %u bytes, AAD of %u: wrote outside of the packet",
				f.kind.key_size * 8u, job->src_size, job->aad_size);
		}
	}
}

// Seals 'count' jobs; returns how many of them were left to the library, in the order of the list.
static unsigned seal(unsigned count)
{
	unsigned at = 0;

	sealer_seal(&f.sealer, &f.engine, &f.kind, f.list, count);
	assert_true(f.left_count <= count);
	for (unsigned i = 0; i < f.left_count; i++) {
		while (at < count && f.list[at] != f.left[i]) {
			at++;
		}
		assert_true(at++ < count);
	}
	return f.left_count;
}

static void every_payload_and_aad_size_equals_the_library(void **state)
{
	(void)state;
	skip_without_sealer();
	for (unsigned kind = 0; kind < 2; kind++) {
		kind_set(kind == 0 ? 16 : 32, kind == 0 ? 0 : 4);
		for (unsigned size = 0; size <= SEALER_SRC_MAX; size++) {
			for (unsigned aad = 8; aad <= SEALER_AAD_MAX; aad += aad == 8 ? 4 : 1) {
				for (unsigned i = 0; i < SEALER_GROUP; i++) {
					job_set(i, size, aad, random_next() % 64);
				}
				assert_int_equal(seal(SEALER_GROUP), 0);
				for (unsigned i = 0; i < SEALER_GROUP; i++) {
					job_check(&f.jobs[i]);
				}
			}
		}
	}
}

static void every_number_of_jobs_equals_the_library(void **state)
{
	(void)state;
	skip_without_sealer();
	for (unsigned kind = 0; kind < 4; kind++) {
		kind_set(kind < 2 ? 16 : 32, kind % 2 * 4);
		for (unsigned count = 1; count <= 17; count++) {
			unsigned tail = count % SEALER_GROUP;
			unsigned left = count < SEALER_CALL_MIN  ? count
					: tail < SEALER_TAIL_MIN ? tail
								 : 0;

			for (unsigned size = 0; size <= SEALER_SRC_MAX;
				size += size < 300 ? 1 : 7) {
				for (unsigned i = 0; i < count; i++) {
					job_set(i, size, 12 + size % 5, random_next() % 64);
					f.jobs[i].src = size % 2 ? f.src[0] : f.jobs[i].src;
				}
				assert_int_equal(seal(count), left);
				for (unsigned i = 0; i < count; i++) {
					job_check(&f.jobs[i]);
				}
			}
		}
	}
}

static void jobs_of_any_mix_equal_the_library(void **state)
{
	unsigned sealed = 0;

	(void)state;
	skip_without_sealer();
	for (unsigned turn = 0; turn < 2000; turn++) {
		unsigned count = 1 + random_next() % DP_WAVE_MAX;
		unsigned spread = turn % 4 == 0 ? SEALER_SRC_MAX + 1 : 20 + turn % 200;

		if (turn % 100 == 0) {
			kind_set(turn % 200 == 0 ? 16 : 32, turn % 300 == 0 ? 4 : 0);
		}
		f.sealer.src_limit = turn % 2 ? SEALER_SRC_MAX : SEALER_SRC_LIMIT;
		for (unsigned i = 0; i < count; i++) {
			unsigned aad = turn % 3 ? 12 : 8 + random_next() % (SEALER_AAD_MAX - 7);

			job_set(i, random_next() % spread, aad, random_next() % 64);
		}
		sealed += count - seal(count);
		for (unsigned i = 0; i < count; i++) {
			job_check(&f.jobs[i]);
		}
	}
	assert_true(sealed > 30000);
}

static void every_alignment_equals_the_library(void **state)
{
	static const uint16_t sizes[] = {20, 63, 100, 127, 240, 1100};

	(void)state;
	skip_without_sealer();
	kind_set(32, 4);
	for (unsigned s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		for (unsigned src = 0; src < 64; src++) {
			for (unsigned dst = 0; dst < 64; dst++) {
				for (unsigned i = 0; i < SEALER_GROUP; i++) {
					job_set(i, sizes[s], 20, dst);
					f.jobs[i].src = f.src[i] + src;
				}
				assert_int_equal(seal(SEALER_GROUP), 0);
				for (unsigned i = 0; i < SEALER_GROUP; i++) {
					job_check(&f.jobs[i]);
				}
			}
		}
	}
}

// Three pages, of which the middle one may be touched.
static uint8_t *page_map(void)
{
	uint8_t *at = mmap(NULL, 3 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(at, MAP_FAILED);
	assert_int_equal(mprotect(at + 4096, 4096, PROT_READ | PROT_WRITE), 0);
	return at + 4096;
}

static void nothing_is_touched_beyond_a_page_that_ends_with_the_bytes(void **state)
{
	uint8_t *src[2], *dst[2], *aad[2];

	(void)state;
	skip_without_sealer();
	for (unsigned i = 0; i < 2; i++) {
		src[i] = page_map();
		dst[i] = page_map();
		aad[i] = page_map();
		random_fill(src[i], 4096);
		random_fill(aad[i], 4096);
	}
	kind_set(16, 4);
	for (unsigned size = 0; size <= SEALER_SRC_MAX; size++) {
		for (unsigned end = 0; end < 2; end++) {
			unsigned aad_size = 8 + (size + end) % 57;
			unsigned room = size + TAG_SIZE + 4;

			for (unsigned i = 0; i < SEALER_GROUP; i++) {
				job_set(i, size, aad_size, 0);
				f.jobs[i].src = src[i % 2] + (end ? 4096 - size : 0);
				f.jobs[i].aad = aad[i % 2] + (end ? 4096 - aad_size : 0);
				f.jobs[i].dst = dst[i % 2] + (end ? 4096 - room : 0);
				f.jobs[i].key = f.jobs[i % 2].key;
				memcpy(f.jobs[i].iv, f.jobs[i % 2].iv, sizeof(f.jobs[i].iv));
			}
			assert_int_equal(seal(SEALER_GROUP), 0);
			for (unsigned i = 0; i < 2; i++) {
				struct seal_job again = f.jobs[i];

				again.dst = f.expected;
				library_seal(&f.engine, &(struct seal_job *){&again}, 1);
				assert_memory_equal(f.jobs[i].dst, f.expected, room);
			}
		}
	}
	for (unsigned i = 0; i < 2; i++) {
		munmap(src[i] - 4096, 3 * 4096);
		munmap(dst[i] - 4096, 3 * 4096);
		munmap(aad[i] - 4096, 3 * 4096);
	}
}

static void openssl_agrees(void **state)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

	(void)state;
	assert_non_null(ctx);
	for (unsigned turn = 0; turn < 4000 && sealer_available(); turn++) {
		unsigned size = random_next() % (SEALER_SRC_MAX + 1), key;
		uint8_t nonce[SALT_SIZE];
		int n;

		if (turn % 200 == 0) {
			kind_set(turn % 400 == 0 ? 16 : 32, 0);
		}
		for (unsigned i = 0; i < SEALER_GROUP; i++) {
			job_set(i, size, 12 + turn % 53, turn % 64);
		}
		assert_int_equal(seal(SEALER_GROUP), 0);
		key = (unsigned)(f.jobs[turn % 4].key - f.keys);
		for (unsigned i = 0; i < SALT_SIZE; i++) {
			nonce[i] = f.jobs[turn % 4].iv[i] ^ f.salts[key][i];
		}
		assert_int_equal(
			EVP_EncryptInit_ex(ctx,
				f.kind.key_size == 16 ? EVP_aes_128_gcm() : EVP_aes_256_gcm(), NULL,
				f.raw_keys[key], nonce),
			1);
		EVP_EncryptUpdate(ctx, NULL, &n, f.jobs[turn % 4].aad, f.jobs[turn % 4].aad_size);
		EVP_EncryptUpdate(ctx, f.expected, &n, f.jobs[turn % 4].src, (int)size);
		EVP_EncryptFinal_ex(ctx, f.expected + size, &n);
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, f.expected + size);
		assert_memory_equal(f.jobs[turn % 4].dst, f.expected, size + TAG_SIZE);
	}
	EVP_CIPHER_CTX_free(ctx);
}

static void what_it_cannot_seal_is_left(void **state)
{
	static const struct {
		uint16_t src_size, aad_size;
	} table[] = {{100, 0}, {100, 65}, {100, 120}, {SEALER_SRC_LIMIT + 1, 12}, {1900, 12},
		{1900, 64}, {0, 65}};

	(void)state;
	skip_without_sealer();
	kind_set(16, 0);
	f.sealer.src_limit = SEALER_SRC_LIMIT;
	for (unsigned t = 0; t < sizeof(table) / sizeof(table[0]); t++) {
		for (unsigned i = 0; i < 12; i++) {
			job_set(i, i < 8 ? table[t].src_size : 100, i < 8 ? table[t].aad_size : 12,
				0);
		}
		assert_int_equal(seal(12), 8);
		for (unsigned i = 0; i < 12; i++) {
			job_check(&f.jobs[i]);
		}
	}
	assert_int_equal(seal(0), 0);
}

static void without_the_cpu_or_the_proof_everything_is_left(void **state)
{
	static const enum sealer_state states[] = {
		SEALER_ABSENT, SEALER_UNPROVEN, SEALER_DISPROVEN};

	(void)state;
	skip_without_sealer();
	kind_set(16, 0);
	for (unsigned s = 0; s < sizeof(states) / sizeof(states[0]); s++) {
		f.sealer.state = states[s];
		for (unsigned i = 0; i < 16; i++) {
			job_set(i, 100, 12, 0);
		}
		assert_int_equal(seal(16), 16);
		job_check(&f.jobs[15]);
	}
}

static unsigned broken_calls;

static void gcm_broken(const struct gcm_key_data *key, struct gcm_context_data *context,
	uint8_t *out, const uint8_t *in, uint64_t size, const uint8_t *iv, const uint8_t *aad,
	uint64_t aad_size, uint8_t *tag, uint64_t tag_size)
{
	IMB_MGR *mgr = alloc_mb_mgr(0);

	init_mb_mgr_auto(mgr, NULL);
	mgr->gcm256_enc(key, context, out, in, size, iv, aad, aad_size, tag, tag_size);
	free_mb_mgr(mgr);
	// The last of its answers is wrong in one bit.
	if (++broken_calls == 17 * 7 * 4) {
		tag[7] ^= 1;
	}
}

static void the_selftest_notices_one_wrong_bit(void **state)
{
	aes_gcm_enc_dec_t right = f.engine.mgr->gcm256_enc;

	(void)state;
	skip_without_sealer();
	assert_true(sealer_selftest_passes(&f.engine));
	f.engine.mgr->gcm256_enc = gcm_broken;
	broken_calls = 0;
	sealer_start(&f.sealer, &f.engine);
	f.engine.mgr->gcm256_enc = right;
	assert_int_equal(f.sealer.state, SEALER_UNPROVEN);
}

static void the_cross_check_counts_and_agrees(void **state)
{
	(void)state;
	skip_without_sealer();
	kind_set(32, 4);
	f.sealer.check_every = 10;
	for (unsigned turn = 0; turn < 100; turn++) {
		for (unsigned i = 0; i < 12; i++) {
			job_set(i, 100, 12, 0);
		}
		assert_int_equal(seal(12), 0);
	}
	// Every fourth call of three groups.
	assert_int_equal(f.sealer.checked, 25);
	assert_int_equal(f.sealer.state, SEALER_ON);
}

static void a_mismatch_switches_it_off_and_the_library_seals_the_call(void **state)
{
	(void)state;
	skip_without_sealer();
	kind_set(16, 0);
	f.sealer.check_every = 3;
	f.kind.library = library_broken;
	for (unsigned turn = 0; turn < 2; turn++) {
		for (unsigned i = 0; i < 4; i++) {
			job_set(i, 100, 12, 0);
		}
		assert_int_equal(seal(4), 0);
	}
	for (unsigned turn = 0; turn < 2; turn++) {
		for (unsigned i = 0; i < 4; i++) {
			job_set(i, 100, 12, 0);
		}
		assert_int_equal(seal(4), 4);
		for (unsigned i = 0; i < 4; i++) {
			job_check(&f.jobs[i]);
		}
		assert_int_equal(f.sealer.state, SEALER_DISPROVEN);
		assert_int_equal(f.sealer.checked, 1);
	}
}

// Register n at 64 * n.
static inline __attribute__((always_inline)) void registers_get(uint8_t at[32 * 64])
{
#define GET(n) "vmovdqu64 %%zmm" #n ", " #n "*64(%0)\n\t"
	__asm__ volatile(GET(0) GET(1) GET(2) GET(3) GET(4) GET(5) GET(6) GET(7) GET(8) GET(9) GET(
		10) GET(11) GET(12) GET(13) GET(14) GET(15) GET(16) GET(17) GET(18) GET(19) GET(20)
				 GET(21) GET(22) GET(23) GET(24) GET(25) GET(26) GET(27) GET(28)
					 GET(29) GET(30) GET(31)::"r"(at)
			 : "memory");
#undef GET
}

static void a_call_leaves_no_secrets(void **state)
{
	static uint8_t registers[32 * 64];
	static const uint8_t zeros[sizeof(registers)];
	static const struct sealer_pending pending_zeros[2];
	static const uint16_t sizes[] = {20, 100, 240};

	(void)state;
	skip_without_sealer();
	for (unsigned s = 0; s < 2 * sizeof(sizes) / sizeof(sizes[0]); s++) {
		const struct seal_job *const *list = (const struct seal_job *const *)f.list;
		unsigned key_size = s % 2 ? 16 : 32;

		kind_set(key_size, 0);
		for (unsigned i = 0; i < 8; i++) {
			job_set(i, sizes[s / 2], 32, 0);
		}
		sealer_avx512_seal(&f.sealer.scratch, key_size, 0, list, 2);
		registers_get(registers);
		assert_memory_equal(registers, zeros, sizeof(zeros));
		assert_memory_equal(f.sealer.scratch.pending, pending_zeros, sizeof(pending_zeros));
		sealer_avx512_key_expand(&f.keys[0], f.raw_keys[0], key_size, f.salts[0]);
		registers_get(registers);
		assert_memory_equal(registers, zeros, sizeof(zeros));
	}
}

#define STACK_SEEN 4096

#if defined(__SANITIZE_ADDRESS__)
#define FRAMES_AS_RELEASED false // sanitizers lay out frames of their own
#elif defined(__has_feature)
#define FRAMES_AS_RELEASED !__has_feature(address_sanitizer)
#else
#define FRAMES_AS_RELEASED true
#endif

static __attribute__((noinline)) void stack_copy(uint8_t *out)
{
	uint8_t frame[STACK_SEEN];

	// What calls before have left there.
	__asm__ volatile("" : "+m"(frame));
	memcpy(out, frame, sizeof(frame));
}

static bool contains(const uint8_t *at, size_t size, const uint8_t *secret, size_t secret_size)
{
	return memmem(at, size, secret, secret_size) != NULL;
}

static void the_stack_keeps_neither_keys_nor_plaintext(void **state)
{
	static uint8_t stack[STACK_SEEN];

	(void)state;
	skip_without_sealer();
	if (!FRAMES_AS_RELEASED) {
		skip();
	}
	kind_set(32, 0);
	for (unsigned i = 0; i < 8; i++) {
		job_set(i, 240, 32, 0);
	}
	sealer_avx512_seal(&f.sealer.scratch, 32, 0, (const struct seal_job *const *)f.list, 2);
	stack_copy(stack);
	for (unsigned i = 0; i < 8; i++) {
		for (unsigned at = 0; at < SUITE_SEALER_SIZE; at += 8) {
			assert_false(contains(stack, sizeof(stack), f.jobs[i].key->bytes + at, 8));
		}
		for (unsigned at = 0; at < 240; at += 8) {
			uint8_t stream[8];

			assert_false(contains(stack, sizeof(stack), f.jobs[i].src + at, 8));
			for (unsigned b = 0; b < 8; b++) {
				stream[b] = f.jobs[i].src[at + b] ^ f.jobs[i].dst[at + b];
			}
			assert_false(contains(stack, sizeof(stack), stream, sizeof(stream)));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_payload_and_aad_size_equals_the_library, fresh),
		cmocka_unit_test_setup(every_number_of_jobs_equals_the_library, fresh),
		cmocka_unit_test_setup(jobs_of_any_mix_equal_the_library, fresh),
		cmocka_unit_test_setup(every_alignment_equals_the_library, fresh),
		cmocka_unit_test_setup(
			nothing_is_touched_beyond_a_page_that_ends_with_the_bytes, fresh),
		cmocka_unit_test_setup(openssl_agrees, fresh),
		cmocka_unit_test_setup(what_it_cannot_seal_is_left, fresh),
		cmocka_unit_test_setup(without_the_cpu_or_the_proof_everything_is_left, fresh),
		cmocka_unit_test_setup(the_selftest_notices_one_wrong_bit, fresh),
		cmocka_unit_test_setup(the_cross_check_counts_and_agrees, fresh),
		cmocka_unit_test_setup(
			a_mismatch_switches_it_off_and_the_library_seals_the_call, fresh),
		cmocka_unit_test_setup(a_call_leaves_no_secrets, fresh),
		cmocka_unit_test_setup(the_stack_keeps_neither_keys_nor_plaintext, fresh),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
