// SPDX-License-Identifier: BSD-3-Clause
//
// Fuzz target: any datagram on a media port through the classifier and, if it calls it RTP, through
// the parser. Asserts what unprotect and rewrite rely on.

#include <stdlib.h>

#include "api/dp_assert.h"
#include "api/dp_media.h"
#include "proto/classify.h"
#include "proto/rtp.h"
#include "support/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_view(const uint8_t *pkt, uint32_t size, const struct rtp_view *view)
{
	struct rtp_view back;
	uint8_t header[RTP_HDR_SIZE + RTP_EXT_HDR_SIZE];
	uint32_t ext_size = view->ext_words * 4u;

	DP_ASSERT(view->clear_size >= RTP_HDR_SIZE);
	DP_ASSERT(view->clear_size + ext_size + DP_RTPSIZE_OVERHEAD <= size);
	DP_ASSERT(view->csrc_count <= 15);
	DP_ASSERT(view->payload_type < 128);
	DP_ASSERT(view->has_ext || ext_size == 0);
	DP_ASSERT(view->clear_size ==
		  RTP_HDR_SIZE + view->csrc_count * 4u + (view->has_ext ? RTP_EXT_HDR_SIZE : 0));
	DP_ASSERT(view->seq == (pkt[2] << 8 | pkt[3]));

	// What we make of it is a header of the same stream.
	uint32_t header_size = rtp_build(header, view, view->payload_type, view->seq, view->ssrc);

	DP_ASSERT(header_size == (view->has_ext ? sizeof(header) : RTP_HDR_SIZE));
	if (ext_size > 0)
		return;
	DP_ASSERT(rtp_parse(header, header_size, 0, &back) == DP_OK);
	DP_ASSERT(back.clear_size == header_size);
	DP_ASSERT(back.ssrc == view->ssrc && back.timestamp == view->timestamp);
	DP_ASSERT(back.marker == view->marker && back.padding == view->padding);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rtp_view view;
	uint8_t *pkt;

	if (size > 4096)
		return 0;
	pkt = packet_heap(data, (uint32_t)size);

	enum packet_kind kind = classify(pkt, (uint32_t)size);
	enum dp_verdict verdict = rtp_parse(pkt, (uint32_t)size, DP_RTPSIZE_OVERHEAD, &view);

	DP_ASSERT(kind <= PACKET_RTCP);
	DP_ASSERT(verdict == DP_OK || verdict == DP_RTP_SHORT || verdict == DP_RTP_VERSION);
	if (kind == PACKET_RTP) {
		DP_ASSERT(size >= RTP_HDR_SIZE + 10); // the shortest tag of any suite
		DP_ASSERT(verdict != DP_RTP_VERSION);
	}
	if (verdict == DP_OK)
		check_view(pkt, (uint32_t)size, &view);
	free(pkt);
	return 0;
}
