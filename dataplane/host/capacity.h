// SPDX-License-Identifier: BSD-3-Clause
//
// What a worker's core is worth: packets that it can seal in a second, which is what admission
// prices joins in (issue 3, architecture.md section 3). Measured once, at the first start of a
// node, by all workers at the same time, each on its own core; a successor after a crash finds the
// value in the progress memfd.
//
// The measure is of the cipher, on keys and buffers that do not fit into the first caches, and a
// fixed allowance for the rest of the route. It is what a core does that does nothing else: how
// much of it to sell is the admission's to say.
#pragma once

#include <stdint.h>

struct crypto_engine;

#define CAPACITY_TEST_MS 50  // all of it, allocation and key expansion included
#define CAPACITY_KEYS 1000   // as the benches' "bare"
#define CAPACITY_PAYLOAD 100 // bytes: Opus speech
#define CAPACITY_PPS_MAX 1000000000u
// TSC cycles of the route for each packet that it sends: lookup, opening and headers shared among
// listeners, rewriting, buffers, the device. engine_bench, fan-out 25, gcm, 2.6 GHz: pipeline less
// bare is 31 to 41 ns, 80 to 107 cycles. A room of two costs twice that a packet, since none of it
// is shared.
#define CAPACITY_ROUTE_CYCLES 110

struct capacity_test {
	struct crypto_engine *engine; // the worker's own; nobody else uses it meanwhile
	uint64_t tsc_hz;
	uint32_t shared_by; // workers on this core, 1 or more
	// out
	uint32_t pps;      // 1..CAPACITY_PPS_MAX; 0: no memory, or the engine runs no suite
	const char *suite; // that was measured; NULL
	unsigned samples;
};

// An lcore function: 'arg' is a struct capacity_test. Takes CAPACITY_TEST_MS (with libsrtp2, whose
// contexts are slow to make and to wipe, some more). Returns 0.
int capacity_measure(void *arg);

// The median cost of a packet, in TSC cycles, as packets a second. Pure.
uint32_t capacity_pps(uint64_t cycles_per_sample, unsigned packets_per_sample, uint64_t tsc_hz,
	uint32_t shared_by);
