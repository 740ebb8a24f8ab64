// SPDX-License-Identifier: BSD-3-Clause
//
// The sealer's answers at start: two that are known (GCM specification, McGrew and Viega, test
// cases 4 and 16), and for each path through its code one that the library gives too.
#include <stdalign.h>
#include <string.h>

#include "crypto/engine.h"
#include "crypto/gcm_key.h"
#include "crypto/sealer.h"

#define TAG_SIZE 16
#define SALT_SIZE 12
#define PACKET_MAX (SEALER_SRC_MAX + TAG_SIZE)

struct known {
	unsigned key_size;
	uint8_t text[60 + TAG_SIZE];
};

static const uint8_t known_key[32] = {0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65, 0x73, 0x1c, 0x6d, 0x6a,
	0x8f, 0x94, 0x67, 0x30, 0x83, 0x08, 0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65, 0x73, 0x1c, 0x6d,
	0x6a, 0x8f, 0x94, 0x67, 0x30, 0x83, 0x08};
static const uint8_t known_iv[SALT_SIZE] = {
	0xca, 0xfe, 0xba, 0xbe, 0xfa, 0xce, 0xdb, 0xad, 0xde, 0xca, 0xf8, 0x88};
static const uint8_t known_aad[20] = {0xfe, 0xed, 0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef, 0xfe, 0xed,
	0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef, 0xab, 0xad, 0xda, 0xd2};
static const uint8_t known_src[60] = {0xd9, 0x31, 0x32, 0x25, 0xf8, 0x84, 0x06, 0xe5, 0xa5, 0x59,
	0x09, 0xc5, 0xaf, 0xf5, 0x26, 0x9a, 0x86, 0xa7, 0xa9, 0x53, 0x15, 0x34, 0xf7, 0xda, 0x2e,
	0x4c, 0x30, 0x3d, 0x8a, 0x31, 0x8a, 0x72, 0x1c, 0x3c, 0x0c, 0x95, 0x95, 0x68, 0x09, 0x53,
	0x2f, 0xcf, 0x0e, 0x24, 0x49, 0xa6, 0xb5, 0x25, 0xb1, 0x6a, 0xed, 0xf5, 0xaa, 0x0d, 0xe6,
	0x57, 0xba, 0x63, 0x7b, 0x39};
static const struct known known[] = {
	{16, {0x42, 0x83, 0x1e, 0xc2, 0x21, 0x77, 0x74, 0x24, 0x4b, 0x72, 0x21, 0xb7, 0x84, 0xd0,
		     0xd4, 0x9c, 0xe3, 0xaa, 0x21, 0x2f, 0x2c, 0x02, 0xa4, 0xe0, 0x35, 0xc1, 0x7e,
		     0x23, 0x29, 0xac, 0xa1, 0x2e, 0x21, 0xd5, 0x14, 0xb2, 0x54, 0x66, 0x93, 0x1c,
		     0x7d, 0x8f, 0x6a, 0x5a, 0xac, 0x84, 0xaa, 0x05, 0x1b, 0xa3, 0x0b, 0x39, 0x6a,
		     0x0a, 0xac, 0x97, 0x3d, 0x58, 0xe0, 0x91, 0x5b, 0xc9, 0x4f, 0xbc, 0x32, 0x21,
		     0xa5, 0xdb, 0x94, 0xfa, 0xe9, 0x5a, 0xe7, 0x12, 0x1a, 0x47}},
	{32, {0x52, 0x2d, 0xc1, 0xf0, 0x99, 0x56, 0x7d, 0x07, 0xf4, 0x7f, 0x37, 0xa3, 0x2a, 0x84,
		     0x42, 0x7d, 0x64, 0x3a, 0x8c, 0xdc, 0xbf, 0xe5, 0xc0, 0xc9, 0x75, 0x98, 0xa2,
		     0xbd, 0x25, 0x55, 0xd1, 0xaa, 0x8c, 0xb0, 0x8e, 0x48, 0x59, 0x0d, 0xbb, 0x3d,
		     0xa7, 0xb0, 0x8b, 0x10, 0x56, 0x82, 0x88, 0x38, 0xc5, 0xf6, 0x1e, 0x63, 0x93,
		     0xba, 0x7a, 0x0a, 0xbc, 0xc9, 0xf6, 0x62, 0x76, 0xfc, 0x6e, 0xce, 0x0f, 0x4e,
		     0x17, 0x68, 0xcd, 0xdf, 0x88, 0x53, 0xbb, 0x2d, 0x55, 0x1b}},
};

// Four keys, and what is sealed with them.
struct field {
	struct suite_key keys[SEALER_GROUP];
	alignas(16) uint8_t salts[SEALER_GROUP][16];
	struct seal_job jobs[SEALER_GROUP];
	const struct seal_job *list[SEALER_GROUP];
	struct sealer_scratch scratch;
	uint8_t src[SEALER_SRC_MAX], aad[SEALER_AAD_MAX];
	uint8_t packets[SEALER_GROUP][PACKET_MAX], expected[PACKET_MAX];
};

