// SPDX-License-Identifier: BSD-3-Clause
//
// TLS without sockets: bytes from the network in, clear bytes out, and the reverse (OpenSSL over
// memory). TLS 1.2 at least, no renegotiation, no compression, no early data.
//
// Threads: the loop's. Neighbour: ws_conn.c puts it between its socket and its framing.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ssl_ctx_st SSL_CTX;
struct tls_stream;

// Server and client settings. NULL and one sentence in 'why' on failure.
SSL_CTX *tls_server_ctx_create(
	const char *cert_path, const char *key_path, char *why, size_t why_size);
// 'ca_path' NULL: the system's certificates.
SSL_CTX *tls_client_ctx_create(const char *ca_path, char *why, size_t why_size);
void tls_ctx_free(SSL_CTX *ctx);

// 'host' is the name or address literal that the peer's certificate must show; NULL: server side.
// Takes a reference of 'ctx'. NULL without memory.
struct tls_stream *tls_stream_create(SSL_CTX *ctx, const char *host);
void tls_stream_destroy(struct tls_stream *tls);

// Network bytes in. False: out of memory.
bool tls_stream_feed(struct tls_stream *tls, const uint8_t *data, size_t size);
// Clear bytes out: their number, 0: none now, -1: the stream is over, see tls_stream_why(). Drives
// the handshake too: call it once on a client to begin.
int tls_stream_read(struct tls_stream *tls, uint8_t *out, size_t size);
bool tls_stream_established(const struct tls_stream *tls);
// Clear bytes in. False: not established, or broken.
bool tls_stream_write(struct tls_stream *tls, const uint8_t *data, size_t size);
// Queues the closing alert.
void tls_stream_shutdown(struct tls_stream *tls);
// Network bytes out: what waits to be sent. Valid until the next call; then say it was taken.
size_t tls_stream_pending(struct tls_stream *tls, const uint8_t **data);
void tls_stream_taken(struct tls_stream *tls);
// Why it broke, in words.
const char *tls_stream_why(const struct tls_stream *tls);
