// SPDX-License-Identifier: BSD-3-Clause
//
// See steer.h.

#include "host/steer.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_errno.h>

#include "api/dp_assert.h"
#include "api/dp_limits.h"

#define STEER_RULES_MAX (2 * DP_WORKERS_MAX)

const struct steer_ops steer_ops_dpdk = {
	.flow_validate = rte_flow_validate,
	.flow_create = rte_flow_create,
	.flow_destroy = rte_flow_destroy,
	.table_update = rte_eth_dev_rss_reta_update,
};

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
	const struct steer_ops *ops = params->ops;
	struct rte_flow *made[STEER_RULES_MAX];
	struct rte_flow_error error = {.message = NULL};
	unsigned count = 2u * params->worker_count, made_count = 0;
	struct steer_rule rule;

	for (unsigned i = 0; i < count; i++) {
		rule_of(params, i, &rule);
		if (ops->flow_validate(
			    params->port_id, &rule.attr, rule.pattern, rule.actions, &error) != 0)
			goto fail;
	}
	for (; made_count < count; made_count++) {
		rule_of(params, made_count, &rule);
		made[made_count] = ops->flow_create(
			params->port_id, &rule.attr, rule.pattern, rule.actions, &error);
		if (made[made_count] == NULL)
			goto fail;
	}
	return true;

fail:
	snprintf(why, why_size, "the NIC takes no rule \"UDP port -> queue\" (%s)",
		error.message != NULL ? error.message : "no reason given");
	while (made_count > 0)
		(void)ops->flow_destroy(params->port_id, made[--made_count], &error);
	return false;
}

uint64_t steer_hash_functions(enum steer_mode mode, uint16_t queue_count, uint64_t offers)
{
	if (mode == STEER_SOFTWARE || queue_count < 2)
		return 0;
	// Frames that are no UDP, and UDP in fragments, come by the first queue: they are few, and
	// none of them is forwarded.
	if ((offers & RTE_ETH_RSS_UDP) != 0)
		return offers & RTE_ETH_RSS_UDP;
	return offers & RTE_ETH_RSS_IP;
}

void steer_table_build(
	struct rte_eth_rss_reta_entry64 *entries, uint16_t size, uint16_t queue_count)
{
	DP_ASSERT(size <= STEER_TABLE_MAX && queue_count > 0);
	memset(entries, 0, STEER_TABLE_GROUPS(size) * sizeof(*entries));
	for (unsigned i = 0; i < size; i++) {
		struct rte_eth_rss_reta_entry64 *group = &entries[i / RTE_ETH_RETA_GROUP_SIZE];

		group->mask |= 1ull << i % RTE_ETH_RETA_GROUP_SIZE;
		group->reta[i % RTE_ETH_RETA_GROUP_SIZE] = (uint16_t)(i % queue_count);
	}
}

static bool spread(const struct steer_params *params, char *why, size_t why_size)
{
	struct rte_eth_rss_reta_entry64 entries[STEER_TABLE_GROUPS(STEER_TABLE_MAX)];
	int err = 0;

	if (params->queue_count < 2) {
		snprintf(why, why_size, "there is one queue for %u workers, nothing to spread over",
			params->worker_count);
		return false;
	}
	if (params->spread == STEER_SPREAD_NOBODY) {
		snprintf(why, why_size,
			"the device does not spread packets over queues by a hash (RSS)");
		return false;
	}
	if (params->spread == STEER_SPREAD_KERNEL || params->table_size == 0 ||
		params->table_size > STEER_TABLE_MAX)
		return true;
	steer_table_build(entries, params->table_size, params->queue_count);
	err = params->ops->table_update(params->port_id, entries, params->table_size);
	// A driver that has a table and lets nobody write it spreads as it likes, over all queues.
	if (err == 0 || err == -ENOTSUP)
		return true;
	snprintf(why, why_size, "the NIC takes no redirection table (%s)", rte_strerror(-err));
	return false;
}

int steer_apply(
	const struct steer_params *params, enum steer_rung *rung, char *why, size_t why_size)
{
	DP_ASSERT(params->worker_count > 0 && params->worker_count <= DP_WORKERS_MAX);
	DP_ASSERT(params->queue_count > 0);
	*rung = STEER_RUNG_SOFTWARE;
	why[0] = '\0';
	if (params->mode == STEER_SOFTWARE)
		return 0;
	if (params->mode == STEER_FLOW || (params->mode == STEER_AUTO && params->takes_rules)) {
		if (rules_make(params, why, why_size)) {
			*rung = STEER_RUNG_FLOW;
			return 0;
		}
		if (params->mode == STEER_FLOW)
			return -ENOTSUP;
	}
	char reason[128] = ""; // why not rss either

	if (spread(params, reason, sizeof(reason))) {
		*rung = STEER_RUNG_RSS;
		return 0;
	}
	size_t used = strlen(why);

	snprintf(why + used, why_size - used, "%s%s", used > 0 ? "; " : "", reason);
	return params->mode == STEER_RSS ? -ENOTSUP : 0;
}

const char *steer_rung_name(enum steer_rung rung)
{
	static const char *const names[] = {
		[STEER_RUNG_SOFTWARE] = "software",
		[STEER_RUNG_RSS] = "rss",
		[STEER_RUNG_FLOW] = "flow",
	};

	return names[rung];
}
