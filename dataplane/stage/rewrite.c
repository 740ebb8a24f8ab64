// SPDX-License-Identifier: BSD-3-Clause
//
// Stage 7, rewrite: every job gets its receiver's clear header and a fresh mbuf with the frame
// around it. The payload is not copied: protect seals it from the burst's packet straight into the
// mbuf.

#include <rte_mbuf.h>
#include <string.h>

#include "api/dp_assert.h"
#include "session/receiver.h"
#include "session/session.h"
#include "stage/stages.h"
#include "worker/worker.h"

static_assert(DP_RTP_HEADER_SIZE_MAX == sizeof(((struct wave_job *)0)->header),
	"the longest clear header fits a job");

// Header of a media job. Returns false when the copy would not fit an IP packet.
static bool build_header(const struct worker *w, const struct burst_packet *p, struct wave_job *job)
{
	const struct receiver *r = &w->receivers[job->receiver];

	job->header_size = (uint16_t)rtp_build(
		job->header, &p->rtp, DP_OPUS_PAYLOAD_TYPE, job->seq, p->rtp.ssrc);
	job->payload = p->pkt + p->rtp.clear_size;
	job->payload_size = (uint16_t)p->clear_size;
	return r->headers.size - ETH_HDR_SIZE + job->header_size + job->payload_size +
		       DP_RTPSIZE_OVERHEAD <=
	       DP_IP_PACKET_SIZE_MAX;
}

// The pool may hold fewer than asked for; the rest of the wave is then not sent.
static unsigned take_mbufs(struct worker *w, struct rte_mbuf **mbufs, unsigned count)
{
	unsigned got = 0;

	if (rte_pktmbuf_alloc_bulk(w->params.pool, mbufs, count) == 0)
		return count;
	while (got < count && (mbufs[got] = rte_pktmbuf_alloc(w->params.pool)) != NULL)
		got++;
	worker_verdict_add(w, DP_NO_MBUF, count - got);
	return got;
}

void rewrite_wave(struct worker *w, const struct burst *b, struct wave *out)
{
	struct rte_mbuf *mbufs[DP_WAVE_MAX];
	unsigned kept = 0;

	DP_ASSERT(out->count <= DP_WAVE_MAX);
	for (unsigned i = 0; i < out->count; i++) {
		if (!build_header(w, &b->packet[out->job[i].in], &out->job[i])) {
			worker_verdict_add(w, DP_TOO_LONG, 1);
			continue;
		}
		if (kept != i)
			out->job[kept] = out->job[i];
		kept++;
	}
	out->count = take_mbufs(w, mbufs, kept);
	for (unsigned i = 0; i < out->count; i++)
		out->job[i].mbuf = mbufs[i];
}
