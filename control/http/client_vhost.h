// SPDX-License-Identifier: BSD-3-Clause
//
// The library's "vhosts" that clients connect from: one for all plain connections, one for each
// host that is spoken to over TLS, with the certificates that are trusted for it. Threads: the
// loop's. Neighbour: ws_client.c.
#pragma once

#include <stddef.h>

struct loop;
struct lws_vhost;
struct client_vhost;

// Shared with whoever connects to the same host with the same CA file; that file is read when the
// first of them connects. '*out' is a reference to give back. 'host' NULL: plain. NULL with half a
// sentence in 'why' on failure.
struct lws_vhost *client_vhost_get(struct loop *loop, const char *ca_path, const char *host,
	struct client_vhost **out, char *why, size_t why_size);
// NULL allowed.
void client_vhost_put(struct client_vhost *vhost);
