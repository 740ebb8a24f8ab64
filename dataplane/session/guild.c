// SPDX-License-Identifier: BSD-3-Clause
//
// Guilds of a worker.

#include "session/guild.h"

#include <errno.h>

#include "api/dp_assert.h"
#include "session/room.h"
#include "session/session.h"
#include "table/index_list.h"
#include "worker/worker.h"

struct guild *guild_get(struct worker *w, struct dp_handle handle)
{
	if (handle.index >= w->guild_count || handle.generation == 0)
		return NULL;
	if (w->guilds[handle.index].generation != handle.generation)
		return NULL;
	return &w->guilds[handle.index];
}

int guild_open(struct worker *w, const struct dp_guild_open *cmd)
{
	struct guild *g = &w->guilds[cmd->guild.index];
	struct dp_guild_shm *shm = &w->guild_shm[cmd->guild.index];

	if (g->generation == cmd->guild.generation)
		return -EEXIST;
	if (g->generation != 0)
		return -EBUSY;
	*g = (struct guild){.guild_id = cmd->guild_id,
		.epoch = cmd->epoch,
		.generation = cmd->guild.generation,
		.first_session = INDEX_NONE,
		.first_room = INDEX_NONE};
	if (shm->generation != g->generation) // else: a successor counts on
		*shm = (struct dp_guild_shm){.generation = g->generation};
	shm->members = 0;
	__atomic_store_n(&shm->guild_id, g->guild_id, __ATOMIC_RELEASE);
	w->shm->guilds++;
	return 0;
}

int guild_close(struct worker *w, struct dp_handle handle)
{
	struct guild *g = guild_get(w, handle);

	if (g == NULL)
		return -ESTALE;
	for (unsigned i = 0; i < DP_CLOSES_PER_TURN && g->first_session != INDEX_NONE; i++)
		session_remove_slot(w, g->first_session);
	if (g->first_session != INDEX_NONE)
		return -EINPROGRESS;
	while (g->first_room != INDEX_NONE)
		room_remove_slot(w, g->first_room);
	DP_ASSERT(g->session_count == 0);
	DP_ASSERT(g->room_count == 0);
	__atomic_store_n(&w->guild_shm[handle.index].guild_id, 0, __ATOMIC_RELAXED);
	*g = (struct guild){0};
	w->shm->guilds--;
	return 0;
}
