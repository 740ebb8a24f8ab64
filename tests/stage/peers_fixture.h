// SPDX-License-Identifier: BSD-3-Clause
//
// A room of peers of any suites, in lock step: what one says is held against what every other one
// hears, byte for byte, with sequence numbers that have no gap. For cmocka tests.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/peer.h"

#define PEERS_MAX 20
#define SAID_MAX 32

struct peers {
	struct node node;
	struct dp_handle guild, room, other_room;
	struct peer member[PEERS_MAX];
	unsigned count;
	struct packet_random random;
	struct peer_packet said[SAID_MAX]; // and not heard yet
	unsigned speaker, said_count;
};

static inline struct node_geometry peers_geometry(void)
{
	return (struct node_geometry){
		.worker_count = 1, .guild_count = 4, .session_count = 64, .leg_count = 1024};
}

// 'suites' in turn, all in one room.
static inline void peers_init_as(struct peers *f, unsigned count, const enum dp_suite *suites,
	unsigned suite_count, const struct node_geometry *geometry)
{
	memset(f, 0, sizeof(*f));
	node_init(&f->node, geometry);
	node_unlimit(&f->node);
	f->guild = (struct dp_handle){.index = 1, .generation = 5};
	f->room = (struct dp_handle){.index = 2, .generation = 6};
	f->other_room = (struct dp_handle){.index = 3, .generation = 7};
	f->count = count;
	f->random.state = 11;
	assert_int_equal(node_guild(&f->node, 0, f->guild), 0);
	assert_int_equal(node_room(&f->node, 0, f->guild, f->room), 0);
	assert_int_equal(node_room(&f->node, 0, f->guild, f->other_room), 0);
	for (unsigned i = 0; i < count; i++) {
		peer_init(
			&f->member[i], &f->node, 0, i, f->guild, f->room, suites[i % suite_count]);
		client_join(&f->member[i].client);
	}
}

static inline void peers_init(
	struct peers *f, unsigned count, const enum dp_suite *suites, unsigned suite_count)
{
	struct node_geometry geometry = peers_geometry();

	peers_init_as(f, count, suites, suite_count, &geometry);
}

static inline void peers_fini(struct peers *f)
{
	assert_int_equal(f->said_count, 0);
	node_fini(&f->node);
	for (unsigned i = 0; i < f->count; i++)
		peer_fini(&f->member[i]);
}

// The next packet of a peer, of random bytes.
static inline struct peer_packet peers_packet(
	struct peers *f, unsigned speaker, int ext_words, uint32_t payload_size)
{
	struct client *c = &f->member[speaker].client;
	struct peer_packet p = {.ssrc = c->ssrc,
		.seq = c->seq++,
		.timestamp = c->timestamp,
		.ext_words = ext_words,
		.ext_profile = 0xbede,
		.marker = c->seq % 3 == 0};

	c->timestamp += 960;
	p.clear_size = (uint16_t)(payload_size + (ext_words > 0 ? (uint32_t)ext_words * 4 : 0));
	packet_random_fill(&f->random, p.clear, p.clear_size);
	return p;
}

static inline void peers_send(struct peers *f, unsigned speaker, const struct peer_packet *p)
{
	uint8_t pkt[2 * DP_PAYLOAD_SIZE_MAX];
	uint32_t size = peer_seal(&f->member[speaker], p, pkt);

	client_send_raw(&f->member[speaker].client, pkt, size);
}

// Says something that everybody is to hear: peers_hear() then. One speaker at a time.
static inline void peers_say(
	struct peers *f, unsigned speaker, int ext_words, uint32_t payload_size)
{
	struct peer_packet *p = &f->said[f->said_count];

	assert_true(f->said_count < SAID_MAX);
	*p = peers_packet(f, speaker, ext_words, payload_size);
	peers_send(f, speaker, p);
	f->speaker = speaker;
	f->said_count++;
}

static inline unsigned peers_target(const struct peers *f, const struct node_datagram *d)
{
	unsigned i = 0;

	while (i < f->count && !client_is_target(&f->member[i].client, d))
		i++;
	assert_true(i < f->count);
	return i;
}

static inline void peers_check(struct peers *f, const struct peer_packet *said,
	const struct peer_packet *heard, const struct peer_heard *before)
{
	(void)f;
	assert_int_equal(heard->ssrc, said->ssrc);
	assert_int_equal(heard->timestamp, said->timestamp);
	assert_int_equal(heard->marker, said->marker);
	assert_int_equal(heard->ext_words, said->ext_words);
	if (said->ext_words >= 0)
		assert_int_equal(heard->ext_profile, said->ext_profile);
	assert_int_equal(heard->clear_size, said->clear_size);
	assert_memory_equal(heard->clear, said->clear, said->clear_size);
	if (before->count > 0)
		assert_int_equal((uint16_t)(heard->seq - before->newest), 1);
}

// What was said is heard: all of it, in order, once, by the members of bit set 'listeners', and by
// nobody else.
static inline void peers_hear_by(struct peers *f, uint32_t listeners)
{
	unsigned heard[PEERS_MAX] = {0};
	struct node_datagram d;

	node_turn(&f->node);
	while (node_take(&f->node, &d)) {
		unsigned i = peers_target(f, &d);
		struct peer_heard before =
			*peer_heard(&f->member[i], f->member[f->speaker].client.ssrc);
		struct peer_packet p;

		assert_true(listeners & 1u << i);
		assert_true(heard[i] < f->said_count);
		assert_true(peer_open(&f->member[i], &d, &p));
		peers_check(f, &f->said[heard[i]++], &p, &before);
		// Of a stream that is new to it, a receiver of SRTP knows roll-over counter 0.
		if (before.count == 0 && f->member[i].rx != NULL)
			assert_true(p.index < 0x8000);
		if (before.count > 0 && f->member[i].rx != NULL)
			assert_int_equal(p.index, before.newest + 1);
	}
	for (unsigned i = 0; i < f->count; i++)
		assert_int_equal(heard[i], listeners & 1u << i ? f->said_count : 0);
	f->said_count = 0;
}

static inline void peers_hear(struct peers *f)
{
	peers_hear_by(f, ((1u << f->count) - 1) & ~(1u << f->speaker));
}

// What control does after HELLO.
static inline void peers_replay_intent(struct peers *f)
{
	assert_int_equal(node_guild(&f->node, 0, f->guild), 0);
	assert_int_equal(node_room(&f->node, 0, f->guild, f->room), 0);
	assert_int_equal(node_room(&f->node, 0, f->guild, f->other_room), 0);
	for (unsigned i = 0; i < f->count; i++) {
		assert_int_equal(client_add(&f->member[i].client), 0);
		assert_int_equal(client_key(&f->member[i].client), 0);
	}
}
