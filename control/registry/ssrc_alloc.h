// SPDX-License-Identifier: BSD-3-Clause
//
// SSRCs of a node, 16 in a row per session, unique across its workers (architecture.md decision 8):
// one after the other from a random start, so that a number comes back only after 2^27 sessions,
// and never while its session lives. All are below 2^31, because JDA and koe read them into a
// signed int.
//
// Pure, any thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SSRC_FIRST 0x00010000u // below it lie values that old clients use as "none yet"
#define SSRC_LAST 0x7ffffff0u

// Is the block that begins at 'ssrc' in use?
typedef bool ssrc_in_use_fn(void *arg, uint32_t ssrc);

// Where to begin, from 32 random bits.
uint32_t ssrc_alloc_start(uint32_t random);
// Takes the next free block; '*next' moves behind it. 0: all are in use.
uint32_t ssrc_alloc_take(uint32_t *next, ssrc_in_use_fn *in_use, void *arg);
