// SPDX-License-Identifier: BSD-3-Clause
//
// Stage 6, forward: who hears this packet? Fills the wave with (packet, receiver) jobs and
// remembers where it stopped. The leg says which sequence number the receiver sees.

#include "api/dp_assert.h"
#include "session/leg.h"
#include "session/receiver.h"
#include "session/room.h"
#include "session/session.h"
#include "stage/stages.h"
#include "worker/worker.h"

void forward_begin(struct forward_cursor *at)
{
	*at = (struct forward_cursor){0};
}

// Adds the copy of packet 'in' for the member at 'place'. False: counted and not made.
static bool add_copy(struct worker *w, const struct burst_packet *p, unsigned in, uint32_t receiver,
	uint32_t *leg, struct wave *out)
{
	struct stream *s = &w->sessions[p->session].audio;
	struct receiver *r = &w->receivers[receiver];
	struct wave_job *job = &out->job[out->count];
	uint32_t index;

	if (*leg == LEG_NONE) {
		*leg = leg_get(w, p->session, receiver, p->index);
		if (*leg == LEG_NONE) {
			worker_verdict_add(w, DP_NO_LEG, 1);
			return false;
		}
	}
	DP_ASSERT_HOT(w->leg_shm[*leg].receiver == receiver);
	DP_ASSERT_HOT(w->leg_shm[*leg].ssrc == s->ssrc);
	if (!leg_step(&w->leg_shm[*leg], s->continuity + r->continuity, p->index, &index)) {
		worker_verdict_add(w, DP_LATE, 1);
		return false;
	}
	job->receiver = receiver;
	job->in = (uint8_t)in;
	job->seq = (uint16_t)index;
	job->suite = (uint8_t)r->suite;
	out->count++;
	return true;
}

// Copies of one packet, from the cursor's place on. False: the wave is full.
static bool forward_packet(
	struct worker *w, struct burst_packet *p, struct forward_cursor *at, struct wave *out)
{
	struct session *sender = &w->sessions[p->session];
	const struct room *room = &w->rooms[sender->room];
	const uint32_t *members;
	uint32_t *legs;
	uint64_t jobs = 0, deaf = 0;
	bool all = true;

	if (!stream_attach(w, p->session)) {
		worker_count_add(w, DP_COUNTER_JOBS, 1);
		worker_verdict_add(w, DP_NO_LEG, 1);
		return true;
	}
	members = extent_words(w->extents, &room->members);
	legs = extent_words(w->extents, &sender->audio.legs);
	for (; at->member < room->member_count; at->member++) {
		uint32_t who = members[at->member];

		if (who == p->session)
			continue;
		if (!receiver_open(&w->receivers[who])) {
			deaf += !(w->receivers[who].state & RECEIVER_HEARS);
			continue;
		}
		if (out->count == DP_WAVE_MAX) {
			all = false; // this member goes first in the next wave
			break;
		}
		jobs++;
		at->any |= add_copy(w, p, at->in, who, &legs[at->member], out);
	}
	worker_count_add(w, DP_COUNTER_JOBS, jobs);
	worker_count_add(w, DP_COUNTER_DEAF, deaf);
	w->guild_shm[sender->guild].packets_out += jobs;
	return all;
}

bool forward_next_wave(
	struct worker *w, struct burst *b, struct forward_cursor *at, struct wave *out)
{
	DP_ASSERT(b->count <= DP_BURST_MAX);
	out->count = 0;
	for (; at->in < b->count; at->in++, at->member = 0, at->any = false) {
		struct burst_packet *p = &b->packet[at->in];

		if (!forward_packet(w, p, at, out))
			return true;
		p->verdict = at->any ? DP_FORWARDED : DP_NO_RECEIVER;
	}
	return out->count > 0;
}
