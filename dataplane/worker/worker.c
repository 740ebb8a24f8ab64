// SPDX-License-Identifier: BSD-3-Clause
//
// Memory of a worker: laid out once, filled once, never grown.

#include "worker/worker.h"

#include <errno.h>
#include <rte_cycles.h>
#include <rte_log.h>
#include <rte_mbuf.h>
#include <rte_random.h>
#include <rte_ring.h>
#include <stdlib.h>
#include <string.h>

#include "api/dp_assert.h"
#include "crypto/suite.h"
#include "session/guild.h"
#include "session/leg.h"
#include "session/receiver.h"
#include "session/room.h"
#include "session/session.h"
#include "session/shadow.h"
#include "table/arena.h"
#include "table/extents.h"
#include "table/flow_table.h"
#include "table/ssrc_table.h"
#include "worker/crossing.h"
#include "worker/ledger.h"

static_assert(
	sizeof(struct session) + sizeof(struct receiver) + sizeof(struct dp_session_shm) <= 4096,
	"architecture.md section 6: a session takes at most 4 KiB, legs apart");

struct worker_memory {
	struct worker worker; // first: a worker is its memory
	struct arena arena;
};

// Words for the lists of rooms and streams. A session alone in its room takes two lists of 8, each
// twice while it grows; in a room of n every stream has a list of up to 2 n, a place for each leg.
// Who speaks from another worker has a list as any stream.
static uint32_t extent_words_for(const struct worker *w)
{
	return 32 * (w->session_count + w->params.remote_count) + 2 * w->leg_count;
}

static void lay_out(struct worker *w, struct arena *a, uint64_t seed)
{
	w->sessions =
		arena_take(a, (w->session_count + w->params.remote_count) * sizeof(w->sessions[0]));
	w->receivers = arena_take(a, w->session_count * sizeof(w->receivers[0]));
	w->guilds = arena_take(a, w->guild_count * sizeof(w->guilds[0]));
	w->rooms = arena_take(a, w->room_count * sizeof(w->rooms[0]));
	w->legs = leg_pool_create(a, w->leg_count);
	w->extents = u32_extents_create(a, extent_words_for(w));
	w->ssrcs = ssrc_table_create(a, w->session_count, seed);
	w->flows = flow_table_create(a, w->session_count, seed);
	w->discovery_mask = DP_DISCOVERY_BUCKETS_MIN - 1;
	while (w->discovery_mask < 2 * w->session_count - 1)
		w->discovery_mask = 2 * w->discovery_mask + 1;
	w->discovery = arena_take(a, (w->discovery_mask + 1ul) * sizeof(w->discovery[0]));
	w->shadows = shadow_pool_create(a, w->params.remote_count, w->session_count);
	w->remote_ssrcs = ssrc_table_create(a, w->params.remote_count, seed);
	w->spread_mask = room_spread_size(w) - 1;
	w->spread_rooms = arena_take(a, (w->spread_mask + 1ul) * sizeof(w->spread_rooms[0]));
	w->seed = seed | 1;
}

static void map_progress(struct worker *w, struct dp_shm *shm)
{
	uint32_t index = w->params.index;

	w->shm = dp_shm_worker(shm, index);
	w->guild_shm = dp_shm_guilds(shm, index);
	w->session_shm = dp_shm_sessions(shm, index);
	w->leg_shm = dp_shm_legs(shm, index);
	w->guild_count = shm->guild_count;
	w->session_count = shm->session_count;
	w->leg_count = shm->leg_count;
	w->room_count = shm->session_count < DP_ROOMS_MAX ? shm->session_count : DP_ROOMS_MAX;
	ledger_settle(w->shm);
	w->shm->guilds = 0;
	w->shm->sessions = 0;
}

struct worker *worker_create(const struct worker_params *params)
{
	struct worker_memory *m;
	struct worker *w;
	uint64_t seed = rte_rand();
	char why[256];

	if (posix_memalign((void **)&m, DP_CACHE_LINE, sizeof(*m)) != 0)
		return NULL;
	memset(m, 0, sizeof(*m));
	w = &m->worker;
	w->params = *params;
	w->tsc_hz = rte_get_tsc_hz();
	stream_rates_init(w->rates, w->tsc_hz);
	map_progress(w, params->shm);
	DP_ASSERT(params->index < params->worker_count);
	DP_ASSERT(params->remote_count <= DP_REMOTE_STREAMS_MAX);
	DP_ASSERT(rte_pktmbuf_data_room_size(params->pool) >= CROSSING_SIZE_MAX);
	DP_ASSERT(w->session_count > 0 && w->session_count <= DP_SESSIONS_MAX);
	DP_ASSERT(w->leg_count > 1 && w->leg_count <= DP_LEGS_MAX);

	w->crypto = crypto_engine_create(params->crypto, why, sizeof(why));
	if (w->crypto == NULL) {
		RTE_LOG(ERR, USER1, "worker %u: %s\n", params->index, why);
		goto fail;
	}
	lay_out(w, &m->arena, seed);
	if (arena_map(&m->arena, params->numa_socket) < 0) {
		RTE_LOG(ERR, USER1, "worker %u: no memory for its tables; lower limits.sessions\n",
			params->index);
		goto fail_crypto;
	}
	lay_out(w, &m->arena, seed);
	for (uint32_t i = 0; i < w->session_count; i++)
		w->receivers[i].first_leg = INDEX_NONE;
	for (uint32_t i = 0; i <= w->spread_mask; i++)
		w->spread_rooms[i] = INDEX_NONE;
	leg_pool_adopt(w);
	return w;

fail_crypto:
	crypto_engine_destroy(w->crypto);
fail:
	free(m);
	return NULL;
}

static void drain(struct rte_ring *ring)
{
	void *mbuf;

	while (ring != NULL && rte_ring_dequeue(ring, &mbuf) == 0)
		rte_pktmbuf_free(mbuf);
}

void worker_destroy(struct worker *w)
{
	struct worker_memory *m = (struct worker_memory *)(void *)w;

	if (w == NULL)
		return;
	drain(w->params.rings[w->params.index].rx);
	drain(w->params.rings[w->params.index].tx);
	drain(w->params.rings[w->params.index].cross);
	for (uint32_t i = 0; i < w->session_count; i++) {
		if (w->receivers[i].state & RECEIVER_KEY)
			suite_key_wipe(w->crypto, &w->receivers[i].key);
	}
	crypto_engine_destroy(w->crypto);
	arena_unmap(&m->arena);
	free(m);
}
