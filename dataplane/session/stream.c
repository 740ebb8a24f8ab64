// SPDX-License-Identifier: BSD-3-Clause
//
// Streams of a worker's sessions.

#include "session/stream.h"

#include "api/dp_assert.h"
#include "session/room.h"
#include "session/session.h"
#include "worker/worker.h"

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
