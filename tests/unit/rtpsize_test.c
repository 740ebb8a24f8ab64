// SPDX-License-Identifier: BSD-3-Clause
//
// Both rtpsize suites, on every path of the library that this CPU has: golden packets, OpenSSL and
// libsodium as oracles in both directions, and what must be refused.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <sodium.h>

#include "crypto/engine.h"
#include "crypto/suite.h"
#include "support/hex.h"
#include "support/packet.h"
#include "support/room.h"

#define KEYS 32
#define SIZE_MAX_TESTED 1500
// Random packets per suite and direction: on the path in use, and on each other.
#ifdef DP_HOT_ASSERTS // sanitizers: slow
#define PACKETS_BEST 50000
#define PACKETS_OTHER 10000
#else
#define PACKETS_BEST 1000000
#define PACKETS_OTHER 20000
#endif

// One engine per path; [0] is the one that the product would take.
static struct crypto_engine *engines[5];
static unsigned engine_count;
static EVP_CIPHER_CTX *evp;

static const enum dp_suite suite_ids[] = {DP_SUITE_AES256_GCM_RTPSIZE, DP_SUITE_XCHACHA20_RTPSIZE};

// Keys of one suite, raw and expanded.
static struct {
	uint8_t raw[KEYS][DP_KEY_SIZE_MAX];
	struct suite_key expanded[KEYS];
} ring;

static struct room rooms[DP_WAVE_MAX];
static struct room_pool pool;
static struct seal_job seal_jobs[DP_WAVE_MAX];
static struct open_job open_jobs[DP_WAVE_MAX];
static struct seal_job *seal_list[DP_WAVE_MAX];
static struct open_job *open_list[DP_WAVE_MAX];

static void gcm_oracle(uint8_t *out, const uint8_t *key, const uint8_t suffix[4],
	const uint8_t *aad, int aad_size, const uint8_t *src, int size)
{
	uint8_t nonce[12] = {suffix[0], suffix[1], suffix[2], suffix[3]};
	int written = 0;

	assert_int_equal(EVP_EncryptInit_ex(evp, EVP_aes_256_gcm(), NULL, key, nonce), 1);
	assert_int_equal(EVP_EncryptUpdate(evp, NULL, &written, aad, aad_size), 1);
	if (size > 0) {
		assert_int_equal(EVP_EncryptUpdate(evp, out, &written, src, size), 1);
		assert_int_equal(written, size);
	}
	assert_int_equal(EVP_EncryptFinal_ex(evp, out + size, &written), 1);
	assert_int_equal(EVP_CIPHER_CTX_ctrl(evp, EVP_CTRL_AEAD_GET_TAG, 16, out + size), 1);
}

// Ciphertext | tag | suffix, as somebody else computes it.
static void oracle_seal(enum dp_suite suite, uint8_t *out, const uint8_t *key,
	const uint8_t suffix[4], const uint8_t *aad, uint32_t aad_size, const uint8_t *src,
	uint32_t size)
{
	if (suite == DP_SUITE_AES256_GCM_RTPSIZE) {
		gcm_oracle(out, key, suffix, aad, (int)aad_size, src, (int)size);
	} else {
		uint8_t nonce[24] = {suffix[0], suffix[1], suffix[2], suffix[3]};
		unsigned long long written;

		crypto_aead_xchacha20poly1305_ietf_encrypt(
			out, &written, src, size, aad, aad_size, NULL, nonce, key);
		assert_int_equal(written, size + 16);
	}
	memcpy(out + size + 16, suffix, 4);
}

static void expand(struct crypto_engine *engine, const struct suite *suite, unsigned key)
{
	suite_key_wipe(engine, &ring.expanded[key]);
	assert_int_equal(suite->key_expand(engine, &ring.expanded[key], ring.raw[key], NULL), 0);
}

static void ring_fill(struct crypto_engine *engine, const struct suite *suite, struct room_pool *p)
{
	room_pool_fill(p);
	packet_random_fill(&p->random, &ring.raw[0][0], sizeof(ring.raw));
	for (unsigned i = 0; i < KEYS; i++) {
		expand(engine, suite, i);
	}
}

