// SPDX-License-Identifier: BSD-3-Clause
//
// Every key of voicenode.cfg with every kind of wrong value: other types, out of bounds, numbers
// that overflow, strings against their grammar.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <libconfig.h>

#include "support/config_text.h"

// Calls 'each' for every key of the sample with a setting that holds its default.
static void for_each_key(
	const config_setting_t *group, const char *path, void (*each)(const char *, int))
{
	for (unsigned i = 0; i < (unsigned)config_setting_length(group); i++) {
		const config_setting_t *setting = config_setting_get_elem(group, i);
		char key[128];

		snprintf(key, sizeof(key), "%s%s%s", path, path[0] == '\0' ? "" : ".",
			config_setting_name(setting));
		if (config_setting_is_group(setting))
			for_each_key(setting, key, each);
		else
			each(key, config_setting_type(setting));
	}
}

static unsigned keys_seen;

static void refuses_other_types(const char *key, int type)
{
	static const struct {
		const char *value;
		int type;
	} values[] = {
		{"5", CONFIG_TYPE_INT},
		{"5000000000", CONFIG_TYPE_NONE}, // wrong everywhere
		{"99999999999999999999", CONFIG_TYPE_NONE},
		{"-99999999999999999999", CONFIG_TYPE_NONE},
		{"0xFFFFFFFFFFFFFFFFFF", CONFIG_TYPE_NONE},
		{"1.5", CONFIG_TYPE_NONE},
		{"true", CONFIG_TYPE_BOOL},
		{"\"words of no kind\\t\"", CONFIG_TYPE_NONE},
		{"\"\\xff\"", CONFIG_TYPE_NONE},
		{"\"text\"", CONFIG_TYPE_STRING},
		{"{ a = 1; }", CONFIG_TYPE_NONE},
		{"[ 1, 2 ]", CONFIG_TYPE_NONE},
		{"( \"a\", 2 )", CONFIG_TYPE_NONE},
		{"( ( ) )", CONFIG_TYPE_NONE},
	};

	keys_seen++;
	if (strcmp(key, "workers.capacity_pps") == 0)
		type = CONFIG_TYPE_INT; // a number, whose default is a word
	for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (values[i].type != type)
			expect_key_problem(key, values[i].value, NULL);
}

static void every_key_refuses_every_other_type(void **state)
{
	char *sample = NULL;
	config_t tree;
	(void)state;

	assert_int_equal(node_config_sample(&sample), 0);
	config_init(&tree);
	assert_int_equal(config_read_string(&tree, sample), CONFIG_TRUE);
	keys_seen = 0;
	for_each_key(config_root_setting(&tree), "", refuses_other_types);
	assert_int_equal(keys_seen, 34);
	config_destroy(&tree);
	free(sample);
}

static void every_number_has_its_bounds(void **state)
{
	static const struct {
		const char *path;
		long min, max;
	} rows[] = {
		{"workers.sleep_us_max", 1, 1000},
		{"workers.seal_check_every", 0, 1000000},
		{"memory.mbufs", 1024, 262144},
		{"limits.sessions", 1, 131072},
		{"limits.guilds", 1, 16384},
		{"limits.legs", 2, 4194304},
		{"voice.heartbeat_ms", 1000, 60000},
		{"voice.resume_window_s", 0, 3600},
	};
	(void)state;

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char value[32], why[64];

		snprintf(value, sizeof(value), "%ld", rows[i].min);
		expect_key_ok(rows[i].path, value);
		snprintf(value, sizeof(value), "0x%lx", (unsigned long)rows[i].max);
		expect_key_ok(rows[i].path, value);
		snprintf(value, sizeof(value), "%ldL", rows[i].max);
		expect_key_ok(rows[i].path, value);
		snprintf(value, sizeof(value), "%ld", rows[i].min - 1);
		snprintf(why, sizeof(why), "is below %ld", rows[i].min);
		expect_key_problem(rows[i].path, value, why);
		snprintf(value, sizeof(value), "%ld", rows[i].max + 1);
		snprintf(why, sizeof(why), "is above %ld", rows[i].max);
		expect_key_problem(rows[i].path, value, why);
	}
}

