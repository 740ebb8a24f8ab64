// SPDX-License-Identifier: BSD-3-Clause
//
// What one receiver has had of one talker: which of the talker's packets (numbered from 0 in the
// order they were sent, 'n'), in which order, how often, and whether the node's renumbering of RTP
// sequence numbers holds: a later packet has a later sequence number, and never one further on than
// the talker's own count.
//
// A track expects packets from track_open() to track_close(); what the receiver was not entitled to
// is not lost when it does not come. Pure.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TRACK_WINDOW 256u // packets that may arrive late and still be told from duplicates

struct track {
	bool open;
	uint64_t first_n; // expected from here
	uint64_t end_n;   // expected up to, not including; UINT64_MAX while open

	uint64_t expected_count; // of earlier openings
	uint64_t received_count; // inside an opening, duplicates not counted
	uint64_t duplicate_count, reordered_count;
	uint64_t renumbered_count; // packets that the node left out without a gap

	bool has_highest, has_seq;
	uint16_t last_seq; // RTP sequence number that came with highest_n
	uint64_t highest_n;
	uint64_t seen[TRACK_WINDOW / 64];
};

enum track_verdict {
	TRACK_NEW,       // expected, and here
	TRACK_DUPLICATE, // had it
	TRACK_BAD_SEQ,   // new, but its sequence number cannot be right
	TRACK_EARLY,     // before the opening: allowed, not counted
	TRACK_LATE,      // sent after the closing: the receiver should not have it
};

// Zero-initialised is closed and empty. 'first_n' is the next packet that the talker will send.
void track_open(struct track *track, uint64_t first_n);
// 'end_n': the first packet that need not come any more.
void track_close(struct track *track, uint64_t end_n);
enum track_verdict track_feed(struct track *track, uint64_t n, uint16_t seq);

// How many should be here by now, if all packets below 'settled_n' had the time to arrive.
uint64_t track_expected(const struct track *track, uint64_t settled_n);
// One past the highest packet that came, but at least 'settled_n': where a track may close without
// blaming the node for what was still on its way.
uint64_t track_fair_end(const struct track *track, uint64_t settled_n);
