// SPDX-License-Identifier: BSD-3-Clause
//
// The progress memfd: where everything is. The next dataplane, perhaps of another day, finds the
// floors of this one by these numbers. A change here asks for a new DP_SHM_VERSION.

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/dp_shm.h"

#define AT(type, member, offset)                                                \
	{                                                                       \
#type "." #member, offsetof(struct type, member), offset,       \
			sizeof(((struct type *)0)->member), sizeof(struct type) \
	}
static const struct {
	const char *name;
	size_t is, shall_be, size, record_size;
} fields[] = {
	AT(dp_shm, magic, 0),
	AT(dp_shm, version, 8),
	AT(dp_shm, worker_count, 12),
	AT(dp_shm, guild_count, 16),
	AT(dp_shm, session_count, 20),
	AT(dp_shm, leg_count, 24),
	AT(dp_shm, epoch, 28),
	AT(dp_shm, tsc_hz, 32),
	AT(dp_shm, size, 40),
	AT(dp_shm, counter_count, 48),
	AT(dp_shm, verdict_count, 52),
	AT(dp_shm, reserved, 56),
	AT(dp_guild_shm, guild_id, 0),
	AT(dp_guild_shm, generation, 8),
	AT(dp_guild_shm, members, 12),
	AT(dp_guild_shm, packets_in, 16),
	AT(dp_guild_shm, packets_out, 24),
	AT(dp_session_shm, generation, 0),
	AT(dp_session_shm, key_id, 4),
	AT(dp_session_shm, nonce_floor, 8),
	AT(dp_session_shm, address_state, 12),
	AT(dp_session_shm, address, 16),
	AT(dp_session_shm, next_hop, 36),
	AT(dp_session_shm, local_index, 42),
	AT(dp_session_shm, reserved, 43),
	AT(dp_session_shm, index_max, 44),
	AT(dp_session_shm, report_ntp, 48),
	AT(dp_session_shm, suffix, 56),
	AT(dp_suffix_shm, newest, 0),
	AT(dp_suffix_shm, order, 4),
	AT(dp_suffix_shm, step, 5),
	AT(dp_suffix_shm, steps, 6),
	AT(dp_suffix_shm, reserved, 7),
	AT(dp_leg_shm, receiver, 0),
	AT(dp_leg_shm, receiver_generation, 4),
	AT(dp_leg_shm, ssrc, 8),
	AT(dp_leg_shm, offset, 12),
	AT(dp_leg_shm, next_index, 16),
	AT(dp_leg_shm, floor_index, 20),
	AT(dp_leg_shm, continuity, 24),
	AT(dp_leg_shm, hash_next, 28),
	AT(dp_leg_shm, of_receiver, 32),
	AT(dp_leg_shm, of_stream, 40),
	AT(dp_leg_shm, sender, 48),
	AT(dp_leg_shm, published, 52),
	AT(dp_leg_shm, remote, 56),
	AT(dp_leg_shm, reserved, 60),
};

static void every_field_is_at_its_offset_and_no_byte_is_spare(void **state)
{
	(void)state;
	assert_true(DP_SHM_MAGIC == 0x764e4f4445503031);
	assert_int_equal(DP_SHM_VERSION, 6);
	for (unsigned i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		bool is_last = i + 1 == sizeof(fields) / sizeof(fields[0]) || fields[i + 1].is == 0;
		size_t next = is_last ? fields[i].record_size : fields[i + 1].is;

		if (fields[i].is != fields[i].shall_be)
			fail_msg("%s is at %zu, not at %zu", fields[i].name, fields[i].is,
				fields[i].shall_be);
		if (fields[i].is + fields[i].size != next)
			fail_msg("a hole behind %s", fields[i].name);
	}
	assert_int_equal(sizeof(struct dp_shm), 64);
	assert_int_equal(sizeof(struct dp_guild_shm), 32);
	assert_int_equal(sizeof(struct dp_session_shm), 64);
	assert_int_equal(sizeof(struct dp_leg_shm), 64);
}

static void a_worker_begins_with_its_heartbeat_and_counts_behind(void **state)
{
	(void)state;
	assert_int_equal(offsetof(struct dp_worker_shm, heartbeat), 0);
	assert_int_equal(offsetof(struct dp_worker_shm, start_tsc), 8);
	assert_int_equal(offsetof(struct dp_worker_shm, guilds), 16);
	assert_int_equal(offsetof(struct dp_worker_shm, sessions), 20);
	assert_int_equal(offsetof(struct dp_worker_shm, legs), 24);
	assert_int_equal(offsetof(struct dp_worker_shm, capacity_pps), 28);
	assert_int_equal(offsetof(struct dp_worker_shm, rx_handoff_peak), 32);
	assert_int_equal(offsetof(struct dp_worker_shm, tx_handoff_peak), 36);
	assert_int_equal(offsetof(struct dp_worker_shm, counters), 40);
	assert_int_equal(offsetof(struct dp_worker_shm, verdicts), 40 + 8 * DP_COUNTER_COUNT);
	assert_int_equal(offsetof(struct dp_worker_shm, latency),
		40 + 8 * (DP_COUNTER_COUNT + DP_VERDICT_COUNT));
	assert_int_equal(sizeof(struct dp_worker_shm) % DP_CACHE_LINE, 0);
}

static void address_states_are_these_numbers(void **state)
{
	(void)state;
	assert_int_equal(DP_ADDRESS_NONE, 0);
	assert_int_equal(DP_ADDRESS_DISCOVERED, 1);
	assert_int_equal(DP_ADDRESS_HINTED, 2);
	assert_int_equal(DP_ADDRESS_AUTHENTICATED, 3);
}

