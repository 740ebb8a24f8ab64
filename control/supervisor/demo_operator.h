// SPDX-License-Identifier: BSD-3-Clause
//
// One question to the node's operator socket, as `voicenode status` would ask it.
#pragma once

#include <stdint.h>

#include <jansson.h>

// Sends {"cmd": command} to the UNIX socket 'path' and waits at most 'timeout_ms' for one line of
// answer. The object, to be freed with json_decref(), or NULL when there is no (good) answer.
json_t *demo_operator_ask(const char *path, const char *command, uint32_t timeout_ms);
