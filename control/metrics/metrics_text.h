// SPDX-License-Identifier: BSD-3-Clause
//
// Prometheus text format 0.0.4 into a growing buffer: families with HELP and TYPE, samples with
// labels, values that need escaping escaped. Pure, any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct metrics_text {
	char *data; // malloc'ed, NUL-terminated; NULL: nothing yet
	size_t size, capacity;
	bool failed; // no memory: what is there is not whole
};

void metrics_text_init(struct metrics_text *text);
void metrics_text_fini(struct metrics_text *text);

enum metrics_type {
	METRICS_COUNTER,
	METRICS_GAUGE,
	METRICS_HISTOGRAM
};
// Begins a family. 'name' without "voicenode_"; counters end in "_total".
void metrics_family(
	struct metrics_text *text, const char *name, enum metrics_type type, const char *help);

struct metrics_label {
	const char *name, *value;
};
// One sample of 'name' (which may carry the suffix of a histogram).
void metrics_sample(struct metrics_text *text, const char *name, const struct metrics_label *labels,
	unsigned label_count, double value);
// Counters beyond 2^53 keep all their digits.
void metrics_sample_u64(struct metrics_text *text, const char *name,
	const struct metrics_label *labels, unsigned label_count, uint64_t value);
