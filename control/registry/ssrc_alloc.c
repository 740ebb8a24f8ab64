// SPDX-License-Identifier: BSD-3-Clause
//
// A counter that steps over what lives.

#include "registry/ssrc_alloc.h"

#include "api/dp_limits.h"

#define BLOCK ((uint32_t)DP_SSRCS_PER_SESSION)

static uint32_t in_range(uint32_t ssrc)
{
	ssrc &= ~(BLOCK - 1);
	return ssrc < SSRC_FIRST || ssrc > SSRC_LAST ? SSRC_FIRST : ssrc;
}

uint32_t ssrc_alloc_start(uint32_t random)
{
	return in_range(SSRC_FIRST + random % (SSRC_LAST - SSRC_FIRST));
}

uint32_t ssrc_alloc_take(uint32_t *next, ssrc_in_use_fn *in_use, void *arg)
{
	// No more sessions than this can live, so one more try than that finds a free block.
	uint64_t tries = (uint64_t)DP_SESSIONS_MAX * DP_WORKERS_MAX + 1;
	uint32_t ssrc = in_range(*next);

	while (tries-- > 0) {
		bool is_taken = in_use(arg, ssrc);
		uint32_t taken = ssrc;

		ssrc = in_range(ssrc + BLOCK);
		if (!is_taken) {
			*next = ssrc;
			return taken;
		}
	}
	return 0;
}
