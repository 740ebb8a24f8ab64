// SPDX-License-Identifier: BSD-3-Clause
//
// The event loop over libwebsockets: loop.h says what it promises. Foreign descriptors, timers and
// signals share one epoll set, and only that set's own descriptor is given to libwebsockets: the
// library never sees, and so never closes, anything that belongs to a caller.
//
// Threads: one, the caller of loop_run(). Neighbours: http/ opens its vhosts on loop_lws().
#include "loop/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <libwebsockets.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "log/log.h"
#include "loop/wiping_heap.h"

#define LOOP_EVENTS_MAX 64   // descriptors served per turn
#define LOOP_SIGNALS_MAX 65  // Linux signal numbers end at 64
#define LOOP_READ_SIZE 16384 // bytes libwebsockets reads at once
#define LOOP_HEAD_SIZE 8192  // bytes of an HTTP head, as the library stores it
#define LOOP_VHOST "voicenode-loop"

struct loop_fd {
	struct loop *loop;
	int fd;
	loop_fd_fn *fn; // NULL: removed during a dispatch, freed after it
	void *arg;
	struct loop_fd *next_dead;
};

struct signal_slot {
	loop_signal_fn *fn;
	void *arg;
};

struct loop {
	struct lws_context *lws;
	uint64_t now_ms;
	bool stopping;
	bool dispatching;
	int status;

	int epoll_fd;
	struct loop_fd *dead; // removed while dispatching
	struct loop_exit *exits;

	struct loop_timer **heap; // by deadline; heap[0] is due first
	uint32_t heap_count, heap_max;
	int timer_fd;
	uint64_t timer_armed_ms; // what timer_fd was set to; 0: disarmed
	struct loop_fd *timer_watch;

	sigset_t signals;
	int signal_fd;
	struct loop_fd *signal_watch;
	struct signal_slot slots[LOOP_SIGNALS_MAX];
};

static uint64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

// --- timers: a binary heap, one timerfd for its head ---

static void heap_place(struct loop *loop, uint32_t index, struct loop_timer *timer)
{
	loop->heap[index] = timer;
	timer->heap_index = index;
}

static void heap_up(struct loop *loop, uint32_t index)
{
	struct loop_timer *timer = loop->heap[index];

	while (index > 0) {
		uint32_t parent = (index - 1) / 2;

		if (loop->heap[parent]->deadline_ms <= timer->deadline_ms)
			break;
		heap_place(loop, index, loop->heap[parent]);
		index = parent;
	}
	heap_place(loop, index, timer);
}

static void heap_down(struct loop *loop, uint32_t index)
{
	struct loop_timer *timer = loop->heap[index];

	for (;;) {
		uint32_t child = 2 * index + 1;

		if (child >= loop->heap_count)
			break;
		if (child + 1 < loop->heap_count &&
			loop->heap[child + 1]->deadline_ms < loop->heap[child]->deadline_ms)
			child++;
		if (timer->deadline_ms <= loop->heap[child]->deadline_ms)
			break;
		heap_place(loop, index, loop->heap[child]);
		index = child;
	}
	heap_place(loop, index, timer);
}

static void heap_remove(struct loop *loop, struct loop_timer *timer)
{
	uint32_t index = timer->heap_index;
	struct loop_timer *last = loop->heap[--loop->heap_count];

	timer->deadline_ms = 0;
	if (last == timer)
		return;
	heap_place(loop, index, last);
	heap_up(loop, index);
	heap_down(loop, last->heap_index);
}

