// SPDX-License-Identifier: BSD-3-Clause
//
// Listeners, connections and their deadlines; carries out the actions of voice_session.c.

#include "signaling/voice_server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "admission/admission.h"
#include "http/ws.h"
#include "log/log.h"
#include "loop/loop.h"
#include "registry/registry.h"
#include "signaling/voice_conn.h"

#define TICK_MS 250u
#define SWEEP_MS 1000u

uint64_t voice_now_ms(const struct voice_server *server)
{
	return loop_now_ms(server->params.loop);
}

void voice_conn_send(struct voice_conn *conn, enum voice_op op, const struct voice_text *text)
{
	if (conn->machine.state == VOICE_CLOSED)
		return;
	if (text->full) {
		log_error("voice message too long op=%s", voice_op_label(op));
		return;
	}
	// A slow reader is being closed: 'closed' follows, and the session waits for its resume.
	if (ws_conn_send(conn->ws, text->data, text->size, false) == 0)
		conn->server->stats.messages_out[op]++;
}

static void send_hello(struct voice_conn *conn)
{
	char data[128];
	struct voice_text text;

	voice_text_init(&text, data, sizeof(data));
	voice_encode_hello(&text, conn->machine.version, conn->machine.heartbeat_ms);
	voice_conn_send(conn, VOICE_OP_HELLO, &text);
}

static void send_heartbeat_ack(struct voice_conn *conn, const struct voice_heartbeat *heartbeat)
{
	char data[128];
	struct voice_text text;

	if (conn->session != NULL && heartbeat->seq_ack != VOICE_SEQ_NONE)
		resume_ack(&conn->session->intent->ring, heartbeat->seq_ack);
	voice_text_init(&text, data, sizeof(data));
	voice_encode_heartbeat_ack(&text, heartbeat);
	voice_conn_send(conn, VOICE_OP_HEARTBEAT_ACK, &text);
}

static void send_backend_version(struct voice_conn *conn)
{
	char data[128];
	struct voice_text text;

	voice_text_init(&text, data, sizeof(data));
	voice_encode_backend_version(&text);
	voice_conn_send(conn, VOICE_OP_BACKEND_VERSION, &text);
}

// The connection is over; its session, if it still has one, may be resumed.
static void close_conn(struct voice_conn *conn)
{
	enum voice_close code = conn->machine.close_code;
	struct session *session = conn->session;

	conn->session = NULL;
	resync_forget(conn->server->resync, conn);
	voice_stats_closed(&conn->server->stats, code);
	ws_conn_close(conn->ws, (uint16_t)code, voice_close_reason(code));
	if (session != NULL)
		voice_member_detach(conn->server, session);
}

void voice_conn_act(struct voice_conn *conn, enum voice_action action, struct voice_frame *frame)
{
	switch (action) {
	case VOICE_DO_NOTHING:
	case VOICE_DO_DAVE:   // not while every group is VOICE_DAVE_OFF
	case VOICE_DO_REPLAY: // carried out by voice_resume() itself
		break;
	case VOICE_DO_HELLO:
		send_hello(conn);
		break;
	case VOICE_DO_AUTHENTICATE:
		voice_join_authenticate(conn, &frame->identify);
		break;
	case VOICE_DO_RESUME:
		voice_resume(conn, &frame->identify);
		break;
	case VOICE_DO_READY:
		voice_join_ready(conn);
		break;
	case VOICE_DO_SELECT:
		voice_join_select(conn, &frame->select);
		break;
	case VOICE_DO_DESCRIBE:
		voice_join_describe(conn);
		break;
	case VOICE_DO_HEARTBEAT_ACK:
		send_heartbeat_ack(conn, &frame->heartbeat);
		break;
	case VOICE_DO_SPEAKING:
		voice_room_speaking(conn, &frame->speaking);
		break;
	case VOICE_DO_VIDEO:
		voice_room_video(conn, &frame->video);
		break;
	case VOICE_DO_BACKEND_VERSION:
		send_backend_version(conn);
		break;
	case VOICE_DO_CLOSE:
		close_conn(conn);
		break;
	}
}

static void *on_open(void *ctx, struct ws_conn *ws, const struct ws_request *request)
{
	struct voice_server *server = ctx;
	struct voice_conn *conn = calloc(1, sizeof(*conn));

	if (conn == NULL)
		return NULL;
	conn->ticket = admission_take(request->ticket);
	conn->server = server;
	conn->ws = ws;
	ws_conn_limit_message(ws, VOICE_STRANGER_SIZE_MAX);
	conn->next = server->conns;
	if (server->conns != NULL)
		server->conns->prev = conn;
	server->conns = conn;
	server->stats.connections++;
	voice_conn_act(conn,
		voice_session_open(&conn->machine, voice_version_of_query(request->query),
			server->params.config->voice.heartbeat_ms, voice_now_ms(server)),
		NULL);
	return conn;
}

static void on_message(void *conn_ctx, const char *data, size_t size, bool binary)
{
	struct voice_conn *conn = conn_ctx;
	struct voice_stats *stats = &conn->server->stats;
	uint64_t now_ms = voice_now_ms(conn->server);
	struct voice_frame frame;

	if (binary) {
		voice_conn_act(conn, voice_session_feed_binary(&conn->machine, now_ms), NULL);
		return;
	}
	if (voice_frame_decode(data, size, &frame) != 0) {
		stats->malformed++;
		voice_conn_act(conn, voice_session_malformed(&conn->machine), NULL);
	} else {
		stats->messages_in[frame.op]++;
		voice_conn_act(conn, voice_session_feed(&conn->machine, &frame, now_ms), &frame);
	}
	voice_frame_wipe(&frame);
}

