// SPDX-License-Identifier: BSD-3-Clause
//
// voicenode-dataplane: the packet engine's process. Started by `voicenode run`, which gives it the
// link to control (fd 3) and the progress memfd (fd 4). What comes up, in which order, is the table
// 'parts' below; the same table backwards is the way down.

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_launch.h>
#include <rte_lcore.h>

#include "api/dp_msg.h"
#include "api/dp_shm.h"
#include "args.h"
#include "crypto/suite.h"
#include "host/capacity.h"
#include "host/control_link.h"
#include "host/device_check.h"
#include "host/eal.h"
#include "host/eal_log.h"
#include "host/host_log.h"
#include "host/port.h"
#include "host/privileges.h"
#include "host/rings.h"
#include "host/shm.h"
#include "host/status.h"
#include "run/loop.h"
#include "worker/worker.h"

#define WHY_SIZE 640

// A queue of a process that was just killed is busy until the kernel has cleared up behind it
// (about 15 ms). DPDK cannot try twice on one port, so this process becomes a fresh one.
#define DEVICE_TRIES_MAX 3
#define DEVICE_WAIT_US 40000
#define DEVICE_TRY_VARIABLE "VOICENODE_DATAPLANE_TRY"

struct dataplane {
	struct args args;
	char **argv;
	char why[WHY_SIZE]; // of the part that did not come up

	int signal_fd;
	cpu_set_t cores; // where this process might run before DPDK pinned it
	bool eal_started;
	struct port port;
	int sockets[DP_WORKERS_MAX]; // NUMA socket of each worker
	struct dp_shm *shm;
	struct worker_rings rings[DP_WORKERS_MAX];
	struct worker *workers[DP_WORKERS_MAX];
	bool warned[DP_WORKERS_MAX]; // of the worker's crypto engine
	bool stop;                   // read by the workers
	bool running;
	struct control_link link;
};

struct part {
	const char *name;
	enum host_status (*up)(struct dataplane *dp);
	void (*down)(struct dataplane *dp); // also after its own 'up' failed; NULL: nothing to do
};

static enum host_status inherited_up(struct dataplane *dp)
{
	int type = 0;
	socklen_t type_size = sizeof(type);

	if (getsockopt(DP_LINK_FD, SOL_SOCKET, SO_TYPE, &type, &type_size) != 0 ||
		type != SOCK_SEQPACKET || fcntl(DP_PROGRESS_FD, F_GETFD) < 0) {
		snprintf(dp->why, sizeof(dp->why),
			"this program is a part of voicenode: start it with voicenode run");
		return HOST_USAGE;
	}
	int err = privileges_no_cores();
	if (err == 0)
		return HOST_OK;
	snprintf(dp->why, sizeof(dp->why), "core dumps cannot be forbidden: %s", strerror(-err));
	return HOST_FAILED;
}

// Before any other thread, so that all of them leave the signals to the main thread.
static enum host_status signals_up(struct dataplane *dp)
{
	sigset_t set;

	(void)signal(SIGPIPE, SIG_IGN); // who reads the log may go; media goes on
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == 0)
		dp->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (dp->signal_fd >= 0)
		return HOST_OK;
	snprintf(dp->why, sizeof(dp->why), "signals: %s", strerror(errno));
	return HOST_FAILED;
}

static void signals_down(struct dataplane *dp)
{
	if (dp->signal_fd >= 0)
		close(dp->signal_fd);
}

static enum host_status machine_up(struct dataplane *dp)
{
	return device_check(&dp->args.device, dp->why, sizeof(dp->why)) == 0 ? HOST_OK
									     : HOST_NO_DEVICE;
}

