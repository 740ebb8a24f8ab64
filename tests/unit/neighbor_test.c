// SPDX-License-Identifier: BSD-3-Clause
//
// What a node with an IP of its own answers, and everything that it does not. The judge of an
// answer is written here, with checksums of support/packet.c.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/neighbor.h"
#include "support/packet.h"

static const uint8_t our_mac[6] = {0x02, 0, 0, 0, 0, 0x01};
static const uint8_t their_mac[6] = {0x02, 0, 0, 0, 0, 0x02};
static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static struct udp_frame_host host;
static struct packet_pair four, six; // they ask us
static uint8_t frame[PACKET_FRAME_SIZE_MAX], asked[PACKET_FRAME_SIZE_MAX];

static int setup(void **state)
{
	(void)state;
	host = (struct udp_frame_host){.address_count = 3, .first_port = 50000, .port_count = 1};
	memcpy(host.mac, our_mac, 6);
	host.addresses[0] = packet_addr("2001:db8::aa:1", 0);
	host.addresses[1] = packet_addr("192.0.2.1", 0);
	host.addresses[2] = packet_addr("192.0.2.200", 0);
	four.target = packet_addr("192.0.2.1", 0);
	four.sender = packet_addr("192.0.2.7", 0);
	six.target = packet_addr("2001:db8::aa:1", 0);
	six.sender = packet_addr("2001:db8::7", 0);
	for (unsigned i = 0; i < 6; i++) {
		four.sender_mac[i] = six.sender_mac[i] = their_mac[i];
		four.target_mac[i] = six.target_mac[i] = our_mac[i];
	}
	return 0;
}

// Asks at exact size; the request stays in 'asked', the answer is in 'frame'. No answer: unchanged.
static uint32_t ask(uint32_t size)
{
	uint8_t *copy = packet_heap(frame, size);
	uint32_t answer_size = neighbor_answer(copy, size, &host);

	memcpy(asked, frame, size);
	assert_true(answer_size <= size);
	if (answer_size == 0)
		assert_memory_equal(copy, frame, size);
	memcpy(frame, copy, size);
	free(copy);
	return answer_size;
}

static void no_truncation_is_answered(uint32_t size)
{
	uint8_t whole[PACKET_FRAME_SIZE_MAX];

	memcpy(whole, frame, size);
	for (uint32_t cut = 0; cut < size; cut++) {
		memcpy(frame, whole, cut);
		assert_int_equal(ask(cut), 0);
	}
	memcpy(frame, whole, size);
}

static void between_us_and_them(const uint8_t target[6])
{
	assert_memory_equal(frame, target, 6);
	assert_memory_equal(frame + 6, our_mac, 6);
}

static void arp_is_answered_with_our_mac(void **state)
{
	static const uint8_t golden[42] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 6, 0, 1, 8, 0, 6,
		4, 0, 2, 2, 0, 0, 0, 0, 1, 192, 0, 2, 1, 2, 0, 0, 0, 0, 2, 192, 0, 2, 7};
	(void)state;

	for (unsigned n = 0; n < 2; n++) { // by broadcast and, to verify an entry, by unicast
		struct packet_pair p = four;

		if (n == 0)
			memcpy(p.target_mac, broadcast, 6);

		uint32_t size = packet_arp_request(frame, &p);

		no_truncation_is_answered(size);
		assert_int_equal(ask(size), 42);
		assert_memory_equal(frame, golden, 42);
		size = packet_arp_request(frame, &p);
		memset(frame + size, 0, 18); // as short as Ethernet sends it
		assert_int_equal(ask(60), 42);
		assert_memory_equal(frame, golden, 42);
	}
}

static void an_arp_probe_is_answered_so_that_our_address_stays_ours(void **state)
{
	struct packet_pair p = four;
	(void)state;

	memset(p.sender.ip, 0, 4);
	memcpy(p.target_mac, broadcast, 6);
	assert_int_equal(ask(packet_arp_request(frame, &p)), 42);
	assert_memory_equal(frame + 22, our_mac, 6);
	assert_memory_equal(frame + 28, four.target.ip, 4);
}

