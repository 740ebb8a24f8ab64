// SPDX-License-Identifier: BSD-3-Clause
//
// The field: keys, 1,024 buffers at the distance of mbufs, and per sample as many packets as there
// are keys (at least 512, at most 1,024), a wave at a time. A sample takes 20 to 200 us, so that an
// interrupt spoils one of many and not the median.
//
// Keys and buffers stand in huge pages of their own where the kernel gives any: by small pages,
// which of the core's cache sets they share is another accident in every run, of up to 16 ns a
// packet.
#include "seal_only.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "crypto/iv.h"
#include "crypto/suite.h"

#define SAMPLE_COUNT_MAX 301
#define SAMPLE_COUNT_MIN 15 // of a cipher so slow that more of them take too long
#define SAMPLES_NS_MAX 60e6 // of one measurement
#define WARM_UP_SAMPLES_MAX 30
#define BUFFER_COUNT 1024
#define BUFFER_STRIDE 2432 // struct rte_mbuf 128, headroom 128, data room 2,176
#define BUFFER_OFFSET (128 + 128 + 42)
#define HEADER_SIZE 12
#define SSRC 0x5c5c5c5c // of every stream: one a key
#define SAMPLE_PACKETS_MIN 512
#define SAMPLE_PACKETS_MAX BUFFER_COUNT // all sealed before the first is opened
#define HUGE_PAGE_SIZE ((size_t)2 << 20)

struct seal_only {
	struct crypto_engine *engine;
	const struct suite *suite;
	unsigned key_count, payload, sample_packets;
	unsigned turn; // samples taken: which keys are next
	struct suite_key *keys;
	uint8_t *buffers;
	uint8_t payload_bytes[DP_PAYLOAD_SIZE_MAX];
	alignas(16) uint8_t headers[DP_WAVE_MAX][16];
	struct seal_job seal[DP_WAVE_MAX];
	struct open_job open[DP_WAVE_MAX];
	struct seal_job *seal_list[DP_WAVE_MAX];
	struct open_job *open_list[DP_WAVE_MAX];
};

double bench_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void seal_cost_fill(struct seal_cost *cost, double *samples, unsigned count)
{
	qsort(samples, count, sizeof(samples[0]), compare);
	*cost = (struct seal_cost){
		.min = samples[0], .median = samples[count / 2], .max = samples[count - 1]};
}

// At a huge page's border, and touched, so that no sample waits for a page.
static void *map(size_t size)
{
	size_t whole = (size + HUGE_PAGE_SIZE - 1) / HUGE_PAGE_SIZE * HUGE_PAGE_SIZE;
	void *at = aligned_alloc(HUGE_PAGE_SIZE, whole);

	if (at != NULL) {
		(void)madvise(at, whole, MADV_HUGEPAGE); // a wish: less of it is only slower
		memset(at, 0, whole);
	}
	return at;
}

static size_t keys_size(const struct seal_only *f)
{
	return f->key_count * sizeof(struct suite_key);
}

void seal_only_destroy(struct seal_only *f)
{
	if (f == NULL) {
		return;
	}
	if (f->keys != NULL) {
		for (unsigned i = 0; i < f->key_count; i++) {
			suite_key_wipe(f->engine, &f->keys[i]);
		}
		free(f->keys);
	}
	free(f->buffers);
	free(f);
}

static int expand_keys(struct seal_only *f)
{
	uint8_t key[DP_KEY_SIZE_MAX], salt[DP_SALT_SIZE_MAX] = {0};
	int err = 0;

	for (unsigned i = 0; i < f->key_count && err == 0; i++) {
		memset(key, (int)i, sizeof(key));
		memcpy(key, &i, sizeof(i));
		err = f->suite->key_expand(f->engine, &f->keys[i], key, salt);
	}
	return err;
}

int seal_only_create(struct crypto_engine *engine, enum dp_suite id, unsigned keys,
	unsigned payload, struct seal_only **out)
{
	const struct suite *suite = suite_get(id);
	struct seal_only *f;
	int err;

	if (suite == NULL || keys == 0 ||
		payload > DP_PAYLOAD_SIZE_MAX - HEADER_SIZE - DP_RTPSIZE_OVERHEAD) {
		return -EINVAL;
	}
	f = aligned_alloc(alignof(struct seal_only), sizeof(*f));
	if (f == NULL) {
		return -ENOMEM;
	}
	memset(f, 0, sizeof(*f));
	f->engine = engine;
	f->suite = suite;
	f->key_count = keys;
	f->payload = payload;
	f->sample_packets = keys < SAMPLE_PACKETS_MIN   ? SAMPLE_PACKETS_MIN
			    : keys > SAMPLE_PACKETS_MAX ? SAMPLE_PACKETS_MAX
							: keys;
	f->keys = map(keys_size(f));
	f->buffers = map(BUFFER_COUNT * BUFFER_STRIDE);
	err = f->keys == NULL || f->buffers == NULL ? -ENOMEM : expand_keys(f);
	if (err != 0) {
		seal_only_destroy(f);
		return err;
	}
	memset(f->payload_bytes, 0x5a, sizeof(f->payload_bytes));
	for (unsigned i = 0; i < DP_WAVE_MAX; i++) {
		f->seal_list[i] = &f->seal[i];
		f->open_list[i] = &f->open[i];
		f->headers[i][0] = 0x80;
		memset(f->headers[i] + 8, SSRC & 0xff, 4);
	}
	*out = f;
	return 0;
}

