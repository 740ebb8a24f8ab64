// SPDX-License-Identifier: BSD-3-Clause
//
// DPDK's runtime directory: one folder for each file prefix, which DPDK makes at its start and
// never removes. The two prefixes of an instance are the supervisor's to tidy; so is the operator
// socket of a control that had no time for it.
#pragma once

#include <stddef.h>

#define RUNTIME_PREFIX_FORMAT "voicenode_%s_%u" // the instance and 0 or 1; --file-prefix

// Where DPDK keeps the folders of a process of ours: "/var/run/dpdk".
void runtime_directory(char *path, size_t path_size);

// Removes both folders of 'instance' if they are there and empty, as they always are without shared
// memory; another's, or one with something in it, stays. The caller holds the instance's lock.
void runtime_clear(const char *instance);

// Removes the operator socket at 'path' of a control that was killed; one at which somebody
// answers, and what is no socket, stays.
void runtime_clear_socket(const char *path);
