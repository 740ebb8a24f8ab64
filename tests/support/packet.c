// SPDX-License-Identifier: BSD-3-Clause
//
// Frames for tests. Shares no code with dataplane/proto, so that both would have to be wrong in the
// same way for a test to miss it.

#include "support/packet.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ETH_SIZE 14u

static uint8_t *put8(uint8_t *at, unsigned value)
{
	*at = (uint8_t)value;
	return at + 1;
}

static uint8_t *put16(uint8_t *at, unsigned value)
{
	return put8(put8(at, value >> 8), value);
}

static uint8_t *put32(uint8_t *at, uint32_t value)
{
	return put16(put16(at, value >> 16), value);
}

static uint8_t *put(uint8_t *at, const void *bytes, uint32_t size)
{
	if (size > 0)
		memcpy(at, bytes, size);
	return at + size;
}

static unsigned get16(const uint8_t *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

uint32_t packet_sum(const uint8_t *bytes, uint32_t size, uint32_t sum)
{
	for (uint32_t i = 0; i < size; i += 2) {
		sum += (uint32_t)bytes[i] << 8;
		if (i + 1 < size)
			sum += bytes[i + 1];
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (sum & 0xffff) + (sum >> 16);
}

uint32_t packet_pseudo_sum(const uint8_t *ip, uint8_t protocol, uint32_t size)
{
	bool is_ipv4 = ip[0] >> 4 == 4;
	uint8_t pseudo[40] = {0}, *end;

	end = put(pseudo, is_ipv4 ? ip + 12 : ip + 8, is_ipv4 ? 8 : 32);
	end = put16(end, protocol);
	end = put16(end, size);
	return packet_sum(pseudo, (uint32_t)(end - pseudo), 0);
}

static uint8_t *put_ethernet(
	uint8_t *at, const uint8_t target[6], const uint8_t source[6], unsigned type)
{
	return put16(put(put(at, target, 6), source, 6), type);
}

static uint8_t *put_ipv4(uint8_t *at, const struct dp_addr *source, const struct dp_addr *target,
	unsigned protocol, unsigned body_size, unsigned options_size, unsigned fragment)
{
	uint8_t *start = at;

	at = put8(at, 0x40 | (20 + options_size) / 4);
	at = put8(at, 0);
	at = put16(at, 20 + options_size + body_size);
	at = put16(at, 0x1234);
	at = put16(at, fragment);
	at = put8(at, 57);
	at = put8(at, protocol);
	at = put16(at, 0);
	at = put(put(at, source->ip, 4), target->ip, 4);
	memset(at, 1, options_size);
	at += options_size;
	put16(start + 10, ~packet_sum(start, 20 + options_size, 0) & 0xffff);
	return at;
}

static uint8_t *put_ipv6(uint8_t *at, const struct dp_addr *source, const struct dp_addr *target,
	unsigned protocol, unsigned body_size, unsigned hop_limit)
{
	at = put32(at, 0x60012345);
	at = put16(at, body_size);
	at = put8(at, protocol);
	at = put8(at, hop_limit);
	return put(put(at, source->ip, 16), target->ip, 16);
}

uint32_t packet_ip_offset(const struct packet_udp *p)
{
	return ETH_SIZE + (p->tags[0] != 0 ? 4 : 0) + (p->tags[1] != 0 ? 4 : 0);
}

uint32_t packet_udp(uint8_t *frame, const struct packet_udp *p)
{
	bool is_ipv4 = p->source.family == 4;
	unsigned udp_size = 8u + p->payload_size, tag_count = 0;
	uint8_t *at = put(put(frame, p->target_mac, 6), p->source_mac, 6), *ip, *udp;

	for (; tag_count < PACKET_TAGS_MAX && p->tags[tag_count] != 0; tag_count++)
		at = put16(put16(at, p->tags[tag_count]), 0x2005);
	at = ip = put16(at, is_ipv4 ? 0x0800 : 0x86dd);
	if (is_ipv4) {
		at = put_ipv4(
			at, &p->source, &p->target, 17, udp_size, p->options_size, p->fragment);
	} else if (p->fragment == 0) {
		at = put_ipv6(at, &p->source, &p->target, 17, udp_size, 57);
	} else {
		at = put_ipv6(at, &p->source, &p->target, 44, udp_size + 8, 57);
		at = put32(put16(put16(at, 17 << 8), p->fragment), 0xabcdef01);
	}
	udp = at;
	at = put16(put16(at, p->source.port), p->target.port);
	at = put16(put16(at, udp_size), 0);
	at = put(at, p->payload, p->payload_size);

	uint32_t sum = packet_pseudo_sum(ip, 17, udp_size);

	if (!p->partial_checksum)
		sum = ~packet_sum(udp, udp_size, sum) & 0xffff;
	put16(udp + 6, p->no_checksum ? 0 : sum == 0 ? 0xffff : sum);
	memset(at, 0xee, p->trailer_size);
	return (uint32_t)(at + p->trailer_size - frame);
}

uint32_t packet_arp_request(uint8_t *frame, const struct packet_pair *p)
{
	uint8_t *at = put_ethernet(frame, p->target_mac, p->sender_mac, 0x0806);

	at = put32(at, 0x00010800); // Ethernet, IPv4
	at = put32(at, 0x06040001); // their sizes, request
	at = put(put(at, p->sender_mac, 6), p->sender.ip, 4);
	memset(at, 0, 6);
	at = put(at + 6, p->target.ip, 4);
	return (uint32_t)(at - frame);
}

uint32_t packet_echo_request(uint8_t *frame, const struct packet_pair *p, uint16_t data_size)
{
	bool is_ipv4 = p->target.family == 4;
	uint8_t *at = put_ethernet(frame, p->target_mac, p->sender_mac, is_ipv4 ? 0x0800 : 0x86dd);

	at = is_ipv4 ? put_ipv4(at, &p->sender, &p->target, 1, 8u + data_size, 0, 0)
		     : put_ipv6(at, &p->sender, &p->target, 58, 8u + data_size, 64);
	at = put32(at, is_ipv4 ? 0x08000000 : 0x80000000);
	at = put32(at, 0x0badcafe); // identifier, sequence number
	for (unsigned i = 0; i < data_size; i++)
		at = put8(at, i);
	packet_fix_icmp(frame);
	return (uint32_t)(at - frame);
}

uint32_t packet_solicitation(
	uint8_t *frame, const struct packet_pair *p, bool multicast, bool with_source_option)
{
	const uint8_t *last = p->target.ip + 13;
	struct dp_addr group = packet_addr("ff02::1:ff00:0", 0);
	uint8_t group_mac[6] = {0x33, 0x33, 0xff, last[0], last[1], last[2]}, *at;

	put(group.ip + 13, last, 3);
	at = put_ethernet(frame, multicast ? group_mac : p->target_mac, p->sender_mac, 0x86dd);
	at = put_ipv6(at, &p->sender, multicast ? &group : &p->target, 58,
		with_source_option ? 32 : 24, 255);
	at = put32(put32(at, 0x87000000), 0);
	at = put(at, p->target.ip, 16);
	if (with_source_option)
		at = put(put16(at, 0x0101), p->sender_mac, 6);
	packet_fix_icmp(frame);
	return (uint32_t)(at - frame);
}

void packet_fix_ipv4(uint8_t *frame)
{
	uint8_t *ip = frame + ETH_SIZE;

	put16(ip + 10, 0);
	put16(ip + 10, ~packet_sum(ip, (ip[0] & 15u) * 4, 0) & 0xffff);
}

void packet_fix_udp(uint8_t *frame)
{
	uint8_t *ip = frame + ETH_SIZE;
	bool is_ipv4 = ip[0] >> 4 == 4;
	unsigned header_size = is_ipv4 ? (ip[0] & 15u) * 4 : 40;
	unsigned size = is_ipv4 ? get16(ip + 2) - header_size : get16(ip + 4);
	uint8_t *udp = ip + header_size;

	put16(udp + 6, 0);

	uint32_t sum = ~packet_sum(udp, size, packet_pseudo_sum(ip, 17, size)) & 0xffff;

	put16(udp + 6, sum == 0 ? 0xffff : sum);
}

void packet_fix_icmp(uint8_t *frame)
{
	uint8_t *ip = frame + ETH_SIZE;
	bool is_ipv4 = ip[0] >> 4 == 4;
	unsigned size = is_ipv4 ? get16(ip + 2) - 20 : get16(ip + 4);
	uint8_t *icmp = ip + (is_ipv4 ? 20 : 40);

	put16(icmp + 2, 0);
	put16(icmp + 2,
		~packet_sum(icmp, size, is_ipv4 ? 0 : packet_pseudo_sum(ip, 58, size)) & 0xffff);
}

struct dp_addr packet_addr(const char *ip, uint16_t port)
{
	struct dp_addr addr = {.port = port};

	if (inet_pton(AF_INET, ip, addr.ip) == 1) {
		addr.family = 4;
	} else if (inet_pton(AF_INET6, ip, addr.ip) == 1) {
		addr.family = 6;
	} else {
		fprintf(stderr, "packet_addr: no address: %s\n", ip);
		abort();
	}
	return addr;
}

// SplitMix64.
uint64_t packet_random_next(struct packet_random *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

uint32_t packet_random_below(struct packet_random *r, uint32_t bound)
{
	return (uint32_t)(packet_random_next(r) % bound);
}

void packet_random_fill(struct packet_random *r, uint8_t *bytes, uint32_t size)
{
	for (uint32_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)packet_random_next(r);
}

uint8_t *packet_heap(const uint8_t *bytes, uint32_t size)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);

	if (copy == NULL)
		abort();
	if (size > 0)
		memcpy(copy, bytes, size);
	return copy;
}
