// SPDX-License-Identifier: BSD-3-Clause
//
// The rings between the threads (worker/worker.h: struct worker_rings): made before the workers,
// taken down after them. Main thread.
#pragma once

#include "worker/worker.h"

// 'sockets': NUMA socket of each worker. 0 or -ENOMEM; nothing is left behind then.
int rings_create(struct worker_rings *rings, unsigned worker_count, const int *sockets)
	__attribute__((warn_unused_result));
// Gives packets that were still under way back to their pools.
void rings_destroy(struct worker_rings *rings, unsigned worker_count);
