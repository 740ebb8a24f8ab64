// SPDX-License-Identifier: BSD-3-Clause
//
// The people of one worker: sessions in rooms, and the talkers, who seal real packets under their
// keys and put them before the worker by its hand-over ring.
//
// Belongs to the thread that turns the worker; engine_field_init() may run on another before.
#pragma once

#include <stdint.h>

#include "api/dp_shm.h"
#include "engine_node.h"

struct talker;

struct engine_field {
	struct engine_node *node;
	unsigned index; // of the worker
	struct worker *worker;
	struct crypto_engine *crypto; // the talkers'
	struct talker *talkers;       // neighbours are in different rooms
	uint32_t talker_count;
	uint32_t next_seq; // of commands
	uint64_t fed;      // media packets put before the worker
};

// What became of all packets, by the worker's own counters.
struct engine_ledger {
	uint64_t fed, opened, forwarded, sent; // media only; 'sent' copies
};

// Opens the rooms and lets everybody in. 0, or -errno: the reason has been printed. On failure as
// well: engine_field_fini().
int engine_field_init(struct engine_field *f, struct engine_node *node, unsigned index)
	__attribute__((warn_unused_result));
void engine_field_fini(struct engine_field *f);
// Puts the packets of one sample before the worker, at most about a millisecond's work; how many.
uint32_t engine_field_feed(struct engine_field *f);
// Turns until nothing is left of it. In a spread room what other workers opened comes as well, and
// some of that may be left for the next time; then engine_field_feed() may give nothing.
void engine_field_work(struct engine_field *f);
// Copies that this worker has sent so far.
uint64_t engine_field_sent(const struct engine_field *f);
// 'all_fed': to all workers, of a spread room. 0, or -EBADMSG (printed) when the worker says that
// it did anything else than to open every packet and forward it to every listener: what was
// measured is then not the route.
int engine_field_check(const struct engine_field *f, uint64_t all_fed, struct engine_ledger *ledger)
	__attribute__((warn_unused_result));
