// SPDX-License-Identifier: BSD-3-Clause
//
// The verifier itself: an honest node is found faultless, and every lie that a node could tell is
// named. The node is played by this test: it takes what a bot really sent from a loopback socket,
// opens it, and seals it again for the receiver, with one thing changed.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "load/hearing.h"
#include "load/swarm.h"
#include "load/tally.h"
#include "load/verify.h"
#include "loop/loop.h"

#define PACKET_SIZE_MAX 1024u
#define TALKER 0u    // guild 100, channel 1
#define LISTENER 1u  // the same channel
#define STRANGER 2u  // another guild
#define NEIGHBOUR 3u // another channel of the same guild
#define BOT_COUNT 4u
#define ARG_COUNT 12

struct world {
	struct loop *loop;
	struct options options;
	struct swarm *swarm;
	int node_fd; // the node's socket
	struct sockaddr_storage node;
	struct rtpsize_client node_ciphers[BOT_COUNT];
	uint32_t node_nonce;
	uint8_t plain[PACKET_SIZE_MAX]; // the talker's last packet
	size_t plain_size;
};

static void key_of(unsigned bot, uint8_t key[RTPSIZE_CLIENT_KEY_SIZE])
{
	memset(key, (int)(bot + 1), RTPSIZE_CLIENT_KEY_SIZE);
}

// What signaling would have done.
static void bot_join(struct world *world, unsigned index)
{
	struct bot *bot = &world->swarm->bots[index];
	uint8_t key[RTPSIZE_CLIENT_KEY_SIZE];

	key_of(index, key);
	bot->user_id = 1000 + index;
	bot->channel_id = bot->spec->channel_id;
	bot->media.node = world->node;
	bot->media.node_size = sizeof(struct sockaddr_in);
	bot->media.fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_true(bot->media.fd >= 0);
	snprintf(bot->voice.endpoint, sizeof(bot->voice.endpoint), "node:1");
	bot->voice.ssrc = 16 * (index + 1);
	bot->voice.state = BOT_VOICE_READY;
	swarm_ssrc_add(bot);
	assert_int_equal(bot_media_set_key(bot, RTPSIZE_CLIENT_AES256_GCM, key), 0);
	assert_int_equal(
		rtpsize_client_init(&world->node_ciphers[index], RTPSIZE_CLIENT_AES256_GCM, key),
		0);
	bot->joined = true;
	hearing_update(bot);
	hearing_get(bot, &world->swarm->bots[TALKER])->announced = true;
}

static int world_make(void **state)
{
	static struct world world;
	static char args[][24] = {"load", "--gateway", "http://h:1", "--join", "a:100:1:talk",
		"--join", "b:100:1:listen", "--join", "c:200:2:listen", "--join", "d:100:3:listen",
		"--seed=1"};
	char *argv[ARG_COUNT + 1] = {NULL};
	struct sockaddr_in *address = (struct sockaddr_in *)&world.node;
	socklen_t size = sizeof(*address);
	char why[256];

	memset(&world, 0, sizeof(world));
	for (unsigned i = 0; i < ARG_COUNT; i++)
		argv[i] = args[i];
	assert_int_equal(
		options_parse(ARG_COUNT, argv, &world.options, why, sizeof(why)), OPTIONS_RUN);
	world.loop = loop_create();
	assert_non_null(world.loop);
	assert_int_equal(swarm_create(world.loop, &world.options, &world.swarm), 0);
	world.node_fd = socket(AF_INET, SOCK_DGRAM, 0);
	address->sin_family = AF_INET;
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(world.node_fd, (struct sockaddr *)address, size), 0);
	assert_int_equal(getsockname(world.node_fd, (struct sockaddr *)address, &size), 0);
	for (unsigned i = 0; i < BOT_COUNT; i++)
		bot_join(&world, i);
	world.swarm->bots[TALKER].media.talking = true;
	*state = &world;
	return 0;
}

static int world_drop(void **state)
{
	struct world *world = *state;

	for (unsigned i = 0; i < BOT_COUNT; i++)
		rtpsize_client_fini(&world->node_ciphers[i]);
	swarm_close(world->swarm);
	loop_destroy(world->loop);
	swarm_destroy(world->swarm);
	options_fini(&world->options);
	close(world->node_fd);
	return 0;
}

static void talk(struct world *world)
{
	uint8_t sealed[PACKET_SIZE_MAX];

	assert_true(bot_media_tick(&world->swarm->bots[TALKER]));

	ssize_t size = recv(world->node_fd, sealed, sizeof(sealed), 0);

	assert_true(size > 0);
	assert_int_equal(rtpsize_client_open(&world->node_ciphers[TALKER], sealed, (size_t)size,
				 world->plain, &world->plain_size),
		0);
}

// The node's nonce counter as suffix.
static void suffix_make(uint32_t counter, uint8_t suffix[4])
{
	suffix[0] = (uint8_t)(0x80 | counter >> 23);
	suffix[1] = (uint8_t)(counter >> 15);
	suffix[2] = (uint8_t)(counter >> 7);
	suffix[3] = (uint8_t)(0x80 | (counter & 0x7f));
}

