// SPDX-License-Identifier: BSD-3-Clause
//
// `voicenode demo`: its network (demo_net), its files (demo_files), gateway, node and bots as
// children, and what it shows (demo_view). Every wait watches the signals and the children, so that
// Ctrl-C and a death are noticed at once; whatever happens, the steps are undone in reverse order.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/argv.h"
#include "supervisor/child.h"
#include "supervisor/commands.h"
#include "supervisor/demo_files.h"
#include "supervisor/demo_net.h"
#include "supervisor/demo_operator.h"
#include "supervisor/demo_view.h"
#include "json/json.h"

#define DEMO_ROOT "/tmp"
#define DEMO_SECONDS_MAX 86400
#define DEMO_READY_MS 30000 // for each program to answer
#define DEMO_GRACE_MS 30000 // of the load after its seconds
#define DEMO_STOP_MS 5000
#define DEMO_POLL_MS 20
#define DEMO_ASK_MS 1000
#define DEMO_PLAIN_MS 5000      // between two tables where there is no terminal
#define DEMO_TEXT_SIZE 65536    // bytes of one line of voicenode-load
#define DEMO_LOG_TAIL_SIZE 2048 // bytes of a log shown when something failed
#define DEMO_STATUS_USAGE 2
#define DEMO_WHY_SIZE 1024

enum demo_program {
	DEMO_GATEWAY,
	DEMO_NODE,
	DEMO_LOAD,
	DEMO_PROGRAM_COUNT,
};

struct demo_options {
	unsigned seconds; // 0: until Ctrl-C
	bool json, verbose;
	const char *device;
};

// What a child writes to a pipe: whole lines are taken out of it.
struct demo_pipe {
	int fd; // -1: none, or ended
	char *bytes;
	size_t used;
};

struct demo {
	struct demo_options options;
	struct demo_net net;
	struct demo_files files;
	struct child programs[DEMO_PROGRAM_COUNT];
	struct demo_pipe progress, result;
	json_t *last_progress, *load_result, *status, *guilds;
	unsigned joined; // at most at once
	unsigned lines;  // of the table on the terminal
	uint64_t shown_ms;
	int signal_fd;
	bool interrupted, live;
	char why[DEMO_WHY_SIZE];
};

static const char demo_usage[] =
	"usage: voicenode demo [--seconds N] [--json] [--device afpacket|afxdp] [--verbose]\n"
	"One gateway, one node and eight bots that talk, in network namespaces of their own.\n"
	"  --seconds N   end after N seconds (default: on Ctrl-C)\n"
	"  --json        the result as one JSON object on one line, nothing else on stdout\n"
	"  --device D    afpacket (default) or afxdp\n"
	"  --verbose     show the logs of all programs\n";

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

static const char *log_of(const struct demo *demo, enum demo_program program)
{
	const char *const logs[] = {
		[DEMO_GATEWAY] = demo->files.gateway_log,
		[DEMO_NODE] = demo->files.node_log,
		[DEMO_LOAD] = demo->files.load_log,
	};
	return logs[program];
}

// The end of a program's log, for whoever has to find out why it died.
static void show_log_tail(const struct demo *demo, enum demo_program program)
{
	char bytes[DEMO_LOG_TAIL_SIZE + 1];
	int fd = open(log_of(demo, program), O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (lseek(fd, -DEMO_LOG_TAIL_SIZE, SEEK_END) < 0)
		(void)lseek(fd, 0, SEEK_SET);
	ssize_t size = read(fd, bytes, DEMO_LOG_TAIL_SIZE);
	close(fd);
	if (size <= 0)
		return;
	bytes[size] = 0;
	fprintf(stderr, "--- the last lines of %s\n%s---\n", demo->programs[program].name, bytes);
}

// Waits up to 'wait_ms' for a signal, a death or a line. -EINTR: a signal; -ECHILD: gateway or node
// died, demo->why says which.
static int watch(struct demo *demo, uint32_t wait_ms)
{
	struct signalfd_siginfo info;
	struct pollfd fds[3 + DEMO_PROGRAM_COUNT] = {
		{demo->signal_fd, POLLIN, 0},
		{demo->progress.fd, POLLIN, 0},
		{demo->result.fd, POLLIN, 0},
	};

	for (int i = 0; i < DEMO_PROGRAM_COUNT; i++)
		fds[3 + i] = (struct pollfd){
			demo->programs[i].pid != 0 ? demo->programs[i].pidfd : -1, POLLIN, 0};
	(void)poll(fds, 3 + DEMO_PROGRAM_COUNT, (int)wait_ms);
	if (read(demo->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		demo->interrupted = true;
		return -EINTR;
	}
	for (int i = 0; i < DEMO_PROGRAM_COUNT; i++) {
		char end[64];
		if (!child_reap(&demo->programs[i]) || i == DEMO_LOAD)
			continue;
		child_describe_end(demo->programs[i].status, end, sizeof(end));
		snprintf(
			demo->why, sizeof(demo->why), "%s ended (%s)", demo->programs[i].name, end);
		if (!demo->options.verbose)
			show_log_tail(demo, (enum demo_program)i);
		return -ECHILD;
	}
	return 0;
}

static bool gateway_answers(struct demo *demo)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(DEMO_GATEWAY_PORT)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error = -1;
	socklen_t error_size = sizeof(error);

	if (fd < 0)
		return false;
	inet_pton(AF_INET, demo->net.node_address, &address.sin_addr);
	// From here, so that the bridge is proven, too.
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0 &&
		errno == EINPROGRESS) {
		struct pollfd pfd = {.fd = fd, .events = POLLOUT};
		(void)poll(&pfd, 1, DEMO_ASK_MS);
	}
	bool connected =
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_size) == 0 && error == 0 &&
		getpeername(fd, (struct sockaddr *)&address, &(socklen_t){sizeof(address)}) == 0;
	close(fd);
	return connected;
}

