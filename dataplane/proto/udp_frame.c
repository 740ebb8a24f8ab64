// SPDX-License-Identifier: BSD-3-Clause
//
// UDP frames in and out. The parser looks at who is addressed before it looks for faults, so that
// what belongs to the host's kernel is never counted as damaged media. Neighbours: ip.h
// (addresses), neighbor.c (what is left over on an interface with no kernel behind it).

#include "proto/udp_frame.h"

#include <string.h>

#include "api/dp_assert.h"
#include "proto/be.h"
#include "proto/ip.h"

static_assert(UDP6_FRAME_SIZE == DP_FRAME_HEADROOM, "headroom holds the longest headers");

// An IP packet inside the frame, its UDP part still unread.
struct ip_part {
	const uint8_t *udp;       // first byte behind the IP header
	uint32_t udp_size;        // what IP says is there
	const uint8_t *addresses; // source, then target, as the pseudo-header has them
	uint32_t addresses_size;  // 8, 32
};

static uint32_t fold(uint64_t sum)
{
	// 64 bits become at most 33, 32, 17, 16.
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint32_t)sum;
}

// RFC 1071 section 2: the sum does not care in which byte order it is made, as long as the result
// is turned at the end. An odd last byte counts as if a zero followed it.
uint32_t inet_sum(const uint8_t *bytes, uint32_t size, uint32_t sum)
{
	uint64_t wide = 0; // 2^29 words fit before it could overflow

	for (; size >= 8; bytes += 8, size -= 8) {
		uint64_t word;

		memcpy(&word, bytes, sizeof(word));
		wide += (word & 0xffffffff) + (word >> 32);
	}
	// The rest in words of fixed size: a copy of unknown size would be a call.
	if ((size & 4) != 0) {
		uint32_t word;

		memcpy(&word, bytes, sizeof(word));
		wide += word;
		bytes += 4;
	}
	if ((size & 2) != 0) {
		uint16_t word;

		memcpy(&word, bytes, sizeof(word));
		wide += word;
		bytes += 2;
	}
	if ((size & 1) != 0) {
		uint16_t word = 0;

		memcpy(&word, bytes, 1);
		wide += word;
	}

	uint32_t folded = fold(wide);

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	folded = __builtin_bswap16((uint16_t)folded);
#endif
	return fold((uint64_t)folded + sum);
}

static bool port_is_host(const struct udp_frame_host *host, uint16_t port)
{
	return (uint16_t)(port - host->first_port) < host->port_count;
}

// Whether a UDP header of which 'size' bytes can be read, may be for one of our ports.
static bool may_be_host_port(const struct udp_frame_host *host, const uint8_t *udp, uint32_t size)
{
	return size < 4 || port_is_host(host, be16_read(udp + 2));
}

static enum dp_verdict parse_ipv4(const uint8_t *ip, uint32_t size,
	const struct udp_frame_host *host, struct udp_frame *view, struct ip_part *part)
{
	if (size < IPV4_HDR_SIZE)
		return DP_FRAME_SHORT;
	if (ip[0] >> 4 != 4)
		return DP_IP_HEADER;
	if (ip[9] != IP_PROTO_UDP || !ip_is_host(host, 4, ip + 16, 4))
		return DP_HOST;

	uint32_t header_size = (ip[0] & 0xfu) * 4;
	uint32_t total_size = be16_read(ip + 2);
	uint32_t fragment = be16_read(ip + 6) & (IPV4_MORE_FRAGMENTS | IPV4_FRAGMENT_OFFSET);

	if (header_size < IPV4_HDR_SIZE || total_size < header_size)
		return DP_IP_HEADER;
	if (size < header_size)
		return DP_FRAME_SHORT;

	uint32_t readable = (size < total_size ? size : total_size) - header_size;

	if ((fragment & IPV4_FRAGMENT_OFFSET) == 0 &&
		!may_be_host_port(host, ip + header_size, readable))
		return DP_HOST;
	if (inet_sum(ip, header_size, 0) != 0xffff)
		return DP_IP_CHECKSUM;
	if (size < total_size)
		return DP_FRAME_CUT;
	if (fragment != 0)
		return DP_IP_FRAGMENT;
	if (!ip4_is_sender(ip + 12) || ip_is_host(host, 4, ip + 12, 4))
		return DP_IP_SOURCE;

	memset(&view->source, 0, sizeof(view->source));
	memset(&view->target, 0, sizeof(view->target));
	memcpy(view->source.ip, ip + 12, 4);
	memcpy(view->target.ip, ip + 16, 4);
	view->source.family = view->target.family = 4;
	*part = (struct ip_part){ip + header_size, total_size - header_size, ip + 12, 8};
	return DP_OK;
}

