// SPDX-License-Identifier: BSD-3-Clause
//
// THE CONTRACT between control and dataplane. One record is one SOCK_SEQPACKET datagram on fd 3
// and, unchanged, one element of the ring between the dataplane's main thread and a worker. Records
// are sized per type, hold no pointers, and name things by {index, generation} that control
// allocates.
//
// Life of the link: the socket outlives both children. Each child has an epoch from the supervisor
// (1, 2, ...; larger is newer). A child starts by sending HELLO {own epoch, peer_epoch 0}. Who
// reads a HELLO answers with HELLO {own epoch, the peer's}, unless that HELLO named its own epoch
// already and the peer is known. A record counts only after a HELLO that names the reader's own
// epoch, and only when its header carries the epoch of that HELLO; everything else is a dead
// process's, and discarded. HELLO carries the contract's version and the size of every record: a
// mismatch refuses to run. The supervisor (epoch 0) sends PEER_DOWN to the survivor when a child
// dies.
//
// Every command (control -> dataplane) but HELLO is answered by one ACK with its seq. Commands for
// one worker are applied in the order sent. Nothing waits in the dataplane; control owns time-outs.
#pragma once

#include <assert.h>
#include <stdint.h>

#include "api/dp_limits.h"
#include "api/dp_media.h"

#define DP_CONTRACT_VERSION 5u
#define DP_LINK_FD 3     // both children
#define DP_PROGRESS_FD 4 // both children; see dp_shm.h
#define DP_INTENT_FD 5   // control only
#define DP_LISTEN_FD 6   // control only: the first of its listening sockets, which outlive it

// A slot and the number of times it was reused: a late command for a departed session does nothing.
struct dp_handle {
	uint32_t index;
	uint32_t generation; // never 0 for a thing that exists
};

struct dp_msg_header {
	uint32_t epoch;  // of the sender; 0: the supervisor
	uint32_t seq;    // of a command, chosen by control, echoed in its ACK
	uint16_t type;   // enum dp_msg_type
	uint16_t size;   // of the whole record
	uint16_t worker; // whom a command is for, whom an event is from
	uint16_t reserved;
};

struct dp_hello {
	struct dp_msg_header header;
	uint32_t contract_version;
	uint32_t peer_epoch;   // the one this HELLO answers, or 0
	uint16_t worker_count; // dataplane's; 0 from control
	uint16_t first_port;   // UDP port of worker 0; worker n has first_port + n
	uint16_t sizes[24];    // of every record, by type; unused ones 0
	uint32_t reserved;
};

struct dp_peer_down {
	struct dp_msg_header header;
	uint32_t peer_epoch; // of the child that died
	uint32_t reserved;
};

// Open on every worker that has a part of one of its rooms: each has slots, and handles, of its
// own.
struct dp_guild_open {
	struct dp_msg_header header;
	struct dp_handle guild;
	uint64_t guild_id; // for people: status, traces
	uint64_t epoch;    // of the guild's ownership
};

struct dp_guild_close { // also closes its rooms and removes its sessions
	struct dp_msg_header header;
	struct dp_handle guild;
};

// A worker has as many room slots as session slots, DP_ROOMS_MAX at most. A voice channel whose
// members are on several workers is open on each of them, under the same channel_id, in a guild
// with the same guild_id: what is said in one part is heard in all.
struct dp_room_open {
	struct dp_msg_header header;
	struct dp_handle room;
	struct dp_handle guild;
	uint64_t channel_id; // not 0 where there are peers
	uint64_t peers;      // bit per worker that has another part; never the worker's own
};

// The parts are others now: in force with the next packet. A part that hears of a peer before the
// peer has opened sends what is dropped there; so a part opens before the others name it.
struct dp_room_set {
	struct dp_msg_header header;
	struct dp_handle room;
	uint64_t peers; // as in ROOM_OPEN
};

struct dp_room_close { // refused with -EBUSY while somebody is in it
	struct dp_msg_header header;
	struct dp_handle room;
};

// A member appears. Its worker answers IP discovery for 'ssrc' from the ACK on.
struct dp_session_add {
	struct dp_msg_header header;
	struct dp_handle session;
	struct dp_handle guild;
	struct dp_handle room; // generation 0: in none yet
	uint32_t ssrc;  // first of DP_SSRCS_PER_SESSION, a multiple of it; audio is the first
	uint32_t flags; // DP_SESSION_*
};

