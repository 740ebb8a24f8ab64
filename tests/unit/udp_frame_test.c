// SPDX-License-Identifier: BSD-3-Clause
//
// UDP frames: what is taken, what leaves and by which name, and that our own frames are right.
// Frames come from support/packet.c, which shares no code with the parser.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/udp_frame.h"
#include "support/packet.h"

#define PORT 50001
#define FAMILIES 2

static const uint8_t our_mac[6] = {0x02, 0, 0, 0, 0, 0x01};
static const uint8_t their_mac[6] = {0x02, 0, 0, 0, 0, 0x02};
static const char payload[] = "twenty bytes of data";
static struct udp_frame_host host;
static struct packet_udp good[FAMILIES]; // IPv4, IPv6
static uint8_t frame[PACKET_FRAME_SIZE_MAX];

static int setup(void **state)
{
	static const char *const ours[FAMILIES] = {"192.0.2.1", "2001:db8::1"};
	static const char *const theirs[FAMILIES] = {"198.51.100.7", "2001:db8:7::7"};
	(void)state;

	host = (struct udp_frame_host){.address_count = 3, .first_port = 50000, .port_count = 4};
	memcpy(host.mac, our_mac, 6);
	host.addresses[0] = packet_addr("192.0.2.200", 0);
	for (unsigned i = 0; i < FAMILIES; i++) {
		host.addresses[1 + i] = packet_addr(ours[i], 0);
		good[i] = (struct packet_udp){.source = packet_addr(theirs[i], 4321),
			.target = packet_addr(ours[i], PORT),
			.payload = payload,
			.payload_size = 20};
		memcpy(good[i].source_mac, their_mac, 6);
		memcpy(good[i].target_mac, our_mac, 6);
	}
	return 0;
}

// Parses an exact-size heap copy, so that an overread is seen.
static enum dp_verdict parse(uint32_t size, struct udp_frame *view)
{
	uint8_t *copy = packet_heap(frame, size);
	enum dp_verdict verdict = udp_frame_parse(copy, size, &host, view);

	free(copy);
	return verdict;
}

static enum dp_verdict verdict_of(const struct packet_udp *p)
{
	struct udp_frame view;

	return parse(packet_udp(frame, p), &view);
}

static void assert_addr(const struct dp_addr *a, const struct dp_addr *b)
{
	assert_memory_equal(a, b, sizeof(*a));
}

static void every_field_of_a_good_frame_is_found(void **state)
{
	(void)state;
	for (unsigned i = 0; i < FAMILIES; i++) {
		for (unsigned size = 0; size <= DP_PAYLOAD_SIZE_MAX; size += 46) {
			static uint8_t body[DP_PAYLOAD_SIZE_MAX];
			struct packet_udp p = good[i];
			struct udp_frame view;

			memset(&view, 0xa5, sizeof(view)); // every byte must be written
			p.payload = body;
			p.payload_size = (uint16_t)size;
			assert_int_equal(parse(packet_udp(frame, &p), &view), DP_OK);
			assert_addr(&view.source, &p.source);
			assert_addr(&view.target, &p.target);
			assert_memory_equal(view.source_mac, their_mac, 6);
			assert_int_equal(view.payload_offset, i == 0 ? 42 : 62);
			assert_int_equal(view.payload_size, size);
		}
	}
}

static void trailing_padding_is_not_payload(void **state)
{
	(void)state;
	for (unsigned i = 0; i < FAMILIES; i++) {
		struct packet_udp p = good[i];
		struct udp_frame view;

		p.trailer_size = 18;
		p.payload_size = 1;
		assert_int_equal(parse(packet_udp(frame, &p), &view), DP_OK);
		assert_int_equal(view.payload_size, 1);
		assert_int_equal(frame[view.payload_offset], payload[0]);
	}
}

