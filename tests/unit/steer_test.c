// SPDX-License-Identifier: BSD-3-Clause
//
// The rungs of steering: the rules "UDP port -> queue" as rte_flow wants them, the redirection
// table of RSS, and which is taken of what a NIC offers. The NIC is a table of operations: neither
// was ever run on hardware here.

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "api/dp_limits.h"
#include "host/steer.h"

static void rule_matches_only_the_udp_port(void **state)
{
	static const uint8_t zeros[sizeof(struct rte_flow_item_udp)];
	static const uint8_t families[] = {4, 6};
	struct steer_rule rule;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		memset(&rule, 0xff, sizeof(rule));
		steer_rule_build(&rule, families[i], 50003, 3);
		assert_int_equal(rule.pattern[0].type, RTE_FLOW_ITEM_TYPE_ETH);
		assert_int_equal(rule.pattern[1].type,
			i == 0 ? RTE_FLOW_ITEM_TYPE_IPV4 : RTE_FLOW_ITEM_TYPE_IPV6);
		assert_int_equal(rule.pattern[2].type, RTE_FLOW_ITEM_TYPE_UDP);
		assert_int_equal(rule.pattern[3].type, RTE_FLOW_ITEM_TYPE_END);
		for (unsigned item = 0; item < 2; item++) {
			assert_null(rule.pattern[item].spec);
			assert_null(rule.pattern[item].mask);
		}
		const struct rte_flow_item_udp *spec = rule.pattern[2].spec;
		const struct rte_flow_item_udp *mask = rule.pattern[2].mask;
		assert_null(rule.pattern[2].last);
		assert_int_equal(spec->hdr.dst_port, htons(50003));
		assert_int_equal(mask->hdr.dst_port, 0xffff);

		struct rte_flow_item_udp rest = *mask;
		rest.hdr.dst_port = 0;
		assert_memory_equal(&rest, zeros, sizeof(rest));
	}
}

static void rule_goes_to_one_queue(void **state)
{
	struct steer_rule rule;

	(void)state;
	memset(&rule, 0xff, sizeof(rule));
	steer_rule_build(&rule, 4, 1, 63);
	assert_int_equal(rule.attr.ingress, 1);
	assert_int_equal(rule.attr.egress, 0);
	assert_int_equal(rule.attr.transfer, 0);
	assert_int_equal(rule.attr.group, 0);
	assert_int_equal(rule.attr.priority, 0);
	assert_int_equal(rule.actions[0].type, RTE_FLOW_ACTION_TYPE_QUEUE);
	const struct rte_flow_action_queue *queue = rule.actions[0].conf;
	assert_int_equal(queue->index, 63);
	assert_int_equal(rule.actions[1].type, RTE_FLOW_ACTION_TYPE_END);
}

// A NIC of the test's own: how many rules it takes, and what it was asked.
static struct {
	unsigned rules_max, table_calls;
	int table_error;
	bool lies; // validates what it then does not create
	unsigned validated, created, destroyed;
	uint16_t ports[2 * DP_WORKERS_MAX], queues[2 * DP_WORKERS_MAX];
	enum rte_flow_item_type families[2 * DP_WORKERS_MAX];
	uint16_t table[512];
} nic;

static int nic_validate(uint16_t port_id, const struct rte_flow_attr *attr,
	const struct rte_flow_item pattern[], const struct rte_flow_action actions[],
	struct rte_flow_error *error)
{
	(void)port_id, (void)pattern, (void)actions;
	assert_int_equal(attr->ingress, 1);
	error->message = "full";
	return nic.validated++ < nic.rules_max || nic.lies ? 0 : -ENOTSUP;
}

static struct rte_flow *nic_create(uint16_t port_id, const struct rte_flow_attr *attr,
	const struct rte_flow_item pattern[], const struct rte_flow_action actions[],
	struct rte_flow_error *error)
{
	const struct rte_flow_item_udp *udp = pattern[2].spec;
	const struct rte_flow_action_queue *queue = actions[0].conf;

	(void)port_id, (void)attr;
	error->message = "full";
	if (nic.created == nic.rules_max)
		return NULL;
	nic.families[nic.created] = pattern[1].type;
	nic.ports[nic.created] = ntohs(udp->hdr.dst_port);
	nic.queues[nic.created] = queue->index;
	return (struct rte_flow *)(uintptr_t)++nic.created;
}

