// SPDX-License-Identifier: BSD-3-Clause
//
// What the client-facing half of the gateway shares: model, core, sessions and open connections,
// and the way out. hub.c turns the core's decisions into events; client.c speaks with one
// connection.
//
// Threads: the loop's.
#pragma once

#include <stddef.h>

#include "admission/admission.h"
#include "gateway/core.h"
#include "gateway/session.h"

struct hub_output {
	// One text frame to a connection, 'link' as given to client_open().
	void (*send)(void *link, const char *text, size_t size);
	// client_closed() follows later.
	void (*close)(void *link, uint16_t code, const char *reason);
};

// For metrics.
struct hub_stats {
	uint64_t identifies, auth_failures, resumes, invalid_sessions;
	uint64_t crowded_users; // identifies of users who have all sessions that they may
	uint64_t rate_limited, zombies, malformed, unknown_ops, sessions_ended;
};

struct hub {
	const struct gateway_config *config;
	struct admission *admission; // NULL: everybody is welcome
	struct model *model;
	struct core *core;
	const struct hub_output *output;
	void (*random)(void *ctx, uint8_t *out, size_t size);
	void *random_ctx;
	struct session *sessions;
	uint32_t session_count;
	struct client *clients;
	uint32_t client_count;
	struct hub_stats stats;
};

// Numbers the event, keeps it, and sends it if the session has a connection.
void hub_dispatch(struct hub *hub, struct session *session, struct event *event);
// Ends the session: it leaves its channels. Its connection, if any, is no longer its own.
void hub_session_end(struct hub *hub, struct session *session, uint64_t now_ms);
// For core_output.
void hub_voice_state(struct hub *hub, const struct guild *guild, const struct member *member);
void hub_voice_server(struct hub *hub, const struct guild *guild, const struct member *member,
	const char *token, const char *endpoint);
// Sessions whose window is over, connections that do not beat. Once a second.
void hub_tick(struct hub *hub, uint64_t now_ms);
void hub_fini(struct hub *hub);
// The URL that clients are told: the configured one, else made from the Host header, else from
// the listen address.
void hub_public_url(const struct hub *hub, const char *host, char *out, size_t out_size);
