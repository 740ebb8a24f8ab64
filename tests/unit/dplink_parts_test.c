// SPDX-License-Identifier: BSD-3-Clause
//
// A voice channel on several workers, as the packet engine hears of it: which part is told of which
// others and when, through deaths of either side. The engine here keeps books and refuses what the
// real one would refuse.

#include <errno.h>

#include "support/dplink_fixture.h"

#define CHANNEL 100u

static const uint8_t digest[INTENT_DIGEST_SIZE];

static struct session *join(struct guild *guild, uint64_t user, uint32_t worker, uint64_t channel)
{
	struct registry_session_params p = {.guild = guild,
		.worker = worker,
		.user_id = user,
		.session_id = "s",
		.token_digest = digest};
	struct session *session;

	p.part = registry_room_part_get(registry, guild, worker, channel);
	if (p.part == NULL || registry_session_add(registry, &p, &session) != 0)
		return NULL;
	session->intent->phase = INTENT_PHASE_READY;
	resync_session_add(resync, session, NULL, NULL);
	return session;
}

static void tidy(void)
{
	struct guild_part *guild;
	struct room_part *room;

	while ((room = registry_idle_room_part(registry)) != NULL) {
		struct room *rest = registry_room_part_remove(registry, room);

		resync_room_close(resync, room, rest);
	}
	while ((guild = registry_idle_guild_part(registry)) != NULL) {
		registry_guild_part_remove(guild);
		resync_guild_close(resync, guild, NULL, NULL);
	}
}

static void leave(struct session *session)
{
	registry_session_remove(registry, session);
	resync_session_remove(resync, session, NULL, NULL);
	tidy();
}

static void ack_all(uint32_t epoch)
{
	for (union dp_msg msg = engine_gets(); msg.header.type != DP_MSG_NONE; msg = engine_gets())
		engine_acks(&msg, epoch, 0);
}

// A guild at home on worker 0 with one member there.
static struct guild *one_part(struct session **member)
{
	struct guild *guild;

	assert_int_equal(registry_guild_add(registry, 11, 1, &guild), 0);
	assert_int_equal(guild->worker, 0);
	resync_guild_open(resync, registry_guild_home(guild), NULL, NULL);
	*member = join(guild, 1, 0, CHANNEL);
	return guild;
}

static void a_part_is_named_once_it_is_open(void **state)
{
	struct session *a, *b;
	struct guild *guild;
	union dp_msg msg;

	(void)state;
	engine_comes(3);
	guild = one_part(&a);
	ack_all(3);
	b = join(guild, 2, 1, CHANNEL);
	msg = expect(DP_MSG_GUILD_OPEN);
	assert_int_equal(msg.header.worker, 1);
	assert_int_equal(msg.dp_guild_open.guild_id, 11);
	engine_acks(&msg, 3, 0);
	msg = expect(DP_MSG_ROOM_OPEN);
	assert_int_equal(msg.header.worker, 1);
	assert_int_equal(msg.dp_room_open.channel_id, CHANNEL);
	assert_int_equal(msg.dp_room_open.peers, 1); // what is said there is heard at once
	expect(DP_MSG_SESSION_ADD);
	assert_int_equal(engine_gets().header.type, DP_MSG_NONE);
	engine_acks(&msg, 3, 0);
	msg = expect(DP_MSG_ROOM_SET);
	assert_int_equal(msg.header.worker, 0);
	assert_int_equal(msg.dp_room_set.room.index, a->part->index);
	assert_int_equal(msg.dp_room_set.peers, 2);
	engine_acks(&msg, 3, 0);
	leave(b);
	expect(DP_MSG_SESSION_REMOVE);
	msg = expect(DP_MSG_ROOM_SET); // nobody sends there any more
	assert_int_equal(msg.header.worker, 0);
	assert_int_equal(msg.dp_room_set.peers, 0);
	msg = expect(DP_MSG_ROOM_CLOSE);
	assert_int_equal(msg.header.worker, 1);
	msg = expect(DP_MSG_GUILD_CLOSE);
	assert_int_equal(msg.header.worker, 1);
	assert_int_equal(engine_gets().header.type, DP_MSG_NONE);
}

