// SPDX-License-Identifier: BSD-3-Clause
//
// A voice channel with its members, and the streams that speak in it. Members stand in an array,
// and every stream of the room keeps an array of legs in the same order, so that one packet's walk
// over its receivers reads both from front to back. Who leaves is replaced by the last one, in all
// of them.
#pragma once

#include <stdalign.h>
#include <stdint.h>

#include "api/dp_msg.h"
#include "table/extents.h"
#include "table/index_list.h"

struct worker;

struct room {
	alignas(DP_CACHE_LINE) uint64_t channel_id;
	uint64_t peers;        // bit per worker that has another part of the channel
	struct extent members; // session slots
	uint32_t generation;   // 0: slot is free
	uint32_t guild;        // slot
	uint32_t member_count;
	uint32_t first_stream; // list: stream.of_room, by session slot
	struct index_link of_guild;
	uint32_t spread_next; // chain of room_find(); of a room that has peers
};

// Heads of the chains of room_find(): a power of two, few where there are no other workers.
uint32_t room_spread_size(const struct worker *w);
// Slot of the room that is this channel's part here and has peers, or INDEX_NONE.
uint32_t room_find(const struct worker *w, uint64_t guild_id, uint64_t channel_id);

struct room *room_get(struct worker *w, struct dp_handle handle);
// 0, -ESTALE (no such guild), -EEXIST, -EBUSY, -ENOSPC (a worker has as many rooms as sessions),
// -EINVAL (with peers: no channel, or the channel has another part here).
int room_open(struct worker *w, const struct dp_room_open *cmd) __attribute__((warn_unused_result));
// The workers that have its other parts. 0, -ESTALE, -EINVAL (as room_open()).
int room_set(struct worker *w, const struct dp_room_set *cmd) __attribute__((warn_unused_result));
// 0, -ESTALE, -EBUSY (somebody is in it).
int room_close(struct worker *w, struct dp_handle handle) __attribute__((warn_unused_result));
// Whatever is in it leaves it first.
void room_remove_slot(struct worker *w, uint32_t slot);

// Puts the session, which is in none, into the room. 0, -ENOSPC (DP_ROOM_RECEIVERS_MAX, or no
// memory left for lists).
int room_join(struct worker *w, uint32_t room, uint32_t session)
	__attribute__((warn_unused_result));
// Takes the session, and its streams, out of its room. Nothing if it is in none.
void room_leave(struct worker *w, uint32_t session);
