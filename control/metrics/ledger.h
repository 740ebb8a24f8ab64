// SPDX-License-Identifier: BSD-3-Clause
//
// The packet engine's books (api/dp_verdict.h), added up over its workers. Pure reader, any thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/dp_verdict.h"

struct progress;

struct ledger {
	uint64_t received, handed_in, jobs, originated, sent;
	uint64_t tx_handed_in, tx_handed_out; // to workers that own a tx queue
	uint64_t crossed_in, crossed_out;     // to workers that have listeners
	uint64_t by_class[DP_CLASS_COUNT];
	uint64_t verdicts[DP_VERDICT_COUNT];
	bool is_balanced;
};

// A worker writes while we read: its books are read again until they balance, as they do between
// any two of its turns; a worker whose books never do makes the ledger unbalanced.
void ledger_read(const struct progress *progress, struct ledger *ledger);
// The same for one worker.
void ledger_read_worker(const struct progress *progress, uint32_t worker, struct ledger *ledger);

// "forwarded", "not_sent", ...
const char *ledger_class_label(enum dp_class klass);
