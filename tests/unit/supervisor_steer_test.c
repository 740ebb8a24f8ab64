// SPDX-License-Identifier: BSD-3-Clause
//
// control/supervisor/steer.bpf.c, run by the kernel on packets made here: what goes to the socket
// of the queue, and that everything else stays the kernel's. Needs CAP_BPF; skipped without.
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_xdp.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "supervisor/steer.h"

#define FRAMES 64
#define FRAME_SIZE 2048
#define IPV4_SIZE 20
#define IPV6_SIZE 40
#define UDP_SIZE 8
#define ETHERNET_SIZE 14
#define PACKET_SIZE 128

static struct node_plan plan = {
	.addresses = {{.family = AF_INET, .bytes = {[10] = 0xff, [11] = 0xff, [12] = 192, 0, 2, 1}},
		{.family = AF_INET6, .bytes = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}}},
	.address_count = 2,
	.port_first = 50000,
	.port_last = 50003,
};
static struct steer steer;
static int xsk = -1;
static void *umem = MAP_FAILED;

// A socket with packet memory and a ring is enough for a place in the map; it is never bound.
static int make_xsk(void)
{
	struct xdp_umem_reg reg = {.len = FRAMES * FRAME_SIZE, .chunk_size = FRAME_SIZE};
	int entries = FRAMES, zero = 0;

	xsk = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
	umem = mmap(NULL, reg.len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (xsk < 0 || umem == MAP_FAILED)
		return -errno;
	reg.addr = (uint64_t)(uintptr_t)umem;
	if (setsockopt(xsk, SOL_XDP, XDP_UMEM_REG, &reg, sizeof(reg)) != 0 ||
		setsockopt(xsk, SOL_XDP, XDP_RX_RING, &entries, sizeof(entries)) != 0)
		return -errno;
	struct bpf_map *map = bpf_object__find_map_by_name(steer.object, "xsks_map");
	return map == NULL
		       ? -ENOENT
		       : bpf_map__update_elem(map, &zero, sizeof(zero), &xsk, sizeof(xsk), BPF_ANY);
}

static int set_up(void **state)
{
	(void)state;
	int err = steer_load(&steer, &plan);
	if (err == -EPERM || err == -EACCES)
		return 0; // the tests skip
	return err < 0 ? err : make_xsk();
}

static int tear_down(void **state)
{
	(void)state;
	if (xsk >= 0)
		close(xsk);
	if (umem != MAP_FAILED)
		munmap(umem, FRAMES * FRAME_SIZE);
	steer_detach(&steer);
	return 0;
}

static uint32_t verdict(const uint8_t *packet, uint32_t size)
{
	uint8_t out[PACKET_SIZE * 2];
	struct bpf_test_run_opts opts = {.sz = sizeof(opts),
		.data_in = packet,
		.data_size_in = size,
		.data_out = out,
		.data_size_out = sizeof(out)};

	assert_int_equal(bpf_prog_test_run_opts(steer.program_fd, &opts), 0);
	return opts.retval;
}

static void put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

// Media to our first IPv4 address, 'options' 32-bit words of IP options.
static void make_ipv4(uint8_t packet[PACKET_SIZE], unsigned options)
{
	uint8_t *ip = packet + ETHERNET_SIZE;

	memset(packet, 0, PACKET_SIZE);
	put16(packet + 12, 0x0800);
	ip[0] = (uint8_t)(0x45 + options);
	ip[9] = IPPROTO_UDP;
	memcpy(ip + 16, plan.addresses[0].bytes + 12, 4);
	put16(ip + IPV4_SIZE + options * 4 + 2, 50000);
}

static void make_ipv6(uint8_t packet[PACKET_SIZE])
{
	uint8_t *ip = packet + ETHERNET_SIZE;

	memset(packet, 0, PACKET_SIZE);
	put16(packet + 12, 0x86dd);
	ip[0] = 0x60;
	ip[6] = IPPROTO_UDP;
	memcpy(ip + 24, plan.addresses[1].bytes, 16);
	put16(ip + IPV6_SIZE + 2, 50000);
}

static void skip_without_privilege(void)
{
	if (steer.object == NULL)
		skip();
}

static void takes_media_of_every_port_and_family(void **state)
{
	uint8_t packet[PACKET_SIZE];

	(void)state;
	skip_without_privilege();
	for (unsigned port = plan.port_first; port <= plan.port_last; port++) {
		make_ipv4(packet, 0);
		put16(packet + ETHERNET_SIZE + IPV4_SIZE + 2, port);
		assert_int_equal(verdict(packet, PACKET_SIZE), XDP_REDIRECT);
		make_ipv6(packet);
		put16(packet + ETHERNET_SIZE + IPV6_SIZE + 2, port);
		assert_int_equal(verdict(packet, PACKET_SIZE), XDP_REDIRECT);
	}
}

static void finds_the_ports_behind_ip_options(void **state)
{
	uint8_t packet[PACKET_SIZE];

	(void)state;
	skip_without_privilege();
	for (unsigned options = 0; options <= 10; options++) {
		make_ipv4(packet, options);
		assert_int_equal(verdict(packet, PACKET_SIZE), XDP_REDIRECT);
	}
}

static void leaves_everything_else_to_the_kernel(void **state)
{
	// One byte of a media packet changed.
	static const struct {
		bool v6;
		unsigned offset;
		uint8_t value;
	} rows[] = {
		{false, 12, 0x81},                            // VLAN or worse
		{false, 13, 0x06},                            // ARP
		{false, ETHERNET_SIZE, 0x65},                 // not version 4
		{false, ETHERNET_SIZE, 0x44},                 // header below its minimum
		{false, ETHERNET_SIZE + 6, 0x20},             // first fragment
		{false, ETHERNET_SIZE + 7, 0x01},             // later fragment
		{false, ETHERNET_SIZE + 9, IPPROTO_TCP},      // TCP to a media port
		{false, ETHERNET_SIZE + 19, 2},               // another address
		{false, ETHERNET_SIZE + IPV4_SIZE + 2, 0xff}, // port above
		{false, ETHERNET_SIZE + IPV4_SIZE + 3, 0x4f}, // 49999
		{false, ETHERNET_SIZE + IPV4_SIZE + 3, 0x54}, // 50004
		{true, ETHERNET_SIZE, 0x40},                  // not version 6
		{true, ETHERNET_SIZE + 6, 44},                // fragment header
		{true, ETHERNET_SIZE + 6, 0},                 // hop-by-hop options
		{true, ETHERNET_SIZE + 39, 2},                // another address
		{true, ETHERNET_SIZE + IPV6_SIZE + 3, 0x54},  // 50004
	};
	uint8_t packet[PACKET_SIZE];

	(void)state;
	skip_without_privilege();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].v6)
			make_ipv6(packet);
		else
			make_ipv4(packet, 0);
		packet[rows[i].offset] = rows[i].value;
		assert_int_equal(verdict(packet, PACKET_SIZE), XDP_PASS);
	}
}

