// SPDX-License-Identifier: BSD-3-Clause
//
// A real worker with real sessions between a hand-over ring, from which it takes sealed packets of
// real speakers, and a net_null device, which swallows what it sends. Rooms of one speaker and
// 'fanout' listeners, 'receivers' listeners in all.
//
// Single thread, which is the worker's as well. One field per process, because EAL is.
#pragma once

#include <stdint.h>

#include "api/dp_media.h"

struct crypto_engine;
struct engine_field;

struct engine_field_params {
	enum dp_suite suite;
	uint32_t receivers; // a multiple of fanout
	uint32_t fanout;
	uint32_t payload; // bytes
};

// NULL: the reason has been printed. Starts EAL on the CPU that the caller runs on.
struct engine_field *engine_field_create(const struct engine_field_params *params);
// 0, or -EBADMSG (printed) when the worker's ledger says that it did anything else than to forward
// every packet to every listener: what was measured is then not the route.
int engine_field_destroy(struct engine_field *f) __attribute__((warn_unused_result));
// One sample of at most about a millisecond: ns per packet that leaves.
double engine_field_sample(struct engine_field *f);
// The speakers' engine, for seal_only_measure().
struct crypto_engine *engine_field_crypto(struct engine_field *f);
const char *engine_field_memory(const struct engine_field *f); // "hugepages", "small pages"
