// SPDX-License-Identifier: BSD-3-Clause
//
// A worker's measure of its core: with every engine there is a number, whatever it is, and nothing
// is left behind. No time is asserted.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <rte_cycles.h>

#include "crypto/suite.h"
#include "host/capacity.h"
#include "support/node.h"

static void every_engine_is_measured(void **state)
{
	static const enum crypto_engine_kind kinds[] = {
		CRYPTO_ENGINE_AUTO, CRYPTO_ENGINE_IPSEC_MB, CRYPTO_ENGINE_LIBSRTP2};

	(void)state;
	node_start_eal();
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct capacity_test test = {.engine = crypto_engine_create(kinds[i], NULL, 0),
			.tsc_hz = rte_get_tsc_hz(),
			.shared_by = 1};
		uint64_t start = rte_rdtsc();

		assert_non_null(test.engine);
		assert_int_equal(capacity_measure(&test), 0);
		printf("%s: %u packets/s of %s, %u samples, %.1f ms\n",
			crypto_engine_name(test.engine), test.pps, test.suite, test.samples,
			(double)(rte_rdtsc() - start) * 1000 / (double)test.tsc_hz);
		assert_true(test.pps > 0 && test.samples > 0);
		assert_non_null(test.suite);
		assert_null(crypto_engine_refusal(
			test.engine, suite_by_name(test.suite)->id)); // one that it runs
		crypto_engine_destroy(test.engine);
	}
}

static void packets_cost_cipher_and_route(void **state)
{
	const uint64_t hz = 2600000000u;

	(void)state;
	assert_int_equal(capacity_pps(512 * 90, 512, hz, 1), hz / (90 + CAPACITY_ROUTE_CYCLES));
	assert_int_equal(capacity_pps(512 * 90, 512, hz, 2), hz / (90 + CAPACITY_ROUTE_CYCLES) / 2);
	// A cipher that costs nothing does not make the route cheaper.
	assert_int_equal(capacity_pps(0, 512, hz, 1), hz / CAPACITY_ROUTE_CYCLES);
	assert_int_equal(capacity_pps(UINT64_MAX, 1, hz, 64), 1); // never a budget of zero
	assert_int_equal(capacity_pps(0, 1, UINT64_MAX, 1), CAPACITY_PPS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_engine_is_measured),
		cmocka_unit_test(packets_cost_cipher_and_route),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
