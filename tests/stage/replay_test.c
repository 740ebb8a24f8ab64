// SPDX-License-Identifier: BSD-3-Clause
//
// A packet that somebody captured, said again when its sequence number has come round to look new:
// refused where the client counts its nonces, as all stock clients do, and the stream is heard on.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "session/suffix.h"
#include "stage/room_fixture.h"

static struct fixture f;

static void replay_intent(void)
{
	assert_int_equal(node_guild(&f.node, 0, f.guild), 0);
	assert_int_equal(node_room(&f.node, 0, f.guild, f.room), 0);
	for (unsigned i = 0; i < f.member_count; i++) {
		assert_int_equal(client_add(&f.member[i]), 0);
		assert_int_equal(client_key(&f.member[i]), 0);
	}
}

static void say(struct client *c, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		client_say(c, "w", 1);
		node_turn(&f.node);
		assert_int_equal(node_drain(&f.node), 1);
	}
}

// Captures a packet, says 'later' more, has it said again, and listens whether the stream goes on.
static void said_again(bool is_little, bool over_a_crash, unsigned later)
{
	struct client *c = &f.member[is_little];
	uint8_t pkt[DP_PAYLOAD_SIZE_MAX];
	uint32_t size;

	fixture_init(&f, 2);
	node_unlimit(&f.node);
	c->is_little = is_little;
	say(c, SUFFIX_STEPS + 2);
	size = client_seal(c, c->seq++, "captured", 8, pkt);
	client_send_raw(c, pkt, size);
	node_turn(&f.node);
	assert_int_equal(node_drain(&f.node), 1);
	say(c, later);
	if (over_a_crash) {
		node_restart(&f.node);
		replay_intent();
	}
	client_send_raw(c, pkt, size);
	node_turn(&f.node);
	assert_int_equal(node_drain(&f.node), 0);
	assert_int_equal(node_verdict(&f.node, DP_SRTP_REPLAY), 1);
	say(c, 5); // not one of them is lost
	fixture_fini(&f);
}

static void a_number_that_came_round_is_not_new(void **state)
{
	static const unsigned later[] = {32768, 40000, 50000, 64600, 65530};
	(void)state;

	for (unsigned i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
		said_again(false, false, later[i]);
		said_again(true, false, later[i]);
	}
}

static void nor_is_it_to_a_successor(void **state)
{
	(void)state;
	said_again(false, true, 40000);
	said_again(true, true, 50000);
}

static void a_client_that_does_not_count_is_served(void **state)
{
	struct packet_random random = {.state = 8};
	(void)state;

	fixture_init(&f, 2);
	node_unlimit(&f.node);
	for (unsigned i = 0; i < 3000; i++) {
		f.member[0].suffix = (uint32_t)packet_random_next(&random);
		say(&f.member[0], 1);
	}
	assert_int_equal(node_verdict(&f.node, DP_SRTP_REPLAY), 0);
	fixture_fini(&f);
}

static void a_new_key_is_learnt_anew(void **state)
{
	struct client *c = &f.member[0];
	(void)state;

	fixture_init(&f, 2);
	node_unlimit(&f.node);
	c->suffix = 5000000;
	say(c, SUFFIX_STEPS + 2);
	c->key_id = 2;
	c->key[1] ^= 1;
	assert_int_equal(client_key(c), 0);
	assert_int_equal(
		suite_get(c->suite)->key_expand(f.node.crypto, c->expanded, c->key, NULL), 0);
	c->suffix = 0; // its counter begins again, and perhaps it counts otherwise
	c->is_little = true;
	say(c, 300);
	assert_int_equal(node_verdict(&f.node, DP_SRTP_REPLAY), 0);
	fixture_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_that_came_round_is_not_new),
		cmocka_unit_test(nor_is_it_to_a_successor),
		cmocka_unit_test(a_client_that_does_not_count_is_served),
		cmocka_unit_test(a_new_key_is_learnt_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
