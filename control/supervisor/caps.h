// SPDX-License-Identifier: BSD-3-Clause
//
// The capabilities that a device needs, checked before anything is touched. The supervisor keeps
// them; the dataplane gets them at its start and drops them once its port runs.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "supervisor/plan.h"

// Names the first missing capability of 'kind' with how to give it. 0 or -EPERM.
int caps_check(enum config_device_kind kind, char *error, size_t error_size)
	__attribute__((warn_unused_result));

// Is 'capability' (CAP_*) effective in this process?
bool caps_have(int capability);

// Raises the limit of locked memory as far as this process may: AF_XDP's packet memory is locked.
void caps_raise_memlock(void);
// May the dataplane lock as much as it likes?
bool caps_memlock_is_free(void);

// For the child, between fork and exec, not as root: passes on what this process holds, which exec
// would take away. 0 or -errno.
int caps_keep_over_exec(void) __attribute__((warn_unused_result));
