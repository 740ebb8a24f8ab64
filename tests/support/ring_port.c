// SPDX-License-Identifier: BSD-3-Clause
//
// See ring_port.h.

#include "support/ring_port.h"

#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <stdio.h>

#include "api/dp_assert.h"

static struct rte_ring *make_ring(const char *kind, uint32_t size)
{
	static unsigned serial;
	char name[RTE_RING_NAMESIZE];
	struct rte_ring *ring;

	snprintf(name, sizeof(name), "port_%s_%u", kind, serial++);
	ring = rte_ring_create(name, size, SOCKET_ID_ANY, 0);
	DP_ASSERT(ring != NULL);
	return ring;
}

void ring_port_create(
	struct node_queues *queues, uint32_t queue_count, uint32_t rx_size, uint32_t tx_size)
{
	static unsigned serial;
	struct rte_eth_conf conf = {0};
	struct rte_mempool *pool; // the rings' own mbufs are used; ethdev asks for one all the same
	char name[32];
	int port;

	DP_ASSERT(queue_count <= NODE_WORKERS_MAX);
	*queues = (struct node_queues){.queue_count = queue_count};
	for (uint32_t i = 0; i < queue_count; i++) {
		queues->rx[i] = make_ring("rx", rx_size);
		queues->tx[i] = make_ring("tx", tx_size);
	}
	snprintf(name, sizeof(name), "node%u", serial++);
	port = rte_eth_from_rings(name, queues->rx, queue_count, queues->tx, queue_count, 0);
	DP_ASSERT(port >= 0);
	queues->port_id = (uint16_t)port;
	pool = rte_pktmbuf_pool_create(name, 31, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	DP_ASSERT(pool != NULL);
	queues->setup_pool = pool;
	DP_ASSERT(rte_eth_dev_configure(queues->port_id, (uint16_t)queue_count,
			  (uint16_t)queue_count, &conf) == 0);
	for (uint16_t i = 0; i < queue_count; i++) {
		DP_ASSERT(rte_eth_rx_queue_setup(queues->port_id, i, 64, (unsigned)SOCKET_ID_ANY,
				  NULL, pool) == 0);
		DP_ASSERT(rte_eth_tx_queue_setup(
				  queues->port_id, i, 64, (unsigned)SOCKET_ID_ANY, NULL) == 0);
	}
	DP_ASSERT(rte_eth_dev_start(queues->port_id) == 0);
}

void ring_port_destroy(struct node_queues *queues)
{
	DP_ASSERT(rte_eth_dev_stop(queues->port_id) == 0);
	DP_ASSERT(rte_eth_dev_close(queues->port_id) == 0);
	for (uint32_t i = 0; i < queues->queue_count; i++) {
		DP_ASSERT(rte_ring_empty(queues->rx[i]) && rte_ring_empty(queues->tx[i]));
		rte_ring_free(queues->rx[i]);
		rte_ring_free(queues->tx[i]);
	}
	rte_mempool_free(queues->setup_pool);
	*queues = (struct node_queues){0};
}
