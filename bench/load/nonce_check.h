// SPDX-License-Identifier: BSD-3-Clause
//
// Watches the nonce suffixes that the node uses under one session key. Client and node share that
// key, so the node must stay in a space that no client counter reaches (top bit of the first and of
// the last byte set: neither a big-endian nor a little-endian counter gets there in 2^31 packets),
// and must never repeat itself. It counts upwards, read in one of the two byte orders; we accept
// either, and reordering within a window.
//
// Pure; one per session key.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define NONCE_CHECK_WINDOW 1024u // packets that may arrive late

struct nonce_order {
	bool started, broken;
	uint32_t highest;
	uint64_t seen[NONCE_CHECK_WINDOW / 64]; // bit n: counter ≡ n modulo the window
};

// Zero-initialised is fresh.
struct nonce_check {
	struct nonce_order big, little;
};

enum nonce_verdict {
	NONCE_FINE,
	NONCE_CLIENT_SPACE, // a client could have used it
	NONCE_REPEATED,     // used before, or it does not count upwards in either byte order
};

// Call for authenticated packets only.
enum nonce_verdict nonce_check_feed(struct nonce_check *check, const uint8_t suffix[4]);