static void other_arp_is_not_answered(void **state)
{
	static const char *const impossible[] = {
		"192.0.2.1", "192.0.2.200", "224.0.0.1", "255.255.255.255", "127.0.0.1"};
	static const uint8_t changes[][2] = {{15, 6}, {16, 0x86}, {18, 8}, {19, 16}, {21, 2},
		{21, 3}, {20, 1}, {0, 0x04}, {22, 0x03}, {41, 9}};
	(void)state;

	for (unsigned i = 0; i < sizeof(impossible) / sizeof(impossible[0]); i++) {
		struct packet_pair p = four; // gratuitous, or nobody

		p.sender = packet_addr(impossible[i], 0);
		assert_int_equal(ask(packet_arp_request(frame, &p)), 0);
	}
	for (unsigned i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		uint32_t size = packet_arp_request(frame, &four);

		frame[changes[i][0]] = changes[i][1];
		assert_int_equal(ask(size), 0);
	}

	uint32_t size = packet_arp_request(frame, &four);

	memset(frame + 22, 0, 6); // sender without a MAC
	assert_int_equal(ask(size), 0);
}

static void echo_is_answered_with_the_same_bytes(void **state)
{
	(void)state;
	for (unsigned data_size = 0; data_size <= 548; data_size += 7) {
		uint32_t size = packet_echo_request(frame, &four, (uint16_t)data_size);

		assert_int_equal(ask(size), size);
		between_us_and_them(their_mac);
		assert_int_equal(packet_sum(frame + 14, 20, 0), 0xffff);
		assert_int_equal(packet_sum(frame + 34, size - 34, 0), 0xffff);
		assert_memory_equal(frame + 14 + 12, four.target.ip, 4);
		assert_memory_equal(frame + 14 + 16, four.sender.ip, 4);
		assert_int_equal(frame[22], 64); // a fresh time to live: no loop lives on ours
		assert_int_equal(frame[34], 0);
		assert_int_equal(frame[35], 0);
		assert_memory_equal(frame + 38, asked + 38, size - 38);
	}
}

static void padding_does_not_come_back(void **state)
{
	uint32_t size = packet_echo_request(frame, &four, 1);
	(void)state;

	memset(frame + size, 0xee, 60 - size);
	assert_int_equal(ask(60), size);
}

static void echo_above_576_bytes_of_ip_is_not_answered(void **state)
{
	(void)state;
	assert_int_equal(ask(packet_echo_request(frame, &four, 548)), 14 + 576);
	assert_int_equal(ask(packet_echo_request(frame, &four, 549)), 0);
	assert_int_equal(ask(packet_echo_request(frame, &four, 1400)), 0);
	assert_int_equal(ask(packet_echo_request(frame, &six, 528)), 14 + 576);
	assert_int_equal(ask(packet_echo_request(frame, &six, 529)), 0);
	assert_int_equal(ask(packet_echo_request(frame, &six, 1400)), 0);
}

// One byte of the request changed and, where 'fix' says so, the sums set right again.
static void other_icmp_is_not_answered(void **state)
{
	static const struct {
		const char *what;
		uint8_t offset, value;
		bool fix_ip, fix_icmp;
	} rows[] = {
		{"another station", 5, 9, false, false},
		{"broadcast bit", 0, 0x03, false, false},
		{"from a group", 6, 0x03, false, false},
		{"version 6", 14, 0x65, true, false},
		{"options", 14, 0x46, false, false},
		{"total shorter than ICMP", 17, 27, true, false},
		{"total longer than the frame", 17, 200, true, false},
		{"more fragments", 20, 0x20, true, false},
		{"a later fragment", 21, 7, true, false},
		{"not ICMP", 23, 2, true, false},
		{"IP checksum", 24, 0x55, false, false},
		{"from loopback", 26, 127, true, false},
		{"from multicast", 26, 224, true, false},
		{"from us", 29, 1, true, false},
		{"from our other address", 29, 200, true, false},
		{"to somebody else", 33, 99, true, false},
		{"echo reply", 34, 0, false, true},
		{"redirect", 34, 5, false, true},
		{"timestamp", 34, 13, false, true},
		{"code", 35, 1, false, true},
		{"ICMP checksum", 36, 0x55, false, false},
		{"data", 45, 0x55, false, false},
	};
	(void)state;

	no_truncation_is_answered(packet_echo_request(frame, &four, 20));
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t size = packet_echo_request(frame, &four, 20);

		frame[rows[i].offset] = rows[i].value;
		if (rows[i].fix_icmp)
			packet_fix_icmp(frame);
		if (rows[i].fix_ip)
			packet_fix_ipv4(frame);
		if (ask(size) != 0)
			fail_msg("%s", rows[i].what);
	}
}

