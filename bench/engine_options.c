// SPDX-License-Identifier: BSD-3-Clause
//
// See engine_options.h.
#include "engine_options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/dp_limits.h"

#define ROUNDS_DEFAULT 7
#define PAYLOAD_MAX (DP_PAYLOAD_SIZE_MAX - DP_RTP_HEADER_SIZE_MAX - DP_RTPSIZE_OVERHEAD)
#define COUNT_MAX 100000000u

static const char usage[] =
	"usage: engine_bench [--mode MODE] [--suite SUITE] [--engine ENGINE] [--payload BYTES]\n"
	"                    [--workers N] [--rounds N] [--count N] [--json] [what the mode has]\n"
	"  --mode fanout   rooms of one talker: --receivers N (1000), --fanout N (25) of each "
	"room\n"
	"         rooms    --rooms N (1000), --members N (2) of each, --talkers N (2) of them "
	"talk\n"
	"         huge     one room: --receivers N (10000) listeners, --talkers N (3)\n"
	"         spread   the same room over all --workers (2), what is said in one part crosses\n"
	"         open     as rooms, everybody deafened: received and opened, nothing leaves\n"
	"         bridge   between native clients and browsers\n"
	"  --suite         aead_aes256_gcm_rtpsize (default), aead_xchacha20_poly1305_rtpsize,\n"
	"                  aead_aes_128_gcm, aead_aes_256_gcm, aes_cm_128_hmac_sha1_80\n"
	"  --engine        auto (default), ipsec-mb (the library alone), libsrtp2\n"
	"  --workers N     1 (default) or 2: two on two cores, each with all of the above\n"
	"  --rounds N      undisturbed rounds to measure (7)\n"
	"  --count N       no times: turn for N packets and say how many, for callgrind\n"
	"  --json          one line\n";

static const char *const mode_names[BENCH_MODE_COUNT] = {
	[BENCH_FANOUT] = "fanout",
	[BENCH_ROOMS] = "rooms",
	[BENCH_HUGE] = "huge",
	[BENCH_SPREAD] = "spread",
	[BENCH_OPEN] = "open",
	[BENCH_BRIDGE] = "bridge",
};
static const char *const kind_names[] = {
	[CRYPTO_ENGINE_AUTO] = "auto",
	[CRYPTO_ENGINE_IPSEC_MB] = "ipsec-mb",
	[CRYPTO_ENGINE_LIBSRTP2] = "libsrtp2",
};
#define KIND_COUNT (sizeof(kind_names) / sizeof(kind_names[0]))

// Numbers by option; 0: not given.
enum number {
	NUMBER_RECEIVERS,
	NUMBER_FANOUT,
	NUMBER_ROOMS,
	NUMBER_MEMBERS,
	NUMBER_TALKERS,
	NUMBER_PAYLOAD,
	NUMBER_WORKERS,
	NUMBER_ROUNDS,
	NUMBER_COUNT,
	NUMBER_END,
};

static const struct {
	const char *name;
	uint32_t max;
	unsigned modes; // bit per mode that has it; 0: all
} numbers[NUMBER_END] = {
	[NUMBER_RECEIVERS] = {"receivers", BENCH_SESSIONS_MAX,
		1u << BENCH_FANOUT | 1u << BENCH_HUGE | 1u << BENCH_SPREAD},
	[NUMBER_FANOUT] = {"fanout", DP_ROOM_RECEIVERS_MAX - 1, 1u << BENCH_FANOUT},
	[NUMBER_ROOMS] = {"rooms", DP_GUILDS_MAX, 1u << BENCH_ROOMS | 1u << BENCH_OPEN},
	[NUMBER_MEMBERS] = {"members", DP_ROOM_RECEIVERS_MAX, 1u << BENCH_ROOMS | 1u << BENCH_OPEN},
	[NUMBER_TALKERS] = {"talkers", DP_ROOM_RECEIVERS_MAX,
		1u << BENCH_ROOMS | 1u << BENCH_OPEN | 1u << BENCH_HUGE | 1u << BENCH_SPREAD},
	[NUMBER_PAYLOAD] = {"payload", PAYLOAD_MAX, 0},
	[NUMBER_WORKERS] = {"workers", BENCH_WORKERS_MAX, 0},
	[NUMBER_ROUNDS] = {"rounds", ENGINE_ROUNDS_MAX, 0},
	[NUMBER_COUNT] = {"count", COUNT_MAX, 0},
};

