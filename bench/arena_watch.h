// SPDX-License-Identifier: BSD-3-Clause
//
// What a worker really took: the linker puts this between the packet engine and its arena
// (--wrap=arena_take), so that the bench reports allocations and not a sum that somebody wrote
// down.
//
// Main thread, while workers are made.
#pragma once

#include <stddef.h>

struct worker;

// Bytes of one worker's tables.
struct arena_use {
	size_t total;     // all that it took
	size_t sessions;  // sessions, receivers (with keys), their progress: by slot
	size_t legs;      // pool of legs, their lists, their progress
	size_t elsewhere; // the rest of 'total': guilds, rooms, lists, tables by SSRC and address
};

// The worker's part of the progress memfd is counted with it. All zero: it was not watched.
struct arena_use arena_watch_use(const struct worker *w);
