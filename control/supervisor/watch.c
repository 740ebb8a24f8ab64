// SPDX-License-Identifier: BSD-3-Clause
//
// See node.h: the supervisor's loop. A child that dies is started again, the survivor is told; a
// dataplane that cannot start its device takes the next rung; a first child that says by its exit
// status that it cannot start ends the node, because its reason will not go away by itself.
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/dp_msg.h"
#include "log/log.h"
#include "supervisor/argv.h"
#include "supervisor/link_watch.h"
#include "supervisor/node.h"

#define WATCH_FOREVER_MS 3600000

static int start_side(struct node *node, enum node_side side)
{
	struct node_child *c = &node->children[side];
	struct child_options options = {.keep_caps = side == NODE_DATAPLANE};
	struct argv argv;
	char why[512];
	int err = side == NODE_DATAPLANE ? node_device_keep(node, why, sizeof(why)) : 0;

	if (err < 0) {
		log_error("device is not ready why=%s", why);
		return err;
	}
	c->epoch++;
	if (c->first == 0)
		c->first = c->epoch;
	const struct argv_history history = {.epoch = c->epoch,
		.dataplane_first = node->children[NODE_DATAPLANE].first,
		.started_ms = node->started_ms};
	if (side == NODE_DATAPLANE)
		err = argv_dataplane(&argv, node->plan, c->epoch);
	else
		err = argv_control(&argv, node->plan, &history);
	if (err < 0)
		return err;
	options.fds[options.fd_count++] = node->link[side];
	options.fds[options.fd_count++] =
		side == NODE_CONTROL ? node->progress_read_fd : node->progress_fd;
	if (side == NODE_CONTROL) { // keys are not the dataplane's to read
		options.fds[options.fd_count++] = node->intent_fd;
		for (unsigned i = 0; i < node->listener_count; i++)
			options.fds[options.fd_count++] = node->listeners[i];
	}
	err = child_start(&c->child, c->path, argv.items, &options);
	if (err == 0)
		log_notice("started child=%s pid=%d epoch=%u", c->child.name, (int)c->child.pid,
			c->epoch);
	return err;
}

