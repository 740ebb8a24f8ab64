// SPDX-License-Identifier: BSD-3-Clause
//
// The demo's network: a namespace for the node and its gateway, one for the bots, and one whose
// bridge joins both with a veth pair into the root namespace. Everything is named vn-demo-PID, so
// that a later demo finds what a killed one left. One at a time per process.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define DEMO_NAME_SIZE 32
#define DEMO_NODE_INTERFACE "node0" // in the node's namespace

struct demo_net {
	char name[DEMO_NAME_SIZE]; // "vn-demo-PID"; also of the interface in the root namespace
	char node_ns[DEMO_NAME_SIZE], bots_ns[DEMO_NAME_SIZE], bridge_ns[DEMO_NAME_SIZE];
	int node_fd, bots_fd; // of the namespaces, for setns()
	char root_address[16], node_address[16], bots_address[16];
	int subnet; // 198.18.N.0/24
};

// Makes all of it. 0, or -errno with one sentence in 'why'; nothing is left then.
int demo_net_create(struct demo_net *net, char *why, size_t why_size)
	__attribute__((warn_unused_result));
void demo_net_destroy(struct demo_net *net);

// Removes the namespaces and directories of demos that no longer run.
void demo_net_clear_leftovers(const char *directory_root);

// Removes a directory with all in it; follows no link.
void demo_net_remove_tree(const char *path);
