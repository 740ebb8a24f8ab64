// SPDX-License-Identifier: BSD-3-Clause
//
// Both equations of the ledger, each made true again.

#include "worker/ledger.h"

#include "api/dp_shm.h"

static void add(uint64_t *at, uint64_t n)
{
	__atomic_store_n(at, *at + n, __ATOMIC_RELAXED);
}

static uint64_t class_sum(const struct dp_worker_shm *shm, enum dp_class klass)
{
	uint64_t sum = 0;

	for (unsigned v = 0; v < DP_VERDICT_COUNT; v++) {
		if (dp_verdict_class((enum dp_verdict)v) == klass)
			sum += shm->verdicts[v];
	}
	return sum;
}

// What came and never left was lost. What left and never came had its arrival still uncounted: it
// did come.
static void settle(uint64_t *lost, uint64_t *arrivals, uint64_t came, uint64_t left)
{
	if (came >= left)
		add(lost, came - left);
	else
		add(arrivals, left - came);
}

void ledger_settle(struct dp_worker_shm *shm)
{
	uint64_t *c = shm->counters;
	uint64_t left = 0;

	for (unsigned k = DP_CLASS_FORWARDED; k <= DP_CLASS_DROPPED; k++)
		left += class_sum(shm, (enum dp_class)k);
	settle(&shm->verdicts[DP_CRASH_LOST], &c[DP_COUNTER_RECEIVED],
		c[DP_COUNTER_RECEIVED] + c[DP_COUNTER_HANDED_IN] + c[DP_COUNTER_CROSSED_IN], left);
	settle(&shm->verdicts[DP_CRASH_UNSENT], &c[DP_COUNTER_JOBS],
		c[DP_COUNTER_JOBS] + c[DP_COUNTER_ORIGINATED] + c[DP_COUNTER_TX_HANDED_IN],
		c[DP_COUNTER_SENT] + c[DP_COUNTER_TX_HANDED_OUT] + c[DP_COUNTER_CROSSED_OUT] +
			class_sum(shm, DP_CLASS_NOT_SENT));
}
