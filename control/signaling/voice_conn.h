// SPDX-License-Identifier: BSD-3-Clause
//
// Inside of the voice server: one connection, and what its files ask of each other. For voice_*.c.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "admission/admission.h"
#include "config/config.h"
#include "signaling/voice_encode.h"
#include "signaling/voice_server.h"
#include "signaling/voice_session.h"
#include "signaling/voice_stats.h"

struct ws_conn;
struct ws_server;
struct loop_timer;
struct voice_departed;

struct voice_conn {
	struct voice_server *server;
	struct ws_conn *ws;
	struct voice_session machine;
	struct session *session; // NULL: none, or taken over by another connection
	struct voice_conn *prev, *next;
	struct admission_ticket ticket; // until it has identified
	uint64_t identified_ms;
	struct voice_identify offered; // its streams, until Ready
};

struct voice_server {
	struct voice_server_params params;
	struct registry *registry;
	struct resync *resync;
	enum dp_suite suites[DP_SUITE_COUNT]; // by preference, ended by DP_SUITE_NONE
	struct ws_server *listeners[CONFIG_LIST_MAX];
	unsigned listener_count;
	struct admission *admission;
	struct voice_conn *conns;
	struct voice_departed *departed;
	struct loop_timer *timer;
	uint64_t sweep_ms; // when the slow sweep is due
	struct voice_stats stats;
};

// voice_server.c
uint64_t voice_now_ms(const struct voice_server *server);
void voice_conn_act(struct voice_conn *conn, enum voice_action action, struct voice_frame *frame);
void voice_conn_send(struct voice_conn *conn, enum voice_op op, const struct voice_text *text);

// voice_join.c: the actions of joining
void voice_join_authenticate(struct voice_conn *conn, const struct voice_identify *identify);
void voice_join_ready(struct voice_conn *conn);
void voice_join_select(struct voice_conn *conn, const struct voice_select *select);
void voice_join_describe(struct voice_conn *conn);
// The engine has the key, or says why not.
void voice_join_keyed(void *conn, int error);
// Session Description; from then on others see the session.
void voice_join_send_key(struct voice_conn *conn);
bool voice_token_fits(const char *token, const uint8_t *digest);
// Too many wrong tokens from its address: nothing that it presents is looked at.
bool voice_conn_is_blocked(struct voice_conn *conn);
// What it presented was right (VOICE_CLOSE_NONE), or refused so.
void voice_conn_judged(struct voice_conn *conn, enum voice_close refusal);

// voice_resume.c
void voice_resume(struct voice_conn *conn, const struct voice_identify *resume);

// voice_member.c: the life of a session
// Its socket is gone or no longer counts.
void voice_member_detach(struct voice_server *server, struct session *session);
// Its client said goodbye.
void voice_member_leave(struct voice_server *server, struct session *session);
// Once a second: windows that end, keys near their end, users who left, tokens.
void voice_member_sweep(struct voice_server *server, uint64_t now_ms);
void voice_member_adopt(struct voice_server *server); // those of a predecessor
void voice_member_fini(struct voice_server *server);

// Ends a session for a reason that the gateway did not ask for, and so is told.
void voice_member_end(struct voice_server *server, struct session *session, enum voice_close code);
// The gateway is told that the user is gone, unless it comes back within a moment.
void voice_member_departed(
	struct voice_server *server, uint64_t guild_id, uint64_t user_id, const char *session_id);

// voice_change.c: forgets the changes of a session that has ended.
void voice_change_drop(struct session *session);
void voice_change_fini(struct voice_server *server); // at the end: those that nobody answered

// voice_room.c: telling the others
void voice_room_snapshot(struct session *to);
void voice_room_joined(struct session *who);
void voice_room_left(struct room *room, const struct session *who);
// Everybody else in the room left, as far as 'to' is concerned: it moves away.
void voice_room_forget(struct session *to);
void voice_room_speaking(struct voice_conn *conn, const struct voice_speaking *speaking);
void voice_room_video(struct voice_conn *conn, const struct voice_video *video);
