// SPDX-License-Identifier: BSD-3-Clause
//
// A guild at home on this worker: what its rooms and sessions hang on, and its counters in the
// progress memfd. Functions are called between two bursts, from stage/commands.c.
#pragma once

#include <stdint.h>

#include "api/dp_msg.h"

struct worker;

struct guild {
	uint64_t guild_id;
	uint64_t epoch;
	uint32_t generation; // 0: slot is free
	uint32_t session_count, room_count;
	uint32_t first_session, first_room; // lists: session.of_guild, room.of_guild
};

// Slot of 'handle', or NULL: stale, or out of range.
struct guild *guild_get(struct worker *w, struct dp_handle handle);
// 0, -EEXIST (this very guild is open), -EBUSY (the slot holds another).
int guild_open(struct worker *w, const struct dp_guild_open *cmd)
	__attribute__((warn_unused_result));
// Removes its sessions and rooms first, DP_CLOSES_PER_TURN sessions a call, so that no other guild
// of the worker waits for it. 0, -ESTALE, -EINPROGRESS: call again next turn.
int guild_close(struct worker *w, struct dp_handle handle) __attribute__((warn_unused_result));
