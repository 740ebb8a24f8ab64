// SPDX-License-Identifier: BSD-3-Clause
//
// Log-linear histogram. Pure.
#include "load/histogram.h"

#include <stdbool.h>
#include <string.h>

static unsigned bucket_of(uint64_t value)
{
	if (value < HISTOGRAM_SUB_COUNT)
		return (unsigned)value;
	if (value >> HISTOGRAM_VALUE_BITS != 0)
		return HISTOGRAM_BUCKET_COUNT - 1;

	unsigned exponent = 63u - (unsigned)__builtin_clzll(value);
	unsigned shift = exponent - HISTOGRAM_SUB_BITS;

	return (shift + 1) * HISTOGRAM_SUB_COUNT + (unsigned)(value >> shift) - HISTOGRAM_SUB_COUNT;
}

// The highest value that falls into 'bucket'.
static uint64_t bucket_top(unsigned bucket)
{
	if (bucket < HISTOGRAM_SUB_COUNT)
		return bucket;

	unsigned shift = bucket / HISTOGRAM_SUB_COUNT - 1;
	uint64_t base = HISTOGRAM_SUB_COUNT + bucket % HISTOGRAM_SUB_COUNT;

	return ((base + 1) << shift) - 1;
}

void histogram_clear(struct histogram *histogram)
{
	memset(histogram, 0, sizeof(*histogram));
}

void histogram_record(struct histogram *histogram, uint64_t value)
{
	histogram->buckets[bucket_of(value)]++;
	histogram->total_count++;
	if (value > histogram->max)
		histogram->max = value;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
	for (unsigned i = 0; i < HISTOGRAM_BUCKET_COUNT; i++)
		into->buckets[i] += from->buckets[i];
	into->total_count += from->total_count;
	if (from->max > into->max)
		into->max = from->max;
}

uint64_t histogram_quantile(const struct histogram *histogram, unsigned permille)
{
	if (histogram->total_count == 0)
		return 0;

	// The rank of the wanted value, 1 to total_count, rounded up.
	uint64_t rank = (histogram->total_count * permille + 999) / 1000;
	uint64_t seen_count = 0;

	if (rank == 0)
		rank = 1;
	for (unsigned i = 0; i < HISTOGRAM_BUCKET_COUNT; i++) {
		seen_count += histogram->buckets[i];
		if (seen_count >= rank) {
			uint64_t top = bucket_top(i);
			bool last = i == HISTOGRAM_BUCKET_COUNT - 1;

			return top < histogram->max && !last ? top : histogram->max;
		}
	}
	return histogram->max;
}