static int nic_destroy(uint16_t port_id, struct rte_flow *flow, struct rte_flow_error *error)
{
	(void)port_id, (void)error;
	// The last one first.
	assert_int_equal((uintptr_t)flow, nic.created - nic.destroyed);
	nic.destroyed++;
	return 0;
}

static int nic_table(uint16_t port_id, struct rte_eth_rss_reta_entry64 *entries, uint16_t size)
{
	(void)port_id;
	nic.table_calls++;
	for (unsigned i = 0; i < size && nic.table_error == 0; i++)
		if ((entries[i / 64].mask >> i % 64 & 1) != 0)
			nic.table[i] = entries[i / 64].reta[i % 64];
	return nic.table_error;
}

static const struct steer_ops nic_ops = {nic_validate, nic_create, nic_destroy, nic_table};

static struct steer_params of_nic(unsigned rules_max, enum steer_mode mode)
{
	memset(&nic, 0, sizeof(nic));
	memset(nic.table, 0xff, sizeof(nic.table));
	nic.rules_max = rules_max;
	return (struct steer_params){.queue_count = 3,
		.worker_count = 4,
		.first_port = 50000,
		.table_size = 128,
		.mode = mode,
		.spread = STEER_SPREAD_NIC,
		.takes_rules = true,
		.ops = &nic_ops};
}

static enum steer_rung rung_of(const struct steer_params *params, int error, char *why)
{
	enum steer_rung rung;

	assert_int_equal(steer_apply(params, &rung, why, 320), error);
	return rung;
}

static void every_worker_gets_its_port_of_both_families(void **state)
{
	struct steer_params params = of_nic(64, STEER_AUTO);
	char why[320];

	(void)state;
	assert_int_equal(rung_of(&params, 0, why), STEER_RUNG_FLOW);
	assert_string_equal(why, "");
	assert_int_equal(nic.created, 8);
	assert_int_equal(nic.table_calls, 0);
	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(nic.ports[i], 50000 + i / 2);
		assert_int_equal(nic.queues[i], i / 2 % 3); // the fourth worker has no queue
		assert_int_equal(nic.families[i],
			i % 2 == 0 ? RTE_FLOW_ITEM_TYPE_IPV4 : RTE_FLOW_ITEM_TYPE_IPV6);
	}
}

static void rules_are_made_all_or_none(void **state)
{
	struct steer_params params = of_nic(7, STEER_AUTO);
	char why[320];

	(void)state;
	assert_int_equal(rung_of(&params, 0, why), STEER_RUNG_RSS);
	assert_int_equal(nic.created, 0); // not one, when it will not take all
	assert_non_null(strstr(why, "full"));
	params = of_nic(7, STEER_AUTO);
	nic.lies = true;
	assert_int_equal(rung_of(&params, 0, why), STEER_RUNG_RSS);
	assert_int_equal(nic.created, 7);
	assert_int_equal(nic.destroyed, 7);
}

static void the_table_names_every_queue_in_turn(void **state)
{
	static const uint16_t sizes[] = {1, 40, 64, 128, 512};
	struct steer_params params;
	char why[320];

	(void)state;
	for (unsigned n = 0; n < sizeof(sizes) / sizeof(sizes[0]); n++) {
		params = of_nic(0, STEER_RSS);
		params.table_size = sizes[n];
		assert_int_equal(rung_of(&params, 0, why), STEER_RUNG_RSS);
		assert_int_equal(nic.validated, 0); // no rule was wanted
		for (unsigned i = 0; i < 512; i++)
			assert_int_equal(nic.table[i], i < sizes[n] ? i % 3 : 0xffff);
	}
	params = of_nic(0, STEER_AUTO);
	params.table_size = 0; // it spreads and has no table
	assert_int_equal(rung_of(&params, 0, why), STEER_RUNG_RSS);
	assert_int_equal(nic.table_calls, 0);
	params = of_nic(0, STEER_AUTO);
	nic.table_error = -ENOTSUP; // it has one that nobody may write
	assert_int_equal(rung_of(&params, 0, why), STEER_RUNG_RSS);
}

