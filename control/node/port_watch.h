// SPDX-License-Identifier: BSD-3-Clause
//
// Whether the kernel's interface that the packet engine runs on has a link: an engine that polls
// af_packet, AF_XDP or a tap hears nothing of it when the interface goes. A pci device is no
// interface of the kernel; of it nothing is known here. Threads: the loop's.
#pragma once

#include <stdint.h>

#include "api/dp_msg.h"
#include "metrics/node_view.h"

#define PORT_WATCH_MS 500u // between two looks

struct port_watch {
	uint64_t next_ms; // of the next look
	enum node_link link;
};

// Looks if it is time; says a change in the log. Returns what is known now.
enum node_link port_watch_turn(
	struct port_watch *watch, const struct dp_device *device, uint64_t now_ms);
// The look itself: of the interface 'name' in this network namespace.
enum node_link port_watch_look(const char *name);
