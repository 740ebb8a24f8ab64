// SPDX-License-Identifier: BSD-3-Clause
//
// `voicenode run`: arguments, configuration, plan; then the node (node.h). What is missing is said
// in one sentence before anything is started.
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/config.h"
#include "log/log.h"
#include "supervisor/commands.h"
#include "supervisor/node.h"

#define RUN_CONFIG_DEFAULT "/etc/voicenode/voicenode.cfg"
#define RUN_STATUS_USAGE 2

static const char run_usage[] =
	"usage: voicenode run [--config FILE] [-- EAL ARGUMENTS]\n"
	"Runs this machine's node until SIGTERM or Ctrl-C: starts voicenode-dataplane and\n"
	"voicenode-control, and starts again whichever of them dies. Logs go to stderr.\n"
	"  --config FILE   voicenode.cfg; default " RUN_CONFIG_DEFAULT "\n"
	"  -- ...          passed to DPDK after those of eal.extra_args\n"
	"example: voicenode run --config /etc/voicenode/voicenode.cfg\n";

// 0; 1: help was asked for; -EINVAL.
static int parse_args(int argc, char **argv, const char **config_path)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int option = 0;

	optind = 0; // a fresh scan, whatever main() did
	while ((option = getopt_long(argc, argv, "+c:h", options, NULL)) != -1) {
		if (option == 'c')
			*config_path = optarg;
		else
			return option == 'h' ? 1 : -EINVAL;
	}
	if (optind < argc && strcmp(argv[optind - 1], "--") != 0) {
		fprintf(stderr, "voicenode run: what is \"%s\"?\n", argv[optind]);
		return -EINVAL;
	}
	return 0;
}

static int load_config(const char *path, struct node_config *config)
{
	struct config_problems problems = {0};
	int err = node_config_load(path, config, &problems);

	if (err < 0)
		config_problems_print(&problems, stderr);
	config_problems_free(&problems);
	return err;
}

static int add_eal_args(struct node_config *config, int argc, char **argv)
{
	struct config_list *list = &config->eal_extra_args;

	for (int i = 0; i < argc; i++) {
		if (list->count == CONFIG_LIST_MAX || strlen(argv[i]) >= CONFIG_TEXT_SIZE) {
			fprintf(stderr,
				"voicenode: at most %u EAL arguments, each below %u bytes\n",
				CONFIG_LIST_MAX, CONFIG_TEXT_SIZE);
			return -E2BIG;
		}
		memcpy(list->item[list->count++], argv[i], strlen(argv[i]) + 1);
	}
	return 0;
}

// What runs all the same; `voicenode config check` says more.
static void say_warnings(const struct node_config *config)
{
	const char *secret = config->gateway.secret_file;
	struct stat status;
	char shared[256];

	if (node_config_shared_cores(config, shared, sizeof(shared)) > 0)
		log_warn(
			"workers share cores, more ports than cores give no more cores=%s", shared);
	if (stat(secret, &status) == 0 && S_ISREG(status.st_mode) &&
		(status.st_mode & S_IROTH) != 0)
		log_warn("every user of this machine can read the secret; cure: chmod 600 FILE "
			 "gateway.secret_file=%s",
			secret);
}

static int run_node(const struct node_config *config, const char *config_path)
{
	static struct node_plan plan; // both are large, and there is one of each
	static struct node node;
	char why[1024] = "";

	if (plan_make(config, config_path, &plan, why, sizeof(why)) < 0 ||
		node_init(&node, &plan, why, sizeof(why)) < 0) {
		fprintf(stderr, "voicenode: %s\n", why);
		return 1;
	}
	tls_files_print(&plan.tls);
	(void)fflush(stdout);
	log_notice("node started instance=%s endpoint=%s workers=%u", plan.instance, plan.endpoint,
		config->workers.count);
	int status = node_watch(&node);
	node_fini(&node);
	log_notice("node stopped instance=%s status=%d", plan.instance, status);
	return status;
}

int cmd_run(int argc, char **argv)
{
	static struct node_config config;
	const char *config_path = RUN_CONFIG_DEFAULT;

	int parsed = parse_args(argc, argv, &config_path);
	if (parsed != 0) {
		fputs(run_usage, parsed > 0 ? stdout : stderr);
		return parsed > 0 ? 0 : RUN_STATUS_USAGE;
	}
	(void)signal(SIGPIPE, SIG_IGN); // who reads the log may go; the node stays
	log_open("voicenode", LOG_LEVEL_INFO);
	if (load_config(config_path, &config) < 0 ||
		add_eal_args(&config, argc - optind, argv + optind) < 0)
		return 1;
	log_open("voicenode", config.log_level);
	say_warnings(&config);
	return run_node(&config, config_path);
}
