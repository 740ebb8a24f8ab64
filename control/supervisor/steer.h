// SPDX-License-Identifier: BSD-3-Clause
//
// The steering program's life: loaded and attached by the supervisor, so that it outlives every
// dataplane. steer.bpf.c is the program. One per process and interface.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/plan.h"

struct bpf_object;

struct steer {
	struct bpf_object *object; // NULL: not loaded
	int program_fd;            // the object's
	uint32_t program_id;
	uint32_t flags; // XDP_FLAGS_DRV_MODE or XDP_FLAGS_SKB_MODE
	unsigned ifindex;
};

enum steer_found {
	STEER_FOUND_NONE,
	STEER_FOUND_OURS, // of this or an earlier supervisor
	STEER_FOUND_FOREIGN,
};

// Whose program is attached to the interface? Not knowing counts as foreign.
enum steer_found steer_probe(unsigned ifindex);

// Loads the program and fills its maps for the plan's addresses and ports; attaches nothing. 0, or
// what the kernel said.
int steer_load(struct steer *steer, const struct node_plan *plan)
	__attribute__((warn_unused_result));

// Detaches a program of ours that another process left. 0, -EEXIST when it is foreign, or what the
// kernel said.
int steer_clear(unsigned ifindex) __attribute__((warn_unused_result));

// Loads and attaches for the plan's addresses and ports; detaches a leftover of ours first. Native
// if the driver can, else generic: steer_is_generic() says so. 0, -EEXIST when a foreign program is
// there, or what the kernel said.
int steer_attach(struct steer *steer, const struct node_plan *plan)
	__attribute__((warn_unused_result));
bool steer_is_generic(const struct steer *steer);

// Attaches again if somebody (a dying af_xdp driver) detached it. *repaired says whether it had to.
int steer_keep(struct steer *steer, bool *repaired) __attribute__((warn_unused_result));

// Detaches and unloads. Allowed when nothing is attached.
void steer_detach(struct steer *steer);