static void deliver_as(struct world *world, unsigned receiver, const uint8_t suffix[4])
{
	uint8_t sealed[PACKET_SIZE_MAX];
	uint64_t now_ns = swarm_clock_ns(CLOCK_REALTIME);

	assert_int_equal(rtpsize_client_seal(&world->node_ciphers[receiver], world->plain,
				 world->plain_size, suffix, sealed),
		0);
	verify_datagram(&world->swarm->bots[receiver], sealed,
		world->plain_size + RTPSIZE_CLIENT_OVERHEAD_SIZE, &world->node, now_ns);
}

static void deliver(struct world *world, unsigned receiver)
{
	uint8_t suffix[4];

	suffix_make(++world->node_nonce, suffix);
	deliver_as(world, receiver, suffix);
}

static uint64_t bad_count(const struct world *world)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < SWARM_BAD_COUNT; i++)
		count += world->swarm->bad[i];
	return count;
}

// Exactly this is wrong, once, and nothing else.
static void bad_is(struct world *world, enum swarm_bad bad)
{
	assert_int_equal(world->swarm->bad[bad], 1);
	assert_int_equal(bad_count(world), 1);
	assert_int_equal(world->swarm->leak_count, 0);
}

static struct tally tally_of(const struct world *world, unsigned bot)
{
	struct tally tally;

	tally_guild(&world->swarm->guilds[world->swarm->bots[bot].guild_index], UINT64_MAX, &tally);
	return tally;
}

static void an_honest_node_is_faultless(void **state)
{
	struct world *world = *state;

	for (unsigned i = 0; i < 700; i++) { // more than the whole speech
		talk(world);
		deliver(world, LISTENER);
	}

	struct tally tally = tally_of(world, TALKER);

	assert_int_equal(bad_count(world), 0);
	assert_int_equal(world->swarm->leak_count, 0);
	assert_int_equal(tally.sent_count, 700);
	assert_int_equal(tally.expected_count, 700);
	assert_int_equal(tally.received_count, 700);
	assert_int_equal(world->swarm->guilds[0].second_us.total_count, 700);
	assert_int_equal(tally_of(world, STRANGER).expected_count, 0);
}

static void a_missing_packet_is_lost(void **state)
{
	struct world *world = *state;

	for (unsigned i = 0; i < 100; i++) {
		talk(world);
		if (i % 10 != 9) // also the very last one
			deliver(world, LISTENER);
	}

	struct tally tally = tally_of(world, TALKER);

	assert_int_equal(tally_lost(&tally), 10);
	assert_true(tally_loss_ratio(&tally) > 0.0999 && tally_loss_ratio(&tally) < 0.1001);
	assert_int_equal(bad_count(world), 0);
}

static void a_packet_in_another_guild_is_a_leak(void **state)
{
	struct world *world = *state;

	talk(world);
	deliver(world, STRANGER);
	assert_int_equal(world->swarm->leak_count, 1);
}

static void a_packet_in_another_channel_is_a_leak(void **state)
{
	struct world *world = *state;

	talk(world);
	deliver(world, NEIGHBOUR);
	assert_int_equal(world->swarm->leak_count, 1);
}

static void a_mute_that_does_not_take_effect_is_a_leak(void **state)
{
	struct world *world = *state;
	struct bot *talker = &world->swarm->bots[TALKER];
	struct hearing *hearing = hearing_get(&world->swarm->bots[LISTENER], talker);

	talk(world);
	deliver(world, LISTENER);
	talker->mute = true;
	talker->moves_count++;
	hearing_update(talker);
	talk(world);
	deliver(world, LISTENER); // may have been on its way
	assert_int_equal(world->swarm->leak_count, 0);
	assert_int_equal(world->swarm->after_close_count, 1);
	hearing->suspect_ns -= HEARING_GRACE_NS + 1; // half a second later
	talk(world);
	deliver(world, LISTENER);
	assert_int_equal(world->swarm->leak_count, 1);
	// What was sent while muted is not lost when it does not come.
	assert_int_equal(tally_of(world, TALKER).expected_count, 1);
}

static void an_unmuted_talker_is_expected_again(void **state)
{
	struct world *world = *state;
	struct bot *talker = &world->swarm->bots[TALKER];

	for (unsigned i = 0; i < 30; i++) {
		talker->mute = i >= 10 && i < 20;
		hearing_update(talker);
		talk(world);
		// The node continues the numbers without a gap.
		world->plain[3] = (uint8_t)(i < 10 ? i : i - 10);
		world->plain[2] = 0;
		if (!talker->mute)
			deliver(world, LISTENER);
	}

	struct tally tally = tally_of(world, TALKER);

	assert_int_equal(bad_count(world), 0);
	assert_int_equal(tally.expected_count, 20);
	assert_int_equal(tally.received_count, 20);
}

