// SPDX-License-Identifier: BSD-3-Clause
//
// One published SSRC of a session: which packets came, and its legs to the members of the room that
// it speaks in. Audio has one layer; video will have three of the same.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "crypto/replay.h"
#include "table/extents.h"
#include "table/index_list.h"

struct worker;

struct stream {
	struct replay replay;
	struct extent legs;        // leg per member of the room, by position; 0: not born
	struct index_link of_room; // by session slot
	uint32_t ssrc;
	uint32_t first_leg;   // all its legs, also those of other rooms: leg.stream_next
	uint32_t continuity;  // cuts: the node itself left packets out (mute, move)
	uint32_t muted_count; // packets since the last one that was authenticated under mute
	bool attached;        // to the room of its session
	uint64_t report_tsc;  // when a sender report went on last
};

// Makes the stream ready to be heard in its session's room: a leg list as long as the member list.
// False: no memory for it.
bool stream_attach(struct worker *w, uint32_t session);
// The session leaves its room. Legs stay: the receivers may hear it again.
void stream_detach(struct worker *w, uint32_t session);
