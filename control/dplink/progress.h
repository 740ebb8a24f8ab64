// SPDX-License-Identifier: BSD-3-Clause
//
// Reads the progress memfd (fd 4, api/dp_shm.h): which workers turn, what they counted, how near a
// session's key is to its end. The other process writes it, so its geometry is checked before use,
// and again whenever the packet engine came anew.
//
// Threads: the loop's only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/dp_shm.h"

#define PROGRESS_STALL_MS 1000u // a worker whose heartbeat stands still for longer does not turn

struct progress {
	int fd;
	struct dp_shm *shm; // NULL: nothing sound there yet
	uint64_t size;      // of the mapping
	struct progress_worker {
		uint64_t heartbeat, moved_ms; // last value, and when it was new
		bool has_moved;
		uint64_t busy_tsc, busy_at_ms; // sample of BUSY_TSC
		double busy_ratio;             // over the last second
	} worker[DP_WORKERS_MAX];
};

void progress_init(struct progress *progress, int fd);
void progress_fini(struct progress *progress);
// Maps what the dataplane made. 0, -ENODATA (nothing yet), -EPROTO (not ours), -errno.
int progress_map(struct progress *progress) __attribute__((warn_unused_result));

uint32_t progress_worker_count(const struct progress *progress);
const struct dp_worker_shm *progress_worker(const struct progress *progress, uint32_t worker);
uint64_t progress_counter(
	const struct progress *progress, uint32_t worker, enum dp_counter counter);
uint64_t progress_verdict(
	const struct progress *progress, uint32_t worker, enum dp_verdict verdict);

// Looks at the heartbeats; call at least every quarter of PROGRESS_STALL_MS.
void progress_sample(struct progress *progress, uint64_t now_ms);
bool progress_turns(const struct progress *progress, uint32_t worker, uint64_t now_ms);
bool progress_all_turn(const struct progress *progress, uint64_t now_ms);

// Nonces that the key still has; DP_NONCES_MAX where the engine has not begun with it.
uint32_t progress_nonces_left(const struct progress *progress, uint32_t worker, uint32_t session,
	uint32_t generation, uint32_t key_id);
// NULL: not (yet) known there.
const struct dp_guild_shm *progress_guild(
	const struct progress *progress, uint32_t worker, uint32_t guild, uint32_t generation);
