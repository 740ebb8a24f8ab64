// SPDX-License-Identifier: BSD-3-Clause
//
// What a node and the gateway say to each other over the node's one WebSocket: JSON text frames,
// {"op":"...", ...}. Both sides use this codec (node_proto.c), so both sides always agree.
// clang-format off
//
//   node                                           gateway
//    | Authorization: Node SECRET                       |  of the upgrade; without it a register
//    |                                                  |  may have 65,536 bytes, not 1,048,576
//    | register {name, region, secret, contract,        |  first frame, within 5 s
//    |     endpoint, workers, guilds: [{guild, epoch}]} |
//    |                       registered {node, ping_ms} |  or close 4004 (secret), 4012 (contract),
//    |                                                  |  4013 (a node of this name is here and
//    |                                                  |  answers; a silent one is closed: 4005)
//    |                      assign {seq, guild, epoch}  |  this node now owns the guild
//    | ack {seq, error}                                 |  error 0, or -errno with "why"
//    |         voice_state {seq, guild, epoch, user,    |
//    |             channel|null, session, token_digest?,|
//    |             deaf, mute, self_deaf, self_mute,    |
//    |             suppress}                            |
//    | ack {seq, error}  in force at the packet engine  |  only now does the client learn the
//    |                                                  |  endpoint, so no client is ever early
//    | ack {seq, error, why, no_budget: {worker,        |  no worker can serve the client: no
//    |     capacity, used, price}}                      |  trouble that passes in a moment
//    |                    unassign {seq, guild, epoch}  |  the guild moved away, or is empty
//    | ack {seq, error}                                 |
//    |                                        ping {n}  |  every ping_ms
//    | pong {n}  only while every worker of the packet  |
//    |           engine turns                           |
//    | left {guild, user, session}                      |  a client's voice session ended here
//    | report {workers: [{capacity, budget, used}]}     |  in packets per second; after registered,
//    |                                                  |  and when they have changed
//
// clang-format on
// Ids (guild, channel, user) are decimal strings of 64-bit numbers on the wire and uint64_t in the
// structs; 'session' is the main gateway's session_id (hex text). 'token_digest' is the SHA-256 of
// the token's text, in hex: the node never learns a token before its client presents it. Members
// that a reader does not know are ignored; ops that it does not know are ignored and counted.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NODE_CONTRACT 1u               // version of this page
#define NODE_NAME_SIZE 64u             // bytes, with NUL
#define NODE_SECRET_SIZE 128u          // bytes, with NUL
#define NODE_ENDPOINT_SIZE 128u        // bytes, with NUL
#define NODE_SESSION_ID_SIZE 65u       // bytes, with NUL
#define NODE_WHY_SIZE 128u             // bytes, with NUL
#define NODE_DIGEST_SIZE 32u           // SHA-256
#define NODE_WORKERS_MAX 64u           // in one report
#define NODE_GUILDS_MAX 16384u         // in one register
#define NODE_MESSAGE_SIZE_MAX 1048576u // bytes of one frame: a register with all its guilds

#define NODE_AUTHORIZATION "Node " // before the secret, in the header

#define NODE_CLOSE_BAD_SECRET 4004u
#define NODE_CLOSE_DECODE 4002u
#define NODE_CLOSE_CONTRACT 4012u
#define NODE_CLOSE_NAME_TAKEN 4013u // to the newcomer
#define NODE_CLOSE_REPLACED 4005u   // to the one that was silent

// X(enum suffix, wire text)
#define NODE_OPS(X)                   \
	X(REGISTER, "register")       \
	X(REGISTERED, "registered")   \
	X(ASSIGN, "assign")           \
	X(UNASSIGN, "unassign")       \
	X(VOICE_STATE, "voice_state") \
	X(ACK, "ack")                 \
	X(PING, "ping")               \
	X(PONG, "pong")               \
	X(LEFT, "left")               \
	X(REPORT, "report")

#define NODE_OP_ENUM(name, text) NODE_OP_##name,
enum node_op {
	NODE_OP_UNKNOWN = 0,
	NODE_OPS(NODE_OP_ENUM) //
	NODE_OP_COUNT,
};

struct node_guild {
	uint64_t guild_id;
	uint64_t epoch;
};

// What a worker of the packet engine can do, what joins may use of it, and what they do use; in
// packets sent per second.
struct node_worker {
	uint64_t capacity_pps, budget_pps, used_pps;
};

// The worker that comes nearest to having room, and the price of the join there.
struct node_refusal {
	uint32_t worker;
	uint64_t capacity_pps, used_pps, price_pps;
};

struct node_msg {
	enum node_op op;
	uint64_t seq; // ASSIGN, UNASSIGN, VOICE_STATE, ACK; n of PING, PONG
	int error;    // ACK: 0 or -errno
	char why[NODE_WHY_SIZE];
	bool no_budget;              // ACK: error is -EDQUOT because of 'refusal'
	struct node_refusal refusal; // valid with no_budget
	uint64_t guild_id, epoch;

	// REGISTER; 'name' also of REGISTERED
	char name[NODE_NAME_SIZE], region[NODE_NAME_SIZE], secret[NODE_SECRET_SIZE];
	char endpoint[NODE_ENDPOINT_SIZE]; // host:port of the voice signaling
	uint32_t contract, worker_count;   // worker_count also of REPORT
	struct node_worker *workers;       // REPORT; the message's own
	uint32_t ping_ms;                  // REGISTERED
	struct node_guild *guilds;         // REGISTER; the message's own, see node_msg_fini()
	uint32_t guild_count;

	// VOICE_STATE; user_id and session_id also of LEFT
	uint64_t user_id, channel_id; // channel_id 0: leave (the wire says null)
	char session_id[NODE_SESSION_ID_SIZE];
	bool has_token;                         // a fresh token: the client (re)joins
	uint8_t token_digest[NODE_DIGEST_SIZE]; // valid with has_token
	bool deaf, mute, self_deaf, self_mute, suppress;
};

// Decodes one frame. 0; -EPROTO with 'why' filled: close with NODE_CLOSE_DECODE. An unknown op is 0
// with op NODE_OP_UNKNOWN. Call node_msg_fini() after a success.
int node_msg_decode(const char *text, size_t size, struct node_msg *msg)
	__attribute__((warn_unused_result));
// Frees 'guilds' and 'workers' and wipes 'secret'.
void node_msg_fini(struct node_msg *msg);
// Returns the frame's text, to be freed with json_text_free(), or NULL without memory.
char *node_msg_encode(const struct node_msg *msg);
