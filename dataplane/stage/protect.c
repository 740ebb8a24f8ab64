// SPDX-License-Identifier: BSD-3-Clause
//
// Stage 8, protect: the frame's headers, the clear header and the sealed payload of every job,
// grouped by suite. A nonce is taken once and never given back, whatever becomes of the packet.

#include <rte_mbuf.h>
#include <string.h>

#include "api/dp_assert.h"
#include "crypto/iv.h"
#include "crypto/suite.h"
#include "session/receiver.h"
#include "stage/stages.h"
#include "worker/worker.h"

// Lays out the job's frame and its seal job. False: the key has no nonce left.
static bool prepare(struct worker *w, struct wave_job *job, struct seal_job *seal)
{
	struct receiver *r = &w->receivers[job->receiver];
	uint16_t rtp_size = (uint16_t)(job->header_size + job->payload_size + DP_RTPSIZE_OVERHEAD);
	uint8_t *frame, *rtp, suffix[DP_RTPSIZE_SUFFIX_SIZE];

	if (!nonce_take(&r->nonces, suffix))
		return false;
	iv_rtpsize(seal->iv, suffix);
	frame = (uint8_t *)rte_pktmbuf_append(job->mbuf, (uint16_t)(r->headers.size + rtp_size));
	DP_ASSERT_HOT(frame != NULL); // pool data rooms hold DP_FRAME_SIZE_MAX
	udp_template_finish(&r->headers, frame, rtp_size);
	rtp = frame + r->headers.size;
	memcpy(rtp, job->header, job->header_size);
	seal->key = &r->key;
	seal->src = job->payload;
	seal->src_size = job->payload_size;
	seal->dst = rtp + job->header_size;
	seal->aad = job->header;
	seal->aad_size = job->header_size;
	return true;
}

static void seal_suite(struct worker *w, struct wave *out, unsigned suite)
{
	struct seal_job *batch[DP_WAVE_MAX];
	unsigned count = 0;

	for (unsigned i = 0; i < out->count; i++) {
		if (out->job[i].suite == suite)
			batch[count++] = &out->seal[i];
	}
	if (count > 0)
		suite_get(suite)->seal(w->crypto, batch, count);
}

void protect_wave(struct worker *w, struct wave *out)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < out->count; i++) {
		if (!prepare(w, &out->job[i], &out->seal[kept])) {
			rte_pktmbuf_free(out->job[i].mbuf);
			worker_verdict_add(w, DP_NONCE_SPENT, 1);
			continue;
		}
		if (kept != i) {
			out->job[kept] = out->job[i];
			// The seal job reads the header where it now stands.
			out->seal[kept].aad = out->job[kept].header;
		}
		kept++;
	}
	out->count = kept;
	for (unsigned suite = DP_SUITE_NONE + 1; suite <= DP_SUITE_RTPSIZE_LAST; suite++)
		seal_suite(w, out, suite);
	for (unsigned i = 0; i < out->count; i++) {
		struct receiver *r = &w->receivers[out->job[i].receiver];

		if (r->headers.size == UDP6_FRAME_SIZE)
			udp6_checksum_fill(rte_pktmbuf_mtod(out->job[i].mbuf, uint8_t *),
				(uint16_t)(rte_pktmbuf_data_len(out->job[i].mbuf) -
					   UDP6_FRAME_SIZE));
	}
}
