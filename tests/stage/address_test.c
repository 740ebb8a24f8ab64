// SPDX-License-Identifier: BSD-3-Clause
//
// Where the node sends: nobody is sent anything before they proved their address, silent listeners
// hear, NAT rebinding is followed, nobody else can move a session (architecture.md decision 9).

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/dp_assert.h"
#include "session/receiver.h"
#include "stage/room_fixture.h"

static struct fixture f;
static struct client listener, speaker;

static void begin(void)
{
	fixture_init(&f, 0);
	client_init(&speaker, &f.node, 0, 10, f.guild, f.room, DP_SUITE_AES256_GCM_RTPSIZE);
	client_init(&listener, &f.node, 0, 11, f.guild, f.room, DP_SUITE_XCHACHA20_RTPSIZE);
	client_join(&speaker);
	assert_int_equal(client_add(&listener), 0);
	assert_int_equal(client_key(&listener), 0);
}

static void end(void)
{
	fixture_fini(&f);
	client_fini(&speaker);
	client_fini(&listener);
}

static bool hears(void)
{
	struct client_packet p;

	client_say(&speaker, "a", 1);
	return hear(&listener, &p);
}

static void a_listener_who_never_speaks_hears(void **state)
{
	(void)state;

	begin();
	assert_false(hears());
	assert_true(client_discover(&listener));
	assert_false(hears());
	assert_int_equal(client_hint(&listener), 0);
	assert_true(hears());
	end();
}

static void the_hint_may_come_before_the_discovery(void **state)
{
	(void)state;

	begin();
	assert_int_equal(client_hint(&listener), 0);
	assert_false(hears());
	assert_true(client_discover(&listener));
	assert_true(hears());
	end();
}

static void a_hint_alone_sends_nothing_to_a_victim(void **state)
{
	struct dp_addr own;
	(void)state;

	begin();
	assert_true(client_discover(&listener));
	own = listener.address;
	listener.address = packet_addr("203.0.113.66", 7777);
	assert_int_equal(client_hint(&listener), 0);
	assert_false(hears());
	listener.address = own;
	end();
}

static void a_strangers_discovery_does_not_move_a_hinted_session(void **state)
{
	struct client stranger;
	(void)state;

	begin();
	assert_true(client_discover(&listener));
	assert_int_equal(client_hint(&listener), 0);
	stranger = listener;
	stranger.address = packet_addr("203.0.113.66", 7777);
	assert_true(client_discover(&stranger)); // answered with as many bytes as it sent
	assert_true(hears());                    // by the listener, where it was
	end();
}

static void a_few_sources_of_discovery_are_remembered(void **state)
{
	struct client retry;
	(void)state;

	begin();
	assert_true(client_discover(&listener));
	for (unsigned i = 1; i < 4; i++) { // a new socket for every try
		retry = listener;
		retry.address.port = (uint16_t)(retry.address.port + i);
		assert_true(client_discover(&retry));
	}
	assert_int_equal(client_hint(&listener), 0);
	assert_true(hears());
	end();
}

static void an_authenticated_packet_opens_and_moves_the_address(void **state)
{
	struct client_packet p;
	(void)state;

	begin();
	client_say(&listener, "x", 1); // no discovery at all: it has the key
	assert_true(hear(&speaker, &p));
	assert_true(hears());
	listener.address.port++; // NAT gave it another port
	client_say(&listener, "y", 1);
	assert_true(hear(&speaker, &p));
	f.node.workers[0]->receivers[11].moved_tsc = 0; // long ago
	listener.address.port++;
	client_say(&listener, "z", 1);
	assert_true(hear(&speaker, &p));
	assert_true(hears());
	assert_true(node_counter(&f.node, DP_COUNTER_ADDRESS_MOVES) >= 1);
	end();
}

static void moves_are_limited(void **state)
{
	struct client_packet p;
	uint64_t moves;
	(void)state;

	begin();
	for (unsigned i = 0; i < 100; i++) {
		listener.address.port++;
		client_say(&listener, "y", 1);
		assert_true(hear(&speaker, &p));
	}
	// The first was no move; the others came within a fraction of a second of it.
	moves = node_counter(&f.node, DP_COUNTER_ADDRESS_MOVES);
	assert_in_range(moves, 0, DP_MOVES_PER_SECOND);
	f.node.workers[0]->receivers[11].moved_tsc = 0; // long ago
	listener.address.port++;
	client_say(&listener, "z", 1);
	assert_true(hear(&speaker, &p));
	assert_int_equal(node_counter(&f.node, DP_COUNTER_ADDRESS_MOVES), moves + 1);
	assert_true(hears()); // at the new address
	end();
}

