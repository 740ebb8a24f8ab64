// SPDX-License-Identifier: BSD-3-Clause
//
// How long the supervisor waits before it starts a dead child again. Pure; one per child kind.
#pragma once

#include <stdint.h>

#define BACKOFF_FIRST_MS 100
#define BACKOFF_LAST_MS 5000
#define BACKOFF_RESET_MS 10000 // who lived that long starts at the beginning

struct backoff {
	uint32_t deaths; // in a row; zero-initialise
};

// The child died after 'lived_ms'. Returns the milliseconds to wait: 0, 100, 200, 400 ... 5,000.
uint32_t backoff_next(struct backoff *backoff, uint64_t lived_ms);
