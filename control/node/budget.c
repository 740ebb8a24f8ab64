// SPDX-License-Identifier: BSD-3-Clause
//
// Reads, compares, tells.

#include "node/budget.h"

#include <string.h>

#include "api/dp_msg.h"
#include "config/config.h"
#include "register/gateway_client.h"
#include "registry/registry.h"

void budget_learn(
	struct registry *registry, const struct node_config *config, const struct dp_device *device)
{
	bool is_told = device->driver[0] != '\0';

	for (uint32_t worker = 0; worker < registry_params(registry)->worker_count; worker++)
		registry_set_capacity(registry, worker,
			is_told ? device->capacity_pps[worker] : config->workers.capacity_pps);
}

void budget_report(struct budget_report *report, const struct registry *registry,
	struct gateway_client *gateway, uint64_t now_ms)
{
	uint32_t worker_count = registry_params(registry)->worker_count;
	struct node_worker workers[NODE_WORKERS_MAX] = {0};

	if (now_ms < report->due_ms)
		return;
	for (uint32_t at = 0; at < worker_count; at++) {
		struct registry_load load;

		registry_load(registry, at, &load);
		workers[at] = (struct node_worker){.capacity_pps = load.capacity_pps,
			.budget_pps = load.budget_pps,
			.used_pps = load.used_pps};
	}
	if (report->is_told && memcmp(workers, report->told, sizeof(workers)) == 0)
		return;
	if (!gateway_client_report(gateway, workers, worker_count))
		return;
	memcpy(report->told, workers, sizeof(workers));
	report->is_told = true;
	report->due_ms = now_ms + BUDGET_REPORT_MS;
}

void budget_report_forget(struct budget_report *report)
{
	report->is_told = false;
	report->due_ms = 0;
}
