// SPDX-License-Identifier: BSD-3-Clause
//
// Scans over at most 64 workers, when a guild or a member arrives.

#include "registry/placement.h"

#include <errno.h>
#include <stddef.h>

#include "api/dp_limits.h"

#define MILLI 1000u

// log2 in thousandths, linear between powers of two: smooth is what matters.
static uint32_t milli_log2(uint32_t value)
{
	uint32_t whole = 31u - (uint32_t)__builtin_clz(value);
	uint64_t rest = value - (1u << whole);

	return whole * MILLI + (uint32_t)(rest * MILLI >> whole);
}

uint32_t placement_price(uint32_t member_count)
{
	uint32_t speakers;

	if (member_count < 2)
		member_count = 2;
	speakers = MILLI + (milli_log2(member_count) - MILLI) / 4;
	if (speakers > PLACEMENT_MILLISPEAKERS_MAX)
		speakers = PLACEMENT_MILLISPEAKERS_MAX;
	return speakers * PLACEMENT_STREAM_PPS / MILLI;
}

uint64_t placement_budget(uint64_t capacity_pps)
{
	return capacity_pps * PLACEMENT_FILL_EIGHTHS / 8;
}

// Sums over the workers that one choice needs again and again.
struct channel {
	uint32_t parts;
	uint32_t price;        // of the one who comes
	uint32_t growth;       // of everybody who is there
	uint32_t overgrown;    // workers that do not bear it
	uint32_t overgrown_at; // the last of them
};

static uint64_t growth_at(const struct placement_worker *worker, const struct channel *channel)
{
	return (uint64_t)worker->members * channel->growth;
}

static struct channel channel_of(const struct placement_worker *workers, uint32_t worker_count)
{
	struct channel channel = {0};
	uint32_t size = 0;

	for (uint32_t at = 0; at < worker_count; at++) {
		size += workers[at].members;
		channel.parts += workers[at].has_room;
	}
	channel.price = placement_price(size + 1);
	channel.growth = channel.price - placement_price(size);
	for (uint32_t at = 0; at < worker_count; at++) {
		uint64_t growth = growth_at(&workers[at], &channel);

		if (growth == 0 || workers[at].used_pps + growth <= workers[at].capacity_pps)
			continue;
		channel.overgrown++;
		channel.overgrown_at = at;
	}
	return channel;
}

static bool has_slots(const struct placement_worker *worker, const struct channel *channel)
{
	return worker->sessions_left > 0 && worker->members < DP_ROOM_RECEIVERS_MAX &&
	       (worker->has_guild || worker->guilds_left > 0) &&
	       (worker->has_room ||
		       (worker->rooms_left > 0 && channel->parts < PLACEMENT_PARTS_MAX));
}

static uint64_t price_at(const struct placement_worker *worker, const struct channel *channel)
{
	return channel->price + growth_at(worker, channel);
}

static bool has_budget(const struct placement_worker *workers, uint32_t at,
	const struct channel *channel, uint32_t given_back)
{
	const struct placement_worker *worker = &workers[at];
	uint64_t used = worker->used_pps > given_back ? worker->used_pps - given_back : 0;

	// The others of the channel must bear it, too, wherever they are.
	if (channel->overgrown > 1 || (channel->overgrown == 1 && channel->overgrown_at != at))
		return false;
	return used + price_at(worker, channel) <= placement_budget(worker->capacity_pps);
}

static bool is_less_used(const struct placement_worker *a, const struct placement_worker *b)
{
	return a->used_pps * b->capacity_pps < b->used_pps * a->capacity_pps;
}

static bool is_better(const struct placement_worker *a, const struct placement_worker *b)
{
	if (a->has_room != b->has_room)
		return a->has_room; // every part costs each packet of speech a hand-over
	return is_less_used(a, b);
}

static void explain(const struct placement_worker *worker, uint32_t at,
	const struct channel *channel, struct placement_refusal *refusal)
{
	*refusal = (struct placement_refusal){.worker = at,
		.capacity_pps = worker->capacity_pps,
		.used_pps = worker->used_pps,
		.price_pps = price_at(worker, channel)};
}

// Of the workers that have slots, the one that lacks budget least; or the one that does not bear
// what the channel grows by, where that is all that is wrong.
static int refuse(const struct placement_worker *workers, const struct placement_request *request,
	const struct channel *channel, struct placement_refusal *refusal)
{
	const struct placement_worker *nearest = NULL;

	for (uint32_t at = 0; at < request->worker_count; at++) {
		const struct placement_worker *worker = &workers[at];

		if (!has_slots(worker, channel) || (request->only_first && at != request->first))
			continue;
		if (nearest == NULL || is_less_used(worker, nearest))
			nearest = worker;
	}
	if (nearest == NULL)
		return -ENOSPC;
	if (channel->overgrown > 0)
		nearest = &workers[channel->overgrown_at];
	explain(nearest, (uint32_t)(nearest - workers), channel, refusal);
	if (channel->overgrown > 0)
		refusal->price_pps = growth_at(nearest, channel);
	return -EDQUOT;
}

int placement_choose(const struct placement_worker *workers,
	const struct placement_request *request, struct placement_refusal *refusal)
{
	struct channel channel = channel_of(workers, request->worker_count);
	int chosen = -1;

	if (has_slots(&workers[request->first], &channel) &&
		has_budget(workers, request->first, &channel, request->given_back_pps))
		return (int)request->first;
	for (uint32_t at = 0; at < request->worker_count && !request->only_first; at++)
		if (has_slots(&workers[at], &channel) && has_budget(workers, at, &channel, 0) &&
			(chosen < 0 || is_better(&workers[at], &workers[chosen])))
			chosen = (int)at;
	return chosen >= 0 ? chosen : refuse(workers, request, &channel, refusal);
}

static bool is_lighter(const struct placement_worker *a, const struct placement_worker *b)
{
	if (is_less_used(a, b) || is_less_used(b, a))
		return is_less_used(a, b);
	if (a->sessions != b->sessions)
		return a->sessions < b->sessions;
	return a->guilds < b->guilds;
}

int placement_choose_home(const struct placement_worker *workers, uint32_t worker_count)
{
	int chosen = -ENOSPC;

	for (uint32_t at = 0; at < worker_count; at++)
		if (workers[at].guilds_left > 0 && workers[at].sessions_left > 0 &&
			(chosen < 0 || is_lighter(&workers[at], &workers[chosen])))
			chosen = (int)at;
	return chosen;
}
