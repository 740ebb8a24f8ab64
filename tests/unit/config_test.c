// SPDX-License-Identifier: BSD-3-Clause
//
// voicenode.cfg: defaults, every key with every kind of wrong value, what libconfig would hide, and
// that a damaged file is a problem and never a crash.

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <libconfig.h>

#include "config/config.h"

static struct node_config config, other;
static struct config_problems problems;
static struct config_facts facts = {.hostname = "host.example.org"};

static int setup(void **state)
{
	(void)state;
	CPU_ZERO(&facts.cpus);
	for (unsigned cpu = 0; cpu < 8; cpu++) // 0, 2, 3 ... 7
		if (cpu != 1)
			CPU_SET(cpu, &facts.cpus);
	problems = (struct config_problems){0};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	config_problems_free(&problems);
	return 0;
}

// The problems of the last parse are forgotten first.
static int parse(const char *text)
{
	config_problems_free(&problems);
	return node_config_parse("f.cfg", text, strlen(text), &facts, &config, &problems);
}

static void expect_ok(const char *text)
{
	int error = parse(text);

	if (error != 0)
		print_error("%s\n%s", text, problems.text);
	assert_int_equal(error, 0);
	assert_int_equal(problems.count, 0);
	assert_null(problems.text);
}

static void expect_problem(const char *text, const char *line)
{
	int error = parse(text);

	if (error != -EINVAL || strstr(problems.text, line) == NULL)
		print_error("%s\nexpected: %s\nfound: %s", text, line,
			problems.text == NULL ? "nothing" : problems.text);
	assert_int_equal(error, -EINVAL);
	assert_non_null(strstr(problems.text, line));
}

// "a.b.c" and "1" to "a = { b = { c = 1; }; };".
static void one_key(char *out, size_t out_size, const char *path, const char *value)
{
	char groups[128], *rest = groups, *part;
	size_t size = 0;
	unsigned depth = 0;

	snprintf(groups, sizeof(groups), "%s", path);
	while ((part = strsep(&rest, ".")) != NULL) {
		size += (size_t)snprintf(
			out + size, out_size - size, rest == NULL ? "%s = " : "%s = { ", part);
		depth += rest != NULL;
	}
	size += (size_t)snprintf(out + size, out_size - size, "%s;", value);
	for (; depth > 0; depth--)
		size += (size_t)snprintf(out + size, out_size - size, " };");
	assert_true(size < out_size);
}

static void expect_key_ok(const char *path, const char *value)
{
	char text[1024];

	one_key(text, sizeof(text), path, value);
	expect_ok(text);
}

// 'why' NULL: any. The problem names file, line and key.
static void expect_key_problem(const char *path, const char *value, const char *why)
{
	char text[1024], where[160];

	one_key(text, sizeof(text), path, value);
	snprintf(where, sizeof(where), "f.cfg:1: %s", path);
	expect_problem(text, where);
	if (why != NULL)
		expect_problem(text, why);
	assert_non_null(strstr(problems.text, "allowed: "));
}

static void an_empty_file_is_the_defaults(void **state)
{
	(void)state;
	expect_ok("");
	assert_string_equal(config.node.name, "host.example.org");
	assert_string_equal(config.node.region, "local");
	assert_string_equal(config.node.state_dir, "/var/lib/voicenode");
	assert_string_equal(config.node.instance, "default");
	assert_string_equal(config.network.device, "auto:eth0");
	assert_int_equal(config.network.device_kind, CONFIG_DEVICE_AUTO);
	assert_string_equal(config.network.device_arg, "eth0");
	assert_true(config.network.addresses_host);
	assert_int_equal(config.network.prefix_count, 0);
	assert_int_equal(config.network.announce.count, 0);
	assert_int_equal(config.network.steering, CONFIG_STEERING_AUTO);
	assert_int_equal(config.workers.count, 2);
	assert_int_equal(config.workers.port[0], 50000);
	assert_int_equal(config.workers.port[1], 50001);
	assert_int_equal(config.workers.core[0], 0);
	assert_int_equal(config.workers.core[1], 2); // 1 is not allowed here
	assert_int_equal(config.workers.idle, CONFIG_IDLE_ADAPTIVE);
	assert_int_equal(config.workers.sleep_us_max, 50);
	assert_int_equal(config.memory.hugepages, CONFIG_HUGEPAGES_AUTO);
	assert_int_equal(config.memory.mbufs, 16384);
	assert_int_equal(config.limits.sessions, 4096);
	assert_int_equal(config.limits.guilds, 2000);
	assert_int_equal(config.limits.legs, 65536);
	assert_int_equal(config.voice.listen.count, 1);
	assert_string_equal(config.voice.listen_at[0].host, "0.0.0.0");
	assert_int_equal(config.voice.listen_at[0].port, 8443);
	assert_string_equal(config.voice.endpoint, "");
	assert_int_equal(config.voice.mode_count, 2);
	assert_string_equal(config_mode_name(config.voice.mode[0]), "aead_aes256_gcm_rtpsize");
	assert_string_equal(
		config_mode_name(config.voice.mode[1]), "aead_xchacha20_poly1305_rtpsize");
	assert_int_equal(config.voice.heartbeat_ms, 13750);
	assert_int_equal(config.voice.resume_window_s, 60);
	assert_string_equal(config.gateway.url, "ws://127.0.0.1:8480/node");
	assert_string_equal(config.metrics.listen_at.host, "127.0.0.1");
	assert_int_equal(config.metrics.listen_at.port, 9477);
	assert_string_equal(config.control_socket, "/run/voicenode/node.sock");
	assert_int_equal(config.log_level, LOG_LEVEL_INFO);
	assert_int_equal(config.eal_extra_args.count, 0);
}

