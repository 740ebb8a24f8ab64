// SPDX-License-Identifier: BSD-3-Clause
//
// SSRC block -> session slot.

#include "table/ssrc_table.h"

#include <errno.h>

#include "api/dp_assert.h"
#include "api/dp_limits.h"
#include "table/arena.h"

struct entry {
	uint32_t block; // ssrc / DP_SSRCS_PER_SESSION
	uint32_t slot;  // INDEX_NONE: free
};

struct ssrc_table {
	struct entry *entries;
	uint32_t mask;
	uint32_t count, capacity;
	uint64_t seed;
};

struct ssrc_table *ssrc_table_create(struct arena *a, uint32_t session_count, uint64_t seed)
{
	uint32_t size = 16;
	struct ssrc_table *t = arena_take(a, sizeof(*t));
	struct entry *entries;

	while (size < session_count * 2)
		size *= 2;
	entries = arena_take(a, size * sizeof(entries[0]));
	if (t == NULL)
		return NULL;
	for (uint32_t i = 0; i < size; i++)
		entries[i].slot = INDEX_NONE;
	*t = (struct ssrc_table){
		.entries = entries, .mask = size - 1, .capacity = session_count, .seed = seed | 1};
	return t;
}

static uint32_t home_of(const struct ssrc_table *t, uint32_t block)
{
	return (uint32_t)((block * t->seed) >> 32) & t->mask;
}

// Index of the entry of 'block', or of the free one where it would go.
static uint32_t probe(const struct ssrc_table *t, uint32_t block)
{
	uint32_t at = home_of(t, block);

	while (t->entries[at].slot != INDEX_NONE && t->entries[at].block != block)
		at = (at + 1) & t->mask;
	return at;
}

int ssrc_table_add(struct ssrc_table *t, uint32_t ssrc, uint32_t slot)
{
	uint32_t block = ssrc / DP_SSRCS_PER_SESSION;
	uint32_t at = probe(t, block);

	DP_ASSERT(slot != INDEX_NONE);
	if (t->entries[at].slot != INDEX_NONE)
		return -EEXIST;
	DP_ASSERT(t->count < t->capacity); // one block per session slot
	t->entries[at] = (struct entry){.block = block, .slot = slot};
	t->count++;
	return 0;
}

void ssrc_table_remove(struct ssrc_table *t, uint32_t ssrc)
{
	uint32_t hole = probe(t, ssrc / DP_SSRCS_PER_SESSION);

	DP_ASSERT(t->entries[hole].slot != INDEX_NONE);
	t->count--;
	// Move back whoever probed over the hole to get where it is.
	for (uint32_t at = (hole + 1) & t->mask; t->entries[at].slot != INDEX_NONE;
		at = (at + 1) & t->mask) {
		uint32_t home = home_of(t, t->entries[at].block);

		if (((at - home) & t->mask) >= ((at - hole) & t->mask)) {
			t->entries[hole] = t->entries[at];
			hole = at;
		}
	}
	t->entries[hole].slot = INDEX_NONE;
}

uint32_t ssrc_table_find(const struct ssrc_table *t, uint32_t ssrc)
{
	return t->entries[probe(t, ssrc / DP_SSRCS_PER_SESSION)].slot;
}

void ssrc_table_prefetch(const struct ssrc_table *t, uint32_t ssrc)
{
	__builtin_prefetch(&t->entries[home_of(t, ssrc / DP_SSRCS_PER_SESSION)]);
}
