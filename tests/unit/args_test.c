// SPDX-License-Identifier: BSD-3-Clause
//
// The dataplane's command line, and the arguments that DPDK is started with in turn.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "args.h"

#define ITEMS_MAX 96

struct line {
	char *items[ITEMS_MAX];
	int count;
};

static const char *const good[] = {"voicenode-dataplane", "--epoch", "7", "--device",
	"afpacket:eth0", "--rung-note", "no AF_XDP here", "--address", "192.0.2.1/24", "--address",
	"2001:db8::1/64", "--ports", "50000-50002", "--cores", "1,3,1", "--main-core", "0",
	"--idle", "adaptive", "--sleep-us-max", "50", "--crypto-engine", "libsrtp2",
	"--seal-check-every", "1000", "--capacity-pps", "9000000", "--hugepages", "auto", "--mbufs",
	"16384", "--sessions", "4096", "--guilds", "512", "--legs", "65536", "--steering", "auto",
	"--file-prefix", "voicenode_a_1", "--log-level", "debug", "--", "--vdev=x", "-n4"};
#define GOOD_COUNT ((int)(sizeof(good) / sizeof(good[0])))

static void line_good(struct line *line)
{
	memcpy(line->items, good, sizeof(good));
	line->count = GOOD_COUNT;
}

// Index of the value of 'option'.
static int value_of(const struct line *line, const char *option)
{
	for (int i = 1; i < line->count; i++) {
		if (strcmp(line->items[i], option) == 0)
			return i + 1;
	}
	fail_msg("no %s", option);
	return 0;
}

static int parse(const struct line *line, struct args *args, char *why, size_t why_size)
{
	why[0] = '\0';
	return args_parse(line->count, line->items, args, why, why_size);
}

static void people_are_told_where_to_go(void **state)
{
	char program[] = "voicenode-dataplane", help[] = "--help", option[] = "--epoch";
	char *alone[] = {program, NULL}, *asked[] = {program, help, NULL},
	     *meant[] = {program, option, NULL};

	(void)state;
	assert_non_null(strstr(args_help(1, alone), "`voicenode run` starts it"));
	assert_ptr_equal(args_help(2, asked), args_help(1, alone));
	assert_null(args_help(2, meant));
}

static void reads_every_option(void **state)
{
	struct line line;
	struct args args;
	char why[256];

	(void)state;
	line_good(&line);
	assert_int_equal(parse(&line, &args, why, sizeof(why)), 0);
	assert_int_equal(args.epoch, 7);
	assert_int_equal(args.device.kind, DEVICE_AFPACKET);
	assert_string_equal(args.device.name, "eth0");
	assert_string_equal(args.rung_note, "no AF_XDP here");
	assert_int_equal(args.address_count, 2);
	assert_int_equal(args.addresses[0].family, 4);
	assert_int_equal(args.addresses[0].ip[0], 192);
	assert_int_equal(args.addresses[0].ip[4], 0);
	assert_int_equal(args.addresses[1].family, 6);
	assert_int_equal(args.addresses[1].ip[15], 1);
	assert_int_equal(args.prefixes[1], 64);
	assert_int_equal(args.first_port, 50000);
	assert_int_equal(args.worker_count, 3);
	assert_int_equal(args.cores[1], 3);
	assert_int_equal(args.cores[2], 1);
	assert_int_equal(args.idle, WORKER_IDLE_ADAPTIVE);
	assert_int_equal(args.sleep_us_max, 50);
	assert_int_equal(args.crypto_engine, CRYPTO_ENGINE_LIBSRTP2);
	assert_int_equal(args.seal_check_every, 1000);
	assert_int_equal(args.capacity_pps, 9000000);
	assert_int_equal(args.hugepages, EAL_HUGEPAGES_AUTO);
	assert_int_equal(args.mbufs, 16384);
	assert_int_equal(args.sessions, 4096);
	assert_int_equal(args.guilds, 512);
	assert_int_equal(args.legs, 65536);
	assert_int_equal(args.steering, STEER_AUTO);
	assert_string_equal(args.file_prefix, "voicenode_a_1");
	assert_int_equal(args.log_level, HOST_LOG_DEBUG);
	assert_int_equal(args.eal_extra_count, 2);
	assert_string_equal(args.eal_extra[1], "-n4");
}

