// SPDX-License-Identifier: BSD-3-Clause
//
// Fuzz target: any frame. First byte of the input: bit 0 partial checksums are trusted, bit 1 all
// checksums of the frame are set right first, so that the fuzzer gets behind them. What rx relies
// on is asserted; an accepted frame, answered by a template, parses again.

#include <stdlib.h>
#include <string.h>

#include "api/dp_assert.h"
#include "proto/udp_frame.h"
#include "support/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct udp_frame_host host = {
	.address_count = 2,
	.first_port = 50000,
	.port_count = 4,
	.mac = {2, 0, 0, 0, 0, 1},
	.addresses = {{.ip = {192, 0, 2, 1}, .family = 4},
		{.ip = {0x20, 1, 0x0d, 0xb8, [15] = 1}, .family = 6}},
};

static void fix_checksums(uint8_t *frame, uint32_t size)
{
	uint32_t version, header_size, ip_size;

	if (size < 14 + 40)
		return;
	version = frame[14] >> 4;
	header_size = version == 4 ? (frame[14] & 15u) * 4 : 40;
	ip_size = version == 4 ? (uint32_t)(frame[16] << 8 | frame[17])
			       : 40u + (uint32_t)(frame[18] << 8 | frame[19]);
	if ((version != 4 && version != 6) || header_size < 20 || ip_size < header_size + 8 ||
		ip_size > size - 14)
		return;
	if (version == 4)
		packet_fix_ipv4(frame);
	packet_fix_udp(frame);
}

static void check_view(const uint8_t *frame, uint32_t size, const struct udp_frame *view)
{
	uint32_t headers = view->source.family == 4 ? UDP4_FRAME_SIZE : UDP6_FRAME_SIZE;

	DP_ASSERT(view->payload_offset >= headers);
	DP_ASSERT((uint32_t)view->payload_offset + view->payload_size <= size);
	DP_ASSERT(view->source.family == view->target.family);
	DP_ASSERT(view->source.port != 0);
	DP_ASSERT(view->target.port >= 50000 && view->target.port <= 50003);
	DP_ASSERT(view->source.reserved == 0 && view->target.reserved == 0);
	DP_ASSERT((view->source_mac[0] & 1) == 0);
	DP_ASSERT(memcmp(view->source_mac, frame + 6, 6) == 0);
	for (unsigned i = 4; view->source.family == 4 && i < 16; i++)
		DP_ASSERT(view->source.ip[i] == 0 && view->target.ip[i] == 0);
	for (uint32_t i = 0; i < host.address_count; i++)
		DP_ASSERT(view->source.family != host.addresses[i].family ||
			  memcmp(view->source.ip, host.addresses[i].ip, 16) != 0);
}

// The answer to 'view', parsed by whom it is for.
static void check_answer(const uint8_t *frame, const struct udp_frame *view)
{
	struct udp_frame_host peer = {
		.address_count = 1, .first_port = view->source.port, .port_count = 1};
	static uint8_t answer[UINT16_MAX + UDP6_FRAME_SIZE];
	struct udp_template t;
	struct udp_frame back;

	peer.addresses[0] = view->source;
	memcpy(peer.mac, view->source_mac, 6);
	udp_template_build(
		&t, host.mac, view->source_mac, &view->target, &view->source, frame[15] & 63);
	udp_template_finish(&t, answer, view->payload_size);
	memcpy(answer + t.size, frame + view->payload_offset, view->payload_size);
	if (view->source.family == 6)
		udp6_checksum_fill(answer, view->payload_size);
	DP_ASSERT(udp_frame_parse(answer, (uint32_t)t.size + view->payload_size, &peer, &back) ==
		  DP_OK);
	DP_ASSERT(memcmp(&back.source, &view->target, sizeof(back.source)) == 0);
	DP_ASSERT(memcmp(&back.target, &view->source, sizeof(back.target)) == 0);
	DP_ASSERT(back.payload_size == view->payload_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct udp_frame view;
	uint8_t *frame;
	uint32_t frame_size;

	if (size < 1 || size > 4096)
		return 0;
	frame_size = (uint32_t)size - 1;
	frame = packet_heap(data + 1, frame_size);
	host.partial_checksums = (data[0] & 1) != 0;
	if ((data[0] & 2) != 0)
		fix_checksums(frame, frame_size);

	enum dp_verdict verdict = udp_frame_parse(frame, frame_size, &host, &view);

	if (verdict == DP_OK) {
		check_view(frame, frame_size, &view);
		check_answer(frame, &view);
	} else {
		DP_ASSERT(verdict == DP_HOST || dp_verdict_class(verdict) == DP_CLASS_DROPPED);
	}
	free(frame);
	return 0;
}
