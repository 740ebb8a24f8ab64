// SPDX-License-Identifier: BSD-3-Clause
//
// Leases of nonce numbers, and the spelling of a number as a suffix: see nonce.h.
#include "crypto/nonce.h"

#include <string.h>

#include "api/dp_limits.h"

void nonce_init(struct nonce_space *n, uint32_t *floor)
{
	uint32_t used = __atomic_load_n(floor, __ATOMIC_ACQUIRE);

	*n = (struct nonce_space){.next = used, .leased = used, .floor = floor};
}

// The floor must have reached the memfd before the first packet of the lease reaches anybody: the
// fence keeps every later store, of the packet and of the device's doorbell, behind the floor's. A
// process that dies does not lose stores that it has made, so no write-back is needed. On x86 this
// only binds the compiler.
static bool lease_take(struct nonce_space *n)
{
	uint32_t used = __atomic_load_n(n->floor, __ATOMIC_RELAXED);

	if (used > n->next) {
		n->next = used; // the floor never goes back
	}
	if (n->next >= DP_NONCES_MAX) {
		n->next = n->leased = DP_NONCES_MAX;
		return false;
	}
	n->leased = DP_NONCES_MAX - n->next < DP_NONCES_PER_LEASE ? DP_NONCES_MAX
								  : n->next + DP_NONCES_PER_LEASE;
	__atomic_store_n(n->floor, n->leased, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	return true;
}

bool nonce_take(struct nonce_space *n, uint8_t suffix[4])
{
	if (__builtin_expect(n->next >= n->leased, 0) && !lease_take(n)) {
		return false;
	}
	nonce_suffix(n->next++, suffix);
	return true;
}

// As a big-endian word: 1, 23 bits, 1, 7 bits. Written as one word, because the cipher reads it as
// one.
void nonce_suffix(uint32_t number, uint8_t suffix[4])
{
	uint32_t word = 0x80000080u | (number & 0x3fffff80u) << 1 | (number & 0x7fu);

	word = __builtin_bswap32(word);
	memcpy(suffix, &word, sizeof(word));
}
