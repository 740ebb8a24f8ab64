// SPDX-License-Identifier: BSD-3-Clause
//
// Every SRTP suite equals libsrtp2: random packets of many keys and streams, sequence numbers that
// skip, come late and turn over, roll-over counters up to the last; sealed and opened, SRTP and
// SRTCP, on every path of the library that this CPU has, and by the engine that is libsrtp2.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <srtp2/srtp.h>

#include "crypto/engine.h"
#include "crypto/iv.h"
#include "crypto/suite.h"
#include "support/packet.h"
#include "support/room.h"

#define KEYS 8
#define STREAMS 40 // of each key: more than the engine libsrtp2 remembers
#define SIZE_MAX_TESTED 1460
#define AAD_MAX 64
#define RTCP_AAD 8
// Random packets per suite and protocol, each sealed and opened: on the path in use, on each other.
#ifdef DP_HOT_ASSERTS // sanitizers: slow
#define PACKETS_BEST 30000
#define PACKETS_OTHER 4000
#else
#define PACKETS_BEST 1000000
#define PACKETS_OTHER 20000
#endif

static struct crypto_engine *engines[6];
static unsigned engine_count;

struct stream {
	uint32_t ssrc;
	uint32_t rtcp_index; // of the last packet
	uint64_t index;      // newest so far
};

static struct {
	uint8_t master[DP_KEY_SIZE_MAX + DP_SALT_SIZE_MAX];
	srtp_t oracle;
	struct suite_key expanded;
	struct suite_rtcp_key rtcp;
	struct stream streams[STREAMS];
} keys[KEYS];

// One packet in work: what the oracle made of it, what the suite makes.
static struct item {
	struct stream *stream;
	unsigned key;
	uint64_t index;
	uint16_t aad_size, src_size;
	uint8_t header[AAD_MAX];
	const uint8_t *src;
	struct room expected, sealed;
	bool damaged;
} items[DP_WAVE_MAX];

static struct room_pool pool;
static struct seal_job seal_jobs[DP_WAVE_MAX], *seal_list[DP_WAVE_MAX];
static struct open_job open_jobs[DP_WAVE_MAX], *open_list[DP_WAVE_MAX];

static void policy_fill(srtp_policy_t *policy, enum dp_suite suite, unsigned key, uint32_t ssrc)
{
	memset(policy, 0, sizeof(*policy));
	if (suite == DP_SUITE_AES128_GCM) {
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy->rtp);
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy->rtcp);
	} else if (suite == DP_SUITE_AES256_GCM) {
		srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy->rtp);
		srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy->rtcp);
	} else {
		srtp_crypto_policy_set_rtp_default(&policy->rtp);
		srtp_crypto_policy_set_rtcp_default(&policy->rtcp);
	}
	policy->ssrc.type = ssrc_specific;
	policy->ssrc.value = ssrc;
	policy->key = keys[key].master;
	policy->window_size = 2048;
	policy->allow_repeat_tx = 1;
}

// Where streams begin: at the start, in the middle, before the counter's 17th bit, near its end.
static uint32_t first_roc(unsigned stream)
{
	switch (stream % 4) {
	case 0:
		return 0;
	case 1:
		return 1 + room_below(&pool, 0x7fffffff);
	case 2:
		return 0xfffe;
	default:
		return 0xffffffff - 300;
	}
}

static void keys_make(struct crypto_engine *engine, const struct suite *suite)
{
	for (unsigned k = 0; k < KEYS; k++) {
		const uint8_t *salt = keys[k].master + suite->key_size;

		packet_random_fill(&pool.random, keys[k].master, sizeof(keys[k].master));
		assert_int_equal(srtp_create(&keys[k].oracle, NULL), srtp_err_status_ok);
		for (unsigned i = 0; i < STREAMS; i++) {
			struct stream *s = &keys[k].streams[i];
			uint32_t roc = first_roc(i);
			srtp_policy_t policy;

			// Unique in a key.
			s->ssrc = (uint32_t)packet_random_next(&pool.random) << 6 | i;
			s->rtcp_index = 0;
			// Not so near a wrap that the first packet could be across it.
			s->index = (uint64_t)roc << 16 | (0x1000 + room_below(&pool, 0xe000));
			policy_fill(&policy, suite->id, k, s->ssrc);
			assert_int_equal(
				srtp_add_stream(keys[k].oracle, &policy), srtp_err_status_ok);
			if (roc != 0) {
				assert_int_equal(srtp_set_stream_roc(keys[k].oracle, s->ssrc, roc),
					srtp_err_status_ok);
			}
		}
		assert_int_equal(
			suite->key_expand(engine, &keys[k].expanded, keys[k].master, salt), 0);
		assert_int_equal(
			suite->rtcp_key_derive(engine, &keys[k].rtcp, keys[k].master, salt), 0);
	}
}

