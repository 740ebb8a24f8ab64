// SPDX-License-Identifier: BSD-3-Clause
//
// The command line of voicenode-control, as the supervisor writes it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NODE_ARGS_ADDRESSES_MAX 16u

struct node_args {
	const char *config_path, *endpoint;
	const char *tls_cert_path, *tls_key_path; // both or none; none: plain, for tests
	const char *address[NODE_ARGS_ADDRESSES_MAX];
	unsigned address_count;
	uint32_t epoch;
	uint32_t dataplane_first; // epoch of the first; what comes after it are restarts
	uint64_t started_ms;      // the node's, CLOCK_MONOTONIC; 0: not known
	uint32_t listen_count; // inherited sockets of voice.listen, from DP_LISTEN_FD on; 0: none
	// Of the addresses: the first IPv4 one, and the first IPv6 one that is not link-local.
	const char *ip, *ip6; // NULL: none; at least one is there
};

// What a person who typed this program's name is told: with --help, or without arguments. NULL: it
// was started as it is meant to be.
const char *node_args_help(int argc, char *const argv[]);

// 0, or -EINVAL with one sentence in 'why'. Points into 'argv'.
int node_args_parse(int argc, char **argv, struct node_args *args, char *why, size_t why_size)
	__attribute__((warn_unused_result));
