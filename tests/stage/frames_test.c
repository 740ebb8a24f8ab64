// SPDX-License-Identifier: BSD-3-Clause
//
// Frames as no kernel would let them through (threats T23 to T26), before real workers on real
// mbufs: hundreds of thousands of damaged ones, fragments, chains of buffers, tags, loops. Every
// one is accounted for, no mbuf stays behind (fixture_fini asserts both), and the room hears on.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#include "api/dp_assert.h"
#include "stage/room_fixture.h"

#ifdef DP_HOT_ASSERTS // sanitizers: each frame costs ten times as much
#define FRAMES 200000u
#define FRAGMENTS 100000u
#else
#define FRAMES 2000000u
#define FRAGMENTS 1000000u
#endif

static struct fixture f;

static void the_room_hears_on(void)
{
	struct client_packet p;

	client_say(&f.member[0], "fine", 4);
	assert_true(hear(&f.member[1], &p));
	assert_int_equal(p.clear_size, 4);
	assert_memory_equal(p.clear, "fine", 4);
	assert_false(hear(&f.member[1], &p));
}

// A datagram of member 0 to its worker, sealed by nobody.
static struct packet_udp make_udp(void)
{
	static const uint8_t payload[64] = {0x80, 0x78};
	struct packet_udp p = {.source = f.member[0].address,
		.target = f.member[0].server,
		.payload = payload,
		.payload_size = sizeof(payload)};

	memcpy(p.source_mac, f.member[0].mac, 6);
	memcpy(p.target_mac, f.node.host.mac, 6);
	return p;
}

static uint64_t injected, accounted_before;

// Frames that left by any verdict: each leaves exactly once.
static uint64_t accounted(void)
{
	uint64_t sum = 0;

	for (unsigned v = DP_OK + 1; v < DP_VERDICT_COUNT; v++) {
		enum dp_class class = dp_verdict_class((enum dp_verdict)v);

		if (class != DP_CLASS_NOT_SENT)
			sum += node_verdict(&f.node, (enum dp_verdict)v);
	}
	return sum;
}

static void begin_accounting(void)
{
	injected = 0;
	accounted_before = accounted();
}

static void inject(const uint8_t *frame, uint32_t size)
{
	assert_true(node_inject(&f.node, 0, frame, size));
	if (++injected % DP_BURST_MAX == 0) {
		node_turn(&f.node);
		node_drain(&f.node);
	}
}

static void end_accounting(void)
{
	node_turn(&f.node);
	node_drain(&f.node);
	assert_int_equal(accounted() - accounted_before, injected);
	assert_int_equal(node_verdict(&f.node, DP_OK), 0);
}

// One frame of a kind, then damage: bytes, a cut, a longer end.
static uint32_t random_frame(struct packet_random *r, uint8_t *frame)
{
	uint64_t x = packet_random_next(r);
	struct packet_udp p = make_udp();
	struct packet_pair pair = {.sender = packet_addr("192.0.2.9", 0),
		.target = f.node.host.addresses[0],
		.sender_mac = {2, 9, 9, 9, 9, 9}};
	uint32_t size;

	memcpy(pair.target_mac, f.node.host.mac, 6);
	if (pair.target.family == 6)
		pair.sender = packet_addr("2001:db8::9", 0);
	p.options_size = x % 5 == 0 ? (uint8_t)(4 * (x >> 8 & 7)) : 0;
	p.fragment = x % 7 == 0 ? (uint16_t)(x >> 16) : 0;
	p.tags[0] = x % 31 == 0 ? 0x8100 : 0;
	p.no_checksum = x % 3 == 0;
	p.trailer_size = x % 6 == 0 ? (uint8_t)(x >> 32 & 31) : 0;
	if (x % 37 == 0)
		size = packet_echo_request(frame, &pair, (uint16_t)(x >> 40 & 127));
	else if (x % 41 == 0 && pair.target.family == 4)
		size = packet_arp_request(frame, &pair);
	else
		size = packet_udp(frame, &p);
	for (uint32_t k = packet_random_below(r, 4); k > 0; k--)
		frame[packet_random_below(r, size < 62 ? size : 62)] =
			(uint8_t)packet_random_next(r);
	if (x % 4 == 1)
		size = packet_random_below(r, size + 1);
	if (x % 3 == 1 && size >= 42 && frame[14] == 0x45)
		packet_fix_ipv4(frame);
	return size;
}

