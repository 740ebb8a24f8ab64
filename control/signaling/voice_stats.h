// SPDX-License-Identifier: BSD-3-Clause
//
// What the voice gateway counts, for /metrics. Written by signaling, read by metrics, on one
// thread.
#pragma once

#include <stdint.h>

#include "signaling/voice_op.h"

#define VOICE_CLOSE_CODES 64u // 4000 to 4062; the last one stands for all others

// Upper bounds of the join time, in milliseconds: 10 ms to 30 s.
#define VOICE_JOIN_BOUNDS(X) \
	X(10) X(25) X(50) X(100) X(250) X(500) X(1000) X(2500) X(10000) X(30000)
#define VOICE_JOIN_BUCKETS 11u // one per bound, and +Inf

struct voice_stats {
	uint32_t connections;
	uint64_t messages_in[VOICE_OP_COUNT], messages_out[VOICE_OP_COUNT];
	uint64_t malformed;                 // frames that were closed with 4002
	uint64_t closes[VOICE_CLOSE_CODES]; // by code - 4000; those that we sent
	uint64_t resumed, resumes_refused;
	uint64_t join_buckets[VOICE_JOIN_BUCKETS]; // Identify to Session Description
	uint64_t join_count, join_sum_ms;
};

void voice_stats_closed(struct voice_stats *stats, unsigned code);
void voice_stats_joined(struct voice_stats *stats, uint64_t join_ms);
