// SPDX-License-Identifier: BSD-3-Clause
//
// ns per seal and per open, by suite, payload and number of keys; by the number of jobs in a call,
// which is what small rooms have; of SRTCP, whose keys are expanded at every use; and the cipher
// called naively (nonce and header written byte by byte right before the call), which is what
// seal() must beat.
// usage: crypto_bench [auto | ipsec-mb | libsrtp2]
#include <stdalign.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/engine.h"
#include "crypto/gcm_key.h"
#include "crypto/iv.h"
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
		engine->mgr->gcm256_pre(key, gcm_tables_of(&keys[i]));
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

#define CALL_KEYS 1000
#define CALL_JOBS 256 // timed together
#define CALL_SAMPLES 201
#define CALL_PAYLOAD 100
#define CALL_STRIDE 512 // bytes from packet to packet

// Packets of 100 bytes for calls of a few jobs each.
static struct calls {
	struct crypto_engine *engine;
	const struct suite *suite;
	struct suite_key keys[CALL_KEYS];
	struct suite_rtcp_key rtcp_keys[CALL_KEYS];
	uint8_t packets[CALL_JOBS][CALL_STRIDE];
	uint8_t payload[CALL_PAYLOAD];
	alignas(16) uint8_t headers[CALL_JOBS][16];
	struct seal_job seals[CALL_JOBS];
	struct open_job opens[CALL_JOBS];
	struct seal_job *seal_list[CALL_JOBS];
	struct open_job *open_list[CALL_JOBS];
	uint32_t number; // of packets so far
} calls;

static void calls_begin(struct crypto_engine *engine, const struct suite *suite)
{
	uint8_t key[DP_KEY_SIZE_MAX] = {0}, salt[DP_SALT_SIZE_MAX] = {0};

	calls.engine = engine;
	calls.suite = suite;
	for (unsigned i = 0; i < CALL_KEYS; i++) {
		memcpy(key, &i, sizeof(i));
		if (suite->key_expand(engine, &calls.keys[i], key, salt) != 0 ||
			(suite->rtcp_key_derive != NULL &&
				suite->rtcp_key_derive(engine, &calls.rtcp_keys[i], key, salt) !=
					0)) {
			fprintf(stderr, "crypto_bench: no key of %s\n", suite->name);
			exit(EXIT_FAILURE);
		}
	}
}

static void calls_end(void)
{
	for (unsigned i = 0; i < CALL_KEYS; i++) {
		suite_key_wipe(calls.engine, &calls.keys[i]);
	}
}

static void calls_fill(bool is_rtcp)
{
	uint16_t header_size = is_rtcp ? 8 : 12;
	uint16_t overhead = is_rtcp ? calls.suite->rtcp_overhead : calls.suite->overhead;

	for (unsigned i = 0; i < CALL_JOBS; i++) {
		uint32_t number = calls.number / CALL_KEYS; // of the key's packets
		unsigned key = calls.number++ % CALL_KEYS;
		uint8_t *header = calls.headers[i];

		memcpy(header, (uint8_t[4]){0x80, 0x78, (uint8_t)(number >> 8), (uint8_t)number},
			4);
		calls.seals[i] = (struct seal_job){.key = &calls.keys[key],
			.src = calls.payload,
			.dst = calls.packets[i] + header_size,
			.aad = header,
			.src_size = CALL_PAYLOAD,
			.aad_size = header_size};
		calls.opens[i] = (struct open_job){.key = &calls.keys[key],
			.pkt = calls.packets[i],
			.size = (uint16_t)(header_size + CALL_PAYLOAD + overhead),
			.aad_size = header_size};
		if (is_rtcp && calls.suite->rtcp_key_derive != NULL) {
			calls.seals[i].rtcp_key = &calls.rtcp_keys[key];
			calls.opens[i].rtcp_key = &calls.rtcp_keys[key];
		}
		if (calls.suite->salt_size != 0) {
			iv_srtp(calls.seals[i].iv, calls.suite->id, 0, number);
		} else {
			iv_rtpsize(calls.seals[i].iv, (const uint8_t *)&number);
		}
		memcpy(calls.opens[i].iv, calls.seals[i].iv, sizeof(calls.opens[i].iv));
		memcpy(calls.packets[i], header, header_size);
		calls.seal_list[i] = &calls.seals[i];
		calls.open_list[i] = &calls.opens[i];
	}
}

