// SPDX-License-Identifier: BSD-3-Clause
//
// A log-linear histogram of non-negative integers: exact below 64, then 64 buckets per power of
// two, so that a quantile is at most 1/64 too high. Histograms of one second add up to that of the
// run.
//
// Pure; one owner, one thread. The unit is the caller's.
#pragma once

#include <stdint.h>

#define HISTOGRAM_SUB_BITS 6u
#define HISTOGRAM_SUB_COUNT (1u << HISTOGRAM_SUB_BITS)
#define HISTOGRAM_VALUE_BITS 40u // larger values are counted in the last bucket
#define HISTOGRAM_BUCKET_COUNT \
	((HISTOGRAM_VALUE_BITS - HISTOGRAM_SUB_BITS + 1u) * HISTOGRAM_SUB_COUNT)

// Zero-initialised is empty.
struct histogram {
	uint64_t total_count;
	uint64_t max; // exact
	uint64_t buckets[HISTOGRAM_BUCKET_COUNT];
};

void histogram_clear(struct histogram *histogram);
void histogram_record(struct histogram *histogram, uint64_t value);
// Adds all of 'from' to 'into'.
void histogram_merge(struct histogram *into, const struct histogram *from);

// The value that 'permille' of 1000 recorded values do not exceed (500: the median), never below
// the true one and at most 1/64 above it; 1000 gives the exact maximum. 0 when empty.
uint64_t histogram_quantile(const struct histogram *histogram, unsigned permille);
