// SPDX-License-Identifier: BSD-3-Clause
//
// Vectors: GCM specification (McGrew, Viega), test case 14; draft-irtf-cfrg-xchacha-03
// section 2.2.1; and packets of the rtpsize suites, made with OpenSSL and libsodium
// (protocol.md 4.5).
#include "crypto/selftest.h"

#include <string.h>

#include "crypto/engine.h"
#include "crypto/hchacha20.h"
#include "crypto/iv.h"
#include "crypto/suite.h"

#define VECTOR_TEXT_MAX 64

// 'packet' = aad | ciphertext | tag | suffix, sealed from 'text'.
struct vector {
	enum dp_suite suite;
	uint8_t key_first, key_step; // key byte n = first + n * step
	uint8_t aad_size, text_size;
	uint8_t text[VECTOR_TEXT_MAX];
	uint8_t packet[16 + VECTOR_TEXT_MAX + DP_RTPSIZE_OVERHEAD];
};

static const struct vector vectors[] = {
	// GCM specification, test case 14: everything zero.
	{DP_SUITE_AES256_GCM_RTPSIZE, 0, 0, 0, 16, {0},
		{0xce, 0xa7, 0x40, 0x3d, 0x4d, 0x60, 0x6b, 0x6e, 0x07, 0x4e, 0xc5, 0xd3, 0xba, 0xf3,
			0x9d, 0x18, 0xd0, 0xd1, 0xc8, 0xa7, 0x99, 0x99, 0x6b, 0xf0, 0x26, 0x5b,
			0x98, 0xb5, 0xd4, 0x8a, 0xb9, 0x19, 0x00, 0x00, 0x00, 0x00}},
	// Opus silence.
	{DP_SUITE_AES256_GCM_RTPSIZE, 0, 1, 12, 3, {0xf8, 0xff, 0xfe},
		{0x80, 0x78, 0x00, 0x01, 0x00, 0x00, 0x03, 0xc0, 0x00, 0x0a, 0xe4, 0x11, 0xbc, 0xc9,
			0x33, 0xac, 0xe9, 0xc0, 0xde, 0xa0, 0xd4, 0x7f, 0x98, 0xfd, 0x9c, 0xfa,
			0x11, 0x42, 0xeb, 0x4c, 0x5a, 0x00, 0x00, 0x00, 0x01}},
	{DP_SUITE_XCHACHA20_RTPSIZE, 0, 1, 12, 3, {0xf8, 0xff, 0xfe},
		{0x80, 0x78, 0x00, 0x01, 0x00, 0x00, 0x03, 0xc0, 0x00, 0x0a, 0xe4, 0x11, 0xf1, 0x58,
			0xaf, 0x82, 0xfb, 0xae, 0x72, 0x41, 0xe6, 0x90, 0x19, 0xb4, 0xc0, 0x83,
			0xc5, 0xbf, 0x1f, 0x80, 0xc8, 0x00, 0x00, 0x00, 0x01}},
	// RTCP receiver report: only its first eight bytes are in clear.
	{DP_SUITE_AES256_GCM_RTPSIZE, 0, 1, 8, 24, {0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2},
		{0x81, 0xc9, 0x00, 0x07, 0x00, 0x0a, 0xe4, 0x11, 0xbe, 0xa6, 0x15, 0x9d, 0xbb, 0x9b,
			0x2a, 0x28, 0x30, 0x48, 0xcd, 0x62, 0x2c, 0x7e, 0xc8, 0xdb, 0x4e, 0x55,
			0x6d, 0x34, 0x61, 0x5d, 0x2a, 0x99, 0x20, 0x6f, 0x68, 0x9f, 0x77, 0x18,
			0x77, 0x0b, 0x3d, 0xb7, 0x25, 0x50, 0x7b, 0xe1, 0xb2, 0xc9, 0x00, 0x00,
			0x00, 0x03}},
	{DP_SUITE_XCHACHA20_RTPSIZE, 0, 1, 8, 24, {0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2},
		{0x81, 0xc9, 0x00, 0x07, 0x00, 0x0a, 0xe4, 0x11, 0x68, 0xc7, 0xf3, 0x36, 0xc0, 0x1f,
			0x38, 0x4d, 0x22, 0xe1, 0xe7, 0x92, 0x11, 0x85, 0x56, 0xa9, 0x9e, 0x23,
			0x79, 0xd3, 0xa2, 0x5a, 0x91, 0x02, 0x77, 0xb3, 0x0e, 0x12, 0x6e, 0x77,
			0x71, 0xb3, 0x4f, 0xd8, 0xcb, 0x84, 0x26, 0x65, 0x5b, 0x99, 0x00, 0x00,
			0x00, 0x03}},
};

static bool vector_holds(struct crypto_engine *engine, const struct vector *v)
{
	const struct suite *suite = suite_get(v->suite);
	uint16_t size = (uint16_t)(v->aad_size + v->text_size + DP_RTPSIZE_OVERHEAD);
	uint8_t key[DP_KEY_SIZE_MAX], packet[sizeof(v->packet)];
	struct suite_key expanded = {0};
	struct seal_job seal = {.key = &expanded,
		.src = v->text,
		.dst = packet + v->aad_size,
		.aad = v->packet,
		.src_size = v->text_size,
		.aad_size = v->aad_size};
	struct open_job open = {
		.key = &expanded, .pkt = packet, .size = size, .aad_size = v->aad_size};

	for (unsigned i = 0; i < sizeof(key); i++) {
		key[i] = (uint8_t)(v->key_first + i * v->key_step);
	}
	if (suite->key_expand(engine, &expanded, key, NULL) < 0) {
		return false;
	}
	memcpy(packet, v->packet, v->aad_size);
	iv_rtpsize(seal.iv, v->packet + size - DP_RTPSIZE_SUFFIX_SIZE);
	suite->seal(engine, &(struct seal_job *){&seal}, 1);
	if (memcmp(packet, v->packet, size) != 0) {
		return false;
	}
	suite->open(engine, &(struct open_job *){&open}, 1);
	if (open.verdict != DP_OK || memcmp(packet + v->aad_size, v->text, v->text_size) != 0) {
		return false;
	}
	memcpy(packet, v->packet, size);
	packet[v->aad_size + v->text_size] ^= 1; // of the tag
	suite->open(engine, &(struct open_job *){&open}, 1);
	return open.verdict == DP_SRTP_AUTH;
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

bool selftest_passes(struct crypto_engine *engine)
{
	for (unsigned i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		if (!vector_holds(engine, &vectors[i])) {
			return false;
		}
	}
	return hchacha20_holds() && hchacha20_many_holds(engine);
}
