// SPDX-License-Identifier: BSD-3-Clause
//
// Bytes from strangers and liars: each is counted by name, none is answered or changes anything,
// and the members of the room hear on.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "api/dp_assert.h"
#include "stage/room_fixture.h"

static struct fixture f;

// The room still works, and the last thing that came was dropped as 'verdict', 'count' times so
// far.
static void dropped_as(enum dp_verdict verdict, uint64_t count)
{
	struct client_packet p;

	node_turn(&f.node);
	assert_int_equal(node_drain(&f.node), 0);
	assert_int_equal(node_verdict(&f.node, verdict), count);
	client_say(&f.member[0], "fine", 4);
	assert_true(hear(&f.member[1], &p));
	assert_memory_equal(p.clear, "fine", 4);
	assert_false(hear(&f.member[1], &p));
}

// A frame from member 0 with its headers to be damaged.
static uint32_t make_frame(struct packet_udp *udp, uint8_t *frame)
{
	static const uint8_t payload[100] = {0x80, 0x78};

	udp->source = f.member[0].address;
	udp->target = f.member[0].server;
	udp->payload = payload;
	udp->payload_size = sizeof(payload);
	memcpy(udp->source_mac, f.member[0].mac, 6);
	memcpy(udp->target_mac, f.node.host.mac, 6);
	return packet_udp(frame, udp);
}

static void malformed_frames_are_named(void **state)
{
	uint8_t frame[PACKET_FRAME_SIZE_MAX];
	uint32_t size;
	(void)state;

	fixture_init(&f, 2);
	size = make_frame(&(struct packet_udp){0}, frame);
	assert_true(node_inject(&f.node, 0, frame, 20));
	dropped_as(DP_FRAME_SHORT, 1);
	assert_true(node_inject(&f.node, 0, frame, size - 1));
	dropped_as(DP_FRAME_CUT, 1);
	frame[14 + 10] ^= 0x55;
	assert_true(node_inject(&f.node, 0, frame, size));
	dropped_as(DP_IP_CHECKSUM, 1);
	size = make_frame(&(struct packet_udp){0}, frame);
	frame[14 + 20 + 6] ^= 0x55;
	assert_true(node_inject(&f.node, 0, frame, size));
	dropped_as(DP_UDP_CHECKSUM, 1);
	size = make_frame(&(struct packet_udp){.fragment = 0x2000}, frame);
	assert_true(node_inject(&f.node, 0, frame, size));
	dropped_as(DP_IP_FRAGMENT, 1);
	size = make_frame(&(struct packet_udp){.tags = {0x8100}}, frame);
	assert_true(node_inject(&f.node, 0, frame, size));
	dropped_as(DP_VLAN, 1);
	size = make_frame(&(struct packet_udp){0}, frame);
	frame[14 + 20 + 5] ^= 1;
	assert_true(node_inject(&f.node, 0, frame, size));
	dropped_as(DP_UDP_LENGTH, 1);
	fixture_fini(&f);
}

// A frame in a pool's buffer, to be chained or lengthened.
static struct rte_mbuf *in_mbuf(const uint8_t *frame, uint32_t size, uint32_t more)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(f.node.pool);
	char *at = rte_pktmbuf_append(mbuf, (uint16_t)(size + more));

	memset(at, 0, size + more);
	memcpy(at, frame, size);
	return mbuf;
}

static void frames_in_pieces_and_long_ones_are_named(void **state)
{
	uint8_t frame[PACKET_FRAME_SIZE_MAX];
	struct rte_mbuf *head;
	uint32_t size;
	(void)state;

	fixture_init(&f, 2);
	size = make_frame(&(struct packet_udp){0}, frame);
	head = in_mbuf(frame, size, 0);
	assert_int_equal(rte_pktmbuf_chain(head, in_mbuf(frame, size, 0)), 0);
	assert_int_equal(rte_ring_mp_enqueue(f.node.rings[0].rx, head), 0);
	dropped_as(DP_FRAME_SEGMENTS, 1);
	assert_int_equal(rte_ring_mp_enqueue(f.node.rings[0].rx, in_mbuf(frame, size, 1600)), 0);
	dropped_as(DP_FRAME_LONG, 1);
	// What a device cuts a jumbo frame to (af_packet: 1,982 bytes) was cut first of all.
	frame[14 + 2] = 8000 >> 8;
	frame[14 + 3] = 8000 & 0xff;
	packet_fix_ipv4(frame);
	assert_int_equal(
		rte_ring_mp_enqueue(f.node.rings[0].rx, in_mbuf(frame, size, 1982 - size)), 0);
	dropped_as(DP_FRAME_CUT, 1);
	assert_int_equal(node_verdict(&f.node, DP_FRAME_LONG), 1);
	// The host's own super-packets are nobody's drop.
	frame[14 + 9] = 6; // TCP
	packet_fix_ipv4(frame);
	assert_int_equal(rte_ring_mp_enqueue(f.node.rings[0].rx, in_mbuf(frame, size, 1600)), 0);
	dropped_as(DP_FRAME_LONG, 1);
	assert_int_equal(node_verdict(&f.node, DP_HOST), 1);
	fixture_fini(&f);
}

