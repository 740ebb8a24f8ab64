// SPDX-License-Identifier: BSD-3-Clause
//
// Address -> session against the plainest model: the last who proved an address has it, and only
// the owner can give it up.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/packet.h"
#include "table/arena.h"
#include "table/flow_table.h"

#define SESSIONS 300u
#define PORTS 400u

static struct arena arena;
static struct flow_table *t;

static int begin(void **state)
{
	(void)state;
	arena = (struct arena){0};
	assert_null(flow_table_create(&arena, SESSIONS, 99));
	assert_int_equal(arena_map(&arena, -1), 0);
	t = flow_table_create(&arena, SESSIONS, 99);
	assert_non_null(t);
	return 0;
}

static int end(void **state)
{
	(void)state;
	arena_unmap(&arena);
	return 0;
}

static void families_ports_and_bytes_all_count(void **state)
{
	const struct dp_addr a = packet_addr("192.0.2.7", 1000);
	const struct dp_addr others[] = {packet_addr("192.0.2.7", 1001),
		packet_addr("192.0.2.8", 1000), packet_addr("c000:207::", 1000)};
	(void)state;

	flow_table_set(t, &a, 3);
	assert_int_equal(flow_table_find(t, &a), 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(flow_table_find(t, &others[i]), INDEX_NONE);
}

static void only_the_owner_removes(void **state)
{
	const struct dp_addr a = packet_addr("2001:db8::5", 1000);
	(void)state;

	flow_table_set(t, &a, 3);
	flow_table_set(t, &a, 4); // the address went to another
	flow_table_remove(t, &a, 3);
	assert_int_equal(flow_table_find(t, &a), 4);
	flow_table_remove(t, &a, 4);
	assert_int_equal(flow_table_find(t, &a), INDEX_NONE);
	flow_table_remove(t, &a, 4);
}

static void churn_agrees_with_arrays(void **state)
{
	struct packet_random random = {.state = 21};
	uint32_t owner[PORTS], port_of[SESSIONS];
	(void)state;

	for (unsigned i = 0; i < PORTS; i++)
		owner[i] = INDEX_NONE;
	for (unsigned i = 0; i < SESSIONS; i++)
		port_of[i] = INDEX_NONE;
	for (unsigned turn = 0; turn < 100000; turn++) {
		uint32_t who = packet_random_below(&random, SESSIONS);
		uint32_t port = packet_random_below(&random, PORTS);
		struct dp_addr a;

		if (port_of[who] != INDEX_NONE) { // a session leaves its old address first
			a = packet_addr("198.51.100.3", (uint16_t)(port_of[who] + 1));
			flow_table_remove(t, &a, who);
			if (owner[port_of[who]] == who)
				owner[port_of[who]] = INDEX_NONE;
		}
		a = packet_addr("198.51.100.3", (uint16_t)(port + 1));
		flow_table_set(t, &a, who);
		owner[port] = who;
		port_of[who] = port;
		port = packet_random_below(&random, PORTS);
		a = packet_addr("198.51.100.3", (uint16_t)(port + 1));
		assert_int_equal(flow_table_find(t, &a), owner[port]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(families_ports_and_bytes_all_count, begin, end),
		cmocka_unit_test_setup_teardown(only_the_owner_removes, begin, end),
		cmocka_unit_test_setup_teardown(churn_agrees_with_arrays, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