static void a_budget_of_zero_is_refused_by_its_name(void **state)
{
	(void)state;
	expect_key_problem("workers.capacity_pps", "0",
		"0 is a budget of zero: no worker would take anybody; allowed: a whole number from "
		"1 to 1000000000, or \"auto\"");
	expect_key_ok("workers.capacity_pps", "\"auto\"");
	assert_int_equal(config.workers.capacity_pps, 0);
	expect_key_ok("workers.capacity_pps", "9000000");
	assert_int_equal(config.workers.capacity_pps, 9000000);
}

// libconfig reads these as small numbers, or as -1.
static void overflowing_numbers_are_quoted_as_written(void **state)
{
	static const char *const above[] = {"2147483648", "4294967297", "5000000000",
		"9223372036854775808", "18446744073709551617", "99999999999999999999", "0xFFFFFFFF",
		"0x100000001", "0XFFFFFFFFFFFFFFFFF1", "5000000000L",
		"00000000000000000000000000000000000000000000000000005000000000"};
	(void)state;

	for (unsigned i = 0; i < sizeof(above) / sizeof(above[0]); i++)
		expect_key_problem("limits.sessions", above[i], "is above 131072");
	expect_key_problem("limits.sessions", "-5000000000", "-5000000000 is below 1");
	expect_key_problem("limits.sessions", "-99999999999999999999", "is below 1");
	expect_key_problem("limits.sessions", "5000000000", ": 5000000000 is above");
	expect_key_problem(
		"limits.sessions", "99999999999999999999", ": 99999999999999999999 is above");
	// In range, and written long.
	expect_key_ok("limits.sessions", "0000000000000000000000000000000000000000000012");
	assert_int_equal(config.limits.sessions, 12);
	// Not numbers.
	expect_ok("/* 99999999999999999999 */ node = { region = \"99999999999999999999\"; };\n"
		  "# 5000000000\n// 5000000000\n");
}

