// SPDX-License-Identifier: BSD-3-Clause
//
// The route of a packet. One turn takes at most DP_BURST_MAX packets from the device, and
// DP_CROSSED_MAX that other workers opened, through all stages and sends what they make.
#pragma once

#include <stdbool.h>

struct worker;

// Returns whether there was anything to do: packets or commands.
bool pipeline_turn(struct worker *w);
