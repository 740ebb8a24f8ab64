// SPDX-License-Identifier: BSD-3-Clause
//
// The link protocol alone: whose records count after which order of births, deaths and greetings.
// The protocol is the same from both sides, so that the simulation plays both with link_state.

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/link_state.h"

static unsigned feed_hello(struct link_state *link, uint32_t epoch, uint32_t names)
{
	struct dp_hello hello = {
		.header = {.epoch = epoch, .type = DP_MSG_HELLO, .size = sizeof(hello)},
		.peer_epoch = names};

	dp_hello_fill(&hello);
	return link_state_feed(link, &hello, sizeof(hello));
}

static unsigned feed_down(struct link_state *link, uint32_t sender, uint32_t dead)
{
	struct dp_peer_down down = {
		.header = {.epoch = sender, .type = DP_MSG_PEER_DOWN, .size = sizeof(down)},
		.peer_epoch = dead};

	return link_state_feed(link, &down, sizeof(down));
}

static unsigned feed_command(struct link_state *link, uint32_t epoch)
{
	struct dp_guild_close close = {
		.header = {.epoch = epoch, .type = DP_MSG_GUILD_CLOSE, .size = sizeof(close)}};

	return link_state_feed(link, &close, sizeof(close));
}

static void greets_until_both_know_each_other(void **state)
{
	struct link_state link;
	struct dp_hello hello;

	(void)state;
	link_state_init(&link, 7);
	link_state_hello(&link, 3, 50000, &hello);
	assert_int_equal(hello.header.epoch, 7);
	assert_int_equal(hello.peer_epoch, 0);
	assert_int_equal(feed_hello(&link, 2, 0), LINK_HELLO);
	link_state_hello(&link, 3, 50000, &hello);
	assert_int_equal(hello.peer_epoch, 2);
	assert_int_equal(feed_command(&link, 2), 0);
	assert_int_equal(feed_hello(&link, 2, 7), LINK_UP);
	assert_int_equal(feed_command(&link, 2), LINK_DELIVER);
	assert_int_equal(feed_hello(&link, 2, 7), 0); // said twice: no storm
}

static void answers_who_names_us_before_we_heard_of_it(void **state)
{
	struct link_state link;

	(void)state;
	link_state_init(&link, 7);
	assert_int_equal(feed_hello(&link, 2, 7), LINK_HELLO | LINK_UP);
}

static void newer_control_replaces_older(void **state)
{
	struct link_state link;

	(void)state;
	link_state_init(&link, 7);
	feed_hello(&link, 2, 7);
	assert_int_equal(feed_hello(&link, 3, 0), LINK_DOWN | LINK_HELLO);
	assert_int_equal(feed_command(&link, 2), 0);
	assert_int_equal(feed_command(&link, 3), 0); // does not know us yet
	assert_int_equal(feed_hello(&link, 3, 7), LINK_UP);
	assert_int_equal(feed_hello(&link, 2, 7), 0); // the past
	assert_int_equal(feed_command(&link, 3), LINK_DELIVER);
	assert_int_equal(feed_command(&link, 2), 0);
}

static void the_dead_stay_dead(void **state)
{
	struct link_state link;

	(void)state;
	link_state_init(&link, 7);
	feed_hello(&link, 2, 7);
	assert_int_equal(feed_down(&link, 3, 2), 0); // only the supervisor knows of deaths
	assert_int_equal(feed_command(&link, 2), LINK_DELIVER);
	assert_int_equal(feed_down(&link, 0, 1), 0); // an earlier one
	assert_int_equal(feed_command(&link, 2), LINK_DELIVER);
	assert_int_equal(feed_down(&link, 0, 2), LINK_DOWN);
	assert_int_equal(feed_down(&link, 0, 2), 0);
	assert_int_equal(feed_command(&link, 2), 0);
	assert_int_equal(feed_hello(&link, 2, 7), 0);
	assert_int_equal(feed_hello(&link, 3, 0), LINK_HELLO);
	assert_int_equal(feed_hello(&link, 3, 7), LINK_UP);
}

static void supervisor_and_nobody_send_no_hello(void **state)
{
	struct link_state link;
	struct dp_hello zeros = {.peer_epoch = 0};

	(void)state;
	link_state_init(&link, 7);
	assert_int_equal(feed_hello(&link, 0, 7), 0);
	for (size_t size = 0; size <= sizeof(zeros); size++)
		assert_int_equal(link_state_feed(&link, &zeros, size), 0);
	assert_int_equal(link.peer_epoch, 0);
}

