// SPDX-License-Identifier: BSD-3-Clause
//
// Which worker a guild gets: the one with the fewest sessions, then the fewest guilds, then the
// first. Pure, any thread.
#pragma once

#include <stdint.h>

struct placement_load {
	uint32_t sessions, guilds;       // now
	uint32_t session_max, guild_max; // of the worker
};

// Returns the worker's index, or -1 when every worker is full.
int placement_choose(const struct placement_load *loads, uint32_t worker_count);
