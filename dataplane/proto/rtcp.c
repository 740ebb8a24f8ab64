// SPDX-License-Identifier: BSD-3-Clause
//
// RTCP. Checked once as a whole (rtcp_check), then walked without checks that could fail.

#include "proto/rtcp.h"

#include "api/dp_assert.h"
#include "proto/be.h"

#define VERSION 0x80
#define VERSION_MASK 0xc0
#define PADDING 0x20
#define COUNT_MASK 0x1f
#define COMMON_HDR_SIZE 4u
#define TYPE_MIN 192 // RFC 5761 section 4: what cannot be an RTP packet of a sane payload type
#define TYPE_MAX 223

// Size of the packet at 'pkt', of which the common header is there.
static uint32_t packet_size(const uint8_t *pkt)
{
	return (be16_read(pkt + 2) + 1u) * 4;
}

enum dp_verdict rtcp_sender_ssrc(const uint8_t *pkt, uint32_t pkt_size, uint32_t *ssrc)
{
	if (pkt_size < RTCP_HDR_SIZE)
		return DP_RTCP_SHORT;
	if ((pkt[0] & VERSION_MASK) != VERSION)
		return DP_RTP_VERSION;
	*ssrc = be32_read(pkt + 4);
	return DP_OK;
}

// RFC 3550 section 6.4.1: the last octet counts the padding, itself included, a multiple of four.
static bool padding_fits(const uint8_t *pkt, uint32_t size)
{
	uint32_t padding_size = pkt[size - 1];

	return padding_size != 0 && padding_size % 4 == 0 && padding_size <= size - COMMON_HDR_SIZE;
}

enum dp_verdict rtcp_check(const uint8_t *pkt, uint32_t pkt_size)
{
	if (pkt_size == 0)
		return DP_RTCP_MALFORMED;
	for (uint32_t offset = 0, size; offset < pkt_size; offset += size) {
		const uint8_t *at = pkt + offset;

		if (pkt_size - offset < COMMON_HDR_SIZE)
			return DP_RTCP_MALFORMED;
		size = packet_size(at);
		if ((at[0] & VERSION_MASK) != VERSION || at[1] < TYPE_MIN || at[1] > TYPE_MAX)
			return DP_RTCP_MALFORMED;
		if (size > pkt_size - offset)
			return DP_RTCP_MALFORMED;
		if ((at[0] & PADDING) != 0 &&
			(offset + size != pkt_size || !padding_fits(at, size)))
			return DP_RTCP_MALFORMED;
	}
	return DP_OK;
}

bool rtcp_next(const uint8_t *pkt, uint32_t pkt_size, uint32_t *offset, struct rtcp_view *view)
{
	DP_ASSERT_HOT(*offset <= pkt_size);
	if (*offset == pkt_size)
		return false;

	const uint8_t *at = pkt + *offset;

	*view = (struct rtcp_view){
		.bytes = at, .size = packet_size(at), .type = at[1], .count = at[0] & COUNT_MASK};
	DP_ASSERT_HOT(view->size <= pkt_size - *offset);
	*offset += view->size;
	return true;
}

bool rtcp_sender_info(const struct rtcp_view *view, uint32_t *ssrc, struct rtcp_sender_info *info)
{
	const uint8_t *at = view->bytes;
	uint32_t size = view->size;

	if ((at[0] & PADDING) != 0)
		size -= at[size - 1];
	if (view->type != RTCP_SR || size < RTCP_SR_INFO_SIZE)
		return false;
	*ssrc = be32_read(at + 4);
	info->ntp = be64_read(at + 8);
	info->rtp_timestamp = be32_read(at + 16);
	info->packet_count = be32_read(at + 20);
	info->octet_count = be32_read(at + 24);
	return true;
}

void rtcp_sr_build(uint8_t *pkt, uint32_t ssrc, const struct rtcp_sender_info *info)
{
	pkt[0] = VERSION;
	pkt[1] = RTCP_SR;
	be16_write(pkt + 2, RTCP_SR_INFO_SIZE / 4 - 1);
	be32_write(pkt + 4, ssrc);
	be64_write(pkt + 8, info->ntp);
	be32_write(pkt + 16, info->rtp_timestamp);
	be32_write(pkt + 20, info->packet_count);
	be32_write(pkt + 24, info->octet_count);
}