static void only_who_answers_us_is_judged(void **state)
{
	struct link_state link;
	struct dp_hello hello = {
		.header = {.epoch = 2, .type = DP_MSG_HELLO, .size = sizeof(hello)},
		.peer_epoch = 6};

	(void)state;
	link_state_init(&link, 7);
	dp_hello_fill(&hello);
	hello.contract_version++;
	// Left in the socket for our predecessor.
	assert_int_equal(link_state_feed(&link, &hello, sizeof(hello)), LINK_HELLO);
	hello.peer_epoch = 7;
	assert_int_equal(link_state_feed(&link, &hello, sizeof(hello)), LINK_CONTRACT);
	dp_hello_fill(&hello);
	hello.sizes[23] = 8; // a record that we do not know
	assert_int_equal(link_state_feed(&link, &hello, sizeof(hello)), LINK_CONTRACT);
	dp_hello_fill(&hello);
	assert_int_equal(link_state_feed(&link, &hello, sizeof(hello) - 8), LINK_CONTRACT);
	assert_int_equal(link.peer_epoch, 0);
	assert_int_equal(link_state_feed(&link, &hello, sizeof(hello)), LINK_UP);
}

// A world of two sides that die and are born again at any time, with everything that was sent to
// the dead still in the socket for the next.
#define QUEUE_MAX 4096

struct packet {
	union dp_msg msg;
	bool is_command;
};

struct side {
	struct link_state link;
	uint32_t epoch;
	bool alive;
	unsigned first, last; // of the queue towards it
	struct packet queue[QUEUE_MAX];
};

static void post(struct side *to, const void *record, size_t size)
{
	assert_true(to->last < QUEUE_MAX);
	memcpy(&to->queue[to->last++].msg, record, size);
}

static void post_hello(struct side *from, struct side *to)
{
	struct dp_hello hello;

	link_state_hello(&from->link, 1, 1, &hello);
	post(to, &hello, sizeof(hello));
}

static void born(struct side *side, struct side *peer)
{
	side->alive = true;
	link_state_init(&side->link, ++side->epoch);
	post_hello(side, peer);
}

static void dies(struct side *side, struct side *peer)
{
	struct dp_peer_down down = {.header = {.type = DP_MSG_PEER_DOWN, .size = sizeof(down)},
		.peer_epoch = side->epoch};

	side->alive = false;
	if (peer->alive)
		post(peer, &down, sizeof(down));
}

// A command carries, out of band, for whom it was meant: the reader's epoch.
static void commands(struct side *from, struct side *to)
{
	struct dp_guild_close close = {
		.header = {.epoch = from->epoch, .type = DP_MSG_GUILD_CLOSE, .size = sizeof(close)},
		.guild = {.index = from->link.peer_epoch}};

	if (from->link.peer_epoch != 0)
		post(to, &close, sizeof(close));
}

static void reads(struct side *side, struct side *peer)
{
	if (side->first == side->last)
		return;
	const union dp_msg *msg = &side->queue[side->first++].msg;
	unsigned todo = link_state_feed(&side->link, msg, msg->header.size);

	assert_int_equal(todo & LINK_CONTRACT, 0);
	if ((todo & LINK_HELLO) != 0)
		post_hello(side, peer);
	if ((todo & LINK_DELIVER) != 0) {
		assert_int_equal(msg->header.epoch, side->link.peer_epoch);
		// Never what was meant for a predecessor.
		assert_int_equal(msg->dp_guild_close.guild.index, side->epoch);
	}
}

static void any_history_ends_in_one_link(void **state)
{
	static struct side sides[2];

	(void)state;
	for (unsigned seed = 1; seed <= 2000; seed++) {
		unsigned short random[3] = {(unsigned short)seed, 1, 2};

		for (unsigned i = 0; i < 2; i++) {
			sides[i].first = sides[i].last = 0;
			sides[i].epoch = (uint32_t)nrand48(random) % 5;
		}
		born(&sides[0], &sides[1]);
		born(&sides[1], &sides[0]);
		for (unsigned step = 0; step < 200; step++) {
			struct side *side = &sides[nrand48(random) % 2];
			struct side *peer = side == &sides[0] ? &sides[1] : &sides[0];
			unsigned what = (unsigned)nrand48(random) % 16;

			if (!side->alive) {
				if (what < 4)
					born(side, peer);
			} else if (what == 0) {
				dies(side, peer);
			} else if (what < 6) {
				commands(side, peer);
			} else {
				reads(side, peer);
			}
		}
		for (unsigned i = 0; i < 2; i++) {
			if (!sides[i].alive)
				born(&sides[i], &sides[1 - i]);
		}
		while (sides[0].first < sides[0].last || sides[1].first < sides[1].last) {
			reads(&sides[0], &sides[1]);
			reads(&sides[1], &sides[0]);
		}
		assert_int_equal(sides[0].link.peer_epoch, sides[1].epoch);
		assert_int_equal(sides[1].link.peer_epoch, sides[0].epoch);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(greets_until_both_know_each_other),
		cmocka_unit_test(answers_who_names_us_before_we_heard_of_it),
		cmocka_unit_test(newer_control_replaces_older),
		cmocka_unit_test(the_dead_stay_dead),
		cmocka_unit_test(supervisor_and_nobody_send_no_hello),
		cmocka_unit_test(only_who_answers_us_is_judged),
		cmocka_unit_test(any_history_ends_in_one_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