static void every_flipped_bit_of_a_packet_is_refused(void **state)
{
	uint8_t pkt[DP_PAYLOAD_SIZE_MAX], bad[DP_PAYLOAD_SIZE_MAX];
	uint32_t size;
	uint64_t forwarded;
	(void)state;

	fixture_init(&f, 2);
	for (unsigned who = 0; who < 2; who++) { // both suites
		struct client *c = &f.member[who];

		size = client_seal(c, c->seq, "secret", 6, pkt);
		for (unsigned bit = 0; bit < size * 8; bit++) {
			memcpy(bad, pkt, size);
			bad[bit / 8] ^= (uint8_t)(1 << bit % 8);
			forwarded = node_verdict(&f.node, DP_FORWARDED);
			client_send_raw(c, bad, size);
			node_turn(&f.node);
			assert_int_equal(node_drain(&f.node), 0);
			assert_int_equal(node_verdict(&f.node, DP_FORWARDED), forwarded);
		}
		assert_true(node_verdict(&f.node, DP_SRTP_AUTH) > (size - 16) * 8 / 2);
		client_send_raw(c, pkt, size); // none of them moved the window
		node_turn(&f.node);
		assert_int_equal(node_drain(&f.node), 1);
	}
	fixture_fini(&f);
}

static void every_truncation_of_a_packet_is_refused(void **state)
{
	uint8_t pkt[DP_PAYLOAD_SIZE_MAX];
	uint32_t size;
	(void)state;

	fixture_init(&f, 2);
	f.member[0].ext = true;
	size = client_seal(&f.member[0], f.member[0].seq, "secret", 6, pkt);
	for (uint32_t cut = 0; cut < size; cut++) {
		client_send_raw(&f.member[0], pkt, cut);
		node_turn(&f.node);
		assert_int_equal(node_drain(&f.node), 0);
	}
	assert_int_equal(node_verdict(&f.node, DP_FORWARDED), 0);
	client_send_raw(&f.member[0], pkt, size);
	node_turn(&f.node);
	assert_int_equal(node_drain(&f.node), 1);
	fixture_fini(&f);
}

static void a_packet_comes_through_once(void **state)
{
	uint8_t pkt[40][64];
	uint32_t size[40];
	(void)state;

	fixture_init(&f, 2);
	for (unsigned i = 0; i < 40; i++)
		size[i] = client_seal(&f.member[0], f.member[0].seq++, "twin", 4, pkt[i]);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 40; i++) { // twins in one burst, too
			client_send_raw(&f.member[0], pkt[i], size[i]);
			client_send_raw(&f.member[0], pkt[i], size[i]);
		}
		node_turn(&f.node);
		assert_int_equal(node_drain(&f.node), round == 0 ? 40 : 0);
	}
	assert_int_equal(node_verdict(&f.node, DP_SRTP_REPLAY), 200);
	fixture_fini(&f);
}

static void another_members_ssrc_is_not_mine_to_use(void **state)
{
	uint8_t pkt[DP_PAYLOAD_SIZE_MAX];
	uint32_t own, size;
	(void)state;

	fixture_init(&f, 3);
	own = f.member[2].ssrc;
	f.member[2].ssrc = f.member[0].ssrc; // sealed with its own key
	size = client_seal(&f.member[2], 9, "fake", 4, pkt);
	client_send_raw(&f.member[2], pkt, size);
	node_turn(&f.node);
	assert_int_equal(node_drain(&f.node), 0);
	assert_int_equal(node_verdict(&f.node, DP_SRTP_AUTH), 1);
	f.member[2].ssrc = own + 3; // of its block, but nothing that it publishes
	size = client_seal(&f.member[2], 9, "fake", 4, pkt);
	client_send_raw(&f.member[2], pkt, size);
	node_turn(&f.node);
	assert_int_equal(node_drain(&f.node), 0);
	assert_int_equal(node_verdict(&f.node, DP_NO_STREAM), 1);
	f.member[2].ssrc = 0x7fff0000;
	size = client_seal(&f.member[2], 9, "fake", 4, pkt);
	client_send_raw(&f.member[2], pkt, size);
	node_turn(&f.node);
	assert_int_equal(node_verdict(&f.node, DP_NO_SESSION), 1);
	f.member[2].ssrc = own;
	fixture_fini(&f);
}