// A fragment to one of our addresses: ours, unless it says that it is something else.
static enum dp_verdict judge_ipv6_fragment(
	const uint8_t *fragment, uint32_t size, const struct udp_frame_host *host)
{
	if (size < IPV6_FRAGMENT_HDR_SIZE)
		return DP_IP_FRAGMENT;
	if (fragment[0] != IP_PROTO_UDP)
		return DP_HOST;
	if ((be16_read(fragment + 2) & 0xfff8) == 0 &&
		!may_be_host_port(
			host, fragment + IPV6_FRAGMENT_HDR_SIZE, size - IPV6_FRAGMENT_HDR_SIZE))
		return DP_HOST;
	return DP_IP_FRAGMENT;
}

static enum dp_verdict parse_ipv6(const uint8_t *ip, uint32_t size,
	const struct udp_frame_host *host, struct udp_frame *view, struct ip_part *part)
{
	if (size < IPV6_HDR_SIZE)
		return DP_FRAME_SHORT;
	if (ip[0] >> 4 != 6)
		return DP_IP_HEADER;
	if ((ip[6] != IP_PROTO_UDP && ip[6] != IP_PROTO_FRAGMENT) ||
		!ip_is_host(host, 6, ip + 24, 16))
		return DP_HOST;

	uint32_t body_size = be16_read(ip + 4);
	uint32_t readable = size - IPV6_HDR_SIZE < body_size ? size - IPV6_HDR_SIZE : body_size;

	if (ip[6] == IP_PROTO_FRAGMENT)
		return judge_ipv6_fragment(ip + IPV6_HDR_SIZE, readable, host);
	if (!may_be_host_port(host, ip + IPV6_HDR_SIZE, readable))
		return DP_HOST;
	if (size - IPV6_HDR_SIZE < body_size)
		return DP_FRAME_CUT;
	if (!ip6_is_sender(ip + 8) || ip_is_host(host, 6, ip + 8, 16))
		return DP_IP_SOURCE;

	memcpy(view->source.ip, ip + 8, 16);
	memcpy(view->target.ip, ip + 24, 16);
	view->source.family = view->target.family = 6;
	view->source.reserved = view->target.reserved = 0;
	*part = (struct ip_part){ip + IPV6_HDR_SIZE, body_size, ip + 8, 32};
	return DP_OK;
}

static bool checksum_fits(
	const struct ip_part *part, uint8_t family, const struct udp_frame_host *host)
{
	uint16_t checksum = be16_read(part->udp + 6);

	if (checksum == 0)
		return family == 4; // RFC 8200 section 8.1 demands one

	uint32_t pseudo =
		inet_sum(part->addresses, part->addresses_size, IP_PROTO_UDP + part->udp_size);

	return inet_sum(part->udp, part->udp_size, pseudo) == 0xffff ||
	       (host->partial_checksums && checksum == pseudo);
}

static enum dp_verdict parse_udp(const uint8_t *frame, const struct ip_part *part,
	const struct udp_frame_host *host, struct udp_frame *view)
{
	if (part->udp_size < UDP_HDR_SIZE)
		return DP_UDP_LENGTH;
	view->source.port = be16_read(part->udp);
	view->target.port = be16_read(part->udp + 2);
	// Known since may_be_host_port(): the header could be read there, too.
	DP_ASSERT_HOT(port_is_host(host, view->target.port));
	if (view->source.port == 0)
		return DP_IP_SOURCE;
	if (be16_read(part->udp + 4) != part->udp_size)
		return DP_UDP_LENGTH;
	if (!checksum_fits(part, view->source.family, host))
		return DP_UDP_CHECKSUM;

	view->payload_offset = (uint16_t)(part->udp + UDP_HDR_SIZE - frame);
	view->payload_size = (uint16_t)(part->udp_size - UDP_HDR_SIZE);
	return DP_OK;
}

enum dp_verdict udp_frame_parse(const uint8_t *frame, uint32_t frame_size,
	const struct udp_frame_host *host, struct udp_frame *view)
{
	const uint8_t *ip = frame + ETH_HDR_SIZE;
	struct ip_part part;
	enum dp_verdict verdict;

	if (frame_size >= sizeof(host->mac) && memcmp(frame, host->mac, sizeof(host->mac)) != 0)
		return DP_HOST;
	if (frame_size < ETH_HDR_SIZE)
		return DP_FRAME_SHORT;

	switch (be16_read(frame + 12)) {
	case ETHERTYPE_IPV4:
		verdict = parse_ipv4(ip, frame_size - ETH_HDR_SIZE, host, view, &part);
		break;
	case ETHERTYPE_IPV6:
		verdict = parse_ipv6(ip, frame_size - ETH_HDR_SIZE, host, view, &part);
		break;
	case ETHERTYPE_VLAN:
	case ETHERTYPE_QINQ:
	case ETHERTYPE_QINQ_OLD:
		return DP_VLAN;
	default:
		return DP_HOST;
	}
	if (verdict != DP_OK)
		return verdict;
	if (!mac_is_station(frame + 6))
		return DP_IP_SOURCE;
	memcpy(view->source_mac, frame + 6, sizeof(view->source_mac));
	return parse_udp(frame, &part, host, view);
}

