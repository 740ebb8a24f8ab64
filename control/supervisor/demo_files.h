// SPDX-License-Identifier: BSD-3-Clause
//
// The demo's configuration: two guilds of one channel, eight bots, two users to spare for whoever
// tries it with a client of his own, one node. Written to a directory that the demo removes.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/demo_net.h"

#define DEMO_GUILDS 2
#define DEMO_BOTS 8 // half of them in each guild
#define DEMO_SPARES 2
#define DEMO_USERS (DEMO_BOTS + DEMO_SPARES)
#define DEMO_TOKEN_SIZE 33 // 128 bits in hexadecimal, NUL
#define DEMO_PATH_SIZE 128
#define DEMO_GATEWAY_PORT 8480
#define DEMO_VOICE_PORT 8443
#define DEMO_MEDIA_PORT 50000 // and the next, for the second worker

struct demo_files {
	char directory[DEMO_PATH_SIZE];
	char gateway_cfg[DEMO_PATH_SIZE], node_cfg[DEMO_PATH_SIZE];
	char node_socket[DEMO_PATH_SIZE]; // the operator's
	char ca[DEMO_PATH_SIZE];          // made by the node at its start
	char ca_copy[DEMO_PATH_SIZE];     // readable by everybody
	char node_log[DEMO_PATH_SIZE], gateway_log[DEMO_PATH_SIZE], load_log[DEMO_PATH_SIZE];
	char tokens[DEMO_USERS][DEMO_TOKEN_SIZE];
};

// As the configuration has them: snowflakes, so that stock clients take them.
uint64_t demo_guild_id(unsigned guild);
uint64_t demo_channel_id(unsigned guild);
// The guild that user 0..DEMO_USERS-1 is a member of.
unsigned demo_user_guild(unsigned user);

// Makes the directory below 'root' and all files. 0, or -errno with one sentence in 'why'.
int demo_files_create(struct demo_files *files, const char *root, const struct demo_net *net,
	const char *device, bool verbose, char *why, size_t why_size)
	__attribute__((warn_unused_result));
// Copies the authority's file to where everybody can read it. 0 or -errno.
int demo_files_publish_ca(const struct demo_files *files) __attribute__((warn_unused_result));
// Wipes the tokens and removes the directory.
void demo_files_destroy(struct demo_files *files);
