// SPDX-License-Identifier: BSD-3-Clause
//
// Which packet of a stream is this, and did we have it? The 16-bit sequence number is extended to a
// 32-bit index (roll-over counter, seq) as RFC 3711 appendix A does, and remembered in a window as
// RFC 6479 does: blocks, no shifting. State changes only after authentication (RFC 3711
// section 3.3.1).
//
// Owned by one worker. Pure otherwise.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/dp_limits.h"

#define REPLAY_WORDS (DP_REPLAY_WINDOW / 64 + 1)

struct replay {
	uint32_t index_max; // newest accepted; before 'started' its upper half counts
	bool started;
	uint64_t bits[REPLAY_WORDS];
};

// rtpsize: the first index is 0x10000 + seq, so that late packets from before it do not wrap below
// zero.
void replay_init(struct replay *r);
// SRTP: both sides begin with roll-over counter 0 (RFC 3711 section 3.3.1).
void replay_init_srtp(struct replay *r);
// A successor goes on: nothing at or below 'index_floor' is ever accepted again.
void replay_resume(struct replay *r, uint32_t index_floor);
// The index that a packet with 'seq' most likely has.
uint32_t replay_estimate(const struct replay *r, uint16_t seq);
// True: not seen, and not older than the window. Changes nothing.
bool replay_fresh(const struct replay *r, uint32_t index);
// After authentication of a fresh index.
void replay_accept(struct replay *r, uint32_t index);
