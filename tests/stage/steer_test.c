// SPDX-License-Identifier: BSD-3-Clause
//
// The rss rung on a real port: net_null takes a hash and a redirection table as a NIC does, and no
// rules. What it was given is read back.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <rte_dev.h>
#include <rte_ethdev.h>

#include "api/dp_assert.h"
#include "host/steer.h"
#include "support/node.h"

#define QUEUES 4

static void a_port_without_rules_spreads_by_hash(void **state)
{
	struct rte_eth_rss_reta_entry64 table[STEER_TABLE_GROUPS(STEER_TABLE_MAX)];
	struct rte_eth_rss_conf hash = {0};
	struct rte_eth_dev_info info;
	struct rte_eth_conf conf = {.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS};
	struct rte_mempool *pool;
	struct steer_params params = {.queue_count = QUEUES,
		.worker_count = QUEUES,
		.first_port = 50000,
		.mode = STEER_AUTO,
		.spread = STEER_SPREAD_NIC,
		.takes_rules = true,
		.ops = &steer_ops_dpdk};
	enum steer_rung rung;
	char why[320];

	(void)state;
	node_start_eal();
	assert_int_equal(rte_eal_hotplug_add("vdev", "net_null0", "no-rx=1"), 0);
	assert_int_equal(rte_eth_dev_get_port_by_name("net_null0", &params.port_id), 0);
	assert_int_equal(rte_eth_dev_info_get(params.port_id, &info), 0);
	conf.rx_adv_conf.rss_conf.rss_hf =
		steer_hash_functions(params.mode, QUEUES, info.flow_type_rss_offloads);
	assert_true(conf.rx_adv_conf.rss_conf.rss_hf != 0);
	assert_int_equal(rte_eth_dev_configure(params.port_id, QUEUES, QUEUES, &conf), 0);
	pool = rte_pktmbuf_pool_create("steer", 63, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	assert_non_null(pool);
	for (uint16_t i = 0; i < QUEUES; i++) {
		assert_int_equal(rte_eth_rx_queue_setup(params.port_id, i, 64,
					 (unsigned)SOCKET_ID_ANY, NULL, pool),
			0);
		assert_int_equal(rte_eth_tx_queue_setup(
					 params.port_id, i, 64, (unsigned)SOCKET_ID_ANY, NULL),
			0);
	}
	assert_int_equal(rte_eth_dev_start(params.port_id), 0);

	params.table_size = info.reta_size;
	assert_int_equal(steer_apply(&params, &rung, why, sizeof(why)), 0);
	assert_int_equal(rung, STEER_RUNG_RSS);
	assert_non_null(strstr(why, "takes no rule"));
	steer_table_build(table, info.reta_size, 1); // all bits of the masks, and other queues
	assert_int_equal(rte_eth_dev_rss_reta_query(params.port_id, table, info.reta_size), 0);
	for (unsigned i = 0; i < info.reta_size; i++)
		assert_int_equal(table[i / 64].reta[i % 64], i % QUEUES);
	assert_int_equal(rte_eth_dev_rss_hash_conf_get(params.port_id, &hash), 0);
	assert_int_equal(hash.rss_hf, conf.rx_adv_conf.rss_conf.rss_hf);

	assert_int_equal(rte_eth_dev_stop(params.port_id), 0);
	assert_int_equal(rte_eal_hotplug_remove("vdev", "net_null0"), 0);
	rte_mempool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_port_without_rules_spreads_by_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
