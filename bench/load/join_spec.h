// SPDX-License-Identifier: BSD-3-Clause
//
// One --join argument: who joins where, and how odd a client it is.
//   TOKEN:GUILD:CHANNEL:talk|listen[:OPTION...]
//   nonce=be|le  keepalive=0|4|8|9  mode=NAME  ip6  loss-ok
//
// Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "load/rtpsize_client.h"

#define JOIN_SPEC_TOKEN_SIZE 129u // bytes, with NUL

struct join_spec {
	char token[JOIN_SPEC_TOKEN_SIZE];
	uint64_t guild_id, channel_id;
	bool talks;
	bool nonce_little;      // the client's nonce counter is little-endian (koe)
	bool ip6;               // media over the Ready message's "ip6"
	bool loss_ok;           // what this bot misses does not count as lost
	uint8_t keepalive_size; // bytes of the UDP keepalive: 0 (none), 4, 8, 9
	bool has_mode;          // otherwise --mode, or the node's first
	enum rtpsize_client_mode mode;
};

// 0; -EINVAL with one sentence in 'why'.
int join_spec_parse(const char *text, struct join_spec *spec, char *why, size_t why_size)
	__attribute__((warn_unused_result));