static void refresh(json_t **kept, json_t *fresh)
{
	if (fresh == NULL)
		return;
	json_decref(*kept);
	*kept = fresh;
}

static bool node_is_ready(struct demo *demo)
{
	refresh(&demo->status, demo_operator_ask(demo->files.node_socket, "status", DEMO_ASK_MS));
	return json_is_true(json_object_get(demo->status, "ready"));
}

static int wait_until(struct demo *demo, bool (*holds)(struct demo *demo), const char *what)
{
	uint64_t deadline_ms = child_now_ms() + DEMO_READY_MS;

	while (!holds(demo)) {
		int err = watch(demo, DEMO_POLL_MS);
		if (err < 0)
			return err;
		if (child_now_ms() >= deadline_ms) {
			snprintf(demo->why, sizeof(demo->why), "%s within %d s", what,
				DEMO_READY_MS / 1000);
			for (int i = 0; i < DEMO_LOAD && !demo->options.verbose; i++)
				show_log_tail(demo, (enum demo_program)i);
			return -ETIMEDOUT;
		}
	}
	return 0;
}

// Starts 'path' with 'options'; its output goes to its log unless --verbose.
static int start(struct demo *demo, enum demo_program program, const char *path, struct argv *argv,
	struct child_options *options)
{
	int log_fd = -1;