static enum host_status eal_up(struct dataplane *dp)
{
	const struct args *args = &dp->args;
	struct eal_params params = {
		.device = &args->device,
		.worker_count = args->worker_count,
		.cores = args->cores,
		.main_core = args->main_core,
		.hugepages = args->hugepages,
		.mbufs = args->mbufs + device_held_mbufs(args->device.kind),
		.file_prefix = args->file_prefix,
		.debug = args->log_level == HOST_LOG_DEBUG,
		.extra = args->eal_extra,
		.extra_count = args->eal_extra_count,
	};

	(void)sched_getaffinity(0, sizeof(dp->cores), &dp->cores);
	switch (eal_start(&params, dp->why, sizeof(dp->why))) {
	case 0:
		break;
	case -ENOMEM:
		return args->hugepages == EAL_HUGEPAGES_REQUIRED ? HOST_NO_HUGEPAGES : HOST_FAILED;
	case -EINVAL:
		return HOST_USAGE;
	default:
		return HOST_FAILED;
	}
	dp->eal_started = true;
	for (unsigned i = 0; i < args->worker_count; i++)
		dp->sockets[i] = (int)rte_lcore_to_socket_id(eal_worker_lcore(i));
	return HOST_OK;
}

static void eal_down(struct dataplane *dp)
{
	if (dp->eal_started)
		eal_stop();
}

static enum host_status shm_up(struct dataplane *dp)
{
	const struct args *args = &dp->args;
	struct shm_geometry geometry = {
		.worker_count = args->worker_count,
		.guild_count = args->guilds,
		.session_count = args->sessions,
		.leg_count = args->legs,
	};
	bool kept;
	int err = shm_map(DP_PROGRESS_FD, &geometry, args->epoch, rte_get_tsc_hz(), &dp->shm, &kept,
		dp->why, sizeof(dp->why));

	if (err != 0)
		return err == -ESTALE ? HOST_CONTRACT : HOST_FAILED;
	host_log(HOST_LOG_INFO, kept ? "progress taken over" : "progress begins anew",
		"epoch=%u size_mb=%llu", args->epoch, (unsigned long long)(dp->shm->size >> 20));
	return HOST_OK;
}

static void shm_down(struct dataplane *dp)
{
	shm_unmap(dp->shm);
}

// Does not return if the program could be started afresh.
static void try_again(struct dataplane *dp)
{
	const char *text = getenv(DEVICE_TRY_VARIABLE);
	char next[2] = {(char)(text == NULL ? '1' : text[0] + 1), '\0'};

	if (next[0] > '0' + DEVICE_TRIES_MAX || setenv(DEVICE_TRY_VARIABLE, next, 1) != 0)
		return;
	host_log(HOST_LOG_INFO, "device is busy, trying again", "try=%s", next);
	(void)nanosleep(&(struct timespec){.tv_nsec = DEVICE_WAIT_US * 1000}, NULL);
	// Not through rte_eth_dev_close(), which would detach the supervisor's XDP program; and
	// closed by exec, since DPDK's threads still read from theirs.
	(void)sched_setaffinity(0, sizeof(dp->cores), &dp->cores);
	if (close_range(DP_PROGRESS_FD + 1, ~0u, CLOSE_RANGE_CLOEXEC) == 0)
		execv("/proc/self/exe", dp->argv);
}

static enum host_status port_up(struct dataplane *dp)
{
	const struct args *args = &dp->args;
	struct port_params params = {
		.device = &args->device,
		.worker_count = args->worker_count,
		.sockets = dp->sockets,
		.mbufs = args->mbufs + device_held_mbufs(args->device.kind),
		.steering = args->steering,
		.addresses = args->addresses,
		.address_count = args->address_count,
		.first_port = args->first_port,
	};
	int err = port_create(&dp->port, &params, dp->why, sizeof(dp->why));

	if (err == -EBUSY)
		try_again(dp);
	if (err == -ENOBUFS)
		return HOST_FAILED; // a lower rung has the same memory
	return err == 0 ? HOST_OK : HOST_NO_DEVICE;
}

