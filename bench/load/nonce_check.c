// SPDX-License-Identifier: BSD-3-Clause
//
// The node's nonce space and the uniqueness of what it uses. Pure.
#include "load/nonce_check.h"

#include <string.h>

#define WORD_COUNT (NONCE_CHECK_WINDOW / 64u)

static bool bit_test_and_set(struct nonce_order *order, uint32_t counter)
{
	uint64_t *word = &order->seen[counter / 64 % WORD_COUNT];
	uint64_t bit = UINT64_C(1) << (counter % 64);
	bool was_set = (*word & bit) != 0;

	*word |= bit;
	return was_set;
}

static void window_advance(struct nonce_order *order, uint32_t counter)
{
	uint32_t step = counter - order->highest;

	if (step >= NONCE_CHECK_WINDOW) {
		memset(order->seen, 0, sizeof(order->seen));
	} else {
		for (uint32_t c = order->highest + 1; c != counter + 1; c++)
			order->seen[c / 64 % WORD_COUNT] &= ~(UINT64_C(1) << (c % 64));
	}
	order->highest = counter;
}

// False: 'counter' was seen before. One that is older than the window breaks the order for good.
static bool order_feed(struct nonce_order *order, uint32_t counter)
{
	if (!order->started) {
		order->started = true;
		order->highest = counter;
	} else if (counter > order->highest) {
		window_advance(order, counter);
	} else if (order->highest - counter >= NONCE_CHECK_WINDOW) {
		order->broken = true;
		return true;
	}
	return !bit_test_and_set(order, counter);
}

enum nonce_verdict nonce_check_feed(struct nonce_check *check, const uint8_t suffix[4])
{
	if ((suffix[0] & 0x80) == 0 || (suffix[3] & 0x80) == 0)
		return NONCE_CLIENT_SPACE;

	// The 30 bits that are not fixed.
	uint32_t first = suffix[0] & 0x7fu, last = suffix[3] & 0x7fu;
	uint32_t middle_big = (uint32_t)suffix[1] << 8 | suffix[2];
	uint32_t middle_little = (uint32_t)suffix[2] << 8 | suffix[1];
	bool fresh_big = order_feed(&check->big, first << 23 | middle_big << 7 | last);
	bool fresh_little = order_feed(&check->little, last << 23 | middle_little << 7 | first);

	if (check->big.broken && check->little.broken)
		return NONCE_REPEATED;
	// The same four bytes are the same counter in both readings.
	if ((!check->big.broken && !fresh_big) || (!check->little.broken && !fresh_little))
		return NONCE_REPEATED;
	return NONCE_FINE;
}
