// SPDX-License-Identifier: BSD-3-Clause
//
// Where libipsec-mb's AES-GCM tables and the salt stand in a suite_key. For the files of this
// folder, their tests and benches.
#pragma once

#include <assert.h>
#include <emmintrin.h>
#include <stdalign.h>
#include <stdint.h>

#include <intel-ipsec-mb.h>

#include "crypto/suite.h"

// The salt, 12 bytes and four zeros, takes what the tables leave of the last line.
#define GCM_SALT_OFFSET (SUITE_KEY_SIZE - 16)

static_assert(SUITE_SEALER_SIZE + sizeof(struct gcm_key_data) <= GCM_SALT_OFFSET, "tables fit");
static_assert(alignof(struct gcm_key_data) <= alignof(struct suite_key), "and are aligned");
static_assert(SUITE_SEALER_SIZE % alignof(struct gcm_key_data) == 0, "and are aligned");

static inline const struct gcm_key_data *gcm_tables(const struct suite_key *key)
{
	return (const void *)(key->bytes + SUITE_SEALER_SIZE);
}

static inline struct gcm_key_data *gcm_tables_of(struct suite_key *key)
{
	return (void *)(key->bytes + SUITE_SEALER_SIZE);
}

// Keys are the only cold memory of a call: 100,000 of them fit no cache. The lines that a voice
// packet reads: round keys, and the lowest powers of the hash key, which stand last, with the salt.
#define GCM_PREFETCH_AHEAD 4

static inline void gcm_key_prefetch(const struct suite_key *key)
{
	const char *bytes = (const char *)gcm_tables(key);

	for (unsigned at = 0; at < sizeof(gcm_tables(key)->expanded_keys); at += DP_CACHE_LINE) {
		_mm_prefetch(bytes + at, _MM_HINT_T0);
	}
	for (unsigned at = SUITE_KEY_SIZE - 3 * DP_CACHE_LINE; at < SUITE_KEY_SIZE;
		at += DP_CACHE_LINE) {
		_mm_prefetch((const char *)key->bytes + at, _MM_HINT_T0);
	}
}