const char *engine_mode_name(enum bench_mode mode)
{
	return mode_names[mode];
}

const char *engine_kind_name(enum crypto_engine_kind kind)
{
	return kind_names[kind];
}

static bool parse_number(enum number which, const char *text, uint32_t given[NUMBER_END])
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (end == text || *end != '\0' || text[0] == '-' || value == 0 ||
		value > numbers[which].max) {
		fprintf(stderr, "engine_bench: --%s \"%s\": a number from 1 to %u is allowed\n",
			numbers[which].name, text, numbers[which].max);
		return false;
	}
	given[which] = (uint32_t)value;
	return true;
}

// Index of 'text' in 'names', or -1 (printed).
static int parse_name(const char *option, const char *text, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(names[i], text) == 0) {
			return (int)i;
		}
	}
	fprintf(stderr, "engine_bench: --%s \"%s\" does not exist; there are:", option, text);
	for (size_t i = 0; i < count; i++) {
		fprintf(stderr, " %s", names[i]);
	}
	fprintf(stderr, "\n");
	return -1;
}

static bool parse_suite(const char *text, struct field_shape *shape)
{
	const char *names[DP_SUITE_COUNT - 1];
	int at;

	for (unsigned i = 0; i < DP_SUITE_COUNT - 1; i++) {
		names[i] = suite_get(i + 1)->name;
	}
	at = parse_name("suite", text, names, DP_SUITE_COUNT - 1);
	shape->suite = (enum dp_suite)(at + 1);
	return at >= 0;
}

