// SPDX-License-Identifier: BSD-3-Clause
//
// The cipher library without the interleaving sealer beside it: the unit of every ratio, and the
// column "library" of the published table. A node has no such switch; it takes the sealer wherever
// it may.
#pragma once

struct crypto_engine;

// Before the engine's first packet. Its name says no longer "+sealer".
void library_only(struct crypto_engine *engine);
