// SPDX-License-Identifier: BSD-3-Clause
//
// `voicenode config`: the configuration's tables, from the command line.

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "config/config.h"
#include "tls/tls_files.h"

static int usage(FILE *out)
{
	fputs("usage: voicenode config check [FILE] [--gateway]\n"
	      "       voicenode config default [--gateway]\n",
		out);
	return out == stdout ? CLI_OK : CLI_USAGE;
}

// The operator's certificate, where one is named. A local authority is made by `run` only.
static int check_certificate(const char *path, const char *certificate, const char *key)
{
	const struct tls_files_params params = {
		.certificate = certificate,
		.key = key,
		.now_s = (int64_t)time(NULL),
	};
	struct tls_files files;
	char why[512];

	if (certificate[0] == '\0' || tls_files_prepare(&params, &files, why, sizeof(why)) == 0)
		return 0;
	fprintf(stderr, "%s: %s\n1 problem; nothing was changed\n", path, why);
	return -1;
}

static int check(const char *path, bool gateway)
{
	static struct node_config node; // both are large
	static struct gateway_config gateway_config;
	struct config_problems problems = {0};
	int error = gateway ? gateway_config_load(path, &gateway_config, &problems)
			    : node_config_load(path, &node, &problems);

	if (error != 0) {
		config_problems_print(&problems, stderr);
		config_problems_free(&problems);
		return CLI_FAILED;
	}
	if (gateway) {
		error = check_certificate(
			path, gateway_config.tls_certificate, gateway_config.tls_key);
		gateway_config_free(&gateway_config);
	} else {
		error = check_certificate(path, node.voice.tls_certificate, node.voice.tls_key);
	}
	if (error != 0)
		return CLI_FAILED;
	printf("%s: no problems\n", path);
	return CLI_OK;
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
