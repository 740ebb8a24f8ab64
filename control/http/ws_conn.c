// SPDX-License-Identifier: BSD-3-Clause
//
// The connections of ws_conn.h. A socket ends in one way only: the library reports its end, which
// conn_gone() turns into the handler's closed(). Everything else just asks the library to close.
#include "http/ws_conn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/ws_server.h"

#define WRITE_SIZE_MAX 16384u  // bytes the library hands to the socket at once
#define READ_SIZE_MAX 4096u    // bytes it reads from an open WebSocket at once; kept per connection
#define BUFFER_KEEP_SIZE 4096u // a longer message's memory is given back
#define FRAGMENTS_MAX 1024u    // of one message; more is an attack with tiny frames
#define CLOSE_TIMEOUT_MS 2000u // for the peer's close frame
#define QUEUE_SIZE_DEFAULT 262144u
#define CLOSE_REASON_SIZE_MAX 123u // RFC 6455 section 5.5.1

struct ws_out {
	struct ws_out *next;
	enum lws_write_protocol type;
	bool close;     // not a message: the end, and the reason for it
	size_t size;    // bytes at data + LWS_PRE
	uint8_t data[]; // LWS_PRE bytes are the library's, for the frame's head
};

const struct lws_protocols ws_conn_protocols[] = {
	{.name = "voicenode",
		.callback = ws_conn_event,
		.rx_buffer_size = READ_SIZE_MAX,
		.tx_packet_size = WRITE_SIZE_MAX},
	{0},
};

const lws_retry_bo_t ws_conn_no_pings = {0};

static void conn_expired(void *arg)
{
	ws_conn_abort(arg);
}

struct ws_conn *ws_conn_create(struct loop *loop, const struct ws_role *role, void *role_ctx,
	const struct ws_handler *handler, size_t message_size_max)
{
	struct ws_conn *conn = calloc(1, sizeof(*conn));

	if (conn == NULL)
		return NULL;
	conn->loop = loop;
	conn->role = role;
	conn->role_ctx = role_ctx;
	conn->handler = handler;
	conn->close_code = WS_CLOSE_ABNORMAL;
	conn->message_size_max = message_size_max;
	conn->queue_size_max = QUEUE_SIZE_DEFAULT;
	conn->out_end = &conn->out;
	loop_timer_init(loop, &conn->timer, conn_expired, conn);
	return conn;
}

void ws_conn_forget(struct ws_conn *conn)
{
	if (conn->in != NULL) // it may be a token
		explicit_bzero(conn->in, conn->in_size);
	conn->in_size = 0;
	conn->fragment_count = 0;
	if (conn->in_alloc <= BUFFER_KEEP_SIZE && conn->phase == WS_PHASE_OPEN)
		return;
	free(conn->in);
	conn->in = NULL;
	conn->in_alloc = 0;
}

// Takes the oldest off the queue.
static void out_drop(struct ws_conn *conn)
{
	struct ws_out *out = conn->out;

	conn->out = out->next;
	if (conn->out == NULL)
		conn->out_end = &conn->out;
	conn->out_size -= out->size;
	explicit_bzero(out->data, LWS_PRE + out->size); // it may be a key
	free(out);
}

void ws_conn_free(struct ws_conn *conn)
{
	loop_timer_stop(&conn->timer);
	conn->phase = WS_PHASE_CLOSING;
	ws_conn_forget(conn);
	while (conn->out != NULL)
		out_drop(conn);
	free(conn);
}

void ws_conn_deadline(struct ws_conn *conn, uint64_t delay_ms, const char *why)
{
	if (why != NULL)
		snprintf(conn->why, sizeof(conn->why), "%s", why);
	loop_timer_set(&conn->timer, delay_ms);
}