// Into the survivor's queue, by way of the dead one's end. A full queue is fine: the successor's
// HELLO tells the same.
static void tell_survivor(const struct node *node, enum node_side dead)
{
	struct dp_peer_down record = {
		.header = {.type = DP_MSG_PEER_DOWN, .size = sizeof(record)},
		.peer_epoch = node->children[dead].epoch,
	};

	if (send(node->link[dead], &record, sizeof(record), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		log_debug("survivor not told errno=%d", errno);
}

static void give_up(struct node *node, const char *why)
{
	fprintf(stderr, "voicenode: %s\n", why);
	node->failed = true;
}

static void descend(struct node *node)
{
	struct node_child *c = &node->children[NODE_DATAPLANE];
	struct node_plan *plan = node->plan;
	char why[512];

	if (c->first == c->epoch) // it never ran: the next one is no restart
		c->first = 0;

	log_notice("device did not start, one rung down device=%s name=%s",
		device_kind_name(plan->device), plan->device_name);
	snprintf(plan->rung_failed[plan->rung], LADDER_WHY_SIZE,
		"voicenode-dataplane could not start it; its reason is in the lines above");
	node_device_leave(node);
	if (node_device_enter(node, (enum rung)(node->plan->rung + 1), why, sizeof(why)) < 0)
		give_up(node, why);
}

static void handle_death(struct node *node, enum node_side side)
{
	struct node_child *c = &node->children[side];
	uint64_t now_ms = child_now_ms();
	int status = c->child.status;
	bool exited = WIFEXITED(status) && WEXITSTATUS(status) != 0;
	bool no_device =
		side == NODE_DATAPLANE && exited && WEXITSTATUS(status) == NODE_STATUS_NO_DEVICE;
	char end[64], why[512];

	child_describe_end(status, end, sizeof(end));
	tell_survivor(node, side);
	node->tap_index = side == NODE_DATAPLANE ? 0 : node->tap_index;
	// What a dying driver took along; where that fails, the next start tries again and says it.
	if (side == NODE_DATAPLANE)
		(void)!node_device_keep(node, why, sizeof(why));
	if (no_device && node->plan->automatic) {
		// A lower rung helps where this one cannot, not where no rung has an interface.
		if (plan_check_interface(node->plan, why, sizeof(why)) == 0) {
			descend(node);
			c->start_at_ms = now_ms;
			return;
		}
		log_error("no rung has its interface why=%s", why);
	}
	if (exited && c->epoch == 1 && now_ms - c->child.started_ms < NODE_START_MS) {
		snprintf(why, sizeof(why),
			"%s could not start (%s); its reason is in the lines above", c->child.name,
			end);
		give_up(node, why);
		return;
	}
	uint32_t delay_ms = backoff_next(&c->backoff, now_ms - c->child.started_ms);
	c->start_at_ms = now_ms + delay_ms;
	// Each of them, also both at once: the back-off bounds their number.
	log_warn_each("died child=%s epoch=%u end=%s restart_in_ms=%u", c->child.name, c->epoch,
		end, delay_ms);
}

// Starts what is due. Returns the milliseconds until the next start is.
static int start_due(struct node *node)
{
	uint64_t now_ms = child_now_ms();
	uint64_t wait_ms = WATCH_FOREVER_MS;

	for (int side = 0; side < NODE_SIDE_COUNT; side++) {
		struct node_child *c = &node->children[side];
		if (c->child.pid != 0)
			continue;
		if (c->start_at_ms <= now_ms) {
			int err = start_side(node, (enum node_side)side);
			if (err == 0)
				continue;
			log_error("cannot start child=%s why=%s", c->child.name, strerror(-err));
			c->start_at_ms = now_ms + BACKOFF_LAST_MS;
		}
		if (c->start_at_ms - now_ms < wait_ms)
			wait_ms = c->start_at_ms - now_ms;
	}
	return (int)wait_ms;
}

// A dataplane's tap goes with it; one that somebody deleted under it comes back with the next.
static bool tap_is_lost(struct node *node)
{
	unsigned was = node->tap_index;

	node->tap_index = if_nametoindex(node->plan->device_name);
	return was != 0 && node->tap_index == 0 && node->children[NODE_DATAPLANE].child.pid != 0;
}

// An interface that was deleted and made again under its name is another one: sockets of the dead
// one receive nothing, for ever, and the dataplane does not notice.
static void follow_interface(struct node *node)
{
	struct node_child *c = &node->children[NODE_DATAPLANE];
	const struct node_plan *plan = node->plan;
	char why[512];

	link_watch_drain(node->link_watch_fd);
	if (plan->device == CONFIG_DEVICE_TAP) {
		if (!tap_is_lost(node))
			return;
		log_warn_each("the tap was deleted: dataplane starts anew, which makes it"
			      " interface=%s",
			plan->device_name);
	} else {
		if (!device_is_shared(plan->device) ||
			if_nametoindex(plan->interface) == plan->ifindex ||
			plan_check_interface(plan, why, sizeof(why)) != 0) // not there, or not up
			return;
		log_notice(
			"dataplane starts anew on the new interface interface=%s", plan->interface);
	}
	if (c->child.pid != 0) {
		child_stop(&c->child, NODE_STOP_MS, node->signal_fd);
		tell_survivor(node, NODE_DATAPLANE);
	}
	c->start_at_ms = 0;
}

static bool stop_is_asked(const struct node *node)
{
	struct signalfd_siginfo info;

	if (read(node->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return false;
	log_notice("stopping signal=%u", info.ssi_signo);
	return true;
}

int node_watch(struct node *node)
{
	bool stop = false;

	while (!stop && !node->failed) {
		int wait_ms = start_due(node);
		struct pollfd fds[1 + NODE_SIDE_COUNT + 1] = {{node->signal_fd, POLLIN, 0}};
		for (int side = 0; side < NODE_SIDE_COUNT; side++) {
			const struct child *child = &node->children[side].child;
			fds[1 + side] =
				(struct pollfd){child->pid != 0 ? child->pidfd : -1, POLLIN, 0};
		}
		fds[1 + NODE_SIDE_COUNT] = (struct pollfd){node->link_watch_fd, POLLIN, 0};
		if (poll(fds, 2 + NODE_SIDE_COUNT, wait_ms) < 0 && errno != EINTR)
			give_up(node, "the supervisor cannot wait for its children");
		stop = stop_is_asked(node);
		for (int side = 0; side < NODE_SIDE_COUNT && !stop && !node->failed; side++) {
			if (child_reap(&node->children[side].child))
				handle_death(node, (enum node_side)side);
		}
		if (fds[1 + NODE_SIDE_COUNT].revents != 0 && !stop && !node->failed)
			follow_interface(node);
	}
	// Control first: it says good-bye to the gateway and its clients while media still flows.
	child_stop(&node->children[NODE_CONTROL].child, NODE_STOP_MS, node->signal_fd);
	child_stop(&node->children[NODE_DATAPLANE].child, NODE_STOP_MS, node->signal_fd);
	return node->failed ? 1 : 0;
}
