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

void forward_begin(struct worker *w, struct burst *b, struct forward_cursor *at)
{
	DP_ASSERT(b->count <= DP_IN_HAND_MAX);
	*at = (struct forward_cursor){0};
	b->lengthy = false;
	for (unsigned i = 0; i < b->count; i++) {
		const struct session *s = &w->sessions[b->packet[i].session];

		__builtin_prefetch(extent_words(w->extents, &w->rooms[s->room].members));
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

// The leg of a receiver who hears the stream for the first time. False: there is none left.
static bool bear_leg(
	struct worker *w, uint32_t sender, uint32_t receiver, uint32_t index, uint32_t *leg)
{
	*leg = leg_get(w, sender, receiver, index);
	if (*leg != LEG_NONE)
		return true;
	worker_verdict_add(w, DP_NO_LEG, 1);
	return false;
}

// What became of a wave's pairs.
struct forward_tally {
	unsigned kept, jobs, deaf;
	uint32_t suites;
};

// The copies of one packet that follow each other, from job 'first' on. Returns the next job. What
// is the same for all of them is read once, whatever the stores in between may alias.
static unsigned step_run(struct worker *w, struct burst *b, struct wave *out, unsigned first,
	struct forward_tally *tally)
{
	const struct receiver *receivers = w->receivers;
	struct dp_leg_shm *legs = w->leg_shm;
	uint32_t *words = w->extents->words;
	const unsigned count = out->count, in = out->job[first].in;
	struct burst_packet *p = &b->packet[in];
	const uint32_t continuity = w->sessions[p->session].audio.continuity;
	const uint32_t incoming = p->index, sender = p->session;
	unsigned kept = tally->kept, jobs = 0, deaf = 0, i;
	uint32_t suites = 0;

	for (i = first; i < count && out->job[i].in == in; i++) {
		const uint32_t receiver = out->job[i].receiver;
		const struct receiver *r = &receivers[receiver];
		const uint32_t suite = r->suite;
		uint32_t *leg = &words[out->job[i].leg_at], index;

		if (__builtin_expect(!receiver_open(r), 0)) {
			deaf += !(r->state & RECEIVER_HEARS);
			continue;
		}
		jobs++;
		if (__builtin_expect(*leg == LEG_NONE, 0) &&
			!bear_leg(w, sender, receiver, incoming, leg))
			continue;
		DP_ASSERT_HOT(legs[*leg].receiver == receiver);
		DP_ASSERT_HOT(legs[*leg].ssrc == w->sessions[sender].audio.ssrc);
		if (!leg_step(&legs[*leg], continuity + r->continuity, incoming, &index)) {
			worker_verdict_add(w, DP_LATE, 1);
			continue;
		}
		if (__builtin_expect(dp_suite_is_srtp(suite) && index >= DP_SRTP_INDEXES_MAX, 0)) {
			worker_verdict_add(w, DP_NONCE_SPENT, 1); // before the numbers begin again
			continue;
		}
		suites |= 1u << suite;
		out->job[kept++] = (struct wave_job){.receiver = receiver,
			.index = index,
			.in = (uint8_t)in,
			.suite = (uint8_t)suite};
	}
	p->copies += kept - tally->kept;
	tally->kept = kept;
	tally->jobs += jobs;
	tally->deaf += deaf;
	tally->suites |= suites;
	return i;
}

void forward_wave(struct worker *w, struct burst *b, struct wave *out)
{
	struct forward_tally tally = {0};

	for (unsigned i = 0; i < out->count;)
		i = step_run(w, b, out, i, &tally);
	out->count = tally.kept;
	out->suites = tally.suites;
	worker_count_add(w, DP_COUNTER_JOBS, tally.jobs);
	worker_count_add(w, DP_COUNTER_DEAF, tally.deaf);
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
