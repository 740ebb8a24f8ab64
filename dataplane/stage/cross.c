// SPDX-License-Identifier: BSD-3-Clause
//
// Between unprotect and forward, cross: rooms that have parts on other workers. What was opened
// here crosses to them, once per worker however many listen there; what was opened there joins the
// burst. Moderation needs nothing of it: who is muted does not get so far, who is deafened is a
// receiver here, who moved or left names another room or none with the next packet.

#include <rte_mbuf.h>
#include <rte_prefetch.h>
#include <rte_ring.h>
#include <string.h>

#include "api/dp_assert.h"
#include "proto/classify.h"
#include "session/guild.h"
#include "session/room.h"
#include "session/session.h"
#include "session/shadow.h"
#include "stage/stages.h"
#include "worker/crossing.h"
#include "worker/worker.h"

static void fill(const struct worker *w, const struct burst_packet *p, struct crossing *c)
{
	const struct session *s = &w->sessions[p->session];

	*c = (struct crossing){.guild_id = w->guilds[s->guild].guild_id,
		.channel_id = w->rooms[s->room].channel_id,
		.ssrc = s->audio.ssrc,
		.index = p->index,
		.continuity = s->audio.continuity,
		.clear_size = (uint16_t)p->clear_size,
		.kind = CROSSING_MEDIA,
		.rtp = p->rtp};
	DP_ASSERT_HOT(p->clear_size <= DP_PAYLOAD_SIZE_MAX);
	memcpy(c + 1, p->pkt + p->rtp.clear_size, p->clear_size);
}

static void cross_to(
	struct worker *w, const struct burst *b, const uint64_t peers[DP_BURST_MAX], unsigned peer)
{
	struct rte_mbuf *mbufs[DP_BURST_MAX];
	unsigned in[DP_BURST_MAX], count = 0;

	for (unsigned i = 0; i < b->count; i++) {
		in[count] = i;
		count += peers[i] >> peer & 1;
	}
	worker_count_add(w, DP_COUNTER_JOBS, count);
	count = crossing_take(w, mbufs, count);
	for (unsigned i = 0; i < count; i++)
		fill(w, &b->packet[in[i]], crossing_of(mbufs[i]));
	if (count > 0)
		crossing_send(w, peer, mbufs, count);
}

void cross_burst(struct worker *w, const struct burst *b)
{
	uint64_t peers[DP_BURST_MAX], all = 0;

	if (__builtin_expect(w->spread_count == 0, 1))
		return;
	DP_ASSERT(b->count <= DP_BURST_MAX);
	for (unsigned i = 0; i < b->count; i++) {
		struct session *s = &w->sessions[b->packet[i].session];

		peers[i] = w->rooms[s->room].peers;
		s->crossed_to |= peers[i];
		all |= peers[i];
	}
	for (; all != 0; all &= all - 1)
		cross_to(w, b, peers, (unsigned)__builtin_ctzll(all));
}

void cross_report(struct worker *w, uint32_t sender, const struct rtcp_sender_info *info)
{
	struct session *s = &w->sessions[sender];
	const struct room *room = &w->rooms[s->room];
	struct crossing c = {.guild_id = w->guilds[s->guild].guild_id,
		.channel_id = room->channel_id,
		.ssrc = s->audio.ssrc,
		.continuity = s->audio.continuity,
		.kind = CROSSING_REPORT};

	if (room->peers == 0)
		return;
	c.report = *info;
	s->crossed_to |= room->peers;
	crossing_tell(w, room->peers, &c);
}

static enum dp_verdict join(struct worker *w, struct burst_packet *p)
{
	const struct crossing *c = crossing_of(p->mbuf);
	enum dp_verdict verdict;
	uint32_t slot;

	if (c->kind == CROSSING_GONE) {
		shadow_gone(w, c->ssrc);
		return DP_CROSS_NOTE;
	}
	verdict = shadow_hear(w, c, &slot);
	if (verdict != DP_OK)
		return verdict;
	if (c->kind == CROSSING_REPORT) {
		feedback_report(w, slot, &c->report);
		return DP_CROSS_NOTE;
	}
	DP_ASSERT_HOT(c->kind == CROSSING_MEDIA);
	p->kind = PACKET_RTP;
	p->session = slot;
	p->index = c->index;
	p->rtp = c->rtp;
	p->rtp.clear_size = 0; // of the header, which is not here
	p->clear_size = c->clear_size;
	p->pkt = (uint8_t *)crossing_of(p->mbuf) + sizeof(*c);
	p->pkt_size = c->clear_size;
	return DP_OK;
}

unsigned cross_join(struct worker *w, struct burst *b)
{
	struct rte_ring *ring = w->params.rings[w->params.index].cross;
	struct rte_mbuf *mbufs[DP_CROSSED_MAX];
	unsigned count;

	if (rte_ring_empty(ring))
		return 0;
	DP_ASSERT(b->count <= DP_BURST_MAX);
	count = rte_ring_sc_dequeue_burst(ring, (void **)mbufs, DP_CROSSED_MAX, NULL);
	worker_count_add(w, DP_COUNTER_CROSSED_IN, count);
	for (unsigned i = 0; i < count; i++)
		rte_prefetch0(mbufs[i]);
	for (unsigned i = 0; i < count; i++)
		rte_prefetch0(crossing_of(mbufs[i]));
	for (unsigned i = 0; i < count; i++) {
		struct burst_packet *p = &b->packet[b->count++];

		p->mbuf = mbufs[i];
		p->verdict = (uint8_t)join(w, p);
	}
	burst_compact(w, b);
	return count;
}