static void every_damaged_frame_is_accounted_for(void **state)
{
	struct packet_random r = {23};
	uint8_t frame[PACKET_FRAME_SIZE_MAX];
	uint64_t forwarded;
	(void)state;

	fixture_init(&f, 2);
	begin_accounting();
	forwarded = node_verdict(&f.node, DP_FORWARDED);
	memset(frame, 0, sizeof(frame));
	for (uint32_t n = 0; n < FRAMES; n++)
		inject(frame, random_frame(&r, frame));
	end_accounting();
	assert_int_equal(node_verdict(&f.node, DP_FORWARDED), forwarded);
	the_room_hears_on();
	// The generator reached every judgement that a frame can get here.
	for (unsigned v = DP_FRAME_SHORT; v <= DP_UDP_CHECKSUM; v++)
		if (v != DP_FRAME_SEGMENTS && v != DP_FRAME_LONG)
			assert_true(node_verdict(&f.node, (enum dp_verdict)v) > 0);
	assert_true(node_verdict(&f.node, DP_HOST) > 0);
	fixture_fini(&f);
}

static void fragments_leave_the_pool_as_it_was(void **state)
{
	struct packet_random r = {24};
	uint8_t frame[PACKET_FRAME_SIZE_MAX];
	uint64_t before;
	unsigned in_use;
	(void)state;

	fixture_init(&f, 2);
	in_use = rte_mempool_in_use_count(f.node.pool);
	before = node_verdict(&f.node, DP_IP_FRAGMENT);
	begin_accounting();
	for (uint32_t n = 0; n < FRAGMENTS; n++) {
		struct packet_udp p = make_udp();

		switch (n % 3) {
		case 0: // a first one whose rest never comes
			p.fragment = 0x2000;
			break;
		case 1: // overlapping pieces anywhere
			p.fragment = (uint16_t)(0x2000 | (1 + packet_random_below(&r, 0x1ffe)));
			break;
		default: // tiny ones
			p.payload_size = (uint16_t)packet_random_below(&r, 8);
			p.fragment = (uint16_t)(1 + packet_random_below(&r, 0x1ffe));
			break;
		}
		inject(frame, packet_udp(frame, &p));
		if (injected % DP_BURST_MAX == 0)
			assert_int_equal(rte_mempool_in_use_count(f.node.pool), in_use);
	}
	end_accounting();
	assert_int_equal(node_verdict(&f.node, DP_IP_FRAGMENT) - before, FRAGMENTS);
	the_room_hears_on();
	fixture_fini(&f);
}

// One good frame of member 0, in 'count' buffers split at the offsets of 'cuts'.
static void inject_in_pieces(
	const uint8_t *frame, uint32_t size, const uint32_t *cuts, unsigned cut_count)
{
	struct rte_mbuf *head = NULL;
	uint32_t at = 0;

	for (unsigned i = 0; i <= cut_count; i++) {
		uint32_t end = i < cut_count ? cuts[i] : size;
		struct rte_mbuf *piece = rte_pktmbuf_alloc(f.node.pool);

		assert_non_null(piece);
		memcpy(rte_pktmbuf_append(piece, (uint16_t)(end - at)), frame + at, end - at);
		at = end;
		if (head == NULL)
			head = piece;
		else
			assert_int_equal(rte_pktmbuf_chain(head, piece), 0);
	}
	assert_int_equal(rte_ring_mp_enqueue(f.node.rings[0].rx, head), 0);
}

static void a_frame_in_pieces_is_refused_wherever_it_is_split(void **state)
{
	static const uint32_t edges[] = {1, 6, 12, 14, 15, 24, 34, 35, 38, 42, 43, 54, 58, 62, 100};
	const unsigned edge_count = sizeof(edges) / sizeof(edges[0]);
	uint8_t frame[PACKET_FRAME_SIZE_MAX];
	struct packet_udp p;
	uint64_t count = 0;
	uint32_t size;
	(void)state;

	fixture_init(&f, 2);
	p = make_udp();
	size = packet_udp(frame, &p);
	begin_accounting();
	for (unsigned pieces = 2; pieces <= 5; pieces++) {
		for (unsigned first = 0; first + pieces - 1 <= edge_count; first++) {
			inject_in_pieces(frame, size, edges + first, pieces - 1);
			injected++;
			node_turn(&f.node);
			assert_int_equal(node_drain(&f.node), 0);
			assert_int_equal(node_verdict(&f.node, DP_FRAME_SEGMENTS), ++count);
		}
	}
	end_accounting();
	the_room_hears_on();
	fixture_fini(&f);
}