void ws_conn_abort(struct ws_conn *conn)
{
	conn->dead = true;
	loop_timer_stop(&conn->timer);
	if (conn->wsi != NULL)
		lws_set_timeout(conn->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
}

// --- output ---

static struct ws_out *out_add(struct ws_conn *conn, size_t size)
{
	struct ws_out *out = malloc(sizeof(*out) + LWS_PRE + size);

	if (out == NULL)
		return NULL;
	out->next = NULL;
	out->type = LWS_WRITE_BINARY;
	out->close = false;
	out->size = size;
	*conn->out_end = out;
	conn->out_end = &out->next;
	conn->out_size += size;
	if (conn->wsi != NULL)
		lws_callback_on_writable(conn->wsi);
	return out;
}

bool ws_conn_queue(struct ws_conn *conn, enum lws_write_protocol type, size_t size, uint8_t **data)
{
	struct ws_out *out = out_add(conn, size);

	if (out == NULL)
		return false;
	out->type = type;
	*data = out->data + LWS_PRE;
	return true;
}

int ws_conn_flush(struct ws_conn *conn)
{
	// The library asks for more only when it has sent all that it took.
	conn->out_size -= conn->out_partial;
	conn->out_partial = 0;
	while (conn->out != NULL) {
		struct ws_out *out = conn->out;
		size_t size = out->size;

		if (out->close) { // the library sends the frame and waits for the peer's
			lws_close_reason(conn->wsi, (enum lws_close_status)conn->own_code,
				out->data + LWS_PRE, size);
			conn->close_sent = true;
			out_drop(conn);
			return -1;
		}
		if (lws_write(conn->wsi, out->data + LWS_PRE, size, out->type) < 0)
			return -1;
		out_drop(conn);
		if (lws_partial_buffered(conn->wsi)) {
			conn->out_size += size;
			conn->out_partial = size;
			return 0;
		}
		if (conn->out != NULL && lws_send_pipe_choked(conn->wsi)) {
			lws_callback_on_writable(conn->wsi);
			return 0;
		}
	}
	return 0;
}

int ws_conn_send(struct ws_conn *conn, const char *data, size_t size, bool binary)
{
	uint8_t *copy;

	if (conn->phase != WS_PHASE_OPEN || conn->dead)
		return -ENOTCONN;
	if (conn->out_size + size > conn->queue_size_max ||
		!ws_conn_queue(conn, binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT, size, &copy)) {
		ws_conn_abort(conn);
		return -ENOBUFS;
	}
	if (size > 0)
		memcpy(copy, data, size);
	return 0;
}

void ws_conn_close(struct ws_conn *conn, uint16_t code, const char *reason)
{
	size_t reason_size = reason == NULL ? 0 : strnlen(reason, CLOSE_REASON_SIZE_MAX);
	struct ws_out *out;

	if (conn->phase != WS_PHASE_OPEN || conn->dead)
		return;
	out = out_add(conn, reason_size);
	if (out == NULL) {
		ws_conn_abort(conn);
		return;
	}
	out->close = true;
	if (reason_size > 0)
		memcpy(out->data + LWS_PRE, reason, reason_size);
	conn->own_code = code;
	conn->phase = WS_PHASE_CLOSING;
	ws_conn_deadline(conn, CLOSE_TIMEOUT_MS, NULL);
}

static int writeable(struct ws_conn *conn)
{
	if (conn->dead)
		return 0;
	// The library is closing for a reason of its own (a frame that breaks the protocol): its
	// close frame is the last one.
	if (lws_get_close_length(conn->wsi) > 0) {
		conn->phase = WS_PHASE_CLOSING;
		while (conn->out != NULL)
			out_drop(conn);
		return 0;
	}
	return ws_conn_flush(conn);
}

// --- input ---

bool ws_conn_collect(struct ws_conn *conn, const void *data, size_t size)
{
	size_t alloc = conn->in_alloc == 0 ? 256 : conn->in_alloc;
	char *grown;

	while (alloc < conn->in_size + size + 1)
		alloc *= 2;
	if (alloc != conn->in_alloc) {
		grown = malloc(alloc); // not realloc(): the old copy may hold a token
		if (grown == NULL)
			return false;
		if (conn->in != NULL) {
			memcpy(grown, conn->in, conn->in_size);
			explicit_bzero(conn->in, conn->in_size);
			free(conn->in);
		}
		conn->in = grown;
		conn->in_alloc = alloc;
	}
	if (size > 0)
		memcpy(conn->in + conn->in_size, data, size);
	conn->in_size += size;
	conn->in[conn->in_size] = '\0';
	return true;
}

// RFC 3629: no surrogates, no overlong forms, nothing above U+10FFFF. The library's own check, a
// process-wide option, misses a message that ends inside a character with an empty last fragment,
// and takes a pong's payload for text.
static bool utf8_valid(const char *text, size_t size)
{
	const uint8_t *at = (const uint8_t *)text, *end = at + size;

	while (at < end) {
		uint8_t lead = *at++;
		unsigned more = lead < 0x80 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;

		if (more == 0)
			continue;
		if (lead < 0xc2 || lead > 0xf4 || (size_t)(end - at) < more)
			return false;
		if ((lead == 0xe0 && *at < 0xa0) || (lead == 0xed && *at > 0x9f) ||
			(lead == 0xf0 && *at < 0x90) || (lead == 0xf4 && *at > 0x8f))
			return false;
		for (; more > 0; more--)
			if ((*at++ & 0xc0) != 0x80)
				return false;
	}
	return true;
}

static void message_whole(struct ws_conn *conn)
{
	bool binary = lws_frame_is_binary(conn->wsi);

	if (!binary && !utf8_valid(conn->in, conn->in_size))
		ws_conn_close(conn, WS_CLOSE_NOT_UTF8, NULL);
	else
		conn->handler->message(conn->conn_ctx, conn->in, conn->in_size, binary);
	ws_conn_forget(conn);
}

// A piece of a frame, or all of it.
static void receive(struct ws_conn *conn, const void *data, size_t size)
{
	size_t left = lws_remaining_packet_payload(conn->wsi); // of this frame, as its head said

	if (conn->phase != WS_PHASE_OPEN || conn->dead)
		return;
	if (lws_is_first_fragment(conn->wsi))
		ws_conn_forget(conn); // an earlier message that never ended
	if (size > conn->message_size_max - conn->in_size ||
		left > conn->message_size_max - conn->in_size - size) {
		ws_conn_close(conn, WS_CLOSE_TOO_BIG, NULL);
		return;
	}
	if (left == 0 && ++conn->fragment_count > FRAGMENTS_MAX) {
		ws_conn_close(conn, WS_CLOSE_POLICY, NULL);
		return;
	}
	if (!ws_conn_collect(conn, data, size))
		ws_conn_abort(conn);
	else if (lws_is_final_fragment(conn->wsi))
		message_whole(conn);
}

// The peer closes; the library answers. (The answer to a close frame of ours is not told.)
static void close_received(struct ws_conn *conn, const uint8_t *payload, size_t size)
{
	conn->close_code = WS_CLOSE_NO_STATUS;
	if (size >= 2)
		conn->close_code = (uint16_t)(payload[0] << 8 | payload[1]);
	conn->phase = WS_PHASE_CLOSING;
	while (conn->out != NULL)
		out_drop(conn);
	if (!conn->dead)
		ws_conn_deadline(conn, CLOSE_TIMEOUT_MS, NULL);
}

void ws_conn_open(struct ws_conn *conn, void *ctx, const struct ws_request *request)
{
	loop_timer_stop(&conn->timer);
	conn->phase = WS_PHASE_OPEN;
	conn->conn_ctx = conn->handler->open(ctx, conn, request);
	if (conn->conn_ctx == NULL)
		ws_conn_close(conn, WS_CLOSE_POLICY, NULL);
}

void ws_conn_limit_message(struct ws_conn *conn, size_t message_size_max)
{
	conn->message_size_max = message_size_max;
	if (conn->in_size > message_size_max) // receive() counts down from the bound
		ws_conn_close(conn, WS_CLOSE_TOO_BIG, NULL);
}

// --- the library's side ---

static void conn_gone(struct ws_conn *conn)
{
	void *conn_ctx = conn->conn_ctx;

	if (conn->close_sent && !conn->dead && conn->close_code == WS_CLOSE_ABNORMAL)
		conn->close_code = conn->own_code; // what a peer answers with
	conn->wsi = NULL;
	conn->dead = true;
	loop_timer_stop(&conn->timer);
	if (conn->adopting) {
		conn->gone = true;
		return;
	}
	conn->conn_ctx = NULL;
	if (conn_ctx != NULL)
		conn->handler->closed(conn_ctx, conn->close_code);
	conn->role->gone(conn, conn->why[0] != '\0' ? conn->why : "the peer hung up");
	ws_conn_free(conn);
}

static int conn_event(struct ws_conn *conn, enum lws_callback_reasons reason, void *in, size_t size)
{
	switch ((int)reason) {
	case LWS_CALLBACK_RECEIVE:
	case LWS_CALLBACK_CLIENT_RECEIVE:
		receive(conn, in, size);
		return 0;
	case LWS_CALLBACK_SERVER_WRITEABLE:
	case LWS_CALLBACK_CLIENT_WRITEABLE:
		return writeable(conn);
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
		close_received(conn, in, size);
		return 0;
	case LWS_CALLBACK_WSI_DESTROY:
		lws_set_opaque_user_data(conn->wsi, NULL);
		conn_gone(conn);
		return 0;
	default:
		return conn->role->event(conn, reason, in, size);
	}
}

int ws_conn_event(
	struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t size)
{
	struct ws_conn *conn;

	// Only reasons that come with a whole connection may look at its opaque data.
	switch ((int)reason) {
	case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS:
		return ws_server_load_tls(in, user);
	case LWS_CALLBACK_RAW_ADOPT: // what the library makes of the method CONNECT
		return -1;
	case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
	case LWS_CALLBACK_HTTP:
	case LWS_CALLBACK_HTTP_BODY:
	case LWS_CALLBACK_HTTP_BODY_COMPLETION:
	case LWS_CALLBACK_HTTP_WRITEABLE:
	case LWS_CALLBACK_ESTABLISHED:
	case LWS_CALLBACK_RECEIVE:
	case LWS_CALLBACK_SERVER_WRITEABLE:
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
	case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
	case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
	case LWS_CALLBACK_CLIENT_ESTABLISHED:
	case LWS_CALLBACK_CLIENT_RECEIVE:
	case LWS_CALLBACK_CLIENT_WRITEABLE:
	case LWS_CALLBACK_WSI_DESTROY:
		break;
	default:
		return 0;
	}
	conn = lws_get_opaque_user_data(wsi);
	if (conn == NULL)
		return 0;
	conn->wsi = wsi; // the first events come before the creating call returns
	loop_tick(conn->loop);
	return conn_event(conn, reason, in, size);
}
