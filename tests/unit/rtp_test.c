// SPDX-License-Identifier: BSD-3-Clause
//
// RTP headers: what the parser finds, every way in which a packet can end too early, and that what
// we build is what we meant.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/rtp.h"
#include "support/packet.h"

#define TAIL 20u

static enum dp_verdict parse(
	const uint8_t *pkt, uint32_t size, uint32_t tail_size, struct rtp_view *view)
{
	uint8_t *copy = packet_heap(pkt, size);
	enum dp_verdict verdict = rtp_parse(copy, size, tail_size, view);

	free(copy);
	return verdict;
}

static void every_field_is_found(void **state)
{
	static const uint8_t pkt[] = {0xb2, 0xf8, 0x12, 0x34, 0xde, 0xad, 0xbe, 0xef, 0xca, 0xfe,
		0xf0, 0x0d, 1, 1, 1, 1, 2, 2, 2, 2, 0xbe, 0xde, 0, 2, 0x10, 0xff, 0, 0, 0, 0, 0, 0,
		'p', 'a', 'y'};
	struct rtp_view view;
	(void)state;

	memset(&view, 0xa5, sizeof(view));
	assert_int_equal(parse(pkt, sizeof(pkt), 0, &view), DP_OK);
	assert_int_equal(view.ssrc, 0xcafef00d);
	assert_int_equal(view.timestamp, 0xdeadbeef);
	assert_int_equal(view.seq, 0x1234);
	assert_int_equal(view.ext_profile, 0xbede);
	assert_int_equal(view.ext_words, 2);
	assert_int_equal(view.clear_size, 24);
	assert_int_equal(view.payload_type, 120);
	assert_int_equal(view.csrc_count, 2);
	assert_true(view.marker);
	assert_true(view.padding);
	assert_true(view.has_ext);
}

static void a_plain_header_has_nothing_more(void **state)
{
	static const uint8_t pkt[12] = {0x80, 0x78, 0, 7, 0, 0, 3, 0xc0, 0, 0, 0, 9};
	struct rtp_view view;
	(void)state;

	memset(&view, 0xa5, sizeof(view));
	assert_int_equal(parse(pkt, 12, 0, &view), DP_OK);
	assert_int_equal(view.clear_size, 12);
	assert_int_equal(view.payload_type, 120);
	assert_int_equal(view.ext_words, 0);
	assert_int_equal(view.csrc_count, 0);
	assert_false(view.marker);
	assert_false(view.padding);
	assert_false(view.has_ext);
	assert_int_equal(parse(pkt, 12, 1, &view), DP_RTP_SHORT);
	assert_int_equal(parse(pkt, 12, UINT32_MAX, &view), DP_RTP_SHORT);
}

// Every first byte at every size, against the sizes as RFC 3550 section 5.1 adds them up; an
// extension is of one word.
static void every_header_at_every_size(void **state)
{
	(void)state;
	for (unsigned first = 0; first < 256; first++) {
		for (unsigned size = 0; size <= 104; size++) {
			unsigned csrcs = first % 16, tail = size % 2 == 0 ? 0 : TAIL;
			bool has_ext = first / 16 % 2 == 1;
			unsigned need = 12 + csrcs * 4 + (has_ext ? 8 : 0) + tail;
			uint8_t pkt[104] = {(uint8_t)first, (uint8_t)(size * 37)};
			struct rtp_view view;
			enum dp_verdict want = DP_OK;

			if (has_ext)
				pkt[12 + csrcs * 4 + 3] = 1;
			if (size < 12)
				want = DP_RTP_SHORT;
			else if (first / 64 != 2)
				want = DP_RTP_VERSION;
			else if (size < need)
				want = DP_RTP_SHORT;
			assert_int_equal(parse(pkt, size, tail, &view), want);
			if (want != DP_OK)
				continue;
			assert_int_equal(view.clear_size, 12 + csrcs * 4 + (has_ext ? 4 : 0));
			assert_int_equal(view.csrc_count, csrcs);
			assert_int_equal(view.has_ext, has_ext);
			assert_int_equal(view.padding, first / 32 % 2);
			assert_int_equal(view.marker, pkt[1] / 128);
			assert_int_equal(view.payload_type, pkt[1] % 128);
		}
	}
}

// The exhaustive generator of threat T17: all first two bytes at all sizes up to 64, behind them
// the worst that can stand there. Nothing is read outside (the sanitizers see it), and what is
// taken fits.
static void all_first_two_bytes_at_all_sizes(void **state)
{
	(void)state;
	for (uint32_t size = 0; size <= 64; size++) {
		uint8_t *pkt = malloc(size);

		for (unsigned fill = 0; fill < 2; fill++) {
			if (size > 0)
				memset(pkt, fill == 0 ? 0 : 0xff, size);
			for (unsigned head = 0; head < 0x10000; head++) {
				struct rtp_view view;

				if (size > 0)
					pkt[0] = (uint8_t)(head >> 8);
				if (size > 1)
					pkt[1] = (uint8_t)head;
				if (rtp_parse(pkt, size, 0, &view) != DP_OK)
					continue;
				assert_true(view.clear_size + view.ext_words * 4u <= size);
			}
		}
		free(pkt);
	}
}

