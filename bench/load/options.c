// SPDX-License-Identifier: BSD-3-Clause
//
// Command line of voicenode-load.
#include "load/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
	OPT_GATEWAY = 256,
	OPT_CA,
	OPT_JOIN,
	OPT_SECONDS,
	OPT_JSON,
	OPT_PROGRESS_FD,
	OPT_SEED,
	OPT_RAMP_MS,
	OPT_MODE,
	OPT_KIND,
	OPT_EXPECT_LOSS,
};

static const struct option long_options[] = {
	{"gateway", required_argument, NULL, OPT_GATEWAY},
	{"ca", required_argument, NULL, OPT_CA},
	{"join", required_argument, NULL, OPT_JOIN},
	{"seconds", required_argument, NULL, OPT_SECONDS},
	{"json", no_argument, NULL, OPT_JSON},
	{"progress-fd", required_argument, NULL, OPT_PROGRESS_FD},
	{"seed", required_argument, NULL, OPT_SEED},
	{"ramp-ms", required_argument, NULL, OPT_RAMP_MS},
	{"mode", required_argument, NULL, OPT_MODE},
	{"kind", required_argument, NULL, OPT_KIND},
	{"expect-loss", required_argument, NULL, OPT_EXPECT_LOSS},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

const char *options_help(void)
{
	return "usage: voicenode-load --gateway http://HOST:PORT --join SPEC [--join SPEC ...]\n"
	       "Voice bots with real signaling, keys and speech; checks every packet they hear.\n"
	       "\n"
	       "  --gateway URL      http, https, ws or wss address of the gateway\n"
	       "  --join SPEC        TOKEN:GUILD:CHANNEL:talk|listen[:OPTION...] with the options\n"
	       "                     nonce=be|le  keepalive=0|4|8|9  mode=NAME  ip6  loss-ok\n"
	       "  --ca FILE          certificate authority (PEM) to trust instead of the system's\n"
	       "  --kind KIND        steady: all talk all the time (default); turns: one at a\n"
	       "                     time per channel, two seconds each\n"
	       "  --mode NAME        aead_aes256_gcm_rtpsize or aead_xchacha20_poly1305_rtpsize;\n"
	       "                     default: the node's first\n"
	       "  --seconds N        end after N seconds, joining included (default: on a signal)\n"
	       "  --ramp-ms N        between the starts of two bots (default 10)\n"
	       "  --seed N           of everything random (default: random, and printed)\n"
	       "  --expect-loss R    fail when more than this ratio of packets is lost\n"
	       "  --json             the result as one JSON object on one line\n"
	       "  --progress-fd N    each second one JSON line to this file descriptor\n"
	       "\n"
	       "Ends with 0 if all bots joined, nothing leaked and no packet was bad (and the "
	       "loss\n"
	       "is as expected), 1 if not, 2 if the command line is wrong.\n";
}

static bool number_parse(const char *text, uint64_t max, uint64_t *number)
{
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*number = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' && *number <= max;
}

// http://HOST:PORT becomes ws://HOST:PORT/?v=10&encoding=json.
static bool gateway_parse(const char *text, struct options *options)
{
	static const char *const schemes[][2] = {{"http://", "ws://"}, {"https://", "wss://"},
		{"ws://", "ws://"}, {"wss://", "wss://"}};

	for (unsigned i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t scheme_size = strlen(schemes[i][0]);

		if (strncmp(text, schemes[i][0], scheme_size) != 0)
			continue;

		const char *host = text + scheme_size;
		size_t host_size = strcspn(host, "/");
		// Nothing but a closing slash may follow: the path is the protocol's.
		bool bare = host[host_size] == '\0' || host[host_size + 1] == '\0';
		int size = snprintf(options->gateway_url, OPTIONS_URL_SIZE,
			"%s%.*s/?v=10&encoding=json", schemes[i][1], (int)host_size, host);

		return host_size != 0 && bare && (unsigned)size < OPTIONS_URL_SIZE;
	}
	return false;
}

static bool join_add(struct options *options, const char *text, char *why, size_t why_size)
{
	if (options->join_count == OPTIONS_JOINS_MAX) {
		snprintf(why, why_size, "more than %u --join", OPTIONS_JOINS_MAX);
		return false;
	}

	char reason[160];

	// The text holds a token, so the message does not repeat it.
	if (join_spec_parse(text, &options->joins[options->join_count], reason, sizeof(reason)) !=
		0) {
		snprintf(why, why_size, "--join number %u: %s", options->join_count + 1, reason);
		return false;
	}
	options->join_count++;
	return true;
}

static bool ratio_parse(const char *text, double *ratio)
{
	char *end;

	*ratio = strtod(text, &end);
	return end != text && *end == '\0' && *ratio >= 0 && *ratio <= 1;
}

static bool kind_parse(const char *text, enum options_kind *kind)
{
	*kind = strcmp(text, "turns") == 0 ? OPTIONS_TURNS : OPTIONS_STEADY;
	return *kind == OPTIONS_TURNS || strcmp(text, "steady") == 0;
}

static bool option_apply(int option, const char *value, struct options *options)
{
	uint64_t number = 0;
	bool fine;

	switch (option) {
	case OPT_GATEWAY:
		return gateway_parse(value, options);
	case OPT_CA:
		options->ca_path = value;
		return true;
	case OPT_SECONDS:
		fine = number_parse(value, 10000000, &number) && number > 0;
		options->run_ms = number * 1000;
		return fine;
	case OPT_JSON:
		options->json = true;
		return true;
	case OPT_PROGRESS_FD:
		fine = number_parse(value, 1023, &number);
		options->progress_fd = (int)number;
		return fine;
	case OPT_SEED:
		return number_parse(value, INT64_MAX, &options->seed);
	case OPT_RAMP_MS:
		fine = number_parse(value, 60000, &number);
		options->ramp_ms = (uint32_t)number;
		return fine;
	case OPT_MODE:
		options->has_mode = true;
		return rtpsize_client_mode_parse(value, &options->mode);
	case OPT_KIND:
		return kind_parse(value, &options->kind);
	case OPT_EXPECT_LOSS:
		return ratio_parse(value, &options->loss_max);
	default:
		return false;
	}
}

static enum options_result options_walk(
	int argc, char **argv, struct options *options, char *why, size_t why_size)
{
	int option, index = 0;

	optind = 0; // again from the start, for tests
	opterr = 0;
	while ((option = getopt_long(argc, argv, "h", long_options, &index)) != -1) {
		if (option == 'h')
			return OPTIONS_HELP;
		if (option == OPT_JOIN) {
			if (!join_add(options, optarg, why, why_size))
				return OPTIONS_WRONG;
		} else if (option == '?') {
			snprintf(why, why_size, "unknown option, or its value is missing: %.60s",
				argv[optind - 1]);
			return OPTIONS_WRONG;
		} else if (!option_apply(option, optarg, options)) {
			snprintf(why, why_size, "--%s: \"%.60s\" is not allowed, see --help",
				long_options[index].name, optarg != NULL ? optarg : "");
			return OPTIONS_WRONG;
		}
	}
	if (optind != argc) {
		snprintf(why, why_size, "\"%.60s\" is not an option", argv[optind]);
		return OPTIONS_WRONG;
	}
	if (options->gateway_url[0] == '\0' || options->join_count == 0) {
		snprintf(why, why_size, "--gateway and at least one --join are needed, see --help");
		return OPTIONS_WRONG;
	}
	return OPTIONS_RUN;
}

enum options_result options_parse(
	int argc, char **argv, struct options *options, char *why, size_t why_size)
{
	memset(options, 0, sizeof(*options));
	options->progress_fd = -1;
	options->ramp_ms = 10;
	options->loss_max = -1;
	if (getrandom(&options->seed, sizeof(options->seed), 0) != (ssize_t)sizeof(options->seed))
		options->seed = 1;
	options->seed &= 0xffffffffu; // short enough to be typed again
	options->joins = calloc(OPTIONS_JOINS_MAX, sizeof(*options->joins));
	if (options->joins == NULL) {
		snprintf(why, why_size, "no memory");
		return OPTIONS_WRONG;
	}

	enum options_result result = options_walk(argc, argv, options, why, why_size);

	if (result != OPTIONS_RUN)
		options_fini(options);
	return result;
}

void options_fini(struct options *options)
{
	if (options->joins != NULL)
		explicit_bzero(options->joins, OPTIONS_JOINS_MAX * sizeof(*options->joins));
	free(options->joins);
	options->joins = NULL;
	options->join_count = 0;
}
