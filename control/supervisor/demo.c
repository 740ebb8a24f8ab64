// SPDX-License-Identifier: BSD-3-Clause
//
// `voicenode demo`: its network (demo_net), its files (demo_files), gateway, node and bots as
// children, and what it shows (demo_view). Every wait watches the signals and the children, so that
// Ctrl-C and a death are noticed at once; whatever happens, the steps are undone in reverse order.
#include "supervisor/demo.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "json/json.h"
#include "supervisor/commands.h"

#define DEMO_ROOT "/tmp"
#define DEMO_SECONDS_MAX 86400
#define DEMO_GRACE_MS 30000 // of the load after its seconds
#define DEMO_PLAIN_MS 5000  // between two tables where there is no terminal
#define DEMO_STATUS_USAGE 2

static const char demo_usage[] =
	"usage: voicenode demo [--seconds N] [--json] [--device afpacket|afxdp] [--verbose]\n"
	"One gateway, one node and eight bots that talk, in network namespaces of their own.\n"
	"  --seconds N   end after N seconds (default: on Ctrl-C)\n"
	"  --json        the result as one JSON object on one line, nothing else on stdout\n"
	"  --device D    afpacket (default) or afxdp\n"
	"  --verbose     show the logs of all programs\n"
	"example: voicenode demo --seconds 20 --json\n";

