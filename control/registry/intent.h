// SPDX-License-Identifier: BSD-3-Clause
//
// The intent memfd (fd 5, architecture.md decision 7): what control wants of the packet engine and
// owes its clients, in a home that survives it. Written before anything is acted on, so that a
// control process that is killed anywhere leaves what its successor needs: it forwards on, and
// clients resume.
//
// Layout: struct intent_header, the pending tokens, then per worker its guild, room and session
// slots; each array at a page, so that slots never used cost no memory. A slot's index and
// generation are its handle at the packet engine. 'state' is written last when a slot is taken; a
// removal stays GONE until the packet engine acknowledged it.
//
// It holds keys: never dumped, not swapped where that is allowed, not readable by others. Threads:
// the loop's only.
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/dp_msg.h"
#include "registry/resume.h"
#include "registry/ssrc_alloc.h"

#define INTENT_MAGIC 0x764e4f4445494e54ull // "vNODEINT"
#define INTENT_VERSION 3u
#define INTENT_SESSION_ID_SIZE 65u // bytes, with NUL
#define INTENT_DIGEST_SIZE 32u     // SHA-256
#define INTENT_PENDING_MAX 16384u  // tokens not yet used: a minute of 270 joins a second
#define INTENT_VIDEO_SIZE 1200u    // bytes of the last op 12, without its number

struct intent_params {
	uint32_t worker_count, guild_count, room_count, session_count; // slots per worker
};

struct intent_header {
	uint64_t magic; // written last
	uint32_t version;
	uint32_t pending_count;
	struct intent_params params;
	struct ssrc_order ssrc_order; // which SSRCs come next
	// Slots that were ever used, per worker: nothing beyond them need be read.
	uint32_t guilds_used[DP_WORKERS_MAX], rooms_used[DP_WORKERS_MAX],
		sessions_used[DP_WORKERS_MAX];
};

enum intent_state {
	INTENT_FREE = 0,
	INTENT_LIVE = 1,
	INTENT_GONE = 2, // its removal is not acknowledged yet
};

// A guild on one worker: on its home worker as long as this node has it, on another one while a
// voice channel has a part there.
struct intent_guild {
	uint32_t state;      // enum intent_state
	uint32_t generation; // of the last use; grows
	uint64_t guild_id, epoch;
	uint32_t is_home;
	uint32_t reserved;
};

// A voice channel's part on one worker.
struct intent_room {
	uint32_t state;
	uint32_t generation;
	uint32_t guild_index; // of the guild's slot on the same worker
	uint32_t reserved;
	uint64_t channel_id;
};

// A voice state with a token that no client has used yet.
struct intent_pending {
	uint32_t state;
	uint32_t flags; // DP_SESSION_*
	uint64_t guild_id, user_id, channel_id;
	uint64_t expires_ms; // monotonic clock
	uint32_t worker;     // whose session it becomes
	char session_id[INTENT_SESSION_ID_SIZE];
	uint8_t token_digest[INTENT_DIGEST_SIZE];
	uint8_t reserved[3];
};

enum intent_phase {
	INTENT_PHASE_ADDING = 0, // its client has not seen Ready: dies with its socket
	INTENT_PHASE_READY = 1,
	INTENT_PHASE_ACTIVE = 2, // op 4 is owed or was sent
};

struct intent_session {
	uint32_t state;
	uint32_t generation;
	uint32_t guild_index; // slots of the same worker
	uint32_t room_index;  // UINT32_MAX: in none
	uint64_t guild_id, user_id, channel_id;
	uint32_t flags;        // DP_SESSION_*
	uint32_t ssrc;         // first of DP_SSRCS_PER_SESSION
	uint32_t phase;        // enum intent_phase
	uint32_t version;      // of the signaling protocol
	uint32_t speaking;     // bits of the last op 5
	uint32_t is_announced; // it sent an op 5: others know its SSRC
	uint32_t key_id;       // 0: no key yet
	uint32_t key_id_last;  // highest ever given: raised before a key is written
	uint32_t suite;        // enum dp_suite
	uint8_t key[DP_KEY_SIZE_MAX];
	struct dp_addr hint;
	uint32_t video_size; // bytes of 'video'; 0: no camera
	uint8_t token_digest[INTENT_DIGEST_SIZE];
	char session_id[INTENT_SESSION_ID_SIZE];
	char media_session_id[33];
	uint8_t reserved[2];
	char video[INTENT_VIDEO_SIZE]; // as other members get it
	struct resume_ring ring;
};
static_assert(sizeof(struct intent_session) % 8 == 0, "slots stay aligned");

struct intent; // a mapped memfd

// Maps 'fd'. An empty file gets the shape of 'params' ('*is_fresh'); one that holds intent keeps
// its own, which intent_header() tells: the packet engine's sessions are named by its slots,
// whatever limits the configuration has by now. 0, -ENOMEM, -errno, or -EUCLEAN: another release's,
// or damaged; nothing was changed.
int intent_open(int fd, const struct intent_params *params, struct intent **out, bool *is_fresh)
	__attribute__((warn_unused_result));
// NULL allowed. Unmaps; the content stays in the memfd.
void intent_close(struct intent *intent);

struct intent_header *intent_header(struct intent *intent);
// 'worker' and 'index' are below the header's counts.
struct intent_guild *intent_guild(struct intent *intent, uint32_t worker, uint32_t index);
struct intent_room *intent_room(struct intent *intent, uint32_t worker, uint32_t index);
struct intent_session *intent_session(struct intent *intent, uint32_t worker, uint32_t index);
struct intent_pending *intent_pending(struct intent *intent, uint32_t index);

// The last write to a slot, after which a successor believes it; and the first when it ends.
static inline void intent_set_state(uint32_t *state, enum intent_state value)
{
	__atomic_store_n(state, (uint32_t)value, __ATOMIC_SEQ_CST);
}
