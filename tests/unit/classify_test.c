// SPDX-License-Identifier: BSD-3-Clause
//
// The classifier against protocol.md 4.1, row by row and for every first byte and size. Boundaries
// of this table are written here on their own, not taken from the code.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/classify.h"
#include "support/packet.h"

#define SIZE_MAX_TESTED 80u

static enum packet_kind classify_exact(const uint8_t *pkt, uint32_t size)
{
	uint8_t *copy = packet_heap(pkt, size);
	enum packet_kind kind = classify(copy, size);

	free(copy);
	return kind;
}

// The table of protocol.md 4.1 for a datagram whose bytes behind the first two are 'fill'.
struct row {
	unsigned first_min, first_max;   // byte 0
	unsigned second_min, second_max; // byte 1
	unsigned size_min, size_max;
	enum packet_kind kind;
};

static const struct row plain_table[] = {
	{0, 255, 0, 255, 0, 9, PACKET_KEEPALIVE},
	{20, 63, 0, 255, 13, SIZE_MAX_TESTED, PACKET_DTLS},
	{128, 191, 192, 223, 28, SIZE_MAX_TESTED, PACKET_RTCP},
	{128, 191, 0, 191, 22, SIZE_MAX_TESTED, PACKET_RTP},
	{128, 191, 224, 255, 22, SIZE_MAX_TESTED, PACKET_RTP},
	{0, 255, 0, 255, 10, SIZE_MAX_TESTED, PACKET_UNKNOWN},
};

static enum packet_kind expected(unsigned first, unsigned second, unsigned size)
{
	for (unsigned i = 0;; i++) {
		const struct row *row = &plain_table[i];

		if (first >= row->first_min && first <= row->first_max &&
			second >= row->second_min && second <= row->second_max &&
			size >= row->size_min && size <= row->size_max)
			return row->kind;
	}
}

static void every_first_byte_at_every_size(void **state)
{
	(void)state;
	for (unsigned first = 0; first < 256; first++) {
		for (unsigned size = 0; size <= SIZE_MAX_TESTED; size++) {
			static const uint8_t seconds[] = {0, 13, 120, 191, 192, 200, 223, 224, 255};

			for (unsigned k = 0; k < sizeof(seconds); k++) {
				uint8_t pkt[SIZE_MAX_TESTED];

				memset(pkt, 0xa5, sizeof(pkt));
				pkt[0] = (uint8_t)first;
				pkt[1] = seconds[k];
				assert_int_equal(classify_exact(pkt, size),
					expected(first, seconds[k], size));
			}
		}
	}
}

static void every_second_byte_divides_rtp_from_rtcp(void **state)
{
	uint8_t pkt[32] = {0};
	(void)state;

	for (unsigned first = 128; first < 192; first++) {
		for (unsigned second = 0; second < 256; second++) {
			bool is_rtcp = second >= 192 && second <= 223;

			pkt[0] = (uint8_t)first;
			pkt[1] = (uint8_t)second;
			assert_int_equal(
				classify_exact(pkt, 32), is_rtcp ? PACKET_RTCP : PACKET_RTP);
			assert_int_equal(
				classify_exact(pkt, 27), is_rtcp ? PACKET_UNKNOWN : PACKET_RTP);
			assert_int_equal(classify_exact(pkt, 21), PACKET_UNKNOWN);
		}
	}
}

static void stun_is_known_by_its_cookie(void **state)
{
	(void)state;
	for (unsigned first = 0; first < 256; first++) {
		for (unsigned size = 0; size <= SIZE_MAX_TESTED; size++) {
			uint8_t pkt[SIZE_MAX_TESTED] = {
				(uint8_t)first, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42};

			assert_int_equal(classify_exact(pkt, size),
				first <= 3 && size >= 20 ? PACKET_STUN : expected(first, 1, size));
			for (unsigned bit = 0; bit < 32; bit++) {
				pkt[4 + bit / 8] ^= (uint8_t)(1 << bit % 8);
				assert_int_equal(
					classify_exact(pkt, size), expected(first, 1, size));
				pkt[4 + bit / 8] ^= (uint8_t)(1 << bit % 8);
			}
		}
	}
}

