// SPDX-License-Identifier: BSD-3-Clause
//
// One connection under ws.h: its libwebsockets socket (raw role: the library does TLS and the
// poll), its framing and its bounded output. For ws_server.c and ws_client.c only, which differ in
// the handshake. Threads: the loop's.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/ws.h"
#include "http/ws_frame.h"
#include "loop/loop.h"

struct lws;
struct tls_stream;

enum ws_phase {
	WS_PHASE_CONNECT,   // client: TCP and TLS are being made
	WS_PHASE_HANDSHAKE, // 'in' collects the request or response
	WS_PHASE_EXCHANGE,  // server: an HTTP request is being answered
	WS_PHASE_OPEN,
	WS_PHASE_CLOSING, // our close frame is queued; the peer's is awaited
	WS_PHASE_DRAIN, // nothing is read any more; what is queued goes out, then the peer hangs up
};

// What differs between the two ends.
struct ws_role {
	// Client: TCP and, where asked for, TLS stand.
	void (*connected)(struct ws_conn *conn);
	// Looks at 'in'; returns how many of its bytes it has dealt with. Opens with
	// ws_conn_open().
	size_t (*handshake)(struct ws_conn *conn);
	// The connection is gone; the last call. 'why' only where a connection was never made.
	void (*gone)(struct ws_conn *conn, const char *why);
};

struct ws_conn {
	struct loop *loop;
	struct lws *wsi; // NULL before and after
	const struct ws_role *role;
	void *role_ctx; // struct ws_server or struct ws_client
	const struct ws_handler *handler;
	void *conn_ctx; // what open() returned; NULL: closed() is not owed
	struct loop_timer timer;
	enum ws_phase phase;
	struct tls_stream *tls;         // NULL: plain
	struct http_exchange *exchange; // server: being answered
	struct ws_conn *next, *prev;    // server: its connections
	bool masked;                    // our frames are: client
	bool adopting;                  // inside the library's creating call: the creator frees
	bool gone;                      // the socket was lost while 'adopting'
	bool dead;                      // to be cut: nothing is read or sent any more
	bool close_received;
	bool half_closed;
	uint16_t close_code; // of the peer
	char why[384];       // for 'gone'

	uint8_t *in; // HANDSHAKE: bytes so far, NUL-terminated
	size_t in_size, in_alloc, in_max;
	struct ws_parser parser;

	uint8_t *out; // bytes out_at .. out_size wait to be sent
	size_t out_at, out_size, out_alloc;
	size_t queue_size_max;
};

struct ws_conn *ws_conn_create(struct loop *loop, const struct ws_role *role, void *role_ctx,
	const struct ws_handler *handler, size_t message_size_max);
// For a connection without a socket (it never had one, or lost it).
void ws_conn_free(struct ws_conn *conn);
// Gives the connected socket 'fd' to the library, and begins TLS as the client does. 0, or -errno:
// then the fd is closed and 'conn' still the caller's.
int ws_conn_adopt(struct ws_conn *conn, int fd) __attribute__((warn_unused_result));
// Cuts the connection when 'delay_ms' have passed, unless it is called again.
void ws_conn_deadline(struct ws_conn *conn, uint64_t delay_ms, const char *why);
// Queues bytes as they are. 0 or -ENOBUFS (then it is being cut).
int ws_conn_write(struct ws_conn *conn, const void *data, size_t size);
// Sends what is queued, reads nothing more, then lets the peer hang up.
void ws_conn_drain(struct ws_conn *conn);
// The handshake is done: frames from here on. Calls the handler's open().
void ws_conn_open(struct ws_conn *conn, void *ctx, const struct ws_request *request);
// Textual address of the peer, at most 'size' bytes with NUL.
void ws_conn_peer(const struct ws_conn *conn, char *out, size_t size);
