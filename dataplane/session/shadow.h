// SPDX-License-Identifier: BSD-3-Clause
//
// A shadow: the stream of a speaker who lives on another worker, in a voice channel that has
// members here. To forward it is a stream like any other, in a slot behind the sessions': with a
// room, a leg list and legs, but no key, no address, no receiver, and no handle that control could
// name. It is found by SSRC in a table of its own, so no datagram ever finds one. Born with the
// first packet, moved when a packet names another channel, freed when its worker says that the SSRC
// is retired, or to make place for another one after it was silent for a while.
#pragma once

#include <stdint.h>

#include "api/dp_verdict.h"
#include "table/index_list.h"

struct arena;
struct crossing;
struct worker;

struct shadow_place {
	uint32_t newer, older; // by when they were heard; a ring through the place behind the last
	uint64_t heard_tsc;
};

struct shadow_pool {
	struct shadow_place *places; // by slot - first_slot
	uint32_t *free;              // stack of free slots
	uint32_t free_count;
	uint32_t first_slot, count;
};

// NULL while 'a' only measures.
struct shadow_pool *shadow_pool_create(struct arena *a, uint32_t count, uint32_t first_slot);
// The shadow of SSRC 'ssrc', or INDEX_NONE.
uint32_t shadow_find(const struct worker *w, uint32_t ssrc);
// A packet crossed: its stream's shadow, in the packet's channel, in 'slot'. DP_OK, DP_CROSS_STRAY
// (the channel is not open here, or the SSRC is one of our own sessions'), DP_REMOTE_FULL.
enum dp_verdict shadow_hear(struct worker *w, const struct crossing *packet, uint32_t *slot);
// The stream of a leg that a successor took over: found, or born in no room. INDEX_NONE: no place.
uint32_t shadow_adopt(struct worker *w, uint32_t ssrc);
// The SSRC is retired: its legs go with it.
void shadow_gone(struct worker *w, uint32_t ssrc);
// A session of our own has the SSRC now, and takes over the legs.
void shadow_yield(struct worker *w, uint32_t ssrc);
// The room is no longer spread, or closes: shadows leave it.
void shadow_clear_room(struct worker *w, uint32_t room);
