// SPDX-License-Identifier: BSD-3-Clause
//
// See capacity.h. Samples of a wave's worth of packets; their median forgives interrupts and
// whoever else ran on the core meanwhile.

#include "host/capacity.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <rte_cycles.h>

#include "api/dp_assert.h"
#include "crypto/iv.h"
#include "crypto/suite.h"

#define BUFFERS 1024
#define BUFFER_STRIDE 2432 // mbufs lie so far apart: other sets of the caches
#define BUFFER_OFFSET 298  // headroom and headers, as in an mbuf
#define HEADER_SIZE 12
#define SAMPLE_PACKETS 512
#define SAMPLES_MAX 4096
#define WARM_SHARE 4  // of the time, before the first sample that counts
#define WIPE_SHARE 10 // of the time, behind the last one

// As voice.modes prefers them, then what browsers speak.
static const enum dp_suite suites[] = {DP_SUITE_AES256_GCM_RTPSIZE, DP_SUITE_AES128_GCM,
	DP_SUITE_AES_CM_128_HMAC_SHA1_80, DP_SUITE_XCHACHA20_RTPSIZE};

struct field {
	const struct suite *suite;
	unsigned expanded, key_count; // keys; those in use
	unsigned packet;              // packets so far: the next one's key, buffer and nonce
	uint64_t cycles[SAMPLES_MAX];
	struct seal_job jobs[DP_WAVE_MAX];
	struct seal_job *list[DP_WAVE_MAX];
	uint8_t payload[CAPACITY_PAYLOAD];
	alignas(16) uint8_t headers[DP_WAVE_MAX][16];
	struct suite_key keys[CAPACITY_KEYS];
	uint8_t buffers[BUFFERS][BUFFER_STRIDE];
};

static const struct suite *choose_suite(const struct crypto_engine *engine)
{
	for (unsigned i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
		if (crypto_engine_refusal(engine, suites[i]) == NULL)
			return suite_get(suites[i]);
	}
	return NULL;
}

static void expand(struct field *f, struct crypto_engine *engine)
{
	uint8_t key[DP_KEY_SIZE_MAX] = {0}, salt[DP_SALT_SIZE_MAX] = {0};

	for (; f->expanded < CAPACITY_KEYS; f->expanded++) {
		memcpy(key, &f->expanded, sizeof(f->expanded));
		if (f->suite->key_expand(engine, &f->keys[f->expanded], key, salt) != 0)
			break;
	}
	f->key_count = f->expanded;
}

static void iv_fill(const struct field *f, uint8_t iv[16], uint32_t number)
{
	uint32_t suffix = __builtin_bswap32(number);

	if (f->suite->salt_size == 0)
		iv_rtpsize(iv, (const uint8_t *)&suffix);
	else
		iv_srtp(iv, f->suite->id, 1, number);
}

static void wave_fill(struct field *f, unsigned count)
{
	for (unsigned i = 0; i < count; i++, f->packet++) {
		uint8_t *at = f->buffers[f->packet % BUFFERS] + BUFFER_OFFSET;

		memcpy(at, f->headers[i], HEADER_SIZE);
		f->jobs[i] = (struct seal_job){.key = &f->keys[f->packet % f->key_count],
			.src = f->payload,
			.dst = at + HEADER_SIZE,
			.aad = f->headers[i],
			.src_size = CAPACITY_PAYLOAD,
			.aad_size = HEADER_SIZE};
		iv_fill(f, f->jobs[i].iv, f->packet);
	}
}

static uint64_t sample(struct field *f, struct crypto_engine *engine)
{
	uint64_t cycles = 0;

	for (unsigned done = 0; done < SAMPLE_PACKETS;) {
		unsigned left = SAMPLE_PACKETS - done;
		unsigned count = left < DP_WAVE_MAX ? left : DP_WAVE_MAX;
		uint64_t start;

		wave_fill(f, count);
		start = rte_rdtsc();
		f->suite->seal(engine, f->list, count);
		cycles += rte_rdtsc() - start;
		done += count;
	}
	return cycles;
}

// A round over keys and buffers, which fetches them; libsrtp2 makes a key's context only now, and
// where that takes too long, those are all keys.
static void warm_up(struct field *f, struct crypto_engine *engine, uint64_t until_tsc)
{
	while (f->packet < f->key_count && rte_rdtsc() < until_tsc)
		(void)sample(f, engine);
	if (f->packet > 0 && f->packet < f->key_count)
		f->key_count = f->packet;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

uint32_t capacity_pps(uint64_t cycles_per_sample, unsigned packets_per_sample, uint64_t tsc_hz,
	uint32_t shared_by)
{
	DP_ASSERT(packets_per_sample > 0 && shared_by > 0);
	double cycles = (double)cycles_per_sample / packets_per_sample + CAPACITY_ROUTE_CYCLES;
	double pps = (double)tsc_hz / cycles / shared_by;

	return pps < 1 ? 1 : pps > CAPACITY_PPS_MAX ? CAPACITY_PPS_MAX : (uint32_t)pps;
}

static void measure(struct capacity_test *test, struct field *f, uint64_t start_tsc)
{
	uint64_t span = test->tsc_hz / 1000 * CAPACITY_TEST_MS;
	uint64_t end_tsc = start_tsc + span - span / WIPE_SHARE;

	expand(f, test->engine);
	if (f->key_count == 0)
		return;
	for (unsigned i = 0; i < DP_WAVE_MAX; i++) {
		f->list[i] = &f->jobs[i];
		f->headers[i][0] = 0x80;
		f->headers[i][3] = (uint8_t)i;
	}
	warm_up(f, test->engine, start_tsc + span / WARM_SHARE);
	do
		f->cycles[test->samples++] = sample(f, test->engine);
	while (rte_rdtsc() < end_tsc && test->samples < SAMPLES_MAX);
	qsort(f->cycles, test->samples, sizeof(f->cycles[0]), compare);
	test->pps = capacity_pps(
		f->cycles[test->samples / 2], SAMPLE_PACKETS, test->tsc_hz, test->shared_by);
	test->suite = f->suite->name;
}

int capacity_measure(void *arg)
{
	struct capacity_test *test = arg;
	uint64_t start_tsc = rte_rdtsc();
	struct field *f;

	test->pps = 0;
	test->samples = 0;
	test->suite = NULL;
	f = mmap(NULL, sizeof(*f), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (f == MAP_FAILED)
		return 0;
	f->suite = choose_suite(test->engine);
	if (f->suite != NULL)
		measure(test, f, start_tsc);
	for (unsigned i = 0; i < f->expanded; i++)
		suite_key_wipe(test->engine, &f->keys[i]);
	munmap(f, sizeof(*f));
	return 0;
}
