// SPDX-License-Identifier: BSD-3-Clause
//
// See child.h.
#include "supervisor/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "supervisor/caps.h"

#define CHILD_FD_FIRST 3
#define CHILD_FD_SAFE 64 // above every descriptor that a child is to have
#define CHILD_EXEC_FAILED 127

uint64_t child_now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

// Puts the descriptors where the child expects them and closes the rest. 0 or -1 with errno.
static int arrange_fds(const struct child_options *options)
{
	int safe[CHILD_FDS_MAX];
	int out = options->stdout_fd > 0 ? options->stdout_fd : STDOUT_FILENO;
	int err = options->stderr_fd > 0 ? options->stderr_fd : STDERR_FILENO;

	// First out of the way of each other, then to their places.
	for (unsigned i = 0; i < options->fd_count; i++) {
		safe[i] = fcntl(options->fds[i], F_DUPFD_CLOEXEC, CHILD_FD_SAFE);
		if (safe[i] < 0)
			return -1;
	}
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int out_safe = fcntl(out, F_DUPFD_CLOEXEC, CHILD_FD_SAFE);
	int err_safe = fcntl(err, F_DUPFD_CLOEXEC, CHILD_FD_SAFE);
	if (null < 0 || out_safe < 0 || err_safe < 0)
		return -1;
	if (dup2(null, STDIN_FILENO) < 0 || dup2(out_safe, STDOUT_FILENO) < 0 ||
		dup2(err_safe, STDERR_FILENO) < 0)
		return -1;
	for (unsigned i = 0; i < options->fd_count; i++) {
		if (dup2(safe[i], CHILD_FD_FIRST + (int)i) < 0)
			return -1;
	}
	return close_range(CHILD_FD_FIRST + options->fd_count, ~0u, 0);
}

__attribute__((noreturn)) static void run_child(
	const char *path, char *const argv[], const struct child_options *options, pid_t parent)
{
	sigset_t none;
	struct sigaction fall_back = {.sa_handler = SIG_DFL};

	sigemptyset(&none);
	for (int signal = 1; signal < NSIG; signal++)
		(void)sigaction(signal, &fall_back, NULL);
	(void)setpgid(0, 0);
	if (options->netns_fd > 0 && setns(options->netns_fd, CLONE_NEWNET) != 0)
		goto fail;
	if (options->keep_caps && caps_keep_over_exec() < 0)
		goto fail;
	if (arrange_fds(options) != 0 || sigprocmask(SIG_SETMASK, &none, NULL) != 0)
		goto fail;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		goto fail;
	if (getppid() != parent) // it died before prctl(): nobody would ever kill us
		_exit(CHILD_EXEC_FAILED);
	execv(path, argv);
fail:
	dprintf(STDERR_FILENO, "%s: cannot be started: %s\n", path, strerror(errno));
	_exit(CHILD_EXEC_FAILED);
}

int child_start(struct child *child, const char *path, char *const argv[],
	const struct child_options *options)
{
	pid_t parent = getpid();

	(void)fflush(NULL);
	pid_t pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		run_child(path, argv, options, parent);
	(void)setpgid(pid, pid); // whoever comes first
	child->pid = pid;
	child->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	child->started_ms = child_now_ms();
	if (child->pidfd < 0) {
		int err = errno;
		child_stop(child, 0, -1);
		return -err;
	}
	return 0;
}

static void collected(struct child *child, int status)
{
	child->status = status;
	child->pid = 0;
	if (child->pidfd >= 0)
		close(child->pidfd);
	child->pidfd = -1;
}

bool child_reap(struct child *child)
{
	int status = 0;

	if (child->pid == 0 || waitpid(child->pid, &status, WNOHANG) != child->pid)
		return false;
	collected(child, status);
	return true;
}

static void signal_take(int fd)
{
	struct signalfd_siginfo info;

	(void)!read(fd, &info, sizeof(info));
}

void child_stop(struct child *child, uint32_t patience_ms, int hurry_fd)
{
	int status = 0;

	if (child->pid == 0)
		return;
	(void)kill(child->pid, SIGTERM);
	uint64_t start_ms = child_now_ms(), deadline_ms = start_ms + patience_ms;
	while (!child_reap(child)) {
		struct pollfd fds[] = {
			{.fd = child->pidfd, .events = POLLIN}, {.fd = hurry_fd, .events = POLLIN}};
		uint64_t now_ms = child_now_ms();
		if (now_ms < deadline_ms) {
			(void)poll(fds, 2, (int)(deadline_ms - now_ms));
			if (fds[1].revents == 0)
				continue;
			if (child_now_ms() - start_ms < CHILD_HURRY_MS) {
				signal_take(hurry_fd);
				continue;
			}
		}
		(void)kill(child->pid, SIGKILL);
		while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
			continue;
		collected(child, status);
		return;
	}
}

void child_describe_end(int status, char *text, unsigned text_size)
{
	if (WIFSIGNALED(status))
		snprintf(text, text_size, "signal %d (%s)", WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	else
		snprintf(text, text_size, "exit status %d", WEXITSTATUS(status));
}

int child_find_program(const char *program, char *path, unsigned path_size)
{
	// Installed: all in one folder. In the build tree: where meson puts each.
	static const char *const places[] = {".", "..", "../gateway", "../../dataplane",
		"../../control", "../../control/gateway", "../../bench/load", "../../control/cli",
		"../dataplane", "gateway", "../bench/load", "../dataplane/host",
		"../../dataplane/host", "../node", "../../control/node"};
	const char *libexec = getenv("VOICENODE_LIBEXEC");
	char self[PATH_MAX];

	if (libexec != NULL && libexec[0] != 0) {
		int n = snprintf(path, path_size, "%s/%s", libexec, program);
		return n > 0 && (unsigned)n < path_size && access(path, X_OK) == 0 ? 0 : -ENOENT;
	}
	ssize_t size = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (size < 0)
		return -ENOENT;
	self[size] = 0;
	char *slash = strrchr(self, '/');
	if (slash == NULL)
		return -ENOENT;
	*slash = 0;
	for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int n = snprintf(path, path_size, "%s/%s/%s", self, places[i], program);
		if (n > 0 && (unsigned)n < path_size && access(path, X_OK) == 0)
			return 0;
	}
	return -ENOENT;
}