static void ipv4_options_of_every_size_are_skipped(void **state)
{
	(void)state;
	for (uint8_t options_size = 0; options_size <= 40; options_size += 4) {
		struct packet_udp p = good[0];
		struct udp_frame view;

		p.options_size = options_size;
		assert_int_equal(parse(packet_udp(frame, &p), &view), DP_OK);
		assert_int_equal(view.payload_offset, 42 + options_size);
		assert_memory_equal(frame + view.payload_offset, payload, 20);
	}
}

// Every byte that is missing is noticed, and the name says where. Read at exact size.
static void every_truncation_is_named(void **state)
{
	(void)state;
	for (unsigned i = 0; i < FAMILIES; i++) {
		uint32_t size = packet_udp(frame, &good[i]);

		for (uint32_t cut = 0; cut < size; cut++) {
			uint32_t headers = i == 0 ? 34 : 54;
			struct udp_frame view;

			assert_int_equal(
				parse(cut, &view), cut < headers ? DP_FRAME_SHORT : DP_FRAME_CUT);
		}
	}
}

static void truncation_inside_ipv4_options_is_short(void **state)
{
	struct packet_udp p = good[0];
	struct udp_frame view;
	(void)state;

	p.options_size = 40;
	for (uint32_t cut = packet_udp(frame, &p) - 1; cut >= 34; cut--)
		assert_int_equal(parse(cut, &view), cut < 74 ? DP_FRAME_SHORT : DP_FRAME_CUT);
}

static void what_is_not_for_us_goes_to_the_host(void **state)
{
	static const char *const elsewhere[FAMILIES] = {"192.0.2.2", "2001:db8::2"};
	static const uint16_t foreign_ports[] = {0, 53, 49999, 50004, 65535};
	(void)state;

	for (unsigned i = 0; i < FAMILIES; i++) {
		struct packet_udp p = good[i];

		p.target = packet_addr(elsewhere[i], PORT);
		assert_int_equal(verdict_of(&p), DP_HOST);
		for (unsigned k = 0; k < sizeof(foreign_ports) / sizeof(foreign_ports[0]); k++) {
			p = good[i];
			p.target.port = foreign_ports[k];
			assert_int_equal(verdict_of(&p), DP_HOST);
		}
		for (uint16_t port = 50000; port < 50004; port++) {
			p = good[i];
			p.target.port = port;
			assert_int_equal(verdict_of(&p), DP_OK);
		}
		p = good[i];
		p.target_mac[5] ^= 1; // another station
		assert_int_equal(verdict_of(&p), DP_HOST);
		memset(p.target_mac, 0xff, 6); // broadcast
		assert_int_equal(verdict_of(&p), DP_HOST);
	}
}

static void other_protocols_go_to_the_host(void **state)
{
	struct udp_frame view;
	(void)state;

	for (unsigned i = 0; i < FAMILIES; i++) {
		uint32_t size = packet_udp(frame, &good[i]);
		uint8_t *protocol = frame + (i == 0 ? 23 : 20);

		for (unsigned number = 0; number < 256; number++) {
			*protocol = (uint8_t)number;
			if (number == 17 || (i == 1 && number == 44))
				continue;
			assert_int_equal(parse(size, &view), DP_HOST);
		}
		*protocol = 17;
		for (unsigned type = 0; type < 0x10000; type += 0x1f) {
			if (type == 0x0800 || type == 0x86dd || type == 0x8100 || type == 0x88a8 ||
				type == 0x9100)
				continue;
			frame[12] = (uint8_t)(type >> 8);
			frame[13] = (uint8_t)type;
			assert_int_equal(parse(size, &view), DP_HOST);
		}
	}
}

static void every_vlan_tag_is_named(void **state)
{
	static const uint16_t types[] = {0x8100, 0x88a8, 0x9100};
	(void)state;

	for (unsigned i = 0; i < FAMILIES; i++) {
		for (unsigned k = 0; k < 3; k++) {
			struct packet_udp p = good[i];

			p.tags[0] = types[k];
			assert_int_equal(verdict_of(&p), DP_VLAN);
			p.tags[1] = 0x8100;
			assert_int_equal(verdict_of(&p), DP_VLAN);
			p.target_mac[0] ^= 4;
			assert_int_equal(verdict_of(&p), DP_HOST);
		}
	}
}

