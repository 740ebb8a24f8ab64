// SPDX-License-Identifier: BSD-3-Clause
//
// The gateway program's parts on one loop: the public listener for clients, their REST calls and
// nodes (path /node), the operator's socket, and the timers that drive core and hub.
//
// Threads: the loop's.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"

struct gateway;
struct loop;

// 'config' must outlive the gateway; the tokens in it are wiped. 0 or -errno with one sentence in
// 'why'.
int gateway_create(struct loop *loop, struct gateway_config *config, struct gateway **out,
	char *why, size_t why_size) __attribute__((warn_unused_result));
// Stops listening and closes every connection with 1001; they are gone once gateway_stopped().
void gateway_stop(struct gateway *gateway);
bool gateway_stopped(const struct gateway *gateway);
// After gateway_stop() and loop_destroy(), which closes what is still open. NULL allowed.
void gateway_destroy(struct gateway *gateway);
uint16_t gateway_port(const struct gateway *gateway);
