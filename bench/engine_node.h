// SPDX-License-Identifier: BSD-3-Clause
//
// Real workers without a machine around them: each has a net_null device of its own, which swallows
// what it sends, a pool of its own, and a hand-over ring by which its packets come. No device is
// shared, no main loop runs: who measures turns the crank.
//
// One node per process, because EAL is. Start and end on the main thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "field_shape.h"
#include "proto/udp_frame.h"
#include "worker/worker.h"

#define ENGINE_NODE_FIRST_PORT 50000u

struct engine_node {
	struct field_shape shape;
	unsigned worker_count;
	unsigned cpus[BENCH_WORKERS_MAX]; // where each runs
	struct worker *workers[BENCH_WORKERS_MAX];
	struct rte_mempool *pools[BENCH_WORKERS_MAX];
	uint16_t port_ids[BENCH_WORKERS_MAX];
	struct worker_rings rings[BENCH_WORKERS_MAX];
	struct dp_shm *shm;
	struct udp_frame_host host;
	bool stop, hugepages, started;
};

// 0, or -errno: the reason has been printed. The first worker is on the CPU that the caller runs
// on. On failure as well: engine_node_fini().
int engine_node_init(struct engine_node *n, const struct field_shape *shape, unsigned worker_count,
	bool small_pages) __attribute__((warn_unused_result));
void engine_node_fini(struct engine_node *n);
// The node as its clients see it; each worker has a port.
struct dp_addr engine_node_address(unsigned worker);
extern const uint8_t engine_node_mac[6];
