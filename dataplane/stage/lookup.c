// SPDX-License-Identifier: BSD-3-Clause
//
// Stage 3, lookup: whose packet is this? Everything that can be refused without a key is refused
// here, so that a flood costs no crypto.

#include "api/dp_assert.h"
#include "crypto/suite.h"
#include "proto/classify.h"
#include "session/receiver.h"
#include "session/session.h"
#include "stage/stages.h"
#include "table/ssrc_table.h"
#include "worker/worker.h"

#define OVERHEAD_MIN 10u // that any suite adds; the session's own is known later

// True but for one packet in so many, which unprotect then lets go as MUTED.
static bool muted(struct session *s)
{
	if (!(s->flags & DP_SESSION_MUTE))
		return false;
	return ++s->audio.muted_count % DP_MUTED_SAMPLE != 0;
}

static enum dp_verdict lookup(struct worker *w, struct burst_packet *p)
{
	enum dp_verdict verdict = rtp_parse(p->pkt, p->pkt_size, OVERHEAD_MIN, &p->rtp);
	struct session *s;

	if (verdict != DP_OK)
		return verdict;
	p->session = ssrc_table_find(w->ssrcs, p->rtp.ssrc);
	if (p->session == INDEX_NONE)
		return DP_NO_SESSION;
	s = &w->sessions[p->session];
	DP_ASSERT_HOT(s->generation != 0);
	if (p->rtp.ssrc != s->audio.ssrc)
		return DP_NO_STREAM;
	if (p->rtp.payload_type != DP_OPUS_PAYLOAD_TYPE)
		return DP_RTP_TYPE;
	if (!(w->receivers[p->session].state & RECEIVER_KEY))
		return DP_NO_KEY;
	if (s->room == INDEX_NONE)
		return DP_NO_ROOM;
	if (p->pkt_size < p->rtp.clear_size + p->rtp.ext_words * 4u +
				  suite_get(w->receivers[p->session].suite)->overhead)
		return DP_RTP_SHORT;
	if (muted(s))
		return DP_MUTED;
	p->index = replay_estimate(&s->audio.replay, p->rtp.seq);
	return replay_fresh(&s->audio.replay, p->index) ? DP_OK : DP_SRTP_REPLAY;
}

void lookup_burst(struct worker *w, struct burst *b)
{
	for (unsigned i = 0; i < b->count; i++) {
		if (b->packet[i].kind == PACKET_RTP)
			b->packet[i].verdict = (uint8_t)lookup(w, &b->packet[i]);
	}
	burst_compact(w, b);
}
