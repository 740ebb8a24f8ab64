// SPDX-License-Identifier: BSD-3-Clause
//
// control/supervisor/ladder.c: the decision table of `auto:IFACE`.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "supervisor/ladder.h"

static const struct {
	// driver, PCI address, MTU, kernel, queues, combined ones, workers, CAP_SYS_ADMIN,
	// CAP_IPC_LOCK, foreign program
	struct ladder_facts facts;
	enum rung from, expected;
	const char *note; // must be in it
} rows[] = {
	{{"veth", "", 1500, LADDER_KERNEL(6, 1), 1, 1, 2, true, true, false}, RUNG_PCI, RUNG_AFXDP,
		"af_xdp"},
	{{"veth", "", 1500, LADDER_KERNEL(6, 1), 1, 1, 2, true, true, false}, RUNG_AFXDP,
		RUNG_AFXDP, "af_xdp"},
	{{"veth", "", 1500, LADDER_KERNEL(6, 1), 1, 1, 2, true, true, false}, RUNG_AFPACKET,
		RUNG_AFPACKET, "did not start"},
	{{"veth", "", 1500, LADDER_KERNEL(6, 1), 1, 1, 2, true, true, false}, RUNG_NONE, RUNG_NONE,
		""},
	{{"veth", "", 1500, LADDER_KERNEL(6, 1), 1, 1, 2, true, true, true}, RUNG_PCI,
		RUNG_AFPACKET, "another XDP program"},
	{{"veth", "", 3498, LADDER_KERNEL(6, 1), 1, 1, 2, true, true, false}, RUNG_PCI, RUNG_AFXDP,
		"af_xdp"},
	{{"veth", "", 3499, LADDER_KERNEL(6, 1), 1, 1, 2, true, true, false}, RUNG_PCI,
		RUNG_AFPACKET, "MTU"},
	{{"veth", "", 1500, LADDER_KERNEL(5, 9), 1, 1, 2, true, true, false}, RUNG_PCI,
		RUNG_AFPACKET, "kernel"},
	{{"veth", "", 1500, LADDER_KERNEL(6, 1), 2, 2, 2, true, true, false}, RUNG_PCI, RUNG_AFXDP,
		"af_xdp"},
	{{"veth", "", 1500, LADDER_KERNEL(6, 1), 3, 3, 2, true, true, false}, RUNG_PCI,
		RUNG_AFPACKET, "more queues than workers"},
	// Queues that are not combined: AF_XDP opens the first alone.
	{{"veth", "", 1500, LADDER_KERNEL(6, 1), 1, 0, 2, true, true, false}, RUNG_PCI, RUNG_AFXDP,
		"af_xdp"},
	{{"veth", "", 1500, LADDER_KERNEL(6, 1), 2, 0, 2, true, true, false}, RUNG_PCI,
		RUNG_AFPACKET, "rx queues not combined"},
	{{"ice", "", 1500, LADDER_KERNEL(6, 1), 3, 2, 2, true, true, false}, RUNG_PCI,
		RUNG_AFPACKET, "more queues than workers"},
	{{"veth", "", 1500, LADDER_KERNEL(5, 10), 1, 1, 2, true, true, false}, RUNG_PCI, RUNG_AFXDP,
		"af_xdp"},
	{{"veth", "", 1500, LADDER_KERNEL(6, 1), 1, 1, 2, false, true, false}, RUNG_PCI,
		RUNG_AFPACKET, "CAP_SYS_ADMIN"},
	{{"veth", "", 1500, LADDER_KERNEL(6, 1), 1, 1, 2, true, false, false}, RUNG_PCI,
		RUNG_AFPACKET, "CAP_IPC_LOCK"},
	{{"mlx5_core", "0000:3b:00.0", 1500, LADDER_KERNEL(6, 1), 1, 1, 2, true, true, false},
		RUNG_PCI, RUNG_PCI, "not run on hardware"},
	{{"mlx5_core", "0000:3b:00.0", 1500, LADDER_KERNEL(6, 1), 1, 1, 2, true, true, false},
		RUNG_AFXDP, RUNG_AFXDP, "af_xdp"},
	{{"mlx5_core", "", 1500, LADDER_KERNEL(6, 1), 1, 1, 2, true, true, false}, RUNG_PCI,
		RUNG_AFXDP, "af_xdp"},
	{{"ice", "0000:3b:00.0", 1500, LADDER_KERNEL(6, 1), 1, 1, 2, true, true, false}, RUNG_PCI,
		RUNG_AFXDP, "af_xdp"},
};

