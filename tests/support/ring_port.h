// SPDX-License-Identifier: BSD-3-Clause
//
// A DPDK port whose queues are rings (net_ring): what a test puts into one is received, what was
// sent stands in another, and a full one is a device that takes no more.
#pragma once

#include <stdint.h>

#include "support/node.h"

// Makes and starts the port, with rings of 'size' packets (a power of two, less one that rte_ring
// keeps). EAL runs. Dies on failure.
void ring_port_create(
	struct node_queues *queues, uint32_t queue_count, uint32_t rx_size, uint32_t tx_size);
// Every ring is empty.
void ring_port_destroy(struct node_queues *queues);
