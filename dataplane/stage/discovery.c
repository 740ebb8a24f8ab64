// SPDX-License-Identifier: BSD-3-Clause
//
// Exit of demux: IP discovery and UDP ping. A stranger is answered only if it knows a session's
// SSRC, a few times a second, and with exactly as many bytes as it sent; a ping only where a
// session proved its address. Discovery is the one datagram that a client never repeats: it must
// not be lost.

#include <string.h>

#include "proto/classify.h"
#include "proto/ip_discovery.h"
#include "session/receiver.h"
#include "session/session.h"
#include "stage/stages.h"
#include "table/flow_table.h"
#include "table/ssrc_table.h"
#include "worker/worker.h"

// Bucket of this session and this source's IP: others cannot spend what is the client's.
static struct discovery_bucket *bucket_of(
	struct worker *w, uint32_t slot, const struct dp_addr *source)
{
	uint64_t hash = w->seed ^ slot;
	uint64_t word[2];

	memcpy(word, source->ip, sizeof(word));
	for (unsigned i = 0; i < 2; i++)
		hash = (hash ^ word[i]) * 0x9e3779b97f4a7c15ull * w->seed ^ hash >> 29;
	return &w->discovery[(hash >> 32) & w->discovery_mask];
}

static bool discovery_allowed(struct worker *w, uint32_t slot, const struct dp_addr *source)
{
	struct discovery_bucket *b = bucket_of(w, slot, source);
	uint64_t earned = (w->now_tsc - b->tsc) / (w->tsc_hz / DP_DISCOVERY_PER_SECOND);

	if (b->tsc == 0 || earned > 0) {
		uint64_t tokens = b->tsc == 0 ? DP_DISCOVERY_BURST : b->tokens + earned;

		b->tokens = tokens > DP_DISCOVERY_BURST ? DP_DISCOVERY_BURST : (uint32_t)tokens;
		b->tsc = w->now_tsc;
	}
	if (b->tokens == 0)
		return false;
	b->tokens--;
	return true;
}

static enum dp_verdict answer_discovery(struct worker *w, struct burst_packet *p)
{
	uint32_t slot = ssrc_table_find(w->ssrcs, ip_discovery_ssrc(p->pkt));

	if (slot == INDEX_NONE || w->sessions[slot].ssrc != ip_discovery_ssrc(p->pkt))
		return DP_DISCOVERY_SSRC;
	if (!discovery_allowed(w, slot, &p->from.source))
		return DP_DISCOVERY_RATE;
	receiver_discovered(w, slot, &p->from);
	ip_discovery_answer(p->pkt, &p->from.source);
	tx_answer(w, p);
	return DP_DISCOVERY;
}

static enum dp_verdict answer_ping(struct worker *w, struct burst_packet *p)
{
	if (flow_table_find(w->flows, &p->from.source) == INDEX_NONE)
		return DP_PING_SOURCE;
	receiver_alive(w, &p->from);
	udp_ping_answer(p->pkt);
	tx_answer(w, p);
	return DP_PING;
}

void discovery_answer(struct worker *w, struct burst_packet *p)
{
	if (p->kind == PACKET_IP_DISCOVERY)
		p->verdict = (uint8_t)answer_discovery(w, p);
	else
		p->verdict = (uint8_t)answer_ping(w, p);
}
