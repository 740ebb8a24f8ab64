// SPDX-License-Identifier: BSD-3-Clause
//
// Buckets.

#include "signaling/voice_stats.h"

void voice_stats_closed(struct voice_stats *stats, unsigned code)
{
	unsigned index = code - 4000u; // smaller ones wrap to the last, too

	stats->closes[index < VOICE_CLOSE_CODES - 1 ? index : VOICE_CLOSE_CODES - 1]++;
}

#define JOIN_BOUND(ms) (ms),
void voice_stats_joined(struct voice_stats *stats, uint64_t join_ms)
{
	static const uint64_t bounds[] = {VOICE_JOIN_BOUNDS(JOIN_BOUND)};
	unsigned bucket = 0;

	while (bucket < VOICE_JOIN_BUCKETS - 1 && join_ms > bounds[bucket])
		bucket++;
	stats->join_buckets[bucket]++;
	stats->join_count++;
	stats->join_sum_ms += join_ms;
}
