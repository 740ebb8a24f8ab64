// SPDX-License-Identifier: BSD-3-Clause
//
// What a datagram on a media port is, by its first bytes and its size (protocol.md 4.1, RFC 7983,
// RFC 5761). Pure, any thread, no DPDK. Called for the native dialect: the shortest RTP packet is
// 12 + 16 + 4 bytes, the shortest RTCP packet 8 + 16 + 4.
#pragma once

#include <stdint.h>

enum packet_kind {
	PACKET_UNKNOWN = 0,
	PACKET_IP_DISCOVERY, // 74 bytes, type 1, length 70
	PACKET_PING,         // 8 bytes, 0x1337cafe
	PACKET_KEEPALIVE, // up to 9 bytes of anything else: clients send counters, C9 00.., zeros
	PACKET_STUN,
	PACKET_DTLS,
	PACKET_RTP,
	PACKET_RTCP,
};

enum packet_kind classify(const uint8_t *pkt, uint32_t pkt_size);
