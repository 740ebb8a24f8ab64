// SPDX-License-Identifier: BSD-3-Clause
//
// gateway.cfg as a checked struct. Include config.h.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "config/config_types.h"
#include "log/log.h"

struct config_channel {
	uint64_t id;
	char name[CONFIG_NAME_SIZE * 2];
};

// Ids are unique in their list; every member is in 'users', every moderator is a member.
struct config_guild {
	uint64_t id;
	char name[CONFIG_NAME_SIZE * 2];
	struct config_channel *channels;
	uint32_t channel_count;
	uint64_t *members; // user ids
	uint32_t member_count;
	uint64_t *moderators; // user ids
	uint32_t moderator_count;
};

struct config_user {
	uint64_t id;
	char name[CONFIG_NAME_SIZE * 2];
	bool bot;
	char token[CONFIG_SECRET_SIZE]; // secret, unique
};

struct gateway_config {
	char name[CONFIG_NAME_SIZE];
	char listen[CONFIG_TEXT_SIZE];
	struct config_host_port listen_at;
	char public_url[CONFIG_TEXT_SIZE]; // "": ws://listen or wss://listen
	char tls_certificate[CONFIG_TEXT_SIZE], tls_key[CONFIG_TEXT_SIZE]; // both or none
	char node_secrets_file[CONFIG_TEXT_SIZE];
	uint32_t node_secret_count; // those of the file are appended by gateway_config_load()
	char node_secret[CONFIG_SECRETS_MAX][CONFIG_SECRET_SIZE]; // secret
	uint32_t ping_ms, dead_after_pings;
	char socket[CONFIG_TEXT_SIZE]; // operator socket
	enum log_level log_level;
	struct config_guild *guilds;
	uint32_t guild_count;
	struct config_user *users;
	uint32_t user_count;
};
