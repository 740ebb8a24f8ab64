// SPDX-License-Identifier: BSD-3-Clause
//
// What the gateway wants of this node, done: guilds come and go, voice states become tokens, moves,
// mutes and kicks. A join is placed on a worker here, before its client hears of it, or refused
// because no worker has budget for it (registry/placement.h). Each command is acknowledged when the
// packet engine has it in force, and never before. The highest epoch of a guild wins; what a lower
// one says is refused.
//
// Threads: the loop's only.
#pragma once

#include <stdint.h>

struct loop;
struct node_msg;
struct node_refusal;
struct registry;
struct resync;
struct voice_server;

struct assignments {
	struct loop *loop;
	struct registry *registry;
	struct resync *resync;
	struct voice_server *voice;
	// Answers command 'seq' of 'connection'; error 0 or -errno. 'refusal' NULL, or with -EDQUOT
	// why no worker has budget for it.
	void (*ack)(void *ctx, uint32_t connection, uint64_t seq, int error,
		const struct node_refusal *refusal);
	void *ctx;
};

// ASSIGN, UNASSIGN, VOICE_STATE; anything else is ignored.
void assignments_apply(struct assignments *a, uint32_t connection, const struct node_msg *msg);
// Fills 'guilds' of a REGISTER. 0 or -ENOMEM.
int assignments_list(const struct assignments *a, struct node_msg *msg)
	__attribute__((warn_unused_result));
