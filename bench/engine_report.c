// SPDX-License-Identifier: BSD-3-Clause
//
// See engine_report.h. Every key is there in every mode; what could not be measured is null.
#include "engine_report.h"

#include <errno.h>
#include <jansson.h>
#include <rte_version.h>
#include <stdio.h>
#include <stdlib.h>

static json_t *rounded(double value)
{
	char text[32];

	snprintf(text, sizeof(text), "%.2f", value);
	return json_real(strtod(text, NULL));
}

static json_t *range(const struct seal_cost *cost)
{
	return json_pack("[o,o]", rounded(cost->min), rounded(cost->max));
}

static double mpps(const struct engine_options *o, const struct engine_result *r)
{
	double sum = 0;

	for (unsigned i = 0; i < o->run.workers; i++) {
		sum += 1000 / r->pipeline[i].median;
	}
	return sum;
}

static double per(size_t bytes, uint32_t count)
{
	return count > 0 ? (double)bytes / count : 0;
}

static size_t session_bytes(const struct arena_use *use)
{
	return use->total - use->legs;
}

static json_t *workers_json(const struct engine_options *o, const struct engine_result *r)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < o->run.workers; i++) {
		json_array_append_new(
			list, json_pack("{s:i, s:o, s:o, s:o}", "cpu", (int)r->cpus[i],
				      "pipeline_ns", rounded(r->pipeline[i].median), "mpps",
				      rounded(1000 / r->pipeline[i].median), "pipeline_ns_range",
				      range(&r->pipeline[i])));
	}
	return list;
}

static json_t *machine_json(const struct engine_result *r, const struct machine *m)
{
	return json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:o, s:o, s:o}", "cpu",
		m->cpu, "cores", (int)m->core_count, "kernel", m->kernel, "crypto", r->crypto,
		"bare_crypto", r->bare_crypto, "dpdk", rte_version(), "compiler", m->compiler,
		"memory", r->hugepages ? "hugepages" : "small pages", "virtual", m->is_virtual,
		"load_average", rounded(m->load_average), "clock_ghz", rounded(r->clock_ghz),
		"tsc_hz", json_integer((json_int_t)r->tsc_hz));
}

// What was measured: together they name the case.
static json_t *case_json(const struct engine_options *o)
{
	const struct field_shape *s = &o->run.shape;

	return json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "schema",
		ENGINE_REPORT_SCHEMA, "mode", engine_mode_name(s->mode), "suite",
		suite_get(s->suite)->name, "engine", engine_kind_name(s->engine), "receivers",
		(int)o->receivers, "fanout",
		(int)(s->mode == BENCH_OPEN ? s->members - 1 : field_copies(s)), "payload",
		(int)s->payload, "workers", (int)o->run.workers, "rooms", (int)s->rooms, "members",
		(int)s->members, "talkers", (int)s->talkers);
}

static json_t *or_null(bool there, double value)
{
	return there ? rounded(value) : json_null();
}

static json_t *times_json(const struct engine_options *o, const struct engine_result *r)
{
	double all = mpps(o, r), pipeline_ns = 1000 * o->run.workers / all;

	return json_pack("{s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o,"
			 " s:o, s:o, s:o, s:o, s:i, s:i, s:b}",
		"seal_only_ns", rounded(r->seal.median), "open_only_ns", rounded(r->open.median),
		"bare_ns", rounded(r->bare.median), "bare", engine_bare_text(&o->run.shape),
		"pipeline_ns", rounded(pipeline_ns), "ratio", rounded(r->ratio.median), "mpps",
		rounded(all), "seal_only_ns_range", range(&r->seal), "open_only_ns_range",
		range(&r->open), "pipeline_ns_range", range(&r->pipeline[0]), "ratio_range",
		range(&r->ratio), "per_worker", workers_json(o, r), "alone_ns",
		or_null(o->run.shape.spread == 0, r->alone.median), "scaling",
		or_null(o->run.shape.spread == 0, all * r->alone.median / 1000), "cycles",
		rounded(pipeline_ns * (double)r->tsc_hz / 1e9), "instructions",
		or_null(r->has_counters, r->instructions), "cache_misses",
		or_null(r->has_counters, r->cache_misses), "counters",
		r->has_counters ? json_string("perf_event") : json_string(r->no_counters), "rounds",
		(int)r->rounds, "disturbed_rounds", (int)r->disturbed_rounds, "disturbed",
		r->disturbed);
}

static json_t *facts_json(const struct engine_result *r, const struct machine *m)
{
	const struct arena_use *use = &r->memory;

	return json_pack("{s:{s:I, s:I, s:I, s:I}, s:{s:I, s:I, s:o, s:o}, s:o}", "ledger", "fed",
		(json_int_t)r->ledger.fed, "opened", (json_int_t)r->ledger.opened, "forwarded",
		(json_int_t)r->ledger.forwarded, "sent", (json_int_t)r->ledger.sent, "memory",
		"sessions_bytes", (json_int_t)session_bytes(use), "legs_bytes",
		(json_int_t)use->legs, "session_bytes",
		rounded(per(session_bytes(use), r->session_slots)), "leg_bytes",
		rounded(per(use->legs, r->leg_slots)), "machine", machine_json(r, m));
}

