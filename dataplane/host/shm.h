// SPDX-License-Identifier: BSD-3-Clause
//
// The dataplane's side of the progress memfd (api/dp_shm.h): sizes it at first, keeps what is in it
// for a successor. Main thread, at start.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/dp_shm.h"

struct shm_geometry {
	uint32_t worker_count;
	uint32_t guild_count, session_count, leg_count; // slots per worker
};

// Maps 'fd' (DP_PROGRESS_FD). A file of this geometry keeps its contents and gets 'epoch'; one in
// which no dataplane ever ran starts with zeros. 'kept' says which. A file of another geometry or
// version is left as it is: it knows which nonces the keys of running calls have used, at places
// that we cannot read, and control may replay those keys to us.
// 0; -EBADF: no memory file; -ESTALE: of another geometry or version, or damaged; -ENOMEM, or what
// the kernel said. 'why' then says what was found, what is wanted, and the cure.
int shm_map(int fd, const struct shm_geometry *geometry, uint32_t epoch, uint64_t tsc_hz,
	struct dp_shm **out, bool *kept, char *why, size_t why_size)
	__attribute__((warn_unused_result));
void shm_unmap(struct dp_shm *shm); // NULL allowed