static void port_down(struct dataplane *dp)
{
	port_stop(&dp->port);
	if (dp->args.device.kind != DEVICE_AFXDP)
		port_destroy(&dp->port);
}

static enum host_status rings_up(struct dataplane *dp)
{
	if (rings_create(dp->rings, dp->args.worker_count, dp->sockets) == 0)
		return HOST_OK;
	snprintf(dp->why, sizeof(dp->why), "no memory for the rings between the threads");
	return HOST_FAILED;
}

static void rings_down(struct dataplane *dp)
{
	rings_destroy(dp->rings, dp->args.worker_count);
}

// Not a failure: a session whose suite does not run is refused when its key comes.
static void say_refusals(const struct crypto_engine *engine)
{
	struct host_log_text quoted;

	for (unsigned id = DP_SUITE_NONE + 1; id < DP_SUITE_COUNT; id++) {
		const char *why = crypto_engine_refusal(engine, (enum dp_suite)id);

		if (why != NULL)
			host_log(HOST_LOG_WARN, "suite does not run", "suite=%s reason=%s",
				suite_get(id)->name, host_log_quote(&quoted, why));
	}
}

// The first of each worker: when it starts, or when its cross-check found something.
static void say_warnings(struct dataplane *dp)
{
	struct host_log_text quoted;

	for (unsigned i = 0; i < dp->args.worker_count; i++) {
		const char *why =
			dp->warned[i] ? NULL : crypto_engine_warning(dp->workers[i]->crypto);

		if (why == NULL)
			continue;
		dp->warned[i] = true;
		host_log(HOST_LOG_WARN, "crypto engine", "worker=%u reason=%s", i,
			host_log_quote(&quoted, why));
	}
}

static enum host_status workers_up(struct dataplane *dp)
{
	const struct args *args = &dp->args;

	for (uint16_t i = 0; i < args->worker_count; i++) {
		struct worker_params params = {
			.index = i,
			.worker_count = args->worker_count,
			.port_id = dp->port.id,
			.numa_socket = dp->sockets[i],
			.crypto = args->crypto_engine,
			.idle = args->idle,
			.sleep_us_max = args->sleep_us_max,
			.answers_neighbors = !device_shares_kernel(args->device.kind),
			.host = &dp->port.host,
			.pool = dp->port.pools[i],
			.remote_count = args->worker_count > 1 ? DP_REMOTE_STREAMS_MAX : 0,
			.shm = dp->shm,
			.rings = dp->rings,
			.stop = &dp->stop,
		};

		port_queues(&dp->port, i, &params);
		dp->workers[i] = worker_create(&params);
		if (dp->workers[i] == NULL) {
			char reason[160];

			eal_log_last(reason, sizeof(reason));
			snprintf(dp->why, sizeof(dp->why), "worker %u could not be made: %s", i,
				reason);
			return HOST_FAILED;
		}
		crypto_engine_check_every(dp->workers[i]->crypto, args->seal_check_every);
	}
	say_refusals(dp->workers[0]->crypto);
	say_warnings(dp);
	return HOST_OK;
}

static void workers_down(struct dataplane *dp)
{
	for (unsigned i = 0; i < dp->args.worker_count; i++)
		worker_destroy(dp->workers[i]);
}

static enum host_status privileges_up(struct dataplane *dp)
{
	return privileges_drop(dp->why, sizeof(dp->why)) == 0 ? HOST_OK : HOST_FAILED;
}

static uint32_t workers_on(const struct args *args, uint16_t core)
{
	uint32_t count = 0;

	for (unsigned i = 0; i < args->worker_count; i++)
		count += args->cores[i] == core;
	return count;
}

// All at once, so that a start takes no longer however many workers there are.
static enum host_status capacity_measure_all(struct dataplane *dp)
{
	static struct capacity_test tests[DP_WORKERS_MAX];
	const struct args *args = &dp->args;

