// SPDX-License-Identifier: BSD-3-Clause
//
// One member in voice: its place, its flags, what it publishes. Its transport is the receiver with
// the same slot. Functions are called between two bursts, from stage/commands.c.
#pragma once

#include <assert.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>

#include "api/dp_msg.h"
#include "proto/udp_frame.h"
#include "session/stream.h"
#include "table/index_list.h"

struct worker;

struct session {
	alignas(DP_CACHE_LINE) uint32_t generation; // 0: slot is free
	uint32_t guild;                             // slot
	uint32_t room;                              // slot, or INDEX_NONE
	uint32_t position;                          // in the room's member list
	uint32_t ssrc;                              // first of its block; the audio's
	uint32_t flags;                             // DP_SESSION_*
	struct index_link of_guild;
	struct stream audio;

	// Before the first authenticated packet (architecture.md decision 9).
	struct udp_frame discovered[DP_DISCOVERED_MAX];
	struct dp_addr hint;
	uint8_t discovered_next;

	uint64_t crossed_to; // bit per worker that heard of it, and is told when it is gone
};

static_assert(offsetof(struct session, audio.replay) == DP_CACHE_LINE, "the hot part is one line");
#define SESSION_HOT_LINES 4u // and the replay window

// Slot of 'handle', or INDEX_NONE: stale, or out of range.
uint32_t session_slot(const struct worker *w, struct dp_handle handle);
// 0, -ESTALE (guild or room), -EEXIST (this very session is there), -EBUSY (the slot holds
// another), -EINVAL (the SSRC is somebody's), -ENOSPC (room full).
int session_add(struct worker *w, const struct dp_session_add *cmd)
	__attribute__((warn_unused_result));
// Mute, deafen, move. 0, -ESTALE (session or room), -ENOSPC (room full; the session is then in
// none).
int session_set(struct worker *w, const struct dp_session_set *cmd)
	__attribute__((warn_unused_result));
// Leaves its room, forgets everything, wipes the key.
void session_remove_slot(struct worker *w, uint32_t slot);
