// SPDX-License-Identifier: BSD-3-Clause
//
// Stage 3, lookup: whose packet is this? Everything that can be refused without a key is refused
// here, so that a flood costs no crypto.

#include "api/dp_assert.h"
#include "crypto/suite.h"
#include "proto/classify.h"
#include "session/receiver.h"
#include "session/room.h"
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

// The burst's packets are of as many sessions, most of them in no near cache: everybody's memory is
// asked for before anybody's is read. First where the SSRC stands, then what is there.
static void parse(struct worker *w, struct burst_packet *p)
{
	p->verdict = (uint8_t)rtp_parse(p->pkt, p->pkt_size, OVERHEAD_MIN, &p->rtp);
	if (p->verdict == DP_OK)
		ssrc_table_prefetch(w->ssrcs, p->rtp.ssrc);
}

static void find(struct worker *w, struct burst_packet *p)
{
	const uint8_t *s;

	if (p->verdict != DP_OK)
		return;
	p->session = ssrc_table_find(w->ssrcs, p->rtp.ssrc);
	if (p->session == INDEX_NONE) {
		p->verdict = DP_NO_SESSION;
		return;
	}
	s = (const uint8_t *)&w->sessions[p->session];
	for (unsigned line = 0; line < SESSION_HOT_LINES; line++)
		__builtin_prefetch(s + line * DP_CACHE_LINE, 1);
	__builtin_prefetch(&w->receivers[p->session].state);
	__builtin_prefetch(&w->session_shm[p->session], 1);
}

// And what opening and forwarding will read.
static void fetch(const struct worker *w, const struct burst_packet *p)
{
	const struct session *s = &w->sessions[p->session];

	const struct receiver *r = &w->receivers[p->session];

	if (!(s->flags & DP_SESSION_MUTE))
		suite_key_prefetch(&r->key, r->suite, false); // opened by the library
	__builtin_prefetch(&w->guild_shm[s->guild], 1);
	if (s->room != INDEX_NONE)
		__builtin_prefetch(&w->rooms[s->room]);
	__builtin_prefetch(w->extents->words + s->audio.legs.offset);
}

static enum dp_verdict lookup(struct worker *w, struct burst_packet *p)
{
	struct session *s = &w->sessions[p->session];

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
	struct burst_packet *rtp[DP_BURST_MAX];
	unsigned count = 0;

	for (unsigned i = 0; i < b->count; i++) {
		rtp[count] = &b->packet[i];
		count += b->packet[i].kind == PACKET_RTP;
	}
	for (unsigned i = 0; i < count; i++)
		parse(w, rtp[i]);
	for (unsigned i = 0; i < count; i++)
		find(w, rtp[i]);
	for (unsigned i = 0; i < count; i++) {
		if (rtp[i]->verdict == DP_OK)
			fetch(w, rtp[i]);
	}
	for (unsigned i = 0; i < count; i++) {
		if (rtp[i]->verdict == DP_OK)
			rtp[i]->verdict = (uint8_t)lookup(w, rtp[i]);
	}
	burst_compact(w, b);
}
