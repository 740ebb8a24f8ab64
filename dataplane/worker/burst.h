// SPDX-License-Identifier: BSD-3-Clause
//
// What travels through a turn: the burst of packets that came, and the wave of copies that leave.
// Both belong to one worker. Ownership of mbufs: the burst owns its packets until burst_compact()
// or burst_release(); the wave owns its copies until tx_wave().
#pragma once

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "api/dp_limits.h"
#include "api/dp_verdict.h"
#include "crypto/suite.h"
#include "proto/rtp.h"
#include "proto/udp_frame.h"

struct rte_mbuf;
struct worker;

// One packet in the pipeline. 'pkt' is the UDP payload inside the mbuf.
struct burst_packet {
	struct rte_mbuf *mbuf;
	uint8_t *pkt;
	uint16_t pkt_size;
	uint8_t kind;          // enum packet_kind, after demux
	uint8_t verdict;       // enum dp_verdict; not DP_OK: leaves at the next compaction
	uint32_t session;      // slot, after lookup; of another worker's speaker: its shadow's
	uint32_t index;        // RTP index of the stream, after lookup
	struct udp_frame from; // addresses
	struct rtp_view rtp;   // after lookup
	// Extension body and payload behind rtp.clear_size, after unprotect: in clear, whatever the
	// dialect it came in.
	uint32_t clear_size;
	uint32_t copies; // made by forward
};

struct burst {
	unsigned count;
	bool lengthy;    // one may be too long for some receivers
	uint64_t rx_tsc; // when the device gave it to us
	struct burst_packet
		packet[DP_IN_HAND_MAX]; // DP_BURST_MAX until those of other workers come
};

// One copy for one receiver, in the order of the route: forward names receiver, leg and sequence
// number, rewrite the mbuf, protect seals.
struct wave_job {
	uint32_t receiver; // session slot
	uint32_t leg_at;   // place of the leg's index, a word of the worker's extents
	uint32_t index;    // planned: the leg's slot; then: outgoing, of the leg
	uint8_t in;        // packet of the burst; unused for reports
	uint8_t suite;     // enum dp_suite
};

struct wave {
	unsigned count;
	uint32_t suites; // bit per enum dp_suite that a job has
	bool ipv6;       // a job has an IPv6 receiver
	uint64_t bytes;  // of its frames
	struct wave_job job[DP_WAVE_MAX];
	struct rte_mbuf *mbuf[DP_WAVE_MAX];
	struct seal_job seal[DP_WAVE_MAX];
};

// Counts every packet whose verdict is not DP_OK, frees its mbuf (DP_HANDED_OUT: the ring's now)
// and closes the gaps, keeping the order.
void burst_compact(struct worker *w, struct burst *b);
// The same for all that is left: forward has given each its verdict, FORWARDED or NO_RECEIVER.
void burst_release(struct worker *w, struct burst *b);
