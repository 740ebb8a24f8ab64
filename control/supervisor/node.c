// SPDX-License-Identifier: BSD-3-Clause
//
// See node.h. The order of the steps is the table at the end: what is cheap and often wrong first,
// what other programs notice (rule, XDP program) last.
#include "supervisor/node.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "http/http_listen.h"
#include "log/log.h"
#include "supervisor/caps.h"
#include "supervisor/link_watch.h"
#include "supervisor/lock.h"
#include "supervisor/nft.h"
#include "supervisor/runtime.h"

#define NODE_LINK_BYTES (4 * 1024 * 1024) // queued records of one direction

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int start_lock(struct node *node, char *why, size_t why_size)
{
	int holder = 0;

	node->lock_fd = lock_take(node->plan->instance, &holder);
	if (node->lock_fd == -EWOULDBLOCK)
		snprintf(why, why_size,
			"node.instance: %s is running already (pid %d); stop it, or give this one"
			" another node.instance",
			node->plan->instance, holder);
	else if (node->lock_fd < 0)
		snprintf(why, why_size,
			"lock file in %s cannot be opened: %s; run as a user that may write there",
			lock_directory(), strerror(-node->lock_fd));
	if (node->lock_fd < 0)
		return node->lock_fd;
	runtime_clear(node->plan->instance); // of an instance that was killed
	return 0;
}

static void undo_lock(struct node *node)
{
	if (node->lock_fd >= 0) {
		runtime_clear(node->plan->instance);
		runtime_clear_socket(node->plan->config->control_socket);
	}
	lock_release(node->plan->instance, &node->lock_fd);
}

static int start_programs(struct node *node, char *why, size_t why_size)
{
	static const char *const names[] = {
		[NODE_DATAPLANE] = "voicenode-dataplane",
		[NODE_CONTROL] = "voicenode-control",
	};

	for (int side = 0; side < NODE_SIDE_COUNT; side++) {
		struct node_child *c = &node->children[side];
		c->child.name = names[side];
		if (child_find_program(names[side], c->path, sizeof(c->path)) == 0)
			continue;
		snprintf(why, why_size,
			"%s is not beside this program; build all of it (ninja -C build), or set"
			" VOICENODE_LIBEXEC to its folder",
			names[side]);
		return -ENOENT;
	}
	return 0;
}

static int start_caps(struct node *node, char *why, size_t why_size)
{
	caps_raise_memlock();
	return caps_check(node->plan->device, why, why_size);
}

static int start_ports(struct node *node, char *why, size_t why_size)
{
	if (node->plan->interface[0] == 0) // the addresses are not the kernel's
		return 0;
	int count = ports_reserve(node->plan, node->ports, NODE_PORTS_MAX, why, why_size);
	if (count < 0)
		return count;
	node->port_count = (unsigned)count;
	return 0;
}

static void undo_ports(struct node *node)
{
	while (node->port_count > 0)
		close(node->ports[--node->port_count]);
}

static int start_listeners(struct node *node, char *why, size_t why_size)
{
	const struct node_config *config = node->plan->config;

	for (uint32_t i = 0; i < config->voice.listen.count; i++) {
		const struct config_host_port *at = &config->voice.listen_at[i];
		char reason[256];
		uint16_t port;
		int err = http_listen(at->host, at->port, NULL, &node->listeners[i], &port, reason,
			sizeof(reason));

		if (err < 0) {
			snprintf(why, why_size, "voice.listen: %s", reason);
			return err;
		}
		node->listener_count++;
	}
	return 0;
}

static void undo_listeners(struct node *node)
{
	while (node->listener_count > 0)
		close(node->listeners[--node->listener_count]);
}

