// SPDX-License-Identifier: BSD-3-Clause
//
// Members in voice.

#include "session/session.h"

#include <errno.h>

#include "api/dp_assert.h"
#include "session/guild.h"
#include "session/leg.h"
#include "session/receiver.h"
#include "session/room.h"
#include "session/shadow.h"
#include "table/ssrc_table.h"
#include "worker/crossing.h"
#include "worker/worker.h"

uint32_t session_slot(const struct worker *w, struct dp_handle handle)
{
	if (handle.index >= w->session_count || handle.generation == 0)
		return INDEX_NONE;
	if (w->sessions[handle.index].generation != handle.generation)
		return INDEX_NONE;
	return handle.index;
}

static void apply_flags(struct worker *w, uint32_t slot, uint32_t flags)
{
	struct session *s = &w->sessions[slot];
	struct receiver *r = &w->receivers[slot];

	if ((s->flags & DP_SESSION_MUTE) && !(flags & DP_SESSION_MUTE))
		s->audio.continuity++; // what was said under mute is not missed
	s->flags = flags;
	if (flags & DP_SESSION_DEAF_ANY)
		receiver_set_state(r, 0, RECEIVER_HEARS);
	else
		receiver_set_state(r, RECEIVER_HEARS, 0);
}

// A successor of a dead dataplane finds the slot as it was left; anybody else starts anew.
static void take_over(struct worker *w, uint32_t slot)
{
	struct session *s = &w->sessions[slot];
	struct dp_session_shm *shm = &w->session_shm[slot];

	if (shm->generation == s->generation) {
		// Who heard of it is not known any more: all of them may have.
		if (w->params.remote_count > 0)
			s->crossed_to = (~0ull >> (64 - w->params.worker_count)) &
					~(1ull << w->params.index);
		if (shm->index_max != 0)
			replay_resume(&s->audio.replay, shm->index_max);
		receiver_restore(w, slot);
		return;
	}
	leg_forget_receiver(w, slot); // of whoever had the slot when the last dataplane died
	__atomic_store_n(&shm->generation, 0, __ATOMIC_RELEASE);
	*shm = (struct dp_session_shm){0};
	__atomic_store_n(&shm->generation, s->generation, __ATOMIC_RELEASE);
}

int session_add(struct worker *w, const struct dp_session_add *cmd)
{
	uint32_t slot = cmd->session.index, room = INDEX_NONE;
	struct session *s = &w->sessions[slot];
	struct guild *g = guild_get(w, cmd->guild);
	int ret;

	if (g == NULL)
		return -ESTALE;
	if (s->generation == cmd->session.generation)
		return -EEXIST;
	if (s->generation != 0)
		return -EBUSY;
	if (cmd->room.generation != 0) {
		struct room *r = room_get(w, cmd->room);

		if (r == NULL || r->guild != cmd->guild.index)
			return -ESTALE;
		room = cmd->room.index;
	}
	if (ssrc_table_add(w->ssrcs, cmd->ssrc, slot) < 0)
		return -EINVAL;
	*s = (struct session){.generation = cmd->session.generation,
		.guild = cmd->guild.index,
		.room = INDEX_NONE,
		.ssrc = cmd->ssrc};
	s->audio =
		(struct stream){.ssrc = cmd->ssrc, .first_leg = INDEX_NONE, .kind = STREAM_AUDIO};
	replay_init(&s->audio.replay);
	shadow_yield(w, cmd->ssrc);
	index_list_push(&g->first_session, &w->sessions[0].of_guild, sizeof(*s), slot);
	g->session_count++;
	w->guild_shm[s->guild].members++;
	w->shm->sessions++;
	take_over(w, slot);
	apply_flags(w, slot, cmd->flags);
	ret = room == INDEX_NONE ? 0 : room_join(w, room, slot);
	if (ret < 0)
		session_remove_slot(w, slot);
	return ret;
}

int session_set(struct worker *w, const struct dp_session_set *cmd)
{
	uint32_t slot = session_slot(w, cmd->session), room = INDEX_NONE;
	struct session *s;

	if (slot == INDEX_NONE)
		return -ESTALE;
	s = &w->sessions[slot];
	if (cmd->room.generation != 0) {
		struct room *r = room_get(w, cmd->room);

		if (r == NULL || r->guild != s->guild)
			return -ESTALE;
		room = cmd->room.index;
	}
	apply_flags(w, slot, cmd->flags);
	if (room == s->room)
		return 0;
	room_leave(w, slot);
	return room == INDEX_NONE ? 0 : room_join(w, room, slot);
}

void session_remove_slot(struct worker *w, uint32_t slot)
{
	struct session *s = &w->sessions[slot];
	struct guild *g = &w->guilds[s->guild];

	DP_ASSERT(s->generation != 0);
	room_leave(w, slot);
	crossing_tell(w, s->crossed_to, &(struct crossing){.ssrc = s->ssrc, .kind = CROSSING_GONE});
	leg_forget_stream(w, slot);
	receiver_fini(w, slot);
	ssrc_table_remove(w->ssrcs, s->ssrc);
	index_list_remove(&g->first_session, &w->sessions[0].of_guild, sizeof(*s), slot);
	g->session_count--;
	w->guild_shm[s->guild].members--;
	w->shm->sessions--;
	// The generation stays in the memfd: the pair (generation, key id) is never given again.
	w->session_shm[slot].address_state = DP_ADDRESS_NONE;
	*s = (struct session){0};
}
