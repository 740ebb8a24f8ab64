// SPDX-License-Identifier: BSD-3-Clause
//
// Prices and choices as tables: what a member costs, where one more goes, and why there is no
// place.

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/dp_limits.h"
#include "registry/placement.h"

static void a_member_costs_what_it_hears(void **state)
{
	static const struct {
		uint32_t members, price;
	} rows[] = {{0, 50}, {1, 50}, {2, 50}, {3, 56}, {4, 62}, {5, 65}, {6, 68}, {8, 75},
		{10, 78}, {16, 87}, {100, 119}, {511, 149}, {512, 150}, {513, 150}, {10000, 150},
		{UINT32_MAX, 150}};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (placement_price(rows[i].members) != rows[i].price)
			fail_msg("%u members: %u, not %u", rows[i].members,
				placement_price(rows[i].members), rows[i].price);
	for (uint32_t members = 1; members < 20000; members++)
		assert_true(placement_price(members) <= placement_price(members + 1));
}

#define ROOMY .sessions_left = 100, .rooms_left = 10, .guilds_left = 10
#define EMPTY                               \
	{                                   \
		.capacity_pps = 1000, ROOMY \
	}

// Every row is a node of three workers, and a guild at home on the first.
static const struct {
	const char *name;
	struct placement_worker workers[3];
	struct placement_request request;
	int want;
	struct placement_refusal refusal;
} choices[] = {
	{"home takes it", {EMPTY, EMPTY, EMPTY}, {.worker_count = 3}, 0, {0}},
	{"home, however much it is used, up to its budget",
		{{.capacity_pps = 1000, .used_pps = 825, ROOMY}, EMPTY, EMPTY}, {.worker_count = 3},
		0, {0}},
	{"home is used up",
		{{.capacity_pps = 1000, .used_pps = 826, ROOMY},
			{.capacity_pps = 1000, .used_pps = 300, ROOMY},
			{.capacity_pps = 1000, .used_pps = 299, ROOMY}},
		{.worker_count = 3}, 2, {0}},
	{"the share that is used is what counts",
		{{.capacity_pps = 1000, .used_pps = 900, ROOMY},
			{.capacity_pps = 10000, .used_pps = 1000, ROOMY},
			{.capacity_pps = 1000, .used_pps = 200, ROOMY}},
		{.worker_count = 3}, 1, {0}},
	{"a part that is there comes before an emptier worker",
		{{.capacity_pps = 1000, .used_pps = 900, ROOMY},
			{.capacity_pps = 1000,
				.used_pps = 500,
				ROOMY,
				.has_room = true,
				.members = 2},
			EMPTY},
		{.worker_count = 3}, 1, {0}},
	{"no slot at home",
		{{.capacity_pps = 1000, .rooms_left = 1, .guilds_left = 1}, EMPTY, EMPTY},
		{.worker_count = 3}, 1, {0}},
	{"as many receivers as a room of a worker may have",
		{{.capacity_pps = 100000000,
			 .used_pps = 2500000,
			 ROOMY,
			 .has_room = true,
			 .members = DP_ROOM_RECEIVERS_MAX},
			{.capacity_pps = 100000000, ROOMY}, EMPTY},
		{.worker_count = 3}, 1, {0}},
	{"a worker without a slot for the guild is none",
		{{.capacity_pps = 1000, .used_pps = 900, ROOMY},
			{.capacity_pps = 1000, .sessions_left = 1, .rooms_left = 1},
			{.capacity_pps = 1000,
				.used_pps = 800,
				.sessions_left = 1,
				.rooms_left = 1,
				.has_guild = true}},
		{.worker_count = 3}, 2, {0}},
	{"nobody has budget: who comes nearest is named",
		{{.capacity_pps = 1000, .used_pps = 870, ROOMY, .has_room = true, .members = 2},
			{.capacity_pps = 1000, .used_pps = 850, ROOMY},
			{.capacity_pps = 1000, .used_pps = 860, ROOMY}},
		{.worker_count = 3}, -EDQUOT,
		{.worker = 1, .capacity_pps = 1000, .used_pps = 850, .price_pps = 56}},
	{"what the others come to hear must fit, too, up to the capacity",
		{{.capacity_pps = 1000, .used_pps = 988, ROOMY, .has_room = true, .members = 2},
			EMPTY, EMPTY},
		{.worker_count = 3}, 1, {0}},
	{"and is what is named where it does not",
		{{.capacity_pps = 1000, .used_pps = 989, ROOMY, .has_room = true, .members = 2},
			EMPTY, EMPTY},
		{.worker_count = 3}, -EDQUOT,
		{.worker = 0, .capacity_pps = 1000, .used_pps = 989, .price_pps = 12}},
	{"no slot anywhere is no matter of budget",
		{{.capacity_pps = 1000}, {.capacity_pps = 1000}, {.capacity_pps = 1000}},
		{.worker_count = 3}, -ENOSPC, {0}},
	{"who is there already stays on its worker",
		{EMPTY, {.capacity_pps = 1000, .used_pps = 500, ROOMY}, EMPTY},
		{.worker_count = 3, .first = 1}, 1, {0}},
	{"and what it costs there is given back",
		{EMPTY, {.capacity_pps = 1000, .used_pps = 875, ROOMY}, EMPTY},
		{.worker_count = 3, .first = 1, .only_first = true, .given_back_pps = 50}, 1, {0}},
	{"a move has one worker to go to",
		{EMPTY, {.capacity_pps = 1000, .used_pps = 875, ROOMY}, EMPTY},
		{.worker_count = 3, .first = 1, .only_first = true}, -EDQUOT,
		{.worker = 1, .capacity_pps = 1000, .used_pps = 875, .price_pps = 50}},
};

