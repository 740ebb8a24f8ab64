// SPDX-License-Identifier: BSD-3-Clause
//
// A byte ring of {seq, size, text} records. A change fills the spare state and then turns 'current'
// with release order; only the compiler could reorder the two, since a killed process has no peer
// that looks at the same time.

#include "registry/resume.h"

#include <errno.h>
#include <string.h>

struct record {
	uint16_t seq;
	uint16_t size;
};

static const struct resume_state *current(const struct resume_ring *ring)
{
	return &ring->state[ring->current & 1];
}

static void publish(struct resume_ring *ring, const struct resume_state *state)
{
	uint32_t spare = (ring->current & 1) ^ 1;

	ring->state[spare] = *state;
	__atomic_store_n(&ring->current, spare, __ATOMIC_RELEASE);
}

static void copy_in(struct resume_ring *ring, uint32_t at, const void *from, uint32_t size)
{
	uint32_t first = RESUME_BYTES_SIZE - at;

	if (first > size)
		first = size;
	memcpy(ring->bytes + at, from, first);
	memcpy(ring->bytes, (const uint8_t *)from + first, size - first);
}

static void copy_out(const struct resume_ring *ring, uint32_t at, void *to, uint32_t size)
{
	uint32_t first = RESUME_BYTES_SIZE - at;

	if (first > size)
		first = size;
	memcpy(to, ring->bytes + at, first);
	memcpy((uint8_t *)to + first, ring->bytes, size - first);
}

static uint32_t advance(uint32_t at, uint32_t size)
{
	return (at + size) % RESUME_BYTES_SIZE;
}

static struct record record_at(const struct resume_ring *ring, uint32_t at)
{
	struct record record;

	copy_out(ring, at, &record, sizeof(record));
	return record;
}

static void drop_oldest(const struct resume_ring *ring, struct resume_state *state)
{
	struct record record = record_at(ring, state->head);
	uint32_t size = (uint32_t)sizeof(record) + record.size;

	state->head = advance(state->head, size);
	state->used -= size;
	state->count--;
	state->trimmed_seq = record.seq;
}

void resume_init(struct resume_ring *ring)
{
	ring->state[0] = (struct resume_state){.next_seq = 1};
	ring->state[1] = ring->state[0];
	ring->current = 0;
}

bool resume_is_sound(const struct resume_ring *ring)
{
	const struct resume_state *state = current(ring);
	uint32_t used = 0;

	if (ring->current > 1 || state->head >= RESUME_BYTES_SIZE ||
		state->used > RESUME_BYTES_SIZE || state->count > RESUME_MESSAGES_MAX ||
		state->next_seq == 0)
		return false;
	for (uint32_t index = 0; index < state->count; index++) {
		if (state->used - used < sizeof(struct record))
			return false;
		used += (uint32_t)sizeof(struct record) +
			record_at(ring, advance(state->head, used)).size;
		if (used > state->used)
			return false;
	}
	return used == state->used;
}

uint16_t resume_next_seq(const struct resume_ring *ring)
{
	return current(ring)->next_seq;
}

void resume_push(struct resume_ring *ring, const char *text, size_t size)
{
	struct resume_state state = *current(ring);
	struct record record = {.seq = state.next_seq, .size = (uint16_t)size};
	uint32_t need = (uint32_t)(sizeof(record) + size);

	state.next_seq = state.next_seq == UINT16_MAX ? 1 : (uint16_t)(state.next_seq + 1);
	if (size > RESUME_BYTES_SIZE - sizeof(record)) {
		// Kept by nobody: whoever has not read it starts over.
		state.head = state.used = state.count = 0;
		state.trimmed_seq = record.seq;
		publish(ring, &state);
		return;
	}
	while (state.count == RESUME_MESSAGES_MAX || RESUME_BYTES_SIZE - state.used < need)
		drop_oldest(ring, &state);
	// What makes room is out of the published state before its bytes are overwritten.
	{
		struct resume_state shorter = state;

		shorter.next_seq = record.seq;
		publish(ring, &shorter);
	}
	copy_in(ring, advance(state.head, state.used), &record, sizeof(record));
	copy_in(ring, advance(state.head, state.used + (uint32_t)sizeof(record)), text,
		(uint32_t)size);
	state.used += need;
	state.count++;
	publish(ring, &state);
}

// How many of the oldest records are up to and with 'seq'; 0: it is not here.
static uint32_t records_through(const struct resume_ring *ring, uint32_t seq)
{
	const struct resume_state *state = current(ring);
	uint32_t at = state->head;

	for (uint32_t index = 0; index < state->count; index++) {
		struct record record = record_at(ring, at);

		if (record.seq == seq)
			return index + 1;
		at = advance(at, (uint32_t)sizeof(record) + record.size);
	}
	return 0;
}

void resume_ack(struct resume_ring *ring, uint32_t seq_ack)
{
	struct resume_state state = *current(ring);
	uint32_t drop = records_through(ring, seq_ack);

	if (drop == 0)
		return;
	while (drop-- > 0)
		drop_oldest(ring, &state);
	publish(ring, &state);
}

int resume_begin(const struct resume_ring *ring, uint32_t seq_ack, struct resume_cursor *cursor)
{
	const struct resume_state *state = current(ring);
	uint32_t skip = 0;

	if (seq_ack == RESUME_SEQ_NONE)
		seq_ack = 0;
	if (seq_ack != state->trimmed_seq) {
		skip = records_through(ring, seq_ack);
		if (skip == 0)
			return -ENOENT;
	}
	*cursor = (struct resume_cursor){.offset = 0, .left = state->count - skip};
	while (skip-- > 0)
		cursor->offset += (uint32_t)sizeof(struct record) +
				  record_at(ring, advance(state->head, cursor->offset)).size;
	return 0;
}

bool resume_next(const struct resume_ring *ring, struct resume_cursor *cursor, char *out,
	size_t out_size, size_t *size)
{
	const struct resume_state *state = current(ring);
	struct record record;
	uint32_t at;

	if (cursor->left == 0)
		return false;
	at = advance(state->head, cursor->offset);
	record = record_at(ring, at);
	*size = record.size < out_size ? record.size : out_size;
	copy_out(ring, advance(at, sizeof(record)), out, (uint32_t)*size);
	cursor->offset += (uint32_t)sizeof(record) + record.size;
	cursor->left--;
	return true;
}
