// SPDX-License-Identifier: BSD-3-Clause
//
// `voicenode config`: the configuration's tables, from the command line.

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/machine_check.h"
#include "config/config.h"

static int usage(FILE *out)
{
	fputs("usage: voicenode config check [FILE] [--gateway]\n"
	      "       voicenode config default [--gateway]\n"
	      "check tells every mistake of a configuration with its line and cure, and opens the\n"
	      "files that it names; an interface that this machine has not is a warning only.\n"
	      "default prints a configuration with every key, what it is for and what is allowed.\n"
	      "  FILE       default " CLI_CONFIG_PATH ", with --gateway\n"
	      "             " CLI_GATEWAY_CONFIG_PATH "\n"
	      "  --gateway  the gateway's file (gateway.cfg) instead of the node's "
	      "(voicenode.cfg)\n"
	      "example: voicenode config check /etc/voicenode/voicenode.cfg\n",
		out);
	return out == stdout ? CLI_OK : CLI_USAGE;
}

static int check(const char *path, bool gateway)
{
	static struct node_config node; // both are large
	static struct gateway_config gateway_config;
	struct config_problems problems = {.wants_rest = true}; // all mistakes in one go
	int error = gateway ? gateway_config_load(path, &gateway_config, &problems)
			    : node_config_load(path, &node, &problems);

	bool is_read = error == 0 || problems.has_rest;

	if (is_read && gateway) {
		machine_check_gateway(path, &gateway_config, &problems);
		gateway_config_free(&gateway_config);
	} else if (is_read) {
		machine_check_node(path, &node, &problems);
	}
	error = error != 0 || problems.count > 0;
	if (error != 0)
		config_problems_print(&problems, stderr);
	else if (problems.text != NULL)
		fputs(problems.text, stderr);
	if (error == 0 && problems.warning_count > 0)
		printf("%s: no problems, %u warning%s\n", path, problems.warning_count,
			problems.warning_count == 1 ? "" : "s");
	else if (error == 0)
		printf("%s: no problems\n", path);
	config_problems_free(&problems);
	return error != 0 ? CLI_FAILED : CLI_OK;
}

static int print_default(bool gateway)
{
	char *text = NULL;
	int error = gateway ? gateway_config_sample(&text) : node_config_sample(&text);

	if (error != 0) {
		fputs("voicenode: out of memory\n", stderr);
		return CLI_FAILED;
	}
	fputs(text, stdout);
	free(text);
	return CLI_OK;
}

int cmd_config(int argc, char **argv)
{
	static const struct option options[] = {
		{"gateway", no_argument, NULL, 'g'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	bool gateway = false;
	int option, words;

	optind = 0; // a fresh scan, whatever was parsed before
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'g')
			return usage(option == 'h' ? stdout : stderr);
		gateway = true;
	}
	words = argc - optind;
	if (words >= 1 && words <= 2 && strcmp(argv[optind], "check") == 0) {
		const char *path = gateway ? CLI_GATEWAY_CONFIG_PATH : CLI_CONFIG_PATH;

		return check(words == 2 ? argv[optind + 1] : path, gateway);
	}
	if (words == 1 && strcmp(argv[optind], "default") == 0)
		return print_default(gateway);
	return usage(stderr);
}