static void names_what_is_missing(void **state)
{
	static const char *const optional[] = {"--rung-note", "--crypto-engine",
		"--seal-check-every", "--capacity-pps", "--log-level"};
	struct line line;
	struct args args;
	char why[256];

	(void)state;
	for (int cut = 1; cut < GOOD_COUNT - 3; cut += 2) {
		bool is_optional = false;

		line_good(&line);
		for (unsigned i = 0; i < sizeof(optional) / sizeof(optional[0]); i++)
			is_optional |= strcmp(line.items[cut], optional[i]) == 0;
		if (strcmp(line.items[cut], "--address") == 0)
			continue; // the other one is still there
		memmove(&line.items[cut], &line.items[cut + 2],
			(size_t)(line.count - cut - 2) * sizeof(line.items[0]));
		line.count -= 2;
		assert_int_equal(parse(&line, &args, why, sizeof(why)) == 0, is_optional);
		if (!is_optional)
			assert_non_null(strstr(why, good[cut]));
	}
}

static void refuses_every_bad_value(void **state)
{
	static const char *const rows[][2] = {
		{"--epoch", "0"},
		{"--epoch", "4294967296"},
		{"--epoch", "-1"},
		{"--epoch", "7x"},
		{"--epoch", ""},
		{"--epoch", " 7"},
		{"--epoch", "99999999999999999999"},
		{"--device", "eth0"},
		{"--address", "192.0.2.1"},
		{"--address", "192.0.2.1/33"},
		{"--address", "192.0.2/24"},
		{"--address", "host/24"},
		{"--address", "/24"},
		{"--ports", "50000"},
		{"--ports", "0-2"},
		{"--ports", "50002-50000"},
		{"--ports", "50000-50064"},
		{"--ports", "65535-65536"},
		{"--ports", "50000-50001"},
		{"--cores", ""},
		{"--cores", "1,"},
		{"--cores", "1,,2"},
		{"--cores", "1-3"},
		{"--cores", "0,1"},
		{"--cores", "0,1,1024"},
		{"--main-core", "1024"},
		{"--idle", "sleep"},
		{"--sleep-us-max", "10001"},
		{"--crypto-engine", "openssl"},
		{"--crypto-engine", ""},
		{"--seal-check-every", "1000001"},
		{"--seal-check-every", "never"},
		{"--capacity-pps", "0"},
		{"--capacity-pps", "1000000001"},
		{"--capacity-pps", "fast"},
		{"--hugepages", "yes"},
		{"--mbufs", "1023"},
		{"--mbufs", "262145"},
		{"--sessions", "0"},
		{"--sessions", "131073"},
		{"--guilds", "16385"},
		{"--legs", "1"},
		{"--legs", "4194305"},
		{"--steering", "hash"},
		{"--file-prefix", ""},
		{"--file-prefix", "a/b"},
		{"--log-level", "loud"},
	};
	struct line line;
	struct args args;
	char why[256];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char value[64];

		line_good(&line);
		snprintf(value, sizeof(value), "%s", rows[i][1]);
		line.items[value_of(&line, rows[i][0])] = value;
		if (parse(&line, &args, why, sizeof(why)) == 0)
			fail_msg("took %s \"%s\"", rows[i][0], rows[i][1]);
		assert_true(strlen(why) > 10);
	}
}

static void a_budget_of_zero_is_none(void **state)
{
	struct line line;
	struct args args;
	char why[256], zero[] = "00", automatic[] = "auto";

	(void)state;
	line_good(&line);
	line.items[value_of(&line, "--capacity-pps")] = zero;
	assert_int_equal(parse(&line, &args, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "a budget of zero"));
	line.items[value_of(&line, "--capacity-pps")] = automatic;
	assert_int_equal(parse(&line, &args, why, sizeof(why)), 0);
	assert_int_equal(args.capacity_pps, 0); // to be measured
}

static void refuses_strangers_twins_and_loose_ends(void **state)
{
	struct line line;
	struct args args;
	char why[256];

	(void)state;
	line_good(&line);
	line.items[1] = (char *)(uintptr_t) "--epoc";
	assert_int_not_equal(parse(&line, &args, why, sizeof(why)), 0);
	assert_non_null(strstr(why, "--epoc"));
	line_good(&line);
	line.items[3] = (char *)(uintptr_t) "--epoch";
	line.items[4] = (char *)(uintptr_t) "8";
	assert_int_not_equal(parse(&line, &args, why, sizeof(why)), 0);
	assert_non_null(strstr(why, "twice"));
	line_good(&line);
	line.count = value_of(&line, "--log-level");
	assert_int_not_equal(parse(&line, &args, why, sizeof(why)), 0);
	line_good(&line);
	line.count = 1;
	assert_int_not_equal(parse(&line, &args, why, sizeof(why)), 0);
}

