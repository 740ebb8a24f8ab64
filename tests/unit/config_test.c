// SPDX-License-Identifier: BSD-3-Clause
//
// voicenode.cfg as a whole: defaults, samples, problems all in one go, what libconfig would hide,
// and that a damaged file is a problem and never a crash. Values: config_value_test.c.

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

#include "support/config_text.h"

static struct node_config other;

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
	assert_int_equal(config.workers.crypto_engine, CONFIG_CRYPTO_AUTO);
	assert_int_equal(config.workers.seal_check_every, 0);
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
	expect_ok("network = { device = \"null\"; announce = [ \"203.0.113.7\" ]; };");
	expect_ok("network = { device = \"null\"; addresses = [ \"192.0.2.1/24\" ]; };");
	expect_problem("network = {\n device = \"null\"; };",
		"f.cfg: network.announce: found none, and the device \"null\" has no address");
}

static void what_a_device_cannot_steer_is_refused(void **state)
{
	static const char *const devices[] = {"afpacket:x", "afxdp:x", "tap:x", "memif:/x", "null"};
	char text[256];
	(void)state;

	for (unsigned i = 0; i < 5; i++) {
		snprintf(text, sizeof(text),
			"network = { device = \"%s\"; addresses = [ \"192.0.2.1/24\" ];\n"
			"steering = \"flow\"; };",
			devices[i]);
		expect_problem(text, "f.cfg:2: network.steering: found \"flow\", but the device");
		snprintf(text, sizeof(text),
			"network = { device = \"%s\"; addresses = [ \"192.0.2.1/24\" ];\n"
			"steering = \"rss\"; };",
			devices[i]);
		if (i < 3)
			expect_ok(text);
		else
			expect_problem(
				text, "f.cfg:2: network.steering: found \"rss\", but the device");
	}
	expect_problem("network = { media_ports = \"50000\"; steering = \"rss\"; };",
		"f.cfg:1: network.steering: found \"rss\" for the one worker");
	expect_ok("network = { steering = \"flow\"; };");
}

static void listeners_do_not_meet(void **state)
{
	(void)state;
	expect_problem("metrics = { listen = \"0.0.0.0:8443\"; };",
		"f.cfg:1: metrics.listen: found \"0.0.0.0:8443\", which is where the voice");
	expect_problem("metrics = { listen = \"127.0.0.1:8443\"; };", "f.cfg:1: metrics.listen:");
	expect_problem("metrics = { listen = \"[::]:8443\"; };", "f.cfg:1: metrics.listen:");
	expect_ok("metrics = { listen = \"[::1]:8443\"; };");
	expect_ok("metrics = { listen = \"\"; };");
	expect_ok("voice = { listen = [ \"127.0.0.2:9477\" ]; };");
	expect_problem("voice = { listen = [ \"127.0.0.1:9477\" ]; };", "f.cfg: metrics.listen:");
	expect_problem("voice = { listen = [ \"[::]:8443\", \"127.0.0.1:8443\" ]; };",
		"f.cfg:1: voice.listen: found \"[::]:8443\" and \"127.0.0.1:8443\", one of which");
}

static void shared_cores_are_named(void **state)
{
	char shared[128];
	(void)state;

	CPU_ZERO(&facts.cpus);
	CPU_SET(1, &facts.cpus);
	CPU_SET(3, &facts.cpus);
	expect_ok("network = { media_ports = \"50000-50004\"; };");
	assert_int_equal(node_config_shared_cores(&config, shared, sizeof(shared)), 2);
	assert_string_equal(shared, "core 1 (workers 0,2,4), core 3 (workers 1,3)");
	expect_ok("");
	assert_int_equal(node_config_shared_cores(&config, shared, sizeof(shared)), 0);
	assert_string_equal(shared, "");
}

