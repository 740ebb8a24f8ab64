// SPDX-License-Identifier: BSD-3-Clause
//
// The crank, its heartbeat, and its rest.

#include "run/loop.h"

#include <rte_cycles.h>
#include <rte_pause.h>
#include <sys/prctl.h>
#include <time.h>

#include "run/handoff.h"
#include "run/pipeline.h"
#include "worker/worker.h"

#define IDLE_TURNS_SPIN 256u  // empty turns with a pause each before the first sleep: some 10 us
#define IDLE_SLEEP_US_MIN 5u  // first sleep of a spell; doubles up to sleep_us_max
#define IDLE_TIMER_SLACK_NS 1 // or the kernel adds 50 us to every sleep

static void rest(struct worker *w)
{
	unsigned spell = ++w->idle_turns;
	struct timespec t = {0};
	uint32_t us;

	if (w->params.idle == WORKER_IDLE_POLL || spell < IDLE_TURNS_SPIN) {
		rte_pause();
		return;
	}
	spell -= IDLE_TURNS_SPIN;
	us = spell > 8 ? w->params.sleep_us_max : IDLE_SLEEP_US_MIN << spell;
	if (us > w->params.sleep_us_max)
		us = w->params.sleep_us_max;
	t.tv_nsec = (long)us * 1000;
	worker_count_add(w, DP_COUNTER_SLEEPS, 1);
	nanosleep(&t, NULL);
}

int worker_loop(void *arg)
{
	struct worker *w = arg;

	prctl(PR_SET_TIMERSLACK, IDLE_TIMER_SLACK_NS);
	w->shm->start_tsc = rte_rdtsc();
	while (!__atomic_load_n(w->params.stop, __ATOMIC_RELAXED)) {
		w->now_tsc = rte_rdtsc();
		w->turn++;
		__atomic_store_n(&w->shm->heartbeat, w->turn, __ATOMIC_RELAXED);
		handoff_watch(w);
		if (pipeline_turn(w)) {
			w->idle_turns = 0;
			worker_count_add(w, DP_COUNTER_TURNS_BUSY, 1);
			worker_count_add(w, DP_COUNTER_BUSY_TSC, rte_rdtsc() - w->now_tsc);
		} else {
			rest(w);
		}
	}
	return 0;
}
