// SPDX-License-Identifier: BSD-3-Clause
//
// See demo.h.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/operator_client.h"
#include "json/json.h"
#include "supervisor/argv.h"
#include "supervisor/demo.h"

#define DEMO_READY_MS 30000 // for each program to answer
#define DEMO_POLL_MS 20
#define DEMO_TEXT_SIZE 65536    // bytes of one line of voicenode-load
#define DEMO_LOG_TAIL_SIZE 2048 // bytes of a log shown when something failed

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
void demo_show_log(const struct demo *demo, enum demo_program program)
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

int demo_watch(struct demo *demo, uint32_t wait_ms)
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
			demo_show_log(demo, (enum demo_program)i);
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

json_t *demo_ask(const struct demo *demo, const char *command)
{
	json_t *reply = NULL;
	char why[256];

	if (operator_ask(demo->files.node_socket, command, DEMO_ASK_MS, &reply, NULL, why,
		    sizeof(why)) < 0)
		return NULL;
	return reply;
}

// Serves when the gateway may give it guilds and the dataplane takes them.
static bool node_is_ready(struct demo *demo)
{
	demo_refresh(&demo->status, demo_ask(demo, "status"));
	return json_is_true(
		       json_object_get(json_object_get(demo->status, "gateway"), "connected")) &&
	       json_is_true(json_object_get(json_object_get(demo->status, "dataplane"), "up"));
}

static int wait_until(struct demo *demo, bool (*holds)(struct demo *demo), const char *what)
{
	uint64_t deadline_ms = child_now_ms() + DEMO_READY_MS;

	while (!holds(demo)) {
		int err = demo_watch(demo, DEMO_POLL_MS);
		if (err < 0)
			return err;
		if (child_now_ms() >= deadline_ms) {
			snprintf(demo->why, sizeof(demo->why), "%s within %d s", what,
				DEMO_READY_MS / 1000);
			for (int i = 0; i < DEMO_LOAD && !demo->options.verbose; i++)
				demo_show_log(demo, (enum demo_program)i);
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

int demo_gateway_start(struct demo *demo)
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

int demo_node_start(struct demo *demo)
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

int demo_load_start(struct demo *demo)
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

bool demo_pipe_drain(struct demo_pipe *in, json_t **last)
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
			demo_refresh(last, line);
			in->used -= size;
			memmove(in->bytes, in->bytes + size, in->used);
		}
		if (in->used == DEMO_TEXT_SIZE)
			in->used = 0; // no line is that long
	}
	return any;
}

void demo_stop(struct demo *demo)
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