// Who looks on in spite of problems sees what was good, and nothing of what was refused.
static void the_rest_is_there_for_who_asks(void **state)
{
	static const char text[] = "node = { region = \"eu\"; name = \"a b\"; };\n"
				   "gateway = { secret_file = \"relative\"; };\n";
	(void)state;

	problems = (struct config_problems){.wants_rest = true};
	assert_int_equal(
		node_config_parse("f.cfg", text, sizeof(text) - 1, &facts, &config, &problems),
		-EINVAL);
	assert_true(problems.has_rest && problems.count == 2);
	assert_string_equal(config.node.region, "eu");
	assert_string_equal(config.gateway.secret_file, "");
	config_problems_free(&problems);
	problems = (struct config_problems){.wants_rest = true};
	assert_int_equal(
		node_config_parse("f.cfg", "node = {", 8, &facts, &config, &problems), -EINVAL);
	assert_false(problems.has_rest);
	config_problems_free(&problems);
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
	expect_problem("log = 5;", "f.cfg:1: log: found a number; allowed: a group");
	expect_problem("voice = { tls = [ ]; };", "voice.tls: found a list; allowed: a group");
	expect_problem("log = \"info\";", "f.cfg:1: log: found text in quotes; allowed: a group");
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
	assert_string_equal(last, "7 problems\n");
}

// What is checked between keys is checked last, and yet stands where the file has it.
static void problems_come_in_the_order_of_the_file(void **state)
{
	unsigned last = 0;
	(void)state;

	assert_int_equal(
		parse("network = {\n device = \"tap:vn0\";\n addresses = [ \"host\" ];\n};\n"
		      "voice = {\n tls = { key = \"/k\"; };\n};\n"
		      "workers = {\n cores = \"x\";\n};\n"
		      "limits = {\n sessions = 0;\n};\n"
		      "nonsense = 1;\n"),
		-EINVAL);
	assert_int_equal(problems.count, 5);
	for (const char *at = problems.text; *at != '\0'; at = strchr(at, '\n') + 1) {
		unsigned line = (unsigned)strtoul(at + strlen("f.cfg:"), NULL, 10);

		assert_in_range(line, last + 1, 14);
		last = line;
	}
	assert_int_equal(last, 14);
}

static void warnings_are_labelled_and_no_problems(void **state)
{
	static const char text[] = "log = { };\nnetwork = {\n device = \"auto:x\";\n};\n";
	char path[] = "/tmp/config_warning_test.XXXXXX", shown[512] = "", expected[512];
	int fd = mkstemp(path);
	FILE *out;
	(void)state;

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	config_problem_add(&problems, false, path, "gateway.secret_file", "found nothing");
	config_problem_add(&problems, true, path, "network.device", "found %d", 5);
	config_problem_add(&problems, false, path, "log", "found less");
	assert_int_equal(problems.count, 2);
	assert_int_equal(problems.warning_count, 1);
	out = fmemopen(shown, sizeof(shown), "w");
	config_problems_print(&problems, out);
	fclose(out);
	snprintf(expected, sizeof(expected),
		"%s:1: log: found less\n%s:3: warning: network.device: found 5\n"
		"%s: gateway.secret_file: found nothing\n"
		"2 problems, 1 warning\n",
		path, path, path);
	assert_string_equal(shown, expected);
	unlink(path);
}

static void the_gateways_file_is_recognised(void **state)
{
	(void)state;
	expect_problem(
		"gateway = {\n listen = \"127.0.0.1:8480\";\n};\nguilds = ( );\nusers = ( );\n",
		"f.cfg:4: this is a gateway's configuration, not a node's: it has \"guilds\"; "
		"check "
		"it with `voicenode config check FILE --gateway`");
	assert_int_equal(problems.count, 1);
	expect_problem("gateway = { node_secrets = [ \"s\" ]; };", "a gateway's configuration");
	assert_int_equal(problems.count, 1);
	// Of both: unknown keys, as ever.
	expect_problem("node = { };\nusers = ( );\n", "f.cfg:2: users: unknown key");
	expect_ok("log = { level = \"info\"; };");
}

