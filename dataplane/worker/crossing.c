// SPDX-License-Identifier: BSD-3-Clause
//
// The rings between workers that have parts of one room.

#include "worker/crossing.h"

#include <rte_mbuf.h>
#include <rte_ring.h>

#include "api/dp_assert.h"
#include "worker/worker.h"

struct crossing *crossing_of(const struct rte_mbuf *mbuf)
{
	return (struct crossing *)(void *)((uint8_t *)mbuf->buf_addr + RTE_PKTMBUF_HEADROOM);
}

unsigned crossing_take(struct worker *w, struct rte_mbuf **mbufs, unsigned count)
{
	unsigned got = 0;

	if (rte_mempool_get_bulk(w->params.pool, (void **)mbufs, count) == 0)
		return count;
	while (got < count && rte_mempool_get(w->params.pool, (void **)&mbufs[got]) == 0)
		got++;
	worker_verdict_add(w, DP_NO_MBUF, count - got);
	return got;
}

void crossing_send(struct worker *w, unsigned peer, struct rte_mbuf **mbufs, unsigned count)
{
	unsigned sent;

	DP_ASSERT_HOT(peer != w->params.index);
	sent = rte_ring_mp_enqueue_burst(
		w->params.rings[peer].cross, (void *const *)mbufs, count, NULL);
	worker_count_add(w, DP_COUNTER_CROSSED_OUT, sent);
	if (sent < count) {
		worker_verdict_add(w, DP_CROSS_FULL, count - sent);
		rte_pktmbuf_free_bulk(mbufs + sent, count - sent);
	}
}

void crossing_tell(struct worker *w, uint64_t peers, const struct crossing *what)
{
	for (; peers != 0; peers &= peers - 1) {
		struct rte_mbuf *mbuf;

		worker_count_add(w, DP_COUNTER_ORIGINATED, 1);
		if (crossing_take(w, &mbuf, 1) == 0)
			continue;
		*crossing_of(mbuf) = *what;
		crossing_send(w, (unsigned)__builtin_ctzll(peers), &mbuf, 1);
	}
}