static void read_file(const char *name, char *out, size_t out_size)
{
	char path[512];
	FILE *file;
	size_t size;

	snprintf(path, sizeof(path), "%s/%s", CONFIGS_DIR, name);
	file = fopen(path, "r");
	assert_non_null(file);
	size = fread(out, 1, out_size - 1, file);
	out[size] = '\0';
	fclose(file);
}

static void files_in_configs_are_the_tables(void **state)
{
	static char file[65536];
	char *sample = NULL;
	(void)state;

	assert_int_equal(node_config_sample(&sample), 0);
	read_file("voicenode.cfg", file, sizeof(file));
	assert_string_equal(file, sample);
	free(sample);
	assert_int_equal(gateway_config_sample(&sample), 0);
	read_file("gateway.cfg", file, sizeof(file));
	assert_string_equal(file, sample);
	free(sample);
}

static void the_sample_says_what_an_empty_file_means(void **state)
{
	char *sample = NULL;
	(void)state;

	assert_int_equal(node_config_sample(&sample), 0);
	expect_ok("");
	other = config;
	expect_ok(sample);
	assert_memory_equal(&other, &config, sizeof(config));
	for (const char *line = sample; *line != '\0'; line += strcspn(line, "\n") + 1)
		assert_in_range(strcspn(line, "\n"), 0, 100);
	free(sample);
}

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
	assert_int_equal(keys_seen, 31);
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
		{"memory.mbufs", 1024, 4194304},
		{"limits.sessions", 1, 131072},
		{"limits.guilds", 1, 16384},
		{"limits.legs", 1, 16777216},
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

static void texts_are_checked_by_their_grammar(void **state)
{
	static const struct {
		const char *path, *value;
		bool ok;
	} rows[] = {
		{"node.name", "\"a.b-c_1\"", true},
		{"node.name", "\"a b\"", false},
		{"node.name",
			"\"0123456789012345678901234567890123456789012345678901234567890123\"",
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
		{"network.device", "\"null\"", true},
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
		{"network.steering", "\"Flow\"", false},
		{"workers.idle", "\"poll\"", true},
		{"workers.idle", "\"\"", false},
		{"memory.hugepages", "\"required\"", true},
		{"memory.hugepages", "\"on\"", false},
		{"voice.listen", "[ \"[::]:8443\", \"0.0.0.0:8443\" ]", true},
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
		{"voice.modes", "[ \"aead_aes256_gcm_rtpsize\", \"aead_aes256_gcm_rtpsize\" ]",
			false},
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
	(void)state;

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].ok)
			expect_key_ok(rows[i].path, rows[i].value);
		else
			expect_key_problem(rows[i].path, rows[i].value, NULL);
	}
}

