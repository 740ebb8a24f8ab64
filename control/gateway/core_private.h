// SPDX-License-Identifier: BSD-3-Clause
//
// What core.c (voice states) and core_node.c (nodes and assignment) share. For those two only.
#pragma once

#include "gateway/core.h"

// A message to a node that has not been acknowledged.
struct core_pending {
	struct core_pending *next, *prev; // in its node's list, oldest first
	uint64_t seq;
	enum node_op op; // ASSIGN, UNASSIGN, VOICE_STATE
	uint64_t deadline_ms;
	struct guild *guild;   // ASSIGN, VOICE_STATE
	struct member *member; // VOICE_STATE
	bool publish;          // the ack lets the guild see the state
	bool revert;           // an error restores what is in force
	struct voice_place sent;
	void *request; // of core_member_patch(), NULL: none
};

struct core_node {
	char name[NODE_NAME_SIZE], region[NODE_NAME_SIZE], endpoint[NODE_ENDPOINT_SIZE];
	uint32_t worker_count;
	struct core_node_budget budget; // as it reported last; all 0: not yet
	void *link;                     // NULL: the socket is gone
	uint64_t lost_ms;               // when it went, loop clock
	uint64_t ping_n, next_ping_ms;
	uint32_t unanswered;
	uint32_t guild_count, voice_count; // load
	struct core_pending *first, *last;
};

struct core {
	struct model *model;
	const struct gateway_config *config;
	const struct core_output *output;
	void *ctx;
	struct core_stats stats;
	uint64_t seq; // last used
	struct core_node *nodes[CORE_NODES_MAX];
	uint32_t node_count;
};

// --- core.c ---

// Sends the member's state to the guild's node. 0: it has not acknowledged it yet, '*out' is the
// message ('out' may be NULL). -ENOTCONN: no node is there; the one that comes is told everything.
// -ENOMEM: nothing was sent, and only a fresh token is tried again.
int core_push(struct core *core, struct guild *guild, struct member *member, uint64_t now_ms,
	struct core_pending **out);
void core_push_acked(
	struct core *core, struct core_node *node, struct core_pending *pending, uint64_t now_ms);
// 'why' for the log. 'no_budget': the node has no room, now or in a moment.
struct core_failure {
	int error;
	const char *why;
	bool no_budget;
};
void core_push_failed(struct core *core, struct core_pending *pending,
	const struct core_failure *failure, uint64_t now_ms);
// Joins that were refused and are due again.
void core_join_tick(struct core *core, struct guild *guild, uint64_t now_ms);
void core_left(struct core *core, struct guild *guild, struct member *member, uint64_t now_ms);

// --- core_node.c ---

// Gives the guild a node if there is one: assignment, then every state with a fresh token.
void core_assign(struct core *core, struct guild *guild, uint64_t now_ms);
struct core_pending *core_send(struct core *core, struct core_node *node, struct node_msg *msg,
	uint64_t now_ms); // fills in seq; NULL without memory (nothing was sent)
