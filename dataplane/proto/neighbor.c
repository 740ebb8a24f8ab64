// SPDX-License-Identifier: BSD-3-Clause
//
// ARP, neighbour solicitation and echo, each judged whole before its first byte is changed.
// Stricter than a kernel need be: who asks with options or with somebody else's address gets no
// answer.

#include "proto/neighbor.h"

#include <string.h>

#include "api/dp_assert.h"
#include "proto/be.h"
#include "proto/ip.h"

#define ARP_SIZE 28u
#define ARP_REQUEST 1
#define ARP_REPLY 2

#define ICMP_HDR_SIZE 8u // v4 and v6: type, code, checksum, identifier, sequence number
#define ICMP_ECHO_REPLY 0
#define ICMP_ECHO 8
#define ICMPV6_ECHO 128
#define ICMPV6_ECHO_REPLY 129
#define ICMPV6_SOLICITATION 135
#define ICMPV6_ADVERTISEMENT 136

#define ND_SIZE 24u        // ICMPv6 header, flags, target
#define ND_OPTION_SIZE 8u  // type, size in units of 8 bytes, a MAC
#define ND_OPTION_SOURCE 1 // link-layer address of who asks
#define ND_OPTION_TARGET 2
#define ND_SOLICITED (1u << 30)
#define ND_OVERRIDE (1u << 29)
#define ND_HOP_LIMIT 255

#define ECHO_IP_SIZE_MAX 576u

static const uint8_t mac_broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const uint8_t all_nodes[16] = {0xff, 0x02, [15] = 1}; // ff02::1
static const uint8_t unspecified[16];
static const uint8_t solicited_node[13] = {0xff, 0x02, [11] = 1, [12] = 0xff}; // ff02::1:ff00:0/104

// Turns the Ethernet header round.
static void answer_to(uint8_t *frame, const uint8_t mac[6], const struct udp_frame_host *host)
{
	memcpy(frame, mac, 6);
	memcpy(frame + 6, host->mac, 6);
}

// RFC 826. A sender address of 0.0.0.0 is a probe (RFC 5227) and answered; our own is somebody who
// claims it (gratuitous), and not.
static uint32_t answer_arp(uint8_t *frame, uint32_t frame_size, const struct udp_frame_host *host)
{
	static const uint8_t ethernet_ipv4[6] = {0, 1, 8, 0, 6, 4}, none[4];
	uint8_t *arp = frame + ETH_HDR_SIZE;
	uint8_t *sender = arp + 8, *target = arp + 18; // each: MAC, IPv4 address
	uint8_t ip[4];

	if (frame_size < ETH_HDR_SIZE + ARP_SIZE)
		return 0;
	if (memcmp(frame, mac_broadcast, 6) != 0 && memcmp(frame, host->mac, 6) != 0)
		return 0;
	if (memcmp(arp, ethernet_ipv4, sizeof(ethernet_ipv4)) != 0 ||
		be16_read(arp + 6) != ARP_REQUEST)
		return 0;
	if (!ip_is_host(host, 4, target + 6, 4) || ip_is_host(host, 4, sender + 6, 4))
		return 0;
	if (!mac_is_station(sender) ||
		(memcmp(sender + 6, none, 4) != 0 && !ip4_is_sender(sender + 6)))
		return 0;

	answer_to(frame, sender, host);
	be16_write(arp + 6, ARP_REPLY);
	memcpy(ip, target + 6, 4);
	memcpy(target, sender, 10);
	memcpy(sender, host->mac, 6);
	memcpy(sender + 6, ip, 4);
	return ETH_HDR_SIZE + ARP_SIZE;
}