static const struct {
	const char *path, *value;
	bool ok;
} text_rows[] = {
	{"node.name", "\"a.b-c_1\"", true},
	{"node.name", "\"a b\"", false},
	{"node.name", "\"0123456789012345678901234567890123456789012345678901234567890123\"",
		false},
	{"node.region", "\"\"", false},
	{"node.instance", "\"../x\"", false},
	{"node.state_dir", "\"var\"", false},
	{"node.state_dir", "\"\"", false},
	{"network.device", "\"afxdp:enp1s0f0\"", true},
	{"network.device", "\"afpacket:veth.1\"", true},
	{"network.device", "\"auto:0123456789abcde\"", true},
	{"network.device", "\"auto:0123456789abcdef\"", false},
	{"network.device", "\"auto:\"", false},
	{"network.device", "\"auto\"", false},
	{"network.device", "\"eth0\"", false},
	{"network.device", "\"auto:e/0\"", false},
	{"network.device", "\"auto:a,b\"", false},
	{"network.device", "\"auto:..\"", false},
	{"network.device", "\"afxdp:a b\"", false},
	{"network.device", "\"null\"; announce = [ \"192.0.2.1\" ]", true},
	{"network.device", "\"null:\"", false},
	{"network.device", "\"pci:zz:00.0\"", false},
	{"network.device", "\"pci:3b:00.8\"", false},
	{"network.device", "\"memif:run\"", false},
	{"network.addresses", "[ \"192.0.2.10/24\" ]", true},
	{"network.addresses", "[ \"host\", \"2001:db8::10/64\" ]", true},
	{"network.addresses", "( \"192.0.2.10/32\", \"192.0.2.11/1\" )", true},
	{"network.addresses", "[ \"192.0.2.10\" ]", false},
	{"network.addresses", "[ \"192.0.2.10/33\" ]", false},
	{"network.addresses", "[ \"192.0.2.10/0\" ]", false},
	{"network.addresses", "[ \"192.0.2.10/024\" ]", false},
	{"network.addresses", "[ \"192.0.2.256/24\" ]", false},
	{"network.addresses", "[ \"2001:db8::10/129\" ]", false},
	{"network.addresses", "[ \"0.0.0.0/8\" ]", false},
	{"network.addresses", "[ \"224.0.0.1/4\" ]", false},
	{"network.addresses", "[ \"ff02::1/64\" ]", false},
	{"network.addresses", "[ \"host/24\" ]", false},
	{"network.addresses", "[ ]", false},
	{"network.announce", "[ \"203.0.113.7\", \"2001:db8::7\" ]", true},
	{"network.announce", "[ \"203.0.113.7/24\" ]", false},
	{"network.announce", "[ \"example.org\" ]", false},
	{"network.announce", "[ \"\" ]", false},
	{"network.announce", "\"203.0.113.7\"", false},
	{"network.media_ports", "\"1\"", true},
	{"network.media_ports", "\"65535\"", true},
	{"network.media_ports", "\"50000-50063\"", true},
	{"network.media_ports", "\"50000-50064\"", false},
	{"network.media_ports", "\"0\"", false},
	{"network.media_ports", "\"65536\"", false},
	{"network.media_ports", "\"65500-65536\"", false},
	{"network.media_ports", "\"2-1\"", false},
	{"network.media_ports", "\"1-2-3\"", false},
	{"network.media_ports", "\"-1\"", false},
	{"network.media_ports", "\" 1\"", false},
	{"network.media_ports", "\"\"", false},
	{"network.media_ports", "\"99999999999999999999\"", false},
	{"network.steering", "\"flow\"", true},
	{"network.steering", "\"rss\"", true},
	{"network.steering", "\"Flow\"", false},
	{"workers.idle", "\"poll\"", true},
	{"workers.idle", "\"\"", false},
	{"workers.capacity_pps", "\"auto\"", true},
	{"workers.capacity_pps", "1", true},
	{"workers.capacity_pps", "1000000000", true},
	{"workers.capacity_pps", "1000000001", false},
	{"workers.capacity_pps", "-1", false},
	{"workers.capacity_pps", "\"automatic\"", false},
	{"workers.capacity_pps", "true", false},
	{"memory.hugepages", "\"required\"", true},
	{"memory.hugepages", "\"on\"", false},
	{"voice.listen", "[ \"[::]:8443\", \"0.0.0.0:8443\" ]", false},
	{"voice.listen", "[ \"0.0.0.0:8443\", \"0.0.0.0:8443\" ]", false},
	{"voice.listen", "[ ]", false},
	{"voice.listen", "[ \"localhost:8443\" ]", false},
	{"voice.listen", "[ \"0.0.0.0\" ]", false},
	{"voice.listen", "[ \"0.0.0.0:0\" ]", false},
	{"voice.listen", "[ \"0.0.0.0:65536\" ]", false},
	{"voice.listen", "[ \"::1:8443\" ]", false},
	{"voice.listen", "[ \"[::1:8443\" ]", false},
	{"voice.listen", "[ \"[]:8443\" ]", false},
	{"voice.listen", "[ \":8443\" ]", false},
	{"voice.listen", "[ \"]:8443\" ]", false},
	{"voice.listen", "[ \"[:1\" ]", false},
	{"voice.endpoint", "\"voice.example.org:443\"", true},
	{"voice.endpoint", "\"[2001:db8::7]:443\"", true},
	{"voice.endpoint", "\"voice.example.org\"", false},
	{"voice.endpoint", "\"wss://voice.example.org:443\"", false},
	{"voice.endpoint", "\"-x.org:443\"", false},
	{"voice.endpoint", "\"a..b:443\"", false},
	{"voice.endpoint", "\"1.2.3:443\"", false},
	{"voice.endpoint", "\"a b:443\"", false},
	{"voice.modes", "[ \"aead_xchacha20_poly1305_rtpsize\" ]", true},
	{"voice.modes", "[ ]", false},
	{"voice.modes", "[ \"xsalsa20_poly1305\" ]", false},
	{"voice.modes", "[ \"aead_aes256_gcm_rtpsize\", \"aead_aes256_gcm_rtpsize\" ]", false},
	{"gateway.url", "\"wss://gw.example.org/node\"", true},
	{"gateway.url", "\"wss://[2001:db8::1]:443/node\"", true},
	{"gateway.url", "\"wss://[2001:db8::1]/node\"", true},
	{"gateway.url", "\"http://gw.example.org/node\"", false},
	{"gateway.url", "\"ws://\"", false},
	{"gateway.url", "\"ws:///node\"", false},
	{"gateway.url", "\"ws://a:b@c/node\"", false},
	{"gateway.url", "\"ws://a:99999/node\"", false},
	{"gateway.url", "\"ws://a b/\"", false},
	{"gateway.url", "\"\"", false},
	{"gateway.secret_file", "\"\"", false},
	{"gateway.ca_file", "\"ca.pem\"", false},
	{"metrics.listen", "\"\"", true},
	{"metrics.listen", "\"[::1]:9477\"", true},
	{"metrics.listen", "\"9477\"", false},
	{"control.socket", "\"/run/x.sock\"", true},
	{"control.socket", "\"x.sock\"", false},
	{"log.level", "\"debug\"", true},
	{"log.level", "\"trace\"", false},
	{"eal.extra_args", "[ \"--log-level\", \"eal:8\" ]", true},
	{"eal.extra_args", "[ \"a\\nb\" ]", false},
};