// Seals 'count' packets of random content in one call and compares each with the oracle.
// 'size' < 0: random.
static void check_seal(struct crypto_engine *engine, const struct suite *suite, struct room_pool *p,
	unsigned count, int size)
{
	static const uint16_t aad_sizes[] = {8, 12, 16};
	uint8_t expected[SIZE_MAX_TESTED + DP_RTPSIZE_OVERHEAD];
	unsigned key_index[DP_WAVE_MAX];

	for (unsigned i = 0; i < count; i++) {
		uint32_t src_size =
			size < 0 ? room_random_size(p, SIZE_MAX_TESTED) : (uint32_t)size;
		struct seal_job *job = &seal_jobs[i];

		key_index[i] = room_below(p, KEYS);
		*job = (struct seal_job){.key = &ring.expanded[key_index[i]],
			.src = room_slice(p, src_size),
			.dst = room_init(
				&rooms[i], room_below(p, 16), src_size + DP_RTPSIZE_OVERHEAD),
			.aad = room_slice(p, 16),
			.src_size = (uint16_t)src_size,
			.aad_size = aad_sizes[room_below(p, 3)]};
		packet_random_fill(&p->random, job->iv, 4);
		seal_list[i] = job;
	}
	suite->seal(engine, seal_list, count);
	for (unsigned i = 0; i < count; i++) {
		const struct seal_job *job = &seal_jobs[i];

		oracle_seal(suite->id, expected, ring.raw[key_index[i]], job->iv, job->aad,
			job->aad_size, job->src, job->src_size);
		room_assert_equal(job->dst, expected, rooms[i].size);
		room_check(&rooms[i]);
	}
}

