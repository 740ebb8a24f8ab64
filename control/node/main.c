// SPDX-License-Identifier: BSD-3-Clause
//
// voicenode-control: the talking half of a node. Started by `voicenode run`, with fd 3 (the packet
// engine), fd 4 (progress memfd) and fd 5 (intent memfd). Builds the loop, wires the modules, runs.
//
// Order matters twice: what the intent holds is adopted before anybody may connect, and the gateway
// is told of this node only once the packet engine is there.

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>

#include "config/config.h"
#include "dplink/dplink.h"
#include "dplink/progress.h"
#include "dplink/resync.h"
#include "json/json.h"
#include "log/log.h"
#include "loop/loop.h"
#include "loop/privileges.h"
#include "metrics/metrics.h"
#include "metrics/node_view.h"
#include "node/args.h"
#include "node/assignments.h"
#include "node/budget.h"
#include "node/port_watch.h"
#include "operator/operator.h"
#include "register/gateway_client.h"
#include "registry/registry.h"
#include "signaling/voice_server.h"

#define SAMPLE_MS 100u // how often the workers' heartbeats are looked at
#define STOP_MS 300u   // for close frames to leave
#define WHY_SIZE 512u  // bytes of a sentence

struct node {
	struct node_args args;
	struct node_config config;
	struct loop *loop;
	struct intent *intent;
	struct registry *registry;
	struct progress progress;
	struct resync *resync;
	struct voice_server *voice;
	struct gateway_client *gateway; // NULL: none configured
	struct metrics_server *metrics;
	struct operator_server *operator;
	struct assignments assignments;
	struct budget_report budget;
	struct port_watch port;
	struct node_view view;
	struct loop_timer sample_timer, stop_timer;
	bool is_ready;
	char why[WHY_SIZE];
};

// One process, one node; static because it is large.
static struct node node;

static void on_left(void *ctx, uint64_t guild_id, uint64_t user_id, const char *session_id)
{
	struct node *n = ctx;

	if (n->gateway != NULL)
		gateway_client_left(n->gateway, guild_id, user_id, session_id);
}

static bool key_is_low(void *ctx, const struct session *session)
{
	const struct node *n = ctx;

	return progress_nonces_left(&n->progress, session->worker, session->index,
		       session->intent->generation, session->intent->key_id) < DP_NONCES_LOW;
}

static void on_ack(
	void *ctx, uint32_t connection, uint64_t seq, int error, const struct node_refusal *refusal)
{
	struct node *n = ctx;

	gateway_client_ack(n->gateway, connection, seq, error, refusal);
}

static int fill_register(void *ctx, struct node_msg *msg)
{
	struct node *n = ctx;

	snprintf(msg->name, sizeof(msg->name), "%s", n->config.node.name);
	snprintf(msg->region, sizeof(msg->region), "%s", n->config.node.region);
	if (strlen(n->args.endpoint) >= sizeof(msg->endpoint))
		return -ENAMETOOLONG;
	snprintf(msg->endpoint, sizeof(msg->endpoint), "%s", n->args.endpoint);
	msg->worker_count = n->config.workers.count;
	return assignments_list(&n->assignments, msg);
}

static void on_registered(void *ctx, const struct node_msg *msg)
{
	struct node *n = ctx;

	(void)msg;
	budget_report_forget(&n->budget);
}

static void on_command(void *ctx, const struct node_msg *msg)
{
	struct node *n = ctx;

	assignments_apply(&n->assignments, gateway_client_connection(n->gateway), msg);
}

// Every worker turned within the last second, and the engine is linked.
static bool is_alive(void *ctx)
{
	struct node *n = ctx;
	uint64_t now_ms = loop_now_ms(n->loop);

	progress_sample(&n->progress, now_ms);
	return dplink_is_up(resync_link(n->resync)) && progress_all_turn(&n->progress, now_ms);
}

static void on_sample(void *arg)
{
	struct node *n = arg;

	if (n->progress.shm == NULL && dplink_is_up(resync_link(n->resync)) &&
		progress_map(&n->progress) == 0)
		log_notice("progress of the packet engine is read");
	progress_sample(&n->progress, loop_now_ms(n->loop));
	n->view.link = port_watch_turn(
		&n->port, dplink_device(resync_link(n->resync)), loop_now_ms(n->loop));
	budget_learn(n->registry, &n->config, dplink_device(resync_link(n->resync)));
	if (n->gateway != NULL)
		budget_report(&n->budget, n->registry, n->gateway, loop_now_ms(n->loop));
	loop_timer_set(&n->sample_timer, SAMPLE_MS);
}

static void say_ready(struct node *n)
{
	uint16_t metrics_port = metrics_server_port(n->metrics);

	printf("ready endpoint=%s voice_port=%u metrics=", n->args.endpoint,
		voice_server_port(n->voice));
	if (metrics_port == 0)
		printf("none\n");
	else
		printf("%s:%u\n", n->config.metrics.listen_at.host, metrics_port);
	fflush(stdout);
}