// RFC 792.
static uint32_t answer_echo(uint8_t *frame, uint32_t frame_size, const struct udp_frame_host *host)
{
	uint8_t *ip = frame + ETH_HDR_SIZE, *icmp = ip + IPV4_HDR_SIZE;
	uint8_t address[4];

	if (frame_size < ETH_HDR_SIZE + IPV4_HDR_SIZE + ICMP_HDR_SIZE)
		return 0;

	uint32_t total_size = be16_read(ip + 2), icmp_size = total_size - IPV4_HDR_SIZE;

	if (memcmp(frame, host->mac, 6) != 0 || ip[0] != 0x45 || ip[9] != IP_PROTO_ICMP)
		return 0;
	if (total_size < IPV4_HDR_SIZE + ICMP_HDR_SIZE || total_size > ECHO_IP_SIZE_MAX ||
		total_size > frame_size - ETH_HDR_SIZE)
		return 0;
	if ((be16_read(ip + 6) & (IPV4_MORE_FRAGMENTS | IPV4_FRAGMENT_OFFSET)) != 0)
		return 0;
	if (!ip_is_host(host, 4, ip + 16, 4) || ip_is_host(host, 4, ip + 12, 4) ||
		!ip4_is_sender(ip + 12) || !mac_is_station(frame + 6))
		return 0;
	if (inet_sum(ip, IPV4_HDR_SIZE, 0) != 0xffff)
		return 0;
	if (icmp[0] != ICMP_ECHO || icmp[1] != 0 || inet_sum(icmp, icmp_size, 0) != 0xffff)
		return 0;

	answer_to(frame, frame + 6, host);
	be16_write(ip + 6, IPV4_DONT_FRAGMENT);
	ip[8] = IP_TTL;
	memcpy(address, ip + 16, 4);
	memcpy(ip + 16, ip + 12, 4);
	memcpy(ip + 12, address, 4);
	be16_write(ip + 10, 0);
	be16_write(ip + 10, (uint16_t)~inet_sum(ip, IPV4_HDR_SIZE, 0));
	icmp[0] = ICMP_ECHO_REPLY;
	be16_write(icmp + 2, 0);
	be16_write(icmp + 2, (uint16_t)~inet_sum(icmp, icmp_size, 0));
	return ETH_HDR_SIZE + total_size;
}

// Over the pseudo-header, too (RFC 8200 section 8.1): 0xffff if the checksum inside is right.
static uint32_t icmpv6_sum(const uint8_t *ip, uint32_t icmp_size)
{
	uint32_t pseudo = inet_sum(ip + 8, 32, IP_PROTO_ICMPV6 + icmp_size);

	return inet_sum(ip + IPV6_HDR_SIZE, icmp_size, pseudo);
}

// The rest of an answer whose ICMPv6 part, of 'icmp_size' bytes, and IPv6 addresses are written.
static uint32_t finish_icmpv6(uint8_t *frame, uint32_t icmp_size, uint8_t hop_limit)
{
	uint8_t *ip = frame + ETH_HDR_SIZE, *icmp = ip + IPV6_HDR_SIZE;

	be16_write(ip + 4, (uint16_t)icmp_size);
	ip[7] = hop_limit;
	be16_write(icmp + 2, 0);
	be16_write(icmp + 2, (uint16_t)~icmpv6_sum(ip, icmp_size));
	return ETH_HDR_SIZE + IPV6_HDR_SIZE + icmp_size;
}

// RFC 4443 section 4.1.
static uint32_t answer_echo6(uint8_t *frame, uint32_t icmp_size, const struct udp_frame_host *host)
{
	uint8_t *ip = frame + ETH_HDR_SIZE, *icmp = ip + IPV6_HDR_SIZE;
	uint8_t address[16];

	if (memcmp(frame, host->mac, 6) != 0 || icmp[1] != 0 ||
		icmp_size > ECHO_IP_SIZE_MAX - IPV6_HDR_SIZE)
		return 0;
	if (!ip_is_host(host, 6, ip + 24, 16) || !ip6_is_sender(ip + 8))
		return 0;

	answer_to(frame, frame + 6, host);
	memcpy(address, ip + 24, 16);
	memcpy(ip + 24, ip + 8, 16);
	memcpy(ip + 8, address, 16);
	icmp[0] = ICMPV6_ECHO_REPLY;
	return finish_icmpv6(frame, icmp_size, IP_TTL);
}

// RFC 4861 section 7.1.1: options have a size and end where the packet ends; a solicitation from
// nobody names no link-layer address.
static bool nd_options_fit(const uint8_t *option, uint32_t size, bool from_nobody)
{
	while (size > 0) {
		if (size < ND_OPTION_SIZE || option[1] == 0 || option[1] * 8u > size)
			return false;
		if (option[0] == ND_OPTION_SOURCE && from_nobody)
			return false;
		size -= option[1] * 8u;
		option += option[1] * 8u;
	}
	return true;
}

// Whether the solicitation came to where one for 'target' comes: to us, or to its group.
static bool solicits_host(
	const uint8_t *frame, const uint8_t *target, const struct udp_frame_host *host)
{
	const uint8_t *to = frame + ETH_HDR_SIZE + 24;

	if (memcmp(to, solicited_node, sizeof(solicited_node)) == 0) {
		const uint8_t mac[6] = {0x33, 0x33, to[12], to[13], to[14], to[15]};

		return memcmp(to + 13, target + 13, 3) == 0 &&
		       (memcmp(frame, mac, 6) == 0 || memcmp(frame, host->mac, 6) == 0);
	}
	return memcmp(to, target, 16) == 0 && memcmp(frame, host->mac, 6) == 0;
}

