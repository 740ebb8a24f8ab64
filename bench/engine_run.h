// SPDX-License-Identifier: BSD-3-Clause
//
// The measuring itself. In turns: the cipher alone over 1,000 keys, then the whole route of each
// worker, then again, so that what else happens on the machine happens to all of them. Rounds that
// were disturbed are measured again.
//
// Main thread; the second worker runs on EAL's second thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arena_watch.h"
#include "engine_field.h"
#include "seal_only.h"

#define ENGINE_ROUNDS_MAX 31u
#define ENGINE_BARE_KEYS 1000u

struct engine_run_params {
	struct field_shape shape;
	unsigned workers;
	unsigned rounds;       // good ones wanted
	uint32_t count_copies; // not 0: only turn for so many, untimed: for callgrind
};

struct engine_result {
	// ns per packet, of the rounds' medians.
	struct seal_cost seal, open;                  // the library alone
	struct seal_cost alone;                       // the first worker while the other rests
	struct seal_cost pipeline[BENCH_WORKERS_MAX]; // all workers at once
	struct seal_cost bare;                        // what the cipher must do for one packet
	struct seal_cost ratio;                       // of each round
	unsigned rounds, disturbed_rounds;            // taken, and of them disturbed
	bool disturbed;                               // too few rounds were good: all were taken
	unsigned cpus[BENCH_WORKERS_MAX];
	double clock_ghz; // about
	uint64_t tsc_hz;
	bool has_counters;
	double instructions, cache_misses; // per packet, of the first worker
	char no_counters[100];             // why
	struct engine_ledger ledger;       // of all workers
	uint64_t counted_packets, counted_copies;
	struct arena_use memory; // of the first worker
	uint32_t session_slots, leg_slots;
	char crypto[64], bare_crypto[64];
	bool hugepages;
};

// 0, or -errno: the reason has been printed.
int engine_run(const struct engine_run_params *params, struct engine_result *out)
	__attribute__((warn_unused_result));
// What a ratio of this mode is over, in words.
const char *engine_bare_text(const struct field_shape *shape);