static void only_null_needs_no_address(void **state)
{
	struct line line;
	struct args args;
	char why[256];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		line_good(&line);
		memmove(&line.items[7], &line.items[11],
			(size_t)(line.count - 11) * sizeof(line.items[0]));
		line.count -= 4;
		if (i == 1)
			line.items[4] = (char *)(uintptr_t) "null";
		assert_int_equal(parse(&line, &args, why, sizeof(why)) == 0, i == 1);
	}
}

// The DPDK side: joined by spaces, without argv[0].
static void eal_line(const struct eal_params *params, bool hugepages, char *text, size_t text_size)
{
	static struct eal_argv argv;

	assert_int_equal(eal_argv_build(&argv, params, hugepages), 0);
	assert_null(argv.items[argv.count]);
	text[0] = '\0';
	for (unsigned i = 1; i < argv.count; i++) {
		size_t used = strlen(text);

		snprintf(text + used, text_size - used, "%s%s", i == 1 ? "" : " ", argv.items[i]);
	}
}

static void dpdk_gets_cores_and_memory(void **state)
{
	static const uint16_t cores[] = {1, 3, 1};
	struct device_spec device = {.kind = DEVICE_AFPACKET, .name = "eth0"};
	struct eal_params params = {.device = &device,
		.worker_count = 3,
		.cores = cores,
		.main_core = 2,
		.mbufs = 16384,
		.file_prefix = "p"};
	char text[512];

	(void)state;
	eal_line(&params, true, text, sizeof(text));
	assert_string_equal(text, "--lcores=0@2,1@1,2@3,3@1 --main-lcore=0 --file-prefix=p"
				  " --no-telemetry --log-level=*:warning --in-memory --no-pci");
	eal_line(&params, false, text, sizeof(text));
	// 3 * (16,384 * 2,560 + 638,976) bytes = 121 MiB, and 48
	assert_string_equal(text,
		"--lcores=0@2,1@1,2@3,3@1 --main-lcore=0 --file-prefix=p --no-telemetry"
		" --log-level=*:warning --no-huge --no-shconf -m 169 --no-pci");
	device = (struct device_spec){.kind = DEVICE_PCI, .name = "0000:3b:00.0"};
	params.debug = true;
	params.extra = (char *const[]){(char *)(uintptr_t) "--vdev=x"};
	params.extra_count = 1;
	eal_line(&params, true, text, sizeof(text));
	assert_string_equal(text,
		"--lcores=0@2,1@1,2@3,3@1 --main-lcore=0 --file-prefix=p --no-telemetry"
		" --log-level=*:info --in-memory --allow=0000:3b:00.0 --vdev=x");
}

static void most_workers_fit(void **state)
{
	uint16_t cores[DP_WORKERS_MAX];
	struct device_spec device = {.kind = DEVICE_PCI, .name = "0000:3b:00.0"};
	struct eal_params params = {.device = &device,
		.worker_count = DP_WORKERS_MAX,
		.cores = cores,
		.main_core = ARGS_CORE_MAX,
		.mbufs = DP_MBUFS_MAX,
		.file_prefix = "p"};
	char text[2048];

	(void)state;
	for (unsigned i = 0; i < DP_WORKERS_MAX; i++)
		cores[i] = ARGS_CORE_MAX;
	eal_line(&params, false, text, sizeof(text));
	assert_non_null(strstr(text, ",64@1023 "));
	assert_true(eal_memory_mb(&params, true) < eal_memory_mb(&params, false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(people_are_told_where_to_go),
		cmocka_unit_test(reads_every_option),
		cmocka_unit_test(names_what_is_missing),
		cmocka_unit_test(refuses_every_bad_value),
		cmocka_unit_test(a_budget_of_zero_is_none),
		cmocka_unit_test(refuses_strangers_twins_and_loose_ends),
		cmocka_unit_test(only_null_needs_no_address),
		cmocka_unit_test(dpdk_gets_cores_and_memory),
		cmocka_unit_test(most_workers_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