// RFC 4861 section 7.2. The MAC of the advertisement needs eight bytes. Who asks by multicast
// brought them (its own MAC is a must there); who did not, asks whether we are still there or
// whether our address is free, and understands the advertisement without.
static uint32_t answer_solicitation(
	uint8_t *frame, uint32_t frame_size, uint32_t icmp_size, const struct udp_frame_host *host)
{
	static const uint8_t all_nodes_mac[6] = {0x33, 0x33, 0, 0, 0, 1};
	uint8_t *ip = frame + ETH_HDR_SIZE, *icmp = ip + IPV6_HDR_SIZE;
	bool from_nobody = memcmp(ip + 8, unspecified, 16) == 0;
	bool has_room = frame_size >= UDP6_FRAME_SIZE - UDP_HDR_SIZE + ND_SIZE + ND_OPTION_SIZE;

	if (ip[7] != ND_HOP_LIMIT || icmp[1] != 0 || icmp_size < ND_SIZE)
		return 0;
	if (!ip_is_host(host, 6, icmp + 8, 16) || !solicits_host(frame, icmp + 8, host))
		return 0;
	if (from_nobody ? ip[24] != 0xff : !ip6_is_sender(ip + 8))
		return 0;
	if (!nd_options_fit(icmp + ND_SIZE, icmp_size - ND_SIZE, from_nobody))
		return 0;

	if (from_nobody) {
		answer_to(frame, all_nodes_mac, host);
		memcpy(ip + 24, all_nodes, 16);
	} else {
		answer_to(frame, frame + 6, host);
		memcpy(ip + 24, ip + 8, 16);
	}
	memcpy(ip + 8, icmp + 8, 16);
	icmp[0] = ICMPV6_ADVERTISEMENT;
	be32_write(icmp + 4, ND_OVERRIDE | (from_nobody ? 0 : ND_SOLICITED));
	if (!has_room)
		return finish_icmpv6(frame, ND_SIZE, ND_HOP_LIMIT);
	icmp[ND_SIZE] = ND_OPTION_TARGET;
	icmp[ND_SIZE + 1] = ND_OPTION_SIZE / 8;
	memcpy(icmp + ND_SIZE + 2, host->mac, 6);
	return finish_icmpv6(frame, ND_SIZE + ND_OPTION_SIZE, ND_HOP_LIMIT);
}

static uint32_t answer_icmpv6(
	uint8_t *frame, uint32_t frame_size, const struct udp_frame_host *host)
{
	uint8_t *ip = frame + ETH_HDR_SIZE, *icmp = ip + IPV6_HDR_SIZE;

	if (frame_size < ETH_HDR_SIZE + IPV6_HDR_SIZE + ICMP_HDR_SIZE)
		return 0;

	uint32_t icmp_size = be16_read(ip + 4);

	if (ip[0] >> 4 != 6 || ip[6] != IP_PROTO_ICMPV6 || icmp_size < ICMP_HDR_SIZE ||
		icmp_size > frame_size - ETH_HDR_SIZE - IPV6_HDR_SIZE)
		return 0;
	if (!mac_is_station(frame + 6) || ip_is_host(host, 6, ip + 8, 16))
		return 0;
	if (icmpv6_sum(ip, icmp_size) != 0xffff)
		return 0;
	if (icmp[0] == ICMPV6_ECHO)
		return answer_echo6(frame, icmp_size, host);
	if (icmp[0] == ICMPV6_SOLICITATION)
		return answer_solicitation(frame, frame_size, icmp_size, host);
	return 0;
}

uint32_t neighbor_answer(uint8_t *frame, uint32_t frame_size, const struct udp_frame_host *host)
{
	uint32_t answer_size = 0;

	if (frame_size < ETH_HDR_SIZE)
		return 0;
	switch (be16_read(frame + 12)) {
	case ETHERTYPE_ARP:
		answer_size = answer_arp(frame, frame_size, host);
		break;
	case ETHERTYPE_IPV4:
		answer_size = answer_echo(frame, frame_size, host);
		break;
	case ETHERTYPE_IPV6:
		answer_size = answer_icmpv6(frame, frame_size, host);
		break;
	default:
		break;
	}
	DP_ASSERT_HOT(answer_size <= frame_size);
	return answer_size;
}