static void alignment_rounds_up_to_a_line(void **state)
{
	(void)state;
	assert_int_equal(dp_shm_align(0), 0);
	assert_int_equal(dp_shm_align(1), 64);
	assert_int_equal(dp_shm_align(63), 64);
	assert_int_equal(dp_shm_align(64), 64);
	assert_int_equal(dp_shm_align(65), 128);
	assert_true(dp_shm_align(1ull << 40) == 1ull << 40);
}

// One page of arithmetic for sizes that do not divide evenly: an odd number of guilds leaves half a
// line, which nobody uses.
static void offsets_add_up(void **state)
{
	static const uint32_t counts[] = {1, 2, 3, 64, 1000, 4097};
	const uint64_t worker = sizeof(struct dp_worker_shm);
	(void)state;

	for (unsigned g = 0; g < 6; g++) {
		for (unsigned s = 0; s < 6; s++) {
			struct dp_shm shm = {.worker_count = 1 + g,
				.guild_count = counts[g],
				.session_count = counts[s],
				.leg_count = counts[5 - s]};
			uint64_t guilds = (counts[g] + 1ull) / 2 * 64;
			uint64_t stride =
				worker + guilds + counts[s] * 64ull + counts[5 - s] * 64ull;

			assert_true(dp_shm_guilds_offset() == worker);
			assert_true(dp_shm_sessions_offset(&shm) == worker + guilds);
			assert_true(
				dp_shm_legs_offset(&shm) == worker + guilds + counts[s] * 64ull);
			assert_true(dp_shm_stride(&shm) == stride);
			assert_true(dp_shm_size(&shm) == 64 + (1 + g) * stride);
		}
	}
}

// Nothing wraps at the bounds of dp_limits.h: 64 workers of everything.
static void the_largest_file_has_its_size(void **state)
{
	struct dp_shm shm = {.worker_count = DP_WORKERS_MAX,
		.guild_count = DP_GUILDS_MAX,
		.session_count = DP_SESSIONS_MAX,
		.leg_count = DP_LEGS_MAX};
	uint64_t stride = sizeof(struct dp_worker_shm) + DP_GUILDS_MAX * 32ull +
			  DP_SESSIONS_MAX * 64ull + DP_LEGS_MAX * 64ull;
	(void)state;

	assert_true(dp_shm_size(&shm) == 64 + 64 * stride);
	assert_true(dp_shm_size(&shm) > UINT32_MAX);
}

// The parts of all workers tile the file: every byte written by its owner is found whole, and the
// last leg of the last worker ends where the file ends.
static void parts_do_not_overlap(void **state)
{
	struct dp_shm sizes = {
		.worker_count = 3, .guild_count = 5, .session_count = 7, .leg_count = 11};
	size_t size = (size_t)dp_shm_size(&sizes);
	struct dp_shm *shm = aligned_alloc(DP_CACHE_LINE, size);
	(void)state;

	assert_non_null(shm);
	memset(shm, 0, size);
	*shm = sizes;
	for (uint32_t w = 0; w < 3; w++) {
		uint8_t mark = (uint8_t)(16 * (w + 1));

		assert_int_equal((uintptr_t)dp_shm_worker(shm, w) % DP_CACHE_LINE, 0);
		assert_int_equal((uintptr_t)dp_shm_guilds(shm, w) % DP_CACHE_LINE, 0);
		assert_int_equal((uintptr_t)dp_shm_sessions(shm, w) % DP_CACHE_LINE, 0);
		assert_int_equal((uintptr_t)dp_shm_legs(shm, w) % DP_CACHE_LINE, 0);
		memset(dp_shm_worker(shm, w), mark, sizeof(struct dp_worker_shm));
		memset(dp_shm_guilds(shm, w), mark + 1, 5 * sizeof(struct dp_guild_shm));
		memset(dp_shm_sessions(shm, w), mark + 2, 7 * sizeof(struct dp_session_shm));
		memset(dp_shm_legs(shm, w), mark + 3, 11 * sizeof(struct dp_leg_shm));
	}
	assert_memory_equal(shm, &sizes, sizeof(sizes));
	for (uint32_t w = 0; w < 3; w++) {
		const uint8_t *at = (const uint8_t *)dp_shm_worker(shm, w);
		const size_t part_sizes[4] = {
			sizeof(struct dp_worker_shm), 5 * 32 + 32, 7 * 64, 11 * 64};

		for (unsigned part = 0; part < 4; part++)
			for (size_t i = 0; i < part_sizes[part]; i++, at++)
				assert_int_equal(
					*at, part == 1 && i >= 5 * 32 ? 0 : 16 * (w + 1) + part);
	}
	assert_ptr_equal(dp_shm_legs(shm, 2) + 11, (uint8_t *)shm + size);
	free(shm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_is_at_its_offset_and_no_byte_is_spare),
		cmocka_unit_test(a_worker_begins_with_its_heartbeat_and_counts_behind),
		cmocka_unit_test(address_states_are_these_numbers),
		cmocka_unit_test(alignment_rounds_up_to_a_line),
		cmocka_unit_test(offsets_add_up),
		cmocka_unit_test(the_largest_file_has_its_size),
		cmocka_unit_test(parts_do_not_overlap),
	};

	return cmocka_run_group_tests_name("shm", tests, NULL, NULL);
}
