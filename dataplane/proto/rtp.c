// SPDX-License-Identifier: BSD-3-Clause
//
// RTP headers in and out. Bytes of the extension's elements are none of our business here: in
// rtpsize they are encrypted.

#include "proto/rtp.h"

#include "api/dp_assert.h"
#include "proto/be.h"

#define VERSION 0x80
#define VERSION_MASK 0xc0
#define PADDING 0x20
#define EXTENSION 0x10
#define CSRC_COUNT_MASK 0x0f
#define MARKER 0x80

enum dp_verdict rtp_parse(
	const uint8_t *pkt, uint32_t pkt_size, uint32_t tail_size, struct rtp_view *view)
{
	if (pkt_size < RTP_HDR_SIZE)
		return DP_RTP_SHORT;
	if ((pkt[0] & VERSION_MASK) != VERSION)
		return DP_RTP_VERSION;

	uint32_t csrc_count = pkt[0] & CSRC_COUNT_MASK;
	uint32_t clear_size = RTP_HDR_SIZE + csrc_count * 4;
	bool has_ext = (pkt[0] & EXTENSION) != 0;

	view->ext_profile = 0;
	view->ext_words = 0;
	if (has_ext) {
		if (pkt_size < clear_size + RTP_EXT_HDR_SIZE)
			return DP_RTP_SHORT;
		view->ext_profile = be16_read(pkt + clear_size);
		view->ext_words = be16_read(pkt + clear_size + 2);
		clear_size += RTP_EXT_HDR_SIZE;
	}
	// Both sides stay far below 2^32: 76 + 4 * 65,535, and a size less one that is not larger.
	if (pkt_size < tail_size || pkt_size - tail_size < clear_size + view->ext_words * 4u)
		return DP_RTP_SHORT;

	view->ssrc = be32_read(pkt + 8);
	view->timestamp = be32_read(pkt + 4);
	view->seq = be16_read(pkt + 2);
	view->clear_size = (uint16_t)clear_size;
	view->payload_type = pkt[1] & 0x7f;
	view->csrc_count = (uint8_t)csrc_count;
	view->marker = (pkt[1] & MARKER) != 0;
	view->padding = (pkt[0] & PADDING) != 0;
	view->has_ext = has_ext;
	return DP_OK;
}

uint32_t rtp_build(uint8_t *pkt, const struct rtp_view *view, uint8_t payload_type, uint16_t seq,
	uint32_t ssrc)
{
	DP_ASSERT_HOT(payload_type < 128);
	pkt[0] = (uint8_t)(VERSION | (view->padding ? PADDING : 0) |
			   (view->has_ext ? EXTENSION : 0));
	pkt[1] = (uint8_t)((view->marker ? MARKER : 0) | payload_type);
	be16_write(pkt + 2, seq);
	be32_write(pkt + 4, view->timestamp);
	be32_write(pkt + 8, ssrc);
	if (!view->has_ext)
		return RTP_HDR_SIZE;
	be16_write(pkt + RTP_HDR_SIZE, view->ext_profile);
	be16_write(pkt + RTP_HDR_SIZE + 2, view->ext_words);
	return RTP_HDR_SIZE + RTP_EXT_HDR_SIZE;
}
