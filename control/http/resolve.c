// SPDX-License-Identifier: BSD-3-Clause
//
// The lookups of resolve.h. The answer is one datagram: it is there whole, or it never comes.
#include "http/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/loop.h"

struct resolve {
	struct loop_fd *watch;
	int fd;
	resolve_fn *fn;
	void *arg;
};

// The thread's own.
struct lookup {
	int fd;
	char host[];
};

// Of the process, as threads are.
static atomic_uint threads;

static void answer_fill(struct resolve_answer *answer, const char *host, int flags)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags};
	struct addrinfo *list = NULL;

	memset(answer, 0, sizeof(*answer));
	answer->error = getaddrinfo(host, NULL, &hints, &list);
	if (answer->error != 0)
		return;
	for (const struct addrinfo *at = list; at != NULL; at = at->ai_next)
		if (answer->count < RESOLVE_ADDRESSES_MAX &&
			getnameinfo(at->ai_addr, at->ai_addrlen, answer->address[answer->count],
				sizeof(answer->address[0]), NULL, 0, NI_NUMERICHOST) == 0)
			answer->count++;
	freeaddrinfo(list);
	if (answer->count == 0)
		answer->error = EAI_NONAME;
}

int resolve_literal(const char *host, struct resolve_answer *answer)
{
	answer_fill(answer, host, AI_NUMERICHOST);
	return answer->error == 0 ? 0 : -EINVAL;
}

static void *lookup_run(void *arg)
{
	struct lookup *lookup = arg;
	struct resolve_answer answer;

	answer_fill(&answer, lookup->host, 0);
	(void)!send(lookup->fd, &answer, sizeof(answer), MSG_NOSIGNAL); // or nobody waits
	close(lookup->fd);
	free(lookup);
	atomic_fetch_sub(&threads, 1);
	return NULL;
}

// Takes over 'lookup'.
static int thread_start(struct lookup *lookup)
{
	pthread_attr_t attr;
	sigset_t all, before;
	pthread_t thread;
	int error = pthread_attr_init(&attr);

	if (error != 0)
		return -error;
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	sigfillset(&all); // signals are the loop's
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&thread, &attr, lookup_run, lookup);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return -error;
}

static void answered(void *arg, int fd, short revents)
{
	struct resolve *resolve = arg;
	resolve_fn *fn = resolve->fn;
	void *fn_arg = resolve->arg;
	struct resolve_answer answer;
	ssize_t got = recv(fd, &answer, sizeof(answer), MSG_DONTWAIT);

	(void)revents;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got != (ssize_t)sizeof(answer)) // the thread had no memory to send it
		answer = (struct resolve_answer){.error = EAI_MEMORY};
	resolve_cancel(resolve);
	fn(fn_arg, &answer);
}

static int lookup_begin(const char *host, int fd)
{
	size_t host_size = strlen(host) + 1;
	struct lookup *lookup = malloc(sizeof(*lookup) + host_size);
	int error = -ENOMEM;

	if (lookup != NULL) {
		lookup->fd = fd;
		memcpy(lookup->host, host, host_size);
		error = thread_start(lookup);
	}
	if (error != 0)
		free(lookup);
	return error;
}

int resolve_begin(
	struct loop *loop, const char *host, resolve_fn *fn, void *arg, struct resolve **out)
{
	struct resolve *resolve = malloc(sizeof(*resolve));
	int fds[2], error;

	if (resolve == NULL)
		return -ENOMEM;
	error = -EAGAIN;
	if (atomic_fetch_add(&threads, 1) >= RESOLVE_THREADS_MAX)
		goto fail;
	error = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0 ? -errno : 0;
	if (error != 0)
		goto fail;
	*resolve = (struct resolve){.fd = fds[0], .fn = fn, .arg = arg};
	error = loop_fd_add(loop, fds[0], POLLIN, answered, resolve, &resolve->watch);
	if (error == 0)
		error = lookup_begin(host, fds[1]);
	if (error == 0) {
		*out = resolve;
		return 0;
	}
	loop_fd_remove(resolve->watch);
	close(fds[0]);
	close(fds[1]);
fail:
	atomic_fetch_sub(&threads, 1);
	free(resolve);
	return error;
}

void resolve_cancel(struct resolve *resolve)
{
	if (resolve == NULL)
		return;
	loop_fd_remove(resolve->watch);
	close(resolve->fd);
	free(resolve);
}
