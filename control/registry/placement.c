// SPDX-License-Identifier: BSD-3-Clause
//
// A scan over at most 64 workers, when a guild arrives.

#include "registry/placement.h"

#include <stdbool.h>

static bool is_full(const struct placement_load *load)
{
	return load->guilds >= load->guild_max || load->sessions >= load->session_max;
}

static bool is_lighter(const struct placement_load *a, const struct placement_load *b)
{
	if (a->sessions != b->sessions)
		return a->sessions < b->sessions;
	return a->guilds < b->guilds;
}

int placement_choose(const struct placement_load *loads, uint32_t worker_count)
{
	int chosen = -1;

	for (uint32_t worker = 0; worker < worker_count; worker++)
		if (!is_full(&loads[worker]) &&
			(chosen < 0 || is_lighter(&loads[worker], &loads[chosen])))
			chosen = (int)worker;
	return chosen;
}