static void keys_end(struct crypto_engine *engine)
{
	for (unsigned k = 0; k < KEYS; k++) {
		suite_key_wipe(engine, &keys[k].expanded);
		assert_int_equal(srtp_dealloc(keys[k].oracle), srtp_err_status_ok);
	}
}

static void put(uint8_t *at, uint64_t value, unsigned size)
{
	while (size-- > 0) {
		*at++ = (uint8_t)(value >> 8 * size);
	}
}

// The next packet of a stream: mostly the next number, often after a gap, sometimes late.
static uint64_t next_index(struct stream *s)
{
	uint32_t kind = room_below(&pool, 16);

	if (kind == 0 && s->index > 1000) {
		return s->index - room_below(&pool, 1000);
	}
	s->index += kind < 4 ? 1 + room_below(&pool, 2000) : 1;
	assert_true(s->index <= IV_INDEX_MAX);
	return s->index;
}

// Fixed header, CSRCs, extension: whatever fits 'aad_size' at random.
static void rtp_header(struct item *item)
{
	uint32_t words = (item->aad_size - 12u) / 4, csrcs = room_below(&pool, words + 1);
	uint8_t *h = item->header;

	memcpy(h, room_slice(&pool, AAD_MAX), AAD_MAX);
	if (csrcs > 15) {
		csrcs = 15;
	}
	h[0] = (uint8_t)(0x80 | (h[0] & 0x20) | csrcs);
	put(h + 2, item->index, 2);
	put(h + 8, item->stream->ssrc, 4);
	if (words > csrcs) {
		h[0] |= 0x10;
		put(h + 12 + csrcs * 4 + 2, words - csrcs - 1, 2);
	}
}

static void item_fill(struct item *item, bool is_rtcp)
{
	item->key = room_below(&pool, KEYS);
	item->stream = &keys[item->key].streams[room_below(&pool, STREAMS)];
	item->src_size = (uint16_t)room_random_size(&pool, SIZE_MAX_TESTED);
	item->src = room_slice(&pool, item->src_size);
	if (is_rtcp) {
		item->index = ++item->stream->rtcp_index;
		item->aad_size = RTCP_AAD;
		memcpy(item->header, room_slice(&pool, 4), 4);
		item->header[0] = (uint8_t)(0x80 | (item->header[0] & 0x3f));
		put(item->header + 4, item->stream->ssrc, 4);
	} else {
		item->index = next_index(item->stream);
		item->aad_size = (uint16_t)(12 + 4 * room_below(&pool, (AAD_MAX - 12) / 4 + 1));
		rtp_header(item);
	}
}

static void oracle_seal(struct item *item, uint32_t overhead, bool is_rtcp)
{
	int size = item->aad_size + item->src_size;
	uint8_t *packet = room_init(&item->expected, 0, (uint32_t)size + overhead);

	memcpy(packet, item->header, item->aad_size);
	memcpy(packet + item->aad_size, item->src, item->src_size);
	assert_int_equal(
		(is_rtcp ? srtp_protect_rtcp : srtp_protect)(keys[item->key].oracle, packet, &size),
		srtp_err_status_ok);
	assert_int_equal(size, item->expected.size);
	room_check(&item->expected);
}

static void check_seal(
	struct crypto_engine *engine, const struct suite *suite, unsigned count, bool is_rtcp)
{
	for (unsigned i = 0; i < count; i++) {
		struct item *item = &items[i];
		uint8_t *packet =
			room_init(&item->sealed, room_below(&pool, 16), item->expected.size);

		memcpy(packet, item->header, item->aad_size);
		seal_jobs[i] = (struct seal_job){.key = &keys[item->key].expanded,
			.src = item->src,
			.dst = packet + item->aad_size,
			.aad = item->header,
			.src_size = item->src_size,
			.aad_size = item->aad_size};
		if (is_rtcp) {
			seal_jobs[i].rtcp_key = &keys[item->key].rtcp;
		}
		iv_srtp(seal_jobs[i].iv, suite->id, item->stream->ssrc, item->index);
		seal_list[i] = &seal_jobs[i];
	}
	(is_rtcp ? suite->rtcp_seal : suite->seal)(engine, seal_list, count);
	for (unsigned i = 0; i < count; i++) {
		struct item *item = &items[i];

		room_assert_equal(item->sealed.bytes + item->sealed.begin,
			item->expected.bytes + item->expected.begin, item->expected.size);
		room_check(&item->sealed);
	}
}

