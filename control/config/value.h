// SPDX-License-Identifier: BSD-3-Clause
//
// The small grammars inside of strings: devices, addresses, port ranges, core lists, URLs. Each
// parser returns whether 'text' is well formed; if not, 'why' continues the sentence 'found "x",
// which ...'.
//
// Pure; used inside config/ only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"

// "auto:eth0". 'arg' holds CONFIG_TEXT_SIZE bytes.
bool value_device(
	const char *text, enum config_device_kind *kind, char *arg, char *why, size_t why_size);
// "192.0.2.10/24", "2001:db8::10/64": an address of a host, with its prefix.
bool value_prefix(const char *text, struct config_prefix *out, char *why, size_t why_size);
// "50000-50003" or "50000": at most CONFIG_WORKERS_MAX ports.
bool value_ports(const char *text, uint16_t *first, uint32_t *count, char *why, size_t why_size);
// "2-5,8": each core once, at most CONFIG_WORKERS_MAX. "auto" is no list: false.
bool value_cores(const char *text, uint16_t *core, uint32_t *count, char *why, size_t why_size);
// "host:port", IPv6 in brackets. 'literal': only addresses, no names.
bool value_host_port(
	const char *text, bool literal, struct config_host_port *out, char *why, size_t why_size);

// Checks for rows (schema_check_fn).
bool check_device(const char *text, char *why, size_t why_size);
bool check_address(const char *text, char *why, size_t why_size);  // "host" or a prefix
bool check_announce(const char *text, char *why, size_t why_size); // an address, no prefix
bool check_ports(const char *text, char *why, size_t why_size);
bool check_cores(const char *text, char *why, size_t why_size);  // or "auto"
bool check_listen(const char *text, char *why, size_t why_size); // literal:port
bool check_listen_or_empty(const char *text, char *why, size_t why_size);
bool check_endpoint_or_empty(const char *text, char *why, size_t why_size); // name:port too
bool check_name(const char *text, char *why, size_t why_size);              // [A-Za-z0-9._-]+
bool check_name_or_empty(const char *text, char *why, size_t why_size);
bool check_path(const char *text, char *why, size_t why_size); // absolute
bool check_path_or_empty(const char *text, char *why, size_t why_size);
bool check_socket(const char *text, char *why, size_t why_size); // a path of a UNIX socket
bool check_ws_url(const char *text, char *why, size_t why_size);
bool check_ws_url_or_empty(const char *text, char *why, size_t why_size);
bool check_secret(const char *text, char *why, size_t why_size); // printable, no spaces
