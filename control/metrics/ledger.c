// SPDX-License-Identifier: BSD-3-Clause
//
// Sums over the verdict X-list.

#include "metrics/ledger.h"

#include <string.h>

#include "dplink/progress.h"

// A turn lasts some microseconds, one read of a worker's books a quarter of one.
#define READS_MAX 4000u

static const char *const class_labels[DP_CLASS_COUNT] = {
	[DP_CLASS_NONE] = "none",
	[DP_CLASS_FORWARDED] = "forwarded",
	[DP_CLASS_ANSWERED] = "answered",
	[DP_CLASS_CONSUMED] = "consumed",
	[DP_CLASS_PUNTED] = "punted",
	[DP_CLASS_HOST] = "host",
	[DP_CLASS_HANDED] = "handed_out",
	[DP_CLASS_NO_RECEIVER] = "no_receiver",
	[DP_CLASS_DROPPED] = "dropped",
	[DP_CLASS_NOT_SENT] = "not_sent",
};

const char *ledger_class_label(enum dp_class klass)
{
	return class_labels[klass];
}

static void read_once(const struct progress *progress, uint32_t worker, struct ledger *ledger)
{
	uint64_t in, out;

	memset(ledger, 0, sizeof(*ledger));
	ledger->received = progress_counter(progress, worker, DP_COUNTER_RECEIVED);
	ledger->handed_in = progress_counter(progress, worker, DP_COUNTER_HANDED_IN);
	ledger->jobs = progress_counter(progress, worker, DP_COUNTER_JOBS);
	ledger->originated = progress_counter(progress, worker, DP_COUNTER_ORIGINATED);
	ledger->sent = progress_counter(progress, worker, DP_COUNTER_SENT);
	ledger->tx_handed_in = progress_counter(progress, worker, DP_COUNTER_TX_HANDED_IN);
	ledger->tx_handed_out = progress_counter(progress, worker, DP_COUNTER_TX_HANDED_OUT);
	ledger->crossed_in = progress_counter(progress, worker, DP_COUNTER_CROSSED_IN);
	ledger->crossed_out = progress_counter(progress, worker, DP_COUNTER_CROSSED_OUT);
	for (unsigned verdict = DP_OK + 1; verdict < DP_VERDICT_COUNT; verdict++) {
		uint64_t count = progress_verdict(progress, worker, (enum dp_verdict)verdict);

		ledger->verdicts[verdict] = count;
		ledger->by_class[dp_verdict_class((enum dp_verdict)verdict)] += count;
	}
	in = 0;
	for (unsigned klass = DP_CLASS_FORWARDED; klass < DP_CLASS_NOT_SENT; klass++)
		in += ledger->by_class[klass];
	out = ledger->sent + ledger->tx_handed_out + ledger->crossed_out +
	      ledger->by_class[DP_CLASS_NOT_SENT];
	ledger->is_balanced = ledger->received + ledger->handed_in + ledger->crossed_in == in &&
			      ledger->jobs + ledger->originated + ledger->tx_handed_in == out;
}

void ledger_read_worker(const struct progress *progress, uint32_t worker, struct ledger *ledger)
{
	unsigned reads = 0;

	do {
		read_once(progress, worker, ledger);
	} while (!ledger->is_balanced && ++reads < READS_MAX);
}

void ledger_read(const struct progress *progress, struct ledger *ledger)
{
	struct ledger one;

	memset(ledger, 0, sizeof(*ledger));
	ledger->is_balanced = true;
	for (uint32_t worker = 0; worker < progress_worker_count(progress); worker++) {
		ledger_read_worker(progress, worker, &one);
		ledger->received += one.received;
		ledger->handed_in += one.handed_in;
		ledger->jobs += one.jobs;
		ledger->originated += one.originated;
		ledger->sent += one.sent;
		ledger->tx_handed_in += one.tx_handed_in;
		ledger->tx_handed_out += one.tx_handed_out;
		ledger->crossed_in += one.crossed_in;
		ledger->crossed_out += one.crossed_out;
		for (unsigned klass = 0; klass < DP_CLASS_COUNT; klass++)
			ledger->by_class[klass] += one.by_class[klass];
		for (unsigned verdict = 0; verdict < DP_VERDICT_COUNT; verdict++)
			ledger->verdicts[verdict] += one.verdicts[verdict];
		ledger->is_balanced = ledger->is_balanced && one.is_balanced;
	}
}
