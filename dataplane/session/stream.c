// SPDX-License-Identifier: BSD-3-Clause
//
// Streams of a worker's sessions.

#include "session/stream.h"

#include "api/dp_assert.h"
#include "session/room.h"
#include "session/session.h"
#include "worker/worker.h"

void stream_rates_init(struct stream_rate rates[STREAM_KIND_COUNT], uint64_t tsc_hz)
{
	static const struct {
		uint32_t per_second, burst;
	} packets[STREAM_KIND_COUNT] = {
		[STREAM_AUDIO] = {DP_AUDIO_PACKETS_PER_SECOND, DP_AUDIO_PACKETS_BURST},
		[STREAM_VIDEO] = {DP_VIDEO_PACKETS_PER_SECOND, DP_VIDEO_PACKETS_BURST},
	};

	for (unsigned kind = 0; kind < STREAM_KIND_COUNT; kind++) {
		rates[kind].interval_tsc = tsc_hz / packets[kind].per_second;
		rates[kind].burst_tsc = rates[kind].interval_tsc * packets[kind].burst;
		DP_ASSERT(rates[kind].interval_tsc > 0);
	}
}

bool stream_attach(struct worker *w, uint32_t session)
{
	struct session *who = &w->sessions[session];
	struct stream *s = &who->audio;
	struct room *r = &w->rooms[who->room];

	DP_ASSERT(who->room != INDEX_NONE);
	if (s->attached)
		return true;
	if (!extent_take(w->extents, r->members.capacity, &s->legs))
		return false;
	index_list_push(&r->first_stream, &w->sessions[0].audio.of_room, sizeof(*who), session);
	s->attached = true;
	return true;
}

void stream_detach(struct worker *w, uint32_t session)
{
	struct session *who = &w->sessions[session];
	struct stream *s = &who->audio;

	if (!s->attached)
		return;
	index_list_remove(&w->rooms[who->room].first_stream, &w->sessions[0].audio.of_room,
		sizeof(*who), session);
	extent_give(w->extents, &s->legs);
	s->attached = false;
}