static int parse_args(int argc, char **argv, struct demo_options *options)
{
	static const struct option names[] = {
		{"seconds", required_argument, NULL, 's'},
		{"json", no_argument, NULL, 'j'},
		{"device", required_argument, NULL, 'd'},
		{"verbose", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	char *end = NULL;
	int option = 0;

	*options = (struct demo_options){.device = "afpacket"};
	optind = 0; // a fresh scan, whatever main() did
	while ((option = getopt_long(argc, argv, "+", names, NULL)) != -1) {
		unsigned long seconds = 0;
		switch (option) {
		case 's':
			seconds = strtoul(optarg, &end, 10);
			if (optarg[0] < '0' || optarg[0] > '9' || *end != 0 || seconds == 0 ||
				seconds > DEMO_SECONDS_MAX) {
				fprintf(stderr,
					"voicenode demo: --seconds is 1 to %d, not \"%s\"\n",
					DEMO_SECONDS_MAX, optarg);
				return -EINVAL;
			}
			options->seconds = (unsigned)seconds;
			break;
		case 'd':
			if (strcmp(optarg, "afpacket") != 0 && strcmp(optarg, "afxdp") != 0) {
				fprintf(stderr,
					"voicenode demo: --device is afpacket or afxdp, not "
					"\"%s\"\n",
					optarg);
				return -EINVAL;
			}
			options->device = optarg;
			break;
		case 'j':
			options->json = true;
			break;
		case 'v':
			options->verbose = true;
			break;
		default:
			return option == 'h' ? 1 : -EINVAL;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "voicenode demo: what is \"%s\"?\n", argv[optind]);
		return -EINVAL;
	}
	return 0;
}

// For people: stderr with --json, stdout without.
static FILE *talk(const struct demo *demo)
{
	return demo->options.json ? stderr : stdout;
}

// Nobody reads any more: `voicenode demo | head`. A reason to end, in order.
static bool is_unheard(const struct demo *demo)
{
	return ferror(talk(demo)) != 0;
}

static void ask_node(struct demo *demo)
{
	json_t *guilds = demo_ask(demo, "guilds");

	demo_refresh(&demo->status, demo_ask(demo, "status"));
	// Bots that left take their guilds along; what was is still to be shown.
	if (demo->guilds != NULL && json_array_size(json_object_get(guilds, "guilds")) == 0)
		json_decref(guilds);
	else
		demo_refresh(&demo->guilds, guilds);
}

static void show_table(struct demo *demo, bool last)
{
	uint64_t now_ms = child_now_ms();

	if (demo->options.json || (!last && !demo->live && demo->shown_ms != 0 &&
					  now_ms - demo->shown_ms < DEMO_PLAIN_MS))
		return;
	ask_node(demo);
	if (demo->live && demo->lines > 0)
		printf("\033[%uA\033[J", demo->lines);
	const struct demo_sample sample = {demo->last_progress, demo->guilds, demo->status};
	demo->lines = demo_view_table(stdout, &sample);
	(void)fflush(stdout);
	demo->shown_ms = now_ms;
}

static void say_how_to_join(const struct demo *demo)
{
	FILE *out = talk(demo);

	fprintf(out,
		"voicenode " VN_VERSION " demo: 1 gateway, 1 node (%s on veth, 2 workers), %d bots"
		" in %d guilds\n\n",
		demo->options.device, DEMO_BOTS, DEMO_GUILDS);
	fprintf(out, "  gateway   http://%s:%d/api/v10   (WebSocket ws://%s:%d)\n",
		demo->net.node_address, DEMO_GATEWAY_PORT, demo->net.node_address,
		DEMO_GATEWAY_PORT);
	fprintf(out, "  voice     wss://%s:%d   (authority: %s)\n", demo->net.node_address,
		DEMO_VOICE_PORT, demo->files.ca_copy);
	for (unsigned i = 0; i < DEMO_SPARES; i++) {
		unsigned user = DEMO_BOTS + i, guild = demo_user_guild(user);
		fprintf(out, "  guest %u   token %s   guild %" PRIu64 "   channel %" PRIu64 "\n",
			i + 1, demo->files.tokens[user], demo_guild_id(guild),
			demo_channel_id(guild));
	}
	if (demo->options.seconds == 0)
		fputs("  Ctrl-C ends it and removes everything it made.\n\n", out);
	else
		fprintf(out, "  Ends after %u s, or by Ctrl-C, and removes everything it made.\n\n",
			demo->options.seconds);
	(void)fflush(out);
}

// A line of the bots. At their end they fall silent before they leave: the last that is shown is
// how they were while they spoke.
static void take_progress(struct demo *demo, json_t *line)
{
	uint64_t run_ms = demo->options.seconds * 1000ull, at_ms = 0;
	unsigned joined = demo_view_joined(line);
	bool ending =
		demo->interrupted ||
		(run_ms != 0 && json_get_uint(line, "t_ms", INT64_MAX, &at_ms) && at_ms >= run_ms);

	demo->joined = joined > demo->joined ? joined : demo->joined;
	if (ending && demo_view_speakers(line) == 0) {
		json_decref(line);
		return;
	}
	demo_refresh(&demo->last_progress, line);
	show_table(demo, false);
}

// The bots' result comes before they leave, so that the node still knows their guilds.
static void take_result(struct demo *demo)
{
	unsigned joined;

	if (!demo_pipe_drain(&demo->result, &demo->load_result))
		return;
	ask_node(demo);
	joined = demo_view_joined(demo->load_result);
	demo->joined = joined > demo->joined ? joined : demo->joined;
}

// Until the load ends by itself or, after a signal, because we ask it to.
static int run_load(struct demo *demo)
{
	uint64_t deadline_ms = UINT64_MAX;
	int err = 0;

	if (demo->options.seconds != 0)
		deadline_ms = child_now_ms() + demo->options.seconds * 1000ull + DEMO_GRACE_MS;
	while (err == 0 && demo->programs[DEMO_LOAD].pid != 0) {
		json_t *line = NULL;

		err = demo_watch(demo, DEMO_PLAIN_MS);
		if (demo_pipe_drain(&demo->progress, &line))
			take_progress(demo, line);
		take_result(demo);
		if (err == 0 && is_unheard(demo))
			err = -EPIPE;
		if (err == 0 && child_now_ms() > deadline_ms) {
			snprintf(demo->why, sizeof(demo->why), "voicenode-load did not end");
			err = -ETIMEDOUT;
		}
	}
	if (err == -EINTR) { // Ctrl-C is the ordinary end
		child_stop(&demo->programs[DEMO_LOAD], DEMO_STOP_MS, demo->signal_fd);
		err = 0;
	}
	take_result(demo);
	return err;
}

static int finish(struct demo *demo)
{
	ask_node(demo);
	json_t *result =
		demo_view_result(DEMO_GUILDS, demo->joined, demo->status, demo->load_result);
	if (demo->interrupted && (demo->joined < DEMO_BOTS || result == NULL)) {
		json_decref(result);
		return -EINTR;
	}
	if (demo->joined < DEMO_BOTS)
		snprintf(demo->why, sizeof(demo->why), "only %u of %d bots joined", demo->joined,
			DEMO_BOTS);
	else if (result == NULL)
		snprintf(demo->why, sizeof(demo->why), "node or bots gave no result");
	if (demo->why[0] != 0 || result == NULL) {
		if (!demo->options.verbose) {
			demo_show_log(demo, DEMO_LOAD);
			demo_show_log(demo, DEMO_NODE);
		}
		json_decref(result);
		return -EIO;
	}
	show_table(demo, true);
	char *text = json_dumps(result, JSON_COMPACT);
	json_decref(result);
	if (text == NULL)
		return -ENOMEM;
	printf("%s%s\n", demo->options.json ? "" : "\n", text);
	free(text);
	return fflush(stdout) == 0 ? 0 : -errno;
}

static int catch_signals(struct demo *demo)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == 0)
		demo->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return demo->signal_fd >= 0 ? 0 : -errno;
}

