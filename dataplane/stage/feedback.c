// SPDX-License-Identifier: BSD-3-Clause
//
// Stage 4, feedback: RTCP ends at this node. It is authenticated under its session's key; a sender
// report about the session's own stream goes on to whoever hears it, made anew with the sender's
// clock and nothing else: no report blocks, no CNAME, nobody's address (protocol.md 4.7).

#include "api/dp_assert.h"
#include "crypto/suite.h"
#include "proto/classify.h"
#include "proto/rtcp.h"
#include "session/receiver.h"
#include "session/room.h"
#include "session/session.h"
#include "stage/stages.h"
#include "table/ssrc_table.h"
#include "worker/worker.h"

static void send_wave(struct worker *w, const uint8_t *report, struct wave *out)
{
	worker_count_add(w, DP_COUNTER_JOBS, out->count);
	rewrite_reports(w, report, out);
	protect_wave(w, out, NULL);
	tx_wave(w, out);
	out->suites = 0;
}

void feedback_report(struct worker *w, uint32_t sender, const struct rtcp_sender_info *info)
{
	const struct session *s = &w->sessions[sender];
	const struct room *room = &w->rooms[s->room];
	const uint32_t *members = extent_words(w->extents, &room->members);
	struct wave *out = &w->wave[0];
	uint8_t report[RTCP_SR_INFO_SIZE];

	rtcp_sr_build(report, s->audio.ssrc, info);
	out->count = 0;
	out->suites = 0;
	for (uint32_t i = 0; i < room->member_count; i++) {
		const struct receiver *r = &w->receivers[members[i]];
		struct wave_job *job = &out->job[out->count];

		if (members[i] == sender || !receiver_open(r) || dp_suite_is_srtp(r->suite))
			continue;
		*job = (struct wave_job){.receiver = members[i], .suite = (uint8_t)r->suite};
		out->suites |= 1u << job->suite;
		if (++out->count == DP_WAVE_MAX)
			send_wave(w, report, out);
	}
	if (out->count > 0)
		send_wave(w, report, out);
}

static void read_reports(struct worker *w, uint32_t slot, const uint8_t *pkt, uint32_t size)
{
	struct session *s = &w->sessions[slot];
	struct dp_session_shm *shm = &w->session_shm[slot];
	struct rtcp_sender_info info;
	struct rtcp_view view;
	uint32_t offset = 0, ssrc;

	while (rtcp_next(pkt, size, &offset, &view)) {
		if (view.type != RTCP_SR || !rtcp_sender_info(&view, &ssrc, &info))
			continue;
		// Only of its own stream, only forward in time: rtpsize RTCP has no replay window.
		if (ssrc != s->audio.ssrc || info.ntp <= shm->report_ntp)
			continue;
		if (s->audio.report_tsc != 0 &&
			w->now_tsc - s->audio.report_tsc < w->tsc_hz / DP_REPORTS_PER_SECOND)
			continue;
		shm->report_ntp = info.ntp;
		s->audio.report_tsc = w->now_tsc;
		if (s->room != INDEX_NONE && !(s->flags & DP_SESSION_MUTE)) {
			feedback_report(w, slot, &info);
			cross_report(w, slot, &info);
		}
	}
}

// As with media: true but for one in so many.
static bool muted(struct session *s)
{
	return s->flags & DP_SESSION_MUTE && ++s->audio.muted_reports % DP_MUTED_SAMPLE != 0;
}

static enum dp_verdict consume(struct worker *w, struct burst_packet *p)
{
	struct open_job job, *jobs = &job;
	const struct receiver *r;
	enum dp_verdict verdict;
	uint32_t ssrc, slot;

	verdict = rtcp_sender_ssrc(p->pkt, p->pkt_size, &ssrc);
	if (verdict != DP_OK)
		return verdict;
	slot = ssrc_table_find(w->ssrcs, ssrc);
	if (slot == INDEX_NONE)
		return DP_NO_SESSION;
	r = &w->receivers[slot];
	if (!(r->state & RECEIVER_KEY))
		return DP_NO_KEY;
	if (dp_suite_is_srtp(r->suite))
		return DP_NOT_SERVED; // SRTCP has keys and indexes of its own: with browsers
	if (muted(&w->sessions[slot]))
		return DP_MUTED;
	job = (struct open_job){
		.key = &r->key, .pkt = p->pkt, .size = p->pkt_size, .aad_size = RTCP_HDR_SIZE};
	suite_get(r->suite)->rtcp_open(w->crypto, &jobs, 1);
	if (job.verdict != DP_OK)
		return job.verdict;
	verdict = rtcp_check(p->pkt, p->pkt_size - DP_RTPSIZE_OVERHEAD);
	if (verdict != DP_OK)
		return verdict;
	read_reports(w, slot, p->pkt, p->pkt_size - DP_RTPSIZE_OVERHEAD);
	return DP_RTCP;
}

void feedback_burst(struct worker *w, struct burst *b)
{
	for (unsigned i = 0; i < b->count; i++) {
		if (b->packet[i].kind == PACKET_RTCP)
			b->packet[i].verdict = (uint8_t)consume(w, &b->packet[i]);
	}
	burst_compact(w, b);
}
