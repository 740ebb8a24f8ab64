// SPDX-License-Identifier: BSD-3-Clause
//
// The client's ciphers against vectors that another implementation made (key 00 01 .. 1f), and what
// they refuse.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "load/rtpsize_client.h"

#define PACKET_SIZE_MAX 128u

struct vector {
	const char *name;
	enum rtpsize_client_mode mode;
	const char *plain, *sealed, *suffix; // hex
};

static const struct vector vectors[] = {
	{"gcm rtp", RTPSIZE_CLIENT_AES256_GCM, "80780001000003c0000ae411f8fffe",
		"80780001000003c0000ae411bcc933ace9c0dea0d47f98fd9cfa1142eb4c5a00000001",
		"00000001"},
	{"xchacha rtp", RTPSIZE_CLIENT_XCHACHA20_POLY1305, "80780001000003c0000ae411f8fffe",
		"80780001000003c0000ae411f158af82fbae7241e69019b4c083c5bf1f80c800000001",
		"00000001"},
	{"gcm extension", RTPSIZE_CLIENT_AES256_GCM,
		"9078000200000780000ae411bede000110859002f8fffe",
		"9078000200000780000ae411bede0001bcf9cacc6aff08d16eb021a908d50ab19500b4343ccaa500"
		"000002",
		"00000002"},
	{"xchacha extension", RTPSIZE_CLIENT_XCHACHA20_POLY1305,
		"9078000200000780000ae411bede000110859002f8fffe",
		"9078000200000780000ae411bede00010232a69651e56f32652ce14cea23377af95779bc13591f00"
		"000002",
		"00000002"},
	{"gcm rtcp", RTPSIZE_CLIENT_AES256_GCM,
		"81c90007000ae411000000010000000000000002000000000000000000000000",
		"81c90007000ae411bea6159dbb9b2a283048cd622c7ec8db4e556d34615d2a99206f689f7718770b"
		"3db725507be1b2c900000003",
		"00000003"},
	{"xchacha rtcp", RTPSIZE_CLIENT_XCHACHA20_POLY1305,
		"81c90007000ae411000000010000000000000002000000000000000000000000",
		"81c90007000ae41168c7f336c01f384d22e1e792118556a99e2379d3a25a910277b30e126e7771b3"
		"4fd8cb8426655b9900000003",
		"00000003"},
};
#define VECTOR_COUNT (sizeof(vectors) / sizeof(vectors[0]))

static size_t unhex(const char *hex, uint8_t *out)
{
	size_t size = strlen(hex) / 2;

	assert_true(size <= PACKET_SIZE_MAX);
	for (size_t i = 0; i < 2 * size; i++) {
		uint8_t digit = (uint8_t)(hex[i] <= '9' ? hex[i] - '0' : hex[i] - 'a' + 10);

		out[i / 2] = (uint8_t)(i % 2 == 0 ? digit << 4 : out[i / 2] | digit);
	}
	return size;
}

static void client_make(struct rtpsize_client *client, enum rtpsize_client_mode mode)
{
	uint8_t key[RTPSIZE_CLIENT_KEY_SIZE];

	for (unsigned i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)i;
	assert_int_equal(rtpsize_client_init(client, mode, key), 0);
}

static void seals_the_published_vectors(void **state)
{
	(void)state;
	for (unsigned v = 0; v < VECTOR_COUNT; v++) {
		struct rtpsize_client client;
		uint8_t plain[PACKET_SIZE_MAX], sealed[PACKET_SIZE_MAX], suffix[4];
		uint8_t out[PACKET_SIZE_MAX];
		size_t plain_size = unhex(vectors[v].plain, plain);
		size_t sealed_size = unhex(vectors[v].sealed, sealed);

		unhex(vectors[v].suffix, suffix);
		client_make(&client, vectors[v].mode);
		assert_int_equal(sealed_size, plain_size + RTPSIZE_CLIENT_OVERHEAD_SIZE);
		assert_int_equal(rtpsize_client_seal(&client, plain, plain_size, suffix, out), 0);
		assert_memory_equal(out, sealed, sealed_size);
		rtpsize_client_fini(&client);
	}
}

