// SPDX-License-Identifier: BSD-3-Clause
//
// See rings.h.

#include "host/rings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_mbuf.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>

static int worker_create_rings(struct worker_rings *rings, unsigned worker, int socket)
{
	char name[32];

	snprintf(name, sizeof(name), "command_%u", worker);
	rings->command = rte_ring_create_elem(name, sizeof(union dp_msg), WORKER_COMMAND_RING_SIZE,
		socket, RING_F_SP_ENQ | RING_F_SC_DEQ);
	snprintf(name, sizeof(name), "event_%u", worker);
	rings->event = rte_ring_create_elem(name, sizeof(struct dp_ack), WORKER_EVENT_RING_SIZE,
		socket, RING_F_SP_ENQ | RING_F_SC_DEQ);
	// Every other worker puts into these three.
	snprintf(name, sizeof(name), "rx_%u", worker);
	rings->rx = rte_ring_create(name, DP_HANDOFF_MAX, socket, RING_F_SC_DEQ);
	snprintf(name, sizeof(name), "tx_%u", worker);
	rings->tx = rte_ring_create(name, DP_HANDOFF_MAX, socket, RING_F_SC_DEQ);
	snprintf(name, sizeof(name), "cross_%u", worker);
	rings->cross = rte_ring_create(name, DP_CROSS_MAX, socket, RING_F_SC_DEQ);
	if (rings->command == NULL || rings->event == NULL || rings->rx == NULL ||
		rings->tx == NULL || rings->cross == NULL)
		return -ENOMEM;
	return 0;
}

int rings_create(struct worker_rings *rings, unsigned worker_count, const int *sockets)
{
	memset(rings, 0, worker_count * sizeof(*rings));
	for (unsigned i = 0; i < worker_count; i++) {
		if (worker_create_rings(&rings[i], i, sockets[i]) != 0) {
			rings_destroy(rings, worker_count);
			return -ENOMEM;
		}
	}
	return 0;
}

static void packets_free(struct rte_ring *ring)
{
	void *packet;

	while (ring != NULL && rte_ring_dequeue(ring, &packet) == 0)
		rte_pktmbuf_free(packet);
	rte_ring_free(ring);
}

void rings_destroy(struct worker_rings *rings, unsigned worker_count)
{
	for (unsigned i = 0; i < worker_count; i++) {
		rte_ring_free(rings[i].command);
		rte_ring_free(rings[i].event);
		packets_free(rings[i].rx);
		packets_free(rings[i].tx);
		packets_free(rings[i].cross);
	}
	memset(rings, 0, worker_count * sizeof(*rings));
}
