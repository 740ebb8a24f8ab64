// SPDX-License-Identifier: BSD-3-Clause
//
// The progress memfd (fd 4): what the packet engine has done, in a home that survives it. The
// dataplane sizes and writes it, each part by one worker only; control reads it (counters,
// heartbeat, nonce levels) without disturbing anybody. A successor of a dead dataplane goes on from
// here.
//
// Layout: struct dp_shm, then per worker one stride: struct dp_worker_shm, its guild slots, session
// slots and leg slots, each array at a cache line. Offsets are computed, never stored pointers.
//
// Readers use relaxed atomic loads of single words; what must be read together says how.
#pragma once

#include <assert.h>
#include <stdint.h>

#include "api/dp_counter.h"
#include "api/dp_limits.h"
#include "api/dp_media.h"
#include "api/dp_verdict.h"

#define DP_SHM_MAGIC 0x764e4f4445503031ull // "vNODEP01"
#define DP_SHM_VERSION 6u
#define DP_LATENCY_BUCKETS 24 // bucket n: below 2^n microseconds, from rx burst to tx burst

struct dp_shm {
	uint64_t magic; // written last: a reader that sees it sees the rest
	uint32_t version;
	uint32_t worker_count;
	uint32_t guild_count;   // slots per worker
	uint32_t session_count; // slots per worker
	uint32_t leg_count;     // slots per worker
	uint32_t epoch;         // of the dataplane that runs, or ran last
	uint64_t tsc_hz;
	uint64_t size; // bytes of the whole file
	// Lengths of the arrays in struct dp_worker_shm, which grow from build to build.
	uint32_t counter_count, verdict_count;
	uint8_t reserved[8];
};
static_assert(sizeof(struct dp_shm) == DP_CACHE_LINE, "header is one line");

// What a build of this source writes into the header, and demands of it.
#define DP_SHM_LAYOUT                                                           \
	.version = DP_SHM_VERSION, .counter_count = (uint32_t)DP_COUNTER_COUNT, \
	.verdict_count = (uint32_t)DP_VERDICT_COUNT

static inline int dp_shm_is_layout(const struct dp_shm *shm)
{
	return shm->version == DP_SHM_VERSION && shm->counter_count == DP_COUNTER_COUNT &&
	       shm->verdict_count == DP_VERDICT_COUNT;
}

struct dp_worker_shm {
	// Turns of the loop. It must move at least once a second; a reader that sees it stand still
	// knows that this worker's packets do, too.
	_Alignas(DP_CACHE_LINE) uint64_t heartbeat;
	uint64_t start_tsc;
	uint32_t guilds, sessions; // held now
	uint32_t legs;
	// Packets a second that this worker's core can seal on the whole route: configured, or
	// measured by the first dataplane; 0: not yet.
	uint32_t capacity_pps;
	// Most packets that ever waited in the rings of other workers' packets (of DP_HANDOFF_MAX).
	uint32_t rx_handoff_peak; // received by other workers
	uint32_t tx_handoff_peak; // finished, of workers without a tx queue
	uint64_t counters[DP_COUNTER_COUNT];
	uint64_t verdicts[DP_VERDICT_COUNT];
	uint64_t latency[DP_LATENCY_BUCKETS]; // bursts
};

struct dp_guild_shm {
	uint64_t guild_id; // 0: slot is free
	uint32_t generation;
	uint32_t members;
	uint64_t packets_in;  // authenticated media of its members
	uint64_t packets_out; // copies sealed for them
};

// The nonce suffixes that the session's own packets bring (session/suffix.h).
struct dp_suffix_shm {
	uint32_t newest; // of the newest packet: as a counter, or big-endian while 'order' is
			 // unknown
	uint8_t order;   // enum suffix_order; written after 'newest'
	uint8_t step;    // how it went up last, while 'order' is unknown
	uint8_t steps;   // so often in a row
	uint8_t reserved;
};

