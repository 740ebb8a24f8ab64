// SPDX-License-Identifier: BSD-3-Clause
//
// SSRCs of a node, 16 in a row per session, unique across its workers (architecture.md decision 8).
// A member hears the SSRCs of its room only, and one that it cannot guess is one for which it
// cannot ask the media port (IP discovery): so the blocks come in the order of a keyed permutation.
// All of them once before any comes again, after 2^27 sessions, and never while its session lives.
// All are below 2^31, because JDA and koe read them into a signed int.
//
// Pure, any thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SSRC_FIRST 0x00010000u // below it lie values that old clients use as "none yet"
#define SSRC_LAST 0x7ffffff0u
#define SSRC_KEY_SIZE 16u // bytes

// Lives in the intent memfd, so that a successor goes on where the last control stopped.
struct ssrc_order {
	uint8_t key[SSRC_KEY_SIZE]; // random, of this node's intent
	uint32_t next;              // how far the permutation has been walked
	uint32_t reserved;
};

// Is the block that begins at 'ssrc' in use?
typedef bool ssrc_in_use_fn(void *arg, uint32_t ssrc);

void ssrc_order_init(struct ssrc_order *order, const uint8_t key[SSRC_KEY_SIZE]);
// Takes the next free block; 'order' moves behind it. 0: none was found (or libcrypto has no
// memory).
uint32_t ssrc_alloc_take(struct ssrc_order *order, ssrc_in_use_fn *in_use, void *arg);
