// SPDX-License-Identifier: BSD-3-Clause
//
// Known answers that every engine must give before it may seal anything: a wrong library, a broken
// CPU feature or a miscompiled round ends at start-up, not on the wire.
//
// Start-up only.
#pragma once

#include <stdbool.h>

struct crypto_engine;

bool selftest_passes(struct crypto_engine *engine);
