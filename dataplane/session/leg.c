// SPDX-License-Identifier: BSD-3-Clause
//
// Pool of legs: in the progress memfd, with its hash and free list in the worker's memory.

#include "session/leg.h"

#include <errno.h>

#include "api/dp_assert.h"
#include "session/receiver.h"
#include "session/session.h"
#include "session/shadow.h"
#include "table/arena.h"
#include "table/index_list.h"
#include "table/ssrc_table.h"
#include "worker/worker.h"

struct leg_pool *leg_pool_create(struct arena *a, uint32_t leg_count)
{
	uint32_t hash_size = 16;
	struct leg_pool *p = arena_take(a, sizeof(*p));
	uint32_t *free_legs = arena_take(a, leg_count * sizeof(free_legs[0]));
	uint32_t *heads;

	while (hash_size < leg_count)
		hash_size *= 2;
	heads = arena_take(a, hash_size * sizeof(heads[0]));
	if (p == NULL)
		return NULL;
	for (uint32_t i = 0; i < hash_size; i++)
		heads[i] = INDEX_NONE;
	*p = (struct leg_pool){.free = free_legs, .heads = heads, .hash_mask = hash_size - 1};
	return p;
}

static uint32_t *head_of(const struct worker *w, uint32_t receiver, uint32_t ssrc)
{
	uint64_t mixed = ((uint64_t)receiver << 32 | ssrc) * 0x9e3779b97f4a7c15ull;

	return &w->legs->heads[(mixed >> 32) & w->legs->hash_mask];
}

static void chain(struct worker *w, uint32_t index)
{
	struct dp_leg_shm *leg = &w->leg_shm[index];
	uint32_t *head = head_of(w, leg->receiver, leg->ssrc);

	leg->hash_next = *head;
	*head = index;
	index_list_push(&w->receivers[leg->receiver].first_leg, &w->leg_shm[0].of_receiver,
		sizeof(*leg), index);
	w->shm->legs++;
}

// The stream is there: it frees the leg when it ends.
static void publish(struct worker *w, uint32_t sender, uint32_t index)
{
	struct dp_leg_shm *leg = &w->leg_shm[index];

	if (leg->published)
		return;
	leg->published = 1;
	leg->sender = sender;
	leg->remote = sender >= w->session_count;
	index_list_push(&w->sessions[sender].audio.first_leg, &w->leg_shm[0].of_stream,
		sizeof(*leg), index);
}

// The legs of other workers' streams have nobody who will ask for them at their speaker's end but
// the shadow, which is there again with them.
static void adopt_remote(struct worker *w, uint32_t index)
{
	uint32_t shadow = shadow_adopt(w, w->leg_shm[index].ssrc);

	if (shadow != INDEX_NONE)
		publish(w, shadow, index);
}

void leg_pool_adopt(struct worker *w)
{
	w->shm->legs = 0;
	for (uint32_t i = w->leg_count - 1; i > 0; i--) { // 0 is LEG_NONE
		struct dp_leg_shm *leg = &w->leg_shm[i];

		if (leg->receiver_generation != 0 && leg->receiver < w->session_count) {
			leg->published = 0; // until its stream is there again
			leg->continuity = LEG_CONTINUITY_UNKNOWN;
			chain(w, i);
			if (leg->remote)
				adopt_remote(w, i);
		} else {
			leg->receiver_generation = 0;
			w->legs->free[w->legs->free_count++] = i;
		}
	}
}

// A receiver of SRTP begins with roll-over counter 0, and takes the first packet for one of it
// only below 2^15 (architecture.md decision 8). Nothing from before the birth: there is no index
// below 0.
static void begin_at_zero(struct dp_leg_shm *leg, uint32_t index)
{
	leg->next_index = index & 0x7fff;
	leg->offset = index - leg->next_index;
	leg->floor_index = index;
}

