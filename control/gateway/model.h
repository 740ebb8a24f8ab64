// SPDX-License-Identifier: BSD-3-Clause
//
// Who exists: users, guilds, channels and members, made once from gateway.cfg, and the fields that
// core.c (assignment, voice states) and session.c (connections) keep at them. Tokens are kept as
// SHA-256 only.
//
// Threads: the loop's. Members are never freed before the model, so pointers to them stay good.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"

#define SESSION_ID_SIZE 33u // bytes, with NUL: 32 hex digits
#define TOKEN_SIZE 33u      // of a voice token; the same form
#define DIGEST_SIZE 32u     // SHA-256

struct core_node;
struct session;

struct user {
	uint64_t id;
	const char *name;
	bool bot;
	struct session *sessions; // session.c: a list, newest first
	uint32_t session_count;
};

// What a node has acknowledged, or is asked for.
struct voice_place {
	uint64_t channel_id; // 0: in none
	bool deaf, mute, self_deaf, self_mute;
};

// One member's place in the voice channels of a guild; all zero while nobody ever joined.
struct voice {
	uint64_t channel_id; // 0: in none
	char session_id[SESSION_ID_SIZE];
	bool deaf, mute; // by a moderator; outlast the stay
	bool self_deaf, self_mute, suppress;

	struct voice_place in_force; // what the node acknowledged last

	bool on_node;           // the guild's node was told of it
	bool wants_token;       // the next push carries a fresh token
	uint64_t push_seq;      // newest push to the node; 0: none
	uint64_t join_seq;      // push whose ack lets the client know 'token'; 0: none
	uint64_t token_ms;      // when the newest token was made, loop clock
	uint32_t join_failures; // pushes with a token, one after another, that were refused
	uint64_t join_retry_ms; // when the next one is due, loop clock; 0: none is
	char token[TOKEN_SIZE]; // secret; only while join_seq is not 0
};

struct member {
	struct user *user;
	bool moderator;
	struct voice voice;
};

struct guild {
	uint64_t id;
	const struct config_guild *config;
	struct member *members; // by user id
	uint32_t member_count;

	// Kept by core.c.
	struct core_node *node;             // NULL: unassigned
	uint64_t epoch;                     // of the newest assignment
	uint32_t voice_count;               // members in a channel
	bool adopted;                       // the node brought it: who is in it is not all known
	uint64_t empty_since_ms;            // loop clock, 0: not empty
	uint64_t retry_ms;                  // not assigned again before
	const struct core_node *refused_by; // the node that refused it last
	uint64_t join_retry_ms;             // the first of its members' that may be due; 0: none
};

struct token_row {
	uint8_t digest[DIGEST_SIZE];
	struct user *user;
};

struct model {
	struct user *users; // by id
	uint32_t user_count;
	struct guild *guilds; // by id
	uint32_t guild_count;
	struct token_row *tokens; // by digest
};

// 'config' must outlive the model; the tokens in it are wiped. 0 or -ENOMEM.
int model_init(struct model *model, struct gateway_config *config)
	__attribute__((warn_unused_result));
void model_fini(struct model *model);

// NULL: there is none.
struct user *model_user(const struct model *model, uint64_t id);
struct user *model_user_by_token(const struct model *model, const char *token);
struct guild *model_guild(const struct model *model, uint64_t id);
struct member *guild_member(const struct guild *guild, uint64_t user_id);
const struct config_channel *guild_channel(const struct guild *guild, uint64_t channel_id);

void digest_of(const char *text, uint8_t digest[DIGEST_SIZE]);
