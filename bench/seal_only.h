// SPDX-License-Identifier: BSD-3-Clause
//
// What the cipher alone costs: the bound that the pipeline is measured against. The same suite
// table, waves, buffer distances and key turns as the pipeline's, and nothing else.
//
// Single thread. No DPDK.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/dp_media.h"

struct crypto_engine;
struct seal_only; // keys and buffers, kept from one measurement to the next

// Distribution of many samples, ns per packet.
struct seal_cost {
	double min, median, max;
};

// 'keys' expanded keys for packets of 'payload' bytes and a 12-byte header. 0, -EINVAL for a suite
// or payload that does not exist, -ENOTSUP (the engine does not run the suite), -ENOMEM.
int seal_only_create(struct crypto_engine *engine, enum dp_suite suite, unsigned keys,
	unsigned payload, struct seal_only **out) __attribute__((warn_unused_result));
void seal_only_destroy(struct seal_only *f); // NULL allowed
// Many samples, at most about 70 ms of them: sealing, or opening what was just sealed. 0, or
// -EBADMSG: what was sealed did not open.
int seal_only_sample(struct seal_only *f, bool opening, struct seal_cost *cost)
	__attribute__((warn_unused_result));

// Once and gone: seals packets of 'payload' bytes and a 12-byte header under 'keys' keys in turn.
// 0, -EINVAL for a suite or payload that does not exist, -ENOMEM.
int seal_only_measure(struct crypto_engine *engine, enum dp_suite suite, unsigned keys,
	unsigned payload, struct seal_cost *cost) __attribute__((warn_unused_result));
// The same for opening in place.
int open_only_measure(struct crypto_engine *engine, enum dp_suite suite, unsigned keys,
	unsigned payload, struct seal_cost *cost) __attribute__((warn_unused_result));
// Median of seal_only_measure(); negative when that fails.
double seal_only_ns(
	struct crypto_engine *engine, enum dp_suite suite, unsigned keys, unsigned payload);

// Sorts 'samples' and fills 'cost' with their min, median and max.
void seal_cost_fill(struct seal_cost *cost, double *samples, unsigned count);
// Monotonic clock.
double bench_now_ns(void);
