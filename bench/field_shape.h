// SPDX-License-Identifier: BSD-3-Clause
//
// What is measured: who sits in how many rooms, who talks, with which cipher. Plain data.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/dp_media.h"
#include "crypto/suite.h"

#define BENCH_WORKERS_MAX 2u // the machines that it runs on have two cores
#define BENCH_SESSIONS_MAX 110000u

enum bench_mode {
	BENCH_FANOUT, // rooms of one talker and 'fanout' listeners
	BENCH_ROOMS,  // rooms whose talkers hear each other
	BENCH_HUGE,   // one room of thousands
	BENCH_SPREAD, // the same, over all workers
	BENCH_OPEN,   // everybody is deafened: packets are received and opened, nothing leaves
	BENCH_BRIDGE, // native to browser and back: refused until the route has it
	BENCH_MODE_COUNT,
};

struct field_shape {
	enum bench_mode mode;
	enum dp_suite suite;
	enum crypto_engine_kind engine; // of the worker
	uint32_t rooms, members;        // of each worker; members of each room
	uint32_t talkers;               // of each room
	uint32_t spread;                // workers that share the one room, 'members' its most on
					// one of them; 0: each worker has rooms of its own
	uint32_t payload;               // bytes
};

// Of a room, on one worker: the first ones have what does not divide.
static inline uint32_t field_talkers(const struct field_shape *shape, unsigned worker)
{
	if (shape->spread == 0) {
		return shape->talkers;
	}
	return shape->talkers / shape->spread + (worker < shape->talkers % shape->spread);
}

static inline uint32_t field_members(const struct field_shape *shape, unsigned worker)
{
	return shape->members - field_talkers(shape, 0) + field_talkers(shape, worker);
}

// Packets that leave for one that comes, from all workers together.
static inline uint32_t field_copies(const struct field_shape *shape)
{
	uint32_t members = shape->members;

	for (unsigned i = 1; i < shape->spread; i++) {
		members += field_members(shape, i);
	}
	return shape->mode == BENCH_OPEN ? 0 : members - 1;
}

static inline uint32_t field_sessions(const struct field_shape *shape)
{
	return shape->rooms * shape->members;
}
