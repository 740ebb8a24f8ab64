// SPDX-License-Identifier: BSD-3-Clause
//
// control/supervisor/argv.c and nft.c: what the children and the kernel are told, word by word.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "supervisor/argv.h"
#include "supervisor/nft.h"

static struct node_config config;
static struct node_plan plan;
static struct argv argv_out;

static int make_plan(void **state)
{
	(void)state;
	config = (struct node_config){0};
	config.workers.count = 3;
	config.workers.core[0] = 4;
	config.workers.core[1] = 5;
	config.workers.core[2] = 17;
	config.workers.sleep_us_max = 50;
	config.memory.hugepages = CONFIG_HUGEPAGES_OFF;
	config.memory.mbufs = 8191;
	config.limits.sessions = 1000;
	config.limits.guilds = 100;
	config.limits.legs = 20000;
	config.log_level = LOG_LEVEL_INFO;

	plan = (struct node_plan){
		.config = &config,
		.config_path = "/etc/voicenode/voicenode.cfg",
		.instance = "n1",
		.device = CONFIG_DEVICE_AFPACKET,
		.device_name = "eth0",
		.rung_note = "as configured",
		.addresses = {{.text = "192.0.2.1", .prefix = 24, .family = AF_INET},
			{.text = "2001:db8::1", .prefix = 64, .family = AF_INET6},
			{.text = "192.0.2.2", .prefix = 32, .family = AF_INET}},
		.address_count = 3,
		.port_first = 50000,
		.port_last = 50002,
		.main_core = 2,
		.endpoint = "voice.example.net:8443",
		.tls = {.certificate = "/s/leaf.pem", .key = "/s/leaf.key", .ca = "/s/ca.pem"},
	};
	return 0;
}

static void assert_argv(const char *expected)
{
	char joined[ARGV_TEXT_SIZE] = "";
	size_t used = 0;

	for (unsigned i = 0; i < argv_out.count; i++)
		used += (size_t)snprintf(joined + used, sizeof(joined) - used, "%s%s",
			i == 0 ? "" : "|", argv_out.items[i]);
	assert_null(argv_out.items[argv_out.count]);
	assert_string_equal(joined, expected);
}

static void dataplane_is_told_everything_by_its_arguments(void **state)
{
	(void)state;
	assert_int_equal(argv_dataplane(&argv_out, &plan, 7), 0);
	assert_argv(
		"voicenode-dataplane|--epoch|7|--device|afpacket:eth0|--rung-note|as configured"
		"|--address|192.0.2.1/24|--address|2001:db8::1/64|--address|192.0.2.2/32"
		"|--ports|50000-50002|--cores|4,5,17|--main-core|2|--idle|adaptive"
		"|--sleep-us-max|50|--crypto-engine|auto|--seal-check-every|0|--hugepages|off|--"
		"mbufs|8191|--sessions|"
		"1000|--guilds|100"
		"|--legs|20000|--steering|auto|--file-prefix|voicenode_n1_1|--log-level|info|--");
}

static void eal_arguments_come_last_and_null_has_no_name(void **state)
{
	(void)state;
	config.eal_extra_args.count = 2;
	snprintf(config.eal_extra_args.item[0], CONFIG_TEXT_SIZE, "--iova-mode=va");
	snprintf(config.eal_extra_args.item[1], CONFIG_TEXT_SIZE, "--telemetry");
	config.workers.idle = CONFIG_IDLE_POLL;
	config.workers.crypto_engine = CONFIG_CRYPTO_LIBSRTP2;
	config.workers.seal_check_every = 1000;
	config.workers.capacity_pps = 9000000;
	config.network.steering = CONFIG_STEERING_SOFTWARE;
	config.memory.hugepages = CONFIG_HUGEPAGES_REQUIRED;
	plan.device = CONFIG_DEVICE_NULL;
	plan.device_name[0] = 0;
	plan.address_count = 1;
	assert_int_equal(argv_dataplane(&argv_out, &plan, 8), 0);
	assert_argv(
		"voicenode-dataplane|--epoch|8|--device|null|--rung-note|as configured"
		"|--address|192.0.2.1/24|--ports|50000-50002|--cores|4,5,17|--main-core|2|--idle"
		"|poll|--sleep-us-max|50|--crypto-engine|libsrtp2|--seal-check-every|1000"
		"|--capacity-pps|9000000|--"
		"hugepages|required|--mbufs|"
		"8191|--sessions|1000"
		"|--guilds|100|--legs|20000|--steering|software|--file-prefix|voicenode_n1_0"
		"|--log-level|info|--|--iova-mode=va|--telemetry");
}