	if (!demo->options.verbose) {
		log_fd = open(log_of(demo, program),
			O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (log_fd < 0)
			return -errno;
		options->stderr_fd = log_fd;
	} else {
		options->stderr_fd = STDERR_FILENO;
	}
	if (options->stdout_fd == 0)
		options->stdout_fd = options->stderr_fd;
	int err = child_start(&demo->programs[program], path, argv->items, options);
	if (log_fd >= 0)
		close(log_fd);
	return err;
}

static int find(struct demo *demo, enum demo_program program, char path[PLAN_PATH_SIZE])
{
	static const char *const names[] = {
		[DEMO_GATEWAY] = "voicenode-gateway",
		[DEMO_NODE] = "voicenode",
		[DEMO_LOAD] = "voicenode-load",
	};

	demo->programs[program].name = names[program];
	if (child_find_program(names[program], path, PLAN_PATH_SIZE) == 0)
		return 0;
	snprintf(demo->why, sizeof(demo->why),
		"%s is not beside this program; build all of it (ninja -C build), or set"
		" VOICENODE_LIBEXEC to its folder",
		names[program]);
	return -ENOENT;
}

static int start_gateway(struct demo *demo)
{
	struct child_options options = {.netns_fd = demo->net.node_fd};
	char path[PLAN_PATH_SIZE];
	struct argv argv;
	int err = find(demo, DEMO_GATEWAY, path);

	argv_init(&argv);
	if (err == 0)
		err = argv_add(&argv, "voicenode-gateway");
	if (err == 0)
		err = argv_add(&argv, "--config");
	if (err == 0)
		err = argv_add(&argv, "%s", demo->files.gateway_cfg);
	if (err == 0)
		err = start(demo, DEMO_GATEWAY, path, &argv, &options);
	if (err == 0)
		err = wait_until(demo, gateway_answers, "the gateway did not answer");
	return err;
}

static int start_node(struct demo *demo)
{
	struct child_options options = {.netns_fd = demo->net.node_fd};
	char path[PLAN_PATH_SIZE] = "/proc/self/exe";
	struct argv argv;
	int err = 0;

	demo->programs[DEMO_NODE].name = "voicenode run";
	// Lock files and DPDK's runtime directory go where everything else of the demo is.
	if (setenv("VOICENODE_RUNTIME_DIR", demo->files.directory, 1) != 0 ||
		setenv("RUNTIME_DIRECTORY", demo->files.directory, 1) != 0)
		err = -ENOMEM;
	// exec of /proc/self/exe would hide where the other programs are.
	ssize_t size = readlink("/proc/self/exe", path, sizeof(path) - 1);
	if (size > 0)
		path[size] = 0;
	argv_init(&argv);
	if (err == 0)
		err = argv_add(&argv, "voicenode");
	if (err == 0)
		err = argv_add(&argv, "run");
	if (err == 0)
		err = argv_add(&argv, "--config");
	if (err == 0)
		err = argv_add(&argv, "%s", demo->files.node_cfg);
	if (err == 0)
		err = start(demo, DEMO_NODE, path, &argv, &options);
	if (err == 0)
		err = wait_until(demo, node_is_ready, "the node did not get ready");
	if (err == 0 && demo_files_publish_ca(&demo->files) < 0) {
		snprintf(demo->why, sizeof(demo->why), "the node made no certificate authority");
		err = -ENOENT;
	}
	return err;
}

static int load_argv(const struct demo *demo, struct argv *argv)
{
	argv_init(argv);
	int err = argv_add(argv, "voicenode-load");
	if (err == 0)
		err = argv_add(argv, "--gateway");
	if (err == 0)
		err = argv_add(argv, "http://%s:%d", demo->net.node_address, DEMO_GATEWAY_PORT);
	if (err == 0)
		err = argv_add(argv, "--ca");
	if (err == 0)
		err = argv_add(argv, "%s", demo->files.ca);
	for (unsigned bot = 0; bot < DEMO_BOTS && err == 0; bot++) {
		unsigned guild = demo_user_guild(bot);
		err = argv_add(argv, "--join");
		if (err == 0)
			err = argv_add(argv, "%s:%" PRIu64 ":%" PRIu64 ":talk",
				demo->files.tokens[bot], demo_guild_id(guild),
				demo_channel_id(guild));
	}
	if (err == 0 && demo->options.seconds != 0) {
		err = argv_add(argv, "--seconds");
		if (err == 0)
			err = argv_add(argv, "%u", demo->options.seconds);
	}
	if (err == 0)
		err = argv_add(argv, "--json");
	if (err == 0)
		err = argv_add(argv, "--progress-fd");
	if (err == 0)
		err = argv_add(argv, "3");
	return err;
}

static int make_pipe(struct demo_pipe *pipe_in, int *write_fd)
{
	int fds[2];

	pipe_in->bytes = malloc(DEMO_TEXT_SIZE);
	if (pipe_in->bytes == NULL)
		return -ENOMEM;
	if (pipe2(fds, O_CLOEXEC) != 0)
		return -errno;
	pipe_in->fd = fds[0];
	*write_fd = fds[1];
	return fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0 ? 0 : -errno;
}

static int start_load(struct demo *demo)
{
	char path[PLAN_PATH_SIZE];
	int progress_fd = -1, result_fd = -1;
	struct argv argv;
	int err = find(demo, DEMO_LOAD, path);

	if (err == 0)
		err = make_pipe(&demo->progress, &progress_fd);
	if (err == 0)
		err = make_pipe(&demo->result, &result_fd);
	if (err == 0)
		err = load_argv(demo, &argv);
	if (err == 0) {
		struct child_options options = {
			.fds = {progress_fd},
			.fd_count = 1,
			.stdout_fd = result_fd,
			.netns_fd = demo->net.bots_fd,
		};
		err = start(demo, DEMO_LOAD, path, &argv, &options);
	}
	explicit_bzero(&argv, sizeof(argv));
	if (progress_fd >= 0)
		close(progress_fd);
	if (result_fd >= 0)
		close(result_fd);
	return err;
}

// Takes what has come and decodes every whole line; *last keeps the last good one. Returns whether
// there was one.
static bool drain(struct demo_pipe *in, json_t **last)
{
	bool any = false;

	while (in->fd >= 0) {
		ssize_t n = read(in->fd, in->bytes + in->used, DEMO_TEXT_SIZE - in->used);
		if (n < 0)
			break;
		if (n == 0) {
			close(in->fd);
			in->fd = -1;
			break;
		}
		in->used += (size_t)n;
		const char *end = NULL;
		while ((end = memchr(in->bytes, '\n', in->used)) != NULL) {
			size_t size = (size_t)(end - in->bytes) + 1;
			json_t *line = json_decode(in->bytes, size - 1, NULL, 0);
			any = any || line != NULL;
			refresh(last, line);
			in->used -= size;
			memmove(in->bytes, in->bytes + size, in->used);
		}
		if (in->used == DEMO_TEXT_SIZE)
			in->used = 0; // no line is that long
	}
	return any;
}

static void ask_node(struct demo *demo)
{
	refresh(&demo->status, demo_operator_ask(demo->files.node_socket, "status", DEMO_ASK_MS));
	refresh(&demo->guilds, demo_operator_ask(demo->files.node_socket, "guilds", DEMO_ASK_MS));
}

static void show_table(struct demo *demo)
{
	const struct demo_sample sample = {demo->last_progress, demo->guilds, demo->status};
	uint64_t now_ms = child_now_ms();

	if (demo->options.json ||
		(!demo->live && demo->shown_ms != 0 && now_ms - demo->shown_ms < DEMO_PLAIN_MS))
		return;
	ask_node(demo);
	if (demo->live && demo->lines > 0)
		printf("\033[%uA\033[J", demo->lines);
	demo->lines = demo_view_table(
		stdout, &(struct demo_sample){sample.progress, demo->guilds, demo->status});
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

// Until the load ends by itself or, after a signal, because we ask it to.
static int run_load(struct demo *demo)
{
	uint64_t deadline_ms = UINT64_MAX;
	int err = 0;

	if (demo->options.seconds != 0)
		deadline_ms = child_now_ms() + demo->options.seconds * 1000ull + DEMO_GRACE_MS;
	while (err == 0 && demo->programs[DEMO_LOAD].pid != 0) {
		err = watch(demo, DEMO_PLAIN_MS);
		if (drain(&demo->progress, &demo->last_progress)) {
			unsigned joined = demo_view_joined(demo->last_progress);
			demo->joined = joined > demo->joined ? joined : demo->joined;
			show_table(demo);
		}
		(void)drain(&demo->result, &demo->load_result);
		if (err == 0 && child_now_ms() > deadline_ms) {
			snprintf(demo->why, sizeof(demo->why), "voicenode-load did not end");
			err = -ETIMEDOUT;
		}
	}
	if (err == -EINTR) { // Ctrl-C is the ordinary end
		child_stop(&demo->programs[DEMO_LOAD], DEMO_STOP_MS, demo->signal_fd);
		err = 0;
	}
	(void)drain(&demo->result, &demo->load_result);
	return err;
}

static int finish(struct demo *demo)
{
	ask_node(demo);
	json_t *result =
		demo_view_result(DEMO_GUILDS, demo->joined, demo->status, demo->load_result);
	if (demo->joined < DEMO_BOTS)
		snprintf(demo->why, sizeof(demo->why), "only %u of %d bots joined", demo->joined,
			DEMO_BOTS);
	else if (result == NULL)
		snprintf(demo->why, sizeof(demo->why), "node or bots gave no result");
	if (demo->why[0] != 0 || result == NULL) {
		if (!demo->options.verbose) {
			show_log_tail(demo, DEMO_LOAD);
			show_log_tail(demo, DEMO_NODE);
		}
		json_decref(result);
		return -EIO;
	}
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
	int err = start_gateway(demo);

	if (err == 0)
		err = start_node(demo);
	if (err == 0) {
		say_how_to_join(demo);
		err = start_load(demo);
	}
	if (err == 0)
		err = run_load(demo);
	if (err == 0)
		err = finish(demo);
	return err;
}

static void stop(struct demo *demo)
{
	for (int i = DEMO_PROGRAM_COUNT - 1; i >= 0; i--)
		child_stop(&demo->programs[i], DEMO_STOP_MS, demo->signal_fd);
	if (demo->progress.fd >= 0)
		close(demo->progress.fd);
	if (demo->result.fd >= 0)
		close(demo->result.fd);
	free(demo->progress.bytes);
	free(demo->result.bytes);
	json_decref(demo->last_progress);
	json_decref(demo->load_result);
	json_decref(demo->status);
	json_decref(demo->guilds);
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
	err = catch_signals(&demo);
	demo_net_clear_leftovers(DEMO_ROOT);
	if (err == 0)
		err = demo_net_create(&demo.net, demo.why, sizeof(demo.why));
	if (err == 0) {
		err = demo_files_create(&demo.files, DEMO_ROOT, &demo.net, demo.options.device,
			demo.options.verbose, demo.why, sizeof(demo.why));
		if (err == 0)
			err = run(&demo);
		stop(&demo);
		demo_files_destroy(&demo.files);
		demo_net_destroy(&demo.net);
	}
	if (err == 0) {
		fputs("removed everything the demo made\n", talk(&demo));
		return 0;
	}
	if (demo.why[0] == 0 && !demo.interrupted)
		snprintf(demo.why, sizeof(demo.why), "%s", strerror(-err));
	fprintf(stderr, "voicenode: demo: %s\n", demo.interrupted ? "interrupted" : demo.why);
	return 1;
}
