// SPDX-License-Identifier: BSD-3-Clause
//
// IP discovery and UDP ping: the answers byte by byte, and as stock clients read them.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/classify.h"
#include "proto/ip_discovery.h"
#include "support/packet.h"

static const uint8_t request_head[8] = {0, 1, 0, 70, 0xca, 0xfe, 0xf0, 0x0d};

static void the_ssrc_is_read(void **state)
{
	(void)state;
	assert_int_equal(ip_discovery_ssrc(request_head), 0xcafef00d);
}

// Whatever the client left in the request, the answer is the address, zeros and the port.
static void the_answer_is_these_bytes(void **state)
{
	static const struct {
		const char *ip, *text;
		uint16_t port;
	} rows[] = {
		{"203.0.113.9", "203.0.113.9", 50001},
		{"1.2.3.4", "1.2.3.4", 1},
		{"255.255.255.254", "255.255.255.254", 65535},
		{"2001:db8::1", "2001:db8::1", 0x1234},
		{"2001:db8:1111:2222:3333:4444:5555:6666", "2001:db8:1111:2222:3333:4444:5555:6666",
			256},
		{"fe80::1", "fe80::1", 443},
	};
	static const uint8_t fills[] = {0, 0xff, 'x'};
	(void)state;

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (unsigned k = 0; k < sizeof(fills); k++) {
			struct dp_addr source = packet_addr(rows[i].ip, rows[i].port);
			uint8_t golden[IP_DISCOVERY_SIZE] = {0, 2, 0, 70, 0xca, 0xfe, 0xf0, 0x0d};
			uint8_t *pkt = malloc(IP_DISCOVERY_SIZE);

			assert_non_null(pkt);
			memset(pkt, fills[k], IP_DISCOVERY_SIZE);
			memcpy(pkt, request_head, sizeof(request_head));
			memcpy(golden + 8, rows[i].text, strlen(rows[i].text));
			golden[72] = (uint8_t)(rows[i].port >> 8);
			golden[73] = (uint8_t)rows[i].port;

			assert_int_equal(classify(pkt, IP_DISCOVERY_SIZE), PACKET_IP_DISCOVERY);
			ip_discovery_answer(pkt, &source);
			assert_memory_equal(pkt, golden, IP_DISCOVERY_SIZE);
			free(pkt);
		}
	}
}

static void an_answer_is_no_question(void **state)
{
	struct dp_addr source = packet_addr("203.0.113.9", 4000);
	uint8_t pkt[IP_DISCOVERY_SIZE] = {0}, ping[UDP_PING_SIZE] = {0x13, 0x37, 0xca, 0xfe};
	(void)state;

	memcpy(pkt, request_head, sizeof(request_head));
	ip_discovery_answer(pkt, &source);
	assert_int_not_equal(classify(pkt, sizeof(pkt)), PACKET_IP_DISCOVERY);
	udp_ping_answer(ping);
	assert_int_not_equal(classify(ping, sizeof(ping)), PACKET_PING);
}

static void every_address_reads_back(void **state)
{
	struct packet_random r = {7};
	(void)state;

	for (unsigned n = 0; n < 20000; n++) {
		struct dp_addr source = {.family = n % 2 == 0 ? 4 : 6}, back;
		uint8_t pkt[IP_DISCOVERY_SIZE] = {0};

		packet_random_fill(&r, source.ip, source.family == 4 ? 4 : 16);
		source.port = (uint16_t)packet_random_next(&r);
		memcpy(pkt, request_head, sizeof(request_head));
		ip_discovery_answer(pkt, &source);
		back = packet_addr((const char *)pkt + 8, (uint16_t)(pkt[72] << 8 | pkt[73]));
		assert_memory_equal(&back, &source, sizeof(source));
	}
}

static void a_ping_comes_back_with_its_number(void **state)
{
	static const uint8_t golden[UDP_PING_SIZE] = {
		0x13, 0x37, 0xf0, 0x0d, 0x01, 0x02, 0x03, 0xff};
	uint8_t *pkt = packet_heap((const uint8_t[]){0x13, 0x37, 0xca, 0xfe, 1, 2, 3, 0xff}, 8);
	(void)state;

	assert_int_equal(classify(pkt, UDP_PING_SIZE), PACKET_PING);
	udp_ping_answer(pkt);
	assert_memory_equal(pkt, golden, sizeof(golden));
	free(pkt);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_ssrc_is_read),
		cmocka_unit_test(the_answer_is_these_bytes),
		cmocka_unit_test(an_answer_is_no_question),
		cmocka_unit_test(every_address_reads_back),
		cmocka_unit_test(a_ping_comes_back_with_its_number),
	};

	return cmocka_run_group_tests_name("ip_discovery", tests, NULL, NULL);
}