// A damaged frame, by one field of an otherwise good IPv4 frame.
static void each_ipv4_fault_has_its_name(void **state)
{
	static const struct {
		const char *what;
		uint8_t offset, value; // a byte of the frame
		bool fix;              // set the IPv4 checksum right again
		enum dp_verdict verdict;
	} rows[] = {
		{"version 0", 14, 0x05, true, DP_IP_HEADER},
		{"version 6 in an IPv4 frame", 14, 0x65, true, DP_IP_HEADER},
		{"header of 0 bytes", 14, 0x40, false, DP_IP_HEADER},
		{"header of 16 bytes", 14, 0x44, true, DP_IP_HEADER},
		{"total less than the header", 17, 19, true, DP_IP_HEADER},
		{"total 0", 17, 0, true, DP_IP_HEADER},
		{"header only", 17, 20, true, DP_UDP_LENGTH},
		{"half a UDP header", 17, 24, true, DP_UDP_LENGTH},
		{"one byte of UDP missing", 17, 27, true, DP_UDP_LENGTH},
		{"total shorter than UDP says", 17, 47, true, DP_UDP_LENGTH},
		{"total longer than the frame", 17, 49, true, DP_FRAME_CUT},
		{"total much longer", 16, 5, true, DP_FRAME_CUT},
		{"time to live changed alone", 22, 3, false, DP_IP_CHECKSUM},
		{"checksum changed", 24, 0x11, false, DP_IP_CHECKSUM},
		{"time to live 0 is still for us", 22, 0, true, DP_OK},
		{"don't fragment", 20, 0x40, true, DP_OK},
		{"reserved flag", 20, 0x80, true, DP_OK},
		{"first fragment", 20, 0x20, true, DP_IP_FRAGMENT},
		{"later fragment", 21, 1, true, DP_IP_FRAGMENT},
		{"last byte of the offset", 20, 0x1f, true, DP_IP_FRAGMENT},
		{"UDP length less than its header", 39, 7, true, DP_UDP_LENGTH},
		{"UDP length 0", 39, 0, true, DP_UDP_LENGTH},
		{"UDP shorter than IP says", 39, 27, true, DP_UDP_LENGTH},
		{"UDP longer than IP says", 39, 29, true, DP_UDP_LENGTH},
		{"UDP checksum changed", 41, 0, true, DP_UDP_CHECKSUM},
		{"payload changed", 50, 0, true, DP_UDP_CHECKSUM},
		{"group MAC as source", 6, 0x03, true, DP_IP_SOURCE},
	};
	struct udp_frame view;
	(void)state;

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t size = packet_udp(frame, &good[0]);

		frame[rows[i].offset] = rows[i].value;
		if (rows[i].fix)
			packet_fix_ipv4(frame);

		enum dp_verdict verdict = parse(size, &view);

		if (verdict != rows[i].verdict)
			fail_msg("%s: %s", rows[i].what, dp_verdict_label(verdict));
	}
}