static void control_is_told_the_devices_addresses(void **state)
{
	(void)state;
	config.voice.listen.count = 2;
	assert_int_equal(
		argv_control(&argv_out, &plan, &(struct argv_history){2, 1, 5000000000}), 0);
	assert_argv("voicenode-control|--config|/etc/voicenode/voicenode.cfg|--epoch|2|--address"
		    "|192.0.2.1|--address|2001:db8::1|--address|192.0.2.2|--endpoint"
		    "|voice.example.net:8443|--tls-cert|/s/leaf.pem|--tls-key|/s/leaf.key"
		    "|--dataplane-first|1|--started-ms|5000000000|--listeners|2");
}

static void announced_addresses_take_the_place_of_the_devices(void **state)
{
	(void)state;
	config.voice.listen.count = 1;
	config.network.announce.count = 1;
	snprintf(config.network.announce.item[0], CONFIG_TEXT_SIZE, "203.0.113.7");
	assert_int_equal(argv_control(&argv_out, &plan, &(struct argv_history){1, 1, 0}), 0);
	assert_argv(
		"voicenode-control|--config|/etc/voicenode/voicenode.cfg|--epoch|1|--address"
		"|203.0.113.7|--endpoint|voice.example.net:8443|--tls-cert|/s/leaf.pem|--tls-key"
		"|/s/leaf.key|--dataplane-first|1|--started-ms|0|--listeners|1");
}

static void refuses_what_does_not_fit(void **state)
{
	int added = 0;

	(void)state;
	argv_init(&argv_out);
	while (added < ARGV_ITEMS_MAX && argv_add(&argv_out, "x") == 0)
		added++;
	assert_int_equal(added, ARGV_ITEMS_MAX);
	assert_int_equal(argv_add(&argv_out, "x"), -E2BIG);
	assert_null(argv_out.items[ARGV_ITEMS_MAX]);
	argv_init(&argv_out);
	assert_int_equal(argv_add(&argv_out, "%*s", ARGV_TEXT_SIZE, ""), -E2BIG);
	assert_int_equal(argv_out.count, 0);
}

static void the_rule_names_our_ports_and_addresses_only(void **state)
{
	char text[NFT_TEXT_SIZE];

	(void)state;
	assert_int_equal(nft_build(&plan, text), 0);
	assert_string_equal(text,
		"add table inet voicenode_n1\n"
		"delete table inet voicenode_n1\n"
		"table inet voicenode_n1 {\n"
		"\tchain media {\n"
		"\t\ttype filter hook prerouting priority raw; policy accept;\n"
		"\t\tip daddr { 192.0.2.1, 192.0.2.2 } udp dport 50000-50002 counter drop\n"
		"\t\tip6 daddr { 2001:db8::1 } udp dport 50000-50002 counter drop\n"
		"\t}\n"
		"}\n");
}

static void one_family_needs_one_rule(void **state)
{
	char text[NFT_TEXT_SIZE];

	(void)state;
	plan.address_count = 1;
	assert_int_equal(nft_build(&plan, text), 0);
	assert_non_null(strstr(text, "ip daddr"));
	assert_null(strstr(text, "ip6"));
}

static void a_table_name_holds_no_syntax(void **state)
{
	char name[PLAN_NAME_SIZE + 16];

	(void)state;
	nft_table_name("a-b.c; flush ruleset", name);
	assert_string_equal(name, "voicenode_a_b_c__flush_ruleset");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(dataplane_is_told_everything_by_its_arguments, make_plan),
		cmocka_unit_test_setup(eal_arguments_come_last_and_null_has_no_name, make_plan),
		cmocka_unit_test_setup(control_is_told_the_devices_addresses, make_plan),
		cmocka_unit_test_setup(
			announced_addresses_take_the_place_of_the_devices, make_plan),
		cmocka_unit_test_setup(refuses_what_does_not_fit, make_plan),
		cmocka_unit_test_setup(the_rule_names_our_ports_and_addresses_only, make_plan),
		cmocka_unit_test_setup(one_family_needs_one_rule, make_plan),
		cmocka_unit_test_setup(a_table_name_holds_no_syntax, make_plan),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
