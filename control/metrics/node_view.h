// SPDX-License-Identifier: BSD-3-Clause
//
// What /metrics and the operator socket may look at: the parts of a running control process. Owned
// and kept true by node/; read only by the others, on the loop's thread.
#pragma once

#include <stdint.h>
#include <time.h>

struct gateway_client;
struct node_config;
struct progress;
struct registry;
struct resync;
struct voice_server;

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
};