static void each_ipv6_fault_has_its_name(void **state)
{
	static const struct {
		const char *what;
		uint8_t offset, value;
		enum dp_verdict verdict;
	} rows[] = {
		{"version 4 in an IPv6 frame", 14, 0x40, DP_IP_HEADER},
		{"version 7", 14, 0x70, DP_IP_HEADER},
		{"traffic class and flow label", 15, 0xff, DP_OK},
		{"hop limit 0 is still for us", 21, 0, DP_OK},
		{"no payload", 19, 0, DP_UDP_LENGTH},
		{"half a UDP header", 19, 7, DP_UDP_LENGTH},
		{"payload shorter than UDP says", 19, 27, DP_UDP_LENGTH},
		{"payload longer than the frame", 19, 29, DP_FRAME_CUT},
		{"payload much longer", 18, 0xff, DP_FRAME_CUT},
		{"UDP length 0", 59, 0, DP_UDP_LENGTH},
		{"UDP shorter than IP says", 59, 27, DP_UDP_LENGTH},
		{"UDP longer than IP says", 59, 29, DP_UDP_LENGTH},
		{"UDP checksum changed", 61, 0, DP_UDP_CHECKSUM},
		{"payload changed", 70, 0, DP_UDP_CHECKSUM},
		{"group MAC as source", 6, 0x03, DP_IP_SOURCE},
	};
	struct udp_frame view;
	(void)state;

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t size = packet_udp(frame, &good[1]);

		frame[rows[i].offset] = rows[i].value;

		enum dp_verdict verdict = parse(size, &view);

		if (verdict != rows[i].verdict)
			fail_msg("%s: %s", rows[i].what, dp_verdict_label(verdict));
	}
}

// IP and UDP agree on less than a UDP header.
static void less_than_a_udp_header_is_no_datagram(void **state)
{
	(void)state;
	for (unsigned i = 0; i < FAMILIES; i++) {
		for (uint8_t udp_size = 0; udp_size < 8; udp_size++) {
			struct packet_udp p = good[i];
			struct udp_frame view;

			p.no_checksum = true;

			uint32_t size = packet_udp(frame, &p);

			frame[i == 0 ? 17 : 19] = (uint8_t)(udp_size + (i == 0 ? 20 : 0));
			frame[i == 0 ? 39 : 59] = udp_size;
			if (i == 0)
				packet_fix_ipv4(frame);
			assert_int_equal(parse(size, &view), DP_UDP_LENGTH);
		}
	}
}

static void an_ipv4_address_is_not_the_ipv6_address_that_begins_like_it(void **state)
{
	struct dp_addr saved = host.addresses[1];
	struct packet_udp p = good[0];
	(void)state;

	host.addresses[1].family = 6; // c000:201::
	assert_int_equal(verdict_of(&p), DP_HOST);
	p.source = p.target;
	p.target = packet_addr("192.0.2.200", PORT);
	assert_int_equal(verdict_of(&p), DP_OK);
	host.addresses[1] = saved;
	assert_int_equal(verdict_of(&p), DP_IP_SOURCE);
}

static void nobody_can_send_from_an_impossible_source(void **state)
{
	static const char *const sources[] = {"0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.0.1",
		"224.0.0.1", "239.255.255.255", "255.255.255.255", "192.0.2.1", "192.0.2.200",
		"::", "::1", "::192.0.2.9", "::ffff:192.0.2.9", "ff02::1", "ff05::2",
		"2001:db8::1"};
	static const char *const fine[] = {"1.0.0.0", "126.1.1.1", "128.0.0.1", "223.255.255.255",
		"10.0.0.255", "192.0.2.2", "fe80::1", "fd00::1", "2001:db8::2",
		"64:ff9b::c000:209"};
	(void)state;

	for (unsigned i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		struct dp_addr source = packet_addr(sources[i], 4321);
		struct packet_udp p = good[source.family == 6];

		p.source = source;
		assert_int_equal(verdict_of(&p), DP_IP_SOURCE);
	}
	for (unsigned i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
		struct dp_addr source = packet_addr(fine[i], 4321);
		struct packet_udp p = good[source.family == 6];

		p.source = source;
		assert_int_equal(verdict_of(&p), DP_OK);
		p.source.port = 0;
		assert_int_equal(verdict_of(&p), DP_IP_SOURCE);
		p = good[source.family == 6];
		memset(p.source_mac, 0, 6);
		assert_int_equal(verdict_of(&p), DP_IP_SOURCE);
	}
}

