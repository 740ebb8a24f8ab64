// SPDX-License-Identifier: BSD-3-Clause
//
// The gateway's parts without sockets, for its unit tests: a small world of users and guilds, a
// clock and randomness that the test decides, and a script of everything that was said to nodes,
// clients and callers, one line each.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gateway/client.h"
#include "gateway/rest.h"

#define GUILD_ONE 1000u   // channels 11 and 12; members 1, 2, 3; moderator 2
#define GUILD_TWO 2000u   // channel 21; members 1, 3
#define GUILD_THREE 3000u // channel 31; member 3

struct gateway_bench {
	struct gateway_config config;
	struct model model;
	struct core *core;
	struct hub hub;
	struct rest rest;
	uint64_t now_ms, unix_ms;
	uint8_t random; // counts up
	char script[65536];
	uint64_t last_seq;                     // of the last message to a node that wants an ack
	uint64_t last_epoch;                   // of the last assign
	char last_token[TOKEN_SIZE];           // that a client was told
	char last_digest[2 * DIGEST_SIZE + 1]; // that a node was told
	char last_session[SESSION_ID_SIZE];    // of READY
};

// Clients are told tokens "t1", "t2", "t3"; nodes' secret is "sesame". 'core_only': the core's
// events are written to the script themselves ("state ...", "server ..."), not as clients' frames.
struct gateway_bench *gateway_bench_create(bool core_only);
void gateway_bench_destroy(struct gateway_bench *b);

// The script since the last call must be exactly these lines (each ends with a line feed).
void gateway_bench_expect(struct gateway_bench *b, const char *lines);
void gateway_bench_forget(struct gateway_bench *b); // what was said so far
// Counts lines that begin so, and forgets nothing.
unsigned gateway_bench_count(const struct gateway_bench *b, const char *begin);

// A node whose link is 'name' itself; "" guilds or "GUILD:EPOCH,...". NULL when it was refused.
struct core_node *gateway_bench_node(struct gateway_bench *b, const char *name, const char *guilds);
void gateway_bench_ack(struct gateway_bench *b, struct core_node *node, uint64_t seq, int error);
// Lets time pass in steps of 50 ms with ticks; nodes listed (NULL-ended) answer their pings.
void gateway_bench_pass(struct gateway_bench *b, uint64_t ms, struct core_node *const *alive);
