// SPDX-License-Identifier: BSD-3-Clause
//
// The SRTP suites on every path of the library that this CPU has: published packets and keystream,
// and what must be refused. Random packets are srtp_equal_test.c's.

#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/engine.h"
#include "crypto/iv.h"
#include "crypto/srtp.h"
#include "crypto/suite.h"
#include "support/hex.h"
#include "support/room.h"

#define PACKET_MAX 128
#define RTCP_AAD 8

// One engine per path; [0] is the one that the product would take.
static struct crypto_engine *engines[5];
static unsigned engine_count;

// 'key' and 'salt' are a session's (GCM) or a master's (AES_CM).
struct vector {
	enum dp_suite suite;
	bool is_rtcp;
	uint64_t index;
	const char *key, *salt, *clear, *packet;
};

#define KEY_128 "000102030405060708090a0b0c0d0e0f"
#define KEY_256 KEY_128 "101112131415161718191a1b1c1d1e1f"
#define QUID_PRO_QUO "517569642070726f2071756f"
#define GALLIA                                     \
	"8040f17b8041f8d35501a0b2"                 \
	"47616c6c696120657374206f6d6e697320646976" \
	"69736120696e207061727465732074726573"
#define MARS                                       \
	"81c8000d4d617273"                         \
	"4e5450314e545032525450200000042a0000e930" \
	"4c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef"
#define RFC3711_KEY "e1f97a0d3e018be0d64fa32c06de4139"
#define RFC3711_SALT "0ec675ad498afeebb6960b3aabe6"

static const struct vector vectors[] = {
	// RFC 7714 sections 16.1.1, 16.2.1.
	{DP_SUITE_AES128_GCM, false, 0xf17b, KEY_128, QUID_PRO_QUO, GALLIA,
		"8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a"
		"51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce"},
	{DP_SUITE_AES256_GCM, false, 0xf17b, KEY_256, QUID_PRO_QUO, GALLIA,
		"8040f17b8041f8d35501a0b232b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a02"
		"76ffae0f1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13"},
	// Sections 17.1, 17.2.
	{DP_SUITE_AES128_GCM, true, 0x5d4, KEY_128, QUID_PRO_QUO, MARS,
		"81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda"
		"4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4"},
	{DP_SUITE_AES256_GCM, true, 0x5d4, KEY_256, QUID_PRO_QUO, MARS,
		"81c8000d4d617273d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be"
		"8415f658c61de0476f1b6fad1d1eb30c4446839f57ff6f6cb26ac3be800005d4"},
	// No RFC prints a packet of this suite: these are libsrtp2's own, from its test driver,
	// under
	// the master key of RFC 3711 appendix B.3.
	{DP_SUITE_AES_CM_128_HMAC_SHA1_80, false, 0x1234, RFC3711_KEY, RFC3711_SALT,
		"800f1234decafbadcafebabeabababababababababababababababab",
		"800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb"},
	{DP_SUITE_AES_CM_128_HMAC_SHA1_80, true, 1, RFC3711_KEY, RFC3711_SALT,
		"81c8000bcafebabeabababababababababababababababab",
		"81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798"},
};
#define VECTOR_COUNT (sizeof(vectors) / sizeof(vectors[0]))

// A vector with its key, made ready.
static struct {
	const struct vector *vector;
	const struct suite *suite;
	struct crypto_engine *engine;
	struct suite_key key;
	struct suite_rtcp_key rtcp_key;
	uint8_t clear[PACKET_MAX], packet[PACKET_MAX];
	uint32_t clear_size, size;
	uint16_t aad_size;
	alignas(16) uint8_t iv[16];
} t;