static int start_link(struct node *node, char *why, size_t why_size)
{
	int size = NODE_LINK_BYTES;
	char path[32];

	// Sealed keys pass through here and live in 'intent': descriptors only, no names in any
	// file system.
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, node->link) != 0)
		goto fail;
	for (int side = 0; side < NODE_SIDE_COUNT; side++) {
		if (setsockopt(node->link[side], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) !=
			0)
			(void)setsockopt(
				node->link[side], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	}
	node->progress_fd = memfd_create("voicenode-progress", MFD_CLOEXEC);
	if (node->progress_fd < 0)
		goto fail;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", node->progress_fd);
	node->progress_read_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (node->progress_read_fd < 0)
		goto fail;
	node->intent_fd = memfd_create("voicenode-intent", MFD_CLOEXEC);
	if (node->intent_fd < 0)
		goto fail;
	return 0;
fail:;
	int err = errno;
	snprintf(why, why_size, "the link between the processes cannot be made: %s", strerror(err));
	return -err;
}

static void undo_link(struct node *node)
{
	close_fd(&node->link[NODE_DATAPLANE]);
	close_fd(&node->link[NODE_CONTROL]);
	close_fd(&node->progress_fd);
	close_fd(&node->progress_read_fd);
	close_fd(&node->intent_fd);
}

// An XDP program belongs to an interface of a network namespace, so its lock is named by both.
static int lock_interface(struct node *node)
{
	struct stat netns;
	int holder = 0;

	if (stat("/proc/self/ns/net", &netns) != 0)
		return -errno;
	snprintf(node->interface_lock, sizeof(node->interface_lock), "xdp-%lu-%u",
		(unsigned long)netns.st_ino, node->plan->ifindex);
	node->interface_lock_fd = lock_take(node->interface_lock, &holder);
	return node->interface_lock_fd < 0 ? node->interface_lock_fd : 0;
}

static void unlock_interface(struct node *node)
{
	lock_release(node->interface_lock, &node->interface_lock_fd);
}

// What a SIGKILL of everything left: our steering program, if nobody alive holds it.
static void clear_leftovers(struct node *node)
{
	if (node->plan->ifindex == 0 || lock_interface(node) < 0)
		return;
	if (steer_probe(node->plan->ifindex) == STEER_FOUND_OURS &&
		steer_clear(node->plan->ifindex) == 0)
		log_notice("removed the steering program of a dead voicenode interface=%s",
			node->plan->interface);
	unlock_interface(node);
}

static int enter_afxdp(struct node *node, char *why, size_t why_size)
{
	const char *interface = node->plan->interface;

	if (lock_interface(node) < 0) {
		snprintf(why, why_size,
			"network.device: another voicenode steers %s; use afpacket:%s for this one",
			interface, interface);
		return -EBUSY;
	}
	int err = steer_attach(&node->steer, node->plan);
	if (err == -EEXIST)
		snprintf(why, why_size,
			"network.device: another XDP program is attached to %s; remove it (ip link"
			" set dev %s xdp off) or use afpacket:%s",
			interface, interface, interface);
	else if (err < 0)
		snprintf(why, why_size,
			"network.device: the steering program cannot be attached to %s: %s; use"
			" afpacket:%s",
			interface, strerror(-err), interface);
	if (err < 0) {
		unlock_interface(node);
		return err;
	}
	if (steer_is_generic(&node->steer))
		log_warn(
			"XDP is generic, not native: the driver cannot; every packet is copied once"
			" more interface=%s",
			interface);
	return 0;
}

static int enter_kind(struct node *node, char *why, size_t why_size)
{
	char said[256];
	int err = 0;

	if (node->plan->device == CONFIG_DEVICE_AFXDP)
		err = enter_afxdp(node, why, why_size);
	if (err < 0 || !device_is_shared(node->plan->device))
		return err;
	err = nft_apply(node->plan, said, sizeof(said));
	if (err < 0) {
		snprintf(why, why_size,
			"network.device: the nftables rule for %s was refused: %s; the kernel needs"
			" nf_tables (modprobe nf_tables)",
			node->plan->interface, said);
		node_device_leave(node);
		return err;
	}
	node->nft_applied = true;
	return 0;
}

