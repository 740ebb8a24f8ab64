// SPDX-License-Identifier: BSD-3-Clause
//
// Buffers for tests of ciphers: guard bytes around a packet (the library is assembly that no
// sanitizer sees into), and random bytes by the slice, because a million packets of them made one
// by one would be most of a test's time. For cmocka tests.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/packet.h"

#define ROOM_GUARD 64
#define ROOM_GUARD_BYTE 0xa5
#define ROOM_PACKET_MAX 1664 // bytes, shifted by up to 16
#define ROOM_POOL_SIZE 65536

// A packet with guards around it.
struct room {
	uint8_t bytes[ROOM_GUARD + ROOM_PACKET_MAX + ROOM_GUARD];
	uint32_t begin, size; // of the packet
};

// The packet begins 'shift' bytes behind the first guard.
static inline uint8_t *room_init(struct room *r, uint32_t shift, uint32_t size)
{
	memset(r->bytes, ROOM_GUARD_BYTE, sizeof(r->bytes));
	r->begin = ROOM_GUARD + shift;
	r->size = size;
	assert_true(r->begin + size + ROOM_GUARD <= sizeof(r->bytes));
	return r->bytes + r->begin;
}

static inline void room_check_bytes(const struct room *r, uint32_t from, uint32_t to)
{
	static struct room untouched;

	if (untouched.bytes[0] != ROOM_GUARD_BYTE) {
		memset(untouched.bytes, ROOM_GUARD_BYTE, sizeof(untouched.bytes));
	}
	if (memcmp(r->bytes + from, untouched.bytes + from, to - from) == 0) {
		return;
	}
	while (r->bytes[from] == ROOM_GUARD_BYTE) {
		from++;
	}
	fail_msg("byte %d of a packet of %u was written", (int)from - (int)r->begin, r->size);
}

static inline void room_check(const struct room *r)
{
	room_check_bytes(r, 0, r->begin);
	room_check_bytes(r, r->begin + r->size, sizeof(r->bytes));
}

// assert_memory_equal() at the speed of memcmp().
static inline void room_assert_equal(const uint8_t *a, const uint8_t *b, size_t size)
{
	if (memcmp(a, b, size) != 0) {
		assert_memory_equal(a, b, size);
	}
}

struct room_pool {
	struct packet_random random;
	uint8_t bytes[ROOM_POOL_SIZE];
};

// New bytes. The first time after random.state was set.
static inline void room_pool_fill(struct room_pool *p)
{
	for (unsigned i = 0; i < sizeof(p->bytes); i += 8) {
		uint64_t word = packet_random_next(&p->random);

		memcpy(p->bytes + i, &word, sizeof(word));
	}
}

static inline uint32_t room_below(struct room_pool *p, uint32_t bound)
{
	return packet_random_below(&p->random, bound);
}

// 'size' random bytes, until the pool is filled again.
static inline const uint8_t *room_slice(struct room_pool *p, uint32_t size)
{
	return p->bytes + room_below(p, ROOM_POOL_SIZE - size + 1);
}

// Small ones mostly, as voice is, and all up to 'max'.
static inline uint32_t room_random_size(struct room_pool *p, uint32_t max)
{
	const uint32_t bounds[] = {1, 20, 120, 300, max + 1};

	return room_below(p, bounds[room_below(p, 5)]);
}
