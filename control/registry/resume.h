// SPDX-License-Identifier: BSD-3-Clause
//
// The numbered messages of one session that its client has not acknowledged (protocol.md 3.4), in a
// ring that lives in the intent memfd: a control process that was killed between any two
// instructions leaves a ring that its successor can read. Numbers are 16 bit, begin at 1 and skip
// 0, which stock clients take for "none".
//
// It is protocol, but it is here and not in signaling/ because it is part of an intent slot.
// Bounded in messages and bytes: the oldest leave, and a client that needs one of them starts over.
// Threads: the loop's only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RESUME_BYTES_SIZE 16128u    // with the rest of the ring 16 KiB less a little: see intent.h
#define RESUME_MESSAGES_MAX 256u    // a full minute of a lively room
#define RESUME_SEQ_NONE 0xffffffffu // a client's seq_ack of -1, or none: nothing was received

struct resume_state {
	uint32_t head, used;  // bytes: the oldest record, and all of them
	uint32_t count;       // records
	uint16_t next_seq;    // of the next message
	uint16_t trimmed_seq; // newest one that is no longer here; 0: all still are
};

struct resume_ring {
	struct resume_state state[2]; // written in turn, so that one is always whole
	uint32_t current;
	uint32_t reserved;
	uint8_t bytes[RESUME_BYTES_SIZE]; // records: seq, size, text
};

struct resume_cursor {
	uint32_t offset; // from head
	uint32_t left;   // records
};

void resume_init(struct resume_ring *ring);
// Is it a ring that resume_init() and the functions below could have left?
bool resume_is_sound(const struct resume_ring *ring);

uint16_t resume_next_seq(const struct resume_ring *ring);
// Keeps 'text', which carries resume_next_seq(), and moves on to the next number. Call before
// sending.
void resume_push(struct resume_ring *ring, const char *text, size_t size);
// The client has everything up to 'seq_ack'. A number that is not in the ring changes nothing.
void resume_ack(struct resume_ring *ring, uint32_t seq_ack);

// Positions 'cursor' behind 'seq_ack' (RESUME_SEQ_NONE: at the first message ever). 0, or -ENOENT:
// what is missing is no longer here.
int resume_begin(const struct resume_ring *ring, uint32_t seq_ack, struct resume_cursor *cursor)
	__attribute__((warn_unused_result));
// The next message, at most 'out_size' bytes of it, with its size. False: that was all.
bool resume_next(const struct resume_ring *ring, struct resume_cursor *cursor, char *out,
	size_t out_size, size_t *size);
