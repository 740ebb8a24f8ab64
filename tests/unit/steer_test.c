// SPDX-License-Identifier: BSD-3-Clause
//
// The rules "UDP port -> queue" as rte_flow wants them. No NIC is asked: rules were never run on
// hardware here.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

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

static void software_asks_no_device(void **state)
{
	// No such port: a question would fail.
	struct steer_params params = {.port_id = 31,
		.queue_count = 1,
		.worker_count = 2,
		.first_port = 50000,
		.mode = STEER_SOFTWARE};
	char why[128] = "";

	(void)state;
	assert_string_equal(steer_apply(&params, why, sizeof(why)), "software");
	assert_string_equal(why, "");
}

static void refusal_falls_back_only_where_it_may(void **state)
{
	struct steer_params params = {.port_id = 31,
		.queue_count = 1,
		.worker_count = 2,
		.first_port = 50000,
		.mode = STEER_AUTO};
	char why[128] = "";

	(void)state;
	assert_string_equal(steer_apply(&params, why, sizeof(why)), "software");
	params.mode = STEER_FLOW;
	assert_null(steer_apply(&params, why, sizeof(why)));
	assert_non_null(strstr(why, "rule"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rule_matches_only_the_udp_port),
		cmocka_unit_test(rule_goes_to_one_queue),
		cmocka_unit_test(software_asks_no_device),
		cmocka_unit_test(refusal_falls_back_only_where_it_may),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