static void what_was_found_is_said_in_plain_words(void **state)
{
	(void)state;
	expect_key_problem("metrics.listen", "\"9477\"",
		"found \"9477\", which is a port without an address before it; allowed: ");
	expect_key_problem(
		"metrics.listen", "\"127.0.0.1\"", "is an address without a port behind it");
	expect_key_problem("metrics.listen", "\"[::1]\"", "is an address without a port behind it");
	expect_key_problem("metrics.listen", "\":9477\"", "has no address before its colon");
	expect_key_problem("node.region", "\"my place\"", "which holds a space; allowed: 1 to 63");
	expect_key_problem("node.region", "\"a/b\"", "which holds \"/\"; allowed");
	expect_key_problem("node.region", "\"k\xc3\xb6ln\"", "which holds \"\xc3\xb6\"; allowed");
	expect_key_problem("network.addresses", "[ ]",
		"found a list of 0 items; allowed: a list, [ \"...\", \"...\" ], of 1 to 16 items, "
		"each \"host\"");
	expect_key_problem("network.device", "\"eth0\"", "which does not say which kind of device");
	expect_key_problem("network.device", "\"eth:eth0\"", "which begins with no kind of device");
	expect_key_problem(
		"network.media_ports", "\"1000-2000\"", "which is a range of 1001 ports");
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
	assert_non_null(strstr(shown, "... and 17 more\n117 problems\n"));
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

static void changed_bytes_are_read_or_refused(void **state)
{
	static const char bytes[] = {'\0', '"', '\\', '{', '(', '9', '@', '\n', '*', '/', '\x80'};
	char *sample = NULL;
	size_t size;
	(void)state;

	assert_int_equal(node_config_sample(&sample), 0);
	size = strlen(sample);
	for (size_t at = 0; at < size; at += 3) {
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

#define LONGEST "iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii"

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
	expect_ok("node = { instance = \"b\"; };");
	assert_string_equal(config.node.name, "host.example.org-b");
	facts.hostname = "0123456789012345678901234567890123456789012345678901234567890123";
	expect_ok("node = { instance = \"blue\"; };");
	assert_string_equal(config.node.name,
		"0123456789012345678901234567890123456789012345678901234567"
		"-blue");
	expect_ok("node = { instance = \"" LONGEST "\"; };");
	assert_string_equal(config.node.name, LONGEST);
	facts.hostname = "host.example.org";
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
		CONFIG_TEST(parsed_fields_hold_what_is_written),
		CONFIG_TEST(keys_are_checked_against_each_other),
		CONFIG_TEST(what_a_device_cannot_steer_is_refused),
		CONFIG_TEST(listeners_do_not_meet),
		CONFIG_TEST(shared_cores_are_named),
		CONFIG_TEST(the_rest_is_there_for_who_asks),
		CONFIG_TEST(unknown_keys_are_told_with_the_nearest),
		CONFIG_TEST(all_problems_come_in_one_go),
		CONFIG_TEST(problems_come_in_the_order_of_the_file),
		CONFIG_TEST(warnings_are_labelled_and_no_problems),
		CONFIG_TEST(the_gateways_file_is_recognised),
		CONFIG_TEST(what_was_found_is_said_in_plain_words),
		CONFIG_TEST(problems_beyond_the_bound_are_counted),
		CONFIG_TEST(what_libconfig_would_hide_is_told),
		CONFIG_TEST(long_values_are_cut_in_problems_only),
		CONFIG_TEST(every_truncation_is_read_or_refused),
		CONFIG_TEST(changed_bytes_are_read_or_refused),
		CONFIG_TEST(endpoint_is_made_of_what_is_known),
		CONFIG_TEST(host_names_become_node_names),
		CONFIG_TEST(unreadable_files_are_problems),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
