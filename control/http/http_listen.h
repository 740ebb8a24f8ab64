// SPDX-License-Identifier: BSD-3-Clause
//
// Opens a listening stream socket: TCP over IPv4 and IPv6, or UNIX. Failures are an errno and one
// sentence with the cure. Neighbour: ws_server.c.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Port of a listening TCP socket, 0 of any other.
uint16_t http_listen_port(int fd);

// 'host' NULL: every address. 'unix_path' instead of both: mode 0660, a stale socket is replaced.
// 0 with '*fd' (non-blocking, the caller's) and '*bound_port'; else as ws_server_create().
int http_listen(const char *host, uint16_t port, const char *unix_path, int *fd,
	uint16_t *bound_port, char *why, size_t why_size) __attribute__((warn_unused_result));
