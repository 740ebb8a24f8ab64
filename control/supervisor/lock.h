// SPDX-License-Identifier: BSD-3-Clause
//
// What must be one per machine: an instance, an interface's steering program, a media port. The
// kernel gives all of them back when the supervisor dies, however it dies.
#pragma once

#include <stddef.h>

#include "supervisor/plan.h"

// The directory of lock files, made if it is missing: VOICENODE_RUNTIME_DIR, or /run/voicenode.
const char *lock_directory(void);

// Locks 'name' (".lock" is added) for the life of the returned descriptor, and writes our pid into
// it.
// >= 0, or -EWOULDBLOCK with the holder's pid in *holder (0: unknown), or -errno.
int lock_take(const char *name, int *holder) __attribute__((warn_unused_result));

// Gives back the lock 'name' and removes its file. *fd becomes -1; < 0: allowed, nothing to do.
void lock_release(const char *name, int *fd);

// Reserves every media port of every address with a socket that is never read. Fills 'fds', one per
// address and port. Returns how many, or -errno with one sentence in 'why'.
int ports_reserve(const struct node_plan *plan, int *fds, unsigned fds_max, char *why,
	size_t why_size) __attribute__((warn_unused_result));
