// SPDX-License-Identifier: BSD-3-Clause
//
// The event loop of a control program: one libwebsockets context, its poll, our timers, signals and
// foreign file descriptors. Everything in control/ runs on the one thread that called loop_run(),
// so no module of control/ has a lock.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_fd;
struct lws_context;

typedef void loop_timer_fn(void *arg);
typedef void loop_fd_fn(void *arg, int fd, short revents); // POLLIN, POLLOUT, POLLHUP, POLLERR
typedef void loop_signal_fn(void *arg, int signal);

// A one-shot timer in its owner's memory. Zero-initialise, then loop_timer_init() once.
struct loop_timer {
	struct loop *loop;
	loop_timer_fn *fn;
	void *arg;
	uint64_t deadline_ms; // loop clock; 0: not armed
	uint32_t heap_index;  // private to loop.c
};

// Returns NULL when libwebsockets cannot start; the reason has been logged.
struct loop *loop_create(void);
// NULL allowed. Closes every connection and listener that is still open, calling their callbacks.
void loop_destroy(struct loop *loop);

// Runs until loop_stop(). Returns the status that loop_stop() was given.
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop, int status);

// Monotonic milliseconds, read once per turn.
uint64_t loop_now_ms(const struct loop *loop);

void loop_timer_init(struct loop *loop, struct loop_timer *timer, loop_timer_fn *fn, void *arg);
// Arms, or re-arms. The timer fires once, 'delay_ms' from now or later.
void loop_timer_set(struct loop_timer *timer, uint64_t delay_ms);
// Also allowed for a timer that is not armed.
void loop_timer_stop(struct loop_timer *timer);

// Watches 'fd' for POLLIN (and POLLOUT if asked). The fd stays the caller's. 0, -ENOMEM, -EINVAL.
int loop_fd_add(struct loop *loop, int fd, short events, loop_fd_fn *fn, void *arg,
	struct loop_fd **out) __attribute__((warn_unused_result));
void loop_fd_set_events(struct loop_fd *watch, short events);
// NULL allowed. Call before closing the fd; allowed inside the fd's own callback.
void loop_fd_remove(struct loop_fd *watch);

// Delivers 'signal' in the loop instead of by handler. 0 or -errno.
int loop_signal_add(struct loop *loop, int signal, loop_signal_fn *fn, void *arg)
	__attribute__((warn_unused_result));

// For http/ only: the library's context, NULL once loop_destroy() is through with it; a fresh
// reading of the clock when the library calls in; and what is to be freed with the loop: 'fn' runs
// at the end of loop_destroy(), when no connection is left.
struct loop_exit {
	void (*fn)(void *arg);
	void *arg;
	struct loop_exit *next;
};
struct lws_context *loop_lws(struct loop *loop);
void loop_tick(struct loop *loop);
void loop_exit_add(struct loop *loop, struct loop_exit *exit);
void loop_exit_remove(struct loop *loop, struct loop_exit *exit);
