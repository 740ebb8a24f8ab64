// SPDX-License-Identifier: BSD-3-Clause
//
// The one DPDK port of a node: probed, given a queue pair per worker as far as it has them,
// started. Also the packet pools, one per worker, since a port's queues are filled from them. Main
// thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/device.h"
#include "host/steer.h"
#include "proto/udp_frame.h"
#include "worker/worker.h"

struct rte_eth_dev_info;

struct port_params {
	const struct device_spec *device;
	uint16_t worker_count;
	const int *sockets; // NUMA socket of each worker
	uint32_t mbufs;     // per worker
	enum steer_mode steering;
	const struct dp_addr *addresses;
	uint32_t address_count;
	uint16_t first_port; // of worker 0, host order
};

struct port {
	struct port_params params;
	uint16_t id; // DPDK's
	bool probed, started;
	uint16_t queue_count;      // pairs; the first workers have them
	uint16_t rx_size, tx_size; // descriptors of a queue
	char driver[32];
	enum steer_spread spread;
	uint16_t table_size; // of the NIC's redirection table; 0: none
	enum steer_rung steering;
	struct udp_frame_host host;
	struct rte_mempool *pools[DP_WORKERS_MAX];
};

// 0; -EBUSY when an AF_XDP queue may still belong to a process that is just dying: worth another
// try, in a fresh process (DPDK cannot try again on the same port); -ENOBUFS when the packet
// buffers do not fit in memory, which no other device would change; else -errno. One sentence in
// 'why'; port_stop() and port_destroy() are due even after a failure.
int port_create(struct port *port, const struct port_params *params, char *why, size_t why_size)
	__attribute__((warn_unused_result));

// After the workers have ended.
void port_stop(struct port *port);
// Not for AF_XDP: closing that port would detach the supervisor's XDP program.
void port_destroy(struct port *port);

// Queues of worker 'worker', or WORKER_NO_QUEUE; tx_owner: who sends for it.
void port_queues(const struct port *port, uint16_t worker, struct worker_params *out);
