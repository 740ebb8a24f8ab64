// SPDX-License-Identifier: BSD-3-Clause
//
// A counter that is enciphered: block number n of the walk is E(n), where E is a Feistel network
// over the 27 bits of a block number with HMAC-SHA-256 as its round function. What E makes of a
// number is a permutation for any round function; that nobody without the key sees its order is the
// HMAC's doing. Sixteen HMACs a session are some 20 microseconds.

#include "registry/ssrc_alloc.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "api/dp_limits.h"

#define BLOCK_SIZE ((uint32_t)DP_SSRCS_PER_SESSION)
#define LOW_BITS 14u
#define HIGH_BITS 13u
#define LOW_MASK ((1u << LOW_BITS) - 1)
#define HIGH_MASK ((1u << HIGH_BITS) - 1)
#define BLOCK_MASK ((1u << (LOW_BITS + HIGH_BITS)) - 1)
#define FEISTEL_ROUNDS 16u // unbalanced, and small: more than the four of the proof
// At most one block in 16 lives (DP_SESSIONS_MAX on DP_WORKERS_MAX), wherever the permutation puts
// them: so many in a row are in use once in 2^512 times.
#define TRIES_MAX 128u

static_assert(SSRC_LAST / DP_SSRCS_PER_SESSION == BLOCK_MASK, "every number below is a block");
static_assert((uint64_t)DP_SESSIONS_MAX * DP_WORKERS_MAX * 16 <= BLOCK_MASK + 1ull,
	"most blocks are free");

static bool round_value(
	const uint8_t key[SSRC_KEY_SIZE], uint32_t round, uint32_t half, uint32_t *out)
{
	uint8_t text[5] = {(uint8_t)round, (uint8_t)(half >> 24), (uint8_t)(half >> 16),
		(uint8_t)(half >> 8), (uint8_t)half};
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned size = 0;

	if (HMAC(EVP_sha256(), key, SSRC_KEY_SIZE, text, sizeof(text), digest, &size) == NULL ||
		size < sizeof(*out))
		return false;
	memcpy(out, digest, sizeof(*out));
	return true;
}

// Each half in turn is changed by a function of the other: undone by the same steps backwards, so
// no two numbers become one.
static bool encipher(const uint8_t key[SSRC_KEY_SIZE], uint32_t number, uint32_t *out)
{
	uint32_t low = number & LOW_MASK, high = number >> LOW_BITS & HIGH_MASK, mix;

	for (uint32_t round = 0; round < FEISTEL_ROUNDS; round++) {
		bool is_low = round % 2 == 0;

		if (!round_value(key, round, is_low ? high : low, &mix))
			return false;
		if (is_low)
			low ^= mix & LOW_MASK;
		else
			high ^= mix & HIGH_MASK;
	}
	*out = high << LOW_BITS | low;
	return true;
}

void ssrc_order_init(struct ssrc_order *order, const uint8_t key[SSRC_KEY_SIZE])
{
	*order = (struct ssrc_order){0};
	memcpy(order->key, key, SSRC_KEY_SIZE);
}

uint32_t ssrc_alloc_take(struct ssrc_order *order, ssrc_in_use_fn *in_use, void *arg)
{
	for (unsigned tries = 0; tries < TRIES_MAX; tries++) {
		uint32_t block, number = order->next & BLOCK_MASK;

		if (!encipher(order->key, number, &block))
			return 0;
		// Before it is used: a control that is killed here skips it.
		__atomic_store_n(&order->next, (number + 1) & BLOCK_MASK, __ATOMIC_RELEASE);
		if (block * BLOCK_SIZE >= SSRC_FIRST && !in_use(arg, block * BLOCK_SIZE))
			return block * BLOCK_SIZE;
	}
	return 0;
}
