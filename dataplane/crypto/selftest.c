// SPDX-License-Identifier: BSD-3-Clause
//
// Vectors: GCM specification (McGrew, Viega), test case 14; draft-irtf-cfrg-xchacha-03
// section 2.2.1; packets of the rtpsize suites, made with OpenSSL and libsodium (protocol.md 4.5);
// packets of the SRTP suites, made with libsrtp2.
#include "crypto/selftest.h"

#include <stdbool.h>
#include <string.h>

#include "crypto/engine.h"
#include "crypto/hchacha20.h"
#include "crypto/iv.h"
#include "crypto/suite.h"

#define PACKET_SIZE_MAX 80
// In one call: full lanes of every path, and some left over.
#define BATCH_COUNT 40

// 'packet' = header | what sealing made of 'text', in hex.
struct vector {
	enum dp_suite suite;
	uint8_t key_first, key_step; // key byte n = first + n * step; of the salt: 0xa0 + n
	uint8_t aad_size;            // 8: RTCP
	uint8_t text_size;
	uint64_t index; // of SRTP and SRTCP
	uint8_t text[24];
	const char *packet;
};

#define SILENCE                  \
	{                        \
		0xf8, 0xff, 0xfe \
	} // of Opus
#define REPORT                                     \
	{                                          \
		0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2 \
	} // a receiver's, its first eight bytes are in clear

static const struct vector vectors[] = {
	// GCM specification, test case 14: everything zero.
	{DP_SUITE_AES256_GCM_RTPSIZE, 0, 0, 0, 16, 0, {0},
		"cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab91900000000"},
	{DP_SUITE_AES256_GCM_RTPSIZE, 0, 1, 12, 3, 0, SILENCE,
		"80780001000003c0000ae411bcc933ace9c0dea0d47f98fd9cfa1142eb4c5a00000001"},
	{DP_SUITE_XCHACHA20_RTPSIZE, 0, 1, 12, 3, 0, SILENCE,
		"80780001000003c0000ae411f158af82fbae7241e69019b4c083c5bf1f80c800000001"},
	{DP_SUITE_AES128_GCM, 0, 1, 12, 3, 0x010203040001, SILENCE,
		"80780001000003c0000ae4110affa33faca8478d767475ae7c1c24527c2c82"},
	{DP_SUITE_AES256_GCM, 0, 1, 12, 3, 0x010203040001, SILENCE,
		"80780001000003c0000ae4111bff98d1a256ca79d832aa5a411007d6017774"},
	{DP_SUITE_AES_CM_128_HMAC_SHA1_80, 0, 1, 12, 3, 0x010203040001, SILENCE,
		"80780001000003c0000ae4112a2168f6ca4ab5c84c1ac50a94"},
	{DP_SUITE_AES256_GCM_RTPSIZE, 0, 1, 8, 24, 0, REPORT,
		"81c90007000ae411bea6159dbb9b2a283048cd622c7ec8db4e556d34615d2a99206f689f7718770b"
		"3db725507be1b2c900000003"},
	{DP_SUITE_XCHACHA20_RTPSIZE, 0, 1, 8, 24, 0, REPORT,
		"81c90007000ae41168c7f336c01f384d22e1e792118556a99e2379d3a25a910277b30e126e7771b3"
		"4fd8cb8426655b9900000003"},
	{DP_SUITE_AES128_GCM, 0, 1, 8, 24, 3, REPORT,
		"81c90007000ae41170228b1a101f5b0b679bf940bf4d639401f11312381397802"
		"3e3692b4ce13c8d38ab0a225923560980000003"},
	{DP_SUITE_AES256_GCM, 0, 1, 8, 24, 3, REPORT,
		"81c90007000ae411504ff5492253955feb45a719fca458100676cef5d954b1aba"
		"6b6868d76c6f752b12eea0420daa88c80000003"},
	{DP_SUITE_AES_CM_128_HMAC_SHA1_80, 0, 1, 8, 24, 3, REPORT,
		"81c90007000ae411b47835419c59829e06ff0bb1d1d843e9b4fcd2676637720e"
		"80000003fa1f4d57ca13971d5c9a"},
};

