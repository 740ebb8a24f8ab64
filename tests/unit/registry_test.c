// SPDX-License-Identifier: BSD-3-Clause
//
// Guilds, rooms, sessions and tokens, and what a successor finds in the memfd after this process
// was killed at any point.

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "registry/registry.h"

static const struct intent_params params = {
	.worker_count = 2, .guild_count = 4, .room_count = 6, .session_count = 6};
static const uint8_t digest[INTENT_DIGEST_SIZE] = {1, 2, 3};

static int fd = -1;
static struct intent *intent;
static struct registry *registry;

static void open_all(bool want_fresh)
{
	bool is_fresh;

	assert_int_equal(intent_open(fd, &params, &intent, &is_fresh), 0);
	assert_int_equal(is_fresh, want_fresh);
	assert_int_equal(registry_create(intent, &registry), 0);
}

static void close_all(void)
{
	registry_destroy(registry);
	intent_close(intent);
	registry = NULL;
	intent = NULL;
}

// A SIGKILL: the successor has the memfd and nothing else.
static void die_and_rise(void)
{
	close_all();
	open_all(false);
}

static int setup(void **state)
{
	(void)state;
	fd = memfd_create("intent", MFD_CLOEXEC);
	assert_true(fd >= 0);
	open_all(true);
	registry_seed(registry, (const uint8_t[SSRC_KEY_SIZE]){77});
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	close_all();
	close(fd);
	return 0;
}

static struct guild *add_guild(uint64_t id)
{
	struct guild *guild;

	assert_int_equal(registry_guild_add(registry, id, 5, &guild), 0);
	return guild;
}

static struct session *add_session(struct guild *guild, uint64_t user, uint64_t channel)
{
	char session_id[33];
	struct session *session;
	struct registry_session_params p = {.guild = guild,
		.worker = guild->worker,
		.user_id = user,
		.version = 8,
		.session_id = session_id,
		.token_digest = digest};

	snprintf(session_id, sizeof(session_id), "%032llx", (unsigned long long)user);
	if (channel != 0)
		p.part = registry_room_part_get(registry, guild, p.worker, channel);
	assert_int_equal(registry_session_add(registry, &p, &session), 0);
	return session;
}

static void guilds_spread_over_workers(void **state)
{
	struct guild *a = add_guild(1), *b = add_guild(2);

	(void)state;
	assert_int_not_equal(a->worker, b->worker);
	add_session(a, 10, 100);
	assert_int_equal(add_guild(3)->worker, b->worker);
	assert_int_equal(registry_guild_add(registry, 3, 6, &a), -EEXIST);
	assert_ptr_equal(registry_guild_find(registry, 2), b);
	assert_null(registry_guild_find(registry, 4));
}

static void a_full_node_refuses(void **state)
{
	struct guild *guild;

	(void)state;
	for (uint64_t id = 1; id <= 8; id++)
		add_guild(id);
	assert_int_equal(registry_guild_add(registry, 9, 1, &guild), -ENOSPC);
	registry_guild_remove(registry, registry_guild_find(registry, 3));
	// Its slot is not free before the packet engine has acknowledged.
	assert_int_equal(registry_guild_add(registry, 9, 1, &guild), -ENOSPC);
}

static void a_slot_returns_with_another_generation(void **state)
{
	struct guild *guild = add_guild(1);
	struct session *first = add_session(guild, 10, 100);
	struct dp_handle old = session_handle(first);
	uint32_t worker = first->worker;
	struct session *second;

	(void)state;
	registry_session_remove(registry, first);
	assert_ptr_equal(registry_session_at(registry, worker, old), first); // GONE, to be acked
	registry_session_free(registry, first);
	assert_null(registry_session_at(registry, worker, old));
	second = add_session(guild, 11, 100);
	assert_int_equal(session_handle(second).index, old.index);
	assert_int_not_equal(session_handle(second).generation, old.generation);
	assert_null(registry_session_at(registry, worker, old));
}

