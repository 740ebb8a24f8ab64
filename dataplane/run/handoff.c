// SPDX-License-Identifier: BSD-3-Clause
//
// See handoff.h. Reads nothing that the turn does not read anyway: whether a ring is empty stands
// in the same two lines.

#include "run/handoff.h"

#include <rte_ring.h>

#include "worker/worker.h"

static void watch(
	struct worker *w, const struct rte_ring *ring, enum dp_counter congested, uint32_t *peak)
{
	uint32_t count = rte_ring_count(ring);

	if (count > *peak)
		__atomic_store_n(peak, count, __ATOMIC_RELAXED);
	if ((uint64_t)count * HANDOFF_CONGESTED_DEN >=
		(uint64_t)rte_ring_get_capacity(ring) * HANDOFF_CONGESTED_NUM)
		worker_count_add(w, congested, 1);
}

void handoff_watch(struct worker *w)
{
	const struct worker_rings *rings = &w->params.rings[w->params.index];

	watch(w, rings->rx, DP_COUNTER_RX_CONGESTED, &w->shm->rx_handoff_peak);
	watch(w, rings->tx, DP_COUNTER_TX_CONGESTED, &w->shm->tx_handoff_peak);
}
