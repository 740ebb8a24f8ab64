// SPDX-License-Identifier: BSD-3-Clause
//
// Was the core ours while we measured? A chain of dependent multiplications takes the same number
// of cycles whenever it runs: when it takes longer, the core is slower than it was, or shared with
// something that no process list shows. And a thread that had less processor time than there was
// time was not alone.
//
// Single thread.
#pragma once

#include <stdbool.h>

struct quiet {
	double spin_best_ns; // the fastest chain so far; 0: none yet
	double spin_ns;      // the chain before this span
	double wall_ns, cpu_ns;
	double share; // of the last span: processor time to time
};

// Begins a span of measuring.
void quiet_begin(struct quiet *q);
// Ends it. False: disturbed, measure again.
bool quiet_end(struct quiet *q);
// Dependent multiplications a nanosecond over 3, which is about the core's clock in GHz.
double quiet_clock_ghz(const struct quiet *q);
