// SPDX-License-Identifier: BSD-3-Clause
//
// The published number: what a packet costs on its whole route, against what its cipher alone
// costs. Both are measured in turns, so that what else happens on the machine happens to both.
#include <getopt.h>
#include <jansson.h>
#include <rte_version.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/dp_limits.h"
#include "crypto/suite.h"
#include "engine_field.h"
#include "machine.h"
#include "seal_only.h"

#define ROUNDS 7
#define RECEIVERS_MAX 100000u // of DP_SESSIONS_MAX, with their speakers
#define WARM_UP_SAMPLES 20
#define ROUND_SAMPLES 101

static const char usage[] =
	"usage: engine_bench [--suite NAME] [--receivers N] [--fanout N] [--payload BYTES] "
	"[--json]\n"
	"  N receivers are a multiple of the fan-out, at most %u; payload at most %u\n";

struct options {
	struct engine_field_params field;
	bool json;
};

struct result {
	struct seal_cost seal, pipeline; // of the rounds' medians
	char crypto[64];
	const char *memory;
};

static bool parse_number(const char *text, uint32_t max, uint32_t *out)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (end == text || *end != '\0' || text[0] == '-' || value == 0 || value > max) {
		return false;
	}
	*out = (uint32_t)value;
	return true;
}

static bool parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {{"suite", required_argument, NULL, 's'},
		{"receivers", required_argument, NULL, 'r'},
		{"fanout", required_argument, NULL, 'f'}, {"payload", required_argument, NULL, 'p'},
		{"json", no_argument, NULL, 'j'}, {NULL, 0, NULL, 0}};
	const uint32_t payload_max =
		DP_PAYLOAD_SIZE_MAX - DP_RTP_HEADER_SIZE_MAX - DP_RTPSIZE_OVERHEAD;
	const struct suite *suite = suite_get(DP_SUITE_AES256_GCM_RTPSIZE);
	bool good = true;
	int c;

	*o = (struct options){.field = {.receivers = 1000, .fanout = 25, .payload = 100}};
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 's':
			suite = suite_by_name(optarg);
			break;
		case 'r':
			good &= parse_number(optarg, RECEIVERS_MAX, &o->field.receivers);
			break;
		case 'f':
			good &= parse_number(optarg, DP_ROOM_RECEIVERS_MAX - 1, &o->field.fanout);
			break;
		case 'p':
			good &= parse_number(optarg, payload_max, &o->field.payload);
			break;
		case 'j':
			o->json = true;
			break;
		default:
			good = false;
			break;
		}
	}
	good &= suite != NULL && optind == argc;
	good = good && o->field.receivers % o->field.fanout == 0 &&
	       o->field.receivers / o->field.fanout <= DP_GUILDS_MAX;
	if (!good) {
		fprintf(stderr, usage, RECEIVERS_MAX, payload_max);
		return false;
	}
	o->field.suite = suite->id;
	return true;
}

static int measure(const struct options *o, struct result *r)
{
	struct engine_field *f = engine_field_create(&o->field);
	double seal[ROUNDS], pipeline[ROUNDS], samples[ROUND_SAMPLES];
	struct seal_cost cost;
	int err = 0;

	if (f == NULL) {
		return -1;
	}
	snprintf(r->crypto, sizeof(r->crypto), "%s", crypto_engine_name(engine_field_crypto(f)));
	r->memory = engine_field_memory(f);
	for (unsigned i = 0; i < WARM_UP_SAMPLES; i++) {
		(void)engine_field_sample(f);
	}
	for (unsigned round = 0; round < ROUNDS && err == 0; round++) {
		err = seal_only_measure(engine_field_crypto(f), o->field.suite, o->field.receivers,
			o->field.payload, &cost);
		seal[round] = cost.median;
		for (unsigned i = 0; i < ROUND_SAMPLES; i++) {
			samples[i] = engine_field_sample(f);
		}
		seal_cost_fill(&cost, samples, ROUND_SAMPLES);
		pipeline[round] = cost.median;
	}
	if (engine_field_destroy(f) != 0 || err != 0) {
		return -1;
	}
	seal_cost_fill(&r->seal, seal, ROUNDS);
	seal_cost_fill(&r->pipeline, pipeline, ROUNDS);
	return 0;
}

static double rounded(double value)
{
	char text[32];

	snprintf(text, sizeof(text), "%.2f", value);
	return strtod(text, NULL);
}

static int print_json(const struct options *o, const struct result *r, const struct machine *m)
{
	json_t *json = json_pack("{s:s, s:i, s:i, s:i, s:f, s:f, s:f, s:f, s:[f,f], s:[f,f],"
				 " s:{s:s, s:i, s:s, s:s, s:s, s:s, s:s}}",
		"suite", suite_get(o->field.suite)->name, "receivers", (int)o->field.receivers,
		"fanout", (int)o->field.fanout, "payload", (int)o->field.payload, "seal_only_ns",
		rounded(r->seal.median), "pipeline_ns", rounded(r->pipeline.median), "ratio",
		rounded(r->pipeline.median / r->seal.median), "mpps",
		rounded(1000 / r->pipeline.median), "seal_only_ns_range", rounded(r->seal.min),
		rounded(r->seal.max), "pipeline_ns_range", rounded(r->pipeline.min),
		rounded(r->pipeline.max), "machine", "cpu", m->cpu, "cores", (int)m->core_count,
		"kernel", m->kernel, "crypto", r->crypto, "dpdk", rte_version(), "compiler",
		m->compiler, "memory", r->memory);
	char *text = json == NULL ? NULL
				  : json_dumps(json, JSON_COMPACT | JSON_PRESERVE_ORDER |
							     JSON_REAL_PRECISION(6));

	json_decref(json);
	if (text == NULL) {
		fprintf(stderr, "engine_bench: out of memory\n");
		return -1;
	}
	puts(text);
	free(text);
	return 0;
}

static void print_table(const struct options *o, const struct result *r, const struct machine *m)
{
	printf("%s, %u cores, Linux %s; %s; %s; %s; %s\n", m->cpu, m->core_count, m->kernel,
		r->crypto, rte_version(), m->compiler, r->memory);
	printf("%s, %u receivers, fan-out %u, payload %u; medians of %d rounds\n\n",
		suite_get(o->field.suite)->name, o->field.receivers, o->field.fanout,
		o->field.payload, ROUNDS);
	printf("%-24s %8s %8s %8s\n", "ns per packet out", "min", "median", "max");
	printf("%-24s %8.1f %8.1f %8.1f\n", "seal only", r->seal.min, r->seal.median, r->seal.max);
	printf("%-24s %8.1f %8.1f %8.1f\n", "whole route", r->pipeline.min, r->pipeline.median,
		r->pipeline.max);
	printf("\nratio %.2f, %.2f million packets a second on one core\n",
		r->pipeline.median / r->seal.median, 1000 / r->pipeline.median);
}

int main(int argc, char **argv)
{
	struct options options;
	struct machine machine;
	struct result result;

	if (!parse(argc, argv, &options)) {
		return 2;
	}
	machine_read(&machine);
	if (measure(&options, &result) != 0) {
		return EXIT_FAILURE;
	}
	if (!options.json) {
		print_table(&options, &result, &machine);
		return EXIT_SUCCESS;
	}
	return print_json(&options, &result, &machine) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