	for (unsigned i = 0; i < args->worker_count; i++) {
		tests[i] = (struct capacity_test){.engine = dp->workers[i]->crypto,
			.tsc_hz = rte_get_tsc_hz(),
			.shared_by = workers_on(args, args->cores[i])};
		(void)rte_eal_remote_launch(capacity_measure, &tests[i], eal_worker_lcore(i));
	}
	rte_eal_mp_wait_lcore();
	for (unsigned i = 0; i < args->worker_count; i++) {
		if (tests[i].pps == 0) {
			snprintf(dp->why, sizeof(dp->why),
				"worker %u cannot measure its budget: no memory, or its CPU runs no"
				" suite; workers.capacity_pps = N gives one",
				i);
			return HOST_FAILED;
		}
		__atomic_store_n(
			&dp->workers[i]->shm->capacity_pps, tests[i].pps, __ATOMIC_RELAXED);
		host_log(HOST_LOG_INFO, "worker measured",
			"worker=%u core=%u capacity_pps=%u suite=%s samples=%u shared_by=%u", i,
			args->cores[i], tests[i].pps, tests[i].suite, tests[i].samples,
			tests[i].shared_by);
	}
	return HOST_OK;
}

// Configured, or of the node's first dataplane: a successor has no time to lose.
static enum host_status capacity_up(struct dataplane *dp)
{
	bool known = true;

	for (unsigned i = 0; i < dp->args.worker_count; i++) {
		uint32_t *pps = &dp->workers[i]->shm->capacity_pps;

		if (dp->args.capacity_pps != 0)
			__atomic_store_n(pps, dp->args.capacity_pps, __ATOMIC_RELAXED);
		known = known && *pps != 0;
	}
	return known ? HOST_OK : capacity_measure_all(dp);
}

static enum host_status threads_up(struct dataplane *dp)
{
	for (unsigned i = 0; i < dp->args.worker_count; i++) {
		int err = rte_eal_remote_launch(worker_loop, dp->workers[i], eal_worker_lcore(i));

		if (err != 0) {
			snprintf(dp->why, sizeof(dp->why), "worker %u does not start: %s", i,
				strerror(-err));
			return HOST_FAILED;
		}
	}
	return HOST_OK;
}

static void threads_down(struct dataplane *dp)
{
	// Release: a worker that sees it has seen everything that came before.
	__atomic_store_n(&dp->stop, true, __ATOMIC_RELEASE);
	rte_eal_mp_wait_lcore();
}

static enum host_status link_up(struct dataplane *dp)
{
	const struct args *args = &dp->args;
	struct command_limits limits = {
		.worker_count = args->worker_count,
		.guild_count = args->guilds,
		.session_count = args->sessions,
		// dp_msg.h, ROOM_OPEN.
		.room_count = args->sessions < DP_ROOMS_MAX ? args->sessions : DP_ROOMS_MAX,
	};
	struct dp_device device = {
		.drops_countable = device_counts_drops(args->device.kind),
		.queue_count = dp->port.queue_count,
	};

	snprintf(device.driver, sizeof(device.driver), "%.*s", (int)sizeof(device.driver) - 1,
		dp->port.driver);
	snprintf(device.name, sizeof(device.name), "%.*s", (int)sizeof(device.name) - 1,
		args->device.name);
	snprintf(device.rung, sizeof(device.rung), "%s", args->rung_note);
	snprintf(
		device.steering, sizeof(device.steering), "%s", steer_rung_name(dp->port.steering));
	snprintf(device.crypto, sizeof(device.crypto), "%s",
		crypto_engine_name(dp->workers[0]->crypto));
	for (unsigned i = 0; i < args->worker_count; i++)
		device.capacity_pps[i] = dp->workers[i]->shm->capacity_pps;
	control_link_init(
		&dp->link, DP_LINK_FD, args->epoch, args->first_port, &limits, dp->rings, &device);
	return HOST_OK;
}

