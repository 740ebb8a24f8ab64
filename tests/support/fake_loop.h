// SPDX-License-Identifier: BSD-3-Clause
//
// The event loop's functions for a test that wants to be the clock and the poll itself: time moves
// by fake_loop_now_ms, timers and watches are called by the functions below. Included by one file
// of a test, which must not link the real loop.
#pragma once

#include <errno.h>
#include <stdlib.h>

#include "loop/loop.h"

#define FAKE_TIMERS_MAX 64

static uint64_t fake_loop_now_ms = 1000000;
static struct loop_timer *fake_timers[FAKE_TIMERS_MAX];
static struct loop_fd *fake_last_watch __attribute__((unused));

struct loop_fd {
	int fd;
	short events;
	loop_fd_fn *fn;
	void *arg;
};

uint64_t loop_now_ms(const struct loop *loop)
{
	(void)loop;
	return fake_loop_now_ms;
}

void loop_timer_init(struct loop *loop, struct loop_timer *timer, loop_timer_fn *fn, void *arg)
{
	*timer = (struct loop_timer){.loop = loop, .fn = fn, .arg = arg};
}

void loop_timer_set(struct loop_timer *timer, uint64_t delay_ms)
{
	timer->deadline_ms = fake_loop_now_ms + delay_ms;
	for (unsigned index = 0; index < FAKE_TIMERS_MAX; index++)
		if (fake_timers[index] == timer)
			return;
	for (unsigned index = 0; index < FAKE_TIMERS_MAX; index++)
		if (fake_timers[index] == NULL) {
			fake_timers[index] = timer;
			return;
		}
	abort();
}

void loop_timer_stop(struct loop_timer *timer)
{
	for (unsigned index = 0; index < FAKE_TIMERS_MAX; index++)
		if (fake_timers[index] == timer)
			fake_timers[index] = NULL;
}

int loop_fd_add(
	struct loop *loop, int fd, short events, loop_fd_fn *fn, void *arg, struct loop_fd **out)
{
	(void)loop;
	*out = malloc(sizeof(**out));
	if (*out == NULL)
		return -ENOMEM;
	**out = (struct loop_fd){.fd = fd, .events = events, .fn = fn, .arg = arg};
	fake_last_watch = *out;
	return 0;
}

void loop_fd_set_events(struct loop_fd *watch, short events)
{
	watch->events = events;
}

void loop_fd_remove(struct loop_fd *watch)
{
	free(watch);
}

// Time passes in steps of 'step_ms'; every timer that is due fires, once per step.
static inline void fake_loop_pass(uint64_t ms, uint64_t step_ms)
{
	for (uint64_t passed = 0; passed < ms; passed += step_ms) {
		fake_loop_now_ms += step_ms;
		for (unsigned index = 0; index < FAKE_TIMERS_MAX; index++) {
			struct loop_timer *timer = fake_timers[index];

			if (timer == NULL || fake_loop_now_ms < timer->deadline_ms)
				continue;
			fake_timers[index] = NULL;
			timer->fn(timer->arg);
		}
	}
}
