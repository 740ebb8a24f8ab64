// SPDX-License-Identifier: BSD-3-Clause
//
// One child process of the supervisor (or of the demo): started with exactly the descriptors it is
// to have, killed when we die, in a process group of its own so that Ctrl-C reaches only us.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CHILD_FDS_MAX 19 // link, progress, intent, and a socket for each of voice.listen

struct child {
	const char *name; // of the program, for logs
	pid_t pid;        // 0: not running
	int pidfd;
	int status;          // of wait(), once it died
	uint64_t started_ms; // monotonic
};

struct child_options {
	int fds[CHILD_FDS_MAX]; // become 3, 4, ... ; all others but 0 to 2 are closed
	unsigned fd_count;
	int stdout_fd, stderr_fd; // 0: ours
	int netns_fd;             // enters this network namespace; 0: stays
	bool keep_caps;           // not as root: passes on our capabilities
};

// Starts 'path' with 'argv'. 0 or -errno. A failure after fork() shows as exit status 127, with one
// line on stderr.
int child_start(struct child *child, const char *path, char *const argv[],
	const struct child_options *options) __attribute__((warn_unused_result));

// Collects the child if it has ended: true, and child->status is set, child->pid is 0.
bool child_reap(struct child *child);

#define CHILD_HURRY_MS 1000 // so soon a second signal is the same wish: `timeout` sends two

// SIGTERM, and SIGKILL after 'patience_ms' or when 'hurry_fd' (a signalfd; -1: never) becomes
// readable, not before CHILD_HURRY_MS. Returns when it is collected. Allowed when not running.
void child_stop(struct child *child, uint32_t patience_ms, int hurry_fd);

// "exit status 3" or "signal 9 (Killed)".
void child_describe_end(int status, char *text, unsigned text_size);

// Monotonic milliseconds.
uint64_t child_now_ms(void);

// Finds 'program' beside this executable or where the build puts it; with VOICENODE_LIBEXEC in that
// folder only. 0 or -ENOENT.
int child_find_program(const char *program, char *path, unsigned path_size)
	__attribute__((warn_unused_result));