static void discovery_is_exactly_74_bytes_of_type_1(void **state)
{
	uint8_t pkt[SIZE_MAX_TESTED] = {0, 1, 0, 70};
	(void)state;

	for (unsigned size = 0; size <= SIZE_MAX_TESTED; size++)
		assert_int_equal(classify_exact(pkt, size),
			size == 74 ? PACKET_IP_DISCOVERY : expected(0, 1, size));
	for (unsigned bit = 0; bit < 32; bit++) {
		pkt[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(classify_exact(pkt, 74), expected(pkt[0], pkt[1], 74));
		pkt[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	// Whatever the SSRC and the rest: even an SSRC that looks like STUN's cookie.
	memcpy(pkt + 4, (const uint8_t[]){0x21, 0x12, 0xa4, 0x42}, 4);
	memset(pkt + 8, 0xff, 66);
	assert_int_equal(classify_exact(pkt, 74), PACKET_IP_DISCOVERY);
}

static void ping_is_exactly_8_bytes_of_its_magic(void **state)
{
	uint8_t pkt[SIZE_MAX_TESTED] = {0x13, 0x37, 0xca, 0xfe};
	(void)state;

	for (unsigned size = 0; size <= SIZE_MAX_TESTED; size++)
		assert_int_equal(classify_exact(pkt, size),
			size == 8 ? PACKET_PING : expected(0x13, 0x37, size));
	for (unsigned bit = 0; bit < 32; bit++) {
		pkt[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(classify_exact(pkt, 8), PACKET_KEEPALIVE);
		pkt[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

// clients.md: discord.js, voice_recv, JDA; a counter's low byte runs through every value.
static void every_keepalive_form_is_one(void **state)
{
	uint8_t jda[9] = {0xc9}, counter[8] = {0};
	(void)state;

	assert_int_equal(classify_exact(jda, 9), PACKET_KEEPALIVE);
	for (unsigned n = 0; n < 256; n++) {
		counter[0] = (uint8_t)n; // little-endian
		counter[7] = 0;
		assert_int_equal(classify_exact(counter, 8), PACKET_KEEPALIVE);
		assert_int_equal(classify_exact(counter, 4), PACKET_KEEPALIVE);
		counter[0] = 0;
		counter[7] = (uint8_t)n; // big-endian
		assert_int_equal(classify_exact(counter, 8), PACKET_KEEPALIVE);
	}
}

static void stock_clients_audio_is_rtp(void **state)
{
	static const uint8_t header[32] = {0x80, 0x78, 0, 1, 0, 0, 3, 0xc0};
	static const uint8_t with_ext[32] = {0x90, 0xf8, 0, 1, 0, 0, 3, 0xc0}; // marker, PT 120
	static const uint8_t report[28] = {0x80, 200, 0, 6};
	(void)state;

	assert_int_equal(classify_exact(header, 32), PACKET_RTP);
	assert_int_equal(classify_exact(with_ext, 32), PACKET_RTP);
	assert_int_equal(classify_exact(report, 28), PACKET_RTCP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_first_byte_at_every_size),
		cmocka_unit_test(every_second_byte_divides_rtp_from_rtcp),
		cmocka_unit_test(stun_is_known_by_its_cookie),
		cmocka_unit_test(discovery_is_exactly_74_bytes_of_type_1),
		cmocka_unit_test(ping_is_exactly_8_bytes_of_its_magic),
		cmocka_unit_test(every_keepalive_form_is_one),
		cmocka_unit_test(stock_clients_audio_is_rtp),
	};

	return cmocka_run_group_tests_name("classify", tests, NULL, NULL);
}
