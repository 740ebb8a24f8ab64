// SPDX-License-Identifier: BSD-3-Clause
//
// Stage 5, unprotect: the packet is opened in place with its session's key. Only what authenticates
// changes state: the replay window, and the address (RFC 3711 section 3.3).

#include "api/dp_assert.h"
#include "crypto/iv.h"
#include "crypto/suite.h"
#include "proto/be.h"
#include "session/receiver.h"
#include "session/session.h"
#include "session/suffix.h"
#include "stage/stages.h"
#include "worker/worker.h"

static void open_suite(struct worker *w, struct burst *b, struct open_job *jobs, unsigned suite)
{
	struct open_job *batch[DP_BURST_MAX];
	unsigned count = 0;

	for (unsigned i = 0; i < b->count; i++) {
		if (w->receivers[b->packet[i].session].suite == suite)
			batch[count++] = &jobs[i];
	}
	if (count > 0)
		suite_get(suite)->open(w->crypto, batch, count);
}

// SRTP has none, and its index is proven: 0, of which nothing is learnt.
static uint32_t suffix_of(const struct burst_packet *p, unsigned suite)
{
	return dp_suite_is_srtp(suite) ? 0
				       : be32_read(p->pkt + p->pkt_size - DP_RTPSIZE_SUFFIX_SIZE);
}

static enum dp_verdict accept(struct worker *w, struct burst_packet *p)
{
	struct session *s = &w->sessions[p->session];
	struct dp_session_shm *shm = &w->session_shm[p->session];
	struct replay *replay = &s->audio.replay;
	unsigned suite = w->receivers[p->session].suite;
	uint32_t suffix = suffix_of(p, suite);
	bool newest;

	// Again, now that the burst's earlier packets are in: they may have begun the stream,
	// turned its numbers over, or been this packet's twin. Where the index was the nonce, it
	// is proven.
	if (!dp_suite_is_srtp(suite))
		p->index = replay_estimate(replay, p->rtp.seq);
	if (!replay_fresh(replay, p->index) || !suffix_fresh(&shm->suffix, suffix))
		return DP_SRTP_REPLAY;
	newest = !replay->started || (int32_t)(p->index - replay->index_max) > 0;
	replay_accept(replay, p->index);
	if (newest) {
		shm->index_max = p->index;
		suffix_accept(&shm->suffix, suffix);
		receiver_authenticated(w, p->session, &p->from);
	}
	w->guild_shm[s->guild].packets_in++;
	p->clear_size = p->pkt_size - p->rtp.clear_size - suite_get(suite)->overhead;
	if (s->flags & DP_SESSION_MUTE)
		return DP_MUTED;
	// Last: a forger cannot use up what is the sender's, and the window followed a flood.
	if (!stream_rate_take(&s->audio, w->rates, w->now_tsc)) {
		s->audio.cut_due = true;
		return DP_STREAM_RATE;
	}
	s->audio.continuity += s->audio.cut_due; // what was left out is not missed
	s->audio.cut_due = false;
	return DP_OK;
}

void unprotect_burst(struct worker *w, struct burst *b)
{
	struct open_job jobs[DP_BURST_MAX];
	uint32_t suites = 0;

	for (unsigned i = 0; i < b->count; i++) {
		struct burst_packet *p = &b->packet[i];
		unsigned suite = w->receivers[p->session].suite;

		suites |= 1u << suite;
		jobs[i].key = &w->receivers[p->session].key;
		jobs[i].pkt = p->pkt;
		jobs[i].size = p->pkt_size;
		jobs[i].aad_size = p->rtp.clear_size;
		if (!dp_suite_is_srtp(suite))
			continue;
		jobs[i].aad_size += p->rtp.ext_words * 4u;
		iv_srtp(jobs[i].iv, (enum dp_suite)suite, p->rtp.ssrc, p->index);
	}
	for (unsigned suite = DP_SUITE_NONE + 1; suite < DP_SUITE_COUNT; suite++) {
		if (suites & 1u << suite)
			open_suite(w, b, jobs, suite);
	}
	for (unsigned i = 0; i < b->count; i++) {
		struct burst_packet *p = &b->packet[i];
		struct session *s = &w->sessions[p->session];

		if (s->flags & DP_SESSION_MUTE)
			stream_sampled(&s->audio, jobs[i].verdict == DP_OK);
		p->verdict = (uint8_t)jobs[i].verdict;
		if (jobs[i].verdict == DP_OK)
			p->verdict = (uint8_t)accept(w, p);
	}
	burst_compact(w, b);
}
