// SPDX-License-Identifier: BSD-3-Clause
//
// The nonce suffixes of an rtpsize sender, as a clock that nobody can turn back.
//
// The 16-bit sequence number alone cannot tell a packet from one that was captured 2^15 to 2^16
// packets ago: said again, it would be the newest, and the stream deaf to its sender for ten
// minutes. The suffix can: under one key a client never uses one twice, or it would give the key
// away, and all stock clients count it up, some big-endian, some little-endian (protocol.md 4.5).
// Which of the two a client does is learnt from its first packets. A client that does neither is
// served all the same; of it alone the risk remains.
//
// Kept in the session's slot of the progress memfd, so that a successor knows. One worker's.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/dp_shm.h"

enum suffix_order {
	SUFFIX_UNKNOWN,
	SUFFIX_BIG,
	SUFFIX_LITTLE,
};

// Packets in a row that must agree, each at most so many suffixes after the one before: a client
// counts its RTCP with the same counter, and some packets are lost. By chance one in 2^20 agrees.
#define SUFFIX_STEPS 64u
#define SUFFIX_STEP_MAX 4096u
// A packet this far behind the newest is no late one: the replay window is shorter by far, and no
// sequence number comes round sooner.
#define SUFFIX_LATE_MAX 32768

static inline uint32_t suffix_counter(enum suffix_order order, uint32_t suffix)
{
	return order == SUFFIX_LITTLE ? __builtin_bswap32(suffix) : suffix;
}

// 'suffix': the four bytes, read as a big-endian word. False: said long ago. Changes nothing.
static inline bool suffix_fresh(const struct dp_suffix_shm *s, uint32_t suffix)
{
	if (s->order == SUFFIX_UNKNOWN)
		return true;
	return (int32_t)(suffix_counter((enum suffix_order)s->order, suffix) - s->newest) >
	       -SUFFIX_LATE_MAX;
}

// How the counter went from 'before' to 'suffix', if it did.
static inline enum suffix_order suffix_step(uint32_t before, uint32_t suffix)
{
	uint32_t big = suffix - before;
	uint32_t little = __builtin_bswap32(suffix) - __builtin_bswap32(before);

	if (big - 1 < SUFFIX_STEP_MAX)
		return little - 1 < SUFFIX_STEP_MAX ? SUFFIX_UNKNOWN : SUFFIX_BIG;
	return little - 1 < SUFFIX_STEP_MAX ? SUFFIX_LITTLE : SUFFIX_UNKNOWN;
}

// The newest packet of a stream had this suffix: after it was authenticated.
static inline void suffix_accept(struct dp_suffix_shm *s, uint32_t suffix)
{
	enum suffix_order step;
	uint32_t counter;

	if (s->order != SUFFIX_UNKNOWN) {
		counter = suffix_counter((enum suffix_order)s->order, suffix);
		if ((int32_t)(counter - s->newest) > 0)
			s->newest = counter;
		return;
	}
	step = suffix_step(s->newest, suffix);
	s->steps = step != SUFFIX_UNKNOWN && step == s->step ? (uint8_t)(s->steps + 1) : 0;
	s->step = (uint8_t)step;
	s->newest = suffix;
	if (s->steps == SUFFIX_STEPS) {
		s->newest = suffix_counter(step, suffix);
		// Last: a successor never reads the word in the wrong order.
		__atomic_store_n(&s->order, (uint8_t)step, __ATOMIC_RELEASE);
	}
}