static void an_extension_of_any_length_stays_inside(void **state)
{
	uint8_t pkt[1472] = {0x90, 0x78, [12] = 0x10, [13] = 0x00};
	struct rtp_view view;
	(void)state;

	for (unsigned words = 0; words < 0x10000; words += words < 400 ? 1 : 97) {
		bool fits = 16 + words * 4 + TAIL <= sizeof(pkt);

		pkt[14] = (uint8_t)(words >> 8);
		pkt[15] = (uint8_t)words;
		assert_int_equal(
			rtp_parse(pkt, sizeof(pkt), TAIL, &view), fits ? DP_OK : DP_RTP_SHORT);
		if (!fits)
			continue;
		assert_int_equal(view.ext_words, words);
		assert_int_equal(view.ext_profile, 0x1000);
		// The least packet that holds it, and one byte less.
		assert_int_equal(parse(pkt, 16 + words * 4 + TAIL, TAIL, &view), DP_OK);
		assert_int_equal(parse(pkt, 16 + words * 4 + TAIL - 1, TAIL, &view), DP_RTP_SHORT);
	}
}

// CSRC count 15 in a packet that ends before them, with every combination of padding and extension.
static void fifteen_sources_in_a_short_packet(void **state)
{
	(void)state;
	for (unsigned first = 0x8f; first <= 0xbf; first += 0x10) {
		uint8_t pkt[200] = {(uint8_t)first};
		unsigned need = 72 + (first & 0x10 ? 4 : 0);
		struct rtp_view view;

		for (unsigned size = 12; size < 200; size++)
			assert_int_equal(parse(pkt, size, TAIL, &view),
				size < need + TAIL ? DP_RTP_SHORT : DP_OK);
	}
}

static void what_we_build_is_these_bytes(void **state)
{
	static const uint8_t golden[16] = {0xb0, 0xf8, 0xff, 0xfe, 0x01, 0x02, 0x03, 0x04, 0x11,
		0x22, 0x33, 0x44, 0xbe, 0xde, 0x00, 0x03};
	struct rtp_view view = {.timestamp = 0x01020304,
		.seq = 1,
		.ssrc = 2,
		.ext_profile = 0xbede,
		.ext_words = 3,
		.payload_type = 96,
		.csrc_count = 7,
		.marker = true,
		.padding = true,
		.has_ext = true};
	uint8_t pkt[17];
	(void)state;

	memset(pkt, 0xa5, sizeof(pkt));
	assert_int_equal(rtp_build(pkt, &view, 120, 0xfffe, 0x11223344), 16);
	assert_memory_equal(pkt, golden, 16);
	assert_int_equal(pkt[16], 0xa5);

	view.has_ext = view.padding = view.marker = false;
	memset(pkt, 0xa5, sizeof(pkt));
	assert_int_equal(rtp_build(pkt, &view, 120, 0xfffe, 0x11223344), 12);
	assert_int_equal(pkt[0], 0x80);
	assert_int_equal(pkt[1], 0x78);
	assert_memory_equal(pkt + 2, golden + 2, 10);
	assert_int_equal(pkt[12], 0xa5);
}

static void what_we_build_parses_back_equal(void **state)
{
	struct packet_random r = {5};
	(void)state;

	for (unsigned n = 0; n < 20000; n++) {
		uint64_t x = packet_random_next(&r);
		struct rtp_view in = {.timestamp = (uint32_t)packet_random_next(&r),
			.ext_profile = (uint16_t)(x >> 16),
			.ext_words = (uint16_t)(x % 20),
			.marker = x >> 40 & 1,
			.padding = x >> 41 & 1,
			.has_ext = x >> 42 & 1};
		uint16_t seq = (uint16_t)packet_random_next(&r);
		uint32_t ssrc = (uint32_t)packet_random_next(&r);
		uint8_t pkt[100] = {0};
		struct rtp_view out;

		uint32_t size = rtp_build(pkt, &in, (uint8_t)(x >> 48 & 127), seq, ssrc);

		assert_int_equal(parse(pkt, sizeof(pkt), 0, &out), DP_OK);
		assert_int_equal(out.clear_size, size);
		assert_int_equal(out.ssrc, ssrc);
		assert_int_equal(out.seq, seq);
		assert_int_equal(out.timestamp, in.timestamp);
		assert_int_equal(out.payload_type, x >> 48 & 127);
		assert_int_equal(out.csrc_count, 0);
		assert_int_equal(out.marker, in.marker);
		assert_int_equal(out.padding, in.padding);
		assert_int_equal(out.has_ext, in.has_ext);
		assert_int_equal(out.ext_words, in.has_ext ? in.ext_words : 0);
		assert_int_equal(out.ext_profile, in.has_ext ? in.ext_profile : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_is_found),
		cmocka_unit_test(a_plain_header_has_nothing_more),
		cmocka_unit_test(every_header_at_every_size),
		cmocka_unit_test(all_first_two_bytes_at_all_sizes),
		cmocka_unit_test(an_extension_of_any_length_stays_inside),
		cmocka_unit_test(fifteen_sources_in_a_short_packet),
		cmocka_unit_test(what_we_build_is_these_bytes),
		cmocka_unit_test(what_we_build_parses_back_equal),
	};

	return cmocka_run_group_tests_name("rtp", tests, NULL, NULL);
}
