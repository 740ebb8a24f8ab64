// SPDX-License-Identifier: BSD-3-Clause
//
// The dataplane's side of the progress memfd (api/dp_shm.h): sizes it at first, keeps what is in it
// for a successor. Main thread, at start.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/dp_shm.h"

struct shm_geometry {
	uint32_t worker_count;
	uint32_t guild_count, session_count, leg_count; // slots per worker
};

// Maps 'fd' (DP_PROGRESS_FD). A file of this geometry keeps its contents and gets 'epoch'; an empty
// one, or one of another geometry, starts over with zeros. 'kept' says which.
// 0; -EBADF when it is no memory file; -ENOMEM, or what the kernel said.
int shm_map(int fd, const struct shm_geometry *geometry, uint32_t epoch, uint64_t tsc_hz,
	struct dp_shm **out, bool *kept) __attribute__((warn_unused_result));
void shm_unmap(struct dp_shm *shm); // NULL allowed
