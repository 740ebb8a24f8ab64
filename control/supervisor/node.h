// SPDX-License-Identifier: BSD-3-Clause
//
// One node as the supervisor sees it: what must outlive the two children (link, memfds, reserved
// ports, nftables table, steering program, locks) and the children themselves. node.c makes and
// undoes the former, watch.c keeps the latter alive. One thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/backoff.h"
#include "supervisor/child.h"
#include "supervisor/plan.h"
#include "supervisor/steer.h"

#define NODE_STOP_MS 2000   // from SIGTERM to SIGKILL
#define NODE_START_MS 30000 // a first child that ends sooner could not start; later it is a death
#define NODE_PORTS_MAX (DP_ADDRESSES_MAX * DP_WORKERS_MAX)
// Exit statuses of a child that mean "starting me again will not help" while it is the first of its
// kind, and, of the dataplane, "this device could not be started".
#define NODE_STATUS_NO_DEVICE 3

enum node_side {
	NODE_DATAPLANE,
	NODE_CONTROL,
	NODE_SIDE_COUNT,
};

struct node_child {
	struct child child;
	char path[PLAN_PATH_SIZE];
	uint32_t epoch; // of the last start; 0: never started
	uint32_t first; // epoch of the first that no lower rung replaced: the rest are restarts
	struct backoff backoff;
	uint64_t start_at_ms; // when to start it again, while it does not run
};

struct node {
	struct node_plan *plan;
	struct node_child children[NODE_SIDE_COUNT];

	int link[NODE_SIDE_COUNT]; // each side's end of the SOCK_SEQPACKET pair
	int progress_fd, intent_fd;
	int progress_read_fd; // control's: nonces in use are not its to change
	int lock_fd, interface_lock_fd;
	char interface_lock[64]; // its name
	int ports[NODE_PORTS_MAX];
	unsigned port_count;
	int listeners[CONFIG_LIST_MAX]; // of the voice signaling: clients wait while control
					// restarts
	unsigned listener_count;
	bool nft_applied;
	struct steer steer;
	int link_watch_fd;  // -1: none
	unsigned tap_index; // of the tap that the dataplane made; 0: it has not been seen

	int signal_fd;
	uint64_t started_ms; // child_now_ms()
	bool failed;         // stop with status 1; the reason has been said
};

// Sets everything up, in order, but the children. 0, or -errno with one sentence in 'why'; nothing
// is left behind then.
int node_init(struct node *node, struct node_plan *plan, char *why, size_t why_size)
	__attribute__((warn_unused_result));
// Undoes it in reverse order.
void node_fini(struct node *node);

// The device that 'plan' names, or for auto the best rung not above 'from': attaches what it needs.
// 0, or -errno with one sentence in 'why'.
int node_device_enter(struct node *node, enum rung from, char *why, size_t why_size)
	__attribute__((warn_unused_result));
void node_device_leave(struct node *node);
// Before a dataplane starts on the device, and after one died: what it needs is there, also when
// the interface was deleted and made again. 0, or -errno with one sentence in 'why': on AF_XDP a
// dataplane must not start then, libxdp would attach a program of its own, which takes all packets.
int node_device_keep(struct node *node, char *why, size_t why_size)
	__attribute__((warn_unused_result));

// Starts both children and keeps them alive until a signal asks to stop or one cannot be started.
// Returns the exit status.
int node_watch(struct node *node);
