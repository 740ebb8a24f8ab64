// SPDX-License-Identifier: BSD-3-Clause
//
// Speakers of other workers.

#include "session/shadow.h"

#include "api/dp_assert.h"
#include "session/guild.h"
#include "session/leg.h"
#include "session/room.h"
#include "session/session.h"
#include "table/arena.h"
#include "table/ssrc_table.h"
#include "worker/crossing.h"
#include "worker/worker.h"

struct shadow_pool *shadow_pool_create(struct arena *a, uint32_t count, uint32_t first_slot)
{
	struct shadow_pool *p = arena_take(a, sizeof(*p));
	struct shadow_place *places = arena_take(a, (count + 1ul) * sizeof(places[0]));
	uint32_t *free_slots = arena_take(a, count * sizeof(free_slots[0]));

	if (p == NULL)
		return NULL;
	places[count] = (struct shadow_place){.newer = count, .older = count};
	for (uint32_t i = 0; i < count; i++)
		free_slots[i] = first_slot + count - 1 - i;
	*p = (struct shadow_pool){.places = places,
		.free = free_slots,
		.free_count = count,
		.first_slot = first_slot,
		.count = count};
	return p;
}

static void unlink_place(struct shadow_pool *p, uint32_t at)
{
	p->places[p->places[at].newer].older = p->places[at].older;
	p->places[p->places[at].older].newer = p->places[at].newer;
}

// As the newest: before the end's 'older' neighbour, which is the newest so far.
static void link_place(struct shadow_pool *p, uint32_t at)
{
	uint32_t end = p->count, newest = p->places[end].older;

	p->places[at].newer = end;
	p->places[at].older = newest;
	p->places[newest].newer = at;
	p->places[end].older = at;
}

static void touch(struct worker *w, uint32_t slot)
{
	struct shadow_pool *p = w->shadows;
	uint32_t at = slot - p->first_slot;

	p->places[at].heard_tsc = w->now_tsc;
	if (p->places[p->count].older == at)
		return;
	unlink_place(p, at);
	link_place(p, at);
}

static void leave(struct worker *w, uint32_t slot)
{
	struct session *s = &w->sessions[slot];

	if (s->room == INDEX_NONE)
		return;
	stream_detach(w, slot);
	s->room = INDEX_NONE;
}

// A shadow that is in a room is attached to it, so that the room can find it.
static bool enter(struct worker *w, uint32_t slot, uint32_t room)
{
	struct session *s = &w->sessions[slot];

	DP_ASSERT(s->room == INDEX_NONE);
	s->room = room;
	s->guild = w->rooms[room].guild;
	if (stream_attach(w, slot))
		return true;
	s->room = INDEX_NONE;
	return false;
}

// Its legs are the caller's to see to first.
static void release(struct worker *w, uint32_t slot)
{
	struct shadow_pool *p = w->shadows;
	struct session *s = &w->sessions[slot];

	DP_ASSERT(s->room == INDEX_NONE && s->audio.first_leg == INDEX_NONE);
	ssrc_table_remove(w->remote_ssrcs, s->ssrc);
	unlink_place(p, slot - p->first_slot);
	p->free[p->free_count++] = slot;
	*s = (struct session){0};
}

// The one that was silent for longest, if it was long enough: else more speak at once than there
// are places, and they would take them from each other with every packet.
static bool make_place(struct worker *w)
{
	struct shadow_pool *p = w->shadows;
	uint32_t oldest = p->places[p->count].newer;

	if (oldest == p->count ||
		w->now_tsc - p->places[oldest].heard_tsc < w->tsc_hz / 1000 * DP_REMOTE_SILENT_MS)
		return false;
	leave(w, p->first_slot + oldest);
	leg_release_stream(w, p->first_slot + oldest);
	release(w, p->first_slot + oldest);
	return true;
}

static uint32_t born(struct worker *w, uint32_t ssrc)
{
	struct shadow_pool *p = w->shadows;
	uint32_t slot;

	if (p->free_count == 0 && !make_place(w))
		return INDEX_NONE;
	slot = p->free[--p->free_count];
	if (ssrc_table_add(w->remote_ssrcs, ssrc, slot) != 0)
		DP_ASSERT(!"who has a shadow gets no second one");
	w->sessions[slot] = (struct session){.generation = 1, .room = INDEX_NONE, .ssrc = ssrc};
	w->sessions[slot].audio =
		(struct stream){.ssrc = ssrc, .first_leg = INDEX_NONE, .kind = STREAM_AUDIO};
	p->places[slot - p->first_slot].heard_tsc = 0;
	link_place(p, slot - p->first_slot);
	return slot;
}

uint32_t shadow_find(const struct worker *w, uint32_t ssrc)
{
	return ssrc_table_find(w->remote_ssrcs, ssrc);
}

static bool is_in(const struct worker *w, uint32_t slot, const struct crossing *packet)
{
	uint32_t room = w->sessions[slot].room;

	return room != INDEX_NONE && w->rooms[room].channel_id == packet->channel_id &&
	       w->guilds[w->rooms[room].guild].guild_id == packet->guild_id;
}

static enum dp_verdict move(struct worker *w, const struct crossing *packet, uint32_t *slot)
{
	uint32_t room = room_find(w, packet->guild_id, packet->channel_id);

	if (*slot != INDEX_NONE)
		leave(w, *slot);
	if (room == INDEX_NONE || ssrc_table_find(w->ssrcs, packet->ssrc) != INDEX_NONE)
		return DP_CROSS_STRAY;
	if (*slot == INDEX_NONE)
		*slot = born(w, packet->ssrc);
	if (*slot == INDEX_NONE || !enter(w, *slot, room))
		return DP_REMOTE_FULL;
	return DP_OK;
}

enum dp_verdict shadow_hear(struct worker *w, const struct crossing *packet, uint32_t *slot)
{
	enum dp_verdict verdict;

	*slot = shadow_find(w, packet->ssrc);
	if (*slot == INDEX_NONE || !is_in(w, *slot, packet)) {
		verdict = move(w, packet, slot);
		if (verdict != DP_OK)
			return verdict;
	}
	touch(w, *slot);
	w->sessions[*slot].audio.continuity = packet->continuity;
	return DP_OK;
}

uint32_t shadow_adopt(struct worker *w, uint32_t ssrc)
{
	uint32_t slot = shadow_find(w, ssrc);

	if (slot != INDEX_NONE || w->shadows->free_count == 0)
		return slot;
	return born(w, ssrc);
}

void shadow_gone(struct worker *w, uint32_t ssrc)
{
	uint32_t slot = shadow_find(w, ssrc);

	if (slot == INDEX_NONE)
		return;
	leave(w, slot);
	leg_forget_stream(w, slot);
	release(w, slot);
}

void shadow_yield(struct worker *w, uint32_t ssrc)
{
	uint32_t slot = shadow_find(w, ssrc);

	if (slot == INDEX_NONE)
		return;
	leave(w, slot);
	leg_unpublish_stream(w, slot);
	release(w, slot);
}

void shadow_clear_room(struct worker *w, uint32_t room)
{
	uint32_t at = w->rooms[room].first_stream, next;

	for (; at != INDEX_NONE; at = next) {
		next = w->sessions[at].audio.of_room.next;
		if (at >= w->session_count)
			leave(w, at);
	}
}
