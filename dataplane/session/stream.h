// SPDX-License-Identifier: BSD-3-Clause
//
// One published SSRC of a session: which packets came, and its legs to the members of the room that
// it speaks in. Audio has one layer; video will have three of the same.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/dp_limits.h"
#include "crypto/replay.h"
#include "table/extents.h"
#include "table/index_list.h"

struct worker;

enum stream_kind {
	STREAM_AUDIO,
	STREAM_VIDEO,
	STREAM_KIND_COUNT,
};

// How fast packets of a kind of stream may come (DP_AUDIO_PACKETS_PER_SECOND and its like).
struct stream_rate {
	uint64_t interval_tsc; // of two packets
	uint64_t burst_tsc;    // that a stream may be ahead of it
};

// What every packet reads comes first: with the head of its session it is one cache line.
struct stream {
	uint32_t ssrc;
	uint32_t continuity;   // cuts: the node itself left packets out (mute, move)
	struct extent legs;    // leg per member of the room, by position; 0: not born
	uint64_t due_tsc;      // when its packets would have come, had they come evenly
	uint32_t muted_count;  // packets since the last one that was authenticated under mute
	bool attached;         // to the room of its session
	bool cut_due;          // packets above its rate were left out
	uint8_t kind;          // enum stream_kind
	uint8_t muted_retries; // samples in a row that did not open
	struct replay replay;
	struct index_link of_room; // by session slot
	uint32_t first_leg;        // all its legs, also those of other rooms: leg.stream_next
	uint16_t muted_reports;    // as muted_count, of reports
	uint64_t report_tsc;       // when a sender report went on last
};

// Fills the rates of all kinds. At start: this divides.
void stream_rates_init(struct stream_rate rates[STREAM_KIND_COUNT], uint64_t tsc_hz);

// One authenticated packet came. False: the stream is further ahead of its rate than it may be; the
// packet does not count. A token bucket in one word: no division, nothing to refill.
static inline bool stream_rate_take(
	struct stream *s, const struct stream_rate rates[STREAM_KIND_COUNT], uint64_t now_tsc)
{
	const struct stream_rate *rate = &rates[s->kind];
	uint64_t due_tsc = s->due_tsc > now_tsc ? s->due_tsc : now_tsc;

	if (due_tsc - now_tsc >= rate->burst_tsc)
		return false;
	s->due_tsc = due_tsc + rate->interval_tsc;
	return true;
}

// An authentic packet, or one that is not, came under mute. What is not may be a forger's, which
// must neither keep the index from following its sender nor make a muted stream cost crypto.
static inline void stream_sampled(struct stream *s, bool is_authentic)
{
	if (is_authentic || s->muted_retries == DP_MUTED_RETRIES) {
		s->muted_retries = 0;
		return;
	}
	s->muted_retries++;
	s->muted_count = DP_MUTED_SAMPLE - 1; // the next one is a sample too
}

// Makes the stream ready to be heard in its session's room: a leg list as long as the member list.
// False: no memory for it.
bool stream_attach(struct worker *w, uint32_t session);
// The session leaves its room. Legs stay: the receivers may hear it again.
void stream_detach(struct worker *w, uint32_t session);
