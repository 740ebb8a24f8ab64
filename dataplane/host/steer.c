// SPDX-License-Identifier: BSD-3-Clause
//
// See steer.h.

#include "host/steer.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <rte_byteorder.h>

#include "api/dp_assert.h"
#include "api/dp_limits.h"
#include "host/host_log.h"

#define STEER_RULES_MAX (2 * DP_WORKERS_MAX)

void steer_rule_build(struct steer_rule *rule, uint8_t family, uint16_t port, uint16_t queue)
{
	DP_ASSERT(family == 4 || family == 6);
	memset(rule, 0, sizeof(*rule));
	rule->attr.ingress = 1;
	rule->udp_spec.hdr.dst_port = rte_cpu_to_be_16(port);
	rule->udp_mask.hdr.dst_port = UINT16_MAX;
	rule->queue.index = queue;
	rule->pattern[0].type = RTE_FLOW_ITEM_TYPE_ETH;
	rule->pattern[1].type = family == 4 ? RTE_FLOW_ITEM_TYPE_IPV4 : RTE_FLOW_ITEM_TYPE_IPV6;
	rule->pattern[2].type = RTE_FLOW_ITEM_TYPE_UDP;
	rule->pattern[2].spec = &rule->udp_spec;
	rule->pattern[2].mask = &rule->udp_mask;
	rule->pattern[3].type = RTE_FLOW_ITEM_TYPE_END;
	rule->actions[0].type = RTE_FLOW_ACTION_TYPE_QUEUE;
	rule->actions[0].conf = &rule->queue;
	rule->actions[1].type = RTE_FLOW_ACTION_TYPE_END;
}

static void rule_of(const struct steer_params *params, unsigned i, struct steer_rule *rule)
{
	uint16_t worker = (uint16_t)(i / 2);

	steer_rule_build(rule, i % 2 == 0 ? 4 : 6, (uint16_t)(params->first_port + worker),
		worker % params->queue_count);
}

static bool rules_make(const struct steer_params *params, char *why, size_t why_size)
{
	struct rte_flow *made[STEER_RULES_MAX];
	struct rte_flow_error error = {.message = NULL};
	unsigned count = 2u * params->worker_count, made_count = 0;
	struct steer_rule rule;

	for (unsigned i = 0; i < count; i++) {
		rule_of(params, i, &rule);
		if (rte_flow_validate(
			    params->port_id, &rule.attr, rule.pattern, rule.actions, &error) != 0)
			goto fail;
	}
	for (; made_count < count; made_count++) {
		rule_of(params, made_count, &rule);
		made[made_count] = rte_flow_create(
			params->port_id, &rule.attr, rule.pattern, rule.actions, &error);
		if (made[made_count] == NULL)
			goto fail;
	}
	return true;

fail:
	snprintf(why, why_size, "the NIC takes no rule \"UDP port -> queue\" (%s)",
		error.message != NULL ? error.message : "no reason given");
	while (made_count > 0)
		(void)rte_flow_destroy(params->port_id, made[--made_count], &error);
	return false;
}

const char *steer_apply(const struct steer_params *params, char *why, size_t why_size)
{
	DP_ASSERT(params->worker_count <= DP_WORKERS_MAX && params->queue_count > 0);
	if (params->mode == STEER_SOFTWARE)
		return "software";
	if (rules_make(params, why, why_size))
		return "flow";
	return params->mode == STEER_FLOW ? NULL : "software";
}
