// SPDX-License-Identifier: BSD-3-Clause
//
// Destination port -> queue, in the NIC: one rte_flow rule per worker and IP family. Where the NIC
// cannot, packets reach any worker, which hands them to their own by ring ("software").
//
// Rules were never run on hardware here: making them is pure and unit-tested, taking them is up to
// rte_flow_validate(). Main thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <rte_flow.h>

enum steer_mode {
	STEER_AUTO,     // rules where the NIC takes them all
	STEER_FLOW,     // rules, or do not start
	STEER_SOFTWARE, // no rules
};

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

struct steer_params {
	uint16_t port_id; // DPDK's, started
	uint16_t queue_count;
	uint16_t worker_count; // worker n has queue n % queue_count
	uint16_t first_port;   // of worker 0, host order
	enum steer_mode mode;
};

// Asks the NIC for all rules, then makes them all or none. Returns "flow" or "software" (static);
// NULL if the mode is STEER_FLOW and the NIC refuses, with its reason in 'why'.
const char *steer_apply(const struct steer_params *params, char *why, size_t why_size);
