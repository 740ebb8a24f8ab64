// SPDX-License-Identifier: BSD-3-Clause
//
// Guilds and voice channels on several workers: which parts there are, what they cost, and that a
// successor finds the same. Random histories against a model that counts by hand.

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "registry/placement.h"
#include "registry/registry.h"

#define WORKERS 3u
#define GUILDS 2u
#define CHANNELS 3u // of each guild
#define USERS 24u   // of each guild
#define CAPACITY 700u

static const struct intent_params params = {
	.worker_count = WORKERS, .guild_count = 4, .room_count = 8, .session_count = 16};
static const uint8_t digest[INTENT_DIGEST_SIZE] = {1, 2, 3};

static int fd = -1;
static struct intent *intent;
static struct registry *registry;

static void rise(void)
{
	bool is_fresh;

	assert_int_equal(intent_open(fd, &params, &intent, &is_fresh), 0);
	assert_int_equal(registry_create(intent, &registry), 0);
	if (is_fresh)
		registry_seed(registry, (const uint8_t[SSRC_KEY_SIZE]){77});
	for (uint32_t worker = 0; worker < WORKERS; worker++)
		registry_set_capacity(registry, worker, CAPACITY);
}

static void fall(void)
{
	registry_destroy(registry);
	intent_close(intent);
}

static int setup(void **state)
{
	(void)state;
	fd = memfd_create("intent", MFD_CLOEXEC);
	assert_true(fd >= 0);
	rise();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fall();
	close(fd);
	return 0;
}

// As the voice server does, with a packet engine that acknowledges at once.
static void tidy(void)
{
	struct guild_part *guild;
	struct room_part *room;

	while ((room = registry_idle_room_part(registry)) != NULL) {
		(void)registry_room_part_remove(registry, room);
		registry_room_part_free(registry, room);
	}
	while ((guild = registry_idle_guild_part(registry)) != NULL) {
		registry_guild_part_remove(guild);
		registry_guild_part_free(registry, guild);
	}
}

static uint64_t used(uint32_t worker)
{
	struct registry_load load;

	registry_load(registry, worker, &load);
	return load.used_pps;
}

static struct guild *add_guild(uint64_t id)
{
	struct guild *guild;

	assert_int_equal(registry_guild_add(registry, id, 5, &guild), 0);
	return guild;
}

static struct session *add_session(
	struct guild *guild, uint64_t user, uint32_t worker, uint64_t channel)
{
	char session_id[33];
	struct session *session;
	struct registry_session_params p = {.guild = guild,
		.worker = worker,
		.user_id = user,
		.version = 8,
		.session_id = session_id,
		.token_digest = digest};

	snprintf(session_id, sizeof(session_id), "%032llx", (unsigned long long)user);
	p.part = registry_room_part_get(registry, guild, worker, channel);
	assert_non_null(p.part);
	assert_int_equal(registry_session_add(registry, &p, &session), 0);
	session->intent->phase = INTENT_PHASE_READY;
	return session;
}

static unsigned count_parts(const struct room *room)
{
	unsigned count = 0;

	for (const struct room_part *part = room->parts; part != NULL; part = part->next)
		count++;
	return count;
}

static void members_of_a_channel_meet_across_workers(void **state)
{
	struct guild *guild = add_guild(1);
	struct session *a = add_session(guild, 1, 0, 100), *b = add_session(guild, 2, 2, 100),
		       *c = add_session(guild, 3, 2, 100);

	(void)state;
	assert_ptr_equal(a->room, b->room);
	assert_ptr_equal(b->part, c->part);
	assert_int_equal(a->room->member_count, 3);
	assert_int_equal(count_parts(a->room), 2);
	assert_int_equal(b->part->member_count, 2);
	assert_int_equal(b->part->guild->worker, 2);
	assert_int_equal(used(0), placement_price(3));
	assert_int_equal(used(1), 0);
	assert_int_equal(used(2), 2 * placement_price(3));
	registry_session_remove(registry, a);
	assert_int_equal(used(0), 0);
	assert_int_equal(used(2), 2 * placement_price(2));
	tidy();
	assert_int_equal(count_parts(b->room), 1);
	assert_non_null(registry_guild_home(guild)); // as long as the guild is here
	registry_session_remove(registry, b);
	registry_session_remove(registry, c);
	tidy();
	assert_null(guild->rooms);
	assert_null(guild->parts->next);
	assert_int_equal(used(2), 0);
}

