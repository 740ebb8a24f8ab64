// SPDX-License-Identifier: BSD-3-Clause
//
// Compound RTCP (RFC 3550 section 6): a walk over its packets, the view of a sender report, and the
// sender report that we send on. Pure, any thread, no DPDK.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/dp_verdict.h"

#define RTCP_HDR_SIZE 8u      // header and SSRC of the first packet: clear in rtpsize
#define RTCP_SR_INFO_SIZE 28u // header, SSRC, sender info; no report blocks

enum rtcp_type {
	RTCP_SR = 200,
	RTCP_RR = 201,
	RTCP_SDES = 202,
	RTCP_BYE = 203,
	RTCP_APP = 204,
	RTCP_RTPFB = 205,
	RTCP_PSFB = 206,
	RTCP_XR = 207,
};

// One packet of a compound.
struct rtcp_view {
	const uint8_t *bytes; // its header
	uint32_t size;        // bytes, header included, a multiple of 4
	uint8_t type;         // 192..223
	uint8_t count;        // RC, SC or FMT, 0..31
};

struct rtcp_sender_info {
	uint64_t ntp; // NTP timestamp, 32.32
	uint32_t rtp_timestamp;
	uint32_t packet_count, octet_count;
};

// Sender SSRC of the first packet and whether this can be RTCP at all: DP_OK, DP_RTCP_SHORT,
// DP_RTP_VERSION. May be called on a packet whose rest is still encrypted.
enum dp_verdict rtcp_sender_ssrc(const uint8_t *pkt, uint32_t pkt_size, uint32_t *ssrc);

// Checks the whole clear compound: every version 2, every length inside, sum exact, padding only on
// the last (RFC 3550 A.2; reduced size of RFC 5506 allowed). DP_OK or DP_RTCP_MALFORMED.
enum dp_verdict rtcp_check(const uint8_t *pkt, uint32_t pkt_size);

// Walks a compound that rtcp_check() accepted: set '*offset' to 0, call until false.
bool rtcp_next(const uint8_t *pkt, uint32_t pkt_size, uint32_t *offset, struct rtcp_view *view);

// Reads sender info of an SR view. False: the packet is too short to hold it.
bool rtcp_sender_info(const struct rtcp_view *view, uint32_t *ssrc, struct rtcp_sender_info *info);

// Writes a sender report with no blocks, RTCP_SR_INFO_SIZE bytes: nothing of the sender's view of
// anybody else (reports, CNAME, addresses) goes on.
void rtcp_sr_build(uint8_t *pkt, uint32_t ssrc, const struct rtcp_sender_info *info);
