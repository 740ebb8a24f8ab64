// SPDX-License-Identifier: BSD-3-Clause
//
// Compound RTCP: what counts as whole, the walk over it, sender reports in and out.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/rtcp.h"
#include "support/packet.h"

// A sender report with one block, a source description, a BYE: 52 + 16 + 8 bytes.
static const uint8_t compound[76] = {0x81, 200, 0, 12, 0x11, 0x22, 0x33, 0x44, 0xe5, 0xf6, 0x07,
	0x18, 0x29, 0x3a, 0x4b, 0x5c, 0, 0, 0x03, 0xc0, 0, 0, 0, 50, 0, 0, 0x10,
	0xe1,                                                                         // sender info
	[52] = 0x81, 202, 0, 3, 0x11, 0x22, 0x33, 0x44, 1, 3, 'a', '@', 'b', 0, 0, 0, // SDES
	[68] = 0x81, 203, 0, 1, 0x11, 0x22, 0x33, 0x44};                              // BYE

static enum dp_verdict check(const uint8_t *pkt, uint32_t size)
{
	uint8_t *copy = packet_heap(pkt, size);
	enum dp_verdict verdict = rtcp_check(copy, size);

	free(copy);
	return verdict;
}

static void the_walk_visits_every_packet_once(void **state)
{
	static const struct rtcp_view want[] = {
		{compound, 52, RTCP_SR, 1},
		{compound + 52, 16, RTCP_SDES, 1},
		{compound + 68, 8, RTCP_BYE, 1},
	};
	uint32_t offset = 0, count = 0;
	struct rtcp_view view;
	(void)state;

	assert_int_equal(rtcp_check(compound, sizeof(compound)), DP_OK);
	for (; rtcp_next(compound, sizeof(compound), &offset, &view); count++) {
		assert_true(count < 3);
		assert_ptr_equal(view.bytes, want[count].bytes);
		assert_int_equal(view.size, want[count].size);
		assert_int_equal(view.type, want[count].type);
		assert_int_equal(view.count, want[count].count);
	}
	assert_int_equal(count, 3);
	assert_int_equal(offset, sizeof(compound));
	assert_false(rtcp_next(compound, sizeof(compound), &offset, &view));
}

static void every_truncation_is_malformed_but_between_packets(void **state)
{
	(void)state;
	for (uint32_t size = 0; size <= sizeof(compound); size++)
		assert_int_equal(check(compound, size),
			size == 52 || size == 68 || size == 76 ? DP_OK : DP_RTCP_MALFORMED);
}

// One field of the compound changed.
static void each_fault_is_malformed(void **state)
{
	static const struct {
		const char *what;
		uint8_t offset, value;
		enum dp_verdict verdict;
	} rows[] = {
		{"version 0 first", 0, 0x01, DP_RTCP_MALFORMED},
		{"version 1 first", 0, 0x41, DP_RTCP_MALFORMED},
		{"version 3 first", 0, 0xc1, DP_RTCP_MALFORMED},
		{"version 1 in the middle", 52, 0x41, DP_RTCP_MALFORMED},
		{"version 0 last", 68, 0x01, DP_RTCP_MALFORMED},
		{"type below", 53, 191, DP_RTCP_MALFORMED},
		{"lowest type", 53, 192, DP_OK},
		{"highest type", 53, 223, DP_OK},
		{"type above", 53, 224, DP_RTCP_MALFORMED},
		{"length into the next", 55, 4, DP_RTCP_MALFORMED},
		{"length over the end", 71, 2, DP_RTCP_MALFORMED},
		{"length far over the end", 70, 0xff, DP_RTCP_MALFORMED},
		{"length all ones first", 2, 0xff, DP_RTCP_MALFORMED},
		{"length 0 last leaves a rest", 71, 0, DP_RTCP_MALFORMED},
		{"padding on the first", 0, 0xa1, DP_RTCP_MALFORMED},
		{"padding in the middle", 52, 0xa1, DP_RTCP_MALFORMED},
	};
	(void)state;

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t pkt[sizeof(compound)];

		memcpy(pkt, compound, sizeof(pkt));
		pkt[rows[i].offset] = rows[i].value;
		if (check(pkt, sizeof(pkt)) != rows[i].verdict)
			fail_msg("%s", rows[i].what);
	}
}