static void leaves_every_truncation_to_the_kernel(void **state)
{
	uint8_t packet[PACKET_SIZE];

	(void)state;
	skip_without_privilege();
	make_ipv4(packet, 0);
	for (uint32_t size = ETHERNET_SIZE; size < ETHERNET_SIZE + IPV4_SIZE + UDP_SIZE; size++)
		assert_int_equal(verdict(packet, size), XDP_PASS);
	assert_int_equal(verdict(packet, ETHERNET_SIZE + IPV4_SIZE + UDP_SIZE), XDP_REDIRECT);
	make_ipv6(packet);
	for (uint32_t size = ETHERNET_SIZE; size < ETHERNET_SIZE + IPV6_SIZE + UDP_SIZE; size++)
		assert_int_equal(verdict(packet, size), XDP_PASS);
	assert_int_equal(verdict(packet, ETHERNET_SIZE + IPV6_SIZE + UDP_SIZE), XDP_REDIRECT);
}

static void leaves_media_to_the_kernel_while_no_socket_is_there(void **state)
{
	struct bpf_map *map = NULL;
	uint8_t packet[PACKET_SIZE];
	int zero = 0;

	(void)state;
	skip_without_privilege();
	map = bpf_object__find_map_by_name(steer.object, "xsks_map");
	assert_int_equal(bpf_map__delete_elem(map, &zero, sizeof(zero), 0), 0);
	make_ipv4(packet, 0);
	assert_int_equal(verdict(packet, PACKET_SIZE), XDP_PASS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_media_of_every_port_and_family),
		cmocka_unit_test(finds_the_ports_behind_ip_options),
		cmocka_unit_test(leaves_everything_else_to_the_kernel),
		cmocka_unit_test(leaves_every_truncation_to_the_kernel),
		cmocka_unit_test(leaves_media_to_the_kernel_while_no_socket_is_there),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
