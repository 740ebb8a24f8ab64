// SPDX-License-Identifier: BSD-3-Clause
//
// Which worker a guild and a session get, and what a session costs. The unit is the packet that a
// worker seals and sends, per second (pps).
//
// The model: in a voice channel of N members so many speak at once that a member hears
// 1 + (log2 N - 1) / 4 others, at most 3: two who talk to each other hear one, ten hear 1.6, from
// 512 on they hear 3. Each stream is 50 packets a second, so that is a member's price, and a
// worker's use is the sum of the prices of its sessions. Who joins raises N, and with it by a
// little everybody's price, on whichever worker they are: that is what its own speech costs the
// others. Beyond 512 members the price stays, so a large audience spreads over workers without
// burdening those that have it already.
//
// Pure, any thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PLACEMENT_STREAM_PPS 50u          // stock clients send frames of 20 ms
#define PLACEMENT_MILLISPEAKERS_MAX 3000u // thousandths of a speaker
#define PLACEMENT_PARTS_MAX 8u            // workers that one voice channel spreads over
// Until the packet engine has said what it measured: any CPU that we know seals more.
#define PLACEMENT_CAPACITY_DEFAULT 1000000u
// Joins fill a worker so far; the rest is for channels of its own that grow on other workers.
#define PLACEMENT_FILL_EIGHTHS 7u

// Price of one member of a voice channel with 'member_count' members, in pps. Who is alone is
// priced as one of two: nobody joins to stay alone.
uint32_t placement_price(uint32_t member_count);
// What joins may use of a worker's capacity, in pps.
uint64_t placement_budget(uint64_t capacity_pps);

struct placement_worker {
	uint64_t capacity_pps, used_pps;
	uint32_t sessions_left, rooms_left, guilds_left; // free slots
	uint32_t sessions, guilds;                       // now
	uint32_t members;                                // of the channel, on this worker
	bool has_room, has_guild;                        // the channel, the guild has a part here
};

struct placement_request {
	uint32_t worker_count;
	uint32_t first; // the worker that is best: the guild's home, or where the user is already
	bool only_first;
	// What the user's session costs already, on 'first': it is given back.
	uint32_t given_back_pps;
};

// Why there is no place: what a person needs to know to see that it is true.
struct placement_refusal {
	uint32_t worker;                 // the one that comes nearest
	uint64_t capacity_pps, used_pps; // of it
	uint64_t price_pps;              // of the join, there
};

// The worker for one more member of a voice channel: 'first', or else one that has a part of it,
// or else any; of several the least used. Returns its index; -EDQUOT with '*refusal' filled: the
// budgets are used up; -ENOSPC: no slots.
int placement_choose(const struct placement_worker *workers,
	const struct placement_request *request, struct placement_refusal *refusal)
	__attribute__((warn_unused_result));
// The home of a new guild: the least used worker, then the one with the fewest sessions, then the
// fewest guilds, then the first. -ENOSPC: every worker is full.
int placement_choose_home(const struct placement_worker *workers, uint32_t worker_count)
	__attribute__((warn_unused_result));
