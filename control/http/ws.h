// SPDX-License-Identifier: BSD-3-Clause
//
// WebSocket and HTTP as the sessions of control/ see them: whole messages in, whole messages out.
// A thin adapter over libwebsockets 4.1, which does TLS (by OpenSSL), HTTP/1.1, the upgrade and the
// frames. Here fragments are put together under a bound (longer: 1009; not UTF-8: 1007), what waits
// to be sent is bounded, and permessage-deflate and HTTP/2 are never negotiated.
//
// Where the library decides, and how:
// - A frame that breaks the protocol closes with 1002, or without a close frame when its length
//   cannot be. Close codes that must not be on the wire, and 1012 to 1014, are taken for 1002.
// - Unmasked client frames are taken, though RFC 6455 section 5.1 says otherwise: masks protect
//   proxies between, not the server. One of no bytes whose length is written in 16 or 64 bits is
//   not heard, which only its sender misses.
// - An HTTP head that it cannot parse, or of more than 8192 bytes, ends the connection, with 403 or
//   without a word; so does the wish for a subprotocol, and CONNECT. No connection serves a second
//   request, and "Upgrade: h2c" is refused with 400.
// - Path and query come percent-decoded, the path without "." and "..".
// - It never wipes: what it frees is wiped by loop/wiping_heap.h. One buffer of 16 KiB in which it
//   reads for all connections keeps the last that it read until the next.
//
// Threads: the loop's only. A handler may send, close or destroy other connections; after it called
// ws_conn_close() on its own connection no more messages arrive, only 'closed', once.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct admission;
struct admission_ticket;
struct loop;
struct ws_conn;
struct ws_server;
struct http_exchange;

// What a client asked for when it opened a connection. Valid during the call.
struct ws_request {
	const char *path;          // without the query
	const char *query;         // after '?', or ""
	const char *authorization; // header, or ""
	const char *host;          // header, or ""
	// Servers: the connection's place among the strangers of its address. Whoever takes it
	// (admission_take()) releases it when the peer has identified; left here, it is released
	// with the connection.
	struct admission_ticket *ticket;
};

struct ws_handler {
	// A WebSocket is open. Returns the object that later calls receive as 'conn_ctx', or NULL
	// to refuse (the peer sees close code 1008).
	void *(*open)(void *ctx, struct ws_conn *conn, const struct ws_request *request);
	// One whole message, at most 'message_size_max' bytes; text has been checked to be UTF-8
	// and is followed by a NUL that 'size' does not count.
	void (*message)(void *conn_ctx, const char *data, size_t size, bool binary);
	// The last call for this connection. 'code' is the peer's close code, 1005 if its close
	// frame had none, 1006 without a close frame. Where we closed first: our own code, with
	// which a peer answers, or 1006 when it did not answer in time.
	void (*closed)(void *conn_ctx, uint16_t code);
	// Clients only: the connection could not be made (no 'open', no 'closed').
	void (*failed)(void *ctx, const char *why);
};

// The caller's queue of a slow reader grew past its bound: the connection is being closed.
// Returns 0, -ENOBUFS (closing), -ENOTCONN (already closing).
int ws_conn_send(struct ws_conn *conn, const char *data, size_t size, bool binary);
// Sends what is queued, then a close frame. 'reason' may be NULL.
void ws_conn_close(struct ws_conn *conn, uint16_t code, const char *reason);
// Sets the bound of one connection's messages, at most the server's: what a stranger may make us
// hold is less than what a friend may.
void ws_conn_limit_message(struct ws_conn *conn, size_t message_size_max);
// Cuts the TCP connection without a close frame (tests, and peers that do not answer).
void ws_conn_abort(struct ws_conn *conn);

// A whole HTTP request, answered by http_respond() exactly once, inside the handler or later; the
// request itself is valid inside the handler. A body must say its length (Content-Length; chunks
// are refused with 411).
struct http_request {
	const char *method; // GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS
	const char *path;
	const char *query;
	const char *authorization;
	const char *host; // header, or ""
	const char *body; // NUL-terminated
	size_t body_size;
	// Of its connection, with which it is released; sooner by a handler that knows the caller.
	struct admission_ticket *ticket;
};
typedef void http_handler_fn(
	void *ctx, struct http_exchange *exchange, const struct http_request *request);
// 'body' is copied, and kept back for HEAD. 'content_type' NULL: application/json.
void http_respond(struct http_exchange *exchange, unsigned status, const char *content_type,
	const char *body, size_t body_size);

struct ws_server_params {
	const char *host;          // address to bind, NULL: all, IPv4 and IPv6
	uint16_t port;             // 0: any free one, see ws_server_port()
	const char *unix_path;     // instead of host and port: a UNIX socket, mode 0660
	int listen_fd;             // instead of all three: an inherited listening socket; 0: none
	const char *tls_cert_path; // PEM chain; NULL: plain
	const char *tls_key_path;
	const char *name;            // for logs and metrics
	const struct ws_handler *ws; // NULL: WebSocket upgrades are refused
	http_handler_fn *http;       // NULL: 404
	void *ctx;
	size_t message_size_max;  // bytes; a longer message closes with 1009
	size_t body_size_max;     // bytes of an HTTP request body; a longer one is refused with 413
	size_t queue_size_max;    // bytes waiting for a slow reader; 0: 256 KiB
	uint32_t connections_max; // 0: 16384
	// Bounds what an address may do before it has identified, from accept() on. NULL: nothing
	// is bounded per address. The caller's, until ws_server_destroy().
	struct admission *admission;
	uint32_t open_timeout_ms; // TLS and upgrade must be done by then; 0: 5000
};

// 0, -EADDRINUSE, -EADDRNOTAVAIL, -EACCES, -EINVAL (certificate or key unreadable or not a pair).
// On failure 'why' (of 'why_size') holds one sentence that names what is wrong and what cures it.
int ws_server_create(struct loop *loop, const struct ws_server_params *params,
	struct ws_server **out, char *why, size_t why_size) __attribute__((warn_unused_result));
// NULL allowed. Stops listening; open connections are closed with 1001.
void ws_server_destroy(struct ws_server *server);
uint16_t ws_server_port(const struct ws_server *server);
// Whoever connects from now on waits in the socket's queue, for the successor that inherits it.
void ws_server_stop_accepting(struct ws_server *server);

struct ws_client_params {
	// ws://host:port/path or wss://...; IPv6 hosts in brackets; a host has at most 111 bytes,
	// path and query 2000. A name is looked up beside the loop (resolve.h), its addresses are
	// tried in their order.
	const char *url;
	const char *ca_path;       // PEM file to trust; NULL: the system's
	const char *authorization; // header to send, or NULL
	const struct ws_handler *handler;
	void *ctx;
	size_t message_size_max;
	size_t queue_size_max;       // bytes waiting to be sent; 0: 256 KiB
	uint32_t connect_timeout_ms; // from the lookup to the upgrade; 0: 5000
};
// Starts connecting. 0: 'open' or 'failed' follows, once, not from inside the call. -EINVAL: the
// URL. Redirects are not followed, proxies of the environment not used, and over TLS nothing of
// ours is sent before the peer has proved to be the URL's host.
int ws_client_connect(struct loop *loop, const struct ws_client_params *params)
	__attribute__((warn_unused_result));