static void two_that_open_at_once_find_each_other(void **state)
{
	union dp_msg guild_open, open[2], msg;
	struct session *a;
	struct guild *guild;

	(void)state;
	engine_comes(3);
	guild = one_part(&a);
	join(guild, 2, 1, CHANNEL);
	expect(DP_MSG_GUILD_OPEN);
	open[0] = expect(DP_MSG_ROOM_OPEN);
	expect(DP_MSG_SESSION_ADD);
	guild_open = expect(DP_MSG_GUILD_OPEN);
	open[1] = expect(DP_MSG_ROOM_OPEN);
	expect(DP_MSG_SESSION_ADD);
	assert_int_equal(guild_open.header.worker, 1);
	assert_int_equal(open[0].dp_room_open.peers, 0);
	assert_int_equal(open[1].dp_room_open.peers, 0);
	engine_acks(&open[1], 3, 0);
	msg = expect(DP_MSG_ROOM_SET);
	assert_int_equal(msg.header.worker, 0);
	assert_int_equal(msg.dp_room_set.peers, 2);
	engine_acks(&open[0], 3, 0);
	msg = expect(DP_MSG_ROOM_SET);
	assert_int_equal(msg.header.worker, 1);
	assert_int_equal(msg.dp_room_set.peers, 1);
}

static void a_part_that_was_refused_is_never_named(void **state)
{
	struct session *a, *b;
	struct guild *guild;
	union dp_msg msg;

	(void)state;
	engine_comes(3);
	guild = one_part(&a);
	ack_all(3);
	b = join(guild, 2, 1, CHANNEL);
	msg = expect(DP_MSG_GUILD_OPEN);
	engine_acks(&msg, 3, 0);
	msg = expect(DP_MSG_ROOM_OPEN);
	engine_acks(&msg, 3, -ENOSPC);
	msg = expect(DP_MSG_SESSION_ADD);
	assert_int_equal(refusals, 0);
	engine_acks(&msg, 3, -ESTALE);
	assert_int_equal(refusals, 1);
	assert_ptr_equal(refused, b);
	leave(b);
	expect(DP_MSG_SESSION_REMOVE);
	expect(DP_MSG_ROOM_CLOSE);
	expect(DP_MSG_GUILD_CLOSE);
	assert_int_equal(engine_gets().header.type, DP_MSG_NONE);
}

// --- the engine's books ---

#define ROOMS 6u // slots per worker
#define MEMBERS 700u

struct book_room {
	uint32_t generation; // 0: not there
	uint32_t guild;      // its slot
	uint64_t channel_id, peers;
};

static struct book {
	uint32_t guild[4]; // generation
	struct book_room room[ROOMS];
	struct {
		uint32_t generation, room; // room: slot; UINT32_MAX: in none
	} session[MEMBERS];
} books[2];

static bool has_members(const struct book *book, uint32_t room)
{
	for (unsigned at = 0; at < MEMBERS; at++)
		if (book->session[at].generation != 0 && book->session[at].room == room)
			return true;
	return false;
}

// As room_open() of the engine: a channel has one part here that may have peers.
static bool is_spread_already(const struct book *book, uint64_t channel_id)
{
	for (unsigned at = 0; at < ROOMS; at++)
		if (book->room[at].generation != 0 && book->room[at].channel_id == channel_id &&
			book->room[at].peers != 0)
			return true;
	return false;
}

static int apply_open(struct book *book, const struct dp_room_open *open)
{
	struct book_room *room = &book->room[open->room.index];

	if (book->guild[open->guild.index] != open->guild.generation)
		return -ESTALE;
	if (room->generation == open->room.generation)
		return -EEXIST;
	if (room->generation != 0)
		return -EBUSY;
	if (open->peers != 0 && is_spread_already(book, open->channel_id))
		return -EINVAL;
	*room = (struct book_room){
		open->room.generation, open->guild.index, open->channel_id, open->peers};
	return 0;
}

static int apply_set(struct book *book, const struct dp_room_set *set)
{
	struct book_room *room = &book->room[set->room.index];

	if (room->generation != set->room.generation)
		return -ESTALE;
	if (set->peers != 0 && room->peers == 0 && is_spread_already(book, room->channel_id))
		return -EINVAL;
	room->peers = set->peers;
	return 0;
}

static int enter(struct book *book, uint32_t session, struct dp_handle room)
{
	if (room.generation != 0 && book->room[room.index].generation != room.generation)
		return -ESTALE;
	book->session[session].room = room.generation == 0 ? UINT32_MAX : room.index;
	return 0;
}

