// SPDX-License-Identifier: BSD-3-Clause
//
// The two rtpsize suites (protocol.md 4.5): the nonce is the four suffix bytes as they are, then
// zeros; what travels is ciphertext | tag | suffix. Rows of the table in suite.c.
//
// Contracts are those of struct suite. Threads: as the engine.
#pragma once

#include "crypto/suite.h"

suite_key_fn rtpsize_gcm_key_expand, rtpsize_xchacha_key_expand;
suite_seal_fn rtpsize_gcm_seal, rtpsize_xchacha_seal;
suite_open_fn rtpsize_gcm_open, rtpsize_xchacha_open;