static void key_set(struct crypto_engine *engine, struct suite_key *out, const uint8_t *key,
	unsigned key_size, const uint8_t *salt)
{
	sealer_key_expand(out, key, key_size, salt);
	(key_size == 16 ? engine->mgr->gcm128_pre : engine->mgr->gcm256_pre)(
		key, gcm_tables_of(out));
}

// 'keys', 'salts', 'src' and 'aad' of 'f' in any order, by numbers that repeat late.
static void field_fill(struct field *f, struct crypto_engine *engine, unsigned key_size)
{
	uint8_t key[32];
	uint32_t x = 1;

	for (unsigned i = 0; i < sizeof(f->src); i++) {
		x = x * 1664525 + 1013904223;
		f->src[i] = (uint8_t)(x >> 24);
	}
	memcpy(f->aad, f->src + 700, sizeof(f->aad));
	for (unsigned g = 0; g < SEALER_GROUP; g++) {
		memcpy(key, f->src + 100 * g, sizeof(key));
		memcpy(f->salts[g], f->src + 100 * g + 50, SALT_SIZE);
		key_set(engine, &f->keys[g], key, key_size, f->salts[g]);
		f->jobs[g] = (struct seal_job){
			.key = &f->keys[g], .src = f->src, .dst = f->packets[g], .aad = f->aad};
		memcpy(f->jobs[g].iv, f->src + 100 * g + 70, SALT_SIZE);
		f->list[g] = &f->jobs[g];
	}
}

static bool library_agrees(struct field *f, struct crypto_engine *engine, unsigned key_size)
{
	aes_gcm_enc_dec_t encrypt =
		key_size == 16 ? engine->mgr->gcm128_enc : engine->mgr->gcm256_enc;

	sealer_avx512_seal(&f->scratch, key_size, 0, f->list, 1);
	for (unsigned g = 0; g < SEALER_GROUP; g++) {
		const struct seal_job *job = &f->jobs[g];
		alignas(16) uint8_t nonce[16];

		for (unsigned i = 0; i < sizeof(nonce); i++) {
			nonce[i] = job->iv[i] ^ f->salts[g][i];
		}
		encrypt(gcm_tables(job->key), &engine->gcm, f->expected, job->src, job->src_size,
			nonce, job->aad, job->aad_size, f->expected + job->src_size, TAG_SIZE);
		if (memcmp(job->dst, f->expected, job->src_size + TAG_SIZE) != 0) {
			return false;
		}
	}
	return true;
}

static bool key_size_holds(struct field *f, struct crypto_engine *engine, unsigned key_size)
{
	// One or two vectors, the tag's lane each of four, a chunk before that is full or is not.
	static const uint16_t sizes[] = {
		0, 1, 16, 47, 48, 49, 64, 65, 100, 112, 113, 128, 129, 176, 192, 240, 1200};
	static const uint16_t aads[] = {8, 12, 16, 20, 32, 44, 64};

	field_fill(f, engine, key_size);
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (unsigned j = 0; j < sizeof(aads) / sizeof(aads[0]); j++) {
			for (unsigned g = 0; g < SEALER_GROUP; g++) {
				f->jobs[g].src_size = sizes[i];
				f->jobs[g].aad_size = aads[j];
			}
			if (!library_agrees(f, engine, key_size)) {
				return false;
			}
		}
	}
	return true;
}

static bool known_holds(struct field *f, struct crypto_engine *engine, const struct known *k)
{
	alignas(16) uint8_t iv[16] = {0};

	memcpy(iv, known_iv, sizeof(known_iv));
	for (unsigned g = 0; g < SEALER_GROUP; g++) {
		key_set(engine, &f->keys[g], known_key, k->key_size, NULL);
		f->jobs[g] = (struct seal_job){.key = &f->keys[g],
			.src = known_src,
			.dst = f->packets[g],
			.aad = known_aad,
			.src_size = sizeof(known_src),
			.aad_size = sizeof(known_aad)};
		memcpy(f->jobs[g].iv, iv, sizeof(iv));
	}
	sealer_avx512_seal(&f->scratch, k->key_size, 0, f->list, 1);
	for (unsigned g = 0; g < SEALER_GROUP; g++) {
		if (memcmp(f->packets[g], k->text, sizeof(k->text)) != 0) {
			return false;
		}
	}
	return true;
}

bool sealer_selftest_passes(struct crypto_engine *engine)
{
	static const struct field zeros;
	struct field f = zeros;

	return key_size_holds(&f, engine, 16) && key_size_holds(&f, engine, 32) &&
	       known_holds(&f, engine, &known[0]) && known_holds(&f, engine, &known[1]);
}
