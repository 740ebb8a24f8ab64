// SPDX-License-Identifier: BSD-3-Clause
//
// The packet engine's half of the page: counters, verdicts and latency by worker, its device, the
// link to it. Names come from the X-lists of api/.

#include <stdio.h>

#include "dplink/dplink.h"
#include "dplink/progress.h"
#include "dplink/resync.h"
#include "metrics/ledger.h"
#include "metrics/metrics_parts.h"
#include "metrics/metrics_text.h"
#include "metrics/node_view.h"
#include "registry/registry.h"

#define NAME_SIZE 80 // bytes of a metric's name

static const char *worker_name(uint32_t worker, char *out)
{
	snprintf(out, METRICS_NUMBER_SIZE, "%u", worker);
	return out;
}

static void counter(struct metrics_text *text, const struct progress *progress,
	enum dp_counter which, const char *stem, const char *help)
{
	char name[NAME_SIZE], number[METRICS_NUMBER_SIZE];

	snprintf(name, sizeof(name), "%s_total", stem);
	metrics_family(text, name, METRICS_COUNTER, help);
	for (uint32_t worker = 0; worker < progress_worker_count(progress); worker++) {
		struct metrics_label label = {"worker", worker_name(worker, number)};

		metrics_sample_u64(
			text, name, &label, 1, progress_counter(progress, worker, which));
	}
}

#define COUNTER(name, stem, help) counter(text, progress, DP_COUNTER_##name, stem, help);
static void counters(struct metrics_text *text, const struct progress *progress)
{
	DP_COUNTERS(COUNTER) //
}

static bool is_drop(enum dp_class klass)
{
	return klass == DP_CLASS_DROPPED || klass == DP_CLASS_NOT_SENT;
}

static void verdicts(struct metrics_text *text, const struct progress *progress)
{
	char number[METRICS_NUMBER_SIZE];

	metrics_family(text, "packets_total", METRICS_COUNTER,
		"Why packets left the pipeline, by verdict; the classes balance as a ledger.");
	for (uint32_t worker = 0; worker < progress_worker_count(progress); worker++)
		for (unsigned verdict = DP_OK + 1; verdict < DP_VERDICT_COUNT; verdict++) {
			enum dp_verdict v = (enum dp_verdict)verdict;
			struct metrics_label labels[] = {
				{"worker", worker_name(worker, number)},
				{"verdict", dp_verdict_label(v)},
				{"class", ledger_class_label(dp_verdict_class(v))},
			};

			metrics_sample_u64(text, "packets_total", labels, 3,
				progress_verdict(progress, worker, v));
		}
	metrics_family(
		text, "drops_total", METRICS_COUNTER, "Packets dropped or not sent, by reason.");
	for (uint32_t worker = 0; worker < progress_worker_count(progress); worker++)
		for (unsigned verdict = DP_OK + 1; verdict < DP_VERDICT_COUNT; verdict++) {
			enum dp_verdict v = (enum dp_verdict)verdict;
			struct metrics_label labels[] = {
				{"worker", worker_name(worker, number)},
				{"reason", dp_verdict_label(v)},
			};

			if (is_drop(dp_verdict_class(v)))
				metrics_sample_u64(text, "drops_total", labels, 2,
					progress_verdict(progress, worker, v));
		}
}

