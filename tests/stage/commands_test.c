// SPDX-License-Identifier: BSD-3-Clause
//
// Commands of control: each refused with its reason when it is late, twice, or of somebody else;
// and several workers, whose packets find their owner.

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <rte_ring.h>

#include "api/dp_assert.h"
#include "session/receiver.h"
#include "stage/room_fixture.h"
#include "table/extents.h"

static struct fixture f;

static void stale_and_repeated_handles_are_refused(void **state)
{
	const struct dp_handle stale = {.index = 1, .generation = 4};
	union dp_msg cmd;
	(void)state;

	fixture_init(&f, 2);
	assert_int_equal(node_guild(&f.node, 0, f.guild), -EEXIST);
	assert_int_equal(node_guild(&f.node, 0, stale), -EBUSY);
	assert_int_equal(node_room(&f.node, 0, stale, (struct dp_handle){9, 1}), -ESTALE);
	assert_int_equal(node_room(&f.node, 0, f.guild, f.room), -EEXIST);
	assert_int_equal(client_add(&f.member[0]), -EEXIST);
	f.member[0].session.generation = 9;
	assert_int_equal(client_add(&f.member[0]), -EBUSY);
	assert_int_equal(client_key(&f.member[0]), -ESTALE);
	assert_int_equal(client_hint(&f.member[0]), -ESTALE);
	assert_int_equal(client_set(&f.member[0], f.room, 0), -ESTALE);
	f.member[0].session.generation = 1;
	assert_int_equal(client_set(&f.member[0], (struct dp_handle){2, 99}, 0), -ESTALE);
	cmd = (union dp_msg){.dp_room_close = {.room = f.room}};
	assert_int_equal(node_command(&f.node, 0, DP_MSG_ROOM_CLOSE, &cmd), -EBUSY);
	cmd = (union dp_msg){.dp_guild_close = {.guild = stale}};
	assert_int_equal(node_command(&f.node, 0, DP_MSG_GUILD_CLOSE, &cmd), -ESTALE);
	assert_true(node_counter(&f.node, DP_COUNTER_COMMANDS_REFUSED) >= 10);
	fixture_fini(&f);
}

static void an_ssrc_belongs_to_one_session(void **state)
{
	struct client twin;
	(void)state;

	fixture_init(&f, 2);
	client_init(&twin, &f.node, 0, 30, f.guild, f.room, DP_SUITE_AES256_GCM_RTPSIZE);
	twin.ssrc = f.member[0].ssrc;
	assert_int_equal(client_add(&twin), -EINVAL);
	twin.ssrc += 0x8000;
	assert_int_equal(client_add(&twin), 0);
	client_fini(&twin);
	fixture_fini(&f);
}

static void closing_a_guild_removes_all_of_it(void **state)
{
	union dp_msg cmd;
	struct client_packet p;
	(void)state;

	fixture_init(&f, 20);
	for (unsigned i = 0; i < 20; i++)
		client_say(&f.member[i], "a", 1);
	node_turn(&f.node);
	node_drain(&f.node);
	cmd = (union dp_msg){.dp_guild_close = {.guild = f.guild}};
	assert_int_equal(node_command(&f.node, 0, DP_MSG_GUILD_CLOSE, &cmd), 0);
	assert_int_equal(f.node.workers[0]->shm->sessions, 0);
	assert_int_equal(f.node.workers[0]->shm->guilds, 0);
	assert_int_equal(f.node.workers[0]->shm->legs, 0);
	assert_int_equal(
		f.node.workers[0]->extents->free_units, f.node.workers[0]->extents->unit_count);
	client_say(&f.member[0], "b", 1);
	assert_false(hear(&f.member[1], &p));
	f.guild.generation++;
	assert_int_equal(node_guild(&f.node, 0, f.guild), 0); // the slot is free again
	fixture_fini(&f);
}

static void keys_are_gone_from_memory_when_a_session_ends(void **state)
{
	union dp_msg cmd = {.dp_session_remove = {.session = {.index = 1, .generation = 1}}};
	uint8_t key[DP_KEY_SIZE_MAX];
	const uint8_t *at;
	(void)state;

	fixture_init(&f, 2); // member 1 is XChaCha20: its expanded key holds the key itself
	memcpy(key, f.member[1].key, sizeof(key));
	at = f.node.workers[0]->receivers[1].key.bytes;
	// Nor is it in the ring that it came through.
	assert_null(memmem(&f.node.rings[0].command[1],
		WORKER_COMMAND_RING_SIZE * sizeof(union dp_msg), key, sizeof(key)));
	assert_non_null(memmem(at, SUITE_KEY_SIZE, key, sizeof(key)));
	assert_int_equal(node_command(&f.node, 0, DP_MSG_SESSION_REMOVE, &cmd), 0);
	assert_null(memmem(at, SUITE_KEY_SIZE, key, sizeof(key)));
	for (unsigned i = 0; i < SUITE_KEY_SIZE; i++)
		assert_int_equal(at[i], 0);
	fixture_fini(&f);
}

