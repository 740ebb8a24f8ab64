// SPDX-License-Identifier: BSD-3-Clause
//
// Address -> sessions against the plainest model: who leaves takes nobody else along.

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

static void who_leaves_an_address_leaves_the_others_there(void **state)
{
	const struct dp_addr a = packet_addr("2001:db8::5", 1000), b = packet_addr("10.0.0.1", 9);
	(void)state;

	flow_table_set(t, &a, 3);
	flow_table_set(t, &a, 4);
	flow_table_set(t, &a, 5);
	flow_table_remove(t, 4);
	assert_int_equal(flow_table_find(t, &a), 5);
	assert_int_equal(flow_table_next(t, 5), 3);
	assert_int_equal(flow_table_next(t, 3), INDEX_NONE);
	flow_table_set(t, &b, 5); // moves
	assert_int_equal(flow_table_find(t, &b), 5);
	assert_int_equal(flow_table_find(t, &a), 3);
	flow_table_set(t, &a, 3); // is there already
	assert_int_equal(flow_table_next(t, 3), INDEX_NONE);
	flow_table_remove(t, 3);
	flow_table_remove(t, 3);
	assert_int_equal(flow_table_find(t, &a), INDEX_NONE);
	assert_int_equal(flow_table_find(t, &b), 5);
}

// Sessions at 'port' by the table: as many as the model has, each once.
static void agrees(const uint32_t port_of[SESSIONS], uint32_t port)
{
	struct dp_addr a = packet_addr("198.51.100.3", (uint16_t)(port + 1));
	uint32_t there = 0, found = 0;

	for (unsigned i = 0; i < SESSIONS; i++)
		there += port_of[i] == port;
	for (uint32_t at = flow_table_find(t, &a); at != INDEX_NONE; at = flow_table_next(t, at)) {
		assert_true(at < SESSIONS && port_of[at] == port);
		assert_true(++found <= there);
	}
	assert_int_equal(found, there);
}

static void churn_agrees_with_arrays(void **state)
{
	struct packet_random random = {.state = 21};
	uint32_t port_of[SESSIONS];
	(void)state;

	for (unsigned i = 0; i < SESSIONS; i++)
		port_of[i] = INDEX_NONE;
	for (unsigned turn = 0; turn < 100000; turn++) {
		uint32_t who = packet_random_below(&random, SESSIONS);
		uint32_t port = packet_random_below(&random, PORTS);
		struct dp_addr a = packet_addr("198.51.100.3", (uint16_t)(port + 1));

		if (packet_random_below(&random, 3) == 0) {
			flow_table_remove(t, who);
			port_of[who] = INDEX_NONE;
		} else {
			flow_table_set(t, &a, who);
			port_of[who] = port;
		}
		agrees(port_of, packet_random_below(&random, PORTS));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(families_ports_and_bytes_all_count, begin, end),
		cmocka_unit_test_setup_teardown(
			who_leaves_an_address_leaves_the_others_there, begin, end),
		cmocka_unit_test_setup_teardown(churn_agrees_with_arrays, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
