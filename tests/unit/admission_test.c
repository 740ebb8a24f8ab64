// SPDX-License-Identifier: BSD-3-Clause
//
// Bounds per source address: what counts, what does not, whose is whose, and a table that is full.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "admission/admission.h"

static struct admission *admission;
static uint64_t now_ms = 1000000;

static int setup(void **state)
{
	(void)state;
	admission = admission_create(42);
	return admission == NULL ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	admission_destroy(admission);
	return 0;
}

static struct admission_ticket come(const char *peer, enum admission_verdict expected)
{
	struct admission_ticket ticket;

	assert_int_equal(admission_open(admission, peer, now_ms, &ticket), expected);
	assert_true(expected == ADMISSION_GRANTED || ticket.source == 0);
	return ticket;
}

static void crowd(const char *peer, struct admission_ticket tickets[ADMISSION_STRANGERS_MAX])
{
	for (unsigned i = 0; i < ADMISSION_STRANGERS_MAX; i++)
		tickets[i] = come(peer, ADMISSION_GRANTED);
}

static void strangers_of_one_address_are_bounded(void **state)
{
	struct admission_ticket tickets[ADMISSION_STRANGERS_MAX];

	(void)state;
	crowd("198.51.100.1", tickets);
	come("198.51.100.1", ADMISSION_CROWDED);
	come("198.51.100.2", ADMISSION_GRANTED); // its neighbour
	assert_int_equal(admission_stats(admission)->crowded, 1);
	admission_release(admission, &tickets[3]); // it identified, or left
	admission_release(admission, &tickets[3]);
	come("198.51.100.1", ADMISSION_GRANTED);
	come("198.51.100.1", ADMISSION_CROWDED);
}

static void who_has_identified_does_not_count(void **state)
{
	(void)state;
	for (unsigned bot = 0; bot < 5 * ADMISSION_STRANGERS_MAX; bot++) {
		struct admission_ticket ticket = come("198.51.100.1", ADMISSION_GRANTED);

		admission_release(admission, &ticket);
	}
}

static void an_ipv6_host_is_its_network(void **state)
{
	struct admission_ticket tickets[ADMISSION_STRANGERS_MAX];

	(void)state;
	crowd("2001:db8:0:1::1", tickets);
	come("2001:db8:0:1:ffff:ffff:ffff:ffff", ADMISSION_CROWDED);
	come("2001:db8:0:2::1", ADMISSION_GRANTED);
	crowd("::ffff:198.51.100.1", tickets);
	come("198.51.100.1", ADMISSION_CROWDED);
	come("::1", ADMISSION_GRANTED);
}

static void what_is_no_address_is_not_counted(void **state)
{
	static const char *const peers[] = {NULL, "", "local", "198.51.100.1:80", "/run/x.sock"};

	(void)state;
	for (unsigned i = 0; i < 2 * ADMISSION_STRANGERS_MAX; i++)
		assert_int_equal(come(peers[i % 5], ADMISSION_GRANTED).source, 0);
}

static void wrong_tokens_block_for_a_minute(void **state)
{
	struct admission_ticket open = come("198.51.100.1", ADMISSION_GRANTED);
	struct admission_ticket other = come("198.51.100.2", ADMISSION_GRANTED);

	(void)state;
	for (unsigned i = 0; i < ADMISSION_FAILURES_MAX; i++) {
		struct admission_ticket ticket = come("198.51.100.1", ADMISSION_GRANTED);

		assert_false(admission_is_blocked(admission, &ticket, now_ms));
		admission_failed(admission, &ticket, now_ms);
		admission_release(admission, &ticket); // it is closed
		now_ms += 10;
	}
	come("198.51.100.1", ADMISSION_BLOCKED);
	assert_true(admission_is_blocked(admission, &open, now_ms)); // that was open before
	assert_false(admission_is_blocked(admission, &other, now_ms));
	assert_int_equal(admission_stats(admission)->blocked, 2);
	assert_int_equal(admission_stats(admission)->failures, ADMISSION_FAILURES_MAX);
	now_ms += ADMISSION_WINDOW_MS;
	assert_false(admission_is_blocked(admission, &open, now_ms));
	come("198.51.100.1", ADMISSION_GRANTED);
}

static void failures_spread_over_time_do_not_block(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3 * ADMISSION_FAILURES_MAX; i++) {
		struct admission_ticket ticket = come("198.51.100.1", ADMISSION_GRANTED);

		admission_failed(admission, &ticket, now_ms);
		admission_release(admission, &ticket);
		now_ms += ADMISSION_WINDOW_MS / ADMISSION_FAILURES_MAX + 1;
	}
}

static const char *address(uint32_t number)
{
	static char text[32];

	snprintf(text, sizeof(text), "10.%u.%u.%u", number >> 16, number >> 8 & 255, number & 255);
	return text;
}

// More sources than there are places: who is connected keeps its own, the rest is forgotten.
static void a_full_table_forgets_who_is_idle(void **state)
{
	struct admission_ticket busy[64], last = {0};

	(void)state;
	for (uint32_t i = 0; i < 64; i++) {
		busy[i] = come(address(i), ADMISSION_GRANTED);
		for (unsigned k = 0; k < ADMISSION_FAILURES_MAX; k++)
			admission_failed(admission, &busy[i], now_ms);
	}
	for (uint32_t i = 64; i < 3 * ADMISSION_SOURCES_MAX; i++) {
		last = come(address(i), ADMISSION_GRANTED);
		assert_int_not_equal(last.source, 0);
		admission_release(admission, &last);
	}
	for (uint32_t i = 0; i < 64; i++) {
		assert_true(admission_is_blocked(admission, &busy[i], now_ms));
		admission_release(admission, &busy[i]);
		come(address(i), ADMISSION_BLOCKED); // for as long as there is a place for it
	}
}

static void without_a_place_nobody_is_refused(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < ADMISSION_SOURCES_MAX; i++)
		assert_int_not_equal(come(address(i), ADMISSION_GRANTED).source, 0);
	for (unsigned i = 0; i < 2 * ADMISSION_STRANGERS_MAX; i++) {
		struct admission_ticket ticket = come("198.51.100.1", ADMISSION_GRANTED);

		assert_int_equal(ticket.source, 0);
		admission_failed(admission, &ticket, now_ms);
		admission_release(admission, &ticket);
	}
}

static void without_an_admission_everybody_is_welcome(void **state)
{
	struct admission_ticket ticket;

	(void)state;
	assert_int_equal(admission_open(NULL, "198.51.100.1", 1, &ticket), ADMISSION_GRANTED);
	admission_failed(NULL, &ticket, 1);
	assert_false(admission_is_blocked(NULL, &ticket, 1));
	admission_release(NULL, &ticket);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(strangers_of_one_address_are_bounded),
		TEST(who_has_identified_does_not_count),
		TEST(an_ipv6_host_is_its_network),
		TEST(what_is_no_address_is_not_counted),
		TEST(wrong_tokens_block_for_a_minute),
		TEST(failures_spread_over_time_do_not_block),
		TEST(a_full_table_forgets_who_is_idle),
		TEST(without_a_place_nobody_is_refused),
		TEST(without_an_admission_everybody_is_welcome),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
