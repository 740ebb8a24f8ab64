// SPDX-License-Identifier: BSD-3-Clause
//
// The node's nonce suffixes: its own space, never twice.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "load/nonce_check.h"

// A 30-bit counter in the node's space, big-endian or little-endian.
static void suffix_make(uint32_t counter, bool little, uint8_t suffix[4])
{
	uint8_t big[4] = {
		(uint8_t)(0x80 | counter >> 23),
		(uint8_t)(counter >> 15),
		(uint8_t)(counter >> 7),
		(uint8_t)(0x80 | (counter & 0x7f)),
	};

	for (unsigned i = 0; i < 4; i++)
		suffix[i] = little ? big[3 - i] : big[i];
}

static enum nonce_verdict feed(struct nonce_check *check, uint32_t counter, bool little)
{
	uint8_t suffix[4];

	suffix_make(counter, little, suffix);
	return nonce_check_feed(check, suffix);
}

static void accepts_counting_up_in_either_byte_order(void **state)
{
	(void)state;
	for (unsigned little = 0; little < 2; little++) {
		struct nonce_check check = {0};

		for (uint32_t counter = 0; counter < 300000; counter++)
			assert_int_equal(feed(&check, counter, little), NONCE_FINE);
		// A new block after a restart.
		assert_int_equal(feed(&check, 20000000, little), NONCE_FINE);
		assert_int_equal(feed(&check, 20000001, little), NONCE_FINE);
	}
}

static void accepts_reordering_inside_the_window(void **state)
{
	struct nonce_check check = {0};

	(void)state;
	for (uint32_t base = 0; base < 100000; base += 10) {
		for (uint32_t i = 0; i < 10; i++)
			assert_int_equal(feed(&check, base + 9 - i, false), NONCE_FINE);
	}
}

static void finds_a_repeat_at_every_distance(void **state)
{
	(void)state;
	for (unsigned little = 0; little < 2; little++) {
		for (uint32_t back = 0; back < 3000; back += 7) {
			struct nonce_check check = {0};

			for (uint32_t counter = 60000; counter < 70000; counter++)
				assert_int_equal(feed(&check, counter, little), NONCE_FINE);
			assert_int_equal(feed(&check, 69999 - back, little), NONCE_REPEATED);
		}
	}
}

static void refuses_the_clients_space(void **state)
{
	static const uint8_t client[][4] = {
		{0, 0, 0, 1}, {1, 0, 0, 0}, {0x80, 0, 0, 0x7f}, {0x7f, 0xff, 0xff, 0xff}};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct nonce_check check = {0};

		assert_int_equal(nonce_check_feed(&check, client[i]), NONCE_CLIENT_SPACE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_counting_up_in_either_byte_order),
		cmocka_unit_test(accepts_reordering_inside_the_window),
		cmocka_unit_test(finds_a_repeat_at_every_distance),
		cmocka_unit_test(refuses_the_clients_space),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