uint32_t leg_get(struct worker *w, uint32_t sender, uint32_t receiver, uint32_t index)
{
	const struct stream *s = &w->sessions[sender].audio;
	uint32_t at = *head_of(w, receiver, s->ssrc);

	while (at != INDEX_NONE &&
		(w->leg_shm[at].receiver != receiver || w->leg_shm[at].ssrc != s->ssrc))
		at = w->leg_shm[at].hash_next;
	if (at == INDEX_NONE) {
		if (w->legs->free_count == 0)
			return LEG_NONE;
		at = w->legs->free[--w->legs->free_count];
		w->leg_shm[at] = (struct dp_leg_shm){.receiver = receiver,
			.ssrc = s->ssrc,
			.next_index = index,
			.floor_index = index - DP_REPLAY_WINDOW,
			.continuity = s->continuity + w->receivers[receiver].continuity};
		if (dp_suite_is_srtp(w->receivers[receiver].suite))
			begin_at_zero(&w->leg_shm[at], index);
		// Last: a successor takes over only what has a generation.
		__atomic_store_n(&w->leg_shm[at].receiver_generation,
			w->sessions[receiver].generation, __ATOMIC_RELEASE);
		chain(w, at);
	}
	publish(w, sender, at);
	return at;
}

static void forget(struct worker *w, uint32_t index)
{
	struct dp_leg_shm *leg = &w->leg_shm[index];
	uint32_t *at = head_of(w, leg->receiver, leg->ssrc);

	while (*at != index) {
		DP_ASSERT(*at != INDEX_NONE);
		at = &w->leg_shm[*at].hash_next;
	}
	*at = leg->hash_next;
	index_list_remove(&w->receivers[leg->receiver].first_leg, &w->leg_shm[0].of_receiver,
		sizeof(*leg), index);
	if (leg->published) {
		struct session *sender = &w->sessions[leg->sender];

		// A list that still names the leg must not find the next one that gets its place.
		if (sender->audio.attached && sender->room == w->sessions[leg->receiver].room)
			extent_words(w->extents,
				&sender->audio.legs)[w->sessions[leg->receiver].position] =
				LEG_NONE;
		index_list_remove(
			&sender->audio.first_leg, &w->leg_shm[0].of_stream, sizeof(*leg), index);
	}
	*leg = (struct dp_leg_shm){0};
	w->legs->free[w->legs->free_count++] = index;
	w->shm->legs--;
}

void leg_forget_receiver(struct worker *w, uint32_t receiver)
{
	while (w->receivers[receiver].first_leg != INDEX_NONE)
		forget(w, w->receivers[receiver].first_leg);
}

void leg_forget_stream(struct worker *w, uint32_t sender)
{
	while (w->sessions[sender].audio.first_leg != INDEX_NONE)
		forget(w, w->sessions[sender].audio.first_leg);
}

static void unpublish(struct worker *w, uint32_t index)
{
	struct dp_leg_shm *leg = &w->leg_shm[index];

	index_list_remove(&w->sessions[leg->sender].audio.first_leg, &w->leg_shm[0].of_stream,
		sizeof(*leg), index);
	leg->published = 0;
}

// Also of who has no key yet: it may come to go on with it.
static bool may_have_srtp(const struct receiver *r)
{
	return r->suite == DP_SUITE_NONE || dp_suite_is_srtp(r->suite);
}

void leg_release_stream(struct worker *w, uint32_t sender)
{
	uint32_t *first = &w->sessions[sender].audio.first_leg;

	DP_ASSERT(!w->sessions[sender].audio.attached);
	while (*first != INDEX_NONE) {
		if (may_have_srtp(&w->receivers[w->leg_shm[*first].receiver]))
			unpublish(w, *first);
		else
			forget(w, *first);
	}
}

void leg_unpublish_stream(struct worker *w, uint32_t sender)
{
	uint32_t *first = &w->sessions[sender].audio.first_leg;

	DP_ASSERT(!w->sessions[sender].audio.attached);
	while (*first != INDEX_NONE)
		unpublish(w, *first);
}

static bool is_orphan(const struct worker *w, const struct dp_leg_shm *leg)
{
	if (leg->receiver_generation == 0)
		return false;
	if (w->sessions[leg->receiver].generation != leg->receiver_generation)
		return true;
	// What speaks elsewhere may do so again, whoever is told here.
	return !leg->published && !leg->remote &&
	       ssrc_table_find(w->ssrcs, leg->ssrc) == INDEX_NONE;
}

int leg_forget_orphans(struct worker *w)
{
	for (unsigned i = 0; i < DP_LEGS_PER_TURN && w->leg_swept < w->leg_count; i++) {
		uint32_t index = w->leg_swept++;

		if (index != LEG_NONE && is_orphan(w, &w->leg_shm[index]))
			forget(w, index);
	}
	if (w->leg_swept < w->leg_count)
		return -EINPROGRESS;
	w->leg_swept = 0;
	return 0;
}