static void assert_icmpv6_right(uint32_t size)
{
	assert_int_equal(frame[18] << 8 | frame[19], size - 54);
	assert_int_equal(
		packet_sum(frame + 54, size - 54, packet_pseudo_sum(frame + 14, 58, size - 54)),
		0xffff);
}

static void echo6_is_answered_with_the_same_bytes(void **state)
{
	(void)state;
	for (unsigned data_size = 0; data_size <= 528; data_size += 7) {
		uint32_t size = packet_echo_request(frame, &six, (uint16_t)data_size);

		assert_int_equal(ask(size), size);
		between_us_and_them(their_mac);
		assert_icmpv6_right(size);
		assert_memory_equal(frame + 22, six.target.ip, 16);
		assert_memory_equal(frame + 38, six.sender.ip, 16);
		assert_int_equal(frame[21], 64);
		assert_int_equal(frame[54], 129);
		assert_memory_equal(frame + 58, asked + 58, size - 58);
	}
}

static void other_icmpv6_is_not_answered(void **state)
{
	static const struct {
		const char *what;
		uint8_t offset, value;
		bool fix;
	} rows[] = {
		{"another station", 5, 9, false},
		{"from a group", 6, 0x03, false},
		{"version 4", 14, 0x40, false},
		{"shorter than ICMPv6", 19, 7, false},
		{"longer than the frame", 19, 200, false},
		{"hop-by-hop options", 20, 0, false},
		{"from multicast", 22, 0xff, true},
		{"to somebody else", 53, 9, true},
		{"echo reply", 54, 129, true},
		{"router solicitation", 54, 133, true},
		{"router advertisement", 54, 134, true},
		{"neighbour advertisement", 54, 136, true},
		{"redirect", 54, 137, true},
		{"code", 55, 1, true},
		{"checksum", 56, 0x55, false},
		{"data", 70, 0x55, false},
	};
	(void)state;

	no_truncation_is_answered(packet_echo_request(frame, &six, 20));
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t size = packet_echo_request(frame, &six, 20);

		frame[rows[i].offset] = rows[i].value;
		if (rows[i].fix)
			packet_fix_icmp(frame);
		if (ask(size) != 0)
			fail_msg("%s", rows[i].what);
	}

	struct packet_pair p = six;

	p.sender = p.target; // from us
	assert_int_equal(ask(packet_echo_request(frame, &p, 20)), 0);
	p.sender = packet_addr("::", 0);
	assert_int_equal(ask(packet_echo_request(frame, &p, 20)), 0);
}

// RFC 4861 section 4.4: the advertisement, whole.
static void assert_advertisement(
	uint32_t size, const uint8_t to_mac[6], const char *to, uint8_t flags, bool with_mac)
{
	static const uint8_t option[2] = {2, 1};
	struct dp_addr to_addr = packet_addr(to, 0);

	assert_int_equal(size, with_mac ? 86 : 78);
	between_us_and_them(to_mac);
	assert_icmpv6_right(size);
	assert_int_equal(frame[20], 58);
	assert_int_equal(frame[21], 255);
	assert_memory_equal(frame + 22, six.target.ip, 16);
	assert_memory_equal(frame + 38, to_addr.ip, 16);
	assert_int_equal(frame[54], 136);
	assert_int_equal(frame[55], 0);
	assert_int_equal(frame[58], flags);
	assert_memory_equal(frame + 59, ((const uint8_t[3]){0}), 3);
	assert_memory_equal(frame + 62, six.target.ip, 16);
	if (with_mac) {
		assert_memory_equal(frame + 78, option, 2);
		assert_memory_equal(frame + 80, our_mac, 6);
	}
}

