// SPDX-License-Identifier: BSD-3-Clause
//
// The connections of ws_conn.h. A socket ends in one way only: the library reports its close, which
// conn_gone() turns into the handler's closed(). Everything else just asks the library to close.
#include "http/ws_conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libwebsockets.h>
#include <netinet/in.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/tls_stream.h"

#define WRITE_SIZE_MAX 16384u  // bytes handed to the library at once
#define QUEUE_KEEP_SIZE 16384u // a longer queue's memory is given back when empty
#define PONG_QUEUE_MAX 65536u  // with more than this waiting, pings are not answered
#define CLOSE_TIMEOUT_MS 2000u // for the peer's close frame
#define DRAIN_TIMEOUT_MS 2000u // for the peer to read and hang up
#define QUEUE_SIZE_DEFAULT 262144u
#define CONN_VHOST "voicenode-ws"

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
	conn->queue_size_max = QUEUE_SIZE_DEFAULT;
	loop_timer_init(loop, &conn->timer, conn_expired, conn);
	ws_parser_init(&conn->parser, message_size_max, false);
	return conn;
}

static void in_free(struct ws_conn *conn)
{
	if (conn->in != NULL)
		explicit_bzero(conn->in, conn->in_alloc); // the Authorization header
	free(conn->in);
	conn->in = NULL;
	conn->in_size = conn->in_alloc = 0;
}

