// SPDX-License-Identifier: BSD-3-Clause
//
// See quiet.h.
#include "quiet.h"

#include <stdint.h>
#include <time.h>

#include "seal_only.h"

#define CHAIN_LENGTH 100000u // 0.1 ms
#define CHAIN_CYCLES 3       // a multiplication on every x86 of the last ten years
#define CHAIN_TRIES 5        // of which the fastest counts: an interrupt is not a slow core
#define SPIN_RATIO_MAX 1.03
#define SHARE_MIN 0.90

static double spin_ns(void)
{
	double best = 1e18;

	for (unsigned try = 0; try < CHAIN_TRIES; try++) {
		double start = bench_now_ns(), ns;
		uint64_t x = 3;

		for (unsigned i = 0; i < CHAIN_LENGTH; i++) {
			__asm__ volatile("imul %0, %0" : "+r"(x));
		}
		ns = bench_now_ns() - start;
		best = ns < best ? ns : best;
	}
	return best;
}

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void keep_best(struct quiet *q, double ns)
{
	if (q->spin_best_ns <= 0 || ns < q->spin_best_ns) {
		q->spin_best_ns = ns;
	}
}

void quiet_begin(struct quiet *q)
{
	q->spin_ns = spin_ns();
	keep_best(q, q->spin_ns);
	q->wall_ns = bench_now_ns();
	q->cpu_ns = cpu_ns();
}

bool quiet_end(struct quiet *q)
{
	double cpu = cpu_ns() - q->cpu_ns, wall = bench_now_ns() - q->wall_ns;
	double after = spin_ns(), worse = after > q->spin_ns ? after : q->spin_ns;

	keep_best(q, after);
	q->share = cpu / wall;
	return q->share >= SHARE_MIN && worse <= q->spin_best_ns * SPIN_RATIO_MAX;
}

double quiet_clock_ghz(const struct quiet *q)
{
	return (double)CHAIN_LENGTH * CHAIN_CYCLES / q->spin_best_ns;
}
