// SPDX-License-Identifier: BSD-3-Clause
//
// How a packet finds the worker of its UDP port. Three rungs, the best that the port offers:
//   flow      the NIC does it: one rte_flow rule "destination port -> queue" per worker and IP
//             family;
//   rss       the device spreads packets over the queues by a hash of their addresses and ports,
//   all
//             workers poll at once, and hand over by ring what is another's (stage/rx.c);
//   software  everything comes by one queue, whose worker hands over.
//
// Rules and a NIC's RSS were never run on hardware here: what is asked of the NIC is made and
// unit-tested against a table of operations, taking it is up to the NIC. Main thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <rte_ethdev.h>
#include <rte_flow.h>

enum steer_mode {
	STEER_AUTO,     // the best rung
	STEER_FLOW,     // this one, or do not start
	STEER_RSS,      // likewise
	STEER_SOFTWARE, // one queue, whatever the device could
};

enum steer_rung {
	STEER_RUNG_SOFTWARE,
	STEER_RUNG_RSS,
	STEER_RUNG_FLOW,
};

// Who spreads packets over a port's queues?
enum steer_spread {
	STEER_SPREAD_NOBODY,
	STEER_SPREAD_NIC,    // its RSS, configured with steer_hash_functions()
	STEER_SPREAD_KERNEL, // by flow, before the driver sees them: not ours to set
};

// What is asked of a NIC: DPDK, or a test's stand-in.
struct steer_ops {
	int (*flow_validate)(uint16_t port_id, const struct rte_flow_attr *attr,
		const struct rte_flow_item pattern[], const struct rte_flow_action actions[],
		struct rte_flow_error *error);
	struct rte_flow *(*flow_create)(uint16_t port_id, const struct rte_flow_attr *attr,
		const struct rte_flow_item pattern[], const struct rte_flow_action actions[],
		struct rte_flow_error *error);
	int (*flow_destroy)(uint16_t port_id, struct rte_flow *flow, struct rte_flow_error *error);
	int (*table_update)(
		uint16_t port_id, struct rte_eth_rss_reta_entry64 *entries, uint16_t size);
};
extern const struct steer_ops steer_ops_dpdk;

// One rule with all that its pattern points to; must not be moved once built.
struct steer_rule {
	struct rte_flow_attr attr;
	struct rte_flow_item pattern[4];   // Ethernet, IP, UDP, end
	struct rte_flow_action actions[2]; // queue, end
	struct rte_flow_item_udp udp_spec, udp_mask;
	struct rte_flow_action_queue queue;
};

// UDP over IPv4 (family 4) or IPv6 (6) to 'port' (host order) goes to 'queue'.
void steer_rule_build(struct steer_rule *rule, uint8_t family, uint16_t port, uint16_t queue);

// Before the port is configured: the hash functions to ask for, of those that the NIC 'offers'
// (RTE_ETH_RSS_*). By addresses and ports, or where it cannot, by addresses. 0: none.
uint64_t steer_hash_functions(enum steer_mode mode, uint16_t queue_count, uint64_t offers);

// Redirection table: 'size' entries, at most STEER_TABLE_MAX, the queues in turn.
#define STEER_TABLE_MAX 2048
#define STEER_TABLE_GROUPS(size) (((size) + RTE_ETH_RETA_GROUP_SIZE - 1) / RTE_ETH_RETA_GROUP_SIZE)
void steer_table_build(
	struct rte_eth_rss_reta_entry64 *entries, uint16_t size, uint16_t queue_count);

struct steer_params {
	uint16_t port_id; // DPDK's, started
	uint16_t queue_count;
	uint16_t worker_count; // worker n has queue n % queue_count
	uint16_t first_port;   // of worker 0, host order
	uint16_t table_size;   // of the NIC's redirection table; 0: it has none
	enum steer_mode mode;
	enum steer_spread spread;
	bool takes_rules; // a NIC: the virtual drivers would go through tc, or do not steer at all
	const struct steer_ops *ops;
};

// Asks for the best rung that the mode allows; rules are made all or none. 0 and the rung; 'why'
// then says why not the rung above it, "" where there is nothing to say. -ENOTSUP: the mode wants a
// rung that the device does not offer; 'why' says what it refuses.
int steer_apply(const struct steer_params *params, enum steer_rung *rung, char *why,
	size_t why_size) __attribute__((warn_unused_result));

// "flow", "rss", "software".
const char *steer_rung_name(enum steer_rung rung);
