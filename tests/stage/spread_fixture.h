// SPDX-License-Identifier: BSD-3-Clause
//
// Rooms over several workers: two voice channels of one guild with a part on each worker, a
// stranger's guild with a channel of the same number beside them, and what each member must hear.
#pragma once

#include <string.h>

#include "api/dp_assert.h"
#include "support/node.h"

#define SPREAD_MEMBERS_MAX 12u
#define SPREAD_ROOMS 2u
#define SPREAD_CHANNEL 77u // of room 0; the next ones follow

// One stream as one receiver has heard it.
struct spread_heard {
	bool any;
	uint16_t seq;
	uint32_t last, count; // of what was said: a number that counts all speech
};

struct spread_member {
	struct client c;
	uint32_t serial;   // times it joined: another session, SSRC and key each
	unsigned room;     // SPREAD_ROOMS: in none
	bool in, stranger; // stranger: of the other guild
};

struct spread {
	struct node node;
	unsigned worker_count, member_count;
	struct spread_member member[SPREAD_MEMBERS_MAX];
	struct spread_heard heard[SPREAD_MEMBERS_MAX][SPREAD_MEMBERS_MAX]; // by receiver, sender
	uint32_t expected[SPREAD_MEMBERS_MAX][SPREAD_MEMBERS_MAX];
	uint32_t said; // so far, by all
};

// Each worker has slots of its own for the same room.
static inline struct dp_handle spread_guild(unsigned worker, bool stranger)
{
	return (struct dp_handle){.index = stranger ? 3 : worker, .generation = 5 + worker};
}

static inline struct dp_handle spread_room(unsigned worker, unsigned room, bool stranger)
{
	if (room == SPREAD_ROOMS)
		return (struct dp_handle){0};
	return (struct dp_handle){
		.index = 1 + worker + 4 * room + (stranger ? 20 : 0), .generation = 9 + worker};
}

static inline uint64_t spread_peers(const struct spread *s, unsigned worker)
{
	return ((1ull << s->worker_count) - 1) & ~(1ull << worker);
}

// What control says after HELLO, but for the sessions.
static inline void spread_open(struct spread *s)
{
	for (unsigned w = 0; w < s->worker_count; w++) {
		for (unsigned stranger = 0; stranger < 2; stranger++) {
			union dp_msg cmd = {.dp_guild_open = {.guild = spread_guild(w, stranger),
						    .guild_id = 4000 + stranger}};

			DP_ASSERT(node_command(&s->node, w, DP_MSG_GUILD_OPEN, &cmd) == 0);
			for (unsigned room = 0; room < SPREAD_ROOMS; room++)
				DP_ASSERT(node_room_part(&s->node, w, spread_guild(w, stranger),
						  spread_room(w, room, stranger),
						  SPREAD_CHANNEL + room, spread_peers(s, w)) == 0);
		}
	}
}

static inline void spread_join(struct spread *s, unsigned who, unsigned room)
{
	struct spread_member *m = &s->member[who];
	unsigned worker = who % s->worker_count;

	if (m->c.expanded != NULL)
		client_fini(&m->c);
	client_init(&m->c, &s->node, worker, who, spread_guild(worker, m->stranger),
		spread_room(worker, room, m->stranger),
		who & 2 ? DP_SUITE_XCHACHA20_RTPSIZE : DP_SUITE_AES256_GCM_RTPSIZE);
	m->serial++;
	m->c.session.generation = m->serial;
	m->c.ssrc += m->serial * 65536 * DP_SSRCS_PER_SESSION;
	m->c.key[0] = (uint8_t)(m->c.key[0] + m->serial);
	client_expand(&m->c);
	client_join(&m->c);
	m->in = true;
	m->room = room;
	for (unsigned i = 0; i < s->member_count; i++) {
		s->heard[who][i] = s->heard[i][who] = (struct spread_heard){0};
		s->expected[who][i] = s->expected[i][who] = 0;
	}
}

static inline void spread_leave(struct spread *s, unsigned who)
{
	struct spread_member *m = &s->member[who];
	union dp_msg cmd = {.dp_session_remove = {.session = m->c.session}};

	DP_ASSERT(node_command(&s->node, m->c.worker, DP_MSG_SESSION_REMOVE, &cmd) == 0);
	m->in = false;
}

static inline void spread_set(struct spread *s, unsigned who, unsigned room, uint32_t flags)
{
	struct spread_member *m = &s->member[who];

	DP_ASSERT(client_set(&m->c, spread_room(m->c.worker, room, m->stranger), flags) == 0);
	m->room = room;
	(void)s;
}

