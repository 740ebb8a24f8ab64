// SPDX-License-Identifier: BSD-3-Clause
//
// The books of a worker (api/dp_verdict.h) over the death of its process.
#pragma once

struct dp_worker_shm;

// At start, before the first turn: books what the predecessor had in hand when it was killed, as
// CRASH_LOST and CRASH_UNSENT, so that the ledger balances again. Whatever a kill left there is
// taken, since each counter is one store and a burst's stores are not one. Nothing ever counts
// down. The predecessor no longer runs.
void ledger_settle(struct dp_worker_shm *shm);
