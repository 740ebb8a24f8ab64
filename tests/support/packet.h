// SPDX-License-Identifier: BSD-3-Clause
//
// Frames for tests: right ones, made independently of dataplane/proto (own checksums, own writers),
// to be damaged by the test; seeded random bytes; exact-size heap copies in which every overread is
// seen by the address sanitizer. Any thread, no DPDK.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/dp_media.h"

#define PACKET_FRAME_SIZE_MAX 2048u // room of every 'frame' below
#define PACKET_TAGS_MAX 2u

// A UDP datagram. What is left zero is absent or ordinary.
struct packet_udp {
	uint8_t source_mac[6], target_mac[6];
	struct dp_addr source, target; // of one family
	const void *payload;
	uint16_t payload_size;
	uint16_t tags[PACKET_TAGS_MAX]; // TPIDs of VLAN tags, outermost first; 0: none
	uint8_t options_size;           // of IPv4, no-operations, a multiple of 4, up to 40
	uint16_t fragment;              // IPv4: flags and offset. IPv6: a fragment header with it
	uint8_t trailer_size;           // bytes of 0xee behind the IP packet
	bool no_checksum;               // UDP checksum 0
	bool partial_checksum;          // the folded pseudo-header sum in its place
};

// All return the size of the frame made. Offsets of what they make: packet_ip_offset().
uint32_t packet_udp(uint8_t *frame, const struct packet_udp *p);
// First byte of the IP header: 14, or more with VLAN tags.
uint32_t packet_ip_offset(const struct packet_udp *p);

// Who asks whom, for the requests below. 'sender' zero (family set): nobody yet.
struct packet_pair {
	uint8_t sender_mac[6], target_mac[6]; // target_mac: of the Ethernet header
	struct dp_addr sender, target;
};

uint32_t packet_arp_request(uint8_t *frame, const struct packet_pair *p);
// ICMP or ICMPv6 by family, with 'data_size' bytes of data that count up from 0.
uint32_t packet_echo_request(uint8_t *frame, const struct packet_pair *p, uint16_t data_size);
// To the target's solicited-node group if 'multicast' (target_mac of 'p' unused), else to the
// target. With the sender's link-layer address if 'with_source_option'.
uint32_t packet_solicitation(
	uint8_t *frame, const struct packet_pair *p, bool multicast, bool with_source_option);

// Set the checksum of an untagged frame right again after a field was changed.
void packet_fix_ipv4(uint8_t *frame);
void packet_fix_udp(uint8_t *frame);
void packet_fix_icmp(uint8_t *frame);

// RFC 1071 as its text says it: two bytes at a time. Not complemented.
uint32_t packet_sum(const uint8_t *bytes, uint32_t size, uint32_t sum);
// Of the pseudo-header of the IP packet at 'ip', for 'size' bytes of 'protocol'.
uint32_t packet_pseudo_sum(const uint8_t *ip, uint8_t protocol, uint32_t size);

struct dp_addr packet_addr(const char *ip, uint16_t port); // "192.0.2.1", "2001:db8::1"

// Deterministic: the same seed gives the same tests.
struct packet_random {
	uint64_t state;
};
uint64_t packet_random_next(struct packet_random *r);
uint32_t packet_random_below(struct packet_random *r, uint32_t bound); // 0..bound-1
void packet_random_fill(struct packet_random *r, uint8_t *bytes, uint32_t size);

// A copy of exactly 'size' bytes; the caller frees it.
uint8_t *packet_heap(const uint8_t *bytes, uint32_t size);