static void a_replayed_packet_from_elsewhere_moves_nothing(void **state)
{
	uint8_t pkt[DP_PAYLOAD_SIZE_MAX];
	struct client thief;
	struct client_packet p;
	uint32_t size;
	(void)state;

	begin();
	size = client_seal(&listener, listener.seq, "x", 1, pkt);
	client_send_raw(&listener, pkt, size);
	assert_true(hear(&speaker, &p));
	f.node.workers[0]->receivers[11].moved_tsc = 0;
	thief = listener;
	thief.address = packet_addr("203.0.113.66", 7777);
	client_send_raw(&thief, pkt, size);
	assert_false(hear(&speaker, &p));
	assert_int_equal(node_verdict(&f.node, DP_SRTP_REPLAY), 1);
	assert_true(hears());
	// A late one, never seen, is heard, but is older than the newest: it moves nothing either.
	listener.seq = (uint16_t)(listener.seq + 10);
	client_say(&listener, "y", 1);
	assert_true(hear(&speaker, &p));
	size = client_seal(&listener, (uint16_t)(listener.seq - 5), "w", 1, pkt);
	client_send_raw(&thief, pkt, size);
	assert_true(hear(&speaker, &p));
	assert_true(hears());
	assert_int_equal(node_counter(&f.node, DP_COUNTER_ADDRESS_MOVES), 0);
	end();
}

static void discovery_is_answered_a_few_times_a_second(void **state)
{
	unsigned answered = 0;
	(void)state;

	begin();
	for (unsigned i = 0; i < 100; i++)
		answered += client_discover(&listener);
	assert_in_range(answered, DP_DISCOVERY_BURST, DP_DISCOVERY_BURST + 5);
	assert_int_equal(node_verdict(&f.node, DP_DISCOVERY_RATE), 100 - answered);
	end();
}

static void strangers_cannot_spend_a_clients_discovery(void **state)
{
	struct client stranger;
	(void)state;

	begin();
	for (unsigned i = 0; i < 300; i++) {
		stranger = listener;
		stranger.address = packet_addr("203.0.113.1", 7777);
		stranger.address.ip[3] = (uint8_t)(1 + i % 10);
		(void)client_discover(&stranger);
	}
	assert_true(node_verdict(&f.node, DP_DISCOVERY_RATE) > 0);
	assert_true(client_discover(&listener));
	assert_int_equal(client_hint(&listener), 0);
	assert_true(hears());
	end();
}

static void discovery_of_an_unknown_ssrc_is_not_answered(void **state)
{
	struct client nobody;
	(void)state;

	begin();
	nobody = listener;
	nobody.ssrc += 0x10000;
	assert_false(client_discover(&nobody));
	nobody.ssrc = listener.ssrc + 1; // of the session's block, but not what it was told
	assert_false(client_discover(&nobody));
	assert_int_equal(node_verdict(&f.node, DP_DISCOVERY_SSRC), 2);
	end();
}

static void ping_is_answered_where_an_address_was_proved(void **state)
{
	const uint8_t ping[8] = {0x13, 0x37, 0xca, 0xfe, 1, 2, 3, 4};
	struct node_datagram d;
	(void)state;

	begin();
	client_send_raw(&listener, ping, sizeof(ping));
	node_turn(&f.node);
	assert_false(node_take(&f.node, &d));
	assert_int_equal(node_verdict(&f.node, DP_PING_SOURCE), 1);
	client_send_raw(&speaker, ping, sizeof(ping));
	node_turn(&f.node);
	assert_true(node_take(&f.node, &d));
	assert_true(client_is_target(&speaker, &d));
	assert_int_equal(d.payload_size, 8);
	assert_memory_equal(d.payload, "\x13\x37\xf0\x0d\x01\x02\x03\x04", 8);
	end();
}