// Member i lives on worker i % worker_count; the last is the stranger.
static inline void spread_init(struct spread *s, struct node_geometry geometry, unsigned members)
{
	memset(s, 0, sizeof(*s));
	geometry.guild_count = 4;
	if (geometry.session_count == 0)
		geometry.session_count = 64;
	geometry.leg_count = 512;
	node_init(&s->node, &geometry);
	node_unlimit(&s->node);
	s->worker_count = geometry.worker_count;
	s->member_count = members;
	DP_ASSERT(members <= SPREAD_MEMBERS_MAX);
	spread_open(s);
	for (unsigned i = 0; i < members; i++) {
		s->member[i].stranger = i == members - 1;
		spread_join(s, i, 0);
	}
}

// The dataplane dies; control tells the next one everything.
static inline void spread_restart(struct spread *s)
{
	union dp_msg cmd = {0};

	node_restart(&s->node);
	spread_open(s);
	for (unsigned i = 0; i < s->member_count; i++) {
		if (!s->member[i].in)
			continue;
		DP_ASSERT(client_add(&s->member[i].c) == 0);
		DP_ASSERT(client_key(&s->member[i].c) == 0);
	}
	for (unsigned w = 0; w < s->worker_count; w++) {
		cmd.header = (struct dp_msg_header){0};
		DP_ASSERT(node_command(&s->node, w, DP_MSG_REPLAYED, &cmd) == 0);
	}
}

static inline bool spread_hears(const struct spread *s, unsigned who, unsigned speaker)
{
	const struct spread_member *to = &s->member[who], *from = &s->member[speaker];

	return who != speaker && to->in && from->in && to->stranger == from->stranger &&
	       to->room == from->room && to->room != SPREAD_ROOMS &&
	       !(to->c.flags & DP_SESSION_DEAF_ANY) && !(from->c.flags & DP_SESSION_MUTE);
}

// One packet before the node, and who must hear it. Nothing turns.
static inline void spread_say(struct spread *s, unsigned who)
{
	uint32_t number = ++s->said;
	uint8_t word[8];

	memcpy(word, &number, 4);
	memcpy(word + 4, &who, 4);
	client_say(&s->member[who].c, word, sizeof(word));
	for (unsigned i = 0; i < s->member_count; i++)
		s->expected[i][who] += spread_hears(s, i, who);
}

static inline void spread_read(struct spread *s, const struct node_datagram *d)
{
	struct client_packet p;
	struct spread_heard *h;
	uint32_t number, speaker;
	unsigned who = 0;

	while (who < s->member_count && !client_is_target(&s->member[who].c, d))
		who++;
	DP_ASSERT(who < s->member_count);
	DP_ASSERT(client_open(&s->member[who].c, d, &p));
	DP_ASSERT(p.clear_size == 8 + 4u * p.has_ext);
	memcpy(&number, p.clear + 4 * p.has_ext, 4);
	memcpy(&speaker, p.clear + 4 * p.has_ext + 4, 4);
	DP_ASSERT(speaker < s->member_count && p.ssrc == s->member[speaker].c.ssrc);
	DP_ASSERT(s->member[who].stranger == s->member[speaker].stranger);
	h = &s->heard[who][speaker];
	DP_ASSERT(number > h->last); // in order, and nothing twice
	DP_ASSERT(!h->any || (uint16_t)(p.seq - h->seq) == 1);
	*h = (struct spread_heard){
		.any = true, .seq = p.seq, .last = number, .count = h->count + 1};
}

// Turns until nothing moves; everybody has heard exactly what was for them.
static inline void spread_check(struct spread *s)
{
	struct node_datagram d;

	node_turn(&s->node);
	while (node_take(&s->node, &d))
		spread_read(s, &d);
	for (unsigned i = 0; i < s->member_count; i++) {
		for (unsigned k = 0; k < s->member_count; k++)
			DP_ASSERT(s->heard[i][k].count == s->expected[i][k]);
	}
	node_check_ledger(&s->node);
	DP_ASSERT(node_counter(&s->node, DP_COUNTER_CROSSED_OUT) ==
		  node_counter(&s->node, DP_COUNTER_CROSSED_IN));
}

static inline void spread_fini(struct spread *s)
{
	node_fini(&s->node);
	for (unsigned i = 0; i < s->member_count; i++)
		client_fini(&s->member[i].c);
}
