// SPDX-License-Identifier: BSD-3-Clause
//
// What the workers can do and what they are used for, on its way from the packet engine to the
// registry, which admits by it, and to the gateway, which is told.
//
// Threads: the loop's only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "register/node_proto.h"

#define BUDGET_REPORT_MS 1000u // at most one report in so long, and none without a change

struct dp_device;
struct gateway_client;
struct node_config;
struct registry;

struct budget_report {
	struct node_worker told[NODE_WORKERS_MAX];
	bool is_told;
	uint64_t due_ms; // loop clock; not before
};

// From the packet engine, and until it has said so from the configuration, where that knows. Cheap:
// call at every sample.
void budget_learn(struct registry *registry, const struct node_config *config,
	const struct dp_device *device);
void budget_report(struct budget_report *report, const struct registry *registry,
	struct gateway_client *gateway, uint64_t now_ms);
// The gateway is a new one, or its connection: it is told anew.
void budget_report_forget(struct budget_report *report);
