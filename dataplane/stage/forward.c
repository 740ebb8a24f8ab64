// SPDX-License-Identifier: BSD-3-Clause
//
// Stage 6, forward: who hears this packet? In two steps, so that memory comes while the wave before
// is sealed: the plan only names receivers and legs, from lists; the step looks at them, says who
// is sent a copy and, by the leg, with which sequence number.

#include <rte_prefetch.h>

#include "api/dp_assert.h"
#include "session/leg.h"
#include "session/receiver.h"
#include "session/room.h"
#include "session/session.h"
#include "stage/stages.h"
#include "worker/worker.h"

// From so many sessions on, keys do not stay in the last cache (1.5 KiB each), and the cipher's own
// look-ahead within a wave is too short for what is behind it.
#define FETCH_KEYS_FROM 16384u

void forward_begin(struct burst *b, struct forward_cursor *at)
{
	DP_ASSERT(b->count <= DP_IN_HAND_MAX);
	*at = (struct forward_cursor){0};
	b->lengthy = false;
	for (unsigned i = 0; i < b->count; i++) {
		b->packet[i].copies = 0;
		b->lengthy |= b->packet[i].clear_size > DP_COPY_SIZE_SURE;
	}
}

// Receivers of one packet, from the cursor's place on. False: the wave is full.
static bool plan_packet(
	struct worker *w, const struct burst_packet *p, struct forward_cursor *at, struct wave *out)
{
	const struct session *sender = &w->sessions[p->session];
	const struct room *room = &w->rooms[sender->room];
	const uint32_t *members, *legs;
	uint32_t member = at->member, leg_at;
	unsigned count = out->count;

	if (!stream_attach(w, p->session)) {
		worker_count_add(w, DP_COUNTER_JOBS, 1);
		worker_verdict_add(w, DP_NO_LEG, 1);
		return true;
	}
	members = extent_words(w->extents, &room->members);
	legs = extent_words(w->extents, &sender->audio.legs);
	leg_at = sender->audio.legs.offset;
	for (; member < room->member_count && count < DP_WAVE_MAX; member++) {
		if (members[member] == p->session)
			continue;
		out->job[count++] = (struct wave_job){.receiver = members[member],
			.leg_at = leg_at + member,
			.index = legs[member],
			.in = (uint8_t)at->in};
	}
	out->count = count;
	at->member = member;
	return member == room->member_count;
}

void forward_plan(
	struct worker *w, const struct burst *b, struct forward_cursor *at, struct wave *out)
{
	out->count = 0;
	for (; at->in < b->count; at->in++, at->member = 0) {
		if (!plan_packet(w, &b->packet[at->in], at, out))
			return;
	}
}

void forward_fetch(
	const struct worker *w, const struct wave *planned, unsigned from, unsigned count)
{
	unsigned end = from + count < planned->count ? from + count : planned->count;
	bool keys = w->shm->sessions > FETCH_KEYS_FROM;
	bool interleaves = crypto_engine_interleaves(w->crypto);

	for (unsigned i = from; i < end; i++) {
		const struct receiver *r = &w->receivers[planned->job[i].receiver];

		rte_prefetch0(&r->headers);
		rte_prefetch0(&r->state);
		rte_prefetch0(&w->leg_shm[planned->job[i].index]);
		if (keys)
			suite_key_prefetch(&r->key, r->suite, interleaves);
	}
}

// The copy's index. False: counted and not sent.
static inline bool step(struct worker *w, const struct burst_packet *p, const struct receiver *r,
	const struct wave_job *job, uint32_t *index)
{
	const struct stream *s = &w->sessions[p->session].audio;
	uint32_t *leg = &w->extents->words[job->leg_at];

	if (__builtin_expect(*leg == LEG_NONE, 0)) {
		*leg = leg_get(w, p->session, job->receiver, p->index);
		if (*leg == LEG_NONE) {
			worker_verdict_add(w, DP_NO_LEG, 1);
			return false;
		}
	}
	DP_ASSERT_HOT(w->leg_shm[*leg].receiver == job->receiver);
	DP_ASSERT_HOT(w->leg_shm[*leg].ssrc == s->ssrc);
	if (!leg_step(&w->leg_shm[*leg], s->continuity + r->continuity, p->index, index)) {
		worker_verdict_add(w, DP_LATE, 1);
		return false;
	}
	if (__builtin_expect(dp_suite_is_srtp(r->suite) && *index >= DP_SRTP_INDEXES_MAX, 0)) {
		worker_verdict_add(w, DP_NONCE_SPENT, 1); // before the leg's numbers begin again
		return false;
	}
	return true;
}

void forward_wave(struct worker *w, struct burst *b, struct wave *out)
{
	unsigned kept = 0, jobs = 0, deaf = 0;
	uint32_t suites = 0;

	for (unsigned i = 0; i < out->count; i++) {
		const struct wave_job job = out->job[i];
		const struct receiver *r = &w->receivers[job.receiver];
		struct burst_packet *p = &b->packet[job.in];
		uint32_t index;

		if (__builtin_expect(!receiver_open(r), 0)) {
			deaf += !(r->state & RECEIVER_HEARS);
			continue;
		}
		jobs++;
		if (!step(w, p, r, &job, &index))
			continue;
		p->copies++;
		suites |= 1u << r->suite;
		out->job[kept++] = (struct wave_job){.receiver = job.receiver,
			.index = index,
			.in = job.in,
			.suite = (uint8_t)r->suite};
	}
	out->count = kept;
	out->suites = suites;
	worker_count_add(w, DP_COUNTER_JOBS, jobs);
	worker_count_add(w, DP_COUNTER_DEAF, deaf);
}

// Where the worker has no listener of its own, others may have.
static bool crossed(const struct worker *w, const struct burst_packet *p)
{
	return p->session < w->session_count && w->rooms[w->sessions[p->session].room].peers != 0;
}

void forward_end(struct worker *w, struct burst *b)
{
	for (unsigned i = 0; i < b->count; i++) {
		struct burst_packet *p = &b->packet[i];

		p->verdict = p->copies > 0 || crossed(w, p) ? DP_FORWARDED : DP_NO_RECEIVER;
		w->guild_shm[w->sessions[p->session].guild].packets_out += p->copies;
	}
}