static void software_where_nothing_else_goes(void **state)
{
	struct steer_params params = of_nic(0, STEER_AUTO);
	char why[320];

	(void)state;
	params.spread = STEER_SPREAD_NOBODY;
	assert_int_equal(rung_of(&params, 0, why), STEER_RUNG_SOFTWARE);
	assert_non_null(strstr(why, "no rule"));
	assert_non_null(strstr(why, "; the device does not spread"));
	params = of_nic(0, STEER_AUTO);
	nic.table_error = -EIO;
	assert_int_equal(rung_of(&params, 0, why), STEER_RUNG_SOFTWARE);
	assert_non_null(strstr(why, "redirection table"));
	params = of_nic(0, STEER_AUTO);
	params.queue_count = 1;
	assert_int_equal(rung_of(&params, 0, why), STEER_RUNG_SOFTWARE);
	params = of_nic(64, STEER_SOFTWARE); // though the NIC could
	assert_int_equal(rung_of(&params, 0, why), STEER_RUNG_SOFTWARE);
	assert_int_equal(nic.validated + nic.table_calls, 0);
	assert_string_equal(why, "");
}

static void the_kernel_spreads_for_virtual_devices(void **state)
{
	struct steer_params params = of_nic(64, STEER_AUTO);
	char why[320];

	(void)state;
	params.takes_rules = false;
	params.spread = STEER_SPREAD_KERNEL;
	params.table_size = 0;
	assert_int_equal(rung_of(&params, 0, why), STEER_RUNG_RSS);
	assert_int_equal(nic.validated + nic.table_calls, 0);
}

static void a_rung_that_was_asked_for_is_taken_or_refused(void **state)
{
	struct steer_params params = of_nic(0, STEER_FLOW);
	char why[320];

	(void)state;
	(void)rung_of(&params, -ENOTSUP, why);
	assert_non_null(strstr(why, "no rule"));
	assert_int_equal(nic.table_calls, 0);
	params = of_nic(0, STEER_RSS);
	params.queue_count = 1;
	(void)rung_of(&params, -ENOTSUP, why);
	assert_non_null(strstr(why, "one queue for 4 workers"));
	params = of_nic(0, STEER_RSS);
	params.spread = STEER_SPREAD_NOBODY;
	(void)rung_of(&params, -ENOTSUP, why);
	assert_non_null(strstr(why, "RSS"));
	// DPDK's own answer for a port that is not there.
	params.ops = &steer_ops_dpdk;
	params.port_id = 31;
	params.mode = STEER_FLOW;
	(void)rung_of(&params, -ENOTSUP, why);
	assert_non_null(strstr(why, "rule"));
}

static void hash_is_by_ports_where_the_nic_can(void **state)
{
	const uint64_t all = RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP;

	(void)state;
	assert_int_equal(steer_hash_functions(STEER_AUTO, 2, all), RTE_ETH_RSS_UDP);
	assert_int_equal(steer_hash_functions(STEER_FLOW, 2, all), RTE_ETH_RSS_UDP);
	assert_int_equal(steer_hash_functions(STEER_RSS, 2, RTE_ETH_RSS_NONFRAG_IPV4_UDP),
		RTE_ETH_RSS_NONFRAG_IPV4_UDP);
	assert_int_equal(steer_hash_functions(STEER_AUTO, 2, RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_TCP),
		RTE_ETH_RSS_IPV4);
	assert_int_equal(steer_hash_functions(STEER_AUTO, 2, 0), 0);
	assert_int_equal(steer_hash_functions(STEER_AUTO, 1, all), 0);
	assert_int_equal(steer_hash_functions(STEER_SOFTWARE, 2, all), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rule_matches_only_the_udp_port),
		cmocka_unit_test(rule_goes_to_one_queue),
		cmocka_unit_test(every_worker_gets_its_port_of_both_families),
		cmocka_unit_test(rules_are_made_all_or_none),
		cmocka_unit_test(the_table_names_every_queue_in_turn),
		cmocka_unit_test(software_where_nothing_else_goes),
		cmocka_unit_test(the_kernel_spreads_for_virtual_devices),
		cmocka_unit_test(a_rung_that_was_asked_for_is_taken_or_refused),
		cmocka_unit_test(hash_is_by_ports_where_the_nic_can),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
