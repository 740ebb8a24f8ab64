// SPDX-License-Identifier: BSD-3-Clause
//
// Control's end of the HELLO exchange, against dead and living engines, as a pure state machine.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dplink/link_state.h"

#define OWN 7u // epoch of this control

static struct dp_hello hello(uint32_t epoch, uint32_t answers)
{
	struct dp_hello h = {.header = {.epoch = epoch, .type = DP_MSG_HELLO, .size = sizeof(h)},
		.peer_epoch = answers,
		.worker_count = 2,
		.first_port = 50000};

	dp_hello_fill(&h);
	return h;
}

static enum link_event feed(struct link_state *link, const void *record, size_t size, bool *answer)
{
	union dp_msg msg;

	memcpy(&msg, record, size);
	return link_state_feed(link, &msg, size, answer);
}

static void the_exchange_ends_in_every_order(void **state)
{
	struct dp_hello first = hello(3, 0), named = hello(3, OWN);
	struct link_state link;
	bool answer;

	(void)state;
	link_state_init(&link, OWN); // it was there before us
	assert_int_equal(feed(&link, &first, sizeof(first), &answer), LINK_IDLE);
	assert_true(answer);
	assert_int_equal(feed(&link, &named, sizeof(named), &answer), LINK_UP);
	assert_false(answer);
	assert_int_equal(link.worker_count, 2);
	assert_int_equal(feed(&link, &named, sizeof(named), &answer), LINK_IDLE);
	assert_false(answer);

	link_state_init(&link, OWN); // it answers our HELLO, and we do not know it
	assert_int_equal(feed(&link, &named, sizeof(named), &answer), LINK_UP);
	assert_true(answer);
}

static void what_was_meant_for_a_predecessor_does_not_count(void **state)
{
	struct dp_hello other = hello(3, OWN - 1), named = hello(3, OWN);
	struct dp_ack ack = {.header = {.epoch = 3, .type = DP_MSG_ACK, .size = sizeof(ack)}};
	struct link_state link;
	bool answer;

	(void)state;
	link_state_init(&link, OWN);
	assert_int_equal(feed(&link, &ack, sizeof(ack), &answer), LINK_DISCARD);
	assert_int_equal(feed(&link, &other, sizeof(other), &answer), LINK_IDLE);
	assert_true(answer);
	assert_int_equal(feed(&link, &ack, sizeof(ack), &answer), LINK_DISCARD);
	assert_int_equal(feed(&link, &named, sizeof(named), &answer), LINK_UP);
	assert_int_equal(feed(&link, &ack, sizeof(ack), &answer), LINK_RECORD);
	ack.header.epoch = 2; // a dead engine's
	assert_int_equal(feed(&link, &ack, sizeof(ack), &answer), LINK_DISCARD);
}

static void a_new_engine_takes_the_place_of_the_old(void **state)
{
	struct dp_hello old = hello(3, OWN), fresh = hello(4, 0), named = hello(4, OWN);
	struct dp_peer_down down = {
		.header = {.type = DP_MSG_PEER_DOWN, .size = sizeof(down)}, .peer_epoch = 3};
	struct link_state link;
	bool answer;

	(void)state;
	link_state_init(&link, OWN);
	assert_int_equal(feed(&link, &old, sizeof(old), &answer), LINK_UP);
	assert_int_equal(feed(&link, &down, sizeof(down), &answer), LINK_DOWN);
	assert_int_equal(feed(&link, &down, sizeof(down), &answer), LINK_IDLE);
	assert_int_equal(feed(&link, &fresh, sizeof(fresh), &answer), LINK_IDLE);
	assert_true(answer);
	assert_int_equal(feed(&link, &named, sizeof(named), &answer), LINK_UP);
	assert_int_equal(feed(&link, &down, sizeof(down), &answer), LINK_IDLE); // late news
	assert_true(link.is_up);
	assert_int_equal(feed(&link, &old, sizeof(old), &answer), LINK_DISCARD);
	// Without PEER_DOWN, its HELLO says it.
	fresh = hello(5, 0);
	assert_int_equal(feed(&link, &fresh, sizeof(fresh), &answer), LINK_DOWN);
	assert_true(answer);
}

static void another_contract_is_refused(void **state)
{
	struct dp_hello h = hello(3, OWN);
	struct link_state link;
	bool answer;

	(void)state;
	link_state_init(&link, OWN);
	h.sizes[DP_MSG_SESSION_KEY]++;
	assert_int_equal(feed(&link, &h, sizeof(h), &answer), LINK_REFUSED);
	h = hello(3, OWN);
	h.contract_version++;
	assert_int_equal(feed(&link, &h, sizeof(h), &answer), LINK_REFUSED);
	h = hello(3, OWN);
	h.worker_count = DP_WORKERS_MAX + 1;
	assert_int_equal(feed(&link, &h, sizeof(h), &answer), LINK_REFUSED);
	assert_false(link.is_up);
}

// What a dead engine of another release left in the socket for our predecessor.
static void only_who_names_us_is_judged(void **state)
{
	struct dp_hello h = hello(3, OWN - 1), named = hello(4, OWN);
	struct link_state link;
	bool answer;

	(void)state;
	link_state_init(&link, OWN);
	h.contract_version++;
	assert_int_equal(feed(&link, &h, sizeof(h), &answer), LINK_IDLE);
	assert_true(answer);
	h = hello(3, 0);
	h.header.size -= 8; // it knew fewer records
	assert_int_equal(feed(&link, &h, sizeof(h) - 8, &answer), LINK_IDLE);
	h.peer_epoch = OWN;
	assert_int_equal(feed(&link, &h, sizeof(h) - 8, &answer), LINK_REFUSED);
	h.header.size = sizeof(h.header) + 4;
	assert_int_equal(feed(&link, &h, sizeof(h.header) + 4, &answer), LINK_DISCARD);
	assert_int_equal(feed(&link, &named, sizeof(named), &answer), LINK_UP);
}

static void every_truncation_is_discarded(void **state)
{
	struct dp_device device = {
		.header = {.epoch = 3, .type = DP_MSG_DEVICE, .size = sizeof(device)}};
	struct dp_hello named = hello(3, OWN);
	struct link_state link;
	bool answer;

	(void)state;
	link_state_init(&link, OWN);
	assert_int_equal(feed(&link, &named, sizeof(named), &answer), LINK_UP);
	for (size_t size = 0; size < sizeof(device); size++)
		assert_int_equal(feed(&link, &device, size, &answer), LINK_DISCARD);
	assert_int_equal(feed(&link, &device, sizeof(device), &answer), LINK_RECORD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_exchange_ends_in_every_order),
		cmocka_unit_test(what_was_meant_for_a_predecessor_does_not_count),
		cmocka_unit_test(a_new_engine_takes_the_place_of_the_old),
		cmocka_unit_test(another_contract_is_refused),
		cmocka_unit_test(only_who_names_us_is_judged),
		cmocka_unit_test(every_truncation_is_discarded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