static void texts_are_checked_by_their_grammar(void **state)
{
	(void)state;

	for (unsigned i = 0; i < sizeof(text_rows) / sizeof(text_rows[0]); i++) {
		if (text_rows[i].ok)
			expect_key_ok(text_rows[i].path, text_rows[i].value);
		else
			expect_key_problem(text_rows[i].path, text_rows[i].value, NULL);
	}
}

static void core_lists_are_checked_against_machine_and_ports(void **state)
{
	(void)state;
	expect_ok("workers = { cores = \"0,2\"; };");
	expect_key_problem("workers.cores", "\"2-3,3\"", "names core 3 twice");
	expect_key_problem("workers.cores", "\"3-2\"", "ends before it begins");
	expect_key_problem("workers.cores", "\"2,\"", "is not a list of cores");
	expect_key_problem("workers.cores", "\"\"", "is not a list of cores");
	expect_key_problem("workers.cores", "\"0x2\"", "is not a list of cores");
	expect_key_problem("workers.cores", "\"0-1023\"", "names more than 64 cores");
	expect_key_problem("workers.cores", "\"0,99999999999\"", "is not a list of cores");
	expect_key_problem("workers.cores", "\"0,1\"", "core 1 is not among");
	expect_key_problem("workers.cores", "\"0,9\"", "allowed: 0,2-7");
	expect_key_problem("workers.cores", "\"2-5\"", "4 cores for the 2 ports");
	// More workers than cores: in turn.
	expect_ok("network = { media_ports = \"1-9\"; };");
	assert_int_equal(config.workers.core[6], 7);
	assert_int_equal(config.workers.core[7], 0);
	assert_int_equal(config.workers.core[8], 2);
}

#define CONFIG_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONFIG_TEST(every_key_refuses_every_other_type),
		CONFIG_TEST(every_number_has_its_bounds),
		CONFIG_TEST(a_budget_of_zero_is_refused_by_its_name),
		CONFIG_TEST(overflowing_numbers_are_quoted_as_written),
		CONFIG_TEST(texts_are_checked_by_their_grammar),
		CONFIG_TEST(core_lists_are_checked_against_machine_and_ports),
	};

	return cmocka_run_group_tests_name("config_value", tests, NULL, NULL);
}