static const struct part parts[] = {
	{"what the supervisor passes on", inherited_up, NULL},
	{"signals", signals_up, signals_down},
	{"the machine", machine_up, NULL},
	{"DPDK", eal_up, eal_down},
	{"progress", shm_up, shm_down},
	{"port", port_up, port_down},
	{"rings", rings_up, rings_down},
	{"workers", workers_up, workers_down},
	{"privileges", privileges_up, NULL},
	{"capacity", capacity_up, NULL},
	{"threads", threads_up, threads_down},
	{"link", link_up, NULL},
};
#define PART_COUNT (sizeof(parts) / sizeof(parts[0]))

static enum host_status run(struct dataplane *dp)
{
	for (;;) {
		int err = control_link_turn(&dp->link);

		say_warnings(dp);
		if (err == -EPROTO) {
			snprintf(dp->why, sizeof(dp->why),
				"control was built against another contract: install control and"
				" dataplane of one version");
			return HOST_CONTRACT;
		}
		if (err != 0) {
			snprintf(dp->why, sizeof(dp->why), "supervisor and control are gone");
			return HOST_FAILED;
		}
		struct pollfd fds[] = {
			{.fd = DP_LINK_FD, .events = control_link_poll_events(&dp->link)},
			{.fd = dp->signal_fd, .events = POLLIN},
		};
		int us = control_link_poll_us(&dp->link);
		struct timespec timeout = {.tv_nsec = us * 1000L};

		if (ppoll(fds, 2, us < 0 ? NULL : &timeout, NULL) > 0 && fds[1].revents != 0)
			return HOST_OK;
	}
}

static void down(struct dataplane *dp, unsigned part_count)
{
	// Closing an AF_XDP port detaches the XDP program that the supervisor keeps attached, and
	// the port's pool is the kernel's packet memory: the process stops and goes, and the kernel
	// clears up behind it.
	bool leave_it = dp->args.device.kind == DEVICE_AFXDP && dp->port.probed;

	while (part_count > 0) {
		const struct part *part = &parts[--part_count];

		if (leave_it && part->down != threads_down && part->down != port_down)
			continue;
		if (part->down != NULL)
			part->down(dp);
	}
}

int main(int argc, char **argv)
{
	static struct dataplane dp = {.signal_fd = -1};
	enum host_status status = HOST_OK;
	struct host_log_text quoted;
	unsigned part_count = 0;

	const char *help = args_help(argc, argv);

	if (help != NULL) {
		fputs(help, argc > 1 ? stdout : stderr);
		return argc > 1 ? HOST_OK : HOST_USAGE;
	}
	dp.argv = argv;
	if (args_parse(argc, argv, &dp.args, dp.why, sizeof(dp.why)) != 0) {
		host_log(HOST_LOG_ERROR, "wrong arguments", "reason=%s",
			host_log_quote(&quoted, dp.why));
		return HOST_USAGE;
	}
	host_log_open(dp.args.log_level);
	while (status == HOST_OK && part_count < PART_COUNT)
		status = parts[part_count++].up(&dp);
	if (status != HOST_OK) {
		host_log(HOST_LOG_ERROR, "start failed", "part=\"%s\" reason=%s status=%d",
			parts[part_count - 1].name, host_log_quote(&quoted, dp.why), (int)status);
	} else {
		host_log(HOST_LOG_INFO, "serving", "workers=%u first_port=%u", dp.args.worker_count,
			dp.args.first_port);
		status = run(&dp);
		host_log(status == HOST_OK ? HOST_LOG_INFO : HOST_LOG_ERROR, "stopping",
			"reason=%s",
			host_log_quote(&quoted, status == HOST_OK ? "asked to" : dp.why));
	}
	down(&dp, part_count);
	// AF_XDP: no exit handlers either, DPDK's would close the port.
	if (dp.args.device.kind == DEVICE_AFXDP)
		_exit((int)status);
	return (int)status;
}