static void takes_the_best_rung_that_the_facts_allow(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char note[LADDER_NOTE_SIZE];
		memset(note, 'x', sizeof(note));
		assert_int_equal(
			ladder_choose(&rows[i].facts, rows[i].from, note), rows[i].expected);
		assert_non_null(memchr(note, 0, sizeof(note)));
		assert_non_null(strstr(note, rows[i].note));
	}
}

// Whatever is not chosen, and only that, is refused in a sentence of its own.
static void a_rung_that_is_passed_over_says_why(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char note[LADDER_NOTE_SIZE], why[LADDER_WHY_SIZE];
		enum rung taken = ladder_choose(&rows[i].facts, rows[i].from, note);

		for (enum rung rung = rows[i].from; rung < taken && taken < RUNG_NONE; rung++) {
			memset(why, 'x', sizeof(why));
			assert_true(ladder_refuses(&rows[i].facts, rung, "eth0", why));
			assert_non_null(memchr(why, 0, sizeof(why) - 1)); // not cut
		}
		if (taken < RUNG_NONE)
			assert_false(ladder_refuses(&rows[i].facts, taken, "eth0", why));
	}
}

static void a_refusal_says_what_was_found_and_the_cure(void **state)
{
	struct ladder_facts facts = rows[0].facts;
	char why[LADDER_WHY_SIZE];

	(void)state;
	facts.queues = 2;
	facts.combined = 0;
	assert_true(ladder_refuses(&facts, RUNG_AFXDP, "eth0", why));
	assert_string_equal(why,
		"eth0 receives on 2 queues, and AF_XDP can serve 1 of them with 2 workers (only "
		"combined queues, or else the first): ethtool -L eth0 rx 1");
	facts.queues = facts.combined = 8;
	assert_true(ladder_refuses(&facts, RUNG_AFXDP, "eth0", why));
	assert_string_equal(why, "eth0 receives on 8 queues, and AF_XDP can serve 2 of them with 2 "
				 "workers: ethtool -L eth0 combined 2");
	facts.mtu = 9000;
	assert_true(ladder_refuses(&facts, RUNG_AFXDP, "eth0", why));
	assert_string_equal(
		why, "eth0 has MTU 9000, AF_XDP takes at most 3498: ip link set eth0 mtu 1500");
	assert_true(ladder_refuses(&facts, RUNG_PCI, "eth0", why));
	assert_string_equal(why, "eth0 is no PCI device");
}

static void every_note_fits_without_being_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char note[LADDER_NOTE_SIZE];
		(void)ladder_choose(&rows[i].facts, rows[i].from, note);
		assert_in_range(strlen(note), 0, LADDER_NOTE_SIZE - 2);
	}
}

static void going_down_ends(void **state)
{
	char note[LADDER_NOTE_SIZE];
	unsigned steps = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum rung rung = ladder_choose(&rows[i].facts, RUNG_PCI, note);
		for (steps = 0; rung != RUNG_NONE; steps++) {
			assert_in_range(steps, 0, RUNG_NONE);
			rung = ladder_choose(&rows[i].facts, (enum rung)(rung + 1), note);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_the_best_rung_that_the_facts_allow),
		cmocka_unit_test(a_rung_that_is_passed_over_says_why),
		cmocka_unit_test(a_refusal_says_what_was_found_and_the_cure),
		cmocka_unit_test(every_note_fits_without_being_cut),
		cmocka_unit_test(going_down_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