static void names_a_foreign_source(void **state)
{
	struct world *world = *state;
	uint16_t *port = &((struct sockaddr_in *)&world->node)->sin_port;

	talk(world);
	*port = (uint16_t)(*port ^ 1);
	deliver(world, LISTENER);
	bad_is(world, SWARM_BAD_SOURCE);
}

static void names_a_wrong_key(void **state)
{
	struct world *world = *state;
	uint8_t suffix[4];
	uint8_t sealed[PACKET_SIZE_MAX];

	talk(world);
	suffix_make(1, suffix);
	assert_int_equal(rtpsize_client_seal(&world->node_ciphers[STRANGER], world->plain,
				 world->plain_size, suffix, sealed),
		0);
	verify_datagram(&world->swarm->bots[LISTENER], sealed,
		world->plain_size + RTPSIZE_CLIENT_OVERHEAD_SIZE, &world->node, 0);
	bad_is(world, SWARM_BAD_TAG);
	verify_datagram(&world->swarm->bots[LISTENER], sealed, 20, &world->node, 0);
	assert_int_equal(world->swarm->bad[SWARM_BAD_MALFORMED], 1);
}

static void names_a_nonce_of_the_client(void **state)
{
	struct world *world = *state;
	const uint8_t suffix[4] = {0, 0, 0, 1};

	talk(world);
	deliver_as(world, LISTENER, suffix);
	bad_is(world, SWARM_BAD_NONCE_SPACE);
}

static void names_a_nonce_used_twice(void **state)
{
	struct world *world = *state;
	uint8_t suffix[4];

	talk(world);
	deliver(world, LISTENER);
	suffix_make(world->node_nonce, suffix);
	deliver_as(world, LISTENER, suffix); // the network doubled it: no fault of the node
	assert_int_equal(bad_count(world), 0);
	assert_int_equal(tally_of(world, TALKER).duplicate_count, 1);
	talk(world);
	deliver_as(world, LISTENER, suffix);
	bad_is(world, SWARM_BAD_NONCE_REPEAT);
}

static void names_what_is_wrong_in_the_packet(void **state)
{
	static const struct {
		unsigned offset;
		uint8_t flip;
		enum swarm_bad bad;
	} lies[] = {
		{1, 0x01, SWARM_BAD_HEADER},        // payload type 121
		{7, 0x01, SWARM_BAD_TIMESTAMP},     // between two frames
		{5, 0x80, SWARM_BAD_TIMESTAMP},     // a frame that never was
		{11, 0x01, SWARM_BAD_UNKNOWN_SSRC}, // nobody's
		{12, 0x01, SWARM_BAD_PAYLOAD},      // first byte of the frame
	};
	struct world *world = *state;

	for (unsigned i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		memset(world->swarm->bad, 0, sizeof(world->swarm->bad));
		talk(world);
		world->plain[lies[i].offset] ^= lies[i].flip;
		deliver(world, LISTENER);
		bad_is(world, lies[i].bad);
	}
	memset(world->swarm->bad, 0, sizeof(world->swarm->bad));
	talk(world);
	world->plain_size--;
	deliver(world, LISTENER);
	bad_is(world, SWARM_BAD_PAYLOAD);
}

static void names_a_sequence_number_that_runs_ahead(void **state)
{
	struct world *world = *state;

	talk(world);
	deliver(world, LISTENER);
	talk(world);
	world->plain[2] ^= 0x10;
	deliver(world, LISTENER);
	bad_is(world, SWARM_BAD_SEQ);
}

static void names_a_talker_that_was_never_announced(void **state)
{
	struct world *world = *state;
	struct hearing *hearing =
		hearing_get(&world->swarm->bots[LISTENER], &world->swarm->bots[TALKER]);

	hearing->announced = false;
	talk(world);
	deliver(world, LISTENER); // op 5 may be a little late
	assert_int_equal(bad_count(world), 0);
	hearing->unannounced_ns -= HEARING_GRACE_NS + 1;
	talk(world);
	deliver(world, LISTENER);
	bad_is(world, SWARM_BAD_UNANNOUNCED);
}

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, world_make, world_drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(an_honest_node_is_faultless),
		WORLD_TEST(a_missing_packet_is_lost),
		WORLD_TEST(a_packet_in_another_guild_is_a_leak),
		WORLD_TEST(a_packet_in_another_channel_is_a_leak),
		WORLD_TEST(a_mute_that_does_not_take_effect_is_a_leak),
		WORLD_TEST(an_unmuted_talker_is_expected_again),
		WORLD_TEST(names_a_foreign_source),
		WORLD_TEST(names_a_wrong_key),
		WORLD_TEST(names_a_nonce_of_the_client),
		WORLD_TEST(names_a_nonce_used_twice),
		WORLD_TEST(names_what_is_wrong_in_the_packet),
		WORLD_TEST(names_a_sequence_number_that_runs_ahead),
		WORLD_TEST(names_a_talker_that_was_never_announced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
