// SPDX-License-Identifier: BSD-3-Clause
//
// `voicenode status` and `voicenode guilds`: ask the running node, print for people or for
// programs.

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/operator_client.h"
#include "cli/report.h"
#include "config/config.h"

struct ask_args {
	bool json, help;
	char socket[CONFIG_TEXT_SIZE];
};

static int usage(const char *command, FILE *out)
{
	fprintf(out,
		"usage: voicenode %s [--json] [--socket PATH | --config FILE]\n"
		"%s\n"
		"  --json         one line of JSON\n"
		"  --socket PATH  the node's socket; default " CLI_SOCKET_PATH "\n"
		"  --config FILE  the node's configuration, for its control.socket\n"
		"example: voicenode %s --config /etc/voicenode/voicenode.cfg\n",
		command,
		strcmp(command, "guilds") == 0
			? "The running node's guilds, with their members, speakers and packets."
			: "The running node: its device, gateway and engine; each worker's "
			  "packets; "
			  "drops by\nreason.",
		command);
	return CLI_USAGE;
}

static int socket_of_config(const char *path, struct ask_args *args)
{
	static struct node_config config; // large
	struct config_problems problems = {0};
	int error = node_config_load(path, &config, &problems);

	if (error != 0)
		config_problems_print(&problems, stderr);
	else
		memcpy(args->socket, config.control_socket, sizeof(args->socket));
	config_problems_free(&problems);
	return error == 0 ? CLI_OK : CLI_FAILED;
}

static int parse(int argc, char **argv, struct ask_args *args)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"socket", required_argument, NULL, 's'},
		{"config", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int option, status = CLI_OK;

	snprintf(args->socket, sizeof(args->socket), "%s", CLI_SOCKET_PATH);
	args->json = args->help = false;
	optind = 0; // a fresh scan, whatever was parsed before
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1 && status == CLI_OK) {
		if (option == 'j')
			args->json = true;
		else if (option == 'h')
			args->help = true;
		else if (option == 'c')
			status = socket_of_config(optarg, args);
		else if (option == 's' && strlen(optarg) < sizeof(args->socket))
			memcpy(args->socket, optarg, strlen(optarg) + 1);
		else
			return usage(argv[0], stderr);
	}
	return status == CLI_OK && optind != argc ? usage(argv[0], stderr) : status;
}

static int ask(int argc, char **argv, const char *command, void (*report)(const json_t *, FILE *))
{
	struct ask_args args;
	json_t *reply = NULL;
	char *text = NULL, why[512];
	int status = parse(argc, argv, &args);

	if (status != CLI_OK)
		return status;
	if (args.help) {
		usage(argv[0], stdout);
		return CLI_OK;
	}
	if (operator_ask(args.socket, command, OPERATOR_TIMEOUT_MS, &reply, &text, why,
		    sizeof(why)) != 0) {
		fprintf(stderr, "voicenode: %s\n", why);
		return CLI_FAILED;
	}
	if (args.json)
		printf("%s\n", text);
	else
		report(reply, stdout);
	json_decref(reply);
	free(text);
	return fflush(stdout) == 0 ? CLI_OK : CLI_FAILED;
}

int cmd_status(int argc, char **argv)
{
	return ask(argc, argv, "status", report_status);
}

int cmd_guilds(int argc, char **argv)
{
	return ask(argc, argv, "guilds", report_guilds);
}
