// SPDX-License-Identifier: BSD-3-Clause
//
// One question to a running node over its UNIX socket: a line of JSON there, a line of JSON back.
// The other end is signaling's operator socket. Blocks, with a deadline.
#pragma once

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define OPERATOR_REPLY_SIZE_MAX 16777216u // bytes: 16384 guilds fit several times
#define OPERATOR_TIMEOUT_MS 5000u

// Asks {"cmd": 'command'}. On success '*reply' is an object without "error", to be freed with
// json_decref(), and '*text' (NULL allowed) its text without the line's end, to be freed with
// free(). Otherwise 'why' is one sentence: -ENOENT, -ECONNREFUSED, -EACCES (nobody there, or not
// for us), -ENAMETOOLONG, -ETIMEDOUT, -EPROTO (no good answer), -EREMOTEIO (the node's own
// refusal), -ENOMEM, or another -errno.
int operator_ask(const char *path, const char *command, uint32_t timeout_ms, json_t **reply,
	char **text, char *why, size_t why_size) __attribute__((warn_unused_result));
