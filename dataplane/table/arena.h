// SPDX-License-Identifier: BSD-3-Clause
//
// One mapping for all memory of a worker, taken at start and never grown. Laid out twice by the
// same code: once with no memory to learn the size, once for real. It holds keys: never in a core
// dump.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct arena {
	uint8_t *base; // NULL: only measuring
	size_t size;   // bytes mapped
	size_t used;
};

// 'size' bytes at a cache line, zeroed; NULL while measuring.
void *arena_take(struct arena *a, size_t size);
// Maps what a measuring run has counted in 'a->used', preferring memory of 'numa_socket', and
// starts over. 0 or -ENOMEM.
int arena_map(struct arena *a, int numa_socket) __attribute__((warn_unused_result));
// Wipes and unmaps.
void arena_unmap(struct arena *a);