static void a_successor_finds_every_part(void **state)
{
	struct session *a = add_session(add_guild(1), 1, 0, 100);
	struct session *b = add_session(a->guild, 2, 1, 100);
	struct dp_handle on_zero = room_handle(a->part), on_one = room_handle(b->part);
	struct dp_handle guild_on_one = guild_handle(b->guild_part);

	(void)state;
	fall();
	rise();
	a = registry_session_find(registry, 1, 1);
	b = registry_session_find(registry, 1, 2);
	assert_ptr_equal(a->room, b->room);
	assert_ptr_equal(registry_room_part_at(registry, 0, on_zero), a->part);
	assert_ptr_equal(registry_room_part_at(registry, 1, on_one), b->part);
	assert_ptr_equal(registry_guild_part_at(registry, 1, guild_on_one), b->guild_part);
	assert_int_equal(b->part->phase, ROOM_PART_OPEN);
	assert_int_equal(a->guild->worker, a->guild_part->worker);
	assert_int_equal(used(0), 50);
	assert_int_equal(used(1), 50);
	// Who never saw Ready ends with the process, and with it what it alone needed.
	b->intent->phase = INTENT_PHASE_ADDING;
	fall();
	rise();
	assert_null(registry_session_find(registry, 1, 2));
	assert_int_equal(registry_room_part_at(registry, 1, on_one)->intent->state, INTENT_GONE);
	assert_int_equal(
		registry_guild_part_at(registry, 1, guild_on_one)->intent->state, INTENT_GONE);
	assert_int_equal(registry_room_part_at(registry, 0, on_zero)->intent->state, INTENT_LIVE);
}

static void a_guild_that_is_gone_takes_its_parts_along(void **state)
{
	struct guild *guild = add_guild(1);
	struct session *a = add_session(guild, 1, 1, 100);
	struct dp_handle part = guild_handle(a->guild_part), room = room_handle(a->part);
	struct guild_part *home = registry_guild_home(guild);

	(void)state;
	assert_int_not_equal(guild->worker, 1);
	// Killed in the middle of its end: the home part is gone, the others do not know yet.
	intent_set_state(&home->intent->state, INTENT_GONE);
	fall();
	rise();
	assert_null(registry_guild_find(registry, 1));
	assert_int_equal(registry_guild_part_at(registry, 1, part)->intent->state, INTENT_GONE);
	assert_int_equal(registry_room_part_at(registry, 1, room)->intent->state, INTENT_GONE);
	assert_null(registry_session_find(registry, 1, 1));
	assert_int_equal(used(1), 0);
}

static void a_token_keeps_a_place(void **state)
{
	struct guild *guild = add_guild(1);
	struct intent_pending pending = {
		.guild_id = 1, .user_id = 1, .channel_id = 100, .worker = 2, .expires_ms = 50};

	(void)state;
	assert_int_equal(registry_pending_put(registry, &pending), 0);
	assert_int_equal(used(2), 50);
	tidy();
	assert_int_equal(count_parts(guild->rooms), 1);
	fall();
	rise();
	guild = registry_guild_find(registry, 1);
	assert_int_equal(guild->rooms->parts->arriving_count, 1);
	assert_int_equal(used(2), 50);
	assert_int_equal(
		registry_pending_move(registry, registry_pending_find(registry, 1, 1), 1, 200), 0);
	tidy();
	assert_int_equal(used(2), 0);
	assert_int_equal(used(1), 50);
	assert_int_equal(guild->rooms->channel_id, 200);
	registry_pending_sweep(registry, 0, 50);
	tidy();
	assert_null(guild->rooms);
	assert_int_equal(used(1), 0);
}

