// SPDX-License-Identifier: BSD-3-Clause
//
// Nonce suffixes of an rtpsize session key, of which clients use some too: the server's space has
// the top bit of suffix byte 0 and of byte 3 set, where neither a big-endian nor a little-endian
// counter of a client comes within 2^31 packets (protocol.md 4.5). 2^30 suffixes, each used once,
// crashes included: a lease is written to the session's slot in the progress memfd before the first
// of its numbers is used, and a successor starts at the floor that it finds there.
//
// Owned by one worker.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct nonce_space {
	uint32_t next;   // number to use next
	uint32_t leased; // numbers below it may be used
	uint32_t *floor; // in the progress memfd: numbers below it are used, or lost
};

// Goes on at '*floor' (0 for a new key). The floor outlives the space.
void nonce_init(struct nonce_space *n, uint32_t *floor);
// Reserves the next numbers. False: none is left.
bool nonce_lease(struct nonce_space *n);

// The suffix of 'number', below DP_NONCES_MAX: as a big-endian word 1, 23 bits, 1, 7 bits. Distinct
// numbers have distinct suffixes. Written as one word, because the cipher reads it as one.
static inline void nonce_suffix(uint32_t number, uint8_t suffix[4])
{
	uint32_t word = 0x80000080u | (number & 0x3fffff80u) << 1 | (number & 0x7fu);

	word = __builtin_bswap32(word);
	memcpy(suffix, &word, sizeof(word));
}

// Takes one number and writes its suffix. False: the space is spent, nothing may be sealed.
static inline bool nonce_take(struct nonce_space *n, uint8_t suffix[4])
{
	if (__builtin_expect(n->next >= n->leased, 0) && !nonce_lease(n))
		return false;
	nonce_suffix(n->next++, suffix);
	return true;
}
