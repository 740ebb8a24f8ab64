// SPDX-License-Identifier: BSD-3-Clause
//
// RTCP of native clients: authenticated, ended here; a sender report goes on with the sender's
// clock and nothing else.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/dp_assert.h"
#include "stage/room_fixture.h"

static struct fixture f;

static void put32(uint8_t *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (24 - 8 * i));
}

// A compound of SR with one report block, and SDES with a CNAME that is an address.
static uint32_t make_compound(uint8_t *pkt, uint32_t ssrc, uint64_t ntp)
{
	memset(pkt, 0, 256);
	memcpy(pkt, (uint8_t[4]){0x81, 200, 0, 12}, 4);
	put32(pkt + 4, ssrc);
	put32(pkt + 8, (uint32_t)(ntp >> 32));
	put32(pkt + 12, (uint32_t)ntp);
	put32(pkt + 16, 0x11111111);
	put32(pkt + 20, 1234);
	put32(pkt + 24, 56789);
	put32(pkt + 28, 0x22222222);
	memcpy(pkt + 52, (uint8_t[4]){0x81, 202, 0, 5}, 4);
	put32(pkt + 56, ssrc);
	memcpy(pkt + 60,
		"\x01\x0c"
		"198.51.100.1",
		14);
	return 76;
}

static void send_rtcp(struct client *c, const uint8_t *clear, uint32_t size, int damage)
{
	uint8_t pkt[512];
	struct seal_job job = {.key = c->expanded,
		.src = clear + 8,
		.dst = pkt + 8,
		.aad = clear,
		.src_size = (uint16_t)(size - 8),
		.aad_size = 8,
		.iv = {0x10, 0, 0, (uint8_t)++c->suffix}};
	struct seal_job *jobs = &job;

	memcpy(pkt, clear, 8);
	suite_get(c->suite)->seal(f.node.crypto, &jobs, 1);
	if (damage >= 0)
		pkt[damage] ^= 1;
	client_send_raw(c, pkt, size + DP_RTPSIZE_OVERHEAD);
	node_turn(&f.node);
}

static void a_sender_report_goes_on_without_anybodys_address(void **state)
{
	uint8_t clear[256];
	struct client_packet p;
	uint32_t size;
	(void)state;

	fixture_init(&f, 2);
	for (unsigned who = 0; who < 2; who++) { // both suites, both ways
		struct client *from = &f.member[who], *to = &f.member[1 - who];

		size = make_compound(clear, from->ssrc, 0x1234567800000000ull + who);
		send_rtcp(from, clear, size, -1);
		assert_true(hear(to, &p));
		assert_int_equal(p.ssrc, from->ssrc);
		assert_int_equal(p.payload_type | 0x80, 200);
		assert_int_equal(p.clear_size, 20);
		assert_memory_equal(p.clear, clear + 8, 20);
		assert_false(hear(to, &p));
	}
	assert_int_equal(node_verdict(&f.node, DP_RTCP), 2);
	fixture_fini(&f);
}

static void an_old_report_said_again_goes_nowhere(void **state)
{
	uint8_t clear[256];
	struct client_packet p;
	uint32_t size;
	(void)state;

	fixture_init(&f, 2);
	size = make_compound(clear, f.member[0].ssrc, 1000);
	send_rtcp(&f.member[0], clear, size, -1);
	assert_true(hear(&f.member[1], &p));
	send_rtcp(&f.member[0], clear, size, -1);
	assert_false(hear(&f.member[1], &p));
	fixture_fini(&f);
}

static void reports_about_others_and_forged_ones_go_nowhere(void **state)
{
	uint8_t clear[256];
	struct client_packet p;
	uint32_t size;
	(void)state;

	fixture_init(&f, 3);
	size = make_compound(clear, f.member[1].ssrc, 1000); // sealed with member 0's key
	send_rtcp(&f.member[0], clear, size, -1);
	assert_false(hear(&f.member[1], &p));
	assert_int_equal(node_verdict(&f.node, DP_SRTP_AUTH), 1);
	size = make_compound(clear, f.member[0].ssrc, 1000);
	for (int at = 0; at < (int)size + DP_RTPSIZE_OVERHEAD; at++) {
		if (at == 0 || at == 1)
			continue; // other kinds of packet then
		send_rtcp(&f.member[0], clear, size, at);
		assert_false(hear(&f.member[1], &p));
	}
	size = make_compound(clear, f.member[0].ssrc, 1000);
	put32(clear + 56 - 4, 0x81ca00ff); // SDES longer than the packet
	send_rtcp(&f.member[0], clear, size, -1);
	assert_int_equal(node_verdict(&f.node, DP_RTCP_MALFORMED), 1);
	assert_false(hear(&f.member[1], &p));
	assert_int_equal(node_verdict(&f.node, DP_RTCP), 0);
	fixture_fini(&f);
}

static void the_muted_and_the_deaf_get_no_reports(void **state)
{
	uint8_t clear[256];
	struct client_packet p;
	(void)state;

	fixture_init(&f, 2);
	assert_int_equal(client_set(&f.member[1], f.room, DP_SESSION_SELF_DEAF), 0);
	send_rtcp(&f.member[0], clear, make_compound(clear, f.member[0].ssrc, 1000), -1);
	assert_false(hear(&f.member[1], &p));
	assert_int_equal(client_set(&f.member[1], f.room, 0), 0);
	assert_int_equal(client_set(&f.member[0], f.room, DP_SESSION_MUTE), 0);
	send_rtcp(&f.member[0], clear, make_compound(clear, f.member[0].ssrc, 2000), -1);
	assert_false(hear(&f.member[1], &p));
	assert_int_equal(node_verdict(&f.node, DP_RTCP), 1);
	assert_int_equal(node_verdict(&f.node, DP_MUTED), 1);
	fixture_fini(&f);
}

// Forged ones show it: what is opened is refused by name, what is not costs no crypto.
static void reports_under_mute_cost_no_crypto(void **state)
{
	uint8_t clear[256];
	uint32_t size;
	(void)state;

	fixture_init(&f, 2);
	assert_int_equal(client_set(&f.member[0], f.room, DP_SESSION_MUTE), 0);
	size = make_compound(clear, f.member[0].ssrc, 1000);
	for (unsigned i = 0; i < 2 * DP_MUTED_SAMPLE; i++)
		send_rtcp(&f.member[0], clear, size, (int)size);
	assert_int_equal(node_verdict(&f.node, DP_SRTP_AUTH), 2);
	assert_int_equal(node_verdict(&f.node, DP_MUTED), 2 * DP_MUTED_SAMPLE - 2);
	assert_int_equal(client_set(&f.member[0], f.room, 0), 0);
	send_rtcp(&f.member[0], clear, size, -1);
	assert_int_equal(node_verdict(&f.node, DP_RTCP), 1);
	assert_int_equal(node_drain(&f.node), 1);
	fixture_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sender_report_goes_on_without_anybodys_address),
		cmocka_unit_test(an_old_report_said_again_goes_nowhere),
		cmocka_unit_test(reports_about_others_and_forged_ones_go_nowhere),
		cmocka_unit_test(the_muted_and_the_deaf_get_no_reports),
		cmocka_unit_test(reports_under_mute_cost_no_crypto),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