// The descriptor is moved only when the head became earlier; a head that became later costs one
// early wake-up, which re-arms.
static void timer_fd_arm(struct loop *loop)
{
	uint64_t head_ms = loop->heap_count == 0 ? 0 : loop->heap[0]->deadline_ms;
	struct itimerspec spec = {0};

	if (head_ms == 0 || (loop->timer_armed_ms != 0 && loop->timer_armed_ms <= head_ms))
		return;
	spec.it_value.tv_sec = (time_t)(head_ms / 1000u);
	spec.it_value.tv_nsec = (long)(head_ms % 1000u) * 1000000L;
	timerfd_settime(loop->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
	loop->timer_armed_ms = head_ms;
}

static void timers_run(void *arg, int fd, short revents)
{
	struct loop *loop = arg;
	uint64_t expirations;
	uint64_t due_ms = loop->now_ms;

	(void)revents;
	if (read(fd, &expirations, sizeof(expirations)) < 0 && errno != EAGAIN)
		return;
	loop->timer_armed_ms = 0;
	// A timer set during this pass has a deadline of now or later and the pass ends at
	// 'due_ms': one that re-arms itself with 0 runs in the next turn, not for ever in this one.
	while (loop->heap_count > 0 && loop->heap[0]->deadline_ms <= due_ms) {
		struct loop_timer *timer = loop->heap[0];

		heap_remove(loop, timer);
		timer->fn(timer->arg);
	}
	timer_fd_arm(loop);
}

void loop_timer_init(struct loop *loop, struct loop_timer *timer, loop_timer_fn *fn, void *arg)
{
	*timer = (struct loop_timer){.loop = loop, .fn = fn, .arg = arg};
}

void loop_timer_set(struct loop_timer *timer, uint64_t delay_ms)
{
	struct loop *loop = timer->loop;

	loop_timer_stop(timer);
	if (loop->heap_count == loop->heap_max) {
		uint32_t max = loop->heap_max == 0 ? 256 : loop->heap_max * 2;
		struct loop_timer **heap = realloc(loop->heap, max * sizeof(heap[0]));

		if (heap == NULL) // a lost timer is a hung session: better to be restarted
			abort();
		loop->heap = heap;
		loop->heap_max = max;
	}
	// One more: the clock stands somewhere inside its millisecond, and inside one pass of
	// timers_run() nothing new may be due.
	timer->deadline_ms = clock_ms() + delay_ms + 1;
	loop->heap[loop->heap_count] = timer;
	timer->heap_index = loop->heap_count++;
	heap_up(loop, timer->heap_index);
	timer_fd_arm(loop);
}

void loop_timer_stop(struct loop_timer *timer)
{
	if (timer->deadline_ms != 0)
		heap_remove(timer->loop, timer);
}

// --- foreign descriptors ---

static uint32_t epoll_events(short events)
{
	return (events & POLLIN ? EPOLLIN : 0u) | (events & POLLOUT ? EPOLLOUT : 0u);
}

static short poll_events(uint32_t events)
{
	unsigned out = 0;

	out |= events & EPOLLIN ? POLLIN : 0u;
	out |= events & EPOLLOUT ? POLLOUT : 0u;
	out |= events & EPOLLHUP ? POLLHUP : 0u;
	out |= events & EPOLLERR ? POLLERR : 0u;
	return (short)out;
}

int loop_fd_add(
	struct loop *loop, int fd, short events, loop_fd_fn *fn, void *arg, struct loop_fd **out)
{
	struct loop_fd *watch;
	struct epoll_event event = {.events = epoll_events(events)};

	if (fd < 0 || fn == NULL)
		return -EINVAL;
	watch = malloc(sizeof(*watch));
	if (watch == NULL)
		return -ENOMEM;
	*watch = (struct loop_fd){.loop = loop, .fd = fd, .fn = fn, .arg = arg};
	event.data.ptr = watch;
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
		int error = errno;

		free(watch);
		return error == ENOMEM || error == ENOSPC ? -ENOMEM : -EINVAL;
	}
	*out = watch;
	return 0;
}

void loop_fd_set_events(struct loop_fd *watch, short events)
{
	struct epoll_event event = {.events = epoll_events(events), .data = {.ptr = watch}};

	if (watch->fn != NULL)
		epoll_ctl(watch->loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event);
}

void loop_fd_remove(struct loop_fd *watch)
{
	struct loop *loop;

	if (watch == NULL || watch->fn == NULL)
		return;
	loop = watch->loop;
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
	watch->fn = NULL;
	if (!loop->dispatching) {
		free(watch);
		return;
	}
	watch->next_dead = loop->dead; // this turn's list of events may still name it
	loop->dead = watch;
}

static void fds_dispatch(struct loop *loop)
{
	struct epoll_event events[LOOP_EVENTS_MAX];
	int count = epoll_wait(loop->epoll_fd, events, LOOP_EVENTS_MAX, 0);

	loop->dispatching = true;
	for (int i = 0; i < count; i++) {
		struct loop_fd *watch = events[i].data.ptr;

		if (watch->fn != NULL)
			watch->fn(watch->arg, watch->fd, poll_events(events[i].events));
	}
	loop->dispatching = false;
	while (loop->dead != NULL) {
		struct loop_fd *watch = loop->dead;

		loop->dead = watch->next_dead;
		free(watch);
	}
}

// --- signals ---

static void signals_read(void *arg, int fd, short revents)
{
	struct loop *loop = arg;
	struct signalfd_siginfo info;

	(void)revents;
	while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		const struct signal_slot *slot = &loop->slots[info.ssi_signo % LOOP_SIGNALS_MAX];

		if (slot->fn != NULL)
			slot->fn(slot->arg, (int)info.ssi_signo);
	}
}

