// SPDX-License-Identifier: BSD-3-Clause
//
// The gateway's logic without sockets: which node owns which guild, who is in which voice channel,
// and in which order nodes and clients learn it. Events and time in, calls of core_output out, so a
// test drives joins, moves, kicks and the death of a node by plain calls.
//
// The rule that everything here serves: a client hears of a token and an endpoint only after the
// node acknowledged that token, so no client is ever early.
//
// Threads: the loop's. Neighbours: model.h holds the data; node_link.c and client.c feed it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gateway/model.h"
#include "register/node_proto.h"

#define CORE_NODES_MAX 1024u
#define CORE_ACK_TIMEOUT_MS 8000u   // longer than a node waits for its engine (RESYNC_WAIT_MS)
#define CORE_EMPTY_LINGER_MS 60000u // an empty guild stays on its node so long
#define CORE_JOIN_RETRY_MS 500u     // after a refused join; doubles with each
#define CORE_JOIN_FAILURES_MAX 5u   // so many in a row take the member out of its channel
#define CORE_LEFT_GRACE_MS 5000u    // a 'left' so soon after a token speaks of the session before

struct core;
struct core_node;

struct core_output {
	// To a node; 'link' as given to core_node_register(). 'msg' is valid during the call.
	void (*node_send)(void *ctx, void *link, const struct node_msg *msg);
	// The core has forgotten the link; core_node_closed() is not to be called any more.
	void (*node_close)(void *ctx, void *link, uint16_t code, const char *reason);
	// VOICE_STATE_UPDATE to whoever may see the guild.
	void (*voice_state)(void *ctx, const struct guild *guild, const struct member *member);
	// VOICE_SERVER_UPDATE to the session in 'member'. 'endpoint' NULL: wait for the next one.
	void (*voice_server)(void *ctx, const struct guild *guild, const struct member *member,
		const char *token, const char *endpoint);
	// A core_member_patch() is in force (0) or is not (-errno).
	void (*done)(void *ctx, void *request, int error);
	// Randomness and the wall clock, here so that tests decide them.
	void (*random)(void *ctx, uint8_t *out, size_t size);
	uint64_t (*unix_ms)(void *ctx);
};

struct core_params {
	struct model *model;
	const struct gateway_config *config; // secrets, ping_ms, dead_after_pings
	const struct core_output *output;
	void *ctx;
};

// What happened, for metrics.
struct core_stats {
	uint64_t joins, moves, leaves, kicks;
	uint64_t ack_timeouts, ack_errors;
	uint64_t join_retries, joins_given_up, joins_no_budget;
	uint64_t assignments, nodes_registered, nodes_refused, nodes_dead;
	uint64_t node_unknown_ops, node_malformed;
};

// Of all workers of a node, in packets sent per second.
struct core_node_budget {
	uint64_t capacity_pps, budget_pps, used_pps;
};

// What an operator sees of a node.
struct core_node_info {
	const char *name, *region, *endpoint;
	bool linked;
	uint32_t guild_count, voice_count, worker_count, unanswered_pings;
	struct core_node_budget budget;
};

// NULL without memory.
struct core *core_create(const struct core_params *params);
void core_destroy(struct core *core);
const struct core_stats *core_stats(const struct core *core);
// The number of nodes; fills at most 'max' rows.
uint32_t core_nodes(const struct core *core, struct core_node_info *rows, uint32_t max);
const char *core_node_name(const struct core_node *node);

// Call at least every 100 ms: pings, time-outs, guilds that wait for a node.
void core_tick(struct core *core, uint64_t now_ms);

// Whether 'secret' is a node's; if not, a node has been refused.
bool core_secret_known(struct core *core, const char *secret);
// A node's first frame. Returns the node; or NULL, then close with '*close_code' and 'why'.
struct core_node *core_node_register(struct core *core, void *link, const struct node_msg *msg,
	uint64_t now_ms, uint16_t *close_code, const char **why);
// Any later frame.
void core_node_message(
	struct core *core, struct core_node *node, const struct node_msg *msg, uint64_t now_ms);
// Its socket is gone. The node has two pings' time to come back before it counts as dead.
void core_node_closed(struct core *core, struct core_node *node, uint64_t now_ms);

// A client's op 4. 'channel_id' 0: leave. What the user may not do is ignored.
struct core_voice_update {
	uint64_t guild_id, channel_id;
	bool self_mute, self_deaf;
};
void core_voice_update(struct core *core, struct user *user, const char *session_id,
	const struct core_voice_update *update, uint64_t now_ms);
// The client's session is over: it leaves every channel that it joined.
void core_session_ended(
	struct core *core, struct user *user, const char *session_id, uint64_t now_ms);

// A moderator changes a member. 0: done() follows, maybe from inside the call. -ENOTCONN: the
// member is in no voice channel. -ENOENT: no such channel in the guild. -ENOMEM: nothing changed.
struct core_patch {
	bool has_mute, mute, has_deaf, deaf, has_channel;
	uint64_t channel_id; // 0: disconnect
};
int core_member_patch(struct core *core, struct guild *guild, struct member *member,
	const struct core_patch *patch, void *request, uint64_t now_ms)
	__attribute__((warn_unused_result));
// Nobody waits any more: done() with 'error' for every request that is open. What they asked for
// goes on.
void core_requests_end(struct core *core, int error);
