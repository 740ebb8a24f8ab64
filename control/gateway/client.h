// SPDX-License-Identifier: BSD-3-Clause
//
// One client's connection to the main gateway (v10, JSON) as a state machine: frames and time in,
// frames and closes out through hub_output. It owns no socket and no timer.
//
// Threads: the loop's.
#pragma once

#include "gateway/hub.h"

#define CLIENT_HEARTBEAT_MS 41250u
#define CLIENT_ZOMBIE_MS (CLIENT_HEARTBEAT_MS * 3 / 2) // without a beat: close 4009
#define CLIENT_IDENTIFY_MS 30000u                      // without identify or resume: close 4003
#define CLIENT_MESSAGE_SIZE_MAX 4096u                  // bytes; more: close 4002
#define CLIENT_RATE_MAX 120u                           // frames per window; more: close 4008
#define CLIENT_RATE_WINDOW_MS 60000u
#define CLIENT_HOST_SIZE 128u

#define CLOSE_DECODE 4002u
#define CLOSE_OPCODE 4001u
#define CLOSE_NOT_AUTHENTICATED 4003u
#define CLOSE_AUTHENTICATION 4004u
#define CLOSE_ALREADY_AUTHENTICATED 4005u
#define CLOSE_SEQ 4007u
#define CLOSE_RATE_LIMITED 4008u
#define CLOSE_TIMED_OUT 4009u
#define CLOSE_SHARD 4010u
#define CLOSE_VERSION 4012u
#define CLOSE_INTENTS 4013u
#define CLOSE_RESUMED_ELSEWHERE 4000u

struct client {
	struct client *next, *prev; // of the hub
	struct hub *hub;
	void *link;
	struct admission_ticket ticket;         // until it has a session
	struct session *session;                // NULL: not authenticated
	bool closing;                           // nothing that arrives counts any more
	uint64_t opened_ms, beat_ms, window_ms; // loop clock
	uint32_t window_count;
	char host[CLIENT_HOST_SIZE]; // what it called us
};

// Sends Hello, or closes when it asks for what we do not speak. Takes over 'ticket'; NULL: it has
// none. NULL: out of memory.
struct client *client_open(struct hub *hub, void *link, struct admission_ticket *ticket,
	const char *query, const char *host, uint64_t now_ms);
void client_message(
	struct client *client, const char *text, size_t size, bool binary, uint64_t now_ms);
// The last call; frees it. 1000 and 1001 end the session, everything else keeps it for a resume.
void client_closed(struct client *client, uint16_t code, uint64_t now_ms);

// For hub.c and client_ops.c.
void client_close(struct client *client, uint16_t code, const char *reason);
// Takes over 'frame'.
void client_send(struct client *client, json_t *frame);
void client_send_event(struct client *client, const struct event *event, uint64_t seq);
void client_identify(struct client *client, const json_t *d, uint64_t now_ms);
void client_resume(struct client *client, const json_t *d, uint64_t now_ms);
void client_voice_state(struct client *client, const json_t *d, uint64_t now_ms);
void client_request_members(struct client *client, const json_t *d);
