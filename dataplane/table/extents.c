// SPDX-License-Identifier: BSD-3-Clause
//
// Buddy allocator over an array of words.

#include "table/extents.h"

#include <string.h>

#include "api/dp_assert.h"
#include "table/arena.h"

static void push_free(struct u32_extents *x, uint32_t unit, unsigned order)
{
	x->order[unit] = (uint8_t)(order + 1);
	index_list_push(&x->heads[order], x->links, sizeof(x->links[0]), unit);
}

static void remove_free(struct u32_extents *x, uint32_t unit, unsigned order)
{
	DP_ASSERT(x->order[unit] == order + 1);
	x->order[unit] = 0;
	index_list_remove(&x->heads[order], x->links, sizeof(x->links[0]), unit);
}

static unsigned order_of(uint32_t word_count)
{
	unsigned order = 0;

	while ((uint64_t)EXTENT_UNIT << order < word_count)
		order++;
	return order;
}

struct u32_extents *u32_extents_create(struct arena *a, uint32_t word_count)
{
	unsigned top = order_of(word_count);
	uint32_t unit_count = 1u << top;
	struct u32_extents *x = arena_take(a, sizeof(*x));
	uint32_t *words = arena_take(a, (uint64_t)unit_count * EXTENT_UNIT * sizeof(words[0]));
	struct index_link *links = arena_take(a, unit_count * sizeof(links[0]));
	uint8_t *order = arena_take(a, unit_count);

	DP_ASSERT(top < EXTENT_ORDERS);
	if (x == NULL)
		return NULL;
	*x = (struct u32_extents){.words = words,
		.links = links,
		.order = order,
		.unit_count = unit_count,
		.free_units = unit_count};
	for (unsigned o = 0; o < EXTENT_ORDERS; o++)
		x->heads[o] = INDEX_NONE;
	push_free(x, 0, top);
	return x;
}

bool extent_take(struct u32_extents *x, uint32_t word_count, struct extent *out)
{
	unsigned order = order_of(word_count), from = order;
	uint32_t unit;

	while (from < EXTENT_ORDERS && x->heads[from] == INDEX_NONE)
		from++;
	if (from == EXTENT_ORDERS)
		return false;
	unit = x->heads[from];
	remove_free(x, unit, from);
	for (; from > order; from--) // the upper halves stay free
		push_free(x, unit + (1u << (from - 1)), from - 1);
	*out = (struct extent){.offset = unit * EXTENT_UNIT, .capacity = EXTENT_UNIT << order};
	x->free_units -= 1u << order;
	memset(extent_words(x, out), 0, out->capacity * sizeof(x->words[0]));
	return true;
}

void extent_give(struct u32_extents *x, struct extent *e)
{
	unsigned order;
	uint32_t unit = e->offset / EXTENT_UNIT;

	if (e->capacity == 0)
		return;
	order = order_of(e->capacity);
	DP_ASSERT(EXTENT_UNIT << order == e->capacity);
	DP_ASSERT(x->order[unit] == 0);
	x->free_units += 1u << order;
	for (;;) {
		uint32_t buddy = unit ^ (1u << order);

		if ((1u << order) >= x->unit_count || x->order[buddy] != order + 1)
			break;
		remove_free(x, buddy, order);
		unit &= ~(1u << order);
		order++;
	}
	push_free(x, unit, order);
	*e = (struct extent){0};
}

bool extent_grow(struct u32_extents *x, struct extent *e, uint32_t word_count)
{
	struct extent bigger;

	if (e->capacity >= word_count)
		return true;
	if (!extent_take(x, word_count, &bigger))
		return false;
	memcpy(extent_words(x, &bigger), extent_words(x, e), e->capacity * sizeof(x->words[0]));
	extent_give(x, e);
	*e = bigger;
	return true;
}
