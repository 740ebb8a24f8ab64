// SPDX-License-Identifier: BSD-3-Clause
//
// The ledger's one place: a packet leaves the burst here, counted by its verdict.

#include "worker/burst.h"

#include <rte_mbuf.h>

#include "api/dp_assert.h"
#include "worker/worker.h"

static void leave(struct worker *w, struct burst_packet *p)
{
	DP_ASSERT_HOT(p->verdict < DP_VERDICT_COUNT);
	worker_verdict_add(w, (enum dp_verdict)p->verdict, 1);
	if (p->mbuf != NULL) // NULL: an answer or another worker has it
		rte_pktmbuf_free(p->mbuf);
	p->mbuf = NULL;
}

void burst_compact(struct worker *w, struct burst *b)
{
	unsigned kept = 0;

	DP_ASSERT(b->count <= DP_IN_HAND_MAX);
	for (unsigned i = 0; i < b->count; i++) {
		if (b->packet[i].verdict != DP_OK) {
			leave(w, &b->packet[i]);
			continue;
		}
		if (kept != i)
			b->packet[kept] = b->packet[i];
		kept++;
	}
	b->count = kept;
}

void burst_release(struct worker *w, struct burst *b)
{
	for (unsigned i = 0; i < b->count; i++) {
		DP_ASSERT_HOT(b->packet[i].verdict != DP_OK);
		leave(w, &b->packet[i]);
	}
	b->count = 0;
}
