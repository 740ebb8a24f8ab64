// SPDX-License-Identifier: BSD-3-Clause
//
// Stage 9, tx: finished frames to the device. A worker without a tx queue of its own puts them into
// the ring of the worker that has one, which sends them in its next turn.

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "api/dp_assert.h"
#include "stage/stages.h"
#include "worker/worker.h"

// What is not taken is freed and counted. 'bytes' of all frames.
static void send_frames(struct worker *w, struct rte_mbuf **frames, unsigned count, uint64_t bytes)
{
	unsigned sent;

	if (w->params.tx_queue == WORKER_NO_QUEUE) {
		sent = rte_ring_mp_enqueue_burst(
			w->params.rings[w->params.tx_owner].tx, (void *const *)frames, count, NULL);
		worker_count_add(w, DP_COUNTER_TX_HANDED_OUT, sent);
	} else {
		sent = rte_eth_tx_burst(
			w->params.port_id, w->params.tx_queue, frames, (uint16_t)count);
		for (unsigned i = sent; i < count; i++)
			bytes -= rte_pktmbuf_pkt_len(frames[i]);
		worker_count_add(w, DP_COUNTER_SENT, sent);
		worker_count_add(w, DP_COUNTER_SENT_BYTES, bytes);
	}
	if (sent < count) {
		worker_verdict_add(w, DP_TX_FULL, count - sent);
		rte_pktmbuf_free_bulk(frames + sent, count - sent);
	}
}

unsigned tx_relay(struct worker *w)
{
	struct rte_ring *ring = w->params.rings[w->params.index].tx;
	struct rte_mbuf *frames[DP_WAVE_MAX];
	unsigned total = 0, count = 1;
	uint64_t bytes = 0;

	// All of it: the others fan out, so that 32 a turn would never be enough.
	while (count > 0 && total < DP_HANDOFF_MAX && !rte_ring_empty(ring)) {
		DP_ASSERT(w->params.tx_queue != WORKER_NO_QUEUE);
		count = rte_ring_sc_dequeue_burst(ring, (void **)frames, DP_WAVE_MAX, NULL);
		worker_count_add(w, DP_COUNTER_TX_HANDED_IN, count);
		for (unsigned i = 0; i < count; i++)
			bytes += rte_pktmbuf_pkt_len(frames[i]);
		send_frames(w, frames, count, bytes);
		bytes = 0;
		total += count;
	}
	return total;
}

void tx_frame(struct worker *w, struct rte_mbuf *frame)
{
	send_frames(w, &frame, 1, rte_pktmbuf_pkt_len(frame));
}

void tx_answer(struct worker *w, struct burst_packet *p)
{
	struct rte_mbuf *mbuf = p->mbuf;
	struct udp_template headers;
	uint8_t *frame;

	// The answer's headers stand directly before the payload, over the end of the question's.
	udp_template_build(&headers, w->params.host->mac, p->from.source_mac, &p->from.target,
		&p->from.source, 0);
	DP_ASSERT_HOT(p->from.payload_offset >= headers.size);
	rte_pktmbuf_adj(mbuf, (uint16_t)(p->from.payload_offset - headers.size));
	rte_pktmbuf_trim(mbuf, (uint16_t)(rte_pktmbuf_data_len(mbuf) - headers.size - p->pkt_size));
	frame = rte_pktmbuf_mtod(mbuf, uint8_t *);
	udp_template_finish(&headers, frame, p->pkt_size);
	if (headers.size == UDP6_FRAME_SIZE)
		udp6_checksum_fill(frame, p->pkt_size);
	p->mbuf = NULL;
	worker_count_add(w, DP_COUNTER_ORIGINATED, 1);
	tx_frame(w, mbuf);
}

// Bucket of the latency histogram: below 2^n microseconds.
static void count_latency(struct worker *w, uint64_t rx_tsc)
{
	uint64_t us = (rte_rdtsc() - rx_tsc) * 1000000 / w->tsc_hz;
	unsigned bucket = us == 0 ? 0 : 64 - (unsigned)__builtin_clzll(us);

	if (bucket >= DP_LATENCY_BUCKETS)
		bucket = DP_LATENCY_BUCKETS - 1;
	w->shm->latency[bucket]++;
}

void tx_wave(struct worker *w, struct wave *out)
{
	if (out->count == 0)
		return;
	send_frames(w, out->mbuf, out->count, out->bytes);
	out->count = 0;
	count_latency(w, w->burst.rx_tsc);
}