// The memfd has buckets and no sum: it is put together from the middles of the buckets.
static void latency(struct metrics_text *text, const struct progress *progress)
{
	char number[METRICS_NUMBER_SIZE], bound[METRICS_NUMBER_SIZE];

	metrics_family(text, "forward_latency_seconds", METRICS_HISTOGRAM,
		"Time from receive burst to transmit burst; the sum is estimated.");
	for (uint32_t worker = 0; worker < progress_worker_count(progress); worker++) {
		const struct dp_worker_shm *shm = progress_worker(progress, worker);
		struct metrics_label labels[] = {
			{"worker", worker_name(worker, number)}, {"le", bound}};
		uint64_t count = 0;
		double sum = 0;

		for (unsigned bucket = 0; bucket < DP_LATENCY_BUCKETS; bucket++) {
			double seconds = (double)(1u << bucket) * 1e-6;
			uint64_t here = __atomic_load_n(&shm->latency[bucket], __ATOMIC_RELAXED);

			count += here;
			sum += (double)here * seconds * 0.75;
			if (bucket == DP_LATENCY_BUCKETS - 1)
				break; // the last one is open
			snprintf(bound, sizeof(bound), "%.9g", seconds);
			metrics_sample_u64(
				text, "forward_latency_seconds_bucket", labels, 2, count);
		}
		snprintf(bound, sizeof(bound), "+Inf");
		metrics_sample_u64(text, "forward_latency_seconds_bucket", labels, 2, count);
		metrics_sample(text, "forward_latency_seconds_sum", labels, 1, sum);
		metrics_sample_u64(text, "forward_latency_seconds_count", labels, 1, count);
	}
}

static void workers(struct metrics_text *text, const struct node_view *view, uint64_t now_ms)
{
	const struct dp_device *dev = dplink_device(resync_link(view->resync));
	const struct progress *progress = view->progress;
	char number[METRICS_NUMBER_SIZE];

	metrics_family(text, "worker_capacity_pps", METRICS_GAUGE,
		"Packets a second that a worker can seal on the whole route if it does nothing "
		"else: measured at start, or workers.capacity_pps.");
	for (uint32_t worker = 0; worker < progress_worker_count(progress); worker++) {
		struct metrics_label label = {"worker", worker_name(worker, number)};

		metrics_sample_u64(
			text, "worker_capacity_pps", &label, 1, dev->capacity_pps[worker]);
	}
	metrics_family(text, "worker_turning", METRICS_GAUGE,
		"1 while the worker's loop turned within the last second.");
	for (uint32_t worker = 0; worker < progress_worker_count(progress); worker++) {
		struct metrics_label label = {"worker", worker_name(worker, number)};

		metrics_sample(text, "worker_turning", &label, 1,
			progress_turns(progress, worker, now_ms) ? 1 : 0);
	}
	metrics_family(text, "worker_busy_seconds_total", METRICS_COUNTER,
		"Time a worker spent on turns that had packets.");
	for (uint32_t worker = 0; worker < progress_worker_count(progress); worker++) {
		struct metrics_label label = {"worker", worker_name(worker, number)};
		uint64_t tsc = progress_counter(progress, worker, DP_COUNTER_BUSY_TSC);

		metrics_sample(text, "worker_busy_seconds_total", &label, 1,
			progress->shm->tsc_hz == 0 ? 0
						   : (double)tsc / (double)progress->shm->tsc_hz);
	}
}

static void handoff(struct metrics_text *text, const struct progress *progress)
{
	char number[METRICS_NUMBER_SIZE];

	metrics_family(text, "handoff_peak_packets", METRICS_GAUGE,
		"Most packets that ever waited for a worker in its ring of packets that others "
		"received (rx) or finished (tx); voicenode_handoff_ring_packets fit.");
	for (uint32_t worker = 0; worker < progress_worker_count(progress); worker++) {
		const struct dp_worker_shm *shm = progress_worker(progress, worker);
		struct metrics_label labels[] = {
			{"worker", worker_name(worker, number)}, {"ring", "rx"}};

		metrics_sample_u64(text, "handoff_peak_packets", labels, 2,
			__atomic_load_n(&shm->rx_handoff_peak, __ATOMIC_RELAXED));
		labels[1].value = "tx";
		metrics_sample_u64(text, "handoff_peak_packets", labels, 2,
			__atomic_load_n(&shm->tx_handoff_peak, __ATOMIC_RELAXED));
	}
	metrics_family(text, "handoff_ring_packets", METRICS_GAUGE,
		"Packets that fit into a hand-over ring; one more is dropped (handoff_full, "
		"tx_full).");
	metrics_sample_u64(text, "handoff_ring_packets", NULL, 0, DP_HANDOFF_MAX - 1);
}