static void key_set(const uint8_t *key, const uint8_t *salt)
{
	enum dp_suite id = t.vector->suite;

	suite_key_wipe(t.engine, &t.key);
	if (id != DP_SUITE_AES_CM_128_HMAC_SHA1_80) {
		srtp_gcm_key_set(t.engine, id, &t.key, key, salt);
		srtp_gcm_rtcp_key_set(id, &t.rtcp_key, key, salt);
		return;
	}
	assert_int_equal(t.suite->key_expand(t.engine, &t.key, key, salt), 0);
	assert_int_equal(t.suite->rtcp_key_derive(t.engine, &t.rtcp_key, key, salt), 0);
}

static void iv_set(uint64_t index)
{
	const uint8_t *at = t.packet + (t.vector->is_rtcp ? 4 : 8);

	iv_srtp(t.iv, t.vector->suite,
		(uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3],
		index);
}

static void begin(struct crypto_engine *engine, const struct vector *vector)
{
	uint8_t key[DP_KEY_SIZE_MAX], salt[DP_SALT_SIZE_MAX];

	t.vector = vector;
	t.suite = suite_get(vector->suite);
	t.engine = engine;
	t.aad_size = vector->is_rtcp ? RTCP_AAD : 12;
	t.clear_size = hex_bytes(t.clear, vector->clear);
	t.size = hex_bytes(t.packet, vector->packet);
	assert_int_equal(t.size,
		t.clear_size + (vector->is_rtcp ? t.suite->rtcp_overhead : t.suite->overhead));
	hex_bytes(key, vector->key);
	hex_bytes(salt, vector->salt);
	key_set(key, salt);
	iv_set(vector->index);
}

static void for_every_vector(void (*check)(void))
{
	for (unsigned e = 0; e < engine_count; e++) {
		for (unsigned v = 0; v < VECTOR_COUNT; v++) {
			begin(engines[e], &vectors[v]);
			check();
		}
	}
}

// Opens a copy of the first 'size' bytes.
static enum dp_verdict open_copy(const uint8_t *packet, uint32_t size, uint32_t aad_size)
{
	static struct room room;
	struct open_job job = {.key = &t.key,
		.pkt = room_init(&room, 0, size),
		.size = (uint16_t)size,
		.aad_size = (uint16_t)aad_size,
		.verdict = DP_VERDICT_COUNT};

	memcpy(job.pkt, packet, size);
	memcpy(job.iv, t.iv, sizeof(t.iv));
	if (t.vector->is_rtcp) {
		job.rtcp_key = &t.rtcp_key;
		memset(job.iv, 0xee, sizeof(job.iv)); // comes with the packet
	}
	(t.vector->is_rtcp ? t.suite->rtcp_open : t.suite->open)(
		t.engine, &(struct open_job *){&job}, 1);
	room_check(&room);
	if (job.verdict == DP_OK) {
		assert_memory_equal(job.pkt, t.clear, t.clear_size);
		assert_memory_equal(job.iv, t.iv, sizeof(t.iv));
	}
	return job.verdict;
}

static void check_published(void)
{
	static struct room room;
	uint8_t *packet = room_init(&room, 0, t.size);
	struct seal_job job = {.key = &t.key,
		.src = t.clear + t.aad_size,
		.dst = packet + t.aad_size,
		.aad = t.clear,
		.src_size = (uint16_t)(t.clear_size - t.aad_size),
		.aad_size = t.aad_size};

	memcpy(packet, t.clear, t.aad_size);
	memcpy(job.iv, t.iv, sizeof(t.iv));
	if (t.vector->is_rtcp) {
		job.rtcp_key = &t.rtcp_key;
	}
	(t.vector->is_rtcp ? t.suite->rtcp_seal : t.suite->seal)(
		t.engine, &(struct seal_job *){&job}, 1);
	assert_memory_equal(packet, t.packet, t.size);
	room_check(&room);
	assert_int_equal(open_copy(t.packet, t.size, t.aad_size), DP_OK);
	assert_int_equal(open_copy(t.packet, t.size, t.aad_size), DP_OK); // replays: replay.h
}

static void published_packets_seal_and_open(void **state)
{
	(void)state;
	for_every_vector(check_published);
}

