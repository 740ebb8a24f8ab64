// SPDX-License-Identifier: BSD-3-Clause
//
// What a node with an IP of its own (tap, pci) must answer, where no kernel does: ARP (RFC 826),
// IPv6 neighbour solicitation (RFC 4861), ICMP and ICMPv6 echo. Turns the request in place into its
// answer, so an answer is never longer than what came. Pure, any thread, no DPDK.
#pragma once

#include <stdint.h>

#include "proto/udp_frame.h"

// If 'frame' is a well-formed request for one of the host's addresses, rewrites it into the answer
// and returns the answer's size (<= frame_size, > 0); else returns 0, 'frame' then unchanged. ICMP
// echo is answered only up to 576 bytes of IP, with its checksum verified; gratuitous and foreign
// ARP teach us nothing (nothing is ever learned from a neighbour's word here).
uint32_t neighbor_answer(uint8_t *frame, uint32_t frame_size, const struct udp_frame_host *host);
