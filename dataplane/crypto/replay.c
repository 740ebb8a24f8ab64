// SPDX-License-Identifier: BSD-3-Clause
//
// Roll-over estimate and replay window: see replay.h. The bit of an index is at its block, modulo
// the number of blocks; one block more than the window needs, because the newest block is only
// partly filled. Going forward clears the blocks that are entered, and nothing is ever shifted.
//
// An index ends at 2^32 - 1, and so does the stream: the sender's own nonces under this key are
// then spent as well.
#include "crypto/replay.h"

#include <string.h>

#define BLOCK_BITS 64u

static inline uint64_t *block(struct replay *r, uint32_t index)
{
	return &r->bits[index / BLOCK_BITS % REPLAY_WORDS];
}

static inline uint64_t bit(uint32_t index)
{
	return UINT64_C(1) << index % BLOCK_BITS;
}

void replay_init(struct replay *r)
{
	memset(r, 0, sizeof(*r));
	r->index_max = 0x10000;
}

void replay_init_srtp(struct replay *r)
{
	memset(r, 0, sizeof(*r));
}

void replay_resume(struct replay *r, uint32_t index_floor)
{
	replay_init(r);
	if (index_floor == 0) {
		return; // indexes begin at 0x10000: nothing was accepted yet
	}
	r->started = true;
	r->index_max = index_floor;
	// Everything up to the floor counts as seen. What comes after it in its block does not;
	// later blocks are cleared when they are entered.
	memset(r->bits, 0xff, sizeof(r->bits));
	*block(r, index_floor) = bit(index_floor) | (bit(index_floor) - 1);
}

uint32_t replay_estimate(const struct replay *r, uint16_t seq)
{
	uint32_t roll_over = r->index_max >> 16;
	uint16_t newest = (uint16_t)r->index_max;

	if (!r->started) {
		return roll_over << 16 | seq;
	}
	if (newest < 0x8000) {
		// Not below zero: a negative index would be the newest of all.
		if (seq - newest > 0x8000 && roll_over > 0) {
			roll_over--;
		}
	} else if (newest - 0x8000 > seq) {
		roll_over++; // behind the last index comes 0, which is older than any window
	}
	return roll_over << 16 | seq;
}

bool replay_fresh(const struct replay *r, uint32_t index)
{
	if (!r->started || index > r->index_max) {
		return true;
	}
	return r->index_max - index < DP_REPLAY_WINDOW &&
	       (r->bits[index / BLOCK_BITS % REPLAY_WORDS] & bit(index)) == 0;
}

void replay_accept(struct replay *r, uint32_t index)
{
	if (!r->started) {
		r->started = true;
		r->index_max = index;
	} else if (index > r->index_max) {
		uint32_t entered = index / BLOCK_BITS - r->index_max / BLOCK_BITS;

		if (entered > REPLAY_WORDS) {
			entered = REPLAY_WORDS;
		}
		for (uint32_t i = 0; i < entered; i++) {
			*block(r, index - i * BLOCK_BITS) = 0;
		}
		r->index_max = index;
	}
	*block(r, index) |= bit(index);
}
