// SPDX-License-Identifier: BSD-3-Clause
//
// Leases of nonce numbers: see nonce.h.
#include "crypto/nonce.h"

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
bool nonce_lease(struct nonce_space *n)
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