static void opens_the_published_vectors(void **state)
{
	(void)state;
	for (unsigned v = 0; v < VECTOR_COUNT; v++) {
		struct rtpsize_client client;
		uint8_t plain[PACKET_SIZE_MAX], sealed[PACKET_SIZE_MAX], out[PACKET_SIZE_MAX];
		size_t plain_size = unhex(vectors[v].plain, plain), out_size = 0;
		size_t sealed_size = unhex(vectors[v].sealed, sealed);

		client_make(&client, vectors[v].mode);
		// Twice: the context must not remember anything of a packet.
		for (unsigned again = 0; again < 2; again++) {
			assert_int_equal(
				rtpsize_client_open(&client, sealed, sealed_size, out, &out_size),
				0);
			assert_int_equal(out_size, plain_size);
			assert_memory_equal(out, plain, plain_size);
		}
		rtpsize_client_fini(&client);
	}
}

static void refuses_every_flipped_bit_and_goes_on(void **state)
{
	(void)state;
	for (unsigned v = 0; v < VECTOR_COUNT; v++) {
		struct rtpsize_client client;
		uint8_t sealed[PACKET_SIZE_MAX], out[PACKET_SIZE_MAX];
		size_t sealed_size = unhex(vectors[v].sealed, sealed), out_size;

		client_make(&client, vectors[v].mode);
		for (size_t bit = 0; bit < sealed_size * 8; bit++) {
			sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
			assert_int_not_equal(
				rtpsize_client_open(&client, sealed, sealed_size, out, &out_size),
				0);
			sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		assert_int_equal(
			rtpsize_client_open(&client, sealed, sealed_size, out, &out_size), 0);
		rtpsize_client_fini(&client);
	}
}

static void refuses_every_truncation(void **state)
{
	(void)state;
	for (unsigned v = 0; v < VECTOR_COUNT; v++) {
		struct rtpsize_client client;
		uint8_t sealed[PACKET_SIZE_MAX], out[PACKET_SIZE_MAX];
		size_t sealed_size = unhex(vectors[v].sealed, sealed), out_size;

		client_make(&client, vectors[v].mode);
		for (size_t size = 0; size < sealed_size; size++)
			assert_int_not_equal(
				rtpsize_client_open(&client, sealed, size, out, &out_size), 0);
		rtpsize_client_fini(&client);
	}
}

static void authenticates_csrcs_but_not_the_extension_body(void **state)
{
	const uint8_t packet[12 + 8 + 4] = {0x92, 0x78};
	size_t aad_size;

	(void)state;
	assert_int_equal(rtpsize_client_aad_size(packet, sizeof(packet), &aad_size), 0);
	assert_int_equal(aad_size, 24);
	assert_int_equal(rtpsize_client_aad_size(packet, sizeof(packet) - 1, &aad_size), -EPROTO);
}

static void knows_its_modes_by_name(void **state)
{
	enum rtpsize_client_mode mode;

	(void)state;
	for (unsigned i = 0; i < RTPSIZE_CLIENT_MODE_COUNT; i++) {
		const char *name = rtpsize_client_mode_name((enum rtpsize_client_mode)i);

		assert_true(rtpsize_client_mode_parse(name, &mode));
		assert_int_equal(mode, i);
	}
	assert_false(rtpsize_client_mode_parse("xsalsa20_poly1305", &mode));
	assert_false(rtpsize_client_mode_parse("", &mode));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seals_the_published_vectors),
		cmocka_unit_test(opens_the_published_vectors),
		cmocka_unit_test(refuses_every_flipped_bit_and_goes_on),
		cmocka_unit_test(refuses_every_truncation),
		cmocka_unit_test(authenticates_csrcs_but_not_the_extension_body),
		cmocka_unit_test(knows_its_modes_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
