// SPDX-License-Identifier: BSD-3-Clause
//
// See engine_run.h.
#include "engine_run.h"

#include <errno.h>
#include <rte_cycles.h>
#include <rte_launch.h>
#include <stdio.h>
#include <string.h>

#include "crypto/suite.h"
#include "perf_count.h"
#include "quiet.h"

#define ROUND_SAMPLES 101
#define WARM_UP_SAMPLES 20
#define COUNTED_SAMPLES 51
#define ROUNDS_PER_GOOD 3 // rounds that are tried for each that is wanted
#define BARE_RATIO_MAX \
	1.05 // of the best round's: the cipher alone is the same work every time,
	     // and shows a neighbour on the core's other half, which no clock does

// Rounds, by number: what each measured.
struct rounds {
	double seal[ENGINE_ROUNDS_MAX * ROUNDS_PER_GOOD];
	double seal_worst[ENGINE_ROUNDS_MAX * ROUNDS_PER_GOOD]; // of all workers at once
	double open[ENGINE_ROUNDS_MAX * ROUNDS_PER_GOOD];
	double alone[ENGINE_ROUNDS_MAX * ROUNDS_PER_GOOD];
	double pipeline[BENCH_WORKERS_MAX][ENGINE_ROUNDS_MAX * ROUNDS_PER_GOOD];
	bool quiet[ENGINE_ROUNDS_MAX * ROUNDS_PER_GOOD], good[ENGINE_ROUNDS_MAX * ROUNDS_PER_GOOD];
	unsigned count, good_count;
};

struct run {
	const struct engine_run_params *params;
	struct engine_node node;
	struct engine_field fields[BENCH_WORKERS_MAX];
	struct crypto_engine *bare_crypto[BENCH_WORKERS_MAX]; // a thread each
	struct seal_only *bare[BENCH_WORKERS_MAX];
	struct quiet quiet;
	struct rounds rounds;
};

// One worker's part of a round. All workers sample until the last one has all its samples, so that
// each is measured beside the others.
struct crew {
	struct engine_field *field;
	struct seal_only *alone;
	unsigned *arrived, *finished; // shared by the crew
	unsigned size;
	double median;
	double bare_ns; // the cipher alone, on this core
	double share;   // processor time to time
	int error;
};

// Of a worker whose copies are of its own packets and of the others': who knows how many of these
// come in time. 0: none now, the others are behind.
static double sample_spread(struct engine_field *f)
{
	uint64_t sent = engine_field_sent(f);
	double start;

	(void)engine_field_feed(f);
	start = bench_now_ns();
	engine_field_work(f);
	sent = engine_field_sent(f) - sent;
	return sent > 0 ? (bench_now_ns() - start) / (double)sent : 0;
}

static double sample(struct engine_field *f)
{
	if (f->node->shape.spread > 0) {
		return sample_spread(f);
	}

	uint32_t packets = engine_field_feed(f), copies = field_copies(&f->node->shape);
	double start = bench_now_ns();

	engine_field_work(f);
	return (bench_now_ns() - start) / packets / (copies > 0 ? copies : 1);
}

// Before the samples and after them: the worse of the two counts.
static void crew_alone(struct crew *c)
{
	struct seal_cost cost = {0};

	if (c->error == 0) {
		c->error = seal_only_sample(c->alone, false, &cost);
	}
	c->bare_ns = cost.median > c->bare_ns ? cost.median : c->bare_ns;
}

static int crew_work(void *arg)
{
	struct crew *c = arg;
	double samples[ROUND_SAMPLES];
	struct seal_cost cost;
	struct quiet quiet = {0};

	quiet_begin(&quiet);
	__atomic_add_fetch(c->arrived, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(c->arrived, __ATOMIC_ACQUIRE) < c->size) {
		__builtin_ia32_pause();
	}
	crew_alone(c);
	for (unsigned i = 0; i < ROUND_SAMPLES; i++) {
		do {
			samples[i] = sample(c->field);
		} while (samples[i] == 0);
	}
	crew_alone(c);
	__atomic_add_fetch(c->finished, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(c->finished, __ATOMIC_ACQUIRE) < c->size) {
		(void)sample(c->field);
	}
	(void)quiet_end(&quiet);
	c->share = quiet.share;
	seal_cost_fill(&cost, samples, ROUND_SAMPLES);
	c->median = cost.median;
	return 0;
}