int loop_signal_add(struct loop *loop, int signal, loop_signal_fn *fn, void *arg)
{
	sigset_t one;
	int fd;

	if (signal <= 0 || signal >= LOOP_SIGNALS_MAX || fn == NULL)
		return -EINVAL;
	sigemptyset(&one);
	sigaddset(&one, signal);
	sigaddset(&loop->signals, signal);
	fd = signalfd(loop->signal_fd, &loop->signals, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (loop->signal_fd < 0) {
		int error = loop_fd_add(loop, fd, POLLIN, signals_read, loop, &loop->signal_watch);

		if (error != 0) {
			close(fd);
			return error;
		}
		loop->signal_fd = fd;
	}
	loop->slots[signal] = (struct signal_slot){fn, arg};
	return sigprocmask(SIG_BLOCK, &one, NULL) < 0 ? -errno : 0;
}

// --- the library ---

static int lws_event(
	struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t in_size)
{
	(void)user;
	(void)in;
	(void)in_size;
	// The raw-file reason only: this protocol serves nothing but the epoll descriptor.
	if (reason == LWS_CALLBACK_RAW_RX_FILE) { // NOLINT
		struct loop *loop = lws_context_user(lws_get_context(wsi));

		loop->now_ms = clock_ms();
		fds_dispatch(loop);
	}
	return 0;
}

static const struct lws_protocols loop_protocols[] = {
	{.name = "loop", .callback = lws_event},
	{0},
};

// Errors only, which tell nothing of heads or messages. One call site, so that peers who make the
// library complain fill no disk: a line a second.
static void lws_log(int level, const char *line)
{
	const char *text = strstr(line, "E: "); // after the library's own time stamp
	size_t size;

	(void)level;
	text = text == NULL ? line : text + 3;
	size = strcspn(text, "\n");
	log_error("libwebsockets complains what=%.*s", (int)size, text);
}

static bool lws_start(struct loop *loop)
{
	struct lws_context_creation_info info = {0};
	struct lws_vhost *vhost;
	lws_sock_file_fd_type fd;

	lws_set_allocator(wiping_heap_realloc);
	lws_set_log_level(LLL_ERR, lws_log);
	info.port = CONTEXT_PORT_NO_LISTEN;
	info.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
	info.pt_serv_buf_size = LOOP_READ_SIZE;
	info.max_http_header_data = LOOP_HEAD_SIZE;
	info.user = loop;
	info.gid = (gid_t)-1;
	info.uid = (uid_t)-1;
	loop->lws = lws_create_context(&info);
	if (loop->lws == NULL)
		return false;
	info.options = 0; // no TLS here: it would load every certificate of the system
	info.protocols = loop_protocols;
	info.vhost_name = LOOP_VHOST;
	vhost = lws_create_vhost(loop->lws, &info);
	if (vhost == NULL)
		return false;
	// A duplicate, since the library closes what it was given.
	fd.filefd = fcntl(loop->epoll_fd, F_DUPFD_CLOEXEC, 3);
	if (fd.filefd < 0)
		return false;
	return lws_adopt_descriptor_vhost(vhost, LWS_ADOPT_RAW_FILE_DESC, fd, "loop", NULL) != NULL;
}

struct loop *loop_create(void)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (loop == NULL)
		return NULL;
	loop->signal_fd = -1;
	loop->timer_fd = -1;
	sigemptyset(&loop->signals);
	loop->now_ms = clock_ms();
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0)
		goto fail;
	loop->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (loop->timer_fd < 0)
		goto fail;
	if (loop_fd_add(loop, loop->timer_fd, POLLIN, timers_run, loop, &loop->timer_watch) != 0)
		goto fail;
	if (!lws_start(loop))
		goto fail;
	return loop;
fail:
	fprintf(stderr, "level=error area=loop what=\"cannot start the event loop\" errno=%d\n",
		errno);
	loop_destroy(loop);
	return NULL;
}

void loop_destroy(struct loop *loop)
{
	if (loop == NULL)
		return;
	if (loop->lws != NULL)
		lws_context_destroy(loop->lws);
	loop->lws = NULL;
	while (loop->exits != NULL) {
		struct loop_exit *exit = loop->exits;

		loop_exit_remove(loop, exit);
		exit->fn(exit->arg);
	}
	loop_fd_remove(loop->timer_watch);
	loop_fd_remove(loop->signal_watch);
	if (loop->signal_fd >= 0)
		close(loop->signal_fd);
	if (loop->timer_fd >= 0)
		close(loop->timer_fd);
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
	free(loop->heap);
	free(loop);
}

int loop_run(struct loop *loop)
{
	loop->stopping = false;
	while (!loop->stopping) {
		if (lws_service(loop->lws, 0) < 0)
			return -EIO;
		loop->now_ms = clock_ms();
	}
	return loop->status;
}

void loop_stop(struct loop *loop, int status)
{
	loop->stopping = true;
	loop->status = status;
	lws_cancel_service(loop->lws);
}

uint64_t loop_now_ms(const struct loop *loop)
{
	return loop->now_ms;
}

struct lws_context *loop_lws(struct loop *loop)
{
	return loop->lws;
}

void loop_tick(struct loop *loop)
{
	loop->now_ms = clock_ms();
}

void loop_exit_add(struct loop *loop, struct loop_exit *exit)
{
	exit->next = loop->exits;
	loop->exits = exit;
}

void loop_exit_remove(struct loop *loop, struct loop_exit *exit)
{
	for (struct loop_exit **at = &loop->exits; *at != NULL; at = &(*at)->next) {
		if (*at == exit) {
			*at = exit->next;
			return;
		}
	}
}
