// SPDX-License-Identifier: BSD-3-Clause
//
// Who hears what, and with which sequence numbers: the definition of forwarding, and what server
// mute, deafen, move and leave do to it with the very next packet.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/dp_assert.h"
#include "stage/room_fixture.h"

static struct fixture f;

static void every_other_member_hears_every_packet_once_in_order(void **state)
{
	unsigned next[MEMBERS_MAX] = {0};
	struct node_datagram d;
	(void)state;

	fixture_init(&f, 37);
	for (unsigned k = 0; k < 40; k++) // more than a burst, copies for more than one wave
		client_say(&f.member[3], &k, sizeof(k));
	node_turn(&f.node);
	while (node_take(&f.node, &d)) {
		struct client_packet p;
		unsigned i = 0;

		while (i < f.member_count && !client_is_target(&f.member[i], &d))
			i++;
		assert_true(i < f.member_count && i != 3);
		assert_true(client_open(&f.member[i], &d, &p));
		assert_int_equal(p.ssrc, f.member[3].ssrc);
		assert_int_equal(p.payload_type, DP_OPUS_PAYLOAD_TYPE);
		assert_int_equal(p.clear_size, sizeof(next[i]));
		assert_memory_equal(p.clear, &next[i], sizeof(next[i]));
		assert_int_equal(p.seq, (uint16_t)(3 * 1000 + 7 + next[i]));
		next[i]++;
	}
	for (unsigned i = 0; i < f.member_count; i++)
		assert_int_equal(next[i], i == 3 ? 0 : 40);
	assert_int_equal(node_verdict(&f.node, DP_FORWARDED), 40);
	fixture_fini(&f);
}

static void a_header_extension_goes_through_sealed_and_unchanged(void **state)
{
	struct client_packet p;
	(void)state;

	fixture_init(&f, 2);
	f.member[0].ext = true;
	client_say(&f.member[0], "speech", 6);
	assert_true(hear(&f.member[1], &p));
	assert_true(p.has_ext);
	assert_int_equal(p.clear_size, 10);
	assert_memory_equal(p.clear, "\x10\x85\x90\x02speech", 10);
	fixture_fini(&f);
}

static void csrcs_of_a_sender_end_at_the_node(void **state)
{
	uint8_t pkt[DP_PAYLOAD_SIZE_MAX], clear[3] = {0xf8, 0xff, 0xfe};
	struct client *c;
	struct client_packet p;
	struct seal_job job, *jobs = &job;
	(void)state;

	fixture_init(&f, 2);
	c = &f.member[0];
	client_seal(c, c->seq, clear, sizeof(clear), pkt);
	pkt[0] |= 2; // two contributing sources follow the fixed header
	memset(pkt + 12, 0x5a, 8);
	job = (struct seal_job){.key = c->expanded,
		.src = clear,
		.dst = pkt + 20,
		.aad = pkt,
		.src_size = sizeof(clear),
		.aad_size = 20,
		.iv = {1, 2, 3, 4}};
	suite_get(c->suite)->seal(f.node.crypto, &jobs, 1);
	client_send_raw(c, pkt, 20 + sizeof(clear) + DP_RTPSIZE_OVERHEAD);
	assert_true(hear(&f.member[1], &p));
	assert_int_equal(p.clear_size, sizeof(clear));
	assert_memory_equal(p.clear, clear, sizeof(clear));
	fixture_fini(&f);
}

static void mute_holds_with_the_next_packet_and_leaves_no_gap(void **state)
{
	struct client_packet p;
	(void)state;

	fixture_init(&f, 2);
	client_say(&f.member[0], "a", 1);
	assert_true(hear(&f.member[1], &p));
	assert_int_equal(p.seq, 7);
	assert_int_equal(client_set(&f.member[0], f.room, DP_SESSION_MUTE), 0);
	for (unsigned i = 0; i < 100; i++) {
		client_say(&f.member[0], "m", 1);
		assert_false(hear(&f.member[1], &p));
	}
	assert_int_equal(node_verdict(&f.node, DP_MUTED), 100);
	assert_int_equal(client_set(&f.member[0], f.room, 0), 0);
	client_say(&f.member[0], "b", 1);
	assert_true(hear(&f.member[1], &p));
	assert_int_equal(p.seq, 8);
	assert_int_equal(p.clear[0], 'b');
	assert_int_equal(p.timestamp, 101 * 960); // time went on, and the receiver sees it
	fixture_fini(&f);
}