static void fragments_are_ours_unless_they_say_otherwise(void **state)
{
	(void)state;
	for (unsigned i = 0; i < FAMILIES; i++) {
		struct packet_udp p = good[i];

		p.fragment = i == 0 ? 0x2000 : 0x0001; // first, more to come
		assert_int_equal(verdict_of(&p), DP_IP_FRAGMENT);
		p.target.port = 53; // readable in the first one only
		assert_int_equal(verdict_of(&p), DP_HOST);
		p.fragment = i == 0 ? 0x0010 : 0x0080;
		assert_int_equal(verdict_of(&p), DP_IP_FRAGMENT);
		p.fragment = i == 0 ? 0x0001 : 0x0008; // eight bytes on
		assert_int_equal(verdict_of(&p), DP_IP_FRAGMENT);
		p.payload_size = 0; // as short as one can be
		assert_int_equal(verdict_of(&p), DP_IP_FRAGMENT);
	}

	struct packet_udp p = good[1];
	struct udp_frame view;

	p.fragment = 1;

	uint32_t size = packet_udp(frame, &p);

	for (unsigned protocol = 0; protocol < 256; protocol++) { // the fragment header's
		frame[54] = (uint8_t)protocol;
		assert_int_equal(parse(size, &view), protocol == 17 ? DP_IP_FRAGMENT : DP_HOST);
	}
	frame[54] = 17;
	for (uint32_t cut = 54; cut < size; cut++) // media all the same, and no overread
		assert_int_equal(parse(cut, &view), DP_IP_FRAGMENT);
}

static void checksum_zero_is_for_ipv4_only(void **state)
{
	(void)state;
	for (unsigned i = 0; i < FAMILIES; i++) {
		struct packet_udp p = good[i];

		p.no_checksum = true;
		assert_int_equal(verdict_of(&p), i == 0 ? DP_OK : DP_UDP_CHECKSUM);
	}
}

static void a_partial_checksum_is_taken_only_from_our_own_kernel(void **state)
{
	(void)state;
	for (unsigned i = 0; i < FAMILIES; i++) {
		struct packet_udp p = good[i];
		struct udp_frame view;

		p.partial_checksum = true;
		assert_int_equal(verdict_of(&p), DP_UDP_CHECKSUM);
		host.partial_checksums = true;
		assert_int_equal(verdict_of(&p), DP_OK);

		uint32_t size = packet_udp(frame, &p);

		frame[i == 0 ? 41 : 61] ^= 1; // any other wrong sum is wrong
		assert_int_equal(parse(size, &view), DP_UDP_CHECKSUM);
		assert_int_equal(verdict_of(&good[i]), DP_OK);
		p = good[i];
		p.no_checksum = true;
		assert_int_equal(verdict_of(&p), i == 0 ? DP_OK : DP_UDP_CHECKSUM);
		host.partial_checksums = false;
	}
}

// One bit anywhere in what the checksums cover is noticed, or the frame is no longer for us. Three
// things of IPv6 no sum covers: class, flow label and hop limit; and the Ethernet source.
static void every_flipped_bit_is_noticed(void **state)
{
	(void)state;
	for (unsigned i = 0; i < FAMILIES; i++) {
		uint32_t size = packet_udp(frame, &good[i]);
		struct udp_frame view;

		for (uint32_t bit = 0; bit < size * 8; bit++) {
			uint32_t byte = bit / 8;
			bool free = (byte >= 6 && byte < 12) ||
				    (i == 1 && (byte == 15 || byte == 16 || byte == 17 ||
						       byte == 21 || (byte == 14 && bit % 8 < 4)));

			frame[byte] ^= (uint8_t)(1 << bit % 8);
			if (!free)
				assert_int_not_equal(parse(size, &view), DP_OK);
			frame[byte] ^= (uint8_t)(1 << bit % 8);
		}
	}
}

