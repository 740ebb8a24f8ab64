// SPDX-License-Identifier: BSD-3-Clause
//
// Stage 2, demux: what is this datagram? Exits: discovery and ping are answered, keepalives end.

#include "proto/classify.h"
#include "session/receiver.h"
#include "stage/stages.h"
#include "worker/worker.h"

static enum dp_verdict sort(struct worker *w, struct burst_packet *p)
{
	enum packet_kind kind = classify(p->pkt, p->pkt_size);

	p->kind = (uint8_t)kind;
	p->verdict = DP_OK;
	switch (kind) {
	case PACKET_RTP:
	case PACKET_RTCP:
		return DP_OK;
	case PACKET_IP_DISCOVERY:
	case PACKET_PING:
		discovery_answer(w, p);
		return (enum dp_verdict)p->verdict;
	case PACKET_KEEPALIVE:
		receiver_alive(w, &p->from);
		return DP_KEEPALIVE;
	case PACKET_STUN:
	case PACKET_DTLS:
		return DP_NOT_SERVED;
	case PACKET_UNKNOWN:
		break;
	}
	return DP_UNCLASSIFIED;
}

void demux_burst(struct worker *w, struct burst *b)
{
	for (unsigned i = 0; i < b->count; i++)
		b->packet[i].verdict = (uint8_t)sort(w, &b->packet[i]);
	burst_compact(w, b);
}