// Key of both directions. A new key_id starts a new nonce space: the pair (session generation,
// key_id) is never given again with another key, and never again with the same key once the key has
// ended. The same key_id with the same key (a replay of intent) continues.
struct dp_session_key {
	struct dp_msg_header header;
	struct dp_handle session;
	uint32_t key_id; // 1, 2, ... within a session
	uint32_t suite;  // enum dp_suite
	uint8_t key[DP_KEY_SIZE_MAX];
	uint8_t salt[DP_SALT_SIZE_MAX]; // SRTP's master salt; zeros for rtpsize
	uint8_t reserved[2];
};

// Where the client says that it is (op 1): a hint, used only when it equals the source of this
// session's IP discovery (architecture.md decision 9).
struct dp_session_hint {
	struct dp_msg_header header;
	struct dp_handle session;
	struct dp_addr address;
	uint32_t reserved;
};

// Mute, deafen, move: in force with the next packet.
struct dp_session_set {
	struct dp_msg_header header;
	struct dp_handle session;
	struct dp_handle room; // generation 0: in none
	uint32_t flags;        // DP_SESSION_*
	uint32_t reserved;
};

struct dp_session_remove {
	struct dp_msg_header header;
	struct dp_handle session;
};

// All that there is has been told since HELLO: who is not there now will not come again, and what
// the progress memfd kept for them may go.
struct dp_replayed {
	struct dp_msg_header header;
};

struct dp_ack {
	struct dp_msg_header header; // seq of the command
	int32_t error;               // 0, or -ESTALE, -EEXIST, -ENOSPC, -EINVAL, -EBUSY, -ENOENT
	uint32_t reserved;
};

// Dataplane, after start: what it runs on. Text is NUL-terminated.
struct dp_device {
	struct dp_msg_header header;
	char driver[24];         // "net_af_packet"
	char name[32];           // "eth0"
	char rung[96];           // why this device, what it costs
	char steering[16];       // "flow", "rss", "software"
	char crypto[64];         // "ipsec-mb 1.3.0 avx512+sealer"
	uint8_t drops_countable; // 0: the driver hides its drops
	uint8_t reserved;
	uint16_t queue_count; // that packets come by
	uint32_t reserved_word;
	// Packets a second that a worker can seal on the whole route, if it does nothing else; of
	// the first worker_count (HELLO) workers. Never 0 there.
	uint32_t capacity_pps[DP_WORKERS_MAX];
};

// X(enum suffix, number, struct)
#define DP_MSGS(X)                               \
	X(HELLO, 1, dp_hello)                    \
	X(PEER_DOWN, 2, dp_peer_down)            \
	X(GUILD_OPEN, 3, dp_guild_open)          \
	X(GUILD_CLOSE, 4, dp_guild_close)        \
	X(ROOM_OPEN, 5, dp_room_open)            \
	X(ROOM_CLOSE, 6, dp_room_close)          \
	X(SESSION_ADD, 7, dp_session_add)        \
	X(SESSION_KEY, 8, dp_session_key)        \
	X(SESSION_HINT, 9, dp_session_hint)      \
	X(SESSION_SET, 10, dp_session_set)       \
	X(SESSION_REMOVE, 11, dp_session_remove) \
	X(REPLAYED, 12, dp_replayed)             \
	X(ROOM_SET, 13, dp_room_set)             \
	X(ACK, 16, dp_ack)                       \
	X(DEVICE, 17, dp_device)

#define DP_MSG_ENUM(name, number, type) DP_MSG_##name = (number),
enum dp_msg_type {
	DP_MSG_NONE = 0,     // never sent, so that a zeroed record is refused
	DP_MSGS(DP_MSG_ENUM) //
	DP_MSG_TYPE_END = 24,
};

#define DP_MSG_MEMBER(name, number, type) struct type type;
union dp_msg {
	struct dp_msg_header header;
	DP_MSGS(DP_MSG_MEMBER) //
};

#define DP_MSG_SIZED(name, number, type)                                          \
	static_assert(sizeof(struct type) % 8 == 0 && (number) < DP_MSG_TYPE_END, \
		"records are whole words, so their padding is spelled out");
DP_MSGS(DP_MSG_SIZED) //
static_assert(sizeof(union dp_msg) <= 512, "a ring element");

// Size of the record of 'type', 0 if there is none.
uint16_t dp_msg_size(unsigned type);
// Fills version and sizes of 'hello'.
void dp_hello_fill(struct dp_hello *hello);
// 0, or -EPROTO when the peer was built against another contract.
int dp_hello_check(const struct dp_hello *hello) __attribute__((warn_unused_result));
