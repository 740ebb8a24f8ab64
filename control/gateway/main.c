// SPDX-License-Identifier: BSD-3-Clause
//
// voicenode-gateway: reads its configuration, listens, and serves until SIGTERM or SIGINT.
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "gateway/gateway.h"
#include "json/json.h"
#include "log/log.h"
#include "loop/loop.h"
#include "loop/privileges.h"

#define STOP_TIMEOUT_MS 500u // for clients to read their close frame
#define STOP_POLL_MS 10u

struct program {
	struct loop *loop;
	struct gateway *gateway;
	struct loop_timer stop_poll;
	uint64_t stop_ms; // when it must be over
};

static void usage(FILE *out)
{
	fprintf(out, "usage: voicenode-gateway --config FILE\n"
		     "The gateway that clients stay connected to and that assigns guilds to voice "
		     "nodes.\n"
		     "  --config FILE  its configuration; configs/gateway.cfg shows every key\n"
		     "  --version      prints the version\n");
}

static void stop_poll(void *arg)
{
	struct program *program = arg;

	if (gateway_stopped(program->gateway) || loop_now_ms(program->loop) >= program->stop_ms)
		loop_stop(program->loop, 0);
	else
		loop_timer_set(&program->stop_poll, STOP_POLL_MS);
}

static void stop_signal(void *arg, int number)
{
	struct program *program = arg;

	if (program->stop_ms != 0) // a second one: at once
		loop_stop(program->loop, 0);
	log_notice("stopping signal=%d", number);
	program->stop_ms = loop_now_ms(program->loop) + STOP_TIMEOUT_MS;
	gateway_stop(program->gateway);
	loop_timer_set(&program->stop_poll, STOP_POLL_MS);
}

static void files_limit_raise(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

// Returns the path, or exits.
static const char *args_parse(int argc, char **argv)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"version", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	const char *path = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "c:vh", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			path = optarg;
			break;
		case 'v':
			printf("voicenode-gateway %s\n", VN_VERSION);
			exit(0);
		case 'h':
			usage(stdout);
			exit(0);
		default:
			usage(stderr);
			exit(2);
		}
	}
	if (path == NULL || optind != argc) {
		usage(stderr);
		exit(2);
	}
	return path;
}

static int serve(struct gateway_config *config)
{
	struct program program = {.loop = loop_create()};
	char why[512];
	int error, status;

	if (program.loop == NULL)
		return 1;
	error = gateway_create(program.loop, config, &program.gateway, why, sizeof(why));
	if (error != 0) {
		fprintf(stderr, "voicenode-gateway: %s\n", why);
		loop_destroy(program.loop);
		return 1;
	}
	loop_timer_init(program.loop, &program.stop_poll, stop_poll, &program);
	if (loop_signal_add(program.loop, SIGTERM, stop_signal, &program) != 0 ||
		loop_signal_add(program.loop, SIGINT, stop_signal, &program) != 0)
		log_warn("signals cannot be caught");
	int dropped = privileges_drop();
	if (dropped != 0)
		log_warn("capabilities stay error=%s", strerror(-dropped));
	log_notice("ready listen=%s guilds=%u users=%u", config->listen, config->guild_count,
		config->user_count);
	printf("ready listen=%s\n", config->listen);
	fflush(stdout);
	status = loop_run(program.loop);
	if (program.stop_ms == 0)
		gateway_stop(program.gateway);
	loop_destroy(program.loop);
	gateway_destroy(program.gateway);
	return status == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	static struct gateway_config config;
	struct config_problems problems = {0};
	const char *path = args_parse(argc, argv);
	int status = 1;

	prctl(PR_SET_DUMPABLE, 0); // it holds secrets
	log_open("voicenode-gateway", LOG_LEVEL_INFO);
	json_wipe_memory();
	if (gateway_config_load(path, &config, &problems) == 0) {
		log_open("voicenode-gateway", config.log_level);
		files_limit_raise();
		status = serve(&config);
	} else {
		config_problems_print(&problems, stderr);
	}
	config_problems_free(&problems);
	gateway_config_free(&config);
	return status;
}
