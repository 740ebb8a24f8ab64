// SPDX-License-Identifier: BSD-3-Clause
//
// Ethernet, VLAN, IPv4, IPv6 and UDP around a datagram: where things are in a received frame, and
// the headers of one that we send. Pure: reads bytes, keeps no state, any thread. No DPDK here.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "api/dp_limits.h"
#include "api/dp_media.h"
#include "api/dp_verdict.h"
#include "proto/be.h"

#define ETH_HDR_SIZE 14u
#define IPV4_HDR_SIZE 20u
#define IPV6_HDR_SIZE 40u
#define UDP_HDR_SIZE 8u
#define UDP4_FRAME_SIZE (ETH_HDR_SIZE + IPV4_HDR_SIZE + UDP_HDR_SIZE)
#define UDP6_FRAME_SIZE (ETH_HDR_SIZE + IPV6_HDR_SIZE + UDP_HDR_SIZE)
#define UDP_IPV4_SUM_AT (ETH_HDR_SIZE + 10u) // of the IPv4 header's checksum

// A UDP datagram inside its frame. Offsets are bytes from the first byte of the frame, inside it.
struct udp_frame {
	struct dp_addr source;
	struct dp_addr target;
	uint8_t source_mac[6];
	uint16_t payload_offset;
	uint16_t payload_size;
};

// What this node is on one interface: who is addressed, and how far checksums can be trusted.
struct udp_frame_host {
	struct dp_addr addresses[DP_ADDRESSES_MAX]; // ports unused
	uint32_t address_count;
	uint16_t first_port, port_count; // media ports, host order
	uint8_t mac[6];
	// The sender may be a kernel on this machine that left the UDP checksum to a device that
	// never came (veth, tap: CHECKSUM_PARTIAL). Its field then holds the folded pseudo-header
	// sum, and is accepted; any other wrong sum is not.
	bool partial_checksums;
};

// Parses 'frame', 'frame_size' bytes long as received. Trailing padding behind the IP packet is
// fine.
//
// Returns DP_OK, or why the frame leaves: DP_HOST for everything that is not a UDP datagram to one
// of the host's addresses and media ports (ARP, ND, ICMP, other protocols, other destinations,
// foreign MAC), else the DROPPED verdict that names the fault: FRAME_SHORT, FRAME_CUT, VLAN,
// IP_HEADER, IP_CHECKSUM, IP_FRAGMENT, IP_SOURCE, UDP_LENGTH, UDP_CHECKSUM. A fault is named only
// where the packet is addressed to us as far as can be read; 'view' is unspecified unless DP_OK.
// IPv4 options are skipped; IPv6 extension headers other than fragment (IP_FRAGMENT) make it
// DP_HOST. IPv6 demands a UDP checksum (0 is UDP_CHECKSUM), IPv4 allows 0.
enum dp_verdict udp_frame_parse(const uint8_t *frame, uint32_t frame_size,
	const struct udp_frame_host *host, struct udp_frame *view);

// The headers of a datagram to one receiver, one cache line, made once and copied per packet; sizes
// and checksums are filled in per packet. Until then the place of the IPv4 checksum holds, in the
// machine's order, the ones' complement sum of the header with length and checksum zero.
struct udp_template {
	uint8_t bytes[UDP6_FRAME_SIZE]; // Ethernet, IP, UDP with zero lengths
	uint8_t size;                   // UDP4_FRAME_SIZE or UDP6_FRAME_SIZE
	uint8_t reserved;
};
static_assert(sizeof(struct udp_template) == DP_CACHE_LINE, "one line a receiver");

// 'dscp' 0..63. Families of source and target are equal. TTL 64, IPv4: don't fragment, id 0.
void udp_template_build(struct udp_template *t, const uint8_t source_mac[6],
	const uint8_t target_mac[6], const struct dp_addr *source, const struct dp_addr *target,
	uint8_t dscp);

// Copies the template to 'frame' and fills lengths and the IPv4 header checksum for a payload of
// 'payload_size' bytes that follows it. The UDP checksum is 0 for IPv4 (the payload is
// authenticated), and computed by udp6_checksum_fill() after the payload is final for IPv6, which
// demands it.
void udp_template_finish(const struct udp_template *t, uint8_t *frame, uint16_t payload_size);
// The same, faster: writes the whole line, so that up to sizeof(*t) - size bytes behind the headers
// are garbage, which the caller overwrites.
static inline void udp_template_lay(
	const struct udp_template *t, uint8_t *frame, uint16_t payload_size)
{
	uint16_t udp_size = (uint16_t)(UDP_HDR_SIZE + payload_size), sum16;
	uint32_t sum;

	memcpy(frame, t, sizeof(*t));
	if (__builtin_expect(t->size != UDP4_FRAME_SIZE, 0)) {
		be16_write(frame + ETH_HDR_SIZE + 4, udp_size);
		be16_write(frame + ETH_HDR_SIZE + IPV6_HDR_SIZE + 4, udp_size);
		return;
	}
	memcpy(&sum16, t->bytes + UDP_IPV4_SUM_AT, sizeof(sum16));
	sum = sum16 + (uint32_t)IPV4_HDR_SIZE + udp_size;
	sum = (sum & 0xffff) + (sum >> 16);
	be16_write(frame + ETH_HDR_SIZE + 2, (uint16_t)(IPV4_HDR_SIZE + udp_size));
	be16_write(frame + UDP_IPV4_SUM_AT, (uint16_t)~sum);
	be16_write(frame + ETH_HDR_SIZE + IPV4_HDR_SIZE + 4, udp_size);
}
void udp6_checksum_fill(uint8_t *frame, uint16_t payload_size);

// Folded ones' complement sum of 'size' bytes, RFC 1071, on top of 'sum'.
uint32_t inet_sum(const uint8_t *bytes, uint32_t size, uint32_t sum);