static void on_closed(void *conn_ctx, uint16_t code)
{
	struct voice_conn *conn = conn_ctx;
	struct voice_server *server = conn->server;
	struct session *session = conn->session;

	if (conn->prev != NULL)
		conn->prev->next = conn->next;
	else
		server->conns = conn->next;
	if (conn->next != NULL)
		conn->next->prev = conn->prev;
	server->stats.connections--;
	admission_release(server->admission, &conn->ticket);
	resync_forget(server->resync, conn);
	if (session != NULL) {
		session->conn = NULL;
		// 1000 and 1001: it leaves. Everything else may be a lost network.
		if (code == 1000 || code == 1001)
			voice_member_leave(server, session);
		else
			voice_member_detach(server, session);
	}
	explicit_bzero(conn, sizeof(*conn));
	free(conn);
}

static void on_timer(void *arg)
{
	struct voice_server *server = arg;
	uint64_t now_ms = voice_now_ms(server);
	struct voice_conn *conn = server->conns, *next;

	for (; conn != NULL; conn = next) {
		next = conn->next;
		voice_conn_act(conn, voice_session_tick(&conn->machine, now_ms), NULL);
	}
	if (now_ms >= server->sweep_ms) {
		server->sweep_ms = now_ms + SWEEP_MS;
		voice_member_sweep(server, now_ms);
	}
	voice_server_tidy(server);
	loop_timer_set(server->timer, TICK_MS);
}

static void read_suites(struct voice_server *server)
{
	const struct node_config *config = server->params.config;
	unsigned count = 0;

	for (unsigned index = 0; index < config->voice.mode_count; index++) {
		enum dp_suite suite =
			voice_suite_of_mode(config_mode_name(config->voice.mode[index]));

		if (suite != DP_SUITE_NONE && count < DP_SUITE_COUNT - 1)
			server->suites[count++] = suite;
	}
}

int voice_server_create(const struct voice_server_params *params, struct voice_server **out)
{
	struct voice_server *server = calloc(1, sizeof(*server));
	uint64_t seed;

	if (server == NULL)
		return -ENOMEM;
	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed)) {
		free(server);
		return -EIO;
	}
	server->timer = calloc(1, sizeof(*server->timer));
	server->admission = admission_create(seed);
	if (server->timer == NULL || server->admission == NULL) {
		admission_destroy(server->admission);
		free(server->timer);
		free(server);
		return -ENOMEM;
	}
	server->params = *params;
	server->registry = params->registry;
	server->resync = params->resync;
	read_suites(server);
	loop_timer_init(params->loop, server->timer, on_timer, server);
	loop_timer_set(server->timer, TICK_MS);
	voice_member_adopt(server);
	*out = server;
	return 0;
}

void voice_server_destroy(struct voice_server *server)
{
	if (server == NULL)
		return;
	loop_timer_stop(server->timer);
	for (unsigned index = 0; index < server->listener_count; index++)
		ws_server_destroy(server->listeners[index]);
	voice_member_fini(server);
	voice_change_fini(server);
	admission_destroy(server->admission);
	free(server->timer);
	free(server);
}

int voice_server_listen(struct voice_server *server, char *why, size_t why_size)
{
	static const struct ws_handler handler = {
		.open = on_open, .message = on_message, .closed = on_closed};
	const struct node_config *config = server->params.config;

	for (unsigned index = 0; index < config->voice.listen.count; index++) {
		const struct config_host_port *at = &config->voice.listen_at[index];
		struct ws_server_params params = {
			.host = at->host[0] == '\0' ? NULL : at->host,
			.port = at->port,
			.listen_fd = server->params.listen_count == config->voice.listen.count
					     ? DP_LISTEN_FD + (int)index
					     : 0,
			.tls_cert_path = server->params.tls_cert_path,
			.tls_key_path = server->params.tls_key_path,
			.name = "voice",
			.ws = &handler,
			.ctx = server,
			.message_size_max = VOICE_MESSAGE_SIZE_MAX,
			.queue_size_max = VOICE_QUEUE_SIZE_MAX,
			.admission = server->admission,
		};
		int error = ws_server_create(server->params.loop, &params,
			&server->listeners[server->listener_count], why, why_size);

		if (error != 0)
			return error;
		server->listener_count++;
	}
	return 0;
}

uint16_t voice_server_port(const struct voice_server *server)
{
	return server->listener_count == 0 ? 0 : ws_server_port(server->listeners[0]);
}

void voice_server_stop(struct voice_server *server, enum voice_close code)
{
	for (unsigned index = 0; index < server->listener_count; index++)
		ws_server_stop_accepting(server->listeners[index]);
	for (struct voice_conn *conn = server->conns, *next; conn != NULL; conn = next) {
		next = conn->next;
		voice_conn_act(conn, voice_session_end(&conn->machine, code), NULL);
	}
}

const struct voice_stats *voice_server_stats(const struct voice_server *server)
{
	return &server->stats;
}

const struct admission_stats *voice_server_admission(const struct voice_server *server)
{
	return admission_stats(server->admission);
}