static void a_mute_of_any_length_does_not_lose_the_sender(void **state)
{
	struct client_packet p;
	(void)state;

	fixture_init(&f, 2);
	client_say(&f.member[0], "a", 1);
	assert_true(hear(&f.member[1], &p));
	assert_int_equal(client_set(&f.member[0], f.room, DP_SESSION_MUTE), 0);
	for (unsigned i = 0; i < 200000; i++) { // an hour of speech, three wraps of the number
		client_say(&f.member[0], "m", 1);
		if (i % 1000 == 0)
			node_turn(&f.node);
	}
	node_turn(&f.node);
	assert_int_equal(node_verdict(&f.node, DP_MUTED), 200000);
	assert_int_equal(client_set(&f.member[0], f.room, 0), 0);
	client_say(&f.member[0], "b", 1);
	assert_true(hear(&f.member[1], &p));
	assert_int_equal(p.seq, 8);
	fixture_fini(&f);
}

static void late_packets_from_before_a_cut_are_left_out(void **state)
{
	uint8_t pkt[DP_PAYLOAD_SIZE_MAX];
	struct client *c = &f.member[0];
	struct client_packet p;
	(void)state;

	fixture_init(&f, 2);
	client_say(c, "a", 1);
	assert_true(hear(&f.member[1], &p));
	c->seq += 2; // two are on a slow path
	assert_int_equal(client_set(c, f.room, DP_SESSION_MUTE), 0);
	assert_int_equal(client_set(c, f.room, 0), 0);
	client_say(c, "b", 1);
	assert_true(hear(&f.member[1], &p));
	assert_int_equal(p.seq, 8);
	client_send_raw(c, pkt, client_seal(c, (uint16_t)(c->seq - 2), "x", 1, pkt));
	assert_false(hear(&f.member[1], &p));
	assert_int_equal(node_verdict(&f.node, DP_LATE), 1);
	client_say(c, "c", 1);
	assert_true(hear(&f.member[1], &p));
	assert_int_equal(p.seq, 9);
	fixture_fini(&f);
}

static void a_gap_of_the_network_stays_a_gap(void **state)
{
	struct client_packet p;
	(void)state;

	fixture_init(&f, 2);
	client_say(&f.member[0], "a", 1);
	assert_true(hear(&f.member[1], &p));
	f.member[0].seq += 3;
	client_say(&f.member[0], "b", 1);
	assert_true(hear(&f.member[1], &p));
	assert_int_equal(p.seq, 11);
	fixture_fini(&f);
}

static void the_deaf_are_sent_nothing_and_miss_nothing(void **state)
{
	const uint32_t kinds[] = {
		DP_SESSION_DEAF, DP_SESSION_SELF_DEAF, DP_SESSION_DEAF | DP_SESSION_SELF_DEAF};
	struct client_packet p;
	(void)state;

	fixture_init(&f, 2);
	client_say(&f.member[0], "a", 1);
	assert_true(hear(&f.member[1], &p));
	for (unsigned k = 0; k < 3; k++) {
		assert_int_equal(client_set(&f.member[1], f.room, kinds[k]), 0);
		client_say(&f.member[0], "d", 1);
		assert_false(hear(&f.member[1], &p));
		assert_int_equal(node_counter(&f.node, DP_COUNTER_DEAF), k + 1);
		assert_int_equal(client_set(&f.member[1], f.room, 0), 0);
		client_say(&f.member[0], "h", 1);
		assert_true(hear(&f.member[1], &p));
		assert_int_equal(p.seq, 8 + k);
	}
	fixture_fini(&f);
}

static void a_move_is_heard_in_the_new_room_only(void **state)
{
	struct client_packet p;
	(void)state;

	fixture_init(&f, 3); // 0 speaks, 1 stays, 2 waits in the other room
	assert_int_equal(client_set(&f.member[2], f.other_room, 0), 0);
	client_say(&f.member[0], "a", 1);
	assert_true(hear(&f.member[1], &p));
	assert_false(hear(&f.member[1], &p));
	assert_int_equal(client_set(&f.member[0], f.other_room, 0), 0);
	client_say(&f.member[0], "b", 1);
	assert_true(hear(&f.member[2], &p));
	assert_int_equal(p.seq, 8);
	assert_false(hear(&f.member[1], &p));
	// And back: who heard it before sees the sequence go on.
	assert_int_equal(client_set(&f.member[0], f.room, 0), 0);
	client_say(&f.member[0], "c", 1);
	assert_true(hear(&f.member[1], &p));
	assert_int_equal(p.seq, 8);
	fixture_fini(&f);
}