static void padding_of_the_last_counts_itself(void **state)
{
	(void)state;
	for (unsigned padding = 0; padding < 256; padding++) {
		uint8_t pkt[84];

		memcpy(pkt, compound, 76);
		memset(pkt + 76, 0, 8);
		pkt[68] |= 0x20;
		pkt[71] = 3; // BYE of 16 bytes
		pkt[83] = (uint8_t)padding;
		assert_int_equal(check(pkt, 84),
			padding == 4 || padding == 8 || padding == 12 ? DP_OK : DP_RTCP_MALFORMED);
	}
}

static void padding_is_for_the_last_only(void **state)
{
	static const uint8_t starts[] = {0, 52}, ends[] = {51, 67};
	(void)state;

	for (unsigned i = 0; i < 2; i++) {
		uint8_t pkt[sizeof(compound)];

		memcpy(pkt, compound, sizeof(pkt));
		pkt[starts[i]] |= 0x20;
		pkt[ends[i]] = 4; // right, were it the last
		assert_int_equal(check(pkt, ends[i] + 1u), DP_OK);
		assert_int_equal(check(pkt, sizeof(pkt)), DP_RTCP_MALFORMED);
	}
}

// RFC 5506: a feedback packet may come alone.
static void reduced_size_is_whole(void **state)
{
	static const uint8_t pli[12] = {0x81, 206, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8};
	static const uint8_t least[4] = {0x80, 203, 0, 0}; // a BYE of nobody
	static const uint8_t padded[4] = {0xa0, 203, 0, 0};
	(void)state;

	assert_int_equal(check(pli, 12), DP_OK);
	assert_int_equal(check(least, 4), DP_OK);
	assert_int_equal(check(padded, 4), DP_RTCP_MALFORMED);
}

static void the_sender_is_read_while_the_rest_is_sealed(void **state)
{
	uint8_t pkt[28];
	uint32_t ssrc = 0;
	(void)state;

	memset(pkt, 0xa5, sizeof(pkt));
	memcpy(pkt, compound, 8);
	for (uint32_t size = 0; size <= sizeof(pkt); size++) {
		uint8_t *copy = packet_heap(pkt, size);

		ssrc = 0;
		assert_int_equal(
			rtcp_sender_ssrc(copy, size, &ssrc), size < 8 ? DP_RTCP_SHORT : DP_OK);
		assert_int_equal(ssrc, size < 8 ? 0 : 0x11223344);
		free(copy);
	}
	for (unsigned first = 0; first < 256; first++) {
		pkt[0] = (uint8_t)first;
		assert_int_equal(rtcp_sender_ssrc(pkt, sizeof(pkt), &ssrc),
			first / 64 == 2 ? DP_OK : DP_RTP_VERSION);
	}
}

static void sender_info_is_read_where_it_is(void **state)
{
	struct rtcp_view view = {compound, 52, RTCP_SR, 1};
	struct rtcp_sender_info info;
	uint32_t ssrc;
	(void)state;

	assert_true(rtcp_sender_info(&view, &ssrc, &info));
	assert_int_equal(ssrc, 0x11223344);
	assert_true(info.ntp == 0xe5f60718293a4b5c);
	assert_int_equal(info.rtp_timestamp, 0x3c0);
	assert_int_equal(info.packet_count, 50);
	assert_int_equal(info.octet_count, 0x10e1);

	for (uint32_t size = 4; size <= 52; size += 4) {
		view.bytes = packet_heap(compound, size);
		view.size = size;
		assert_int_equal(rtcp_sender_info(&view, &ssrc, &info), size >= 28);
		free((void *)(uintptr_t)view.bytes);
	}
	view = (struct rtcp_view){compound, 52, RTCP_RR, 1};
	assert_false(rtcp_sender_info(&view, &ssrc, &info));
}

