// SPDX-License-Identifier: BSD-3-Clause
//
// Sessions of the main gateway: what outlives a client's socket. A session numbers its events and
// keeps the latest, so that a client that lost its socket resumes without a gap.
//
// Threads: the loop's. Neighbours: client.c attaches and detaches sockets; hub.c broadcasts.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "gateway/model.h"

#define SESSION_EVENTS_MAX 256u          // kept for a resume
#define SESSION_EVENTS_SIZE_MAX 4194304u // bytes of them, counted fully in each session
#define SESSION_WINDOW_MS 60000u         // kept so long without a socket
// Of one user, with a connection or waiting for one: a bot's shards, and some that were lost. Each
// may keep SESSION_EVENTS_SIZE_MAX.
#define SESSIONS_PER_USER_MAX 16u

#define INTENT_GUILDS (1u << 0)
#define INTENT_GUILD_VOICE_STATES (1u << 7)

struct client;

// One event's text, shared by all sessions that were sent it.
struct event {
	uint32_t reference_count;
	size_t size;
	const char *type; // static
	char *data;       // JSON; may hold a voice token, so it is wiped
};

struct session {
	struct session *next_of_user;
	struct session *next, *prev; // all of them
	struct user *user;
	char id[SESSION_ID_SIZE];
	uint32_t intents;
	uint32_t shard_index, shard_count;
	struct client *client; // NULL: detached
	uint64_t detached_ms;  // loop clock

	uint64_t seq;                           // of the last event
	struct event *ring[SESSION_EVENTS_MAX]; // seq - kept_count + 1 .. seq, at seq % max
	uint32_t kept_count;
	size_t kept_size; // bytes
};

// Takes over 'data'; NULL without memory.
struct event *event_create(const char *type, json_t *data);
struct event *event_hold(struct event *event);
void event_release(struct event *event);

// Linked into user->sessions and '*list'. NULL without memory.
struct session *session_create(struct session **list, struct user *user, const char *id);
void session_destroy(struct session **list, struct session *session);
struct session *session_find(const struct user *user, const char *id);
// The one of the user that waits for a resume longest; NULL: each has a connection.
struct session *session_oldest_detached(const struct user *user);
// Does this shard of the session see the guild?
bool session_sees(const struct session *session, uint64_t guild_id);
// Numbers and keeps the event; the caller sends it. Keeps its own reference.
void session_keep(struct session *session, struct event *event);
// Forgets what the client says it has received.
void session_received(struct session *session, uint64_t seq);
// Event number 'seq', NULL: no longer kept.
struct event *session_event(const struct session *session, uint64_t seq);
