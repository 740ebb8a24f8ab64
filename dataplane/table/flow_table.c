// SPDX-License-Identifier: BSD-3-Clause
//
// Address -> session slot.

#include "table/flow_table.h"

#include <string.h>

#include "api/dp_assert.h"
#include "table/arena.h"

struct entry {
	struct dp_addr address;
	uint32_t slot; // INDEX_NONE: free
};

struct flow_table {
	struct entry *entries;
	uint32_t mask;
	uint32_t count, capacity;
	uint64_t seed;
};

struct flow_table *flow_table_create(struct arena *a, uint32_t session_count, uint64_t seed)
{
	uint32_t size = 16;
	struct flow_table *t = arena_take(a, sizeof(*t));
	struct entry *entries;

	while (size < session_count * 2)
		size *= 2;
	entries = arena_take(a, size * sizeof(entries[0]));
	if (t == NULL)
		return NULL;
	for (uint32_t i = 0; i < size; i++)
		entries[i].slot = INDEX_NONE;
	*t = (struct flow_table){
		.entries = entries, .mask = size - 1, .capacity = session_count, .seed = seed};
	return t;
}

__extension__ typedef unsigned __int128 uint128;

static uint64_t mix(uint64_t a, uint64_t b)
{
	uint128 product = (uint128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint32_t home_of(const struct flow_table *t, const struct dp_addr *address)
{
	uint64_t word[2];
	uint32_t tail;

	memcpy(word, address->ip, sizeof(word));
	memcpy(&tail, &address->port, sizeof(tail));
	return (uint32_t)mix(mix(word[0] ^ t->seed, word[1] ^ 0x9e3779b97f4a7c15ull) ^ tail,
		       t->seed | 1) &
	       t->mask;
}

static uint32_t probe(const struct flow_table *t, const struct dp_addr *address)
{
	uint32_t at = home_of(t, address);

	while (t->entries[at].slot != INDEX_NONE &&
		memcmp(&t->entries[at].address, address, sizeof(*address)) != 0)
		at = (at + 1) & t->mask;
	return at;
}

void flow_table_set(struct flow_table *t, const struct dp_addr *address, uint32_t slot)
{
	uint32_t at = probe(t, address);

	DP_ASSERT(slot != INDEX_NONE);
	if (t->entries[at].slot == INDEX_NONE) {
		DP_ASSERT(t->count < t->capacity);
		t->count++;
	}
	t->entries[at] = (struct entry){.address = *address, .slot = slot};
}

void flow_table_remove(struct flow_table *t, const struct dp_addr *address, uint32_t slot)
{
	uint32_t hole = probe(t, address);

	if (t->entries[hole].slot != slot)
		return;
	t->count--;
	for (uint32_t at = (hole + 1) & t->mask; t->entries[at].slot != INDEX_NONE;
		at = (at + 1) & t->mask) {
		uint32_t home = home_of(t, &t->entries[at].address);

		if (((at - home) & t->mask) >= ((at - hole) & t->mask)) {
			t->entries[hole] = t->entries[at];
			hole = at;
		}
	}
	t->entries[hole].slot = INDEX_NONE;
}

uint32_t flow_table_find(const struct flow_table *t, const struct dp_addr *address)
{
	return t->entries[probe(t, address)].slot;
}