static int apply_room(struct book *book, const union dp_msg *msg)
{
	struct dp_handle handle = msg->dp_room_close.room;

	if (msg->header.type == DP_MSG_ROOM_OPEN)
		return apply_open(book, &msg->dp_room_open);
	if (msg->header.type == DP_MSG_ROOM_SET)
		return apply_set(book, &msg->dp_room_set);
	if (book->room[handle.index].generation != handle.generation)
		return -ESTALE;
	if (has_members(book, handle.index))
		return -EBUSY;
	book->room[handle.index].generation = 0;
	return 0;
}

static int apply_guild(struct book *book, const union dp_msg *msg)
{
	struct dp_handle handle = msg->dp_guild_open.guild;
	uint32_t *generation = &book->guild[handle.index];

	if (msg->header.type == DP_MSG_GUILD_OPEN) {
		if (*generation == handle.generation)
			return -EEXIST;
		assert_int_equal(*generation, 0);
		*generation = handle.generation;
		return 0;
	}
	if (*generation != handle.generation)
		return -ESTALE;
	for (unsigned at = 0; at < ROOMS; at++) // control closes them first
		assert_false(
			book->room[at].generation != 0 && book->room[at].guild == handle.index);
	*generation = 0;
	return 0;
}

static int apply_session(struct book *book, const union dp_msg *msg)
{
	struct dp_handle handle = msg->dp_session_add.session;
	uint32_t *generation = &book->session[handle.index].generation;

	if (msg->header.type == DP_MSG_SESSION_ADD) {
		if (*generation == handle.generation)
			return -EEXIST;
		assert_int_equal(*generation, 0);
		if (enter(book, handle.index, msg->dp_session_add.room) != 0)
			return -ESTALE;
		*generation = handle.generation;
		return 0;
	}
	if (*generation != handle.generation)
		return -ESTALE;
	if (msg->header.type == DP_MSG_SESSION_SET)
		return enter(book, handle.index, msg->dp_session_set.room);
	*generation = 0;
	return 0;
}

static int apply(const union dp_msg *msg)
{
	struct book *book = &books[msg->header.worker];

	switch (msg->header.type) {
	case DP_MSG_GUILD_OPEN:
	case DP_MSG_GUILD_CLOSE:
		return apply_guild(book, msg);
	case DP_MSG_ROOM_OPEN:
	case DP_MSG_ROOM_SET:
	case DP_MSG_ROOM_CLOSE:
		return apply_room(book, msg);
	case DP_MSG_SESSION_ADD:
	case DP_MSG_SESSION_SET:
	case DP_MSG_SESSION_REMOVE:
		return apply_session(book, msg);
	default:
		assert_int_equal(msg->header.type, DP_MSG_REPLAYED);
		return 0;
	}
}

static uint32_t engine_epoch;

// At most 'most' commands are done; false: there were fewer.
static bool work(unsigned most)
{
	for (; most > 0; most--) {
		union dp_msg msg = engine_gets();

		if (msg.header.type == DP_MSG_NONE)
			return false;
		engine_acks(&msg, engine_epoch, apply(&msg));
	}
	return true;
}

static void engine_dies(void)
{
	memset(books, 0, sizeof(books));
	while (engine_gets().header.type != DP_MSG_NONE)
		;
	engine_comes(++engine_epoch);
}

// Its successor has the memfd, and the engine goes on with what it has. Commands that were sent are
// done, since they are in the socket.
static void control_dies(void)
{
	const struct resync_events events = {.up = on_up,
		.down = on_down,
		.refused = on_refused,
		.session_refused = on_session_refused};
	bool is_fresh;

	resync_destroy(resync);
	registry_destroy(registry);
	intent_close(intent);
	for (union dp_msg msg = engine_gets(); msg.header.type != DP_MSG_NONE; msg = engine_gets())
		(void)apply(&msg);
	assert_int_equal(intent_open(memfd, &params, &intent, &is_fresh), 0);
	assert_false(is_fresh);
	assert_int_equal(registry_create(intent, &registry), 0);
	assert_int_equal(resync_create(NULL, registry, own_end, OWN, &events, &resync), 0);
	watch = fake_last_watch;
	resync_start(resync);
	engine_comes(engine_epoch);
}

