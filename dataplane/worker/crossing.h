// SPDX-License-Identifier: BSD-3-Clause
//
// How what a speaker says crosses to a worker that has listeners of its room: in clear, by the
// ring of that worker, in an mbuf of the sender's pool. The ring's consumer frees it: a mempool
// takes its objects back from any thread. One copy of a hundred bytes per packet and worker is far
// cheaper than to share one buffer, and nobody waits for anybody.
#pragma once

#include <stdalign.h>
#include <stdint.h>

#include "api/dp_limits.h"
#include "proto/rtcp.h"
#include "proto/rtp.h"

struct rte_mbuf;
struct worker;

enum crossing_kind {
	CROSSING_MEDIA,  // a packet of the stream; its clear bytes are behind the struct
	CROSSING_REPORT, // a sender report about it
	CROSSING_GONE,   // its SSRC is retired
};

// At the beginning of the mbuf's data. Written by one worker, read by another.
struct crossing {
	alignas(DP_CACHE_LINE) uint64_t guild_id;
	uint64_t channel_id; // that the stream speaks in
	uint32_t ssrc;
	uint32_t index;      // RTP index of the packet, of its sender's stream
	uint32_t continuity; // of that stream (session/leg.h)
	uint16_t clear_size; // bytes behind the struct: extension body and payload
	uint8_t kind;        // enum crossing_kind
	uint8_t reserved;
	union {
		struct rtp_view rtp;
		struct rtcp_sender_info report;
	};
};
static_assert(sizeof(struct crossing) == DP_CACHE_LINE, "the payload begins on a line of its own");

#define CROSSING_SIZE_MAX (DP_CACHE_LINE + DP_PAYLOAD_SIZE_MAX)

// The struct in an mbuf of any worker.
struct crossing *crossing_of(const struct rte_mbuf *mbuf);
// Up to 'count' mbufs of our pool; what it lacks is counted as NO_MBUF. Returns how many.
unsigned crossing_take(struct worker *w, struct rte_mbuf **mbufs, unsigned count);
// Into the ring of worker 'peer', which then owns them; what does not fit is freed and counted as
// CROSS_FULL.
void crossing_send(struct worker *w, unsigned peer, struct rte_mbuf **mbufs, unsigned count);
// The same struct, without clear bytes, to each worker of 'peers' (a bit each).
void crossing_tell(struct worker *w, uint64_t peers, const struct crossing *what);