static void sessions_are_found_by_user_and_by_id(void **state)
{
	struct guild *a = add_guild(1), *b = add_guild(2);
	struct session *first = add_session(a, 10, 100), *second = add_session(b, 10, 100);
	const char *id = first->intent->session_id; // one main session, two guilds

	(void)state;
	assert_ptr_equal(registry_session_find(registry, 1, 10), first);
	assert_ptr_equal(registry_session_find(registry, 2, 10), second);
	assert_null(registry_session_find(registry, 1, 11));
	assert_ptr_equal(registry_session_find_by_id(registry, 1, id), first);
	assert_ptr_equal(registry_session_find_by_id(registry, 2, id), second);
	registry_session_remove(registry, first);
	assert_null(registry_session_find_by_id(registry, 1, id));
	assert_null(registry_session_find(registry, 1, 10));
}

static void ssrcs_of_a_node_are_distinct(void **state)
{
	struct session *a = add_session(add_guild(1), 1, 9), *b = add_session(add_guild(2), 1, 9);

	(void)state;
	assert_int_not_equal(a->worker, b->worker);
	assert_int_not_equal(a->intent->ssrc, b->intent->ssrc);
	assert_int_equal(a->intent->ssrc % DP_SSRCS_PER_SESSION, 0);
}

static void a_move_changes_both_rooms(void **state)
{
	struct guild *guild = add_guild(1);
	struct session *session = add_session(guild, 10, 100);
	struct room_part *from = session->part, *to;

	(void)state;
	to = registry_room_part_get(registry, guild, guild->worker, 200);
	assert_ptr_not_equal(to->room, from->room);
	registry_session_move(registry, session, to);
	assert_int_equal(from->member_count, 0);
	assert_int_equal(from->room->member_count, 0);
	assert_int_equal(to->member_count, 1);
	assert_int_equal(to->room->member_count, 1);
	assert_int_equal(session->intent->channel_id, 200);
	assert_ptr_equal(registry_room_part_get(registry, guild, guild->worker, 200), to);
	assert_ptr_equal(registry_idle_room_part(registry), from);
	assert_null(registry_room_part_remove(registry, from));
	registry_session_move(registry, session, NULL);
	assert_int_equal(session->intent->channel_id, 0);
}

static void a_successor_finds_everything(void **state)
{
	struct session *session = add_session(add_guild(1), 10, 100);
	struct dp_handle handle = session_handle(session);
	uint32_t ssrc = session->intent->ssrc, worker = session->worker;
	struct registry_load load;

	(void)state;
	session->intent->phase = INTENT_PHASE_ACTIVE;
	session->intent->key_id = 3;
	session->intent->key[31] = 42;
	resume_push(&session->intent->ring, "hello", 5);
	die_and_rise();
	session = registry_session_find(registry, 1, 10);
	assert_non_null(session);
	assert_ptr_equal(registry_session_at(registry, worker, handle), session);
	assert_int_equal(session->intent->ssrc, ssrc);
	assert_int_equal(session->intent->key_id, 3);
	assert_int_equal(session->intent->key[31], 42);
	assert_int_equal(resume_next_seq(&session->intent->ring), 2);
	assert_ptr_equal(session->guild, registry_guild_find(registry, 1));
	assert_int_equal(session->room->channel_id, 100);
	assert_int_equal(session->room->member_count, 1);
	registry_load(registry, worker, &load);
	assert_int_equal(load.sessions, 1);
	assert_int_equal(load.used_pps, 50);
	// New SSRCs go on behind the old ones.
	assert_int_not_equal(add_session(session->guild, 11, 100)->intent->ssrc, ssrc);
}

static void who_never_saw_ready_is_gone_with_the_process(void **state)
{
	struct session *session = add_session(add_guild(1), 10, 100);
	uint32_t worker = session->worker;
	struct dp_handle handle = session_handle(session);
	struct room_part *room = NULL;

	(void)state;
	die_and_rise();
	assert_null(registry_session_find(registry, 1, 10));
	session = registry_session_at(registry, worker, handle);
	assert_non_null(session); // the packet engine must be told
	assert_int_equal(session->intent->state, INTENT_GONE);
	room = registry_room_part_next(registry, NULL);
	assert_non_null(room);
	assert_int_equal(room->intent->state, INTENT_GONE); // nobody was left in it
}

