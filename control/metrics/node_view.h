// SPDX-License-Identifier: BSD-3-Clause
//
// What /metrics and the operator socket may look at: the parts of a running control process. Owned
// and kept true by node/; read only by the others, on the loop's thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct gateway_client;
struct node_config;
struct progress;
struct registry;
struct resync;
struct voice_server;

// Of the kernel's interface that the packet engine runs on.
enum node_link {
	NODE_LINK_UNKNOWN = 0, // no interface of the kernel
	NODE_LINK_UP,
	NODE_LINK_DOWN,       // by its administrator
	NODE_LINK_NO_CARRIER, // its other end is
	NODE_LINK_GONE,       // there is none of this name
};

struct node_view {
	const struct node_config *config;
	struct registry *registry;
	struct resync *resync;
	const struct progress *progress;
	const struct voice_server *voice;
	const struct gateway_client *gateway; // NULL: none is configured
	time_t start_time;                    // of control; seconds since 1970
	uint64_t start_ms;                    // of the node; loop clock
	uint32_t dataplane_restarts, control_restarts;
	enum node_link link;
};

// False: nobody is heard, nobody hears.
static inline bool node_link_serves(enum node_link link)
{
	return link == NODE_LINK_UP || link == NODE_LINK_UNKNOWN;
}