static bool parse_options(
	int argc, char **argv, struct engine_options *o, uint32_t given[NUMBER_END])
{
	static const struct option longs[] = {{"receivers", required_argument, NULL, 0},
		{"fanout", required_argument, NULL, 0}, {"rooms", required_argument, NULL, 0},
		{"members", required_argument, NULL, 0}, {"talkers", required_argument, NULL, 0},
		{"payload", required_argument, NULL, 0}, {"workers", required_argument, NULL, 0},
		{"rounds", required_argument, NULL, 0}, {"count", required_argument, NULL, 0},
		{"mode", required_argument, NULL, 'm'}, {"suite", required_argument, NULL, 's'},
		{"engine", required_argument, NULL, 'e'}, {"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	struct field_shape *shape = &o->run.shape;
	bool good = true;
	int c, at, name;

	while (good && (c = getopt_long(argc, argv, "", longs, &at)) != -1) {
		switch (c) {
		case 0:
			good = parse_number((enum number)at, optarg, given);
			break;
		case 'm':
			name = parse_name("mode", optarg, mode_names, BENCH_MODE_COUNT);
			shape->mode = (enum bench_mode)name;
			good = name >= 0;
			break;
		case 'e':
			name = parse_name("engine", optarg, kind_names, KIND_COUNT);
			shape->engine = (enum crypto_engine_kind)name;
			good = name >= 0;
			break;
		case 's':
			good = parse_suite(optarg, shape);
			break;
		case 'j':
			o->json = true;
			break;
		default:
			fputs(usage, stderr);
			return false;
		}
	}
	if (good && optind < argc) {
		fprintf(stderr, "engine_bench: \"%s\" is no option; see --help\n", argv[optind]);
		return false;
	}
	return good;
}

static uint32_t or_default(uint32_t given, uint32_t otherwise)
{
	return given != 0 ? given : otherwise;
}

static bool spread_check(const struct engine_options *o, const struct field_shape *s)
{
	if (s->spread < 2 || o->receivers % s->spread != 0 || s->talkers < s->spread) {
		fprintf(stderr,
			"engine_bench: %u receivers and %u talkers on %u workers: a spread room has"
			" as many receivers on each worker, a talker at least, and two workers or"
			" more; use --workers 2 --receivers 10000 --talkers 3\n",
			o->receivers, s->talkers, s->spread);
		return false;
	}
	return true;
}

static bool shape_fill(struct engine_options *o, const uint32_t given[NUMBER_END])
{
	struct field_shape *s = &o->run.shape;
	uint32_t fanout = or_default(given[NUMBER_FANOUT], 25);

	switch (s->mode) {
	case BENCH_FANOUT:
		o->receivers = or_default(given[NUMBER_RECEIVERS], 1000);
		if (o->receivers % fanout != 0) {
			fprintf(stderr,
				"engine_bench: --receivers %u is no multiple of --fanout %u: all"
				" rooms are alike; use %u\n",
				o->receivers, fanout, (o->receivers / fanout + 1) * fanout);
			return false;
		}
		s->rooms = o->receivers / fanout;
		s->members = fanout + 1;
		s->talkers = 1;
		return true;
	case BENCH_ROOMS:
	case BENCH_OPEN:
		s->rooms = or_default(given[NUMBER_ROOMS], 1000);
		s->members = or_default(given[NUMBER_MEMBERS], 2);
		s->talkers = or_default(given[NUMBER_TALKERS], 2);
		o->receivers = s->rooms * s->members;
		return true;
	case BENCH_HUGE:
		o->receivers = or_default(given[NUMBER_RECEIVERS], 10000);
		s->talkers = or_default(given[NUMBER_TALKERS], 3);
		s->rooms = 1;
		s->members = o->receivers + s->talkers;
		return true;
	case BENCH_SPREAD:
		o->receivers = or_default(given[NUMBER_RECEIVERS], 10000);
		s->talkers = or_default(given[NUMBER_TALKERS], 3);
		s->rooms = 1;
		s->spread = or_default(given[NUMBER_WORKERS], BENCH_WORKERS_MAX);
		s->members = o->receivers / s->spread + field_talkers(s, 0);
		return spread_check(o, s);
	case BENCH_BRIDGE:
	case BENCH_MODE_COUNT:
		break;
	}
	fprintf(stderr,
		"engine_bench: --mode bridge: the route does not translate between native clients"
		" and browsers yet; it comes with WebRTC. Use fanout, rooms, huge or open\n");
	return false;
}

static bool shape_check(const struct field_shape *s)
{
	if (s->members < 2 || s->talkers > s->members || s->members > DP_ROOM_RECEIVERS_MAX) {
		fprintf(stderr,
			"engine_bench: a room of %u with %u talkers: a room has 2 to %u members and"
			" no more talkers than them\n",
			s->members, s->talkers, DP_ROOM_RECEIVERS_MAX);
		return false;
	}
	if ((uint64_t)s->rooms * s->members > BENCH_SESSIONS_MAX || s->rooms > DP_GUILDS_MAX) {
		fprintf(stderr,
			"engine_bench: %u rooms of %u are too many: %u rooms and %u sessions are"
			" allowed\n",
			s->rooms, s->members, DP_GUILDS_MAX, BENCH_SESSIONS_MAX);
		return false;
	}
	if ((uint64_t)s->rooms * s->talkers * (s->members - 1) >= DP_LEGS_MAX) {
		fprintf(stderr,
			"engine_bench: %u rooms of %u, %u talking, take more than %u legs; let "
			"fewer"
			" talk\n",
			s->rooms, s->members, s->talkers, DP_LEGS_MAX);
		return false;
	}
	return true;
}

bool engine_options_parse(int argc, char **argv, struct engine_options *out)
{
	uint32_t given[NUMBER_END] = {0};
	struct field_shape *shape = &out->run.shape;

	*out = (struct engine_options){
		.run.shape = {.mode = BENCH_FANOUT, .suite = DP_SUITE_AES256_GCM_RTPSIZE}};
	if (!parse_options(argc, argv, out, given) || !shape_fill(out, given)) {
		return false;
	}
	for (unsigned i = 0; i < NUMBER_END; i++) {
		if (given[i] != 0 && numbers[i].modes != 0 &&
			(numbers[i].modes & 1u << shape->mode) == 0) {
			fprintf(stderr, "engine_bench: --mode %s has no --%s; see --help\n",
				engine_mode_name(shape->mode), numbers[i].name);
			return false;
		}
	}
	shape->payload = or_default(given[NUMBER_PAYLOAD], 100);
	out->run.workers = or_default(given[NUMBER_WORKERS], shape->spread > 0 ? shape->spread : 1);
	out->run.rounds = or_default(given[NUMBER_ROUNDS], ROUNDS_DEFAULT);
	out->run.count_copies = given[NUMBER_COUNT];
	if (out->run.count_copies > 0 && shape->spread > 0) {
		fprintf(stderr, "engine_bench: --mode spread has no --count: one worker alone is"
				" counted; use --mode huge\n");
		return false;
	}
	return shape_check(shape);
}