// Every third is cut, or wrong in one bit.
static void damage(struct item *item, struct open_job *job)
{
	if (room_below(&pool, 4) == 0) {
		job->size =
			(uint16_t)(job->size - (1 + room_below(&pool, job->size - item->aad_size)));
	} else {
		uint32_t bit = room_below(&pool, job->size * 8u);

		job->pkt[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void check_open(
	struct crypto_engine *engine, const struct suite *suite, unsigned count, bool is_rtcp)
{
	for (unsigned i = 0; i < count; i++) {
		struct item *item = &items[i];
		struct open_job *job = &open_jobs[i];

		*job = (struct open_job){.key = &keys[item->key].expanded,
			.pkt = room_init(&item->sealed, room_below(&pool, 16), item->expected.size),
			.size = (uint16_t)item->expected.size,
			.aad_size = item->aad_size,
			.verdict = DP_VERDICT_COUNT};
		memcpy(job->pkt, item->expected.bytes + item->expected.begin, job->size);
		if (is_rtcp) {
			job->rtcp_key = &keys[item->key].rtcp;
		} else {
			iv_srtp(job->iv, suite->id, item->stream->ssrc, item->index);
		}
		item->damaged = i % 3 == 2;
		if (item->damaged) {
			damage(item, job);
		}
		open_list[i] = job;
	}
	(is_rtcp ? suite->rtcp_open : suite->open)(engine, open_list, count);
	for (unsigned i = 0; i < count; i++) {
		struct item *item = &items[i];
		struct open_job *job = &open_jobs[i];

		assert_int_equal(job->verdict, item->damaged ? DP_SRTP_AUTH : DP_OK);
		room_check(&item->sealed);
		if (item->damaged) {
			continue;
		}
		room_assert_equal(job->pkt, item->header, item->aad_size);
		room_assert_equal(job->pkt + item->aad_size, item->src, item->src_size);
		assert_int_equal(iv_index(job->iv, suite->id), item->index);
	}
}

// All batch sizes in turn.
static void equals(
	struct crypto_engine *engine, const struct suite *suite, uint32_t packets, bool is_rtcp)
{
	uint32_t overhead = is_rtcp ? suite->rtcp_overhead : suite->overhead;

	pool.random.state = 77 + suite->id;
	keys_make(engine, suite);
	for (unsigned count = 1; packets > 0; count = count % DP_WAVE_MAX + 1) {
		if (count > packets) {
			count = packets;
		}
		room_pool_fill(&pool);
		for (unsigned i = 0; i < count; i++) {
			item_fill(&items[i], is_rtcp);
			oracle_seal(&items[i], overhead, is_rtcp);
		}
		check_seal(engine, suite, count, is_rtcp);
		check_open(engine, suite, count, is_rtcp);
		packets -= count;
	}
	keys_end(engine);
}

static void on_every_engine(enum dp_suite id)
{
	for (unsigned e = 0; e < engine_count; e++) {
		uint32_t packets = e == 0 ? PACKETS_BEST : PACKETS_OTHER;

		equals(engines[e], suite_get(id), packets, false);
		equals(engines[e], suite_get(id), packets, true);
	}
}

static void aead_aes_128_gcm_equals_libsrtp2(void **state)
{
	(void)state;
	on_every_engine(DP_SUITE_AES128_GCM);
}

static void aead_aes_256_gcm_equals_libsrtp2(void **state)
{
	(void)state;
	on_every_engine(DP_SUITE_AES256_GCM);
}

static void aes_cm_128_hmac_sha1_80_equals_libsrtp2(void **state)
{
	(void)state;
	on_every_engine(DP_SUITE_AES_CM_128_HMAC_SHA1_80);
}

static int engines_create(void **state)
{
	static const IMB_ARCH archs[] = {
		IMB_ARCH_SSE, IMB_ARCH_AVX, IMB_ARCH_AVX2, IMB_ARCH_AVX512};

	(void)state;
	engines[engine_count++] = crypto_engine_create(CRYPTO_ENGINE_AUTO, NULL, 0);
	engines[engine_count++] = crypto_engine_create(CRYPTO_ENGINE_LIBSRTP2, NULL, 0);
	for (unsigned i = 0; i < sizeof(archs) / sizeof(archs[0]); i++) {
		engines[engine_count] = crypto_engine_create_as(
			&(struct crypto_engine_setup){.arch = archs[i]}, NULL, 0);
		if (engines[engine_count] != NULL) {
			engine_count++;
		}
	}
	return engines[0] == NULL || engines[1] == NULL;
}

static int engines_destroy(void **state)
{
	(void)state;
	for (unsigned i = 0; i < engine_count; i++) {
		crypto_engine_destroy(engines[i]);
	}
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(aead_aes_128_gcm_equals_libsrtp2),
		cmocka_unit_test(aead_aes_256_gcm_equals_libsrtp2),
		cmocka_unit_test(aes_cm_128_hmac_sha1_80_equals_libsrtp2),
	};

	return cmocka_run_group_tests_name("srtp_equal", tests, engines_create, engines_destroy);
}
