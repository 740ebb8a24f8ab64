// SPDX-License-Identifier: BSD-3-Clause
//
// What the packet path may not ask for, counted on this thread while it is armed: memory (malloc
// and its kin, DPDK's heap), locks of the C library, system calls. A test that links this
// interposes all of them, in every library of the process. System calls are caught by the kernel
// (syscall user dispatch, Linux 5.11), whoever makes them and however; locks that are inlined, as
// DPDK's spinlocks, are not seen.
#pragma once

#include <stdbool.h>

struct forbid_count {
	unsigned allocations; // and frees
	unsigned locks;       // taken, waited for or given back
	unsigned system_calls;
	const char *first; // that was called of the former two; NULL
	long first_system_call;
};

// Before the first forbid_begin(). False: the kernel cannot catch system calls, all else is
// counted.
bool forbid_init(void);
// No calls of cmocka between the two.
void forbid_begin(void);
void forbid_end(struct forbid_count *count); // is added to