// --- random histories ---

struct place {
	bool is_there;
	uint32_t worker;
	uint64_t channel;
};

static struct {
	struct place session[USERS + 1], token[USERS + 1];
} model[GUILDS + 1];

static uint32_t random_state;

static uint32_t any(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state % below;
}

static void count(uint64_t guild, uint64_t channel, uint32_t counts[WORKERS])
{
	memset(counts, 0, WORKERS * sizeof(counts[0]));
	for (unsigned user = 1; user <= USERS; user++) {
		const struct place *session = &model[guild].session[user],
				   *token = &model[guild].token[user];

		if (session->is_there && session->channel == channel)
			counts[session->worker]++;
		if (token->is_there && token->channel == channel)
			counts[token->worker]++;
	}
}

static struct room *find_room(const struct guild *guild, uint64_t channel)
{
	struct room *room = guild->rooms;

	while (room != NULL && room->channel_id != channel)
		room = room->guild_next;
	return room;
}

static void check_channel(uint64_t guild_id, uint64_t channel, uint64_t want[WORKERS])
{
	struct room *room = find_room(registry_guild_find(registry, guild_id), channel);
	uint32_t counts[WORKERS], size = 0, parts = 0;

	count(guild_id, channel, counts);
	for (uint32_t worker = 0; worker < WORKERS; worker++) {
		size += counts[worker];
		parts += counts[worker] > 0;
	}
	for (uint32_t worker = 0; worker < WORKERS; worker++)
		want[worker] += (uint64_t)counts[worker] * placement_price(size);
	assert_int_equal(room != NULL, parts > 0);
	if (room == NULL)
		return;
	assert_int_equal(room->size, size);
	assert_int_equal(count_parts(room), parts);
	for (const struct room_part *part = room->parts; part != NULL; part = part->next)
		assert_int_equal(part->member_count + part->arriving_count, counts[part->worker]);
}

static void check_guild(uint64_t guild_id)
{
	const struct guild *guild = registry_guild_find(registry, guild_id);
	bool needs[WORKERS] = {false}, has[WORKERS] = {false};

	needs[guild->worker] = true;
	for (const struct room *room = guild->rooms; room != NULL; room = room->guild_next)
		for (const struct room_part *part = room->parts; part != NULL; part = part->next)
			needs[part->worker] = true;
	for (const struct guild_part *part = guild->parts; part != NULL; part = part->next) {
		assert_false(has[part->worker]);
		has[part->worker] = true;
	}
	assert_memory_equal(needs, has, sizeof(needs));
}

static void check(void)
{
	uint64_t want[WORKERS] = {0};

	for (uint64_t guild = 1; guild <= GUILDS; guild++) {
		for (uint64_t channel = 1; channel <= CHANNELS; channel++)
			check_channel(guild, channel, want);
		check_guild(guild);
	}
	for (uint32_t worker = 0; worker < WORKERS; worker++)
		assert_int_equal(used(worker), want[worker]);
}

static unsigned admitted, refused;

// What was admitted fits; what was not is explained.
static void check_admission(int worker, const uint64_t before[WORKERS], bool is_own_place)
{
	for (uint32_t at = 0; at < WORKERS && worker >= 0 && !is_own_place; at++)
		if (used(at) > before[at])
			assert_true(used(at) <= CAPACITY);
}

