// SPDX-License-Identifier: BSD-3-Clause
//
// The processor's own counters of this thread in user space, where the kernel and the machine give
// them: many virtual machines do not.
//
// Of the thread that began it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct perf_count {
	int instructions_fd, misses_fd; // negative: not available
};

struct perf_values {
	uint64_t instructions, cache_misses; // since perf_count_open(), while running
};

// False: there are no counters here; the reason goes to 'why' (NULL allowed, with size 0).
bool perf_count_open(struct perf_count *p, char *why, unsigned why_size);
void perf_count_close(struct perf_count *p);
// Counting is off after opening.
void perf_count_run(struct perf_count *p, bool on);
// False: the counters were taken away.
bool perf_count_read(const struct perf_count *p, struct perf_values *out);
