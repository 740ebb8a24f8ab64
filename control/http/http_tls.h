// SPDX-License-Identifier: BSD-3-Clause
//
// What our TLS demands, set on the contexts that libwebsockets works with: TLS 1.2 at least, no
// renegotiation, no compression, no early data; a client's peer must show a trusted certificate for
// the host that was asked for, name or address literal.
//
// Threads: the loop's. Neighbours: ws_server.c, client_vhost.c.
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct ssl_ctx_st SSL_CTX;

// Loads a server's chain and key. False with one sentence in 'why'.
bool http_tls_serve(SSL_CTX *ctx, const char *cert_path, const char *key_path, char *why,
	size_t why_size) __attribute__((warn_unused_result));
// The same on a context that is thrown away: says what is wrong before anything is opened.
bool http_tls_check(const char *cert_path, const char *key_path, char *why, size_t why_size)
	__attribute__((warn_unused_result));

// A client's context for one host: a handshake with a peer that cannot prove to be 'host' fails
// before a byte of ours is sent. 'ca_path' NULL: the system's certificates. NULL with half a
// sentence in 'why' on failure; SSL_CTX_free().
SSL_CTX *http_tls_client(const char *ca_path, const char *host, char *why, size_t why_size);
