// SPDX-License-Identifier: BSD-3-Clause
//
// Fuzz target: any bytes as compound RTCP. A compound that is accepted is walked to its exact end,
// and nothing of a packet is read outside of it.

#include <stdlib.h>
#include <string.h>

#include "api/dp_assert.h"
#include "proto/rtcp.h"
#include "support/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Views are read from a copy of their own, so that a look beyond one is seen.
static void check_sender_info(const struct rtcp_view *view)
{
	struct rtcp_view alone = *view;
	uint8_t *copy = packet_heap(view->bytes, view->size), built[RTCP_SR_INFO_SIZE];
	struct rtcp_sender_info info;
	uint32_t ssrc;

	alone.bytes = copy;
	if (rtcp_sender_info(&alone, &ssrc, &info)) {
		DP_ASSERT(view->type == RTCP_SR && view->size >= RTCP_SR_INFO_SIZE);
		rtcp_sr_build(built, ssrc, &info);
		DP_ASSERT(memcmp(built + 4, copy + 4, RTCP_SR_INFO_SIZE - 4) == 0);
		DP_ASSERT(rtcp_check(built, sizeof(built)) == DP_OK);
	}
	free(copy);
}

static void walk(const uint8_t *pkt, uint32_t size)
{
	uint32_t offset = 0, sum = 0;
	struct rtcp_view view;

	while (rtcp_next(pkt, size, &offset, &view)) {
		DP_ASSERT(view.bytes == pkt + sum);
		DP_ASSERT(view.size >= 4 && view.size % 4 == 0);
		DP_ASSERT(view.type >= 192 && view.type <= 223);
		DP_ASSERT(view.count < 32);
		sum += view.size;
		DP_ASSERT(offset == sum);
		check_sender_info(&view);
	}
	DP_ASSERT(sum == size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t ssrc;
	uint8_t *pkt;

	if (size > 4096)
		return 0;
	pkt = packet_heap(data, (uint32_t)size);

	enum dp_verdict sender = rtcp_sender_ssrc(pkt, (uint32_t)size, &ssrc);
	enum dp_verdict verdict = rtcp_check(pkt, (uint32_t)size);

	DP_ASSERT((sender == DP_RTCP_SHORT) == (size < RTCP_HDR_SIZE));
	DP_ASSERT(verdict == DP_OK || verdict == DP_RTCP_MALFORMED);
	if (verdict == DP_OK) {
		DP_ASSERT(sender != DP_RTP_VERSION);
		walk(pkt, (uint32_t)size);
	}
	free(pkt);
	return 0;
}
