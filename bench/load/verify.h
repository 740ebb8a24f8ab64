// SPDX-License-Identifier: BSD-3-Clause
//
// What a received datagram must be. Everything the process knows is used: who sent what to whom
// when.
//
// The loop's thread only.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct bot;

// 'received_ns': CLOCK_REALTIME of its arrival at the kernel; 0: unknown, no latency is recorded.
void verify_datagram(struct bot *receiver, const uint8_t *data, size_t size,
	const struct sockaddr_storage *source, uint64_t received_ns);
