// SPDX-License-Identifier: BSD-3-Clause
//
// The hand-over rings' fill as an operator sees it, before the first packet is lost and after.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run/handoff.h"
#include "stage/room_fixture.h"

#define RING 64 // holds 63

static void a_ring_that_fills_is_seen_before_it_overflows(void **state)
{
	struct node_geometry geometry = {.worker_count = 2,
		.guild_count = 4,
		.session_count = 64,
		.leg_count = 64,
		.ring_count = RING};
	static const uint8_t frame[60];
	struct dp_worker_shm *shm;
	struct node n;
	unsigned count = 0;
	(void)state;

	node_init(&n, &geometry);
	shm = dp_shm_worker(n.shm, 1);
	handoff_watch(n.workers[1]);
	assert_int_equal(shm->rx_handoff_peak, 0);
	for (; count < 31; count++)
		assert_true(node_inject(&n, 1, frame, sizeof(frame)));
	handoff_watch(n.workers[1]);
	assert_int_equal(shm->rx_handoff_peak, 31);
	assert_int_equal(shm->counters[DP_COUNTER_RX_CONGESTED], 0);
	assert_true(node_inject(&n, 1, frame, sizeof(frame)));
	handoff_watch(n.workers[1]);
	handoff_watch(n.workers[1]);
	assert_int_equal(shm->rx_handoff_peak, 32);
	assert_int_equal(shm->counters[DP_COUNTER_RX_CONGESTED], 2);
	for (count = 32; node_inject(&n, 1, frame, sizeof(frame)); count++)
		;
	assert_int_equal(count, RING - 1);
	handoff_watch(n.workers[1]);
	assert_int_equal(shm->rx_handoff_peak, RING - 1);
	node_turn(&n);
	handoff_watch(n.workers[1]); // the highest stays, the turns end
	assert_int_equal(shm->rx_handoff_peak, RING - 1);
	assert_int_equal(shm->counters[DP_COUNTER_RX_CONGESTED], 3);
	assert_int_equal(shm->counters[DP_COUNTER_TX_CONGESTED], 0);
	// Each worker's own.
	assert_int_equal(dp_shm_worker(n.shm, 0)->rx_handoff_peak, 0);
	node_fini(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ring_that_fills_is_seen_before_it_overflows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