static void a_frame_longer_than_a_datagram_can_be_is_refused(void **state)
{
	static uint8_t payload[DP_PAYLOAD_SIZE_MAX + 200];
	uint8_t frame[PACKET_FRAME_SIZE_MAX];
	struct packet_udp p;
	uint32_t size;
	(void)state;

	fixture_init(&f, 2);
	p = make_udp();
	p.payload = payload;
	begin_accounting();
	p.payload_size = DP_PAYLOAD_SIZE_MAX + 200; // jumbo
	inject(frame, packet_udp(frame, &p));
	node_turn(&f.node);
	assert_int_equal(node_verdict(&f.node, DP_FRAME_LONG), 1);
	size = packet_udp(frame, &p); // jumbo, cut on the way in by the device
	inject(frame, size - 300);
	node_turn(&f.node);
	assert_int_equal(node_verdict(&f.node, DP_FRAME_CUT), 1);
	end_accounting();
	the_room_hears_on();
	fixture_fini(&f);
}

static void judged(struct packet_udp p, enum dp_verdict verdict)
{
	uint8_t frame[PACKET_FRAME_SIZE_MAX];
	uint64_t before = node_verdict(&f.node, verdict);

	inject(frame, packet_udp(frame, &p));
	node_turn(&f.node);
	assert_int_equal(node_drain(&f.node), 0);
	assert_int_equal(node_verdict(&f.node, verdict), before + 1);
}

// Tags, other stations, groups, and packets that claim to come from ourselves (LAND).
static void tags_and_loops_are_named_and_answered_by_nothing(void **state)
{
	static const uint8_t discovery[74] = {0, 1, 0, 70};
	struct packet_udp p;
	(void)state;

	fixture_init(&f, 2);
	begin_accounting();
	p = make_udp();
	p.tags[0] = 0x8100;
	judged(p, DP_VLAN);
	p.tags[0] = 0x88a8;
	p.tags[1] = 0x8100;
	judged(p, DP_VLAN);
	p = make_udp();
	memset(p.target_mac, 0xff, 6);
	judged(p, DP_HOST);
	memcpy(p.target_mac, (const uint8_t[6]){1, 0, 0x5e, 0, 0, 1}, 6);
	judged(p, DP_HOST);
	p = make_udp();
	p.source = p.target; // LAND
	p.payload = discovery;
	p.payload_size = sizeof(discovery);
	judged(p, DP_IP_SOURCE);
	p = make_udp();
	memcpy(p.source_mac, p.target_mac, 6);
	p.source = p.target;
	judged(p, DP_IP_SOURCE);
	p = make_udp();
	p.source = packet_addr(p.target.family == 4 ? "224.0.0.251" : "ff02::fb", 5353);
	judged(p, DP_IP_SOURCE);
	end_accounting();
	the_room_hears_on();
	fixture_fini(&f);
}

// What a node sends, another node that is its own peer takes for nothing that it would answer: two
// nodes pointed at each other fall silent after the first answer.
static void an_answer_sent_back_to_us_is_not_answered(void **state)
{
	struct node_datagram d;
	struct packet_udp p;
	uint8_t frame[PACKET_FRAME_SIZE_MAX], discovery[74] = {0, 1, 0, 70};
	(void)state;

	fixture_init(&f, 2);
	for (unsigned i = 0; i < 4; i++)
		discovery[4 + i] = (uint8_t)(f.member[0].ssrc >> (24 - 8 * i));
	p = make_udp();
	p.payload = discovery;
	p.payload_size = sizeof(discovery);
	assert_true(node_inject(&f.node, 0, frame, packet_udp(frame, &p)));
	node_turn(&f.node);
	assert_true(node_take(&f.node, &d));
	assert_int_equal(d.frame[14 + (d.source.family == 4 ? 8 : 7)], 64); // time to live
	p.payload = d.payload;
	p.payload_size = (uint16_t)d.payload_size;
	assert_true(node_inject(&f.node, 0, frame, packet_udp(frame, &p)));
	node_turn(&f.node);
	assert_int_equal(node_drain(&f.node), 0);
	the_room_hears_on();
	fixture_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_damaged_frame_is_accounted_for),
		cmocka_unit_test(fragments_leave_the_pool_as_it_was),
		cmocka_unit_test(a_frame_in_pieces_is_refused_wherever_it_is_split),
		cmocka_unit_test(a_frame_longer_than_a_datagram_can_be_is_refused),
		cmocka_unit_test(tags_and_loops_are_named_and_answered_by_nothing),
		cmocka_unit_test(an_answer_sent_back_to_us_is_not_answered),
	};

	return cmocka_run_group_tests_name("frames", tests, NULL, NULL);
}
