// SPDX-License-Identifier: BSD-3-Clause
//
// One stream to one receiver: how incoming packet indexes become outgoing ones. Born with the first
// packet that goes that way, from a bounded pool in the progress memfd; lives until stream or
// receiver ends, across moves between rooms, so that a receiver sees one unbroken sequence whatever
// was left out in between; freed then.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/dp_shm.h"

struct arena;
struct stream;
struct worker;

#define LEG_NONE 0u // what a zeroed list holds
// Of a leg that a successor took over: cuts are counted anew, and one that was due when the
// predecessor died must not look like one that was made.
#define LEG_CONTINUITY_UNKNOWN UINT32_MAX
#define LEG_FLOOR_FAR 0x40000000u // a floor follows, so that "before it" never wraps to "after"

struct leg_pool {
	uint32_t *free; // stack of free legs
	uint32_t free_count;
	uint32_t *heads; // hash of (receiver, ssrc): chains through leg.hash_next
	uint32_t hash_mask;
};

// NULL while 'a' only measures.
struct leg_pool *leg_pool_create(struct arena *a, uint32_t leg_count);
// Takes over the legs that the progress memfd holds: chains them, gathers the free ones.
void leg_pool_adopt(struct worker *w);

// The leg of the stream of session 'sender' to 'receiver': found, or born so that the packet with
// 'index' goes out with its sequence number unchanged, or, to a receiver of SRTP, below 2^15.
// LEG_NONE: the pool is exhausted.
uint32_t leg_get(struct worker *w, uint32_t sender, uint32_t receiver, uint32_t index);

// The outgoing index of the packet with the incoming 'index'. 'continuity' counts the cuts of
// stream and receiver together; at a cut the stream goes on at the next index, with no gap. False:
// the packet is from before the last cut, where its number now means another.
static inline bool leg_step(
	struct dp_leg_shm *leg, uint32_t continuity, uint32_t index, uint32_t *out)
{
	uint32_t outgoing;

	if (leg->continuity != continuity) {
		leg->offset = index - leg->next_index;
		leg->floor_index = index;
		leg->continuity = continuity;
	}
	if ((int32_t)(index - leg->floor_index) < 0)
		return false;
	if (index - leg->floor_index > LEG_FLOOR_FAR)
		leg->floor_index += LEG_FLOOR_FAR / 2;
	outgoing = index - leg->offset;
	if ((int32_t)(outgoing - leg->next_index) >= 0)
		leg->next_index = outgoing + 1;
	*out = outgoing;
	return true;
}

// The session ends: frees the legs to it, or those of what it published.
void leg_forget_receiver(struct worker *w, uint32_t receiver);
void leg_forget_stream(struct worker *w, uint32_t sender);
// The stream's place is needed and it may speak again: legs to receivers of SRTP, whose nonces
// their indexes are, stay until it does, or the receiver's key ends. The others are freed: born
// again, they begin above what they sent.
void leg_release_stream(struct worker *w, uint32_t sender);
// The stream is another's from now on: all its legs stay for it.
void leg_unpublish_stream(struct worker *w, uint32_t sender);
// Of the legs that were taken over: frees those whose receiver or stream did not come back, and
// never will, DP_LEGS_PER_TURN a call. 0, -EINPROGRESS: call again next turn.
int leg_forget_orphans(struct worker *w) __attribute__((warn_unused_result));