static int check_afxdp(const struct node *node, char *why, size_t why_size)
{
	struct ladder_facts facts;
	int err = plan_facts(node->plan, &facts);

	if (err < 0) {
		snprintf(why, why_size, "network.device: %s cannot be looked at: %s",
			node->plan->interface, strerror(-err));
		return err;
	}
	facts.foreign_xdp = false; // said better when attaching
	char reason[LADDER_WHY_SIZE];
	if (!ladder_refuses(&facts, RUNG_AFXDP, node->plan->interface, reason))
		return 0;
	snprintf(why, why_size, "network.device: no afxdp: %s; or use afpacket:%s", reason,
		node->plan->interface);
	return -EOPNOTSUPP;
}

// Each rung above the one that was taken, with its reason.
static void log_rungs_above(const struct node_plan *plan, const struct ladder_facts *facts)
{
	for (enum rung rung = RUNG_PCI; rung < plan->rung; rung++) {
		const char *failed = plan->rung_failed[rung];
		char why[LADDER_WHY_SIZE];

		if (failed[0] != 0)
			snprintf(why, sizeof(why), "%s", failed);
		else if (!ladder_refuses(facts, rung, plan->interface, why))
			continue;
		log_notice("device rung not taken rung=%s why=%s", ladder_rung_name(rung), why);
	}
}

static int enter_rung(struct node *node, enum rung from, char *why, size_t why_size)
{
	static const enum config_device_kind kinds[] = {
		[RUNG_PCI] = CONFIG_DEVICE_PCI,
		[RUNG_AFXDP] = CONFIG_DEVICE_AFXDP,
		[RUNG_AFPACKET] = CONFIG_DEVICE_AFPACKET,
	};
	struct node_plan *plan = node->plan;
	struct ladder_facts facts;
	int err = plan_facts(plan, &facts);

	snprintf(why, why_size,
		"network.device: %s cannot be started in any way; see the lines above",
		plan->interface);
	while (err == 0 && from != RUNG_NONE) {
		enum rung rung = ladder_choose(&facts, from, plan->rung_note);
		if (rung == RUNG_NONE)
			break;
		plan->rung = rung;
		plan->device = kinds[rung];
		snprintf(plan->device_name, sizeof(plan->device_name), "%s",
			rung == RUNG_PCI ? facts.pci_address : plan->interface);
		err = caps_check(plan->device, why, why_size);
		if (err == 0)
			err = enter_kind(node, why, why_size);
		if (err == 0) {
			log_rungs_above(plan, &facts);
			return 0;
		}
		log_notice("device rung failed rung=%s why=%s", ladder_rung_name(rung), why);
		snprintf(
			plan->rung_failed[rung], LADDER_WHY_SIZE, "%.*s", LADDER_WHY_SIZE - 1, why);
		from = (enum rung)(rung + 1);
		err = 0;
	}
	return -ENODEV;
}

int node_device_enter(struct node *node, enum rung from, char *why, size_t why_size)
{
	struct node_plan *plan = node->plan;
	int err = plan_check_interface(plan, why, why_size);

	if (err < 0)
		return err;
	if (plan->automatic) {
		err = enter_rung(node, from, why, why_size);
	} else {
		snprintf(plan->rung_note, sizeof(plan->rung_note), "as configured");
		if (plan->device == CONFIG_DEVICE_AFXDP)
			err = check_afxdp(node, why, why_size);
		if (err == 0)
			err = enter_kind(node, why, why_size);
	}
	if (err < 0)
		return err;
	log_notice("device chosen device=%s name=%s rung=%s", device_kind_name(plan->device),
		plan->device_name, plan->rung_note);
	return 0;
}

void node_device_leave(struct node *node)
{
	steer_detach(&node->steer);
	unlock_interface(node);
	if (node->nft_applied)
		nft_remove(node->plan->instance);
	node->nft_applied = false;
}

