// SPDX-License-Identifier: BSD-3-Clause
//
// One connection under ws.h: what we add to the library's socket. The library does TLS, HTTP heads
// and framing; here whole messages are put together under a bound, what waits to be sent is
// bounded, and the library's callbacks become the handler's. For http/ only. Threads: the loop's.
#pragma once

#include <libwebsockets.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "admission/admission.h"
#include "http/ws.h"
#include "loop/loop.h"

#define WS_CLOSE_GOING_AWAY 1001u
#define WS_CLOSE_NO_STATUS 1005u // never on the wire: the close frame was empty
#define WS_CLOSE_ABNORMAL 1006u  // never on the wire: there was no close frame
#define WS_CLOSE_NOT_UTF8 1007u
#define WS_CLOSE_POLICY 1008u
#define WS_CLOSE_TOO_BIG 1009u

enum ws_phase {
	WS_PHASE_HANDSHAKE, // TCP, TLS, the HTTP head
	WS_PHASE_BODY,      // server: the body of an HTTP request is collected in 'in'
	WS_PHASE_EXCHANGE,  // server: the handler has the request
	WS_PHASE_ANSWER,    // server: the answer goes out, then the connection ends
	WS_PHASE_OPEN,
	WS_PHASE_CLOSING, // a close frame was sent or came: no more messages either way
};

// What differs between the two ends.
struct ws_role {
	// A callback of the handshake or of HTTP; what it returns goes to the library: nonzero
	// closes.
	int (*event)(struct ws_conn *conn, enum lws_callback_reasons reason, void *in, size_t size);
	// The connection is gone; the last call. 'why' only where a connection was never made.
	void (*gone)(struct ws_conn *conn, const char *why);
};

struct ws_out;

struct ws_conn {
	struct loop *loop;
	struct lws *wsi; // NULL before and after
	const struct ws_role *role;
	void *role_ctx; // struct ws_server or struct ws_client
	const struct ws_handler *handler;
	void *conn_ctx; // what open() returned; NULL: closed() is not owed
	struct loop_timer timer;
	enum ws_phase phase;
	struct http_exchange *exchange; // server: being answered
	struct ws_conn *next, *prev;    // server: its connections
	struct admission_ticket ticket; // server: from accept() until a handler takes it
	bool adopting;                  // inside the library's creating call: the creator frees
	bool gone;                      // the socket was lost while 'adopting'
	bool dead;                      // to be cut: nothing is read or sent any more
	bool close_sent;                // our close frame is the library's now
	uint16_t own_code;              // of our close frame
	uint16_t close_code;            // of the peer
	char why[384];                  // for 'gone'

	char *in; // the message, or body, so far; NUL-terminated where it is handed out
	size_t in_size, in_alloc, message_size_max;
	uint32_t fragment_count;
	uint64_t body_left; // bytes of the HTTP body that are still to come
	bool body_over;     // the library said so

	struct ws_out *out, **out_end; // waiting, oldest first
	size_t out_size;               // bytes of them, and of what the library still holds
	size_t out_partial;            // bytes that the library may still hold
	size_t queue_size_max;
};

// The library's callback for every connection of http/, and the one protocol of its vhosts.
int ws_conn_event(
	struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t size);
extern const struct lws_protocols ws_conn_protocols[];
// No pings of the library's own: the protocols above have heartbeats.
extern const lws_retry_bo_t ws_conn_no_pings;

struct ws_conn *ws_conn_create(struct loop *loop, const struct ws_role *role, void *role_ctx,
	const struct ws_handler *handler, size_t message_size_max);
// For a connection without a socket (it never had one, or lost it).
void ws_conn_free(struct ws_conn *conn);
// Cuts the connection when 'delay_ms' have passed, unless it is called again.
void ws_conn_deadline(struct ws_conn *conn, uint64_t delay_ms, const char *why);

// Appends to 'in', bounded by the caller. False: no memory.
bool ws_conn_collect(struct ws_conn *conn, const void *data, size_t size);
// Wipes and empties 'in'.
void ws_conn_forget(struct ws_conn *conn);

// Queues 'size' bytes for lws_write(); '*data' is where the caller then writes them, at once.
// False: no memory.
bool ws_conn_queue(struct ws_conn *conn, enum lws_write_protocol type, size_t size, uint8_t **data);
// Writes what the socket takes. 0, or -1 to close.
int ws_conn_flush(struct ws_conn *conn);
// The handshake is done: messages from here on. Calls the handler's open().
void ws_conn_open(struct ws_conn *conn, void *ctx, const struct ws_request *request);
