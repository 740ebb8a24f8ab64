// SPDX-License-Identifier: BSD-3-Clause
//
// A member that floods its room with good packets: so many a second go on, the rest has a name, and
// nobody else notices. The clock is the test's.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stage/room_fixture.h"

static struct fixture f;

static void begin(unsigned members)
{
	fixture_init(&f, members);
	f.node.now_tsc = UINT64_C(1) << 50;
}

static void after_ms(uint32_t ms)
{
	f.node.now_tsc += f.node.workers[0]->tsc_hz / 1000 * ms;
}

static uint64_t refused(void)
{
	return node_verdict(&f.node, DP_STREAM_RATE);
}

// Says so many at once, returns how many others heard.
static unsigned say(struct client *c, unsigned count)
{
	unsigned heard = 0;

	for (unsigned i = 0; i < count; i++) {
		client_say(c, "flood", 5);
		node_turn(&f.node);
		heard += node_drain(&f.node);
	}
	return heard;
}

static void a_flood_is_cut_to_its_burst_and_rate(void **state)
{
	(void)state;
	begin(2);
	assert_int_equal(say(&f.member[0], DP_AUDIO_PACKETS_BURST), DP_AUDIO_PACKETS_BURST);
	assert_int_equal(refused(), 0);
	assert_int_equal(say(&f.member[0], 1000), 0);
	assert_int_equal(refused(), 1000);
	after_ms(1000);
	assert_int_equal(say(&f.member[0], 1000), DP_AUDIO_PACKETS_PER_SECOND);
	after_ms(1000 * 3600); // silence earns no more than one burst
	assert_int_equal(say(&f.member[0], 1000), DP_AUDIO_PACKETS_BURST);
	fixture_fini(&f);
}

static void fifty_times_its_rate_for_ten_seconds(void **state)
{
	unsigned heard = 0;
	struct client_packet p;
	(void)state;

	begin(3);
	for (unsigned frame = 0; frame < 500; frame++) { // of 20 ms
		heard += say(&f.member[0], 50);
		assert_int_equal(say(&f.member[1], 1), 2); // never one of the others'
		after_ms(20);
	}
	assert_in_range(heard / 2, DP_AUDIO_PACKETS_BURST + 9 * DP_AUDIO_PACKETS_PER_SECOND,
		DP_AUDIO_PACKETS_BURST + 10 * DP_AUDIO_PACKETS_PER_SECOND);
	assert_int_equal(heard / 2 + refused(), 500 * 50);
	// It is still followed, and heard as soon as it keeps to its rate.
	after_ms(10);
	client_say(&f.member[0], "sorry", 5);
	assert_true(hear(&f.member[1], &p));
	assert_memory_equal(p.clear, "sorry", 5);
	node_drain(&f.node);
	fixture_fini(&f);
}

// What was left out is not missed: the receiver's numbers go on without a gap.
static void what_is_refused_leaves_no_gap(void **state)
{
	struct client_packet before, after;
	(void)state;

	begin(2);
	assert_int_equal(say(&f.member[0], DP_AUDIO_PACKETS_BURST - 1), DP_AUDIO_PACKETS_BURST - 1);
	client_say(&f.member[0], "last", 4);
	assert_true(hear(&f.member[1], &before));
	assert_int_equal(say(&f.member[0], 100), 0);
	assert_int_equal(refused(), 100);
	after_ms(1000);
	client_say(&f.member[0], "next", 4);
	assert_true(hear(&f.member[1], &after));
	assert_memory_equal(after.clear, "next", 4);
	assert_int_equal((uint16_t)(after.seq - before.seq), 1);
	fixture_fini(&f);
}

static void frames_of_ten_milliseconds_are_no_flood(void **state)
{
	(void)state;
	begin(2);
	for (unsigned frame = 0; frame < 6000; frame++) {
		assert_int_equal(say(&f.member[0], 1), 1);
		after_ms(10);
	}
	for (unsigned stall = 0; stall < 10; stall++) { // what was kept back comes at once
		after_ms(4000);
		assert_int_equal(say(&f.member[0], 400), 400);
	}
	assert_int_equal(refused(), 0);
	fixture_fini(&f);
}

static void a_forger_uses_up_nothing(void **state)
{
	uint8_t pkt[DP_PAYLOAD_SIZE_MAX];
	uint32_t size;
	(void)state;

	begin(2);
	size = client_seal(&f.member[0], f.member[0].seq, "forged", 6, pkt);
	pkt[size - 6] ^= 1;
	for (unsigned i = 0; i < 2000; i++) {
		client_send_raw(&f.member[0], pkt, size);
		node_turn(&f.node);
	}
	assert_int_equal(node_verdict(&f.node, DP_SRTP_AUTH), 2000);
	assert_int_equal(say(&f.member[0], DP_AUDIO_PACKETS_BURST), DP_AUDIO_PACKETS_BURST);
	fixture_fini(&f);
}

static void a_flood_under_mute_is_named_mute(void **state)
{
	(void)state;
	begin(2);
	assert_int_equal(client_set(&f.member[0], f.room, DP_SESSION_MUTE), 0);
	assert_int_equal(say(&f.member[0], 2 * DP_MUTED_SAMPLE), 0);
	assert_int_equal(node_verdict(&f.node, DP_MUTED), 2 * DP_MUTED_SAMPLE);
	assert_int_equal(client_set(&f.member[0], f.room, 0), 0);
	assert_int_equal(say(&f.member[0], 1), 1);
	assert_int_equal(refused(), 0);
	fixture_fini(&f);
}

// A forger makes nobody pay, and hides nobody: the index follows the sender through a flood.
static void a_forged_flood_under_mute_costs_no_crypto(void **state)
{
	uint8_t pkt[DP_PAYLOAD_SIZE_MAX];
	uint64_t forged = 0;
	uint32_t size;
	(void)state;

	begin(2);
	assert_int_equal(client_set(&f.member[0], f.room, DP_SESSION_MUTE), 0);
	size = client_seal(&f.member[0], f.member[0].seq, "forged", 6, pkt);
	pkt[size - 6] ^= 1;
	for (; forged < 4 * (DP_MUTED_SAMPLE + DP_MUTED_RETRIES); forged++) {
		client_send_raw(&f.member[0], pkt, size);
		node_turn(&f.node);
	}
	assert_int_equal(node_verdict(&f.node, DP_SRTP_AUTH), 4 * (1 + DP_MUTED_RETRIES));
	assert_int_equal(
		node_verdict(&f.node, DP_MUTED) + node_verdict(&f.node, DP_SRTP_AUTH), forged);
	// One of eight is the sender's, always the same of a sample's place: without a retry none
	// would be seen. Its numbers turn over once and a half.
	for (unsigned said = 0; said < 3 * 32768; said++) {
		(void)say(&f.member[0], 1);
		for (unsigned i = 0; i < 7; i++)
			client_send_raw(&f.member[0], pkt, size);
		node_turn(&f.node);
	}
	assert_int_equal(client_set(&f.member[0], f.room, 0), 0);
	assert_int_equal(say(&f.member[0], 1), 1);
	fixture_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flood_is_cut_to_its_burst_and_rate),
		cmocka_unit_test(fifty_times_its_rate_for_ten_seconds),
		cmocka_unit_test(what_is_refused_leaves_no_gap),
		cmocka_unit_test(frames_of_ten_milliseconds_are_no_flood),
		cmocka_unit_test(a_forger_uses_up_nothing),
		cmocka_unit_test(a_flood_under_mute_is_named_mute),
		cmocka_unit_test(a_forged_flood_under_mute_costs_no_crypto),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
