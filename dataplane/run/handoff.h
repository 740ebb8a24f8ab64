// SPDX-License-Identifier: BSD-3-Clause
//
// How full a worker's hand-over rings are, seen once a turn by the worker that empties them: so
// that an operator sees a ring that fills before it overflows (verdicts handoff_full and tx_full).
#pragma once

struct worker;

// A turn is congested when it finds at least this part of a ring filled.
#define HANDOFF_CONGESTED_NUM 1
#define HANDOFF_CONGESTED_DEN 2

// Before a turn. Counts congested turns, and keeps the highest fill ever seen.
void handoff_watch(struct worker *w);