static void one_more_member_goes_where_there_is_room(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
		struct placement_refusal refusal = {0};
		int got = placement_choose(choices[i].workers, &choices[i].request, &refusal);

		if (got != choices[i].want)
			fail_msg("%s: %d, not %d", choices[i].name, got, choices[i].want);
		if (memcmp(&refusal, &choices[i].refusal, sizeof(refusal)) != 0)
			fail_msg("%s: worker %u capacity %u used %u price %u", choices[i].name,
				refusal.worker, (unsigned)refusal.capacity_pps,
				(unsigned)refusal.used_pps, (unsigned)refusal.price_pps);
	}
}

static void a_channel_has_so_many_parts(void **state)
{
	struct placement_worker workers[PLACEMENT_PARTS_MAX + 2];
	struct placement_request request = {.worker_count = PLACEMENT_PARTS_MAX + 2};
	struct placement_refusal refusal;

	(void)state;
	for (unsigned i = 0; i < PLACEMENT_PARTS_MAX + 2; i++)
		workers[i] = (struct placement_worker){.capacity_pps = 1000,
			.used_pps = i < PLACEMENT_PARTS_MAX ? 500 : 0,
			.has_room = i < PLACEMENT_PARTS_MAX,
			.members = i < PLACEMENT_PARTS_MAX,
			ROOMY};
	workers[0].used_pps = 900;
	workers[5].used_pps = 400;
	assert_int_equal(placement_choose(workers, &request, &refusal), 5);
	for (unsigned i = 0; i < PLACEMENT_PARTS_MAX; i++)
		workers[i].used_pps = 870;
	assert_int_equal(placement_choose(workers, &request, &refusal), -EDQUOT);
	workers[3].has_room = false;
	workers[3].members = 0;
	assert_int_equal(placement_choose(workers, &request, &refusal), PLACEMENT_PARTS_MAX);
}

static void a_guild_goes_to_the_lightest_worker(void **state)
{
	struct placement_worker workers[4] = {
		{.capacity_pps = 1000, .sessions = 5, .guilds = 1, ROOMY},
		{.capacity_pps = 1000, .sessions = 3, .guilds = 4, ROOMY},
		{.capacity_pps = 1000, .sessions = 3, .guilds = 2, ROOMY},
		{.capacity_pps = 1000, .sessions_left = 10}};

	(void)state;
	assert_int_equal(placement_choose_home(workers, 4), 2); // 3 is full of guilds
	assert_int_equal(placement_choose_home(workers, 1), 0);
	workers[1].used_pps = workers[2].used_pps = 100; // few, but they cost more
	assert_int_equal(placement_choose_home(workers, 4), 0);
	workers[0].sessions_left = 0;
	assert_int_equal(placement_choose_home(workers, 1), -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_member_costs_what_it_hears),
		cmocka_unit_test(one_more_member_goes_where_there_is_room),
		cmocka_unit_test(a_channel_has_so_many_parts),
		cmocka_unit_test(a_guild_goes_to_the_lightest_worker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