static void solicitations_are_answered_with_an_advertisement(void **state)
{
	uint32_t size;
	(void)state;

	size = packet_solicitation(frame, &six, true, true);
	no_truncation_is_answered(size);
	assert_advertisement(ask(size), their_mac, "2001:db8::7", 0x60, true);

	size = packet_solicitation(frame, &six, false, true); // are you still there?
	no_truncation_is_answered(size);
	assert_advertisement(ask(size), their_mac, "2001:db8::7", 0x60, true);

	size = packet_solicitation(frame, &six, false, false); // no room for our MAC
	no_truncation_is_answered(size);
	assert_advertisement(ask(size), their_mac, "2001:db8::7", 0x60, false);
}

// RFC 4862: somebody wants our address. All nodes hear that it is taken.
static void an_address_of_ours_is_defended(void **state)
{
	static const uint8_t all_nodes_mac[6] = {0x33, 0x33, 0, 0, 0, 1};
	struct packet_pair p = six;
	(void)state;

	p.sender = packet_addr("::", 0);
	assert_advertisement(ask(packet_solicitation(frame, &p, true, false)), all_nodes_mac,
		"ff02::1", 0x20, false);

	uint32_t size = packet_solicitation(frame, &p, true, true);

	assert_int_equal(ask(size), 0); // nobody has no MAC
	packet_solicitation(frame, &p, true, true);
	frame[78] = 14; // a nonce instead (RFC 7527)
	packet_fix_icmp(frame);
	assert_advertisement(ask(size), all_nodes_mac, "ff02::1", 0x20, true);
	assert_int_equal(ask(packet_solicitation(frame, &p, false, false)), 0);
}

static void other_solicitations_are_not_answered(void **state)
{
	static const struct {
		const char *what;
		uint8_t offset, value;
		bool fix;
	} rows[] = {
		{"another group's MAC", 5, 9, false},
		{"hop limit 254: came through a router", 21, 254, false},
		{"from multicast", 22, 0xff, true},
		{"another group", 53, 9, true},
		{"to all nodes", 51, 0, true},
		{"code", 55, 1, true},
		{"checksum", 56, 0x55, false},
		{"target that we are not", 77, 9, true},
		{"multicast target", 62, 0xff, true},
		{"option of size 0", 79, 0, true},
		{"option over the end", 79, 2, true},
	};
	(void)state;

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t size = packet_solicitation(frame, &six, true, true);

		frame[rows[i].offset] = rows[i].value;
		if (rows[i].fix)
			packet_fix_icmp(frame);
		if (ask(size) != 0)
			fail_msg("%s", rows[i].what);
	}

	struct packet_pair p = six;

	p.sender = p.target;
	assert_int_equal(ask(packet_solicitation(frame, &p, true, true)), 0);
	for (unsigned cut = 1; cut < 8; cut++) { // an option of less than a unit
		uint32_t size = packet_solicitation(frame, &six, true, true);

		frame[19] = (uint8_t)(32 - cut);
		packet_fix_icmp(frame);
		assert_int_equal(ask(size - cut), 0);
	}

	uint32_t size = packet_solicitation(frame, &six, false, false);

	frame[19] = 23; // one byte of the target is padding
	packet_fix_icmp(frame);
	assert_int_equal(ask(size), 0);
	size = packet_solicitation(frame, &six, true, true);
	frame[5] = frame[53] = 9; // to a group that our address does not belong to
	packet_fix_icmp(frame);
	assert_int_equal(ask(size), 0);
}

