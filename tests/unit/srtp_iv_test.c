// SPDX-License-Identifier: BSD-3-Clause
//
// The words of crypto/iv.h against the RFCs' sums of shifted numbers, byte by byte.

#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/iv.h"
#include "support/packet.h"

#define ROUNDS 200000

// 'value' of 'size' bytes xored in, its last byte at iv[last].
static void add(uint8_t iv[16], uint64_t value, unsigned size, unsigned last)
{
	for (unsigned i = 0; i < size; i++) {
		iv[last - i] ^= (uint8_t)(value >> 8 * i);
	}
}

// RFC 3711 section 4.1.1: SSRC * 2^64, index * 2^16. RFC 7714 sections 8.1, 9.1: twelve bytes of
// 00 | SSRC | ROC | SEQ, and of 00 | SSRC | 00 | index.
static void expect(const uint8_t iv[16], enum dp_suite suite, uint32_t ssrc, uint64_t index)
{
	uint8_t expected[16] = {0};

	if (suite == DP_SUITE_AES_CM_128_HMAC_SHA1_80) {
		add(expected, ssrc, 4, 7);
		add(expected, index, 6, 13);
	} else {
		add(expected, ssrc, 4, 5);
		add(expected, index, 6, 11);
	}
	assert_memory_equal(iv, expected, sizeof(expected));
	assert_true(iv_index(iv, suite) == index);
}

static void every_index_stands_where_the_rfc_has_it(void **state)
{
	static const uint64_t indexes[] = {0, 1, 0xffff, 0x10000, 0x7fffffff, 0x80000000,
		0xffffffff, 0x100000000, IV_INDEX_MAX - 1, IV_INDEX_MAX};
	static const uint32_t ssrcs[] = {0, 1, 0x01020304, 0x80000000, 0xffffffff};
	struct packet_random random = {.state = 5};
	alignas(16) uint8_t iv[16];

	(void)state;
	for (unsigned suite = DP_SUITE_RTPSIZE_LAST + 1; suite < DP_SUITE_COUNT; suite++) {
		for (unsigned i = 0; i < sizeof(indexes) / sizeof(indexes[0]); i++) {
			for (unsigned s = 0; s < sizeof(ssrcs) / sizeof(ssrcs[0]); s++) {
				iv_srtp(iv, (enum dp_suite)suite, ssrcs[s], indexes[i]);
				expect(iv, (enum dp_suite)suite, ssrcs[s], indexes[i]);
			}
		}
		for (unsigned i = 0; i < ROUNDS; i++) {
			uint64_t index = packet_random_next(&random) & IV_INDEX_MAX;
			uint32_t ssrc = (uint32_t)packet_random_next(&random);

			iv_srtp(iv, (enum dp_suite)suite, ssrc, index);
			expect(iv, (enum dp_suite)suite, ssrc, index);
			iv_srtcp(iv, (enum dp_suite)suite, ssrc,
				(uint32_t)index & IV_RTCP_INDEX_MAX);
			expect(iv, (enum dp_suite)suite, ssrc, index & IV_RTCP_INDEX_MAX);
		}
	}
}

static void an_rtpsize_suffix_comes_first_as_it_is(void **state)
{
	static const uint8_t expected[16] = {0x81, 0x02, 0x03, 0xf4};
	alignas(16) uint8_t iv[16];

	(void)state;
	memset(iv, 0xee, sizeof(iv));
	iv_rtpsize(iv, expected);
	assert_memory_equal(iv, expected, sizeof(expected));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_index_stands_where_the_rfc_has_it),
		cmocka_unit_test(an_rtpsize_suffix_comes_first_as_it_is),
	};

	return cmocka_run_group_tests_name("srtp_iv", tests, NULL, NULL);
}