void udp_template_build(struct udp_template *t, const uint8_t source_mac[6],
	const uint8_t target_mac[6], const struct dp_addr *source, const struct dp_addr *target,
	uint8_t dscp)
{
	uint8_t *ip = t->bytes + ETH_HDR_SIZE, *udp;
	uint16_t sum;

	DP_ASSERT(source->family == target->family);
	DP_ASSERT(source->family == 4 || source->family == 6);
	DP_ASSERT(dscp < 64);

	memset(t, 0, sizeof(*t));
	memcpy(t->bytes, target_mac, 6);
	memcpy(t->bytes + 6, source_mac, 6);
	if (source->family == 4) {
		be16_write(t->bytes + 12, ETHERTYPE_IPV4);
		ip[0] = 0x45;
		ip[1] = (uint8_t)(dscp << 2);
		be16_write(ip + 6, IPV4_DONT_FRAGMENT);
		ip[8] = IP_TTL;
		ip[9] = IP_PROTO_UDP;
		memcpy(ip + 12, source->ip, 4);
		memcpy(ip + 16, target->ip, 4);
		sum = (uint16_t)inet_sum(ip, IPV4_HDR_SIZE, 0);
		memcpy(t->bytes + UDP_IPV4_SUM_AT, &sum, sizeof(sum));
		t->size = UDP4_FRAME_SIZE;
	} else {
		be16_write(t->bytes + 12, ETHERTYPE_IPV6);
		be32_write(ip, 6u << 28 | (uint32_t)dscp << 22);
		ip[6] = IP_PROTO_UDP;
		ip[7] = IP_TTL;
		memcpy(ip + 8, source->ip, 16);
		memcpy(ip + 24, target->ip, 16);
		t->size = UDP6_FRAME_SIZE;
	}
	udp = t->bytes + t->size - UDP_HDR_SIZE;
	be16_write(udp, source->port);
	be16_write(udp + 2, target->port);
}

void udp_template_finish(const struct udp_template *t, uint8_t *frame, uint16_t payload_size)
{
	uint8_t *ip = frame + ETH_HDR_SIZE;
	uint16_t sum;

	DP_ASSERT_HOT(payload_size <= UINT16_MAX - IPV4_HDR_SIZE - UDP_HDR_SIZE);
	if (t->size == UDP4_FRAME_SIZE) {
		uint32_t total_size = IPV4_HDR_SIZE + UDP_HDR_SIZE + payload_size;

		memcpy(frame, t->bytes, UDP4_FRAME_SIZE);
		memcpy(&sum, t->bytes + UDP_IPV4_SUM_AT, sizeof(sum));
		be16_write(ip + 2, (uint16_t)total_size);
		be16_write(ip + 10, (uint16_t)~fold((uint64_t)sum + total_size));
		be16_write(ip + IPV4_HDR_SIZE + 4, (uint16_t)(UDP_HDR_SIZE + payload_size));
	} else {
		DP_ASSERT_HOT(t->size == UDP6_FRAME_SIZE);
		memcpy(frame, t->bytes, UDP6_FRAME_SIZE);
		be16_write(ip + 4, (uint16_t)(UDP_HDR_SIZE + payload_size));
		be16_write(ip + IPV6_HDR_SIZE + 4, (uint16_t)(UDP_HDR_SIZE + payload_size));
	}
}

void udp6_checksum_fill(uint8_t *frame, uint16_t payload_size)
{
	uint8_t *ip = frame + ETH_HDR_SIZE, *udp = ip + IPV6_HDR_SIZE;
	uint32_t udp_size = UDP_HDR_SIZE + payload_size;

	DP_ASSERT_HOT(be16_read(ip + 4) == udp_size);
	be16_write(udp + 6, 0);

	uint32_t sum = inet_sum(ip + 8, 32, IP_PROTO_UDP + udp_size);
	uint16_t checksum = (uint16_t)~inet_sum(udp, udp_size, sum);

	be16_write(udp + 6, checksum != 0 ? checksum : 0xffff); // 0 would say: none
}