static void who_leaves_a_shared_socket_leaves_the_other_there(void **state)
{
	static const uint8_t ping[8] = {0x13, 0x37, 0xca, 0xfe, 0, 0, 0, 9};
	struct node_datagram d;
	union dp_msg cmd;
	(void)state;

	begin();
	listener.address = speaker.address; // one socket, two sessions
	assert_true(client_discover(&listener));
	assert_int_equal(client_hint(&listener), 0);
	for (unsigned round = 0; round < 2; round++) {
		client_send_raw(&listener, ping, sizeof(ping));
		node_turn(&f.node);
		assert_true(node_take(&f.node, &d));
		cmd = (union dp_msg){.dp_session_remove = {.session = listener.session}};
		if (round == 0)
			assert_int_equal(node_command(&f.node, 0, DP_MSG_SESSION_REMOVE, &cmd), 0);
	}
	cmd = (union dp_msg){.dp_session_remove = {.session = speaker.session}};
	assert_int_equal(node_command(&f.node, 0, DP_MSG_SESSION_REMOVE, &cmd), 0);
	client_send_raw(&listener, ping, sizeof(ping));
	node_turn(&f.node);
	assert_false(node_take(&f.node, &d));
	assert_int_equal(node_verdict(&f.node, DP_PING), 2);
	assert_int_equal(node_verdict(&f.node, DP_PING_SOURCE), 1);
	end();
}

static void keepalives_of_every_size_are_taken_and_unanswered(void **state)
{
	const uint8_t jda[9] = {0xc9}, zeros[8] = {0}, counter[8] = {0x80, 1},
		      ssrc[4] = {0, 1, 2, 3};
	struct node_datagram d;
	(void)state;

	begin();
	client_send_raw(&listener, jda, sizeof(jda));
	client_send_raw(&listener, zeros, sizeof(zeros));
	client_send_raw(&listener, counter, sizeof(counter));
	client_send_raw(&listener, ssrc, sizeof(ssrc));
	node_turn(&f.node);
	assert_false(node_take(&f.node, &d));
	assert_int_equal(node_verdict(&f.node, DP_KEEPALIVE), 4);
	end();
}

static const uint8_t keepalive[8] = {7};

// The MAC that the listener's media goes to now: the last byte.
static int next_hop(void)
{
	struct node_datagram d;

	client_say(&speaker, "a", 1);
	node_turn(&f.node);
	assert_true(node_take(&f.node, &d));
	assert_true(client_is_target(&listener, &d));
	assert_false(node_take(&f.node, &(struct node_datagram){0}));
	return d.target_mac[5];
}

static void after_ms(uint32_t ms)
{
	f.node.now_tsc += f.node.workers[0]->tsc_hz / 1000 * ms;
}

static void keepalive_by(uint8_t router)
{
	listener.mac[5] = router;
	client_send_raw(&listener, keepalive, sizeof(keepalive));
	node_turn(&f.node);
	assert_int_equal(node_drain(&f.node), 0); // never answered
}

static void a_silent_listener_follows_its_router(void **state)
{
	struct dp_addr at;
	(void)state;

	begin();
	f.node.now_tsc = UINT64_C(1) << 50;
	assert_true(client_discover(&listener));
	assert_int_equal(client_hint(&listener), 0);
	assert_int_equal(next_hop(), 11);
	keepalive_by(77);
	assert_int_equal(next_hop(), 77);
	keepalive_by(78); // too soon
	assert_int_equal(next_hop(), 77);
	after_ms(1000 / DP_MOVES_PER_SECOND + 1);
	keepalive_by(78);
	assert_int_equal(next_hop(), 78);
	// From any other address it says nothing.
	at = listener.address;
	after_ms(1000);
	listener.address.port++;
	keepalive_by(79);
	listener.address = at;
	listener.address.ip[3] ^= 1;
	keepalive_by(80);
	listener.address = at;
	assert_int_equal(next_hop(), 78);
	assert_int_equal(node_counter(&f.node, DP_COUNTER_NEXT_HOPS), 2);
	assert_int_equal(node_counter(&f.node, DP_COUNTER_ADDRESS_MOVES), 0);
	assert_int_equal(dp_shm_sessions(f.node.shm, 0)[listener.session.index].next_hop[5], 78);
	end();
}

