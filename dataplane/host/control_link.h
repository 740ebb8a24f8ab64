// SPDX-License-Identifier: BSD-3-Clause
//
// The main thread's work once everything runs: control's socket <-> the workers' rings. Checks each
// command (command_check.h), routes it by worker, brings the ACKs back. Never waits for a worker:
// when one has too many commands in flight, control's next record stays in the socket.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/dp_msg.h"
#include "host/command_check.h"
#include "host/link_state.h"
#include "worker/worker.h"

// Commands in a worker's ring and ACKs in its event ring: each fits, whatever the worker does.
#define CONTROL_LINK_IN_FLIGHT_MAX (WORKER_COMMAND_RING_SIZE - 1)
static_assert(CONTROL_LINK_IN_FLIGHT_MAX < WORKER_EVENT_RING_SIZE, "every ACK finds room");

#define CONTROL_LINK_OUT_MAX 64 // records that the socket did not take yet

struct control_link {
	// Set before the first turn.
	int fd;
	uint16_t first_port;
	struct command_limits limits;
	const struct worker_rings *rings;
	struct dp_device device; // as control shall hear it, header aside

	struct link_state state;
	uint32_t in_flight[DP_WORKERS_MAX]; // commands without an ACK
	uint32_t stale[DP_WORKERS_MAX]; // of them: by a control that is gone; theirs are dropped
	uint32_t in_flight_total;
	uint16_t full_count; // workers that can take no more
	uint16_t out_first, out_count;
	union dp_msg out[CONTROL_LINK_OUT_MAX]; // no keys go this way
	uint64_t refused;
};

// Queues the first HELLO. 'device' is copied.
void control_link_init(struct control_link *link, int fd, uint32_t epoch, uint16_t first_port,
	const struct command_limits *limits, const struct worker_rings *rings,
	const struct dp_device *device);

// One turn: takes ACKs of the workers, writes, reads. Does not block. 0; -EPROTO when control was
// built against another contract; -EPIPE when nobody is left at the other end.
int control_link_turn(struct control_link *link) __attribute__((warn_unused_result));

// What poll() shall wait for before the next turn: events for the descriptor, and microseconds
// (-1: however long).
short control_link_poll_events(const struct control_link *link);
int control_link_poll_us(const struct control_link *link);