void ws_conn_free(struct ws_conn *conn)
{
	loop_timer_stop(&conn->timer);
	in_free(conn);
	if (conn->out != NULL)
		explicit_bzero(conn->out, conn->out_alloc);
	free(conn->out);
	ws_parser_fini(&conn->parser);
	tls_stream_destroy(conn->tls);
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

static bool out_reserve(struct ws_conn *conn, size_t more)
{
	size_t waiting = conn->out_size - conn->out_at;
	size_t alloc = conn->out_alloc == 0 ? 1024 : conn->out_alloc;
	uint8_t *grown;

	if (conn->out_size + more <= conn->out_alloc)
		return true;
	if (waiting + more <= conn->out_alloc) {
		memmove(conn->out, conn->out + conn->out_at, waiting);
		conn->out_at = 0;
		conn->out_size = waiting;
		return true;
	}
	while (alloc < waiting + more)
		alloc *= 2;
	grown = malloc(alloc); // not realloc(): the old copy may hold a token or a key
	if (grown == NULL)
		return false;
	if (waiting > 0)
		memcpy(grown, conn->out + conn->out_at, waiting);
	if (conn->out != NULL)
		explicit_bzero(conn->out, conn->out_alloc);
	free(conn->out);
	conn->out = grown;
	conn->out_alloc = alloc;
	conn->out_at = 0;
	conn->out_size = waiting;
	return true;
}

// Appends bytes for the network, all or none.
static int out_append(struct ws_conn *conn, const uint8_t *data, size_t size)
{
	if (conn->out_size - conn->out_at + size > conn->queue_size_max ||
		!out_reserve(conn, size)) {
		ws_conn_abort(conn);
		return -ENOBUFS;
	}
	if (size > 0)
		memcpy(conn->out + conn->out_size, data, size);
	conn->out_size += size;
	if (conn->wsi != NULL)
		lws_callback_on_writable(conn->wsi);
	return 0;
}

// Moves what TLS wants to send to the queue.
static int tls_flush(struct ws_conn *conn)
{
	const uint8_t *data;
	size_t size = tls_stream_pending(conn->tls, &data);
	int error = size == 0 ? 0 : out_append(conn, data, size);

	tls_stream_taken(conn->tls);
	return error;
}

int ws_conn_write(struct ws_conn *conn, const void *data, size_t size)
{
	if (conn->tls == NULL)
		return out_append(conn, data, size);
	if (!tls_stream_write(conn->tls, data, size)) {
		ws_conn_abort(conn);
		return -ENOBUFS;
	}
	return tls_flush(conn);
}

static int frame_send(struct ws_conn *conn, enum ws_opcode opcode, const char *data, size_t size)
{
	uint8_t head[WS_FRAME_HEAD_SIZE_MAX], mask[4] = {0};
	size_t head_size;
	uint8_t *frame;
	int error;

	// Before anything is built: a slow reader must not cost memory.
	if (conn->out_size - conn->out_at + size > conn->queue_size_max) {
		ws_conn_abort(conn);
		return -ENOBUFS;
	}
	if (conn->masked && RAND_bytes(mask, sizeof(mask)) != 1)
		return -EIO;
	head_size = ws_frame_head_build(head, opcode, size, conn->masked ? mask : NULL);
	frame = malloc(head_size + size);
	if (frame == NULL) {
		ws_conn_abort(conn);
		return -ENOBUFS;
	}
	memcpy(frame, head, head_size);
	for (size_t i = 0; i < size; i++)
		frame[head_size + i] = (uint8_t)data[i] ^ mask[i & 3u];
	error = ws_conn_write(conn, frame, head_size + size);
	explicit_bzero(frame, head_size + size);
	free(frame);
	return error;
}

int ws_conn_send(struct ws_conn *conn, const char *data, size_t size, bool binary)
{
	if (conn->phase != WS_PHASE_OPEN || conn->dead)
		return -ENOTCONN;
	return frame_send(conn, binary ? WS_BINARY : WS_TEXT, data, size);
}

static void close_send(struct ws_conn *conn, uint16_t code, const char *reason)
{
	char payload[WS_CONTROL_SIZE_MAX + 1];
	size_t size = 0;

	if (code != WS_CLOSE_NO_STATUS) {
		int written;

		payload[0] = (char)(code >> 8);
		payload[1] = (char)(code & 0xff);
		written = snprintf(payload + 2, sizeof(payload) - 2, "%s", reason ? reason : "");
		size = 2 + (size_t)written;
		if (size > WS_CONTROL_SIZE_MAX)
			size = WS_CONTROL_SIZE_MAX;
	}
	(void)!frame_send(conn, WS_CLOSE, payload, size);
}

void ws_conn_close(struct ws_conn *conn, uint16_t code, const char *reason)
{
	if (conn->phase != WS_PHASE_OPEN || conn->dead)
		return;
	close_send(conn, code, reason);
	if (conn->dead)
		return;
	conn->phase = WS_PHASE_CLOSING;
	ws_conn_deadline(conn, CLOSE_TIMEOUT_MS, NULL);
}

void ws_conn_drain(struct ws_conn *conn)
{
	if (conn->dead)
		return;
	conn->phase = WS_PHASE_DRAIN;
	ws_conn_deadline(conn, DRAIN_TIMEOUT_MS, NULL);
	if (conn->tls != NULL) {
		tls_stream_shutdown(conn->tls);
		if (tls_flush(conn) != 0)
			return;
	}
	lws_callback_on_writable(conn->wsi);
}

// One library write per call-back, as it demands. Returns false to close.
static bool out_flush(struct ws_conn *conn)
{
	size_t size = conn->out_size - conn->out_at;

	if (size > WRITE_SIZE_MAX)
		size = WRITE_SIZE_MAX;
	if (size > 0) {
		int sent = lws_write(conn->wsi, conn->out + conn->out_at, size, LWS_WRITE_RAW);

		if (sent < 0)
			return false;
		conn->out_at += (size_t)sent;
	}
	if (conn->out_at < conn->out_size) {
		lws_callback_on_writable(conn->wsi);
		return true;
	}
	conn->out_at = conn->out_size = 0;
	if (conn->out_alloc > QUEUE_KEEP_SIZE) {
		explicit_bzero(conn->out, conn->out_alloc);
		free(conn->out);
		conn->out = NULL;
		conn->out_alloc = 0;
	}
	if (conn->phase != WS_PHASE_DRAIN || conn->half_closed)
		return true;
	if (lws_partial_buffered(conn->wsi)) {
		lws_callback_on_writable(conn->wsi);
		return true;
	}
	// Close only our half: closing with unread bytes would reset the connection and take the
	// close frame from the peer's hands.
	conn->half_closed = true;
	shutdown(lws_get_socket_fd(conn->wsi), SHUT_WR);
	return true;
}

// --- input ---

static void frame_fail(struct ws_conn *conn, uint16_t code)
{
	close_send(conn, code, NULL);
	ws_conn_drain(conn);
}

static void close_received(struct ws_conn *conn)
{
	bool answer = conn->phase == WS_PHASE_OPEN;

	conn->close_received = true;
	conn->close_code = conn->parser.close_code;
	if (answer)
		close_send(conn, conn->close_code, NULL);
	ws_conn_drain(conn);
}

static void frame_event(struct ws_conn *conn, enum ws_parse event)
{
	struct ws_parser *p = &conn->parser;

	switch (event) {
	case WS_PARSE_MESSAGE:
		if (conn->phase == WS_PHASE_OPEN)
			conn->handler->message(
				conn->conn_ctx, p->message, p->message_size, p->binary);
		break;
	case WS_PARSE_PING:
		if (conn->phase == WS_PHASE_OPEN && conn->out_size - conn->out_at < PONG_QUEUE_MAX)
			(void)!frame_send(conn, WS_PONG, (const char *)p->control, p->control_size);
		break;
	case WS_PARSE_CLOSE:
		close_received(conn);
		break;
	case WS_PARSE_ERROR:
		if (conn->phase == WS_PHASE_OPEN)
			frame_fail(conn, p->close_code);
		else
			ws_conn_drain(conn);
		break;
	case WS_PARSE_PONG:
	case WS_PARSE_MORE:
		break;
	}
}

static void frames_feed(struct ws_conn *conn, const uint8_t *data, size_t size)
{
	while (size > 0 && !conn->dead &&
		(conn->phase == WS_PHASE_OPEN || conn->phase == WS_PHASE_CLOSING)) {
		size_t used;

		frame_event(conn, ws_parser_feed(&conn->parser, data, size, &used));
		data += used;
		size -= used;
	}
}

static bool in_append(struct ws_conn *conn, const uint8_t *data, size_t size)
{
	size_t alloc = conn->in_alloc == 0 ? 1024 : conn->in_alloc;
	uint8_t *grown;

	if (size > conn->in_max - conn->in_size)
		return false;
	while (alloc < conn->in_size + size + 1)
		alloc *= 2;
	if (alloc != conn->in_alloc) {
		grown = malloc(alloc);
		if (grown == NULL)
			return false;
		if (conn->in != NULL) {
			memcpy(grown, conn->in, conn->in_size);
			explicit_bzero(conn->in, conn->in_alloc);
			free(conn->in);
		}
		conn->in = grown;
		conn->in_alloc = alloc;
	}
	memcpy(conn->in + conn->in_size, data, size);
	conn->in_size += size;
	conn->in[conn->in_size] = '\0';
	return true;
}

static void handshake_feed(struct ws_conn *conn, const uint8_t *data, size_t size)
{
	size_t used;

	if (!in_append(conn, data, size)) {
		snprintf(conn->why, sizeof(conn->why), "the peer's head is too long");
		ws_conn_abort(conn);
		return;
	}
	used = conn->role->handshake(conn);
	if (conn->phase == WS_PHASE_HANDSHAKE)
		return;
	frames_feed(conn, conn->in + used, conn->in_size - used);
	if (conn->phase != WS_PHASE_EXCHANGE) // an exchange's request points into it
		in_free(conn);
}

static void conn_input(struct ws_conn *conn, const uint8_t *data, size_t size)
{
	switch (conn->phase) {
	case WS_PHASE_HANDSHAKE:
		handshake_feed(conn, data, size);
		break;
	case WS_PHASE_OPEN:
	case WS_PHASE_CLOSING:
		frames_feed(conn, data, size);
		break;
	case WS_PHASE_CONNECT:
	case WS_PHASE_EXCHANGE:
	case WS_PHASE_DRAIN:
		break;
	}
}

// Network bytes: through TLS where there is one.
static void net_input(struct ws_conn *conn, const uint8_t *data, size_t size)
{
	uint8_t clear[4096];
	int count = 0;

	if (conn->tls == NULL) {
		conn_input(conn, data, size);
		return;
	}
	if (conn->phase == WS_PHASE_DRAIN)
		return;
	if (!tls_stream_feed(conn->tls, data, size)) {
		ws_conn_abort(conn);
		return;
	}
	do {
		count = tls_stream_read(conn->tls, clear, sizeof(clear));
		if (conn->phase == WS_PHASE_CONNECT && tls_stream_established(conn->tls))
			conn->role->connected(conn);
		if (count > 0)
			conn_input(conn, clear, (size_t)count);
	} while (count > 0 && !conn->dead);
	explicit_bzero(clear, sizeof(clear));
	if (conn->dead || tls_flush(conn) != 0 || count == 0)
		return;
	if (conn->why[0] == '\0' || conn->phase == WS_PHASE_CONNECT)
		snprintf(conn->why, sizeof(conn->why), "%s", tls_stream_why(conn->tls));
	ws_conn_drain(conn); // the alert goes out first
}

void ws_conn_open(struct ws_conn *conn, void *ctx, const struct ws_request *request)
{
	loop_timer_stop(&conn->timer);
	conn->phase = WS_PHASE_OPEN;
	conn->parser.masked = !conn->masked;
	conn->conn_ctx = conn->handler->open(ctx, conn, request);
	if (conn->conn_ctx == NULL)
		ws_conn_close(conn, WS_CLOSE_POLICY, NULL);
}

// --- the library's side ---

static void conn_gone(struct ws_conn *conn)
{
	void *conn_ctx = conn->conn_ctx;

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

static int conn_event(
	struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t in_size)
{
	struct ws_conn *conn;

	(void)user;
	// Only reasons that come with a whole connection may look at its opaque data.
	switch ((int)reason) {
	case LWS_CALLBACK_RAW_RX:
	case LWS_CALLBACK_RAW_WRITEABLE:
	case LWS_CALLBACK_RAW_CLOSE:
	case LWS_CALLBACK_WSI_DESTROY:
		conn = lws_get_opaque_user_data(wsi);
		break;
	default:
		return 0;
	}
	if (conn == NULL)
		return 0;
	loop_tick(conn->loop);
	switch ((int)reason) {
	case LWS_CALLBACK_RAW_RX:
		if (!conn->dead)
			net_input(conn, in, in_size);
		break;
	case LWS_CALLBACK_RAW_WRITEABLE:
		if (!conn->dead && !out_flush(conn))
			return -1;
		break;
	default:
		lws_set_opaque_user_data(wsi, NULL);
		conn_gone(conn);
		return 0;
	}
	return conn->dead ? -1 : 0;
}

static const struct lws_protocols conn_protocols[] = {
	{.name = "ws", .callback = conn_event, .rx_buffer_size = WRITE_SIZE_MAX},
	{0},
};

// The one vhost that all sockets of http/ belong to; it listens to nothing.
static struct lws_vhost *conn_vhost(struct loop *loop)
{
	struct lws_context_creation_info info = {0};
	struct lws_vhost *vhost = lws_get_vhost_by_name(loop_lws(loop), CONN_VHOST);

	if (vhost != NULL)
		return vhost;
	info.port = CONTEXT_PORT_NO_LISTEN;
	info.protocols = conn_protocols;
	info.vhost_name = CONN_VHOST;
	return lws_create_vhost(loop_lws(loop), &info);
}

int ws_conn_adopt(struct ws_conn *conn, int fd)
{
	struct lws_vhost *vhost = conn_vhost(conn->loop);
	lws_adopt_desc_t desc = {0};

	if (vhost == NULL) {
		close(fd);
		return -ENOMEM;
	}
	desc.vh = vhost;
	desc.type = LWS_ADOPT_SOCKET;
	desc.fd.sockfd = fd;
	desc.vh_prot_name = conn_protocols[0].name;
	desc.opaque = conn;
	conn->adopting = true;
	conn->wsi = lws_adopt_descriptor_vhost_via_info(&desc);
	conn->adopting = false;
	if (conn->wsi == NULL)
		return -ENOMEM;
	if (conn->phase != WS_PHASE_CONNECT)
		return 0;
	if (conn->tls == NULL)
		conn->role->connected(conn);
	else
		net_input(conn, NULL, 0); // the client speaks first
	return 0;
}

void ws_conn_peer(const struct ws_conn *conn, char *out, size_t size)
{
	struct sockaddr_storage address = {0};
	socklen_t address_size = sizeof(address);
	const struct sockaddr_in *v4 = (const void *)&address;
	const struct sockaddr_in6 *v6 = (const void *)&address;

	snprintf(out, size, "local");
	if (getpeername(lws_get_socket_fd(conn->wsi), (void *)&address, &address_size) < 0)
		return;
	if (address.ss_family == AF_INET)
		inet_ntop(AF_INET, &v4->sin_addr, out, (socklen_t)size);
	if (address.ss_family == AF_INET6)
		inet_ntop(AF_INET6, &v6->sin6_addr, out, (socklen_t)size);
}

void ws_conn_limit_message(struct ws_conn *conn, size_t message_size_max)
{
	conn->parser.message_size_max = message_size_max;
}