// All is told: the engine's rooms are the registry's, and each knows exactly the others.
static void check_books(void)
{
	unsigned rooms = 0;

	for (struct room_part *part = registry_room_part_next(registry, NULL); part != NULL;
		part = registry_room_part_next(registry, part)) {
		const struct book_room *room = &books[part->worker].room[part->index];
		uint64_t peers = 0;

		assert_int_equal(part->intent->state, INTENT_LIVE);
		for (struct room_part *at = part->room->parts; at != NULL; at = at->next)
			peers |= at == part ? 0 : 1ull << at->worker;
		assert_int_equal(room->generation, part->intent->generation);
		assert_int_equal(room->channel_id, part->intent->channel_id);
		assert_int_equal(room->peers, peers);
		rooms++;
	}
	for (unsigned worker = 0; worker < 2; worker++)
		for (unsigned at = 0; at < ROOMS; at++)
			rooms -= books[worker].room[at].generation != 0;
	assert_int_equal(rooms, 0);
	for (struct session *session = registry_session_next(registry, NULL); session != NULL;
		session = registry_session_next(registry, session)) {
		assert_int_equal(books[session->worker].session[session->index].generation,
			session->intent->generation);
		assert_int_equal(
			books[session->worker].session[session->index].room, session->part->index);
	}
}

static void settle(void)
{
	for (unsigned pass = 0; pass < 40; pass++) {
		while (work(100))
			;
		fake_loop_pass(RESYNC_RETRY_MS, 50);
	}
	while (work(100))
		;
}

static uint32_t random_state;

static uint32_t any(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state % below;
}

static void step(uint64_t guild_id)
{
	struct guild *guild = registry_guild_find(registry, guild_id);
	uint64_t user = 1 + any(6);
	struct session *session = registry_session_find(registry, guild_id, user);
	uint32_t dice = any(100);

	if (dice < 50 && session == NULL)
		join(guild, user, any(2), CHANNEL + any(2));
	else if (dice < 50)
		leave(session);
	else if (dice < 90)
		work(1 + any(4));
	else if (dice < 93)
		engine_dies();
	else if (dice < 96)
		control_dies();
	else
		fake_loop_pass(100, 50);
}

static void parts_agree_after_any_history(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 60; seed++) {
		struct guild *guild;

		random_state = seed * 2654435761u | 1;
		memset(books, 0, sizeof(books));
		engine_comes(engine_epoch = 3);
		assert_int_equal(registry_guild_add(registry, 11, 1, &guild), 0);
		resync_guild_open(resync, registry_guild_home(guild), NULL, NULL);
		for (unsigned steps = 0; steps < 300; steps++)
			step(11);
		settle();
		check_books();
		assert_int_equal(refusals, 0);
		teardown(NULL);
		setup(NULL);
	}
}

static void a_successor_of_either_side_is_told_of_every_part(void **state)
{
	struct session *a;
	struct guild *guild;
	union dp_msg msg;

	(void)state;
	memset(books, 0, sizeof(books));
	engine_comes(engine_epoch = 3);
	guild = one_part(&a);
	join(guild, 2, 1, CHANNEL);
	engine_dies(); // before it acknowledged anything
	for (unsigned worker = 0; worker < 2; worker++) {
		msg = expect(DP_MSG_GUILD_OPEN);
		assert_int_equal(msg.header.worker, worker);
		engine_acks(&msg, engine_epoch, apply(&msg));
	}
	for (unsigned worker = 0; worker < 2; worker++) {
		msg = expect(DP_MSG_ROOM_OPEN);
		assert_int_equal(msg.header.worker, worker);
		assert_int_equal(msg.dp_room_open.peers, worker == 0 ? 2 : 1);
		engine_acks(&msg, engine_epoch, apply(&msg));
		msg = expect(DP_MSG_ROOM_SET);
		engine_acks(&msg, engine_epoch, apply(&msg));
	}
	settle();
	check_books();
	control_dies(); // the engine forwards on, and must not hear of fewer peers meanwhile
	for (msg = engine_gets(); msg.header.type != DP_MSG_NONE; msg = engine_gets()) {
		if (msg.header.type == DP_MSG_ROOM_SET)
			assert_int_equal(msg.dp_room_set.peers, msg.header.worker == 0 ? 2 : 1);
		engine_acks(&msg, engine_epoch, apply(&msg));
	}
	settle();
	check_books();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_part_is_named_once_it_is_open),
		TEST(two_that_open_at_once_find_each_other),
		TEST(a_part_that_was_refused_is_never_named),
		TEST(a_successor_of_either_side_is_told_of_every_part),
		TEST(parts_agree_after_any_history),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