// By the supervisor's numbers: engines may have come and gone unseen, with a control or without.
static void count_restarts(struct node *n, uint32_t epoch)
{
	// The first control was started before its engine had found the device that it can run.
	if ((n->args.epoch == 1 || n->args.dataplane_first == 0) && !n->is_ready)
		n->args.dataplane_first = epoch;
	n->view.dataplane_restarts =
		epoch > n->args.dataplane_first ? epoch - n->args.dataplane_first : 0;
}

static void on_up(void *ctx, uint32_t worker_count)
{
	struct node *n = ctx;
	uint32_t epoch = dplink_peer_epoch(resync_link(n->resync));
	int error;

	if (worker_count != n->config.workers.count) {
		log_error("packet engine has another number of workers than the configuration "
			  "engine=%u configured=%u",
			worker_count, n->config.workers.count);
		loop_stop(n->loop, 1);
		return;
	}
	error = progress_map(&n->progress);
	if (error != 0)
		log_warn("progress of the packet engine cannot be read yet error=%s",
			strerror(-error));
	count_restarts(n, epoch);
	if (n->is_ready)
		return;
	n->is_ready = true;
	say_ready(n);
	if (n->gateway != NULL)
		gateway_client_start(n->gateway);
}

static void on_down(void *ctx)
{
	(void)ctx; // the pings stay unanswered; everything else waits for the next one
}

static void on_refused(void *ctx)
{
	struct node *n = ctx;

	log_error("packet engine was built against another contract; cure: install control and "
		  "dataplane from one release");
	loop_stop(n->loop, 1);
}

static void on_session_refused(void *ctx, struct session *session, int error)
{
	struct node *n = ctx;

	voice_server_refused(n->voice, session, error);
}

static void on_stop_timer(void *arg)
{
	struct node *n = arg;

	loop_stop(n->loop, 0);
}

// 4015: stock clients resume at the same endpoint, where a successor of this process has their
// session, or, where the whole node stops, ask the main gateway, which has moved their guild.
static void on_signal(void *arg, int signal_number)
{
	struct node *n = arg;

	log_notice("stopping signal=%d", signal_number);
	voice_server_stop(n->voice, VOICE_CLOSE_CRASHED);
	loop_timer_set(&n->stop_timer, STOP_MS);
}

// The configuration was edited under a running node: its calls go on with what they began with.
static void keep_shape(const struct intent_params *configured, const struct intent_params *kept)
{
	if (memcmp(configured, kept, sizeof(*kept)) != 0)
		log_warn("limits and workers stay as the node was started; the configuration's "
			 "come with its next start sessions=%u configured=%u guilds=%u "
			 "configured=%u workers=%u configured=%u",
			kept->session_count, configured->session_count, kept->guild_count,
			configured->guild_count, kept->worker_count, configured->worker_count);
}

static int open_intent(struct node *n)
{
	const struct intent_params params = {
		.worker_count = n->config.workers.count,
		.guild_count = n->config.limits.guilds,
		.room_count = n->config.limits.sessions < DP_ROOMS_MAX ? n->config.limits.sessions
								       : DP_ROOMS_MAX,
		.session_count = n->config.limits.sessions,
	};
	uint8_t random[SSRC_KEY_SIZE];
	bool is_fresh;
	int error = intent_open(DP_INTENT_FD, &params, &n->intent, &is_fresh);

	if (error == -EUCLEAN) {
		snprintf(n->why, sizeof(n->why),
			"what the predecessor left (fd %d) is of another release, or damaged; "
			"cure: restart `voicenode run`, which ends the calls of this node",
			DP_INTENT_FD);
		return error;
	}
	if (error != 0) {
		snprintf(n->why, sizeof(n->why),
			"the intent memfd (fd %d) cannot be used: %s; cure: start this program by "
			"`voicenode run`",
			DP_INTENT_FD, strerror(-error));
		return error;
	}
	keep_shape(&params, &intent_header(n->intent)->params);
	error = registry_create(n->intent, &n->registry);
	if (error != 0) {
		snprintf(n->why, sizeof(n->why), "no memory for %u sessions on %u workers",
			params.session_count, params.worker_count);
		return error;
	}
	if (!is_fresh)
		return 0;
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -EIO;
	registry_seed(n->registry, random);
	return 0;
}

static int start_engine_link(struct node *n)
{
	const struct resync_events events = {.up = on_up,
		.down = on_down,
		.refused = on_refused,
		.session_refused = on_session_refused,
		.ctx = n};
	int error;

	progress_init(&n->progress, DP_PROGRESS_FD);
	error = resync_create(n->loop, n->registry, DP_LINK_FD, n->args.epoch, &events, &n->resync);
	if (error != 0)
		snprintf(n->why, sizeof(n->why),
			"the link to the packet engine (fd %d) cannot be used: %s; cure: start "
			"this "
			"program by `voicenode run`",
			DP_LINK_FD, strerror(-error));
	return error;
}

