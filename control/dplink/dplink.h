// SPDX-License-Identifier: BSD-3-Clause
//
// The link to the packet engine over fd 3: sends commands in order, matches each with its ACK, and
// says when the engine comes and goes. It knows no guild and no session; dplink/resync.c does.
//
// Commands that wait for the socket or for their ACK are bounded; copies of keys are wiped as soon
// as they were sent. When the engine dies, everything unanswered is forgotten without a callback:
// the next LINK_UP starts from intent.
//
// Threads: the loop's only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/dp_msg.h"

#define DPLINK_QUEUE_MAX 262144u  // commands: every session of a full worker, with key
#define DPLINK_IN_FLIGHT_MAX 256u // sent and not answered; the engine's ring holds more
#define DPLINK_TIMEOUT_MS 2000u   // for an ACK, from sending

struct dplink;
struct loop;

// What an ACK is about; the sender's own words, handed back.
struct dplink_tag {
	uint32_t kind;
	uint32_t revision;
	struct dp_handle handle;
	uint16_t worker;
};

struct dplink_handler {
	// The engine is there (or there anew): send everything. 'first_port' is worker 0's.
	void (*up)(void *ctx, uint32_t epoch, uint16_t worker_count, uint16_t first_port);
	void (*down)(void *ctx);
	// 'error' 0 or -errno of the engine; -ETIMEDOUT: no answer in time.
	void (*acked)(void *ctx, const struct dplink_tag *tag, int error);
	// The two programs were built against different contracts.
	void (*refused)(void *ctx);
	void *ctx;
};

// 'fd' is a SOCK_SEQPACKET and stays the caller's. 0, -ENOMEM or -errno.
int dplink_create(struct loop *loop, int fd, uint32_t own_epoch,
	const struct dplink_handler *handler, struct dplink **out)
	__attribute__((warn_unused_result));
// NULL allowed. Wipes what waits.
void dplink_destroy(struct dplink *link);
// Says HELLO. Call once, when the handler is ready for 'up'.
void dplink_start(struct dplink *link);

bool dplink_is_up(const struct dplink *link);
uint32_t dplink_peer_epoch(const struct dplink *link); // 0: none yet
uint16_t dplink_first_port(const struct dplink *link);
// What the engine runs on; driver[0] == 0: not told yet.
const struct dp_device *dplink_device(const struct dplink *link);

// Queues a command; header's type, size and worker are filled from 'type' and 'tag'. The copy is
// ours: wipe yours if it holds a key. 0, -ENOTCONN (down), -ENOBUFS.
int dplink_send(struct dplink *link, enum dp_msg_type type, union dp_msg *msg,
	const struct dplink_tag *tag) __attribute__((warn_unused_result));

struct dplink_stats {
	uint64_t sent, acked, refused, timed_out, discarded;
	uint32_t queued, in_flight;
};
void dplink_stats(const struct dplink *link, struct dplink_stats *stats);