static void removals_survive_until_acknowledged(void **state)
{
	struct guild *guild = add_guild(1);
	struct session *session = add_session(guild, 10, 100);
	struct dp_handle handle = session_handle(session);
	uint32_t worker = session->worker;

	(void)state;
	session->intent->phase = INTENT_PHASE_READY;
	memset(session->intent->key, 7, sizeof(session->intent->key));
	registry_session_remove(registry, session);
	(void)registry_room_part_remove(registry, registry_idle_room_part(registry));
	registry_guild_remove(registry, guild);
	die_and_rise();
	assert_null(registry_guild_find(registry, 1));
	session = registry_session_at(registry, worker, handle);
	assert_int_equal(session->intent->state, INTENT_GONE);
	for (unsigned byte = 0; byte < sizeof(session->intent->key); byte++)
		assert_int_equal(session->intent->key[byte], 0);
	assert_int_equal(registry_guild_part_next(registry, NULL)->intent->state, INTENT_GONE);
	registry_session_free(registry, session);
	die_and_rise();
	assert_null(registry_session_at(registry, worker, handle));
}

// The packet engine names its sessions by the slots that they began with.
static void other_limits_wait_for_the_next_start(void **state)
{
	struct intent_params other = params;
	bool is_fresh;

	(void)state;
	add_session(add_guild(1), 10, 100)->intent->phase = INTENT_PHASE_ACTIVE;
	close_all();
	for (int change = -1; change <= 1; change += 2) {
		other.session_count = (uint32_t)((int)params.session_count + change);
		assert_int_equal(intent_open(fd, &other, &intent, &is_fresh), 0);
		assert_false(is_fresh);
		assert_int_equal(intent_header(intent)->params.session_count, params.session_count);
		assert_int_equal(registry_create(intent, &registry), 0);
		assert_non_null(registry_session_find(registry, 1, 10));
		close_all();
	}
	open_all(false);
}

static void nonsense_in_the_memfd_is_refused(void **state)
{
	bool is_fresh;

	(void)state;
	add_guild(1);
	intent_header(intent)->guilds_used[1] = 5; // beyond its slots
	close_all();
	assert_int_equal(intent_open(fd, &params, &intent, &is_fresh), -EUCLEAN);
	assert_null(intent);
	assert_int_equal(ftruncate(fd, 100), 0);
	assert_int_equal(intent_open(fd, &params, &intent, &is_fresh), -EUCLEAN);
	assert_int_equal(ftruncate(fd, 0), 0);
	open_all(true);
}

static struct intent_pending token(uint64_t guild, uint64_t user, uint64_t expires_ms)
{
	struct intent_pending pending = {
		.guild_id = guild, .user_id = user, .expires_ms = expires_ms, .channel_id = 100};

	memcpy(pending.token_digest, digest, sizeof(digest));
	return pending;
}

static void the_newest_token_counts(void **state)
{
	struct intent_pending a = token(1, 10, 50), b = token(1, 10, 60);

	(void)state;
	assert_int_equal(registry_pending_put(registry, &a), 0);
	assert_int_equal(registry_pending_put(registry, &b), 0);
	assert_int_equal(registry_pending_find(registry, 1, 10)->expires_ms, 60);
	registry_pending_remove(registry, registry_pending_find(registry, 1, 10));
	assert_null(registry_pending_find(registry, 1, 10));
}