static int run(struct demo *demo)
{
	int err = demo_gateway_start(demo);

	if (err == 0) {
		demo->stage = DEMO_STAGE_GATEWAY;
		err = demo_node_start(demo);
	}
	if (err == 0) {
		demo->stage = DEMO_STAGE_NODE;
		say_how_to_join(demo);
		err = is_unheard(demo) ? -EPIPE : demo_load_start(demo);
	}
	if (err == 0)
		err = run_load(demo);
	if (err == 0)
		err = finish(demo);
	return err;
}

int cmd_demo(int argc, char **argv)
{
	static struct demo demo = {.progress = {.fd = -1}, .result = {.fd = -1}, .signal_fd = -1};
	int err = parse_args(argc, argv, &demo.options);

	if (err != 0) {
		fputs(demo_usage, err > 0 ? stdout : stderr);
		return err > 0 ? 0 : DEMO_STATUS_USAGE;
	}
	if (geteuid() != 0) {
		fputs("voicenode: demo makes network namespaces: run it as root (sudo voicenode "
		      "demo)\n",
			stderr);
		return 1;
	}
	demo.live = !demo.options.json && !demo.options.verbose && isatty(STDOUT_FILENO) == 1;
	(void)signal(SIGPIPE, SIG_IGN);
	err = catch_signals(&demo);
	demo_net_clear_leftovers(DEMO_ROOT);
	if (err == 0)
		err = demo_net_create(&demo.net, demo.why, sizeof(demo.why));
	if (err == 0) {
		err = demo_files_create(&demo.files, DEMO_ROOT, &demo.net, demo.options.device,
			demo.options.verbose, demo.why, sizeof(demo.why));
		if (err == 0)
			err = run(&demo);
		demo_stop(&demo);
		demo_files_destroy(&demo.files);
		demo_net_destroy(&demo.net);
	}
	if (err == 0) {
		fputs("removed everything the demo made\n", talk(&demo));
		return 0;
	}
	if (demo.interrupted)
		demo_view_interrupted(
			demo.stage, demo.joined, DEMO_BOTS, demo.why, sizeof(demo.why));
	else if (err == -EPIPE)
		snprintf(demo.why, sizeof(demo.why),
			"nobody reads its output any more; everything the demo made was removed");
	else if (demo.why[0] == 0)
		snprintf(demo.why, sizeof(demo.why), "%s", strerror(-err));
	fprintf(stderr, "voicenode: demo: %s\n", demo.why);
	return 1;
}
