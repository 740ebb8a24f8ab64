// SPDX-License-Identifier: BSD-3-Clause
//
// The 74-byte IP discovery of native clients and their 8-byte UDP ping (protocol.md 4.2, 4.3).
// Answers are made in place and are exactly as long as the question. Pure, any thread, no DPDK.
#pragma once

#include <stdint.h>

#include "api/dp_media.h"

#define IP_DISCOVERY_SIZE 74u
#define UDP_PING_SIZE 8u

// SSRC of a request that classify() called PACKET_IP_DISCOVERY.
uint32_t ip_discovery_ssrc(const uint8_t *pkt);
// Turns the request into its answer: the source as text (IPv4 or IPv6), NUL-padded, and its port.
void ip_discovery_answer(uint8_t *pkt, const struct dp_addr *source);
// Turns PACKET_PING into its answer 0x1337f00d with the same sequence number.
void udp_ping_answer(uint8_t *pkt);
