// SPDX-License-Identifier: BSD-3-Clause
//
// Fuzz target: any frame to a node with an IP of its own, and any datagram to its discovery. First
// byte of the input: bit 0 the ICMP checksum is set right first. Asserts that an answer is never
// longer than the question, comes from us, has right sums, and that no answer leaves the frame
// alone.

#include <stdlib.h>
#include <string.h>

#include "api/dp_assert.h"
#include "proto/classify.h"
#include "proto/ip_discovery.h"
#include "proto/neighbor.h"
#include "support/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct udp_frame_host host = {
	.address_count = 2,
	.first_port = 50000,
	.port_count = 4,
	.mac = {2, 0, 0, 0, 0, 1},
	.addresses = {{.ip = {192, 0, 2, 1}, .family = 4},
		{.ip = {0x20, 1, 0x0d, 0xb8, [15] = 1}, .family = 6}},
};

// The ICMP part of the frame, where there is one: its offset, or 0.
static uint32_t icmp_offset(const uint8_t *frame, uint32_t size, uint32_t *icmp_size)
{
	bool is_ipv4 = size > 14 && frame[14] == 0x45;
	uint32_t offset = is_ipv4 ? 34 : 54, ip_size;

	if (size < offset + 8 || (!is_ipv4 && frame[14] >> 4 != 6))
		return 0;
	ip_size = is_ipv4 ? (uint32_t)(frame[16] << 8 | frame[17])
			  : 40u + (uint32_t)(frame[18] << 8 | frame[19]);
	if (14 + ip_size > size || 14 + ip_size < offset + 8)
		return 0;
	*icmp_size = 14 + ip_size - offset;
	return offset;
}

static void check_answer(const uint8_t *frame, uint32_t size)
{
	uint32_t icmp_size, offset;

	DP_ASSERT(memcmp(frame + 6, host.mac, 6) == 0);
	if (frame[12] == 0x08 && frame[13] == 0x06) {
		DP_ASSERT(size == 42);
		DP_ASSERT(frame[21] == 2);
		DP_ASSERT(memcmp(frame + 22, host.mac, 6) == 0);
		DP_ASSERT(memcmp(frame + 28, host.addresses[0].ip, 4) == 0);
		return;
	}
	offset = icmp_offset(frame, size, &icmp_size);
	DP_ASSERT(offset != 0);
	DP_ASSERT(offset + icmp_size == size);
	DP_ASSERT(size <= 14 + 576);
	if (offset == 34) {
		DP_ASSERT(packet_sum(frame + 14, 20, 0) == 0xffff);
		DP_ASSERT(packet_sum(frame + 34, icmp_size, 0) == 0xffff);
		DP_ASSERT(memcmp(frame + 26, host.addresses[0].ip, 4) == 0);
		DP_ASSERT(frame[34] == 0);
	} else {
		uint32_t pseudo = packet_pseudo_sum(frame + 14, 58, icmp_size);

		DP_ASSERT(packet_sum(frame + 54, icmp_size, pseudo) == 0xffff);
		DP_ASSERT(memcmp(frame + 22, host.addresses[1].ip, 16) == 0);
		DP_ASSERT(frame[54] == 129 || frame[54] == 136);
	}
}

static void check_discovery(const uint8_t *data, uint32_t size)
{
	uint8_t *pkt = packet_heap(data, size);
	struct dp_addr source = {.family = size % 2 == 0 ? 4 : 6, .port = 4321};

	switch (classify(pkt, size)) {
	case PACKET_IP_DISCOVERY:
		DP_ASSERT(size == IP_DISCOVERY_SIZE);
		memcpy(source.ip, data + 20, source.family == 4 ? 4 : 16);
		DP_ASSERT(ip_discovery_ssrc(pkt) ==
			  ((uint32_t)data[4] << 24 | data[5] << 16 | data[6] << 8 | data[7]));
		ip_discovery_answer(pkt, &source);

		struct dp_addr back = packet_addr((const char *)pkt + 8, 4321);

		DP_ASSERT(memcmp(back.ip, source.ip, 16) == 0);
		DP_ASSERT(memcmp(pkt + 4, data + 4, 4) == 0);
		break;
	case PACKET_PING:
		DP_ASSERT(size == UDP_PING_SIZE);
		udp_ping_answer(pkt);
		DP_ASSERT(memcmp(pkt + 4, data + 4, 4) == 0);
		break;
	case PACKET_UNKNOWN:
	case PACKET_KEEPALIVE:
	case PACKET_STUN:
	case PACKET_DTLS:
	case PACKET_RTP:
	case PACKET_RTCP:
		break;
	}
	free(pkt);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t frame_size, icmp_size, answer_size;
	uint8_t *frame, *before;

	if (size < 1 || size > 2048)
		return 0;
	frame_size = (uint32_t)size - 1;
	frame = packet_heap(data + 1, frame_size);
	if ((data[0] & 1) != 0 && icmp_offset(frame, frame_size, &icmp_size) != 0) {
		packet_fix_icmp(frame);
		if (frame[14] == 0x45)
			packet_fix_ipv4(frame);
	}
	before = packet_heap(frame, frame_size);
	answer_size = neighbor_answer(frame, frame_size, &host);
	DP_ASSERT(answer_size <= frame_size);
	if (answer_size == 0)
		DP_ASSERT(memcmp(frame, before, frame_size) == 0);
	else
		check_answer(frame, answer_size);
	free(before);
	free(frame);
	check_discovery(data + 1, frame_size);
	return 0;
}