// The first 'size' workers at once. 'good': each had its core. 0 or -errno.
static int crew_round(struct run *r, unsigned size, double *medians[], bool *good)
{
	unsigned arrived = 0, finished = 0, at = r->rounds.count - 1;
	struct crew crew[BENCH_WORKERS_MAX];
	int err = 0;

	for (unsigned i = 0; i < size; i++) {
		crew[i] = (struct crew){.field = &r->fields[i],
			.alone = r->bare[i],
			.arrived = &arrived,
			.finished = &finished,
			.size = size};
		if (i > 0 && rte_eal_remote_launch(crew_work, &crew[i], i) != 0) {
			return -EBUSY;
		}
	}
	(void)crew_work(&crew[0]);
	rte_eal_mp_wait_lcore();
	for (unsigned i = 0; i < size; i++) {
		*medians[i] = crew[i].median;
		*good &= crew[i].share > 0.9;
		if (crew[i].bare_ns > r->rounds.seal_worst[at]) {
			r->rounds.seal_worst[at] = crew[i].bare_ns;
		}
		err = crew[i].error != 0 ? crew[i].error : err;
	}
	return err;
}

static double least(const double *values, unsigned count)
{
	double best = values[0];

	for (unsigned i = 1; i < count; i++) {
		best = values[i] < best ? values[i] : best;
	}
	return best;
}

// By what all rounds have shown so far: a better one may unmask those before it.
static void judge_rounds(struct rounds *all)
{
	double seal_max = BARE_RATIO_MAX * least(all->seal, all->count);
	double open_max = BARE_RATIO_MAX * least(all->open, all->count);

	all->good_count = 0;
	for (unsigned i = 0; i < all->count; i++) {
		all->good[i] =
			all->quiet[i] && all->seal[i] <= seal_max && all->open[i] <= open_max;
		all->good_count += all->good[i];
	}
}

static int take_round(struct run *r)
{
	struct rounds *all = &r->rounds;
	unsigned at = all->count++, workers = r->params->workers;
	double *alone = &all->alone[at];
	double *medians[BENCH_WORKERS_MAX];
	struct seal_cost cost;
	bool good = true;
	int err;

	for (unsigned i = 0; i < workers; i++) {
		medians[i] = &all->pipeline[i][at];
	}
	quiet_begin(&r->quiet);
	err = seal_only_sample(r->bare[0], false, &cost);
	all->seal[at] = cost.median;
	if (err == 0) {
		err = seal_only_sample(r->bare[0], true, &cost);
		all->open[at] = cost.median;
	}
	if (err == 0 && r->params->shape.spread == 0) {
		err = crew_round(r, 1, &alone, &good);
		all->pipeline[0][at] = *alone;
	}
	if (err == 0 && workers > 1) {
		err = crew_round(r, workers, medians, &good);
	}
	if (r->params->shape.spread > 0) {
		*alone = all->pipeline[0][at]; // a part of a room is never alone
	}
	if (err != 0) {
		fprintf(stderr, "engine_bench: a round failed: %s\n", strerror(-err));
		return err;
	}
	all->quiet[at] = quiet_end(&r->quiet) && good;
	judge_rounds(all);
	return 0;
}

const char *engine_bare_text(const struct field_shape *shape)
{
	if (shape->mode == BENCH_OPEN) {
		return "open";
	}
	return field_copies(shape) == 1 ? "open + seal" : "seal";
}

// Of a packet that leaves, or of one that comes where none leaves. A packet that goes to many is
// opened once for all of them: the ratio counts that as the route's.
static double bare_ns(const struct field_shape *shape, double seal, double open)
{
	if (shape->mode == BENCH_OPEN) {
		return open;
	}
	return field_copies(shape) == 1 ? open + seal : seal;
}