static void a_keepalive_says_nothing_of_who_speaks(void **state)
{
	struct client_packet p;
	(void)state;

	begin();
	f.node.now_tsc = UINT64_C(1) << 50;
	assert_true(client_discover(&listener));
	assert_int_equal(client_hint(&listener), 0);
	client_say(&listener, "b", 1);
	assert_true(hear(&speaker, &p));
	after_ms(1000 * RECEIVER_SILENT_S - 10);
	keepalive_by(77);
	assert_int_equal(next_hop(), 11);
	client_say(&listener, "b", 1); // by the new router: this is a proof
	assert_true(hear(&speaker, &p));
	assert_int_equal(next_hop(), 77);
	after_ms(1000 * RECEIVER_SILENT_S + 10);
	keepalive_by(78);
	assert_int_equal(next_hop(), 78);
	end();
}

static void a_keepalive_looks_at_a_few_sessions(void **state)
{
	struct client crowd[DP_ALIVE_SESSIONS_MAX + 4];
	(void)state;

	begin();
	f.node.now_tsc = UINT64_C(1) << 50;
	for (unsigned i = 0; i < DP_ALIVE_SESSIONS_MAX + 4; i++) {
		client_init(&crowd[i], &f.node, 0, 20 + i, f.guild, f.room,
			DP_SUITE_AES256_GCM_RTPSIZE);
		crowd[i].address = listener.address;
		memcpy(crowd[i].mac, listener.mac, sizeof(listener.mac));
		assert_int_equal(client_add(&crowd[i]), 0);
		assert_int_equal(client_key(&crowd[i]), 0);
		assert_true(client_discover(&crowd[i]));
		assert_int_equal(client_hint(&crowd[i]), 0);
	}
	keepalive_by(77);
	assert_int_equal(node_counter(&f.node, DP_COUNTER_NEXT_HOPS), DP_ALIVE_SESSIONS_MAX);
	for (unsigned i = 0; i < DP_ALIVE_SESSIONS_MAX + 4; i++) // the last to come, first
		assert_int_equal(
			dp_shm_sessions(f.node.shm, 0)[crowd[i].session.index].next_hop[5] == 77,
			i >= 4);
	end();
	for (unsigned i = 0; i < DP_ALIVE_SESSIONS_MAX + 4; i++)
		client_fini(&crowd[i]);
}

static void all_of_it_works_over_ipv6(void **state)
{
	struct client_packet p;
	(void)state;

	begin();
	listener.address = packet_addr("2001:db8::77", 4444);
	listener.server = packet_addr("2001:db8::1", NODE_FIRST_PORT);
	assert_true(client_discover(&listener));
	assert_int_equal(client_hint(&listener), 0);
	assert_true(hears());
	client_say(&listener, "six", 3);
	assert_true(hear(&speaker, &p));
	assert_memory_equal(p.clear, "six", 3);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_listener_who_never_speaks_hears),
		cmocka_unit_test(the_hint_may_come_before_the_discovery),
		cmocka_unit_test(a_hint_alone_sends_nothing_to_a_victim),
		cmocka_unit_test(a_strangers_discovery_does_not_move_a_hinted_session),
		cmocka_unit_test(a_few_sources_of_discovery_are_remembered),
		cmocka_unit_test(an_authenticated_packet_opens_and_moves_the_address),
		cmocka_unit_test(moves_are_limited),
		cmocka_unit_test(a_replayed_packet_from_elsewhere_moves_nothing),
		cmocka_unit_test(discovery_is_answered_a_few_times_a_second),
		cmocka_unit_test(strangers_cannot_spend_a_clients_discovery),
		cmocka_unit_test(discovery_of_an_unknown_ssrc_is_not_answered),
		cmocka_unit_test(ping_is_answered_where_an_address_was_proved),
		cmocka_unit_test(who_leaves_a_shared_socket_leaves_the_other_there),
		cmocka_unit_test(keepalives_of_every_size_are_taken_and_unanswered),
		cmocka_unit_test(a_silent_listener_follows_its_router),
		cmocka_unit_test(a_keepalive_says_nothing_of_who_speaks),
		cmocka_unit_test(a_keepalive_looks_at_a_few_sessions),
		cmocka_unit_test(all_of_it_works_over_ipv6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