static void forged_jumps_do_not_move_the_window(void **state)
{
	uint8_t pkt[DP_PAYLOAD_SIZE_MAX];
	struct client_packet p;
	(void)state;

	fixture_init(&f, 2);
	client_say(&f.member[0], "a", 1);
	assert_true(hear(&f.member[1], &p));
	for (unsigned jump = 1000; jump < 65536; jump += 4097) {
		uint32_t size =
			client_seal(&f.member[0], (uint16_t)(f.member[0].seq + jump), "j", 1, pkt);

		pkt[size - 5] ^= 1;
		client_send_raw(&f.member[0], pkt, size);
		assert_false(hear(&f.member[1], &p));
		client_say(&f.member[0], "b", 1);
		assert_true(hear(&f.member[1], &p));
	}
	fixture_fini(&f);
}

static void numbers_wrap_without_a_loss(void **state)
{
	struct client_packet p;
	(void)state;

	fixture_init(&f, 2);
	node_unlimit(&f.node);
	f.member[0].seq = 65530;
	for (unsigned i = 0; i < 70000; i++) {
		uint16_t seq = client_say(&f.member[0], "w", 1);

		assert_true(hear(&f.member[1], &p));
		assert_int_equal(p.seq, seq);
	}
	fixture_fini(&f);
}

static void other_payload_types_are_refused(void **state)
{
	uint8_t pkt[DP_PAYLOAD_SIZE_MAX];
	uint32_t size;
	(void)state;

	fixture_init(&f, 2);
	size = client_seal(&f.member[0], f.member[0].seq, "v", 1, pkt);
	pkt[1] = 103;
	client_send_raw(&f.member[0], pkt, size);
	dropped_as(DP_RTP_TYPE, 1);
	pkt[0] = 20; // DTLS
	client_send_raw(&f.member[0], pkt, size);
	dropped_as(DP_NOT_SERVED, 1);
	pkt[0] = 200;
	client_send_raw(&f.member[0], pkt, size);
	dropped_as(DP_UNCLASSIFIED, 1);
	fixture_fini(&f);
}

static void an_exhausted_pool_is_counted_and_survived(void **state)
{
	struct rte_mbuf *hoard[NODE_POOL_SIZE + 1];
	unsigned count = 0;
	(void)state;

	fixture_init(&f, 10);
	while ((hoard[count] = rte_pktmbuf_alloc(f.node.pool)) != NULL)
		count++;
	for (unsigned i = 0; i < 4; i++) // room for one packet and three copies
		rte_pktmbuf_free(hoard[--count]);
	client_say(&f.member[0], "a", 1);
	node_turn(&f.node);
	assert_int_equal(node_drain(&f.node), 3);
	assert_int_equal(node_verdict(&f.node, DP_NO_MBUF), 6);
	while (count > 0)
		rte_pktmbuf_free(hoard[--count]);
	client_say(&f.member[0], "b", 1);
	node_turn(&f.node);
	assert_int_equal(node_drain(&f.node), 9);
	fixture_fini(&f);
}

static void the_host_is_answered_where_no_kernel_does(void **state)
{
	uint8_t frame[PACKET_FRAME_SIZE_MAX];
	struct packet_pair pair = {.sender = packet_addr("192.0.2.9", 0),
		.target = packet_addr("192.0.2.1", 0),
		.sender_mac = {2, 9, 9, 9, 9, 9},
		.target_mac = {255, 255, 255, 255, 255, 255}};
	uint32_t size = packet_arp_request(frame, &pair);
	(void)state;

	fixture_init(&f, 0);
	assert_true(node_inject(&f.node, 0, frame, size));
	node_turn(&f.node);
	assert_int_equal(node_drain(&f.node), 1);
	memcpy(pair.target_mac, f.node.host.mac, 6);
	size = packet_echo_request(frame, &pair, 56);
	assert_true(node_inject(&f.node, 0, frame, size));
	node_turn(&f.node);
	assert_int_equal(node_drain(&f.node), 1);
	assert_int_equal(node_verdict(&f.node, DP_HOST), 2);
	fixture_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(malformed_frames_are_named),
		cmocka_unit_test(frames_in_pieces_and_long_ones_are_named),
		cmocka_unit_test(every_flipped_bit_of_a_packet_is_refused),
		cmocka_unit_test(every_truncation_of_a_packet_is_refused),
		cmocka_unit_test(a_packet_comes_through_once),
		cmocka_unit_test(another_members_ssrc_is_not_mine_to_use),
		cmocka_unit_test(forged_jumps_do_not_move_the_window),
		cmocka_unit_test(numbers_wrap_without_a_loss),
		cmocka_unit_test(other_payload_types_are_refused),
		cmocka_unit_test(an_exhausted_pool_is_counted_and_survived),
		cmocka_unit_test(the_host_is_answered_where_no_kernel_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