static void padding_is_not_sender_info(void **state)
{
	static const uint8_t report[28] = {0xa0, 200, 0, 6, [27] = 4};
	struct rtcp_view view = {report, 28, RTCP_SR, 0};
	struct rtcp_sender_info info;
	uint32_t ssrc;
	(void)state;

	assert_int_equal(rtcp_check(report, 28), DP_OK);
	assert_false(rtcp_sender_info(&view, &ssrc, &info));
}

static void our_report_is_these_bytes(void **state)
{
	static const struct rtcp_sender_info info = {0xe5f60718293a4b5c, 0x3c0, 50, 0x10e1};
	uint8_t golden[RTCP_SR_INFO_SIZE], pkt[RTCP_SR_INFO_SIZE + 1];
	struct rtcp_sender_info back;
	struct rtcp_view view;
	uint32_t offset = 0, ssrc;
	(void)state;

	memcpy(golden, compound, sizeof(golden));
	golden[0] = 0x80; // no blocks
	golden[3] = 6;
	memset(pkt, 0xa5, sizeof(pkt));
	rtcp_sr_build(pkt, 0x11223344, &info);
	assert_memory_equal(pkt, golden, sizeof(golden));
	assert_int_equal(pkt[RTCP_SR_INFO_SIZE], 0xa5);

	assert_int_equal(rtcp_check(pkt, RTCP_SR_INFO_SIZE), DP_OK);
	assert_true(rtcp_next(pkt, RTCP_SR_INFO_SIZE, &offset, &view));
	assert_true(rtcp_sender_info(&view, &ssrc, &back));
	assert_int_equal(ssrc, 0x11223344);
	assert_true(back.ntp == info.ntp);
	assert_int_equal(back.rtp_timestamp, info.rtp_timestamp);
	assert_int_equal(back.packet_count, info.packet_count);
	assert_int_equal(back.octet_count, info.octet_count);
	assert_false(rtcp_next(pkt, RTCP_SR_INFO_SIZE, &offset, &view));
}

// Random compounds of right packets are whole; the walk's sizes add up whatever check() accepts.
static void random_compounds_add_up(void **state)
{
	struct packet_random r = {6};
	(void)state;

	for (unsigned n = 0; n < 20000; n++) {
		uint8_t pkt[512];
		uint32_t size = 0, count = 1 + packet_random_below(&r, 6), seen = 0, offset = 0;
		struct rtcp_view view;

		packet_random_fill(&r, pkt, sizeof(pkt));
		for (uint32_t i = 0; i < count; i++) {
			uint32_t words = packet_random_below(&r, 20);

			pkt[size] = (uint8_t)(0x80 | packet_random_below(&r, 32));
			pkt[size + 1] = (uint8_t)(192 + packet_random_below(&r, 32));
			pkt[size + 2] = 0;
			pkt[size + 3] = (uint8_t)words;
			size += (words + 1) * 4;
		}
		assert_int_equal(check(pkt, size), DP_OK);
		for (; rtcp_next(pkt, size, &offset, &view); seen++)
			assert_true(view.size % 4 == 0 && view.count < 32);
		assert_int_equal(seen, count);

		pkt[packet_random_below(&r, size)] ^= (uint8_t)(1 + packet_random_below(&r, 255));
		if (check(pkt, size) != DP_OK)
			continue;
		offset = seen = 0;
		while (rtcp_next(pkt, size, &offset, &view))
			seen += view.size;
		assert_int_equal(seen, size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_walk_visits_every_packet_once),
		cmocka_unit_test(every_truncation_is_malformed_but_between_packets),
		cmocka_unit_test(each_fault_is_malformed),
		cmocka_unit_test(padding_of_the_last_counts_itself),
		cmocka_unit_test(padding_is_for_the_last_only),
		cmocka_unit_test(reduced_size_is_whole),
		cmocka_unit_test(the_sender_is_read_while_the_rest_is_sealed),
		cmocka_unit_test(sender_info_is_read_where_it_is),
		cmocka_unit_test(padding_is_not_sender_info),
		cmocka_unit_test(our_report_is_these_bytes),
		cmocka_unit_test(random_compounds_add_up),
	};

	return cmocka_run_group_tests_name("rtcp", tests, NULL, NULL);
}
