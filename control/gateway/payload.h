// SPDX-License-Identifier: BSD-3-Clause
//
// The JSON objects that clients of the gateway read: users, members, guilds, voice states. Every
// field that stock clients dereference is there. Pure; each function returns a new reference.
#pragma once

#include <jansson.h>

#include "gateway/model.h"

#define PAYLOAD_MEMBERS_MAX 250u // in GUILD_CREATE; of a larger guild only who is in voice
#define PAYLOAD_CHUNK_MAX 1000u  // members in one GUILD_MEMBERS_CHUNK

// 'self' adds what only the user itself is told.
json_t *payload_user(const struct user *user, bool self);
json_t *payload_member(const struct guild *guild, const struct member *member);
// 'whole' adds guild_id and member, as the event has them and GUILD_CREATE has not.
json_t *payload_voice_state(const struct guild *guild, const struct member *member, bool whole);
json_t *payload_voice_server(const struct guild *guild, const char *token, const char *endpoint);
json_t *payload_guild(const struct guild *guild, const struct user *receiver);
