// SPDX-License-Identifier: BSD-3-Clause
//
// Our own mistakes. Never for bytes from a network, a file or the other process: those get a
// verdict or an error.
//
// DP_ASSERT      always on: per burst, per command, at start-up, postconditions
// DP_ASSERT_HOT  per packet and leg: sanitizer, fuzz and debug builds (-DDP_HOT_ASSERTS)
#pragma once

#include <stdio.h>
#include <stdlib.h>

#define DP_ASSERT(condition)                                                                 \
	do {                                                                                 \
		if (__builtin_expect(!(condition), 0)) {                                     \
			fprintf(stderr, "%s:%d: assertion failed: %s\n", __FILE__, __LINE__, \
				#condition);                                                 \
			abort();                                                             \
		}                                                                            \
	} while (0)

#ifdef DP_HOT_ASSERTS
#define DP_ASSERT_HOT(condition) DP_ASSERT(condition)
#else
#define DP_ASSERT_HOT(condition)         \
	do {                             \
		(void)sizeof(condition); \
	} while (0)
#endif
