// SPDX-License-Identifier: BSD-3-Clause
//
// Where things are inside one RTP packet (RFC 3550 section 5.1, RFC 8285), and the header of one
// that we send. Pure: keeps no state, allocates nothing, any thread. No DPDK here.
#pragma once

#include <emmintrin.h>
#include <stdbool.h>
#include <stdint.h>

#include "api/dp_verdict.h"

#define RTP_HDR_SIZE 12u // bytes, without CSRCs and extension
#define RTP_EXT_HDR_SIZE 4u

// Offsets are bytes from the first byte of the packet and lie inside it.
struct rtp_view {
	uint32_t ssrc;        // host order
	uint32_t timestamp;   // media clock ticks (Opus 48 kHz, video 90 kHz), host order
	uint16_t seq;         // host order
	uint16_t ext_profile; // RFC 8285: 0xbede or 0x100x; host order; valid with has_ext
	uint16_t ext_words;   // 32-bit words of the extension body
	// Everything before it is authenticated in clear by rtpsize: fixed header, CSRCs and, with
	// has_ext, the four-byte preamble. The extension's body and the payload are behind it.
	uint16_t clear_size;
	uint8_t payload_type; // 0..127
	uint8_t csrc_count;
	bool marker;
	bool padding; // P bit; the padding is inside what rtpsize encrypts
	bool has_ext;
};

// Parses the header of 'pkt', 'pkt_size' bytes long, into 'view', for the rtpsize dialect: the
// extension's body must fit between clear_size and the end less 'tail_size' (tag and suffix; 0 for
// clear text).
//
// Returns DP_OK, or the verdict to drop the packet with; 'view' is then unspecified:
//   DP_RTP_SHORT    ends inside fixed header, CSRCs, preamble, extension body or tail
//   DP_RTP_VERSION  not RTP version 2
enum dp_verdict rtp_parse(
	const uint8_t *pkt, uint32_t pkt_size, uint32_t tail_size, struct rtp_view *view);

// Writes the clear part of an outgoing packet: fixed header without CSRCs and, with
// 'view'->has_ext, the preamble. Returns its size, 12 or 16. Marker, padding bit, timestamp and
// extension profile are 'view's; the rest is the receiver's.
uint32_t rtp_build(uint8_t *pkt, const struct rtp_view *view, uint8_t payload_type, uint16_t seq,
	uint32_t ssrc);
// A copy of 'header' for a receiver that counts otherwise goes to 'to': all 16 bytes of it, in one
// store, so that a cipher which loads them as one never waits.
static inline void rtp_header_place(uint8_t to[16], __m128i bytes, uint16_t seq)
{
	bytes = _mm_insert_epi16(bytes, __builtin_bswap16(seq), 1);
	_mm_storeu_si128((__m128i *)(void *)to, bytes);
}
