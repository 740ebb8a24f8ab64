// SPDX-License-Identifier: BSD-3-Clause
//
// voicenode-load: voice bots that speak the real protocols and check everything that they hear.
#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "load/options.h"
#include "load/report.h"
#include "load/swarm.h"
#include "loop/loop.h"

#define EXIT_FAILED 1
#define EXIT_USAGE 2
#define FDS_PER_BOT 4u // two WebSockets, one UDP socket, one to spare while one replaces another

static void on_signal(void *arg, int signal)
{
	(void)signal;
	swarm_stop(arg);
}

// Hundreds of bots need more descriptors than a shell allows by default.
static void descriptors_raise(const struct options *options)
{
	struct rlimit limit;
	rlim_t wanted = options->join_count * FDS_PER_BOT + 64;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted)
		fprintf(stderr,
			"voicenode-load: only %llu file descriptors; raise the limit (ulimit -n)\n",
			(unsigned long long)limit.rlim_cur);
}

static int run(const struct options *options)
{
	struct loop *loop = loop_create();
	struct swarm *swarm = NULL;
	bool passed = false;

	if (loop == NULL)
		return EXIT_FAILED;
	if (swarm_create(loop, options, &swarm) != 0) {
		loop_destroy(loop);
		return EXIT_FAILED;
	}
	if (loop_signal_add(loop, SIGINT, on_signal, swarm) != 0 ||
		loop_signal_add(loop, SIGTERM, on_signal, swarm) != 0) {
		fprintf(stderr, "voicenode-load: cannot watch signals\n");
	} else {
		swarm_start(swarm);
		loop_run(loop);
		passed = report_passed(swarm->report);
	}
	swarm_close(swarm);
	loop_destroy(loop);
	swarm_destroy(swarm);
	return passed ? 0 : EXIT_FAILED;
}

int main(int argc, char **argv)
{
	struct options options;
	char why[256];

	switch (options_parse(argc, argv, &options, why, sizeof(why))) {
	case OPTIONS_HELP:
		fputs(options_help(), stdout);
		return 0;
	case OPTIONS_WRONG:
		fprintf(stderr, "voicenode-load: %s\n", why);
		return EXIT_USAGE;
	case OPTIONS_RUN:
		break;
	}
	// A reader that goes away must not end the run.
	signal(SIGPIPE, SIG_IGN);
	if (sodium_init() < 0) {
		fprintf(stderr, "voicenode-load: libsodium does not start\n");
		options_fini(&options);
		return EXIT_FAILED;
	}
	if (options.ca_path != NULL && access(options.ca_path, R_OK) != 0) {
		fprintf(stderr,
			"voicenode-load: --ca %s cannot be read: %s; the node prints where its "
			"file is "
			"when it starts (\"voice CA: ...\")\n",
			options.ca_path, strerror(errno));
		options_fini(&options);
		return EXIT_USAGE;
	}
	descriptors_raise(&options);
	setvbuf(stderr, NULL, _IOLBF, 0);

	int status = run(&options);

	options_fini(&options);
	return status;
}