static void who_leaves_hears_nothing_and_the_rest_hear_on(void **state)
{
	union dp_msg cmd = {.dp_session_remove = {.session = {.index = 1, .generation = 1}}};
	unsigned heard[4] = {0};
	struct node_datagram d;
	(void)state;

	fixture_init(&f, 4);
	client_say(&f.member[0], "a", 1);
	node_turn(&f.node);
	assert_int_equal(node_drain(&f.node), 3);
	assert_int_equal(node_command(&f.node, 0, DP_MSG_SESSION_REMOVE, &cmd), 0);
	client_say(&f.member[0], "b", 1);
	client_say(&f.member[1], "ghost", 5);
	node_turn(&f.node);
	while (node_take(&f.node, &d)) {
		for (unsigned i = 0; i < 4; i++)
			heard[i] += client_is_target(&f.member[i], &d);
	}
	assert_int_equal(heard[0] + heard[1], 0);
	assert_int_equal(heard[2], 1);
	assert_int_equal(heard[3], 1);
	assert_int_equal(node_verdict(&f.node, DP_NO_SESSION), 1);
	fixture_fini(&f);
}

static void a_session_in_no_room_is_not_heard(void **state)
{
	struct client_packet p;
	(void)state;

	fixture_init(&f, 2);
	assert_int_equal(client_set(&f.member[0], (struct dp_handle){0}, 0), 0);
	client_say(&f.member[0], "a", 1);
	assert_false(hear(&f.member[1], &p));
	assert_int_equal(node_verdict(&f.node, DP_NO_ROOM), 1);
	fixture_fini(&f);
}

// Random joins, leaves, moves and deafness against the plain definition of who is in the room.
static void random_membership_never_misses_or_leaks(void **state)
{
	struct packet_random random = {.state = 99};
	bool other[24] = {false}, deaf[24] = {false};
	(void)state;

	fixture_init(&f, 24);
	for (unsigned turn = 0; turn < 3000; turn++) {
		unsigned who = packet_random_below(&random, 24);
		unsigned speaker = packet_random_below(&random, 24);
		bool heard[24] = {false};
		struct node_datagram d;

		if (packet_random_below(&random, 2))
			other[who] = !other[who];
		else
			deaf[who] = !deaf[who];
		assert_int_equal(client_set(&f.member[who], other[who] ? f.other_room : f.room,
					 deaf[who] ? DP_SESSION_DEAF : 0),
			0);
		client_say(&f.member[speaker], &turn, sizeof(turn));
		node_turn(&f.node);
		while (node_take(&f.node, &d)) {
			struct client_packet p;
			unsigned i = 0;

			while (!client_is_target(&f.member[i], &d))
				i++;
			assert_false(heard[i]);
			heard[i] = true;
			assert_true(client_open(&f.member[i], &d, &p));
			assert_memory_equal(p.clear, &turn, sizeof(turn));
		}
		for (unsigned i = 0; i < 24; i++)
			assert_int_equal(
				heard[i], i != speaker && !deaf[i] && other[i] == other[speaker]);
	}
	fixture_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_other_member_hears_every_packet_once_in_order),
		cmocka_unit_test(a_header_extension_goes_through_sealed_and_unchanged),
		cmocka_unit_test(csrcs_of_a_sender_end_at_the_node),
		cmocka_unit_test(mute_holds_with_the_next_packet_and_leaves_no_gap),
		cmocka_unit_test(a_mute_of_any_length_does_not_lose_the_sender),
		cmocka_unit_test(late_packets_from_before_a_cut_are_left_out),
		cmocka_unit_test(a_gap_of_the_network_stays_a_gap),
		cmocka_unit_test(the_deaf_are_sent_nothing_and_miss_nothing),
		cmocka_unit_test(a_move_is_heard_in_the_new_room_only),
		cmocka_unit_test(who_leaves_hears_nothing_and_the_rest_hear_on),
		cmocka_unit_test(a_session_in_no_room_is_not_heard),
		cmocka_unit_test(random_membership_never_misses_or_leaks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