// A vector made ready.
struct trial {
	const struct vector *vector;
	const struct suite *suite;
	struct suite_key key;
	struct suite_rtcp_key rtcp_key;
	uint16_t size;
	uint8_t expected[PACKET_SIZE_MAX];
	alignas(16) uint8_t iv[16];
	uint8_t packets[BATCH_COUNT][PACKET_SIZE_MAX];
	struct seal_job seals[BATCH_COUNT];
	struct open_job opens[BATCH_COUNT];
	struct seal_job *seal_list[BATCH_COUNT];
	struct open_job *open_list[BATCH_COUNT];
};

static bool is_rtcp(const struct trial *t)
{
	return t->vector->aad_size == 8;
}

static uint8_t digit(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

// False: the engine does not take the key.
static bool trial_begin(struct crypto_engine *engine, struct trial *t, const struct vector *vector)
{
	uint8_t key[DP_KEY_SIZE_MAX], salt[DP_SALT_SIZE_MAX];

	memset(t, 0, sizeof(*t));
	t->vector = vector;
	t->suite = suite_get(vector->suite);
	for (unsigned i = 0; i < sizeof(key); i++) {
		key[i] = (uint8_t)(vector->key_first + i * vector->key_step);
	}
	for (unsigned i = 0; i < sizeof(salt); i++) {
		salt[i] = (uint8_t)(0xa0 + i);
	}
	for (const char *at = vector->packet; *at != '\0'; at += 2) {
		t->expected[t->size++] = (uint8_t)(digit(at[0]) << 4 | digit(at[1]));
	}
	if (t->suite->salt_size == 0) {
		iv_rtpsize(t->iv, t->expected + t->size - DP_RTPSIZE_SUFFIX_SIZE);
	} else {
		iv_srtp(t->iv, vector->suite, 0x000ae411, vector->index);
	}
	if (is_rtcp(t) && t->suite->rtcp_key_derive != NULL) {
		return t->suite->rtcp_key_derive(engine, &t->rtcp_key, key, salt) == 0;
	}
	return t->suite->key_expand(engine, &t->key, key, salt) == 0;
}

static void trial_fill(struct trial *t, unsigned count)
{
	bool is_derived = is_rtcp(t) && t->suite->rtcp_key_derive != NULL;

	for (unsigned i = 0; i < count; i++) {
		uint8_t *packet = t->packets[i];

		memcpy(packet, t->expected, t->vector->aad_size);
		t->seals[i] = (struct seal_job){.key = &t->key,
			.src = t->vector->text,
			.dst = packet + t->vector->aad_size,
			.aad = t->expected,
			.src_size = t->vector->text_size,
			.aad_size = t->vector->aad_size};
		t->opens[i] = (struct open_job){.key = &t->key,
			.pkt = packet,
			.size = t->size,
			.aad_size = t->vector->aad_size};
		if (is_derived) {
			t->seals[i].rtcp_key = &t->rtcp_key;
			t->opens[i].rtcp_key = &t->rtcp_key;
		}
		memcpy(t->seals[i].iv, t->iv, sizeof(t->iv));
		memcpy(t->opens[i].iv, t->iv, sizeof(t->iv));
		t->seal_list[i] = &t->seals[i];
		t->open_list[i] = &t->opens[i];
	}
}

static bool trial_seals(struct crypto_engine *engine, struct trial *t, unsigned count)
{
	(is_rtcp(t) ? t->suite->rtcp_seal : t->suite->seal)(engine, t->seal_list, count);
	for (unsigned i = 0; i < count; i++) {
		if (memcmp(t->packets[i], t->expected, t->size) != 0) {
			return false;
		}
	}
	return true;
}

// What was just sealed; the last packet with one bit of its tag wrong.
static bool trial_opens(struct crypto_engine *engine, struct trial *t, unsigned count)
{
	unsigned tag = t->vector->aad_size + t->vector->text_size;

	if (t->vector->suite == DP_SUITE_AES_CM_128_HMAC_SHA1_80 && is_rtcp(t)) {
		tag += 4; // behind the index
	}
	t->packets[count - 1][tag] ^= 1;
	(is_rtcp(t) ? t->suite->rtcp_open : t->suite->open)(engine, t->open_list, count);
	for (unsigned i = 0; i + 1 < count; i++) {
		if (t->opens[i].verdict != DP_OK ||
			memcmp(t->packets[i] + t->vector->aad_size, t->vector->text,
				t->vector->text_size) != 0) {
			return false;
		}
	}
	return t->opens[count - 1].verdict == DP_SRTP_AUTH;
}

static bool vector_holds(struct crypto_engine *engine, const struct vector *vector)
{
	static const unsigned counts[] = {1, 2, BATCH_COUNT};
	struct trial t;
	bool holds = trial_begin(engine, &t, vector);

	for (unsigned i = 0; i < sizeof(counts) / sizeof(counts[0]) && holds; i++) {
		trial_fill(&t, counts[i]);
		holds = trial_seals(engine, &t, counts[i]) && trial_opens(engine, &t, counts[i]);
	}
	suite_key_wipe(engine, &t.key);
	return holds;
}

static bool hchacha20_holds(void)
{
	static const uint8_t input[HCHACHA20_INPUT_SIZE] = {
		0, 0, 0, 0x09, 0, 0, 0, 0x4a, 0, 0, 0, 0, 0x31, 0x41, 0x59, 0x27};
	static const uint8_t expected[HCHACHA20_KEY_SIZE] = {0x82, 0x41, 0x3b, 0x42, 0x27, 0xb2,
		0x7b, 0xfe, 0xd3, 0x0e, 0x42, 0x50, 0x8a, 0x87, 0x7d, 0x73, 0xa0, 0xf9, 0xe4, 0xd5,
		0x8a, 0x74, 0xa8, 0x53, 0xc1, 0x2e, 0xc4, 0x13, 0x26, 0xd3, 0xec, 0xdc};
	uint8_t key[HCHACHA20_KEY_SIZE], out[HCHACHA20_KEY_SIZE];

	for (unsigned i = 0; i < sizeof(key); i++) {
		key[i] = (uint8_t)i;
	}
	hchacha20(out, key, input);
	return memcmp(out, expected, sizeof(out)) == 0;
}

// The lanes of the vector form against the scalar form.
static bool hchacha20_many_holds(struct crypto_engine *engine)
{
	uint8_t key[HCHACHA20_LANES][HCHACHA20_KEY_SIZE], out[HCHACHA20_LANES][HCHACHA20_KEY_SIZE];
	const uint8_t *keys[HCHACHA20_LANES];
	uint32_t words[HCHACHA20_LANES];

	for (unsigned lane = 0; lane < HCHACHA20_LANES; lane++) {
		memset(key[lane], (int)(lane * 0x11), sizeof(key[lane]));
		keys[lane] = key[lane];
		words[lane] = 0x80000080u + lane;
	}
	engine->hchacha20_many(out, keys, words, HCHACHA20_LANES);
	for (unsigned lane = 0; lane < HCHACHA20_LANES; lane++) {
		uint8_t input[HCHACHA20_INPUT_SIZE] = {0}, expected[HCHACHA20_KEY_SIZE];

		memcpy(input, &words[lane], sizeof(words[lane]));
		hchacha20(expected, keys[lane], input);
		if (memcmp(out[lane], expected, sizeof(expected)) != 0) {
			return false;
		}
	}
	return true;
}

enum dp_suite selftest_run(struct crypto_engine *engine)
{
	for (unsigned i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		if (crypto_engine_runs(engine, vectors[i].suite) &&
			!vector_holds(engine, &vectors[i])) {
			return vectors[i].suite;
		}
	}
	if (crypto_engine_runs(engine, DP_SUITE_XCHACHA20_RTPSIZE) &&
		!(hchacha20_holds() && hchacha20_many_holds(engine))) {
		return DP_SUITE_XCHACHA20_RTPSIZE;
	}
	return DP_SUITE_NONE;
}
