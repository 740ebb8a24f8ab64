// SPDX-License-Identifier: BSD-3-Clause
//
// Runs of 32-bit words in a fixed array, each a power of two long: the member lists of rooms and
// the leg lists of streams, which grow and shrink while nothing may be allocated. A buddy
// allocator: a freed run joins its neighbour again. One worker's.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "table/index_list.h"

struct arena;

#define EXTENT_ORDERS 24 // runs of 2^0 .. 2^23 units
#define EXTENT_UNIT 4u   // words in the shortest run
#define EXTENT_NONE UINT32_MAX

struct u32_extents {
	uint32_t *words;
	struct index_link *links; // per unit: free runs of one order
	uint8_t *order;           // per unit: order + 1 of the free run that begins there, else 0
	uint32_t heads[EXTENT_ORDERS];
	uint32_t unit_count; // a power of two
	uint32_t free_units;
};

// A run: 'capacity' words from words[offset] on. capacity 0: none.
struct extent {
	uint32_t offset;
	uint32_t capacity;
};

// 'word_count' is rounded up to a power of two of units. NULL while 'a' only measures.
struct u32_extents *u32_extents_create(struct arena *a, uint32_t word_count);
// A run of at least 'word_count' words, zeroed. False: no run that long is free; 'out' untouched.
bool extent_take(struct u32_extents *x, uint32_t word_count, struct extent *out);
// Gives the run back; 'e' becomes capacity 0. Allowed for a run of capacity 0.
void extent_give(struct u32_extents *x, struct extent *e);
// Makes the run at least 'word_count' long, keeping its words. False: it could not grow and is as
// it was.
bool extent_grow(struct u32_extents *x, struct extent *e, uint32_t word_count);

static inline uint32_t *extent_words(const struct u32_extents *x, const struct extent *e)
{
	return x->words + e->offset;
}