static void announce(struct guild *guild, uint64_t guild_id, uint64_t user, uint64_t channel)
{
	struct place *token = &model[guild_id].token[user];
	const struct place *session = &model[guild_id].session[user];
	struct intent_pending pending = {
		.guild_id = guild_id, .user_id = user, .channel_id = channel, .expires_ms = 50};
	struct intent_pending *older = registry_pending_find(registry, guild_id, user);
	struct placement_refusal refusal = {.worker = WORKERS};
	uint64_t before[WORKERS];
	int worker;

	if (older != NULL)
		registry_pending_remove(registry, older);
	token->is_there = false;
	for (uint32_t at = 0; at < WORKERS; at++)
		before[at] = used(at);
	worker = registry_place(registry, guild, channel, user, &refusal);
	if (worker < 0) {
		refused++;
		if (worker == -EDQUOT)
			assert_true(
				refusal.worker < WORKERS &&
				refusal.used_pps + refusal.price_pps > placement_budget(CAPACITY));
		else
			assert_int_equal(worker, -ENOSPC);
		return;
	}
	admitted++;
	pending.worker = (uint32_t)worker;
	assert_int_equal(registry_pending_put(registry, &pending), 0);
	*token = (struct place){.is_there = true, .worker = (uint32_t)worker, .channel = channel};
	check_admission(worker, before, session->is_there);
}

static void end(uint64_t guild_id, uint64_t user)
{
	struct session *session = registry_session_find(registry, guild_id, user);

	if (session == NULL)
		return;
	registry_session_remove(registry, session);
	registry_session_free(registry, session);
	model[guild_id].session[user].is_there = false;
}

static void identify(struct guild *guild, uint64_t guild_id, uint64_t user)
{
	struct intent_pending *pending = registry_pending_find(registry, guild_id, user);
	struct place *token = &model[guild_id].token[user];

	assert_int_equal(pending != NULL, token->is_there);
	if (pending == NULL)
		return;
	end(guild_id, user);
	add_session(guild, user, pending->worker, pending->channel_id);
	registry_pending_remove(registry, pending);
	model[guild_id].session[user] = *token;
	token->is_there = false;
}

static void change_channel(uint64_t guild_id, uint64_t user, uint64_t channel)
{
	struct session *session = registry_session_find(registry, guild_id, user);
	struct placement_refusal refusal;
	struct room_part *part;

	if (session == NULL || registry_place_move(registry, session, channel, &refusal) != 0)
		return;
	part = registry_room_part_get(registry, session->guild, session->worker, channel);
	if (part == NULL)
		return;
	registry_room_part_hold(registry, part);
	registry_session_move(registry, session, part);
	registry_room_part_release(registry, part);
	model[guild_id].session[user].channel = channel;
}

static void step(void)
{
	uint64_t guild_id = 1 + any(GUILDS), user = 1 + any(USERS), channel = 1 + any(CHANNELS);
	struct guild *guild = registry_guild_find(registry, guild_id);
	struct intent_pending *pending = registry_pending_find(registry, guild_id, user);
	uint32_t dice = any(100);

	if (dice < 35) {
		announce(guild, guild_id, user, channel);
	} else if (dice < 65) {
		identify(guild, guild_id, user);
	} else if (dice < 80) {
		change_channel(guild_id, user, channel);
	} else if (dice < 90) {
		end(guild_id, user);
	} else if (dice < 96 && pending != NULL) {
		registry_pending_remove(registry, pending);
		model[guild_id].token[user].is_there = false;
	} else if (dice >= 98) {
		fall();
		rise();
	}
	tidy();
	check();
}

static void any_history_costs_what_is_there(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 40; seed++) {
		random_state = seed * 2654435761u | 1;
		memset(model, 0, sizeof(model));
		for (uint64_t guild = 1; guild <= GUILDS; guild++)
			add_guild(guild);
		for (unsigned steps = 0; steps < 600; steps++)
			step();
		teardown(NULL);
		setup(NULL);
	}
	assert_true(admitted > 1000); // both were there
	assert_true(refused > 100);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(members_of_a_channel_meet_across_workers),
		TEST(a_successor_finds_every_part),
		TEST(a_guild_that_is_gone_takes_its_parts_along),
		TEST(a_token_keeps_a_place),
		TEST(any_history_costs_what_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