int node_device_keep(struct node *node, char *why, size_t why_size)
{
	struct node_plan *plan = node->plan;
	unsigned found = plan->interface[0] == 0 ? 0 : if_nametoindex(plan->interface);
	bool repaired = false;

	if (found != 0 && found != plan->ifindex) {
		log_warn("interface was made anew interface=%s index=%u was=%u", plan->interface,
			found, plan->ifindex);
		plan->ifindex = found;
	}
	if (node->steer.object == NULL)
		return 0;
	if (node->steer.ifindex != plan->ifindex) {
		unlock_interface(node);
		node->steer.ifindex = plan->ifindex;
	}
	if (node->interface_lock_fd < 0 && lock_interface(node) < 0) {
		snprintf(why, why_size, "another voicenode steers %s now", plan->interface);
		return -EBUSY;
	}
	int err = steer_keep(&node->steer, &repaired);
	if (err < 0)
		snprintf(why, why_size, "the steering program cannot be attached to %s: %s%s",
			plan->interface, strerror(-err),
			err == -EEXIST ? "; another one is: ip link set dev IFACE xdp off" : "");
	else if (repaired)
		log_warn("steering program attached again interface=%s", plan->interface);
	return err;
}

static int start_device(struct node *node, char *why, size_t why_size)
{
	node->plan->automatic = node->plan->device == CONFIG_DEVICE_AUTO;
	clear_leftovers(node);
	if (!node->plan->automatic && !device_is_shared(node->plan->device))
		nft_remove(node->plan->instance); // of an earlier run on another device
	int err = node_device_enter(node, RUNG_PCI, why, why_size);
	if (err < 0 || (node->plan->interface[0] == 0 && node->plan->device != CONFIG_DEVICE_TAP))
		return err;
	node->link_watch_fd = link_watch_open();
	if (node->link_watch_fd < 0)
		log_warn("interfaces cannot be watched: one that is made anew needs a restart"
			 " why=%s",
			strerror(-node->link_watch_fd));
	return 0;
}

static void undo_device(struct node *node)
{
	close_fd(&node->link_watch_fd);
	node_device_leave(node);
}

static int start_signals(struct node *node, char *why, size_t why_size)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == 0)
		node->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (node->signal_fd >= 0)
		return 0;
	int err = errno;
	snprintf(why, why_size, "signals cannot be caught: %s", strerror(err));
	return -err;
}

static void undo_signals(struct node *node)
{
	close_fd(&node->signal_fd);
}

static const struct {
	int (*start)(struct node *node, char *why, size_t why_size);
	void (*undo)(struct node *node);
} node_steps[] = {
	// Signals first: a Ctrl-C must not leave a rule behind.
	{start_signals, undo_signals},
	{start_programs, NULL},
	{start_lock, undo_lock},
	{start_caps, NULL},
	{start_ports, undo_ports},
	{start_listeners, undo_listeners},
	{start_link, undo_link},
	{start_device, undo_device},
};
#define NODE_STEP_COUNT (sizeof(node_steps) / sizeof(node_steps[0]))

static void undo_steps(struct node *node, size_t count)
{
	while (count > 0) {
		count--;
		if (node_steps[count].undo != NULL)
			node_steps[count].undo(node);
	}
}

int node_init(struct node *node, struct node_plan *plan, char *why, size_t why_size)
{
	*node = (struct node){
		.plan = plan,
		.link = {-1, -1},
		.progress_fd = -1,
		.progress_read_fd = -1,
		.intent_fd = -1,
		.lock_fd = -1,
		.interface_lock_fd = -1,
		.link_watch_fd = -1,
		.signal_fd = -1,
		.started_ms = child_now_ms(),
	};
	for (size_t i = 0; i < NODE_STEP_COUNT; i++) {
		int err = node_steps[i].start(node, why, why_size);
		if (err < 0) {
			undo_steps(node, i + 1); // a step that failed half-way undoes its half, too
			return err;
		}
	}
	return 0;
}

void node_fini(struct node *node)
{
	undo_steps(node, NODE_STEP_COUNT);
}