static void the_sum_is_that_of_rfc_1071(void **state)
{
	static const uint8_t example[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
	struct packet_random r = {1};
	uint8_t bytes[1600];
	(void)state;

	assert_int_equal(inet_sum(example, 8, 0), 0xddf2); // its section 3
	assert_int_equal(inet_sum(example, 0, 0), 0);
	for (unsigned i = 0; i < 3000; i++) {
		uint32_t size = packet_random_below(&r, i < 200 ? 33 : sizeof(bytes) - 8);
		uint32_t offset = packet_random_below(&r, 8);
		uint32_t start = packet_random_below(&r, 0x20000);

		packet_random_fill(&r, bytes, offset + size);
		if (i % 3 == 0)
			memset(bytes, i % 2 == 0 ? 0xff : 0, offset + size);
		assert_int_equal(inet_sum(bytes + offset, size, start),
			packet_sum(bytes + offset, size, packet_sum(NULL, 0, start)));
	}
}

// What udp_template_* makes, the parser at the other end takes, and every byte of it is known.
static void our_frames_parse_back_equal(void **state)
{
	struct packet_random r = {2};
	(void)state;

	for (unsigned n = 0; n < 2000; n++) {
		bool six = n % 2 == 1;
		struct dp_addr us = host.addresses[1 + six], them = good[six].source;
		uint16_t size = (uint16_t)packet_random_below(&r, DP_PAYLOAD_SIZE_MAX + 1);
		uint32_t headers = six ? UDP6_FRAME_SIZE : UDP4_FRAME_SIZE;
		struct udp_frame_host receiver = {.address_count = 1, .port_count = 1};
		struct udp_template t;
		struct udp_frame view;

		us.port = (uint16_t)(1 + packet_random_below(&r, 65535));
		them.port = (uint16_t)(1 + packet_random_below(&r, 65535));
		receiver.addresses[0] = them;
		receiver.first_port = them.port;
		memcpy(receiver.mac, their_mac, 6);

		memset(frame, 0xa5, sizeof(frame));
		udp_template_build(&t, our_mac, their_mac, &us, &them, n % 64);
		assert_int_equal(t.size, headers);
		packet_random_fill(&r, frame + headers, size);
		udp_template_finish(&t, frame, size);
		if (six)
			udp6_checksum_fill(frame, size);
		assert_int_equal(frame[headers + size], 0xa5);

		uint8_t *copy = packet_heap(frame, headers + size);

		assert_int_equal(udp_frame_parse(copy, headers + size, &receiver, &view), DP_OK);
		free(copy);
		assert_addr(&view.source, &us);
		assert_addr(&view.target, &them);
		assert_memory_equal(view.source_mac, our_mac, 6);
		assert_int_equal(view.payload_offset, headers);
		assert_int_equal(view.payload_size, size);
		assert_int_equal(packet_sum(frame + 14, 20, 0) == 0xffff, !six);
	}
}

static void our_ipv4_header_is_these_bytes(void **state)
{
	static const uint8_t golden[UDP4_FRAME_SIZE] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0,
		0x45, 46 << 2, 0, 128, 0, 0, 0x40, 0, 64, 17, 0x4d, 0x79, 192, 0, 2, 1, 198, 51,
		100, 7, 0xc3, 0x51, 0x10, 0xe1, 0, 108, 0, 0};
	struct udp_template t;
	(void)state;

	udp_template_build(&t, our_mac, their_mac, &good[0].target, &good[0].source, 46);
	udp_template_finish(&t, frame, 100);
	assert_int_equal(packet_sum(golden + 14, 20, 0), 0xffff);
	assert_memory_equal(frame, golden, sizeof(golden));
}

