// SPDX-License-Identifier: BSD-3-Clause
//
// The numbers of a run: each second as one JSON line to --progress-fd, at the end as one JSON
// object or as a table on stdout. Latencies are microseconds from just before the talker's system
// call to the kernel's receive time stamp at the listener.
//
// The loop's thread only.
#pragma once

#include <stdbool.h>

struct report;
struct swarm;

// 0 or -errno (--progress-fd is not open).
int report_create(struct swarm *swarm, struct report **out) __attribute__((warn_unused_result));
// NULL allowed.
void report_destroy(struct report *report);
// Once a second: prints the second and adds it to the run.
void report_progress(struct swarm *swarm);
// Once, after the drain: prints the run and keeps its verdict.
void report_final(struct swarm *swarm);
// True after report_final(): all joined, nothing leaked, nothing bad, loss as expected.
bool report_passed(const struct report *report);
