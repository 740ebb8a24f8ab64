// SPDX-License-Identifier: BSD-3-Clause
//
// See privileges.h. Capabilities belong to threads, and DPDK has started some by now. Each drops
// its own in a signal handler, as libc does it for setuid(); then the kernel is asked whether it is
// true.

#include "host/privileges.h"

#include <dirent.h>
#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS_MAX 2000

static const char tasks_path[] = "/proc/self/task";

// Of the handler: threads that have dropped, and the first error.
static int dropped_count;
static int drop_error;

// Async-signal-safe: system calls only.
static int drop_own(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
		return -errno;
	// Needs CAP_SETPCAP, which a service that was given only what it needs does not have; with
	// no capability and NO_NEW_PRIVS there is nothing left to bound.
	for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
		(void)prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
	if (syscall(SYS_capset, &header, none) != 0)
		return -errno;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -errno;
	return 0;
}

static void on_signal(int number)
{
	int saved = errno;
	int err = drop_own();

	(void)number;
	if (err != 0)
		__atomic_store_n(&drop_error, err, __ATOMIC_RELAXED);
	__atomic_add_fetch(&dropped_count, 1, __ATOMIC_RELEASE);
	errno = saved;
}

// Calls 'visit' for each thread of this process; stops at the first that does not return 0.
static int threads_visit(int (*visit)(pid_t tid))
{
	DIR *folder = opendir(tasks_path);
	int err = 0;

	if (folder == NULL)
		return -errno;
	for (const struct dirent *entry; err == 0 && (entry = readdir(folder)) != NULL;) {
		pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (tid > 0)
			err = visit(tid);
	}
	closedir(folder);
	return err;
}

static int ask_thread(pid_t tid)
{
	int before = __atomic_load_n(&dropped_count, __ATOMIC_ACQUIRE);

	if (tid == (pid_t)syscall(SYS_gettid))
		return drop_own();
	if (syscall(SYS_tgkill, getpid(), tid, SIGRTMIN) != 0)
		return errno == ESRCH ? 0 : -errno; // it has just ended
	for (unsigned ms = 0; ms < WAIT_MS_MAX; ms++) {
		if (__atomic_load_n(&dropped_count, __ATOMIC_ACQUIRE) != before)
			return __atomic_load_n(&drop_error, __ATOMIC_RELAXED);
		(void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	return -ETIMEDOUT;
}

// CapInh, CapPrm, CapEff, CapAmb of a thread are all zero, and no exec will raise them.
static int check_thread(pid_t tid)
{
	char path[64], line[128];
	int err = 0;

	snprintf(path, sizeof(path), "%s/%d/status", tasks_path, (int)tid);
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return errno == ENOENT ? 0 : -errno;
	while (err == 0 && fgets(line, sizeof(line), file) != NULL) {
		const char *value = strchr(line, ':');

		if (value == NULL)
			continue;
		if (strncmp(line, "Cap", 3) == 0 && strncmp(line, "CapBnd", 6) != 0 &&
			strtoull(value + 1, NULL, 16) != 0)
			err = -EPERM;
		if (strncmp(line, "NoNewPrivs", 10) == 0 && strtoull(value + 1, NULL, 10) != 1)
			err = -EPERM;
	}
	fclose(file);
	return err;
}

int privileges_no_cores(void)
{
	struct rlimit none = {0, 0};

	return setrlimit(RLIMIT_CORE, &none) == 0 ? 0 : -errno;
}

int privileges_drop(char *why, size_t why_size)
{
	struct sigaction action, old;

	memset(&action, 0, sizeof(action));
	action.sa_handler = on_signal;
	action.sa_flags = SA_RESTART;
	if (sigaction(SIGRTMIN, &action, &old) != 0)
		return -errno;
	int err = threads_visit(ask_thread);
	if (err == 0)
		err = threads_visit(check_thread);
	// The handler stays until every thread is known to have run it.
	if (err == 0 && sigaction(SIGRTMIN, &old, NULL) != 0)
		err = -errno;
	if (err == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		err = -errno;
	if (err != 0)
		snprintf(why, why_size,
			"privileges could not be dropped (%s); media is not served with them",
			strerror(-err));
	return err;
}
