// SPDX-License-Identifier: BSD-3-Clause
//
// Address -> sessions. A session has one place at most, so the entries never fill the table.

#include "table/flow_table.h"

#include <string.h>

#include "api/dp_assert.h"
#include "table/arena.h"

struct entry {
	struct dp_addr address;
	uint32_t first; // list of slots: place.link; INDEX_NONE: the entry is free
};

struct place {
	struct dp_addr address; // family 0: none
	struct index_link link;
};

struct flow_table {
	struct entry *entries;
	struct place *places; // by slot
	uint32_t mask;
	uint64_t seed;
};

struct flow_table *flow_table_create(struct arena *a, uint32_t session_count, uint64_t seed)
{
	uint32_t size = 16;
	struct flow_table *t = arena_take(a, sizeof(*t));
	struct place *places = arena_take(a, session_count * sizeof(places[0]));
	struct entry *entries;

	while (size < session_count * 2)
		size *= 2;
	entries = arena_take(a, size * sizeof(entries[0]));
	if (t == NULL)
		return NULL;
	for (uint32_t i = 0; i < size; i++)
		entries[i].first = INDEX_NONE;
	*t = (struct flow_table){
		.entries = entries, .places = places, .mask = size - 1, .seed = seed};
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

	while (t->entries[at].first != INDEX_NONE &&
		memcmp(&t->entries[at].address, address, sizeof(*address)) != 0)
		at = (at + 1) & t->mask;
	return at;
}

void flow_table_set(struct flow_table *t, const struct dp_addr *address, uint32_t slot)
{
	struct place *p = &t->places[slot];
	struct entry *e;

	DP_ASSERT(address->family != 0);
	if (memcmp(&p->address, address, sizeof(*address)) == 0)
		return;
	flow_table_remove(t, slot);
	e = &t->entries[probe(t, address)];
	e->address = *address;
	p->address = *address;
	index_list_push(&e->first, &t->places[0].link, sizeof(*p), slot);
}

void flow_table_remove(struct flow_table *t, uint32_t slot)
{
	struct place *p = &t->places[slot];
	uint32_t hole;

	if (p->address.family == 0)
		return;
	hole = probe(t, &p->address);
	DP_ASSERT(t->entries[hole].first != INDEX_NONE);
	index_list_remove(&t->entries[hole].first, &t->places[0].link, sizeof(*p), slot);
	p->address = (struct dp_addr){0};
	if (t->entries[hole].first != INDEX_NONE)
		return; // others are there
	for (uint32_t at = (hole + 1) & t->mask; t->entries[at].first != INDEX_NONE;
		at = (at + 1) & t->mask) {
		uint32_t home = home_of(t, &t->entries[at].address);

		if (((at - home) & t->mask) >= ((at - hole) & t->mask)) {
			t->entries[hole] = t->entries[at];
			hole = at;
		}
	}
	t->entries[hole].first = INDEX_NONE;
}

uint32_t flow_table_find(const struct flow_table *t, const struct dp_addr *address)
{
	return t->entries[probe(t, address)].first;
}

uint32_t flow_table_next(const struct flow_table *t, uint32_t slot)
{
	return t->places[slot].link.next;
}
