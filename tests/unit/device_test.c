// SPDX-License-Identifier: BSD-3-Clause
//
// Device names as the supervisor writes them, and the arguments that DPDK's drivers get for them.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "host/device.h"

static void takes_every_kind(void **state)
{
	static const struct {
		const char *text, *name, *driver;
		enum device_kind kind;
	} rows[] = {
		{"null", "", "net_null", DEVICE_NULL},
		{"afpacket:eth0", "eth0", "net_af_packet", DEVICE_AFPACKET},
		{"afxdp:enp3s0f1", "enp3s0f1", "net_af_xdp", DEVICE_AFXDP},
		{"tap:voicenode0", "voicenode0", "net_tap", DEVICE_TAP},
		{"pci:0000:3b:00.0", "0000:3b:00.0", "pci", DEVICE_PCI},
		{"pci:3b:00.1", "3b:00.1", "pci", DEVICE_PCI},
		{"memif:/run/voicenode/a.sock", "/run/voicenode/a.sock", "net_memif", DEVICE_MEMIF},
	};
	struct device_spec spec;
	char why[256];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(device_parse(rows[i].text, &spec, why, sizeof(why)), 0);
		assert_int_equal(spec.kind, rows[i].kind);
		assert_string_equal(spec.name, rows[i].name);
		assert_string_equal(device_driver(spec.kind), rows[i].driver);
		assert_memory_equal(device_kind_text(spec.kind), rows[i].text,
			strlen(device_kind_text(spec.kind)));
	}
}

static void refuses_with_a_sentence(void **state)
{
	static const char *const rows[] = {
		"",
		":",
		"nul",
		"null:",
		"null:x",
		"nullx",
		"afpacket",
		"afpacket:",
		"eth0",
		"afpacket:sixteen-letters-",
		"afpacket:a,qpairs=9",
		"afpacket:a=b",
		"afpacket:a b",
		"afpacket:a/b",
		"tap:a\nb",
		"tap:\xc3\xa4",
		"pci:eth0",
		"pci:0000:3b:00.8",
		"pci:0000:3b:00.0x",
		"pci:0000:3b:00",
		"memif:",
		"memif:/a,b",
		"Null",
		"auto:eth0",
	};
	struct device_spec spec;
	char why[256];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		why[0] = '\0';
		if (device_parse(rows[i], &spec, why, sizeof(why)) == 0)
			fail_msg("took \"%s\"", rows[i]);
		assert_true(strlen(why) > 10);
	}
}

static void longest_names_fit(void **state)
{
	char text[DEVICE_NAME_SIZE + 8] = "memif:", why[256], name[64], args[DEVICE_ARGS_SIZE];
	struct device_spec spec;

	(void)state;
	memset(text + 6, 'a', DEVICE_NAME_SIZE - 1);
	assert_int_equal(device_parse(text, &spec, why, sizeof(why)), 0);
	assert_int_equal(device_vdev(&spec, 1, name, sizeof(name), args, sizeof(args)), 0);
	text[6 + DEVICE_NAME_SIZE - 1] = 'a'; // one more
	assert_int_not_equal(device_parse(text, &spec, why, sizeof(why)), 0);
	assert_int_equal(device_parse("afpacket:fifteen-letters", &spec, why, sizeof(why)), 0);
}

static void drivers_get_their_arguments(void **state)
{
	static const struct {
		const char *text, *name, *args;
		unsigned queues;
	} rows[] = {
		{"null", "net_null0", "no-rx=1", 4},
		{"afpacket:eth0", "net_af_packet0", "iface=eth0,qpairs=2,framecnt=2048", 2},
		{"afxdp:eth0", "net_af_xdp0", "iface=eth0,start_queue=0,queue_count=3", 3},
		{"tap:vn0", "net_tap0", "iface=vn0", 2},
		{"memif:/a", "net_memif0", "role=server,id=0,socket-abstract=no,rsize=11,socket=/a",
			1},
		{"pci:3b:00.0", "", "", 2},
	};
	char why[256], name[64], args[DEVICE_ARGS_SIZE];
	struct device_spec spec;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(device_parse(rows[i].text, &spec, why, sizeof(why)), 0);
		assert_int_equal(
			device_vdev(&spec, rows[i].queues, name, sizeof(name), args, sizeof(args)),
			0);
		assert_string_equal(name, rows[i].name);
		assert_string_equal(args, rows[i].args);
	}
	assert_int_equal(device_parse("afpacket:eth0", &spec, why, sizeof(why)), 0);
	assert_int_not_equal(device_vdev(&spec, 2, name, sizeof(name), args, 20), 0);
}

static void own_mac_is_local_stable_and_per_address(void **state)
{
	uint8_t address[16] = {10, 0, 0, 1}, a[6], b[6];

	(void)state;
	device_own_mac(address, a);
	device_own_mac(address, b);
	assert_memory_equal(a, b, 6);
	assert_int_equal(a[0] & 3, 2); // locally administered, not a group
	for (unsigned i = 0; i < 16; i++) {
		address[i] ^= 1;
		device_own_mac(address, b);
		assert_memory_not_equal(a, b, 6);
		address[i] ^= 1;
	}
}

static void only_shared_devices_leave_neighbours_to_the_kernel(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < DEVICE_KIND_COUNT; kind++)
		assert_int_equal(device_shares_kernel((enum device_kind)kind),
			kind == DEVICE_AFPACKET || kind == DEVICE_AFXDP);
	// af_packet hides what it drops: never say "0 drops" of it.
	assert_false(device_counts_drops(DEVICE_AFPACKET));
	assert_true(device_counts_drops(DEVICE_AFXDP));
	assert_true(device_partial_checksums(DEVICE_AFPACKET));
	assert_true(device_partial_checksums(DEVICE_TAP));
	assert_false(device_partial_checksums(DEVICE_PCI));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_every_kind),
		cmocka_unit_test(refuses_with_a_sentence),
		cmocka_unit_test(longest_names_fit),
		cmocka_unit_test(drivers_get_their_arguments),
		cmocka_unit_test(own_mac_is_local_stable_and_per_address),
		cmocka_unit_test(only_shared_devices_leave_neighbours_to_the_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
