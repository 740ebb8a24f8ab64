// SPDX-License-Identifier: BSD-3-Clause
//
// A node without a device, for stage tests: real workers on real mbufs (EAL without huge pages,
// once per binary), whose packets come by the hand-over ring and leave by the relay ring, where the
// test takes them. And members of it: clients that seal and open with a cipher engine of their own.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/dp_msg.h"
#include "api/dp_shm.h"
#include "support/packet.h"
#include "worker/worker.h"

#define NODE_WORKERS_MAX 4
#define NODE_POOL_SIZE 2047
#define NODE_FIRST_PORT 50000

// A device that the test made, started, with one rx and one tx queue for each of the first
// 'queue_count' workers; the others have none, and send through worker 0.
struct node_queues {
	uint16_t port_id;
	uint32_t queue_count; // 0: no device, packets come and go by the rings
	// What is on the wire to and from each queue (support/ring_port.h); NULL: the test's own.
	struct rte_ring *rx[NODE_WORKERS_MAX], *tx[NODE_WORKERS_MAX];
	struct rte_mempool *setup_pool;
};

struct node {
	uint32_t worker_count;
	struct node_queues queues;
	uint32_t remote_count;
	struct dp_shm *shm;
	bool owns_shm;
	struct worker *workers[NODE_WORKERS_MAX];
	struct worker_rings rings[NODE_WORKERS_MAX + 1]; // the last one's tx ring is the wire
	struct udp_frame_host host;
	struct rte_mempool *pool;
	struct crypto_engine *crypto; // the clients'
	uint32_t next_seq;            // of commands
	uint64_t taken;               // frames that the test took from the wire
	uint64_t now_tsc;             // the workers' clock; 0: the machine's
	bool unlimited;               // streams may come as fast as the test makes them
	bool stop;
};

// One datagram that the node sent.
struct node_datagram {
	uint8_t frame[PACKET_FRAME_SIZE_MAX];
	uint32_t frame_size;
	struct dp_addr source, target;
	uint8_t target_mac[6];
	const uint8_t *payload; // inside frame
	uint32_t payload_size;
};

// Sizes of the tables, small so that tests reach them.
struct node_geometry {
	uint32_t worker_count, guild_count, session_count, leg_count;
	uint32_t wire_count;   // frames that the wire holds, a power of two; 0: plenty
	uint32_t pool_count;   // mbufs, NODE_POOL_SIZE at most; 0: so many
	uint32_t ring_count;   // packets that a hand-over ring holds, a power of two; 0:
			       // DP_HANDOFF_MAX
	uint32_t cross_count;  // packets that a ring to a worker with listeners holds; 0:
			       // DP_CROSS_MAX
	uint32_t remote_count; // speakers of other workers; 0: DP_REMOTE_STREAMS_MAX, where there
			       // are any
	struct node_queues queues;
	struct dp_shm *shm; // the caller's, of this geometry; NULL: one of its own
};

// Starts EAL, the first time. Dies on failure, as all of this: nothing can be tested then.
void node_start_eal(void);
// Addresses and cipher engine: what clients, and readers of frames, need of a node.
void node_prepare(struct node *n, const struct node_geometry *geometry);
// And the rest of it: pool, rings, workers.
void node_start(struct node *n, const struct node_geometry *geometry);
// All of these.
void node_init(struct node *n, const struct node_geometry *geometry);
// Asserts that every ledger balances and every mbuf came home, then frees all.
void node_fini(struct node *n);
// The dataplane dies and another starts on the same progress memfd; nothing of it is left but that.
void node_restart(struct node *n);
// Fails the test when a ledger does not balance. Called by node_fini(), too.
void node_check_ledger(const struct node *n);