static void device(struct metrics_text *text, const struct node_view *view)
{
	const struct dplink *link = resync_link(view->resync);
	const struct dp_device *dev = dplink_device(link);
	struct metrics_label labels[] = {
		{"port", "0"}, {"driver", dev->driver}, {"name", dev->name}};

	metrics_family(text, "port_up", METRICS_GAUGE,
		"1 while the packet engine runs its device and the interface, if it is one of "
		"the kernel's, has a link.");
	metrics_sample(text, "port_up", labels, 3,
		dplink_is_up(link) && node_link_serves(view->link) ? 1 : 0);
	metrics_family(text, "port_drops_countable", METRICS_GAUGE,
		"1 when the driver can count the packets it dropped (af_packet cannot).");
	metrics_sample(text, "port_drops_countable", labels, 2, dev->drops_countable ? 1 : 0);
	metrics_family(text, "port_steering", METRICS_GAUGE,
		"1 with the way in which packets find their worker: flow, rss or software.");
	labels[1] = (struct metrics_label){"steering", dev->steering};
	metrics_sample(text, "port_steering", labels, 2, 1);
}

static void dplink(struct metrics_text *text, const struct node_view *view)
{
	const struct dplink *link = resync_link(view->resync);
	struct dplink_stats stats;

	dplink_stats(link, &stats);
	metrics_family(text, "dataplane_up", METRICS_GAUGE, "1 while the packet engine is linked.");
	metrics_sample(text, "dataplane_up", NULL, 0, dplink_is_up(link) ? 1 : 0);
	metrics_family(text, "dataplane_epoch", METRICS_GAUGE,
		"Incarnation of the packet engine, as the supervisor counts.");
	metrics_sample_u64(text, "dataplane_epoch", NULL, 0, dplink_peer_epoch(link));
	metrics_family(text, "dataplane_restarts_total", METRICS_COUNTER,
		"Times the packet engine was started again.");
	metrics_sample_u64(text, "dataplane_restarts_total", NULL, 0, view->dataplane_restarts);
	metrics_family(text, "dataplane_commands_total", METRICS_COUNTER,
		"Commands to the packet engine, by what became of them.");
	metrics_sample_u64(text, "dataplane_commands_total",
		&(struct metrics_label){"result", "acknowledged"}, 1, stats.acked - stats.refused);
	metrics_sample_u64(text, "dataplane_commands_total",
		&(struct metrics_label){"result", "refused"}, 1, stats.refused);
	metrics_sample_u64(text, "dataplane_commands_total",
		&(struct metrics_label){"result", "timed_out"}, 1, stats.timed_out);
	metrics_family(text, "dataplane_records_discarded_total", METRICS_COUNTER,
		"Records of a dead process, or that nobody waited for.");
	metrics_sample_u64(text, "dataplane_records_discarded_total", NULL, 0, stats.discarded);
}

static void nonces(struct metrics_text *text, const struct node_view *view)
{
	uint32_t least = DP_NONCES_MAX;
	struct session *session = NULL;

	while ((session = registry_session_next(view->registry, session)) != NULL) {
		uint32_t left = progress_nonces_left(view->progress, session->worker,
			session->index, session->intent->generation, session->intent->key_id);

		if (session->intent->state == INTENT_LIVE && left < least)
			least = left;
	}
	metrics_family(text, "nonces_left_min", METRICS_GAUGE,
		"Nonces left to the session that is nearest to its key's end.");
	metrics_sample_u64(text, "nonces_left_min", NULL, 0, least);
}

void metrics_render_dataplane(
	const struct node_view *view, struct metrics_text *text, uint64_t now_ms)
{
	device(text, view);
	dplink(text, view);
	workers(text, view, now_ms);
	counters(text, view->progress);
	handoff(text, view->progress);
	verdicts(text, view->progress);
	latency(text, view->progress);
	nonces(text, view);
}
