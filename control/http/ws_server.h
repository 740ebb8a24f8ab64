// SPDX-License-Identifier: BSD-3-Clause
//
// Between ws_conn.c, whose callback hears it from the library, and ws_server.c, whose certificate
// it is. Threads: the loop's.
#pragma once

typedef struct ssl_ctx_st SSL_CTX;
struct lws_vhost;

// The library made a server's TLS context and wants it filled. 0, or nonzero to give up.
int ws_server_load_tls(struct lws_vhost *vhost, SSL_CTX *ctx);