static void parsed_fields_hold_what_is_written(void **state)
{
	(void)state;
	expect_ok("network = { device = \"pci:0000:3b:00.0\"; media_ports = \"4000-4002\";\n"
		  "  addresses = [ \"192.0.2.10/24\", \"2001:db8::10/64\" ]; };\n"
		  "workers = { cores = \"6-7,3\"; idle = \"poll\"; };\n"
		  "voice = { listen = [ \"[::1]:1\", \"127.0.0.1:2\" ];\n"
		  "  modes = [ \"aead_xchacha20_poly1305_rtpsize\" ]; };\n"
		  "metrics = { listen = \"\"; }; log = { level = \"warn\"; };");
	assert_int_equal(config.network.device_kind, CONFIG_DEVICE_PCI);
	assert_string_equal(config.network.device_arg, "0000:3b:00.0");
	assert_false(config.network.addresses_host);
	assert_int_equal(config.network.prefix_count, 2);
	assert_int_equal(config.network.prefix[0].bits, 24);
	assert_memory_equal(config.network.prefix[0].address, "\xc0\x00\x02\x0a", 4);
	assert_int_equal(config.network.prefix[1].bits, 64);
	assert_memory_equal(
		config.network.prefix[1].address, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x10", 16);
	assert_int_equal(config.workers.count, 3);
	assert_int_equal(config.workers.port[2], 4002);
	assert_int_equal(config.workers.core[0], 6);
	assert_int_equal(config.workers.core[1], 7);
	assert_int_equal(config.workers.core[2], 3);
	assert_int_equal(config.workers.idle, CONFIG_IDLE_POLL);
	assert_string_equal(config.voice.listen_at[0].host, "::1");
	assert_int_equal(config.voice.listen_at[1].port, 2);
	assert_int_equal(config.voice.mode_count, 1);
	assert_int_equal(config.voice.mode[0], CONFIG_MODE_AEAD_XCHACHA20_POLY1305_RTPSIZE);
	assert_string_equal(config.metrics.listen, "");
	assert_int_equal(config.log_level, LOG_LEVEL_WARN);
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

static void keys_are_checked_against_each_other(void **state)
{
	(void)state;
	expect_key_problem("voice.tls.certificate", "\"/a.pem\"", "without voice.tls.key");
	expect_key_problem("voice.tls.key", "\"/a.key\"", "without voice.tls.certificate");
	expect_ok("voice = { tls = { certificate = \"/a.pem\"; key = \"/a.key\"; }; };");
	expect_problem(
		"network = { device = \"tap:vn0\"; };", "f.cfg: network.addresses: found \"host\"");
	expect_problem("network = {\n device = \"tap:vn0\";\n addresses = [ \"host\" ]; };",
		"f.cfg:3: network.addresses: found \"host\"");
	expect_ok("network = { device = \"tap:vn0\"; addresses = [ \"192.0.2.1/24\" ]; };");
	expect_ok("network = { device = \"null\"; };");
}

static void unknown_keys_are_told_with_the_nearest(void **state)
{
	(void)state;
	expect_problem("\n\nnetwork = {\n  media_port = \"1\";\n};",
		"f.cfg:4: network.media_port: unknown key; did you mean \"media_ports\"?\n");
	expect_problem(
		"netwrok = { };", "f.cfg:1: netwrok: unknown key; did you mean \"network\"?");
	expect_problem("device = \"auto:eth0\";", "did you mean \"network.device\"?");
	expect_problem("voice = { tls = { cert = \"/a\"; }; };",
		"voice.tls.cert: unknown key; allowed here: certificate, key");
	expect_problem("log = 5;", "f.cfg:1: log: found a value; allowed: a group");
	expect_problem("voice = { tls = [ ]; };", "voice.tls: found a value; allowed: a group");
}

static void all_problems_come_in_one_go(void **state)
{
	char last[128] = "";
	FILE *out;
	(void)state;

	expect_problem("node = { nam = \"x\"; };\n"
		       "network = { device = 5; };\n"
		       "workers = { cores = \"a\"; idle = \"b\"; };\n"
		       "limits = { sessions = 5000000000; guilds = 0; };\n"
		       "voice = { tls = { key = \"/k\"; }; };\n",
		"f.cfg:1: node.nam");
	assert_int_equal(problems.count, 7);
	assert_non_null(strstr(problems.text, "f.cfg:2: network.device: found the number 5;"));
	assert_non_null(strstr(problems.text, "f.cfg:3: workers.cores: found \"a\""));
	assert_non_null(strstr(problems.text,
		"f.cfg:3: workers.idle: found \"b\"; allowed: \"adaptive\" or \"poll\"\n"));
	assert_non_null(strstr(problems.text, "f.cfg:4: limits.sessions: 5000000000 is above"));
	assert_non_null(strstr(problems.text, "f.cfg:4: limits.guilds: 0 is below 1"));
	assert_non_null(strstr(problems.text, "f.cfg:5: voice.tls.key"));
	out = fmemopen(last, sizeof(last), "w");
	problems.text[0] = '\0';
	config_problems_print(&problems, out);
	fclose(out);
	assert_string_equal(last, "7 problems; nothing was changed\n");
}

static void problems_beyond_the_bound_are_counted(void **state)
{
	static char text[65536], shown[65536];
	size_t size = 0;
	unsigned lines = 0;
	FILE *out;
	(void)state;

	for (unsigned i = 0; i < CONFIG_PROBLEMS_MAX + 17; i++)
		size += (size_t)snprintf(text + size, sizeof(text) - size, "x%u = 1;\n", i);
	assert_int_equal(parse(text), -EINVAL);
	assert_int_equal(problems.count, CONFIG_PROBLEMS_MAX + 17);
	for (const char *at = problems.text; *at != '\0'; at++)
		lines += *at == '\n';
	assert_int_equal(lines, CONFIG_PROBLEMS_MAX);
	out = fmemopen(shown, sizeof(shown), "w");
	config_problems_print(&problems, out);
	fclose(out);
	assert_non_null(strstr(shown, "... and 17 more\n117 problems; nothing was changed\n"));
}

static void what_libconfig_would_hide_is_told(void **state)
{
	static char deep[64] = "a = ((((((((((((((((1))))))))))))))));";
	(void)state;

	expect_problem("@include \"/etc/passwd\"\n", "f.cfg:1: found @include");
	expect_problem("\n  @include \"x\"\n", "f.cfg:2: found @include");
	expect_problem("node = { name = \"abc", "f.cfg:1: found a string without its end");
	expect_problem("node = { name = \"abc\\\"", "f.cfg:1: found a string without its end");
	expect_problem("\n/* x", "f.cfg:2: found a comment without its end");
	expect_problem("node = { name = \"a\\x00b\"; };", "f.cfg:1: found \\x00");
	expect_problem("node = { name = \"a\\x01b\"; };", "holds control characters");
	expect_problem("node = { region = \"\xc0\x80\"; };", "not UTF-8");
	expect_problem("node = { n\xc3\xa4me = 1; };", "is not text outside of a string");
	expect_problem("node = { name = \"a\"; name = \"b\"; };", "duplicate setting name");
	expect_problem("node = {\n name = ;\n};", "f.cfg:2: syntax error; allowed: key = value");
	expect_problem(deep, "unknown key"); // 16 deep: libconfig may have it
	memmove(deep + 5, deep + 4, strlen(deep + 4) + 1);
	expect_problem(deep, "f.cfg:1: found groups and lists nested deeper than 16");
	config_problems_free(&problems);
	assert_int_equal(
		node_config_parse("f.cfg", "a\0b", 3, &facts, &config, &problems), -EINVAL);
	assert_non_null(strstr(problems.text, "NUL byte"));
}

static void long_values_are_cut_in_problems_only(void **state)
{
	static char text[CONFIG_TEXT_SIZE * 2 + 64];
	(void)state;

	snprintf(text, sizeof(text),
		"voice = { tls = { key = \"/%0*d\"; certificate = \"/c\"; }; };",
		(int)CONFIG_TEXT_SIZE - 2, 7);
	expect_ok(text);
	assert_int_equal(strlen(config.voice.tls_key), CONFIG_TEXT_SIZE - 1);
	snprintf(text, sizeof(text),
		"voice = { tls = { key = \"/%0*d\"; certificate = \"/c\"; }; };",
		(int)CONFIG_TEXT_SIZE - 1, 7);
	expect_problem(text, "is longer than 255 bytes");
	snprintf(text, sizeof(text), "control = { socket = \"/%0*d\"; };", 106, 7);
	expect_ok(text);
	snprintf(text, sizeof(text), "control = { socket = \"/%0*d\"; };", 107, 7);
	expect_problem(text, "longer than the 107 bytes");
}

// Never a crash, never a half-read file taken for a whole one that says something else.
static void every_truncation_is_read_or_refused(void **state)
{
	char *sample = NULL, *part;
	size_t size;
	(void)state;

	assert_int_equal(node_config_sample(&sample), 0);
	size = strlen(sample);
	expect_ok("");
	other = config;
	for (size_t cut = 0; cut <= size; cut++) {
		part = malloc(cut + 1); // exactly as long: a read beyond it is found
		memcpy(part, sample, cut);
		config_problems_free(&problems);
		if (node_config_parse("f.cfg", part, cut, &facts, &config, &problems) == 0)
			assert_memory_equal(&other, &config, sizeof(config));
		else
			assert_true(problems.count > 0);
		free(part);
	}
	free(sample);
}

static void every_changed_byte_is_read_or_refused(void **state)
{
	static const char bytes[] = {'\0', '"', '\\', '{', '(', '9', '@', '\n', '*', '/', '\x80'};
	char *sample = NULL;
	size_t size;
	(void)state;

	assert_int_equal(node_config_sample(&sample), 0);
	size = strlen(sample);
	for (size_t at = 0; at < size; at++) {
		char old = sample[at];

		sample[at] = bytes[at % sizeof(bytes)];
		config_problems_free(&problems);
		if (node_config_parse("f.cfg", sample, size, &facts, &config, &problems) != 0)
			assert_true(problems.count > 0);
		sample[at] = old;
	}
	free(sample);
}

static void endpoint_is_made_of_what_is_known(void **state)
{
	char out[64];
	(void)state;

	expect_ok("");
	assert_int_equal(node_config_endpoint(&config, "192.0.2.9", out, sizeof(out)), 0);
	assert_string_equal(out, "192.0.2.9:8443");
	assert_int_equal(node_config_endpoint(&config, "2001:db8::9", out, sizeof(out)), 0);
	assert_string_equal(out, "[2001:db8::9]:8443");
	assert_int_equal(node_config_endpoint(&config, NULL, out, sizeof(out)), -EADDRNOTAVAIL);
	assert_int_equal(node_config_endpoint(&config, "192.0.2.9", out, 5), -ENOSPC);
	expect_ok("network = { announce = [ \"2001:db8::7\" ]; }; voice = { listen = [ \"[::]:44\" "
		  "]; };");
	assert_int_equal(node_config_endpoint(&config, "192.0.2.9", out, sizeof(out)), 0);
	assert_string_equal(out, "[2001:db8::7]:44");
	expect_ok("voice = { endpoint = \"v.example.org:1\"; };");
	assert_int_equal(node_config_endpoint(&config, NULL, out, sizeof(out)), 0);
	assert_string_equal(out, "v.example.org:1");
}

static void host_names_become_node_names(void **state)
{
	(void)state;
	facts.hostname = "w\xc3\xa4 x";
	expect_ok("");
	assert_string_equal(config.node.name, "w---x");
	facts.hostname = "";
	expect_ok("");
	assert_string_equal(config.node.name, "node");
	facts.hostname = "host.example.org";
	expect_ok("node = { name = \"n1\"; };");
	assert_string_equal(config.node.name, "n1");
}

static void unreadable_files_are_problems(void **state)
{
	(void)state;
	assert_int_equal(node_config_load("/nowhere/x.cfg", &config, &problems), -ENOENT);
	assert_non_null(strstr(problems.text, "/nowhere/x.cfg: cannot be read: No such file"));
	config_problems_free(&problems);
	assert_int_equal(node_config_load("/tmp", &config, &problems), -EISDIR);
	assert_int_equal(problems.count, 1);
	config_problems_free(&problems);
	assert_int_equal(node_config_load("/dev/zero", &config, &problems), -EFBIG);
	assert_int_equal(problems.count, 1);
}

#define CONFIG_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONFIG_TEST(an_empty_file_is_the_defaults),
		CONFIG_TEST(files_in_configs_are_the_tables),
		CONFIG_TEST(the_sample_says_what_an_empty_file_means),
		CONFIG_TEST(every_key_refuses_every_other_type),
		CONFIG_TEST(every_number_has_its_bounds),
		CONFIG_TEST(overflowing_numbers_are_quoted_as_written),
		CONFIG_TEST(texts_are_checked_by_their_grammar),
		CONFIG_TEST(parsed_fields_hold_what_is_written),
		CONFIG_TEST(core_lists_are_checked_against_machine_and_ports),
		CONFIG_TEST(keys_are_checked_against_each_other),
		CONFIG_TEST(unknown_keys_are_told_with_the_nearest),
		CONFIG_TEST(all_problems_come_in_one_go),
		CONFIG_TEST(problems_beyond_the_bound_are_counted),
		CONFIG_TEST(what_libconfig_would_hide_is_told),
		CONFIG_TEST(long_values_are_cut_in_problems_only),
		CONFIG_TEST(every_truncation_is_read_or_refused),
		CONFIG_TEST(every_changed_byte_is_read_or_refused),
		CONFIG_TEST(endpoint_is_made_of_what_is_known),
		CONFIG_TEST(host_names_become_node_names),
		CONFIG_TEST(unreadable_files_are_problems),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