// What a session must not lose in a crash. Valid for the session while 'generation' is its own.
struct dp_session_shm {
	uint32_t generation;
	uint32_t key_id;
	uint32_t nonce_floor;   // first nonce that no lease has reserved, 0..DP_NONCES_MAX
	uint32_t address_state; // enum dp_address_state; written after 'address'
	struct dp_addr address;
	uint8_t next_hop[6]; // MAC that the last packet came from
	uint8_t local_index; // of the node's addresses: the one that it talks to
	uint8_t reserved;
	uint32_t index_max;  // highest RTP index accepted from it (32 bit: roll-over counter, seq);
			     // a successor accepts only newer ones. 0: none yet
	uint64_t report_ntp; // of the newest sender report that went on
	struct dp_suffix_shm suffix;
};
static_assert(sizeof(struct dp_session_shm) == DP_CACHE_LINE, "one line a session");

enum dp_address_state {
	DP_ADDRESS_NONE = 0,
	DP_ADDRESS_DISCOVERED = 1,    // answered an IP discovery from there; nothing else is sent
	DP_ADDRESS_HINTED = 2,        // and op 1 named the same address: media goes there
	DP_ADDRESS_AUTHENTICATED = 3, // a packet under the session's key came from there
};

struct dp_leg_link {
	uint32_t next, prev;
};

// One stream to one receiver. Only the owning worker touches it. Index 0 of the pool is never used,
// so that a zeroed list of legs holds none. Links are rebuilt by a successor.
struct dp_leg_shm {
	uint32_t receiver;              // session slot of this worker, with
	uint32_t receiver_generation;   // 0: slot is free
	uint32_t ssrc;                  // as the receiver knows the stream
	uint32_t offset;                // outgoing index = incoming index - offset
	uint32_t next_index;            // outgoing: highest sent + 1
	uint32_t floor_index;           // incoming: older ones are from before the last cut
	uint32_t continuity;            // cuts of stream and receiver that 'offset' accounts for
	uint32_t hash_next;             // chain of the worker's table
	struct dp_leg_link of_receiver; // all legs to the receiver
	struct dp_leg_link of_stream;   // all legs of the stream, with 'published'
	uint32_t sender;                // session slot that publishes the stream, with 'published'
	uint32_t published;
	uint32_t remote; // the stream comes from another worker
	uint32_t reserved;
};
static_assert(sizeof(struct dp_leg_shm) == DP_CACHE_LINE, "one line a leg");

static inline uint64_t dp_shm_align(uint64_t size)
{
	return (size + DP_CACHE_LINE - 1) / DP_CACHE_LINE * DP_CACHE_LINE;
}

static inline uint64_t dp_shm_guilds_offset(void)
{
	return dp_shm_align(sizeof(struct dp_worker_shm));
}

static inline uint64_t dp_shm_sessions_offset(const struct dp_shm *shm)
{
	return dp_shm_guilds_offset() +
	       dp_shm_align(shm->guild_count * sizeof(struct dp_guild_shm));
}

static inline uint64_t dp_shm_legs_offset(const struct dp_shm *shm)
{
	return dp_shm_sessions_offset(shm) + shm->session_count * sizeof(struct dp_session_shm);
}

static inline uint64_t dp_shm_stride(const struct dp_shm *shm)
{
	return dp_shm_legs_offset(shm) + shm->leg_count * sizeof(struct dp_leg_shm);
}

static inline uint64_t dp_shm_size(const struct dp_shm *shm)
{
	return sizeof(*shm) + shm->worker_count * dp_shm_stride(shm);
}

static inline struct dp_worker_shm *dp_shm_worker(struct dp_shm *shm, uint32_t worker)
{
	return (struct dp_worker_shm *)(void *)((uint8_t *)shm + sizeof(*shm) +
						worker * dp_shm_stride(shm));
}

static inline struct dp_guild_shm *dp_shm_guilds(struct dp_shm *shm, uint32_t worker)
{
	return (struct dp_guild_shm *)(void *)((uint8_t *)dp_shm_worker(shm, worker) +
					       dp_shm_guilds_offset());
}

static inline struct dp_session_shm *dp_shm_sessions(struct dp_shm *shm, uint32_t worker)
{
	return (struct dp_session_shm *)(void *)((uint8_t *)dp_shm_worker(shm, worker) +
						 dp_shm_sessions_offset(shm));
}

static inline struct dp_leg_shm *dp_shm_legs(struct dp_shm *shm, uint32_t worker)
{
	return (struct dp_leg_shm *)(void *)((uint8_t *)dp_shm_worker(shm, worker) +
					     dp_shm_legs_offset(shm));
}
