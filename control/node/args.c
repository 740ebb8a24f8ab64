// SPDX-License-Identifier: BSD-3-Clause
//
// See args.h.

#include "node/args.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum option_id {
	OPTION_CONFIG = 1,
	OPTION_EPOCH,
	OPTION_ADDRESS,
	OPTION_ENDPOINT,
	OPTION_TLS_CERT,
	OPTION_TLS_KEY,
	OPTION_FIRST,
	OPTION_STARTED,
	OPTION_LISTENERS,
};

static const struct option options[] = {
	{"config", required_argument, NULL, OPTION_CONFIG},
	{"epoch", required_argument, NULL, OPTION_EPOCH},
	{"address", required_argument, NULL, OPTION_ADDRESS},
	{"endpoint", required_argument, NULL, OPTION_ENDPOINT},
	{"tls-cert", required_argument, NULL, OPTION_TLS_CERT},
	{"tls-key", required_argument, NULL, OPTION_TLS_KEY},
	{"dataplane-first", required_argument, NULL, OPTION_FIRST},
	{"started-ms", required_argument, NULL, OPTION_STARTED},
	{"listeners", required_argument, NULL, OPTION_LISTENERS},
	{0},
};

static int parse_u64(const char *text, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	return errno != 0 || end == text || *end != '\0' || text[0] == '-' ? -EINVAL : 0;
}

static int parse_u32(const char *text, uint32_t *out)
{
	uint64_t value;

	if (parse_u64(text, &value) != 0 || value > UINT32_MAX)
		return -EINVAL;
	*out = (uint32_t)value;
	return 0;
}

static int add_address(struct node_args *args, const char *text)
{
	struct in6_addr bytes;

	if (args->address_count == NODE_ARGS_ADDRESSES_MAX)
		return -EINVAL;
	args->address[args->address_count++] = text;
	if (inet_pton(AF_INET, text, &bytes) == 1) {
		if (args->ip == NULL)
			args->ip = text;
		return 0;
	}
	if (inet_pton(AF_INET6, text, &bytes) != 1)
		return -EINVAL;
	if (args->ip6 == NULL && !IN6_IS_ADDR_LINKLOCAL(&bytes))
		args->ip6 = text;
	return 0;
}

static int parse_one(struct node_args *args, int option, const char *value)
{
	switch (option) {
	case OPTION_CONFIG:
		args->config_path = value;
		return 0;
	case OPTION_EPOCH:
		return parse_u32(value, &args->epoch);
	case OPTION_ADDRESS:
		return add_address(args, value);
	case OPTION_ENDPOINT:
		args->endpoint = value;
		return 0;
	case OPTION_TLS_CERT:
		args->tls_cert_path = value;
		return 0;
	case OPTION_TLS_KEY:
		args->tls_key_path = value;
		return 0;
	case OPTION_FIRST:
		return parse_u32(value, &args->dataplane_first);
	case OPTION_STARTED:
		return parse_u64(value, &args->started_ms);
	case OPTION_LISTENERS:
		return parse_u32(value, &args->listen_count);
	default:
		return -EINVAL;
	}
}

const char *node_args_help(int argc, char *const argv[])
{
	if (argc > 1 && strcmp(argv[1], "--help") != 0 && strcmp(argv[1], "-h") != 0)
		return NULL;
	return "voicenode-control is the control plane of a voice node: a part of voicenode.\n"
	       "It is not started by hand: `voicenode run` starts it, with arguments made of\n"
	       "voicenode.cfg, and starts it again when it dies. Log lines go to stderr.\n"
	       "To run a node: voicenode run --config /etc/voicenode/voicenode.cfg\n"
	       "To see all commands: voicenode help\n";
}

int node_args_parse(int argc, char **argv, struct node_args *args, char *why, size_t why_size)
{
	int option;

	*args = (struct node_args){0};
	optind = 1;
	opterr = 0;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (parse_one(args, option, optarg) != 0) {
			snprintf(why, why_size, "argument %s cannot be used", argv[optind - 1]);
			return -EINVAL;
		}
	if (optind != argc)
		snprintf(why, why_size, "unexpected argument %s", argv[optind]);
	else if (args->config_path == NULL || args->endpoint == NULL || args->epoch == 0)
		snprintf(why, why_size, "--config, --endpoint and --epoch are needed");
	else if (args->ip == NULL && args->ip6 == NULL)
		snprintf(why, why_size, "--address is needed: what clients are told");
	else if ((args->tls_cert_path == NULL) != (args->tls_key_path == NULL))
		snprintf(why, why_size, "--tls-cert and --tls-key go together");
	else
		return 0;
	return -EINVAL;
}
