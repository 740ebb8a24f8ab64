// SPDX-License-Identifier: BSD-3-Clause
//
// Stage 1, rx: packets that other workers handed over, then the device's. Every packet gets the
// view of its frame, or leaves here: the host's own traffic, malformed frames, packets of other
// workers.

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "api/dp_assert.h"
#include "proto/neighbor.h"
#include "stage/stages.h"
#include "worker/worker.h"

static unsigned take(struct worker *w, struct rte_mbuf **mbufs)
{
	struct rte_ring *ring = w->params.rings[w->params.index].rx;
	bool has_queue = w->params.rx_queue != WORKER_NO_QUEUE;
	unsigned handed = 0, received = 0;
	uint64_t bytes = 0;

	if (!rte_ring_empty(ring))
		handed = rte_ring_sc_dequeue_burst(
			ring, (void **)mbufs, has_queue ? DP_HANDED_MAX : DP_BURST_MAX, NULL);
	if (has_queue)
		received = rte_eth_rx_burst(w->params.port_id, w->params.rx_queue, mbufs + handed,
			(uint16_t)(DP_BURST_MAX - handed));
	for (unsigned i = handed; i < handed + received; i++)
		bytes += rte_pktmbuf_pkt_len(mbufs[i]);
	if (handed > 0)
		worker_count_add(w, DP_COUNTER_HANDED_IN, handed);
	if (received > 0) {
		worker_count_add(w, DP_COUNTER_RECEIVED, received);
		worker_count_add(w, DP_COUNTER_RECEIVED_BYTES, bytes);
	}
	return handed + received;
}

// The packet's worker is its port's. Software hand-over: the device could not steer.
static enum dp_verdict hand_over(struct worker *w, struct burst_packet *p)
{
	unsigned owner = p->from.target.port - w->params.host->first_port;

	DP_ASSERT_HOT(owner < w->params.worker_count);
	if (owner == w->params.index)
		return DP_OK;
	if (rte_ring_mp_enqueue(w->params.rings[owner].rx, p->mbuf) != 0)
		return DP_HANDOFF_FULL;
	p->mbuf = NULL;
	return DP_HANDED_OUT;
}

// The device is ours alone: we answer what a kernel would.
static void answer_neighbor(struct worker *w, struct burst_packet *p)
{
	uint32_t frame_size = rte_pktmbuf_data_len(p->mbuf);
	uint32_t size =
		neighbor_answer(rte_pktmbuf_mtod(p->mbuf, uint8_t *), frame_size, w->params.host);

	if (size == 0)
		return;
	rte_pktmbuf_trim(p->mbuf, (uint16_t)(frame_size - size));
	worker_count_add(w, DP_COUNTER_ORIGINATED, 1);
	tx_frame(w, p->mbuf);
	p->mbuf = NULL;
}

static enum dp_verdict view(struct worker *w, struct burst_packet *p)
{
	struct rte_mbuf *mbuf = p->mbuf;
	enum dp_verdict verdict;

	// A long frame of the host's own (a kernel's super-packet) is the host's, not a drop: what
	// it is stands in its first segment.
	verdict = udp_frame_parse(rte_pktmbuf_mtod(mbuf, const uint8_t *),
		rte_pktmbuf_data_len(mbuf), w->params.host, &p->from);
	if (verdict != DP_HOST && mbuf->nb_segs != 1)
		return DP_FRAME_SEGMENTS;
	// Not one that was cut on its way in, however long what is left of it: that is the
	// device's fault, not the sender's.
	if (verdict != DP_HOST && verdict != DP_FRAME_CUT &&
		rte_pktmbuf_data_len(mbuf) > DP_FRAME_SIZE_MAX)
		return DP_FRAME_LONG;
	if (verdict == DP_HOST && w->params.answers_neighbors && mbuf->nb_segs == 1)
		answer_neighbor(w, p);
	if (verdict != DP_OK)
		return verdict;
	p->pkt = rte_pktmbuf_mtod_offset(mbuf, uint8_t *, p->from.payload_offset);
	p->pkt_size = p->from.payload_size;
	return hand_over(w, p);
}

void rx_burst(struct worker *w, struct burst *b)
{
	struct rte_mbuf *mbufs[DP_BURST_MAX];

	DP_ASSERT(b->count == 0);
	b->rx_tsc = w->now_tsc;
	b->count = take(w, mbufs);
	for (unsigned i = 0; i < b->count; i++)
		rte_prefetch0(rte_pktmbuf_mtod(mbufs[i], const void *));
	for (unsigned i = 0; i < b->count; i++) {
		b->packet[i].mbuf = mbufs[i];
		b->packet[i].verdict = (uint8_t)view(w, &b->packet[i]);
	}
	burst_compact(w, b);
}
