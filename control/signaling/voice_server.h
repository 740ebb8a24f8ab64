// SPDX-License-Identifier: BSD-3-Clause
//
// The voice gateway of this node: listeners, connections, and the life of every session from a
// token to its end. It carries out what voice_session.c decides, with the registry for who there
// is, resync for the packet engine, and voice_room.c for telling the others.
//
// Threads: the loop's only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/dp_media.h"
#include "config/config.h"
#include "dplink/resync.h"
#include "signaling/voice_op.h"

struct admission_stats;
struct loop;
struct registry;
struct session;
struct voice_server;
struct voice_stats;

#define VOICE_MESSAGE_SIZE_MAX 262144u // bytes: a large call's MLS commit has more than 64 KiB
#define VOICE_STRANGER_SIZE_MAX 4096u  // bytes of a message before Identify: stock ones have 500
#define VOICE_QUEUE_SIZE_MAX 4194304u  // bytes for a slow reader: who is in a room of 16,384

struct voice_server_params {
	struct loop *loop;
	struct registry *registry;
	struct resync *resync;
	const struct node_config *config; // listeners, modes, heartbeat, resume window
	// Literals told to clients, NULL: none. Without IPv4 they are told the IPv6 one in its
	// place.
	const char *ip, *ip6;
	const char *tls_cert_path, *tls_key_path;
	uint32_t listen_count; // inherited listening sockets, from DP_LISTEN_FD on; 0: open them
	// A session ended and its user did not come back for a moment: the gateway should know.
	void (*left)(void *ctx, uint64_t guild_id, uint64_t user_id, const char *session_id);
	// Has the session's key fewer than DP_NONCES_LOW nonces left?
	bool (*key_is_low)(void *ctx, const struct session *session);
	void *ctx;
};

// Sessions that the registry holds become DETACHED. 0, -ENOMEM, -EIO (no randomness).
int voice_server_create(const struct voice_server_params *params, struct voice_server **out)
	__attribute__((warn_unused_result));
// NULL allowed. Sessions stay in the registry.
void voice_server_destroy(struct voice_server *server);
// Opens every listener. 0, or -errno with one sentence in 'why'.
int voice_server_listen(struct voice_server *server, char *why, size_t why_size)
	__attribute__((warn_unused_result));
uint16_t voice_server_port(const struct voice_server *server); // of the first listener
// Closes every connection with 'code'; sessions stay, to be resumed.
void voice_server_stop(struct voice_server *server, enum voice_close code);

// Ends a session: others hear of it, the engine forgets it, its client is closed with 'code'. 'fn'
// (may be NULL) is called when the engine has acknowledged.
void voice_server_end(struct voice_server *server, struct session *session, enum voice_close code,
	resync_done_fn *fn, void *arg);
// New flags and channel (0: in none) of a session: in force, and seen by others, when the engine
// has acknowledged. 'fn' (may be NULL) is told; after an error nothing has changed, or the session
// has ended. The session stays on its worker, whether that has budget for it or not:
// registry_place_move() says. 0, -ENOSPC or -ENOMEM; then 'fn' is not called.
int voice_server_update(struct voice_server *server, struct session *session, uint32_t flags,
	uint64_t channel_id, resync_done_fn *fn, void *arg) __attribute__((warn_unused_result));
// Closes what no session and no token needs any more, on every worker. For who has removed tokens:
// it is done after every end and every change of a session, and a few times a second.
void voice_server_tidy(struct voice_server *server);

// For resync_events: the engine does not have the session as it should be.
void voice_server_refused(struct voice_server *server, struct session *session, int error);

const struct voice_stats *voice_server_stats(const struct voice_server *server);
const struct admission_stats *voice_server_admission(const struct voice_server *server);