static int start_voice(struct node *n)
{
	const struct voice_server_params params = {
		.loop = n->loop,
		.registry = n->registry,
		.resync = n->resync,
		.config = &n->config,
		.ip = n->args.ip,
		.ip6 = n->args.ip6,
		.listen_count = n->args.listen_count,
		.tls_cert_path = n->args.tls_cert_path,
		.tls_key_path = n->args.tls_key_path,
		.left = on_left,
		.key_is_low = key_is_low,
		.ctx = n,
	};
	int error = voice_server_create(&params, &n->voice);

	if (error != 0)
		return error;
	return voice_server_listen(n->voice, n->why, sizeof(n->why));
}

static int create_gateway_client(struct node *n)
{
	struct gateway_client_params params = {
		.loop = n->loop,
		.url = n->config.gateway.url,
		.ca_path = n->config.gateway.ca_file,
		.secret_path = n->config.gateway.secret_file,
		.handler = {.fill_register = fill_register,
			.registered = on_registered,
			.command = on_command,
			.is_alive = is_alive,
			.ctx = n},
	};

	n->assignments = (struct assignments){.loop = n->loop,
		.registry = n->registry,
		.resync = n->resync,
		.voice = n->voice,
		.ack = on_ack,
		.ctx = n};
	if (n->config.gateway.url[0] == '\0') {
		log_warn("no gateway.url: nobody will send clients here");
		return 0;
	}
	if (getrandom(&params.jitter_seed, sizeof(params.jitter_seed), 0) < 0)
		return -errno;
	return gateway_client_create(&params, &n->gateway);
}

static int start_watchers(struct node *n)
{
	int error;

	n->view = (struct node_view){
		.config = &n->config,
		.registry = n->registry,
		.resync = n->resync,
		.progress = &n->progress,
		.voice = n->voice,
		.gateway = n->gateway,
		.start_time = time(NULL),
		.start_ms = n->args.started_ms != 0 ? n->args.started_ms : loop_now_ms(n->loop),
		.control_restarts = n->args.epoch - 1,
	};
	error = metrics_server_create(n->loop, &n->view, &n->metrics, n->why, sizeof(n->why));
	if (error != 0)
		return error;
	return operator_server_create(
		n->loop, n->config.control_socket, &n->view, &n->operator, n->why, sizeof(n->why));
}

static int start_timers(struct node *n)
{
	int error;

	budget_learn(n->registry, &n->config, dplink_device(resync_link(n->resync)));
	loop_timer_init(n->loop, &n->sample_timer, on_sample, n);
	loop_timer_init(n->loop, &n->stop_timer, on_stop_timer, n);
	loop_timer_set(&n->sample_timer, SAMPLE_MS);
	error = loop_signal_add(n->loop, SIGTERM, on_signal, n);
	if (error == 0)
		error = loop_signal_add(n->loop, SIGINT, on_signal, n);
	return error;
}

static int load_config(struct node *n)
{
	struct config_problems problems = {0};
	int error = node_config_load(n->args.config_path, &n->config, &problems);

	if (error != 0) {
		config_problems_print(&problems, stderr);
		snprintf(n->why, sizeof(n->why), "%s cannot be used", n->args.config_path);
	}
	config_problems_free(&problems);
	return error;
}

// Keys live in this process: no core file, no reading by other processes of the same user. A
// sanitizer needs to read itself.
static void harden(void)
{
	struct rlimit limit;

#if !defined(__SANITIZE_ADDRESS__)
	if (prctl(PR_SET_DUMPABLE, 0) != 0)
		log_warn("process stays dumpable error=%s", strerror(errno));
#endif
	// One file descriptor per client: as many as we may.
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
			log_warn("limit of open files stays low error=%s", strerror(errno));
	}
}

// In order; each says why it failed.
static int start(struct node *n)
{
	static int (*const steps[])(struct node *) = {load_config, open_intent, start_engine_link,
		start_voice, create_gateway_client, start_watchers, start_timers};
	int error = 0;

	for (unsigned step = 0; error == 0 && step < sizeof(steps) / sizeof(steps[0]); step++)
		error = steps[step](n);
	if (error == 0) { // every socket is open: strangers' bytes are parsed without any power
		int dropped = privileges_drop();

		if (dropped != 0)
			log_warn("capabilities stay error=%s", strerror(-dropped));
	}
	return error;
}

int main(int argc, char **argv)
{
	int status;

	const char *help = node_args_help(argc, argv);

	if (help != NULL) {
		fputs(help, argc > 1 ? stdout : stderr);
		return argc > 1 ? 0 : 2;
	}
	log_open("voicenode-control", LOG_LEVEL_INFO);
	json_wipe_memory();
	signal(SIGPIPE, SIG_IGN);
	if (node_args_parse(argc, argv, &node.args, node.why, sizeof(node.why)) != 0) {
		log_error("%s", node.why);
		return 2;
	}
	harden();
	node.loop = loop_create();
	if (node.loop == NULL)
		return 1;
	if (start(&node) != 0) {
		log_error("%s", node.why[0] != '\0' ? node.why : "out of memory at start");
		return 1;
	}
	log_open("voicenode-control", node.config.log_level);
	resync_start(node.resync);
	status = loop_run(node.loop);
	// Connections end with the loop, while everything they use is still there.
	operator_server_destroy(node.operator);
	return status;
}
