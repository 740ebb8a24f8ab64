// SPDX-License-Identifier: BSD-3-Clause
//
// The event loop: timers in order, foreign descriptors that stay their owner's, signals.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/loop.h"

#define TIMERS 300u

struct many {
	struct loop *loop;
	struct loop_timer timer[TIMERS];
	uint64_t due_ms[TIMERS];
	unsigned fired;
	uint64_t last_due_ms;
};

struct one {
	struct many *all;
	unsigned index;
};

static void one_fired(void *arg)
{
	struct one *one = arg;
	struct many *all = one->all;

	assert_true(all->due_ms[one->index] != 0); // a stopped timer never fires
	assert_true(all->due_ms[one->index] >= all->last_due_ms);
	assert_true(loop_now_ms(all->loop) >= all->due_ms[one->index]);
	all->last_due_ms = all->due_ms[one->index];
	all->fired++;
}

static void stop(void *arg)
{
	loop_stop(arg, 7);
}

// Random deadlines, a third re-armed, a third stopped: each left fires once, in order, never early.
static void timers_fire_once_in_order_and_never_early(void **state)
{
	static struct many all;
	static struct one one[TIMERS];
	struct loop_timer end;
	unsigned expected = 0;
	uint64_t seed = 1;

	(void)state;
	all = (struct many){.loop = loop_create()};
	assert_non_null(all.loop);
	for (unsigned pass = 0; pass < 2; pass++) {
		for (unsigned i = 0; i < TIMERS; i++) {
			uint64_t delay_ms;

			seed = seed * 6364136223846793005u + 1442695040888963407u;
			delay_ms = (seed >> 33) % 80;
			if (pass == 1 && i % 3 == 1) {
				loop_timer_stop(&all.timer[i]);
				loop_timer_stop(&all.timer[i]);
				all.due_ms[i] = 0;
				continue;
			}
			if (pass == 1 && i % 3 == 2)
				continue;
			one[i] = (struct one){&all, i};
			if (pass == 0)
				loop_timer_init(all.loop, &all.timer[i], one_fired, &one[i]);
			loop_timer_set(&all.timer[i], delay_ms);
			all.due_ms[i] = all.timer[i].deadline_ms;
		}
	}
	for (unsigned i = 0; i < TIMERS; i++)
		expected += all.due_ms[i] != 0;
	loop_timer_init(all.loop, &end, stop, all.loop);
	loop_timer_set(&end, 150);
	assert_int_equal(loop_run(all.loop), 7);
	assert_int_equal(all.fired, expected);
	loop_destroy(all.loop);
}

struct again {
	struct loop *loop;
	struct loop_timer timer;
	unsigned count;
};

static void again_fired(void *arg)
{
	struct again *again = arg;

	if (++again->count == 5)
		loop_stop(again->loop, 0);
	else
		loop_timer_set(&again->timer, 0);
}

static void a_timer_may_set_itself_again(void **state)
{
	struct again again = {.loop = loop_create()};

	(void)state;
	loop_timer_init(again.loop, &again.timer, again_fired, &again);
	loop_timer_set(&again.timer, 0);
	assert_int_equal(loop_run(again.loop), 0);
	assert_int_equal(again.count, 5);
	loop_destroy(again.loop);
}

struct pair {
	struct loop *loop;
	struct loop_fd *watch[2];
	unsigned reads, writes, hups;
};

static void reader_ready(void *arg, int fd, short revents)
{
	struct pair *pair = arg;
	char byte;

	if (revents & POLLIN && read(fd, &byte, 1) == 1) {
		pair->reads++;
		return;
	}
	pair->hups++;
	loop_fd_remove(pair->watch[0]); // allowed inside the callback
	loop_stop(pair->loop, 0);
}

static void writer_ready(void *arg, int fd, short revents)
{
	struct pair *pair = arg;

	assert_true(revents & POLLOUT);
	assert_int_equal(write(fd, "x", 1), 1);
	if (++pair->writes == 3) {
		loop_fd_remove(pair->watch[1]);
		shutdown(fd, SHUT_WR);
	}
}

static void a_descriptor_is_served_and_stays_its_owners(void **state)
{
	struct pair pair = {.loop = loop_create()};
	int fd[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	assert_int_equal(
		loop_fd_add(pair.loop, fd[0], POLLIN, reader_ready, &pair, &pair.watch[0]), 0);
	assert_int_equal(
		loop_fd_add(pair.loop, fd[1], POLLIN, writer_ready, &pair, &pair.watch[1]), 0);
	loop_fd_set_events(pair.watch[1], POLLOUT);
	assert_int_equal(
		loop_fd_add(pair.loop, -1, POLLIN, reader_ready, &pair, &pair.watch[0]), -EINVAL);
	assert_int_equal(loop_run(pair.loop), 0);
	assert_int_equal(pair.reads, 3);
	assert_int_equal(pair.writes, 3);
	assert_int_equal(pair.hups, 1);
	loop_destroy(pair.loop);
	assert_true(fcntl(fd[0], F_GETFD) >= 0);
	assert_int_equal(close(fd[0]), 0);
	assert_int_equal(close(fd[1]), 0);
}

// Two descriptors ready in the same turn, each removes the other: the second is not called.
static void other_remove(void *arg, int fd, short revents)
{
	struct pair *pair = arg;

	(void)revents;
	(void)fd;
	pair->reads++;
	loop_fd_remove(pair->watch[0]);
	loop_fd_remove(pair->watch[1]);
	loop_stop(pair->loop, 0);
}

static void a_removed_descriptor_is_not_called_in_the_same_turn(void **state)
{
	struct pair pair = {.loop = loop_create()};
	int fd[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(
			loop_fd_add(pair.loop, fd[i], POLLOUT, other_remove, &pair, &pair.watch[i]),
			0);
	assert_int_equal(loop_run(pair.loop), 0);
	assert_int_equal(pair.reads, 1);
	loop_destroy(pair.loop);
	close(fd[0]);
	close(fd[1]);
}

static void signal_came(void *arg, int number)
{
	loop_stop(arg, number);
}

static void signals_arrive_in_the_loop(void **state)
{
	struct loop *loop = loop_create();

	(void)state;
	assert_int_equal(loop_signal_add(loop, SIGUSR1, signal_came, loop), 0);
	assert_int_equal(loop_signal_add(loop, SIGUSR2, signal_came, loop), 0);
	assert_int_equal(loop_signal_add(loop, 0, signal_came, loop), -EINVAL);
	raise(SIGUSR2);
	assert_int_equal(loop_run(loop), SIGUSR2);
	raise(SIGUSR1);
	assert_int_equal(loop_run(loop), SIGUSR1);
	loop_destroy(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_fire_once_in_order_and_never_early),
		cmocka_unit_test(a_timer_may_set_itself_again),
		cmocka_unit_test(a_descriptor_is_served_and_stays_its_owners),
		cmocka_unit_test(a_removed_descriptor_is_not_called_in_the_same_turn),
		cmocka_unit_test(signals_arrive_in_the_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