static void tokens_expire_and_survive(void **state)
{
	struct intent_pending a = token(1, 10, 50), b = token(1, 11, 60), c = token(2, 10, 99);

	(void)state;
	assert_int_equal(registry_pending_put(registry, &a), 0);
	assert_int_equal(registry_pending_put(registry, &b), 0);
	assert_int_equal(registry_pending_put(registry, &c), 0);
	registry_pending_sweep(registry, 0, 49);
	assert_non_null(registry_pending_find(registry, 1, 10));
	registry_pending_sweep(registry, 0, 50);
	assert_null(registry_pending_find(registry, 1, 10));
	die_and_rise();
	assert_non_null(registry_pending_find(registry, 1, 11));
	registry_pending_sweep(registry, 1, UINT64_MAX);
	assert_null(registry_pending_find(registry, 1, 11));
	assert_non_null(registry_pending_find(registry, 2, 10));
}

static void tokens_are_bounded(void **state)
{
	struct intent_pending pending;

	(void)state;
	for (uint64_t user = 1; user <= INTENT_PENDING_MAX; user++) {
		pending = token(1, user, 50);
		assert_int_equal(registry_pending_put(registry, &pending), 0);
	}
	pending = token(1, INTENT_PENDING_MAX + 1, 50);
	assert_int_equal(registry_pending_put(registry, &pending), -ENOSPC);
	pending = token(1, 5, 70); // a newer one for a known user still fits
	assert_int_equal(registry_pending_put(registry, &pending), 0);
	registry_pending_sweep(registry, 0, 60);
	assert_null(registry_pending_find(registry, 1, 6));
	assert_non_null(registry_pending_find(registry, 1, 5));
}

// A guild that leaves costs what waits for it, not what could wait on the whole node.
static void a_sweep_looks_at_what_is_there(void **state)
{
	struct intent_pending pending;

	(void)state;
	assert_int_equal(registry_pending_sweep(registry, 0, UINT64_MAX), 0);
	for (uint64_t guild = 1; guild <= 400; guild++)
		for (uint64_t user = 1; user <= 10; user++) {
			pending = token(guild, user, 50);
			assert_int_equal(registry_pending_put(registry, &pending), 0);
		}
	assert_int_equal(registry_pending_sweep(registry, 0, 49), 4000);
	for (uint64_t guild = 1; guild <= 400; guild += 2)
		assert_in_range(registry_pending_sweep(registry, guild, UINT64_MAX), 10, 100);
	assert_int_equal(registry_pending_sweep(registry, 0, 49), 2000);
	for (uint64_t guild = 1; guild <= 400; guild++)
		for (uint64_t user = 1; user <= 10; user++)
			assert_int_equal(registry_pending_find(registry, guild, user) != NULL,
				guild % 2 == 0);
	die_and_rise();
	assert_int_equal(registry_pending_sweep(registry, 0, 50), 2000);
	assert_int_equal(registry_pending_sweep(registry, 0, 50), 0);
}

// Locked memory of this process, KiB.
static unsigned long locked_kib(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	unsigned long kib = 0;
	char line[256];

	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL)
		(void)!sscanf(line, "VmLck: %lu kB", &kib);
	fclose(file);
	return kib;
}

static void keys_stay_out_of_swap(void **state)
{
	struct rlimit limit;
	unsigned long locked = locked_kib();

	(void)state;
	close_all();
	if (locked != 0)                            // this machine allows it
		assert_true(locked_kib() < locked); // and it was ours that was locked
	// Where that is not allowed the node serves all the same.
	if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0) {
		limit.rlim_cur = 0;
		assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
	}
	open_all(false);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(guilds_spread_over_workers),
		TEST(a_full_node_refuses),
		TEST(a_slot_returns_with_another_generation),
		TEST(sessions_are_found_by_user_and_by_id),
		TEST(ssrcs_of_a_node_are_distinct),
		TEST(a_move_changes_both_rooms),
		TEST(a_successor_finds_everything),
		TEST(who_never_saw_ready_is_gone_with_the_process),
		TEST(removals_survive_until_acknowledged),
		TEST(other_limits_wait_for_the_next_start),
		TEST(nonsense_in_the_memfd_is_refused),
		TEST(the_newest_token_counts),
		TEST(tokens_expire_and_survive),
		TEST(tokens_are_bounded),
		TEST(a_sweep_looks_at_what_is_there),
		TEST(keys_stay_out_of_swap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