static uint8_t *buffer(const struct seal_only *f, unsigned packet)
{
	return f->buffers + packet % BUFFER_COUNT * (size_t)BUFFER_STRIDE + BUFFER_OFFSET;
}

// A nonce that no other packet of the key has: the key's packets are numbered from 0, and the
// header says the same number, which libsrtp2 goes by.
static void iv_fill(const struct seal_only *f, uint8_t iv[16], uint8_t header[16], uint32_t number)
{
	uint16_t seq = __builtin_bswap16((uint16_t)number);
	uint32_t word = __builtin_bswap32(number);

	memcpy(header + 2, &seq, sizeof(seq));
	if (f->suite->salt_size == 0) {
		iv_rtpsize(iv, (const uint8_t *)&word);
	} else {
		iv_srtp(iv, f->suite->id, SSRC, number);
	}
}

// Jobs for the wave 'done' packets into the sample that begins at 'first'; how many.
static unsigned wave_fill(struct seal_only *f, unsigned first, unsigned done)
{
	unsigned left = f->sample_packets - done, packet = first + done;
	unsigned count = left < DP_WAVE_MAX ? left : DP_WAVE_MAX;

	for (unsigned i = 0; i < count; i++, packet++) {
		const struct suite_key *key = &f->keys[packet % f->key_count];

		f->seal[i] = (struct seal_job){.key = key,
			.src = f->payload_bytes,
			.dst = buffer(f, packet) + HEADER_SIZE,
			.aad = f->headers[i],
			.src_size = (uint16_t)f->payload,
			.aad_size = HEADER_SIZE};
		iv_fill(f, f->seal[i].iv, f->headers[i], packet / f->key_count);
		f->open[i] = (struct open_job){.key = key,
			.pkt = buffer(f, packet),
			.size = (uint16_t)(HEADER_SIZE + f->payload + f->suite->overhead),
			.aad_size = HEADER_SIZE};
		memcpy(f->open[i].iv, f->seal[i].iv, sizeof(f->open[i].iv));
		memcpy(f->open[i].pkt, f->headers[i], HEADER_SIZE);
	}
	return count;
}

// ns per packet of one sample that begins at 'packet'. What is opened was sealed a whole sample
// before: its key is no warmer than the next one's.
static double sample(struct seal_only *f, unsigned packet, bool opening)
{
	double ns = 0;

	for (unsigned done = 0, count; opening && done < f->sample_packets; done += count) {
		count = wave_fill(f, packet, done);
		f->suite->seal(f->engine, f->seal_list, count);
	}
	for (unsigned done = 0, count; done < f->sample_packets; done += count) {
		double start;

		count = wave_fill(f, packet, done);
		start = bench_now_ns();
		if (opening) {
			f->suite->open(f->engine, f->open_list, count);
		} else {
			f->suite->seal(f->engine, f->seal_list, count);
		}
		ns += bench_now_ns() - start;
	}
	return ns / f->sample_packets;
}

int seal_only_sample(struct seal_only *f, bool opening, struct seal_cost *cost)
{
	double samples[SAMPLE_COUNT_MAX], start = bench_now_ns();
	unsigned count = 0, warm_up = 0;

	// Key turns go on over the samples, so that all keys are visited however many there are.
	for (; warm_up < WARM_UP_SAMPLES_MAX && bench_now_ns() < start + SAMPLES_NS_MAX / 10;
		warm_up++) {
		(void)sample(f, f->turn++ * f->sample_packets, opening);
	}
	while (count < SAMPLE_COUNT_MAX &&
		(count < SAMPLE_COUNT_MIN || bench_now_ns() < start + SAMPLES_NS_MAX)) {
		samples[count++] = sample(f, f->turn++ * f->sample_packets, opening);
	}
	seal_cost_fill(cost, samples, count);
	for (unsigned i = 0; opening && i < f->sample_packets && i < DP_WAVE_MAX; i++) {
		if (f->open[i].verdict != DP_OK) {
			return -EBADMSG; // a bench that opens nothing measures nothing
		}
	}
	return 0;
}

static int measure(struct crypto_engine *engine, enum dp_suite suite, unsigned keys,
	unsigned payload, bool opening, struct seal_cost *cost)
{
	struct seal_only *f;
	int err = seal_only_create(engine, suite, keys, payload, &f);

	if (err == 0) {
		err = seal_only_sample(f, opening, cost);
		seal_only_destroy(f);
	}
	return err;
}

int seal_only_measure(struct crypto_engine *engine, enum dp_suite suite, unsigned keys,
	unsigned payload, struct seal_cost *cost)
{
	return measure(engine, suite, keys, payload, false, cost);
}

int open_only_measure(struct crypto_engine *engine, enum dp_suite suite, unsigned keys,
	unsigned payload, struct seal_cost *cost)
{
	return measure(engine, suite, keys, payload, true, cost);
}

double seal_only_ns(
	struct crypto_engine *engine, enum dp_suite suite, unsigned keys, unsigned payload)
{
	struct seal_cost cost;

	return seal_only_measure(engine, suite, keys, payload, &cost) == 0 ? cost.median : -1;
}