// Medians, ns per packet, of calls with 'jobs' jobs each.
static void calls_measure(unsigned jobs, bool is_rtcp, double *seal_ns, double *open_ns)
{
	suite_seal_fn *seal = is_rtcp ? calls.suite->rtcp_seal : calls.suite->seal;
	suite_open_fn *open = is_rtcp ? calls.suite->rtcp_open : calls.suite->open;
	double seals[CALL_SAMPLES], opens[CALL_SAMPLES];
	struct seal_cost cost;

	for (unsigned s = 0; s < CALL_SAMPLES; s++) {
		double start;

		calls_fill(is_rtcp);
		start = bench_now_ns();
		for (unsigned i = 0; i < CALL_JOBS; i += jobs) {
			seal(calls.engine, &calls.seal_list[i], jobs);
		}
		seals[s] = (bench_now_ns() - start) / CALL_JOBS;
		start = bench_now_ns();
		for (unsigned i = 0; i < CALL_JOBS; i += jobs) {
			open(calls.engine, &calls.open_list[i], jobs);
		}
		opens[s] = (bench_now_ns() - start) / CALL_JOBS;
		for (unsigned i = 0; i < CALL_JOBS; i++) {
			if (calls.opens[i].verdict != DP_OK) {
				fprintf(stderr, "crypto_bench: %s opens nothing\n",
					calls.suite->name);
				exit(EXIT_FAILURE);
			}
		}
	}
	seal_cost_fill(&cost, seals, CALL_SAMPLES);
	*seal_ns = cost.median;
	seal_cost_fill(&cost, opens, CALL_SAMPLES);
	*open_ns = cost.median;
}

static void call_rows(struct crypto_engine *engine, const struct suite *suite)
{
	static const unsigned jobs[] = {1, 2, 4, 8, 16, 32, 64};
	double seal, open;

	static_assert(DP_WAVE_MAX >= 64, "the longest of these calls");
	calls_begin(engine, suite);
	printf("%-32s", suite->name);
	for (unsigned i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
		calls_measure(jobs[i], false, &seal, &open);
		printf(" %4.0f/%-4.0f", seal, open);
	}
	calls_measure(1, true, &seal, &open);
	printf(" %4.0f/%-4.0f\n", seal, open);
	calls_end();
}

static struct crypto_engine *engine_of(const char *name)
{
	static const char *const names[] = {"auto", "ipsec-mb", "libsrtp2"};
	struct crypto_engine *engine;
	char why[256];

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], name) != 0) {
			continue;
		}
		engine = crypto_engine_create((enum crypto_engine_kind)i, why, sizeof(why));
		if (engine == NULL) {
			fprintf(stderr, "crypto_bench: %s\n", why);
		}
		return engine;
	}
	fprintf(stderr, "crypto_bench: no engine \"%s\"; there are auto, ipsec-mb, libsrtp2\n",
		name);
	return NULL;
}

int main(int argc, char *argv[])
{
	static const unsigned payloads[] = {20, 60, 100, 160, 240, 1100};
	static const unsigned keys[] = {1000, 10000};
	struct crypto_engine *engine = engine_of(argc > 1 ? argv[1] : "auto");

	if (engine == NULL) {
		return EXIT_FAILURE;
	}
	printf("%s, ns per packet\n", crypto_engine_name(engine));
	printf("%-32s %8s %8s   %6s %6s %7s   %6s %6s %7s\n", "suite", "keys", "payload",
		"seal min", "med", "max", "open min", "med", "max");
	for (unsigned id = DP_SUITE_NONE + 1; id < DP_SUITE_COUNT; id++) {
		if (crypto_engine_refusal(engine, (enum dp_suite)id) != NULL) {
			continue;
		}
		for (unsigned p = 0; p < sizeof(payloads) / sizeof(payloads[0]); p++) {
			row(engine, (enum dp_suite)id, keys[0], payloads[p]);
		}
		// The library under libsrtp2 searches its keys one by one.
		if (engine->kind != CRYPTO_ENGINE_LIBSRTP2) {
			row(engine, (enum dp_suite)id, keys[1], 100);
		}
	}
	printf("\n100 B, 1000 keys, seal/open by jobs in a call, and SRTCP one by one\n");
	printf("%-32s %9s %9s %9s %9s %9s %9s %9s %9s\n", "suite", "1   ", "2   ", "4   ", "8   ",
		"16   ", "32   ", "64   ", "RTCP  ");
	for (unsigned id = DP_SUITE_NONE + 1; id < DP_SUITE_COUNT; id++) {
		if (crypto_engine_refusal(engine, (enum dp_suite)id) == NULL) {
			call_rows(engine, suite_get(id));
		}
	}
	printf("\nAES-256-GCM called naively, 1000 keys, 100 B: %.1f\n", naive_gcm_ns(engine, 100));
	crypto_engine_destroy(engine);
	return EXIT_SUCCESS;
}