static void our_ipv6_header_is_these_bytes(void **state)
{
	static const uint8_t golden[UDP6_FRAME_SIZE] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x86,
		0xdd, 0x6b, 0x80, 0, 0, 0, 108, 17, 64, 0x20, 1, 0x0d, 0xb8, [37] = 1, 0x20, 1,
		0x0d, 0xb8, 0, 7, [53] = 7, 0xc3, 0x51, 0x10, 0xe1, 0, 108, 0, 0};
	struct udp_template t;
	(void)state;

	udp_template_build(&t, our_mac, their_mac, &good[1].target, &good[1].source, 46);
	udp_template_finish(&t, frame, 100);
	assert_memory_equal(frame, golden, sizeof(golden));
}

// RFC 768: a sum that comes out as zero is sent as all ones.
static void an_ipv6_checksum_is_never_zero(void **state)
{
	struct udp_template t;
	uint8_t *udp = frame + UDP6_FRAME_SIZE - UDP_HDR_SIZE;
	uint32_t sum;
	(void)state;

	udp_template_build(&t, our_mac, their_mac, &good[1].target, &good[1].source, 0);
	udp_template_finish(&t, frame, 2);
	memset(frame + UDP6_FRAME_SIZE, 0, 2);
	sum = packet_sum(udp, 10, packet_pseudo_sum(frame + 14, 17, 10));
	frame[UDP6_FRAME_SIZE] = (uint8_t)(~sum >> 8);
	frame[UDP6_FRAME_SIZE + 1] = (uint8_t)~sum;
	udp6_checksum_fill(frame, 2);
	assert_int_equal(udp[6], 0xff);
	assert_int_equal(udp[7], 0xff);
}

// Random damage to good frames, a thousand of each family: nothing is read outside, and what is
// still taken lies inside. The sanitizers are the test.
static void random_damage_stays_inside(void **state)
{
	struct packet_random r = {3};
	(void)state;

	for (unsigned n = 0; n < 20000; n++) {
		uint32_t size = packet_udp(frame, &good[n % FAMILIES]);
		struct udp_frame view;

		for (uint32_t k = packet_random_below(&r, 5); k > 0; k--)
			frame[12 + packet_random_below(&r, 42)] = (uint8_t)packet_random_next(&r);
		size = packet_random_below(&r, size + 1);
		if (parse(size, &view) == DP_OK)
			assert_true((uint32_t)view.payload_offset + view.payload_size <= size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_of_a_good_frame_is_found),
		cmocka_unit_test(trailing_padding_is_not_payload),
		cmocka_unit_test(ipv4_options_of_every_size_are_skipped),
		cmocka_unit_test(every_truncation_is_named),
		cmocka_unit_test(truncation_inside_ipv4_options_is_short),
		cmocka_unit_test(what_is_not_for_us_goes_to_the_host),
		cmocka_unit_test(other_protocols_go_to_the_host),
		cmocka_unit_test(every_vlan_tag_is_named),
		cmocka_unit_test(each_ipv4_fault_has_its_name),
		cmocka_unit_test(each_ipv6_fault_has_its_name),
		cmocka_unit_test(less_than_a_udp_header_is_no_datagram),
		cmocka_unit_test(an_ipv4_address_is_not_the_ipv6_address_that_begins_like_it),
		cmocka_unit_test(nobody_can_send_from_an_impossible_source),
		cmocka_unit_test(fragments_are_ours_unless_they_say_otherwise),
		cmocka_unit_test(checksum_zero_is_for_ipv4_only),
		cmocka_unit_test(a_partial_checksum_is_taken_only_from_our_own_kernel),
		cmocka_unit_test(every_flipped_bit_is_noticed),
		cmocka_unit_test(the_sum_is_that_of_rfc_1071),
		cmocka_unit_test(our_frames_parse_back_equal),
		cmocka_unit_test(our_ipv4_header_is_these_bytes),
		cmocka_unit_test(our_ipv6_header_is_these_bytes),
		cmocka_unit_test(an_ipv6_checksum_is_never_zero),
		cmocka_unit_test(random_damage_stays_inside),
	};

	return cmocka_run_group_tests_name("udp_frame", tests, setup, NULL);
}