// Padding of the request is room that its answer may use: our MAC, if it fits.
static void an_advertisement_fills_at_most_the_room_there_is(void **state)
{
	(void)state;
	for (uint32_t padding = 0; padding <= 12; padding++) {
		uint32_t size = packet_solicitation(frame, &six, false, false);

		memset(frame + size, 0xee, padding);
		assert_advertisement(
			ask(size + padding), their_mac, "2001:db8::7", 0x60, padding >= 8);
	}
}

static void udp_and_other_ethertypes_are_not_answered(void **state)
{
	struct packet_udp p = {.source = packet_addr("192.0.2.7", 7),
		.target = packet_addr("192.0.2.1", 50000),
		.payload = "x",
		.payload_size = 1};
	(void)state;

	memcpy(p.source_mac, their_mac, 6);
	memcpy(p.target_mac, our_mac, 6);
	assert_int_equal(ask(packet_udp(frame, &p)), 0);

	uint32_t size = packet_echo_request(frame, &four, 20);

	frame[12] = 0x81; // a VLAN tag
	frame[13] = 0x00;
	assert_int_equal(ask(size), 0);
}

static bool icmp_is_inside(bool is_ipv4, uint32_t size)
{
	uint32_t at = is_ipv4 ? 16 : 18, value = (uint32_t)frame[at] << 8 | frame[at + 1];

	if (frame[14] >> 4 != (is_ipv4 ? 4 : 6))
		return false;
	return is_ipv4 ? value >= 28 && value <= size - 14 : value >= 8 && value <= size - 54;
}

// Whatever is damaged: never longer, never read or written outside, unchanged without an answer
// (ask() asserts it), and never an answer to anybody but who asked or all nodes.
static void random_damage_is_answered_rightly_or_not(void **state)
{
	static const uint8_t all_nodes_mac[6] = {0x33, 0x33, 0, 0, 0, 1};
	struct packet_random r = {8};
	(void)state;

	for (unsigned n = 0; n < 20000; n++) {
		uint32_t size = n % 5 == 0   ? packet_arp_request(frame, &four)
				: n % 5 == 1 ? packet_echo_request(frame, &four, 40)
				: n % 5 == 2
					? packet_echo_request(frame, &six, 40)
					: packet_solicitation(frame, &six, n % 5 == 3, n % 2 == 0);

		for (uint32_t k = packet_random_below(&r, 3); k > 0; k--)
			frame[packet_random_below(&r, size)] = (uint8_t)packet_random_next(&r);
		if (n % 5 != 0 && n % 3 == 0 && icmp_is_inside(n % 5 == 1, size))
			packet_fix_icmp(frame);
		if (ask(size - packet_random_below(&r, 2)) == 0)
			continue;
		assert_memory_equal(frame + 6, our_mac, 6);
		if (n % 5 > 0 && memcmp(frame, all_nodes_mac, 6) != 0)
			assert_memory_equal(frame, asked + 6, 6);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arp_is_answered_with_our_mac),
		cmocka_unit_test(an_arp_probe_is_answered_so_that_our_address_stays_ours),
		cmocka_unit_test(other_arp_is_not_answered),
		cmocka_unit_test(echo_is_answered_with_the_same_bytes),
		cmocka_unit_test(padding_does_not_come_back),
		cmocka_unit_test(echo_above_576_bytes_of_ip_is_not_answered),
		cmocka_unit_test(other_icmp_is_not_answered),
		cmocka_unit_test(echo6_is_answered_with_the_same_bytes),
		cmocka_unit_test(other_icmpv6_is_not_answered),
		cmocka_unit_test(solicitations_are_answered_with_an_advertisement),
		cmocka_unit_test(an_address_of_ours_is_defended),
		cmocka_unit_test(other_solicitations_are_not_answered),
		cmocka_unit_test(an_advertisement_fills_at_most_the_room_there_is),
		cmocka_unit_test(udp_and_other_ethertypes_are_not_answered),
		cmocka_unit_test(random_damage_is_answered_rightly_or_not),
	};

	return cmocka_run_group_tests_name("neighbor", tests, setup, NULL);
}