static void pick(const struct run *r, const double *values, struct seal_cost *cost)
{
	const struct rounds *all = &r->rounds;
	double picked[ENGINE_ROUNDS_MAX * ROUNDS_PER_GOOD];
	bool enough = all->good_count >= r->params->rounds;
	unsigned count = 0;

	for (unsigned i = 0; i < all->count; i++) {
		if (all->good[i] || !enough) {
			picked[count++] = values[i];
		}
	}
	seal_cost_fill(cost, picked, count);
}

static void summarise(struct run *r, struct engine_result *out)
{
	const struct field_shape *shape = &r->params->shape;
	struct rounds *all = &r->rounds;
	double values[ENGINE_ROUNDS_MAX * ROUNDS_PER_GOOD];

	pick(r, all->seal, &out->seal);
	pick(r, all->open, &out->open);
	pick(r, all->alone, &out->alone);
	for (unsigned i = 0; i < r->params->workers; i++) {
		pick(r, all->pipeline[i], &out->pipeline[i]);
	}
	for (unsigned i = 0; i < all->count; i++) {
		values[i] = all->alone[i] / bare_ns(shape, all->seal[i], all->open[i]);
	}
	pick(r, values, &out->ratio);
	for (unsigned i = 0; i < all->count; i++) {
		values[i] = bare_ns(shape, all->seal[i], all->open[i]);
	}
	pick(r, values, &out->bare);
	out->rounds = all->count;
	out->disturbed_rounds = all->count - all->good_count;
	out->disturbed = all->good_count < r->params->rounds;
	out->clock_ghz = quiet_clock_ghz(&r->quiet);
}

static void count_events(struct run *r, struct engine_result *out)
{
	struct engine_field *f = &r->fields[0];
	uint32_t copies = field_copies(&r->params->shape);
	struct perf_count counters;
	struct perf_values values;
	uint64_t packets = 0;

	if (!perf_count_open(&counters, out->no_counters, sizeof(out->no_counters))) {
		return;
	}
	for (unsigned i = 0; i < COUNTED_SAMPLES; i++) {
		packets += engine_field_feed(f);
		perf_count_run(&counters, true);
		engine_field_work(f);
		perf_count_run(&counters, false);
	}
	packets *= copies > 0 ? copies : 1;
	out->has_counters = perf_count_read(&counters, &values);
	if (out->has_counters) {
		out->instructions = (double)values.instructions / (double)packets;
		out->cache_misses = (double)values.cache_misses / (double)packets;
	}
	perf_count_close(&counters);
}

// A function of its own that really calls and returns, so that callgrind can begin and end to count
// with it: callgrind.sh.
#if __has_attribute(noclone) // gcc's, which would rename a copy that it made for its caller
__attribute__((noclone))
#endif
static __attribute__((noinline)) void
bench_counted_turns(struct engine_field *f)
{
	engine_field_work(f);
	__asm__ volatile("" ::: "memory");
}

static void count_turns(struct run *r, struct engine_result *out)
{
	struct engine_field *f = &r->fields[0];
	uint32_t copies = field_copies(&r->params->shape);

	while (out->counted_copies < r->params->count_copies) {
		uint32_t packets = engine_field_feed(f);

		bench_counted_turns(f);
		out->counted_packets += packets;
		out->counted_copies += (uint64_t)packets * (copies > 0 ? copies : 1);
	}
}

// What crossed and is not yet sent.
static void finish_spread(struct run *r)
{
	for (unsigned pass = 0; pass < DP_CROSS_MAX; pass++) {
		for (unsigned i = 0; i < r->params->shape.spread; i++) {
			engine_field_work(&r->fields[i]);
		}
	}
}

static int measure(struct run *r, struct engine_result *out)
{
	unsigned wanted = r->params->rounds;
	int err = 0;

	for (unsigned i = 0; i < WARM_UP_SAMPLES; i++) {
		for (unsigned w = 0; w < r->params->workers; w++) {
			(void)sample(&r->fields[w]);
		}
	}
	if (r->params->count_copies > 0) {
		count_turns(r, out);
		return 0;
	}
	while (err == 0 && r->rounds.good_count < wanted &&
		r->rounds.count < wanted * ROUNDS_PER_GOOD) {
		err = take_round(r);
	}
	if (err == 0) {
		summarise(r, out);
		finish_spread(r);
	}
	if (err == 0 && r->params->shape.spread == 0) {
		count_events(r, out);
	} else {
		snprintf(out->no_counters, sizeof(out->no_counters),
			"of one worker of a spread room say nothing");
	}
	return err;
}