int engine_report_json(
	const struct engine_options *o, const struct engine_result *r, const struct machine *m)
{
	json_t *json = case_json(o), *more;
	char *text;

	if (o->run.count_copies > 0) {
		more = json_pack("{s:I, s:I}", "counted_packets", (json_int_t)r->counted_packets,
			"counted_copies", (json_int_t)r->counted_copies);
	} else {
		more = times_json(o, r);
	}
	json_object_update_new(json, more);
	json_object_update_new(json, facts_json(r, m));
	text = json_dumps(json, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(10));
	json_decref(json);
	if (text == NULL) {
		fprintf(stderr, "engine_bench: out of memory\n");
		return -ENOMEM;
	}
	puts(text);
	free(text);
	return 0;
}

static void print_head(
	const struct engine_options *o, const struct engine_result *r, const struct machine *m)
{
	const struct field_shape *s = &o->run.shape;

	printf("%s, %u cores%s, about %.1f GHz, load average %.1f; Linux %s; %s; %s; %s\n", m->cpu,
		m->core_count, m->is_virtual ? " (virtual)" : "", r->clock_ghz, m->load_average,
		m->kernel, rte_version(), m->compiler, r->hugepages ? "hugepages" : "small pages");
	printf("route: %s; alone: %s, %u keys\n", r->crypto, r->bare_crypto, ENGINE_BARE_KEYS);
	printf("%s, %s, %u rooms x %u (%u talking), %u receivers, payload %u, %u worker%s\n",
		engine_mode_name(s->mode), suite_get(s->suite)->name, s->rooms, s->members,
		s->talkers, o->receivers, s->payload, o->run.workers,
		s->spread > 0        ? "s, one room over all"
		: o->run.workers > 1 ? "s, each with all of it"
				     : "");
	if (o->run.count_copies == 0) {
		printf("medians of %u rounds; %u more were disturbed%s\n\n",
			r->rounds - (r->disturbed ? 0 : r->disturbed_rounds),
			r->disturbed ? 0 : r->disturbed_rounds,
			r->disturbed ? "; MOST WERE DISTURBED, do not trust them" : "");
	}
}

static void print_cost(const char *what, const struct seal_cost *cost)
{
	printf("%-34s %8.1f %8.1f %8.1f\n", what, cost->min, cost->median, cost->max);
}

static void print_memory(const struct engine_result *r)
{
	const struct arena_use *use = &r->memory;

	printf("memory: %.0f bytes per session (%zu for %u), %.0f per leg (%zu for %u)\n",
		per(session_bytes(use), r->session_slots), session_bytes(use), r->session_slots,
		per(use->legs, r->leg_slots), use->legs, r->leg_slots);
}

void engine_report_table(
	const struct engine_options *o, const struct engine_result *r, const struct machine *m)
{
	bool opening = o->run.shape.mode == BENCH_OPEN;
	double all = mpps(o, r);

	print_head(o, r, m);
	if (o->run.count_copies > 0) {
		printf("turned for %llu packets in, %llu out\n",
			(unsigned long long)r->counted_packets,
			(unsigned long long)(opening ? 0 : r->counted_copies));
		return;
	}
	printf("%-34s %8s %8s %8s\n", opening ? "ns per packet in" : "ns per packet out", "min",
		"median", "max");
	print_cost("seal alone", &r->seal);
	print_cost("open alone", &r->open);
	print_cost(o->run.shape.spread > 0 ? "whole route, worker 1" : "whole route", &r->alone);
	for (unsigned i = 0; i < o->run.workers && o->run.workers > 1; i++) {
		char what[40];

		snprintf(what, sizeof(what), "worker %u of %u, CPU %u", i + 1, o->run.workers,
			r->cpus[i]);
		print_cost(what, &r->pipeline[i]);
	}
	printf("\nratio %.2f (%.2f to %.2f) of %s alone; %.2f million packets a second on %u"
	       " core%s\n",
		r->ratio.median, r->ratio.min, r->ratio.max, engine_bare_text(&o->run.shape), all,
		o->run.workers, o->run.workers > 1 ? "s" : "");
	if (o->run.workers > 1 && o->run.shape.spread == 0) {
		printf("%.2f times what one worker does alone\n", all * r->alone.median / 1000);
	}
	printf("%.0f TSC cycles per packet at %.0f MHz; ",
		1000 * o->run.workers / all * (double)r->tsc_hz / 1e9, (double)r->tsc_hz / 1e6);
	if (r->has_counters) {
		printf("%.0f instructions, %.2f cache misses\n", r->instructions, r->cache_misses);
	} else {
		printf("instructions and cache misses %s\n", r->no_counters);
	}
	print_memory(r);
}