// RFC 3711 appendix B.2; the rest of its keystream is longer than a packet.
static void the_published_keystream_comes_out(void **state)
{
	const char *hex = "E03EAD0935C95E80E166B16DD92B4EB4"
			  "D23513162B02D0F72A43A2FE4A5F97AB"
			  "41E95B3BB0A2E8DD477901E4FCA894C0";
	uint8_t expected[48], key[16], salt[14], auth[20] = {1}, zeros[48] = {0};
	uint8_t packet[12 + 48 + 10] = {0x80};

	(void)state;
	hex_bytes(expected, hex);
	hex_bytes(key, "2B7E151628AED2A6ABF7158809CF4F3C");
	hex_bytes(salt, "F0F1F2F3F4F5F6F7F8F9FAFBFCFD");
	for (unsigned e = 0; e < engine_count; e++) {
		struct suite_key expanded = {0};
		struct seal_job job = {.key = &expanded,
			.src = zeros,
			.dst = packet + 12,
			.aad = packet,
			.src_size = sizeof(zeros),
			.aad_size = 12};

		srtp_cm_key_set(engines[e], &expanded, key, salt, auth);
		srtp_cm_seal(engines[e], &(struct seal_job *){&job}, 1);
		assert_memory_equal(packet + 12, expected, sizeof(expected));
	}
}

