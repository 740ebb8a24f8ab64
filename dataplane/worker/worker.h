// SPDX-License-Identifier: BSD-3-Clause
//
// Everything one pinned core owns. No other thread reads or writes it, except through its rings and
// the progress memfd. Passed as the first argument to every stage: no globals, no thread-locals.
#pragma once

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "api/dp_msg.h"
#include "api/dp_shm.h"
#include "proto/udp_frame.h"
#include "session/stream.h"
#include "worker/burst.h"

struct crypto_engine;
struct guild;
struct leg_pool;
struct receiver;
struct room;
struct rte_mempool;
struct rte_ring;
struct session;
struct shadow_pool;
struct slot_pool;
struct u32_extents;

enum worker_idle {
	WORKER_IDLE_POLL,     // burns the core for the lowest latency
	WORKER_IDLE_ADAPTIVE, // sleeps up to sleep_us_max once nothing comes
};

#define WORKER_NO_QUEUE UINT16_MAX

// Rings of one worker that other threads put things into.
struct worker_rings {
	struct rte_ring *command; // union dp_msg; main -> worker, one producer, one consumer
	struct rte_ring *event;   // struct dp_ack; worker -> main, one producer, one consumer
	struct rte_ring *rx;      // mbufs that reached another worker: many producers, one consumer
	struct rte_ring *tx;      // finished frames of workers that have no tx queue of their own
	struct rte_ring *cross;   // worker/crossing.h: many producers, one consumer
};

#define WORKER_COMMAND_RING_SIZE 1024 // records; a power of two
#define WORKER_EVENT_RING_SIZE 2048   // so that an ACK for each command in flight always fits

struct worker_params {
	uint16_t index; // 0..worker_count-1
	uint16_t worker_count;
	uint16_t port_id;  // DPDK's
	uint16_t rx_queue; // or WORKER_NO_QUEUE: everything comes by handoff
	uint16_t tx_queue; // or WORKER_NO_QUEUE: frames leave through worker 'tx_owner'
	uint16_t tx_owner;
	int numa_socket;
	enum crypto_engine_kind crypto; // AUTO where nothing was chosen
	enum worker_idle idle;
	uint32_t sleep_us_max;
	bool answers_neighbors;            // no kernel shares the device: ARP, ND, echo are ours
	const struct udp_frame_host *host; // outlives the worker
	struct rte_mempool *pool;          // rx and tx
	uint32_t remote_count;             // speakers of other workers: DP_REMOTE_STREAMS_MAX; 0
					   // where there are none
	struct dp_shm *shm;                // outlives the worker; its counts size the tables
	const struct worker_rings *rings;  // worker_count of them, by worker; outlive the workers
	const bool *stop;                  // set by the main thread (atomic), ends worker_loop()
};

// Answers that a source of IP discovery has left, see stage/discovery.c.
struct discovery_bucket {
	uint64_t tsc; // when tokens were added last; 0: never used, full
	uint32_t tokens;
	uint32_t reserved;
};

struct worker {
	// Set before the thread starts, read-only afterwards.
	alignas(DP_CACHE_LINE) struct worker_params params;
	struct dp_worker_shm *shm; // written here, read by anyone
	struct dp_guild_shm *guild_shm;
	struct dp_session_shm *session_shm;
	struct dp_leg_shm *leg_shm;
	struct crypto_engine *crypto;
	uint32_t session_count, guild_count, room_count, leg_count; // slots
	uint64_t tsc_hz;
	struct stream_rate rates[STREAM_KIND_COUNT];

	// This core only.
	alignas(DP_CACHE_LINE) uint64_t now_tsc; // read once per turn
	uint64_t turn;
	struct session *sessions;   // by slot; behind session_count the shadows
	struct receiver *receivers; // by session slot
	struct guild *guilds;
	struct room *rooms;
	struct leg_pool *legs;
	struct u32_extents *extents;        // member and leg lists of rooms and streams
	struct ssrc_table *ssrcs;           // first SSRC of a session -> slot
	struct flow_table *flows;           // proven address -> session slot
	struct discovery_bucket *discovery; // discovery_mask + 1, a power of two
	uint32_t discovery_mask;
	uint64_t seed; // of hashes over what strangers choose
	unsigned idle_turns;
	union dp_msg unfinished; // a command that goes on next turn; type 0: none
	uint32_t leg_swept;      // where leg_forget_orphans() goes on

	// Rooms that have parts on other workers.
	uint32_t spread_count;
	uint32_t spread_mask;
	uint32_t *spread_rooms;          // room_find(): heads of chains through room.spread_next
	struct shadow_pool *shadows;     // speakers of other workers
	struct ssrc_table *remote_ssrcs; // first SSRC of theirs -> slot of the shadow

	alignas(DP_CACHE_LINE) struct burst burst;
	struct wave wave[2]; // while one is sealed, the next one's receivers are fetched
};

// Start-up only. Allocates all memory of the worker on its NUMA socket and takes over what the
// progress memfd holds. NULL: out of memory; the reason has been logged.
struct worker *worker_create(const struct worker_params *params);
// The worker's thread has ended. Every mbuf has been given back. NULL allowed.
void worker_destroy(struct worker *w);

static inline void worker_count_add(struct worker *w, enum dp_counter counter, uint64_t n)
{
	uint64_t *at = &w->shm->counters[counter];

	__atomic_store_n(at, *at + n, __ATOMIC_RELAXED);
}

static inline void worker_verdict_add(struct worker *w, enum dp_verdict verdict, uint64_t n)
{
	uint64_t *at = &w->shm->verdicts[verdict];

	__atomic_store_n(at, *at + n, __ATOMIC_RELAXED);
}