// Streams may come as fast as the test makes them, also after a restart.
void node_unlimit(struct node *n);
// Turns every worker until none has anything to do.
void node_turn(struct node *n);
// Puts a frame before a worker, as a device would: into its queue where it has one, else into that
// of worker 0. False: no mbuf, or the ring is full.
bool node_inject(struct node *n, uint32_t worker, const uint8_t *frame, uint32_t frame_size);
// The oldest datagram on the wire, checked: MACs, IP and UDP lengths and checksums. False: none.
bool node_take(struct node *n, struct node_datagram *out);
// Reads a frame that the node sent, as node_take() does: 'frame' and 'frame_size' are set.
void node_read(const struct node *n, struct node_datagram *d);
// Frees what is on the wire, returns how many there were.
unsigned node_drain(struct node *n);
uint64_t node_verdict(const struct node *n, enum dp_verdict verdict); // over all workers
uint64_t node_counter(const struct node *n, enum dp_counter counter);

// Sends a command, turns, returns its ACK's error. Type and size come from 'type'.
int node_command(struct node *n, uint32_t worker, unsigned type, union dp_msg *cmd);
int node_guild(struct node *n, uint32_t worker, struct dp_handle guild);
int node_room(struct node *n, uint32_t worker, struct dp_handle guild, struct dp_handle room);
// The same with a channel and the workers that have its other parts.
int node_room_part(struct node *n, uint32_t worker, struct dp_handle guild, struct dp_handle room,
	uint64_t channel_id, uint64_t peers);
int node_room_set(struct node *n, uint32_t worker, struct dp_handle room, uint64_t peers);

// A native client and its session. One with a suite of SRTP cannot speak and hear by itself:
// support/peer.h.
struct client {
	struct node *node;
	uint32_t worker;
	struct dp_handle session, guild, room;
	uint32_t ssrc;
	uint32_t flags; // DP_SESSION_*, as last set
	enum dp_suite suite;
	uint8_t key[DP_KEY_SIZE_MAX];
	uint8_t salt[DP_SALT_SIZE_MAX]; // SRTP's
	uint32_t key_id;
	struct suite_key *expanded;
	struct dp_addr address, server;
	uint8_t mac[6];
	uint16_t seq; // of the next packet
	uint32_t timestamp;
	uint32_t suffix;      // counter, big-endian on the wire
	bool is_little;       // or little-endian, as koe's
	uint32_t last_number; // server's nonce number + 1 that came last; 0: none
	bool ext;             // sends a header extension
};

// One RTP packet as a client opened it.
struct client_packet {
	uint32_t ssrc;
	uint16_t seq;
	uint32_t timestamp;
	uint8_t clear[DP_PAYLOAD_SIZE_MAX]; // extension body and payload
	uint32_t clear_size;
	uint8_t payload_type;
	bool marker, has_ext;
};

// Session, key and addresses of a new member in 'slot'; sends nothing to the node yet.
void client_init(struct client *c, struct node *n, uint32_t worker, uint32_t slot,
	struct dp_handle guild, struct dp_handle room, enum dp_suite suite);
void client_expand(struct client *c); // after a change of its key
void client_fini(struct client *c);
int client_add(struct client *c);                                        // SESSION_ADD
int client_key(struct client *c);                                        // SESSION_KEY
int client_set(struct client *c, struct dp_handle room, uint32_t flags); // SESSION_SET
int client_hint(struct client *c); // SESSION_HINT with its own address
// All of a join: add, key, discovery (answered, and the answer checked), hint.
void client_join(struct client *c);
// IP discovery. True: answered with our own address.
bool client_discover(struct client *c);
// Seals and injects one RTP packet with the next sequence number. Returns that number.
uint16_t client_say(struct client *c, const void *payload, uint32_t size);
// The same bytes that client_say() would inject, into 'pkt'; returns their size. Advances nothing.
uint32_t client_seal(
	struct client *c, uint16_t seq, const void *payload, uint32_t size, uint8_t *pkt);
// Injects 'pkt' as a datagram from the client's address.
void client_send_raw(struct client *c, const uint8_t *pkt, uint32_t size);
// Opens a datagram that the node sent to this client. False: not sealed with its key, or not RTP.
// Asserts that nonces of the server's space come in rising order, none twice.
bool client_open(struct client *c, const struct node_datagram *d, struct client_packet *out);
// True if 'd' went to this client's address.
bool client_is_target(const struct client *c, const struct node_datagram *d);
