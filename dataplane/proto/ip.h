// SPDX-License-Identifier: BSD-3-Clause
//
// Numbers of Ethernet, IPv4 and IPv6, and two questions that udp_frame.c and neighbor.c both ask of
// an address: is it ours, and can anybody be it? Pure, any thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "api/dp_assert.h"
#include "proto/udp_frame.h"

enum {
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_ARP = 0x0806,
	ETHERTYPE_VLAN = 0x8100, // IEEE 802.1Q
	ETHERTYPE_IPV6 = 0x86dd,
	ETHERTYPE_QINQ = 0x88a8,     // IEEE 802.1ad
	ETHERTYPE_QINQ_OLD = 0x9100, // before it was a standard
};

enum {
	IP_PROTO_ICMP = 1,
	IP_PROTO_UDP = 17,
	IP_PROTO_FRAGMENT = 44, // IPv6 fragment header
	IP_PROTO_ICMPV6 = 58,
};

#define IP_TTL 64
#define IPV4_DONT_FRAGMENT 0x4000u
#define IPV4_MORE_FRAGMENTS 0x2000u
#define IPV4_FRAGMENT_OFFSET 0x1fffu
#define IPV6_FRAGMENT_HDR_SIZE 8u

// 'ip' is the first of 'ip_size' bytes: 4 for family 4, 16 for family 6.
static inline bool ip_is_host(
	const struct udp_frame_host *host, uint8_t family, const uint8_t *ip, uint32_t ip_size)
{
	DP_ASSERT_HOT(host->address_count <= DP_ADDRESSES_MAX);
	for (uint32_t i = 0; i < host->address_count; i++)
		if (host->addresses[i].family == family &&
			memcmp(host->addresses[i].ip, ip, ip_size) == 0)
			return true;
	return false;
}

// Whether a packet on a wire can honestly come from 'ip': not "this network", loopback, multicast
// or limited broadcast (RFC 1122 section 3.2.1.3).
static inline bool ip4_is_sender(const uint8_t ip[4])
{
	static const uint8_t broadcast[4] = {255, 255, 255, 255};

	return ip[0] != 0 && ip[0] != 127 && (ip[0] & 0xf0) != 0xe0 &&
	       memcmp(ip, broadcast, sizeof(broadcast)) != 0;
}

// The same of IPv6: not multicast, and none of the IPv4-bearing forms of ::/96 and ::ffff:0:0/96,
// of which :: and ::1 are two (RFC 4291 section 2.5).
static inline bool ip6_is_sender(const uint8_t ip[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}, compatible[12];

	return ip[0] != 0xff && memcmp(ip, mapped, sizeof(mapped)) != 0 &&
	       memcmp(ip, compatible, sizeof(compatible)) != 0;
}

// One station, not a group. An answer to a group address would reach everybody.
static inline bool mac_is_station(const uint8_t mac[6])
{
	static const uint8_t none[6];

	return (mac[0] & 1) == 0 && memcmp(mac, none, sizeof(none)) != 0;
}
