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

struct nonce_space {
	uint32_t next;   // number to use next
	uint32_t leased; // numbers below it may be used
	uint32_t *floor; // in the progress memfd: numbers below it are used, or lost
};

// Goes on at '*floor' (0 for a new key). The floor outlives the space.
void nonce_init(struct nonce_space *n, uint32_t *floor);
// Takes one number and writes its suffix. False: the space is spent, nothing may be sealed.
bool nonce_take(struct nonce_space *n, uint8_t suffix[4]);
// The suffix of 'number', below DP_NONCES_MAX. Distinct numbers have distinct suffixes.
void nonce_suffix(uint32_t number, uint8_t suffix[4]);