// Opens 'count' packets that the oracle sealed, of which every third is then damaged in one bit or
// cut, in one call.
static void check_open(struct crypto_engine *engine, const struct suite *suite, struct room_pool *p,
	unsigned count, int size)
{
	const uint8_t *clear[DP_WAVE_MAX];
	bool damaged[DP_WAVE_MAX];

	for (unsigned i = 0; i < count; i++) {
		// 8 for RTCP; else fixed header, CSRCs, extension preamble.
		uint32_t aad_size = 8 + 4 * room_below(p, 18);
		uint32_t src_size =
			size < 0 ? room_random_size(p, SIZE_MAX_TESTED) : (uint32_t)size;
		unsigned key = room_below(p, KEYS);
		struct room *r = &rooms[i];
		uint8_t suffix[4];
		uint8_t *pkt;

		clear[i] = room_slice(p, aad_size + src_size);
		packet_random_fill(&p->random, suffix, 4);
		pkt = room_init(r, room_below(p, 16), aad_size + src_size + DP_RTPSIZE_OVERHEAD);
		memcpy(pkt, clear[i], aad_size);
		oracle_seal(suite->id, pkt + aad_size, ring.raw[key], suffix, clear[i], aad_size,
			clear[i] + aad_size, src_size);
		open_jobs[i] = (struct open_job){.key = &ring.expanded[key],
			.pkt = pkt,
			.size = (uint16_t)r->size,
			.aad_size = (uint16_t)aad_size,
			.verdict = DP_VERDICT_COUNT};
		damaged[i] = i % 3 == 2;
		if (damaged[i] && room_below(p, 4) == 0) {
			uint32_t cut = 1 + room_below(p, r->size - aad_size);

			open_jobs[i].size = (uint16_t)(r->size - cut);
		} else if (damaged[i]) {
			uint32_t bit = room_below(p, r->size * 8);

			pkt[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		open_list[i] = &open_jobs[i];
	}
	suite->open(engine, open_list, count);
	for (unsigned i = 0; i < count; i++) {
		const struct open_job *job = &open_jobs[i];

		assert_int_equal(job->verdict, damaged[i] ? DP_SRTP_AUTH : DP_OK);
		if (!damaged[i]) {
			room_assert_equal(job->pkt, clear[i], job->size - DP_RTPSIZE_OVERHEAD);
		}
		room_check(&rooms[i]);
	}
}

// 'check' for all suites and engines; the batch sizes 1..DP_WAVE_MAX come in turn.
static void with_random_packets(void (*check)(
	struct crypto_engine *, const struct suite *, struct room_pool *, unsigned, int))
{
	for (unsigned e = 0; e < engine_count; e++) {
		for (unsigned s = 0; s < 2; s++) {
			const struct suite *suite = suite_get(suite_ids[s]);
			uint32_t left = e == 0 ? PACKETS_BEST : PACKETS_OTHER;

			pool.random.state = 1000 + e * 10 + s;
			for (unsigned count = 1; left > 0; count = count % DP_WAVE_MAX + 1) {
				if (count > left) {
					count = left;
				}
				ring_fill(engines[e], suite, &pool);
				check(engines[e], suite, &pool, count, -1);
				left -= count;
			}
		}
	}
}

static void with_every_size(void (*check)(
	struct crypto_engine *, const struct suite *, struct room_pool *, unsigned, int))
{
	for (unsigned e = 0; e < engine_count; e++) {
		for (unsigned s = 0; s < 2; s++) {
			const struct suite *suite = suite_get(suite_ids[s]);

			pool.random.state = 2000 + e * 10 + s;
			ring_fill(engines[e], suite, &pool);
			for (int size = 0; size <= SIZE_MAX_TESTED; size++) {
				check(engines[e], suite, &pool, 4, size);
			}
		}
	}
}

static void seals_as_the_oracle_in_batches_of_mixed_keys(void **state)
{
	(void)state;
	with_random_packets(check_seal);
}

static void opens_what_the_oracle_sealed_and_only_that(void **state)
{
	(void)state;
	with_random_packets(check_open);
}

static void seals_every_size(void **state)
{
	(void)state;
	with_every_size(check_seal);
}

static void opens_every_size(void **state)
{
	(void)state;
	with_every_size(check_open);
}

struct golden {
	enum dp_suite suite;
	uint8_t aad_size;
	const char *clear;  // header and what is sealed, hex
	const char *packet; // hex
};

// protocol.md section 4.5; key 00 01 .. 1f.
static const struct golden goldens[] = {
	{DP_SUITE_AES256_GCM_RTPSIZE, 12, "80780001000003c0000ae411f8fffe",
		"80780001000003c0000ae411bcc933ace9c0dea0d47f98fd9cfa1142eb4c5a00000001"},
	{DP_SUITE_XCHACHA20_RTPSIZE, 12, "80780001000003c0000ae411f8fffe",
		"80780001000003c0000ae411f158af82fbae7241e69019b4c083c5bf1f80c800000001"},
	{DP_SUITE_AES256_GCM_RTPSIZE, 16, "9078000200000780000ae411bede000110859002f8fffe",
		"9078000200000780000ae411bede0001bcf9cacc6aff08"
		"d16eb021a908d50ab19500b4343ccaa500000002"},
	{DP_SUITE_XCHACHA20_RTPSIZE, 16, "9078000200000780000ae411bede000110859002f8fffe",
		"9078000200000780000ae411bede00010232a69651e56f"
		"32652ce14cea23377af95779bc13591f00000002"},
	{DP_SUITE_AES256_GCM_RTPSIZE, 8,
		"81c90007000ae411000000010000000000000002000000000000000000000000",
		"81c90007000ae411bea6159dbb9b2a283048cd622c7ec8db4e556d34615d2a99"
		"206f689f7718770b3db725507be1b2c900000003"},
	{DP_SUITE_XCHACHA20_RTPSIZE, 8,
		"81c90007000ae411000000010000000000000002000000000000000000000000",
		"81c90007000ae41168c7f336c01f384d22e1e792118556a99e2379d3a25a9102"
		"77b30e126e7771b34fd8cb8426655b9900000003"},
};

static void golden_key(struct crypto_engine *engine, const struct suite *suite)
{
	for (unsigned i = 0; i < DP_KEY_SIZE_MAX; i++) {
		ring.raw[0][i] = (uint8_t)i;
	}
	expand(engine, suite, 0);
}

static enum dp_verdict open_copy(struct crypto_engine *engine, const struct suite *suite,
	const uint8_t *packet, uint32_t size, uint16_t aad_size, struct room *r)
{
	struct open_job job = {.key = &ring.expanded[0],
		.size = (uint16_t)size,
		.aad_size = aad_size,
		.verdict = DP_VERDICT_COUNT};

	job.pkt = room_init(r, 0, size);
	memcpy(job.pkt, packet, size);
	suite->open(engine, &(struct open_job *){&job}, 1);
	room_check(r);
	return job.verdict;
}

static void golden_packets_seal_and_open(void **state)
{
	(void)state;
	for (unsigned n = 0; n < engine_count * 6; n++) {
		struct crypto_engine *engine = engines[n / 6];
		const struct golden *g = &goldens[n % 6];
		const struct suite *suite = suite_get(g->suite);
		uint8_t clear[64], packet[80], out[80];
		uint32_t clear_size = hex_bytes(clear, g->clear),
			 size = hex_bytes(packet, g->packet);
		struct seal_job job = {.key = &ring.expanded[0],
			.src = clear + g->aad_size,
			.dst = out,
			.aad = clear,
			.src_size = (uint16_t)(clear_size - g->aad_size),
			.aad_size = g->aad_size};

		assert_int_equal(size, clear_size + DP_RTPSIZE_OVERHEAD);
		golden_key(engine, suite);
		memcpy(job.iv, packet + size - 4, 4);
		suite->seal(engine, &(struct seal_job *){&job}, 1);
		assert_memory_equal(out, packet + g->aad_size, size - g->aad_size);
		assert_int_equal(
			open_copy(engine, suite, packet, size, g->aad_size, &rooms[0]), DP_OK);
		assert_memory_equal(rooms[0].bytes + ROOM_GUARD, clear, clear_size);
	}
}

static void every_flipped_bit_is_refused(void **state)
{
	(void)state;
	for (unsigned n = 0; n < engine_count * 6; n++) {
		struct crypto_engine *engine = engines[n / 6];
		const struct golden *g = &goldens[n % 6];
		const struct suite *suite = suite_get(g->suite);
		uint8_t packet[80];
		uint32_t size = hex_bytes(packet, g->packet);

		golden_key(engine, suite);
		for (uint32_t bit = 0; bit < size * 8; bit++) {
			packet[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_int_equal(
				open_copy(engine, suite, packet, size, g->aad_size, &rooms[0]),
				DP_SRTP_AUTH);
			packet[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
}

static void every_truncation_and_every_wrong_header_size_is_refused(void **state)
{
	(void)state;
	for (unsigned n = 0; n < engine_count * 6; n++) {
		struct crypto_engine *engine = engines[n / 6];
		const struct golden *g = &goldens[n % 6];
		const struct suite *suite = suite_get(g->suite);
		uint8_t packet[80];
		uint32_t size = hex_bytes(packet, g->packet);

		golden_key(engine, suite);
		for (uint32_t cut = 0; cut < size; cut++) {
			assert_int_equal(
				open_copy(engine, suite, packet, cut, g->aad_size, &rooms[0]),
				DP_SRTP_AUTH);
		}
		for (uint16_t aad_size = 0; aad_size <= size; aad_size++) {
			assert_int_equal(
				open_copy(engine, suite, packet, size, aad_size, &rooms[0]),
				aad_size == g->aad_size ? DP_OK : DP_SRTP_AUTH);
		}
	}
}

static void another_key_or_suite_does_not_open(void **state)
{
	(void)state;
	for (unsigned n = 0; n < engine_count * 6; n++) {
		struct crypto_engine *engine = engines[n / 6];
		const struct golden *g = &goldens[n % 6];
		const struct suite *suite = suite_get(g->suite);
		const struct suite *other = suite_get(suite_ids[suite->id == suite_ids[0]]);
		uint8_t packet[80];
		uint32_t size = hex_bytes(packet, g->packet);

		golden_key(engine, other);
		assert_int_equal(open_copy(engine, other, packet, size, g->aad_size, &rooms[0]),
			DP_SRTP_AUTH);
		golden_key(engine, suite);
		for (unsigned bit = 0; bit < DP_KEY_SIZE_MAX * 8; bit++) {
			ring.raw[0][bit / 8] ^= (uint8_t)(1 << bit % 8);
			expand(engine, suite, 0);
			assert_int_equal(
				open_copy(engine, suite, packet, size, g->aad_size, &rooms[0]),
				DP_SRTP_AUTH);
			ring.raw[0][bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
}

static void an_empty_call_does_nothing(void **state)
{
	(void)state;
	for (unsigned s = 0; s < 2; s++) {
		suite_get(suite_ids[s])->seal(engines[0], seal_list, 0);
		suite_get(suite_ids[s])->open(engines[0], open_list, 0);
	}
}

static int engines_create(void **state)
{
	static const IMB_ARCH archs[] = {
		IMB_ARCH_SSE, IMB_ARCH_AVX, IMB_ARCH_AVX2, IMB_ARCH_AVX512};

	(void)state;
	evp = EVP_CIPHER_CTX_new();
	engines[engine_count++] = crypto_engine_create(CRYPTO_ENGINE_AUTO, NULL, 0);
	for (unsigned i = 0; i < sizeof(archs) / sizeof(archs[0]); i++) {
		engines[engine_count] = crypto_engine_create_as(
			&(struct crypto_engine_setup){.arch = archs[i]}, NULL, 0);
		if (engines[engine_count] != NULL) {
			engine_count++;
		}
	}
	return evp == NULL || engines[0] == NULL || sodium_init() < 0;
}

static int engines_destroy(void **state)
{
	(void)state;
	for (unsigned i = 0; i < engine_count; i++) {
		crypto_engine_destroy(engines[i]);
	}
	EVP_CIPHER_CTX_free(evp);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_packets_seal_and_open),
		cmocka_unit_test(seals_as_the_oracle_in_batches_of_mixed_keys),
		cmocka_unit_test(opens_what_the_oracle_sealed_and_only_that),
		cmocka_unit_test(seals_every_size),
		cmocka_unit_test(opens_every_size),
		cmocka_unit_test(every_flipped_bit_is_refused),
		cmocka_unit_test(every_truncation_and_every_wrong_header_size_is_refused),
		cmocka_unit_test(another_key_or_suite_does_not_open),
		cmocka_unit_test(an_empty_call_does_nothing),
	};

	return cmocka_run_group_tests_name("rtpsize", tests, engines_create, engines_destroy);
}