static void a_packet_at_the_wrong_worker_finds_its_own(void **state)
{
	const struct node_geometry geometry = {
		.worker_count = 2, .guild_count = 4, .session_count = 16, .leg_count = 64};
	struct dp_handle guild = {1, 1}, room = {1, 1};
	struct client a, b;
	struct node n;
	(void)state;

	node_init(&n, &geometry);
	assert_int_equal(node_guild(&n, 1, guild), 0);
	assert_int_equal(node_room(&n, 1, guild, room), 0);
	client_init(&a, &n, 1, 1, guild, room, DP_SUITE_AES256_GCM_RTPSIZE);
	client_init(&b, &n, 1, 2, guild, room, DP_SUITE_AES256_GCM_RTPSIZE);
	for (unsigned i = 0; i < 2; i++) { // the device gives everything to worker 0
		struct client *c = i == 0 ? &a : &b;

		c->worker = 1;
		assert_int_equal(client_add(c), 0);
		assert_int_equal(client_key(c), 0);
		c->worker = 0; // where its frames arrive
		assert_true(client_discover(c));
		c->worker = 1;
		assert_int_equal(client_hint(c), 0);
	}
	a.worker = 0;
	for (unsigned i = 0; i < 100; i++) {
		struct client_packet p;

		client_say(&a, "x", 1);
		assert_true(hear(&b, &p));
	}
	assert_int_equal(node_verdict(&n, DP_HANDED_OUT), 102);
	assert_int_equal(dp_shm_worker(n.shm, 1)->verdicts[DP_FORWARDED], 100);
	node_fini(&n);
	client_fini(&a);
	client_fini(&b);
}

static void a_full_wire_is_counted_and_frees_the_rest(void **state)
{
	const struct node_geometry geometry = {.worker_count = 1,
		.guild_count = 4,
		.session_count = 64,
		.leg_count = 512,
		.wire_count = 32};
	struct dp_handle guild = {1, 1}, room = {1, 1};
	struct client member[40];
	struct node n;
	(void)state;

	node_init(&n, &geometry);
	assert_int_equal(node_guild(&n, 0, guild), 0);
	assert_int_equal(node_room(&n, 0, guild, room), 0);
	for (unsigned i = 0; i < 40; i++) {
		client_init(&member[i], &n, 0, i, guild, room, DP_SUITE_AES256_GCM_RTPSIZE);
		client_join(&member[i]);
	}
	client_say(&member[0], "x", 1);
	node_turn(&n);
	assert_int_equal(node_verdict(&n, DP_TX_FULL), 39 - 31);
	assert_int_equal(node_drain(&n), 31);
	node_fini(&n);
	for (unsigned i = 0; i < 40; i++)
		client_fini(&member[i]);
}

static void guilds_share_a_worker_and_nothing_else(void **state)
{
	const struct node_geometry geometry = {
		.worker_count = 2, .guild_count = 256, .session_count = 512, .leg_count = 1024};
	static struct client c[512];
	static struct node n;
	(void)state;

	node_init(&n, &geometry);
	for (uint32_t g = 0; g < 256; g++) { // 256 guilds of two, over two workers
		struct dp_handle guild = {g, 1}, room = {g, 1};

		assert_int_equal(node_guild(&n, g % 2, guild), 0);
		assert_int_equal(node_room(&n, g % 2, guild, room), 0);
		for (uint32_t k = 0; k < 2; k++) {
			client_init(&c[2 * g + k], &n, g % 2, 2 * g + k, guild, room,
				DP_SUITE_AES256_GCM_RTPSIZE);
			c[2 * g + k].address.ip[2] = (uint8_t)(g % 256);
			client_join(&c[2 * g + k]);
		}
	}
	for (uint32_t g = 0; g < 256; g++) {
		struct node_datagram d;
		struct client_packet p;

		client_say(&c[2 * g], &g, sizeof(g));
		node_turn(&n);
		assert_true(node_take(&n, &d));
		assert_true(client_is_target(&c[2 * g + 1], &d));
		assert_true(client_open(&c[2 * g + 1], &d, &p));
		assert_memory_equal(p.clear, &g, sizeof(g));
		assert_false(node_take(&n, &d));
	}
	node_fini(&n);
	for (uint32_t i = 0; i < 512; i++)
		client_fini(&c[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stale_and_repeated_handles_are_refused),
		cmocka_unit_test(an_ssrc_belongs_to_one_session),
		cmocka_unit_test(closing_a_guild_removes_all_of_it),
		cmocka_unit_test(keys_are_gone_from_memory_when_a_session_ends),
		cmocka_unit_test(a_packet_at_the_wrong_worker_finds_its_own),
		cmocka_unit_test(a_full_wire_is_counted_and_frees_the_rest),
		cmocka_unit_test(guilds_share_a_worker_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