static void check_flipped_bits(void)
{
	for (uint32_t bit = 0; bit < t.size * 8; bit++) {
		t.packet[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(open_copy(t.packet, t.size, t.aad_size), DP_SRTP_AUTH);
		t.packet[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_int_equal(open_copy(t.packet, t.size, t.aad_size), DP_OK);
}

static void every_flipped_bit_is_refused(void **state)
{
	(void)state;
	for_every_vector(check_flipped_bits);
}

static void check_truncations(void)
{
	for (uint32_t size = 0; size < t.size; size++) {
		assert_int_equal(open_copy(t.packet, size, t.aad_size), DP_SRTP_AUTH);
	}
	for (uint32_t aad_size = 0; aad_size <= t.size; aad_size++) {
		// The MAC of AES_CM covers header and payload alike, wherever the one ends.
		if (aad_size == t.aad_size ||
			(t.vector->suite == DP_SUITE_AES_CM_128_HMAC_SHA1_80 &&
				!t.vector->is_rtcp && aad_size <= t.clear_size)) {
			continue;
		}
		assert_int_equal(open_copy(t.packet, t.size, aad_size), DP_SRTP_AUTH);
	}
}

static void every_truncation_and_wrong_header_size_is_refused(void **state)
{
	(void)state;
	for_every_vector(check_truncations);
}

static void check_indexes(void)
{
	static const int64_t steps[] = {1, -1, 0x10000, 0x7fff0000, 0x100000000};

	if (t.vector->is_rtcp) {
		return; // in the packet
	}
	for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		iv_set((t.vector->index + (uint64_t)steps[i]) & IV_INDEX_MAX);
		// AES_CM authenticates the roll-over counter; the rest of the index is the
		// header's, so that another one deciphers to garbage.
		if (t.vector->suite == DP_SUITE_AES_CM_128_HMAC_SHA1_80 &&
			(steps[i] == 1 || steps[i] == -1)) {
			continue;
		}
		assert_int_equal(open_copy(t.packet, t.size, t.aad_size), DP_SRTP_AUTH);
	}
}

static void another_index_is_refused(void **state)
{
	(void)state;
	for_every_vector(check_indexes);
}

static void check_other_keys(void)
{
	uint8_t key[DP_KEY_SIZE_MAX], salt[DP_SALT_SIZE_MAX];
	uint32_t key_size = hex_bytes(key, t.vector->key);
	uint32_t salt_size = hex_bytes(salt, t.vector->salt);

	for (uint32_t bit = 0; bit < key_size * 8; bit++) {
		key[bit / 8] ^= (uint8_t)(1 << bit % 8);
		key_set(key, salt);
		assert_int_equal(open_copy(t.packet, t.size, t.aad_size), DP_SRTP_AUTH);
		key[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (uint32_t bit = 0; bit < salt_size * 8; bit++) {
		salt[bit / 8] ^= (uint8_t)(1 << bit % 8);
		key_set(key, salt);
		assert_int_equal(open_copy(t.packet, t.size, t.aad_size), DP_SRTP_AUTH);
		salt[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void another_key_or_salt_does_not_open(void **state)
{
	(void)state;
	for_every_vector(check_other_keys);
}

// RFC 7714 section 17.3: authentic, but in clear. This node's peers encrypt.
static void srtcp_in_clear_is_refused(void **state)
{
	uint8_t packet[PACKET_MAX];
	uint32_t size = hex_bytes(packet, MARS "841dd9683dd78ec92ae58790125f62b3000005d4");

	(void)state;
	for (unsigned e = 0; e < engine_count; e++) {
		begin(engines[e], &vectors[2]);
		assert_int_equal(open_copy(packet, size, t.aad_size), DP_SRTP_AUTH);
	}
}

static void a_wiped_key_is_zeros(void **state)
{
	static const struct suite_rtcp_key rtcp_zeros;
	static const struct suite_key zeros;

	(void)state;
	for (unsigned v = 0; v < VECTOR_COUNT; v++) {
		begin(engines[0], &vectors[v]);
		assert_memory_not_equal(&t.rtcp_key, &rtcp_zeros, sizeof(rtcp_zeros));
		suite_rtcp_key_wipe(&t.rtcp_key);
		assert_memory_equal(&t.rtcp_key, &rtcp_zeros, sizeof(rtcp_zeros));
		suite_key_wipe(t.engine, &t.key);
		assert_memory_equal(&t.key, &zeros, sizeof(zeros));
	}
}

static void an_empty_call_does_nothing(void **state)
{
	(void)state;
	for (unsigned id = DP_SUITE_RTPSIZE_LAST + 1; id < DP_SUITE_COUNT; id++) {
		suite_get(id)->seal(engines[0], NULL, 0);
		suite_get(id)->open(engines[0], NULL, 0);
		suite_get(id)->rtcp_seal(engines[0], NULL, 0);
		suite_get(id)->rtcp_open(engines[0], NULL, 0);
	}
}

static int engines_create(void **state)
{
	static const IMB_ARCH archs[] = {
		IMB_ARCH_SSE, IMB_ARCH_AVX, IMB_ARCH_AVX2, IMB_ARCH_AVX512};

	(void)state;
	engines[engine_count++] = crypto_engine_create(CRYPTO_ENGINE_AUTO, NULL, 0);
	for (unsigned i = 0; i < sizeof(archs) / sizeof(archs[0]); i++) {
		engines[engine_count] = crypto_engine_create_as(
			&(struct crypto_engine_setup){.arch = archs[i]}, NULL, 0);
		if (engines[engine_count] != NULL) {
			engine_count++;
		}
	}
	return engines[0] == NULL;
}

static int engines_destroy(void **state)
{
	(void)state;
	for (unsigned i = 0; i < engine_count; i++) {
		crypto_engine_destroy(engines[i]);
	}
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_packets_seal_and_open),
		cmocka_unit_test(the_published_keystream_comes_out),
		cmocka_unit_test(every_flipped_bit_is_refused),
		cmocka_unit_test(every_truncation_and_wrong_header_size_is_refused),
		cmocka_unit_test(another_index_is_refused),
		cmocka_unit_test(another_key_or_salt_does_not_open),
		cmocka_unit_test(srtcp_in_clear_is_refused),
		cmocka_unit_test(a_wiped_key_is_zeros),
		cmocka_unit_test(an_empty_call_does_nothing),
	};

	return cmocka_run_group_tests_name("srtp", tests, engines_create, engines_destroy);
}
