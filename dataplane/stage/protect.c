// SPDX-License-Identifier: BSD-3-Clause
//
// Stage 8, protect: the payload of every job, sealed with its receiver's key, grouped by suite. A
// nonce is taken once and never given back, whatever becomes of the packet.

#include <rte_mbuf.h>

#include "api/dp_assert.h"
#include "crypto/iv.h"
#include "crypto/suite.h"
#include "session/receiver.h"
#include "stage/stages.h"
#include "worker/worker.h"

// Jobs between two looks ahead. The library loads little: while it works, what the next wave needs
// can come; asked for all at once, it would wait for the core's few outstanding misses. The sealer
// wants the whole wave: a call of it that is short loses more than that.
#define SEAL_STEP 4u

// The job's nonce. False: the key has none left.
static inline bool number(struct worker *w, const struct wave_job *job, struct seal_job *seal)
{
	struct receiver *r = &w->receivers[job->receiver];
	uint8_t suffix[4];

	if (dp_suite_is_srtp(job->suite))
		return true; // the leg's index, which forward gave
	if (!nonce_take(&r->nonces, suffix))
		return false;
	iv_rtpsize(seal->iv, suffix);
	return true;
}

// Jobs whose key is spent leave.
static void number_wave(struct worker *w, struct wave *out)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < out->count; i++) {
		if (__builtin_expect(!number(w, &out->job[i], &out->seal[i]), 0)) {
			out->bytes -= rte_pktmbuf_data_len(out->mbuf[i]);
			rte_pktmbuf_free(out->mbuf[i]);
			worker_verdict_add(w, DP_NONCE_SPENT, 1);
			continue;
		}
		if (__builtin_expect(kept != i, 0)) {
			out->job[kept] = out->job[i];
			out->mbuf[kept] = out->mbuf[i];
			out->seal[kept] = out->seal[i];
		}
		kept++;
	}
	out->count = kept;
}

static void seal_suite(struct worker *w, struct wave *out, unsigned suite, const struct wave *next)
{
	struct seal_job *batch[DP_WAVE_MAX];
	bool alone = out->suites == 1u << suite;
	bool whole = suite_is_gcm(suite) && crypto_engine_interleaves(w->crypto);
	unsigned count = 0;
	unsigned step = next != NULL && next->count > 0 && !whole ? SEAL_STEP : DP_WAVE_MAX;

	for (unsigned i = 0; i < out->count; i++) {
		batch[count] = &out->seal[i];
		count += alone || out->job[i].suite == suite;
	}
	for (unsigned i = 0; i < count; i += step) {
		if (next != NULL)
			forward_fetch(w, next, i, step);
		suite_get(suite)->seal(w->crypto, batch + i, count - i < step ? count - i : step);
	}
}

void protect_wave(struct worker *w, struct wave *out, const struct wave *next)
{
	number_wave(w, out);
	for (unsigned suite = DP_SUITE_NONE + 1; suite < DP_SUITE_COUNT; suite++) {
		if (out->suites & 1u << suite)
			seal_suite(w, out, suite, next);
	}
	if (!out->ipv6)
		return;
	for (unsigned i = 0; i < out->count; i++) {
		if (w->receivers[out->job[i].receiver].headers.size == UDP6_FRAME_SIZE)
			udp6_checksum_fill(rte_pktmbuf_mtod(out->mbuf[i], uint8_t *),
				(uint16_t)(rte_pktmbuf_data_len(out->mbuf[i]) - UDP6_FRAME_SIZE));
	}
}
