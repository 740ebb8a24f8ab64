// SPDX-License-Identifier: BSD-3-Clause
//
// What the packet engine may do once its port runs: nothing. It reads strangers' bytes with users'
// keys in its memory, so everything that starting needed is given up. Main thread.
#pragma once

#include <stddef.h>

// Before keys can arrive: no core dumps. 0 or -errno.
int privileges_no_cores(void) __attribute__((warn_unused_result));

// Drops every capability (ambient, bounding, inheritable, permitted, effective) of every thread,
// for good, and the right of others to look into this process. The user stays the same. 0; -EPERM
// when a thread kept something; -ETIMEDOUT when one did not listen; else -errno. One sentence in
// 'why'.
int privileges_drop(char *why, size_t why_size) __attribute__((warn_unused_result));
