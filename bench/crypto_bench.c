// SPDX-License-Identifier: BSD-3-Clause
//
// ns per seal and per open, by suite, payload and number of keys; and the same cipher called
// naively (nonce and header written byte by byte right before the call), which is what seal() must
// beat.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/engine.h"
#include "crypto/gcm_key.h"
#include "crypto/suite.h"
#include "seal_only.h"

#define NAIVE_SAMPLES 301
#define NAIVE_PACKETS 1000

// Keeps the compiler from making one store of many.
static void put_byte(uint8_t *at, uint8_t value)
{
	*(volatile uint8_t *)at = value;
}

static double naive_gcm_ns(struct crypto_engine *engine, unsigned payload)
{
	const struct suite *suite = suite_get(DP_SUITE_AES256_GCM_RTPSIZE);
	struct suite_key *keys = aligned_alloc(DP_CACHE_LINE, NAIVE_PACKETS * sizeof(*keys));
	uint8_t(*packets)[2048] = calloc(NAIVE_PACKETS, sizeof(*packets));
	uint8_t src[DP_PAYLOAD_SIZE_MAX] = {0}, key[DP_KEY_SIZE_MAX] = {0}, nonce[12] = {0};
	double samples[NAIVE_SAMPLES];
	struct seal_cost cost;

	if (keys == NULL || packets == NULL) {
		abort();
	}
	for (unsigned i = 0; i < NAIVE_PACKETS; i++) {
		memcpy(key, &i, sizeof(i));
		if (suite->key_expand(engine, &keys[i], key, NULL) != 0) {
			abort();
		}
	}
	for (unsigned s = 0; s < NAIVE_SAMPLES; s++) {
		double start = bench_now_ns();

		for (unsigned i = 0; i < NAIVE_PACKETS; i++) {
			uint8_t *p = packets[i];

			for (unsigned b = 0; b < 12; b++) {
				put_byte(p + b, (uint8_t)(s + b));
			}
			for (unsigned b = 0; b < 4; b++) {
				put_byte(nonce + b, (uint8_t)(s + i + b));
			}
			IMB_AES256_GCM_ENC(engine->mgr, gcm_tables(&keys[i]), &engine->gcm, p + 12,
				src, payload, nonce, p, 12, p + 12 + payload, 16);
		}
		samples[s] = (bench_now_ns() - start) / NAIVE_PACKETS;
	}
	seal_cost_fill(&cost, samples, NAIVE_SAMPLES);
	free(keys);
	free(packets);
	return cost.median;
}

static void row(struct crypto_engine *engine, enum dp_suite id, unsigned keys, unsigned payload)
{
	struct seal_cost seal, open;

	if (seal_only_measure(engine, id, keys, payload, &seal) != 0 ||
		open_only_measure(engine, id, keys, payload, &open) != 0) {
		fprintf(stderr, "crypto_bench: measuring %s failed\n", suite_get(id)->name);
		exit(EXIT_FAILURE);
	}
	printf("%-32s %8u %8u   %6.1f %6.1f %7.1f   %6.1f %6.1f %7.1f\n", suite_get(id)->name, keys,
		payload, seal.min, seal.median, seal.max, open.min, open.median, open.max);
}

int main(void)
{
	static const unsigned payloads[] = {20, 60, 100, 160, 240, 1100};
	static const unsigned keys[] = {1000, 10000};
	struct crypto_engine *engine = crypto_engine_create(CRYPTO_ENGINE_AUTO, NULL, 0);

	if (engine == NULL) {
		fprintf(stderr, "crypto_bench: this CPU cannot run libipsec-mb\n");
		return EXIT_FAILURE;
	}
	printf("%s, ns per packet\n", crypto_engine_name(engine));
	printf("%-32s %8s %8s   %6s %6s %7s   %6s %6s %7s\n", "suite", "keys", "payload",
		"seal min", "med", "max", "open min", "med", "max");
	for (unsigned id = DP_SUITE_NONE + 1; id < DP_SUITE_COUNT; id++) {
		for (unsigned p = 0; p < sizeof(payloads) / sizeof(payloads[0]); p++) {
			row(engine, (enum dp_suite)id, keys[0], payloads[p]);
		}
		row(engine, (enum dp_suite)id, keys[1], 100);
	}
	printf("AES-256-GCM called naively, 1000 keys, 100 B: %.1f\n", naive_gcm_ns(engine, 100));
	crypto_engine_destroy(engine);
	return EXIT_SUCCESS;
}
