// SPDX-License-Identifier: BSD-3-Clause
//
// What placement.h needs to know, out of the tables.

#include <errno.h>
#include <stddef.h>

#include "registry/placement.h"
#include "registry/table.h"

// Slots that tokens wait for are as good as taken.
static uint32_t sessions_left(const struct registry *registry, uint32_t worker)
{
	uint32_t left = slot_pool_left(&registry->session_pool[worker]);
	uint32_t pending = registry->pending_live[worker];

	return left > pending ? left - pending : 0;
}

static void fill(const struct registry *registry, struct placement_worker *workers)
{
	for (uint32_t worker = 0; worker < registry->worker_count; worker++)
		workers[worker] = (struct placement_worker){
			.capacity_pps = registry->capacity_pps[worker],
			.used_pps = registry->used_pps[worker],
			.sessions_left = sessions_left(registry, worker),
			.rooms_left = slot_pool_left(&registry->room_pool[worker]),
			.guilds_left = slot_pool_left(&registry->guild_pool[worker]),
			.sessions = registry->sessions_live[worker],
			.guilds = registry->guilds_live[worker],
		};
}

static void fill_channel(
	struct placement_worker *workers, const struct guild *guild, uint64_t channel_id)
{
	const struct room *room = registry_room_find(guild, channel_id);

	for (const struct guild_part *part = guild->parts; part != NULL; part = part->next)
		workers[part->worker].has_guild = true;
	if (room == NULL)
		return;
	for (const struct room_part *part = room->parts; part != NULL; part = part->next) {
		workers[part->worker].has_room = true;
		workers[part->worker].members = part->member_count + part->arriving_count;
	}
}

int registry_place_guild(const struct registry *registry)
{
	struct placement_worker workers[DP_WORKERS_MAX];

	fill(registry, workers);
	return placement_choose_home(workers, registry->worker_count);
}

static int place(const struct registry *registry, const struct guild *guild, uint64_t channel_id,
	const struct placement_request *request, struct placement_refusal *refusal)
{
	struct placement_worker workers[DP_WORKERS_MAX];

	fill(registry, workers);
	fill_channel(workers, guild, channel_id);
	return placement_choose(workers, request, refusal);
}

static uint32_t price_of(const struct session *session)
{
	return session->room == NULL ? 0 : placement_price(session->room->size);
}

// Who comes again to where it is takes its own place.
int registry_place(const struct registry *registry, const struct guild *guild, uint64_t channel_id,
	uint64_t user_id, struct placement_refusal *refusal)
{
	const struct session *session =
		registry_session_find(registry, guild->intent->guild_id, user_id);
	struct placement_request request = {
		.worker_count = registry->worker_count, .first = guild->worker};

	if (session != NULL && session->room != NULL && session->room->channel_id == channel_id)
		return (int)session->worker;
	if (session != NULL) {
		request.first = session->worker;
		request.given_back_pps = price_of(session);
	}
	return place(registry, guild, channel_id, &request, refusal);
}

int registry_place_move(const struct registry *registry, const struct session *session,
	uint64_t channel_id, struct placement_refusal *refusal)
{
	const struct placement_request request = {.worker_count = registry->worker_count,
		.first = session->worker,
		.only_first = true,
		.given_back_pps = price_of(session)};
	int worker;

	if (channel_id == 0 || (session->room != NULL && session->room->channel_id == channel_id))
		return 0;
	worker = place(registry, session->guild, channel_id, &request, refusal);
	return worker < 0 ? worker : 0;
}

void registry_load(const struct registry *registry, uint32_t worker, struct registry_load *load)
{
	*load = (struct registry_load){
		.guilds = registry->guilds_live[worker],
		.sessions = registry->sessions_live[worker],
		.capacity_pps = registry->capacity_pps[worker],
		.budget_pps = placement_budget(registry->capacity_pps[worker]),
		.used_pps = registry->used_pps[worker],
	};
}

void registry_set_capacity(struct registry *registry, uint32_t worker, uint64_t capacity_pps)
{
	registry->capacity_pps[worker] =
		capacity_pps == 0 ? PLACEMENT_CAPACITY_DEFAULT : capacity_pps;
}