static int make_bare(struct run *r, unsigned worker)
{
	const struct field_shape *shape = &r->params->shape;
	enum crypto_engine_kind kind = shape->engine == CRYPTO_ENGINE_LIBSRTP2
					       ? CRYPTO_ENGINE_LIBSRTP2
					       : CRYPTO_ENGINE_IPSEC_MB;
	struct crypto_engine *crypto;
	char why[256];
	int err;

	crypto = r->bare_crypto[worker] = crypto_engine_create(kind, why, sizeof(why));
	if (crypto == NULL) {
		fprintf(stderr, "engine_bench: the cipher alone: %s\n", why);
		return -ENOTSUP;
	}
	err = seal_only_create(
		crypto, shape->suite, ENGINE_BARE_KEYS, shape->payload, &r->bare[worker]);
	if (err != 0) {
		const char *refusal = crypto_engine_refusal(crypto, shape->suite);

		fprintf(stderr, "engine_bench: %s: %s\n", suite_get(shape->suite)->name,
			refusal != NULL ? refusal : strerror(-err));
	}
	return err;
}

static int start(struct run *r, struct engine_result *out)
{
	const struct field_shape *shape = &r->params->shape;
	int err = 0;

	for (unsigned i = 0; i < r->params->workers && err == 0; i++) {
		err = make_bare(r, i);
	}
	if (err == 0) {
		err = engine_node_init(
			&r->node, shape, r->params->workers, r->params->count_copies > 0);
	}
	for (unsigned i = 0; i < r->params->workers && err == 0; i++) {
		err = engine_field_init(&r->fields[i], &r->node, i);
		out->cpus[i] = r->node.cpus[i];
	}
	if (err == 0) {
		out->tsc_hz = rte_get_tsc_hz();
		out->memory = arena_watch_use(r->node.workers[0]);
		out->session_slots = r->node.workers[0]->session_count;
		out->leg_slots = r->node.workers[0]->leg_count;
		out->hugepages = r->node.hugepages;
		snprintf(out->crypto, sizeof(out->crypto), "%s",
			crypto_engine_name(r->node.workers[0]->crypto));
		snprintf(out->bare_crypto, sizeof(out->bare_crypto), "%s",
			crypto_engine_name(r->bare_crypto[0]));
	}
	return err;
}

static int check(const struct run *r, struct engine_result *out)
{
	uint64_t all_fed = 0;
	int err = 0;

	for (unsigned i = 0; i < r->params->workers; i++) {
		all_fed += r->fields[i].fed;
	}
	for (unsigned i = 0; i < r->params->workers; i++) {
		struct engine_ledger ledger;
		int bad = engine_field_check(&r->fields[i], all_fed, &ledger);

		err = bad != 0 ? bad : err;
		out->ledger.fed += ledger.fed;
		out->ledger.opened += ledger.opened;
		out->ledger.forwarded += ledger.forwarded;
		out->ledger.sent += ledger.sent;
	}
	return err;
}

int engine_run(const struct engine_run_params *params, struct engine_result *out)
{
	static struct run run; // its rounds are too large for a stack
	int err;

	run = (struct run){.params = params};
	*out = (struct engine_result){0};
	err = start(&run, out);
	if (err == 0) {
		err = measure(&run, out);
	}
	if (err == 0) {
		err = check(&run, out);
	}
	for (unsigned i = 0; i < params->workers; i++) {
		engine_field_fini(&run.fields[i]);
	}
	engine_node_fini(&run.node);
	for (unsigned i = 0; i < params->workers; i++) {
		seal_only_destroy(run.bare[i]);
		crypto_engine_destroy(run.bare_crypto[i]);
	}
	return err;
}
