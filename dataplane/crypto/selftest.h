// SPDX-License-Identifier: BSD-3-Clause
//
// Known answers that every engine must give before it may seal anything: a wrong library, a broken
// CPU feature or a miscompiled round ends at start-up, not on the wire.
//
// Start-up only.
#pragma once

#include "api/dp_media.h"

struct crypto_engine;

// The first suite that gives a wrong answer, of those that the engine runs. DP_SUITE_NONE: none.
enum dp_suite selftest_run(struct crypto_engine *engine);
