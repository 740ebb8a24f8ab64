// SPDX-License-Identifier: BSD-3-Clause
//
// Order, loss and duplicates of one talker at one receiver. Pure.
#include "load/track.h"

#include <string.h>

#define WORD_COUNT (TRACK_WINDOW / 64u)

static bool bit_test_and_set(struct track *track, uint64_t n)
{
	uint64_t *word = &track->seen[n / 64 % WORD_COUNT];
	uint64_t bit = UINT64_C(1) << (n % 64);
	bool was_set = (*word & bit) != 0;

	*word |= bit;
	return was_set;
}

static void window_advance(struct track *track, uint64_t n)
{
	if (!track->has_highest || n - track->highest_n >= TRACK_WINDOW) {
		memset(track->seen, 0, sizeof(track->seen));
	} else {
		for (uint64_t i = track->highest_n + 1; i <= n; i++)
			track->seen[i / 64 % WORD_COUNT] &= ~(UINT64_C(1) << (i % 64));
	}
}

static uint64_t opening_count(const struct track *track, uint64_t end_n)
{
	return end_n > track->first_n ? end_n - track->first_n : 0;
}

void track_open(struct track *track, uint64_t first_n)
{
	if (track->open)
		return;
	// A closed opening stays readable for its latecomers until now.
	if (track->end_n != 0)
		track->expected_count += opening_count(track, track->end_n);
	track->open = true;
	track->first_n = first_n;
	track->end_n = UINT64_MAX;
	track->has_seq = false; // the talker or the leg may have begun anew
}

void track_close(struct track *track, uint64_t end_n)
{
	if (!track->open)
		return;
	track->open = false;
	track->end_n = end_n > track->first_n ? end_n : track->first_n;
}

enum track_verdict track_feed(struct track *track, uint64_t n, uint16_t seq)
{
	enum track_verdict verdict = TRACK_NEW;

	if (n < track->first_n)
		return TRACK_EARLY;
	if (n >= track->end_n)
		return TRACK_LATE;
	if (track->has_highest && n <= track->highest_n) {
		// Older than the window cannot be told from a duplicate; 5 s late is none the
		// better.
		if (track->highest_n - n >= TRACK_WINDOW || bit_test_and_set(track, n)) {
			track->duplicate_count++;
			return TRACK_DUPLICATE;
		}
		track->reordered_count++;
		track->received_count++;
		return TRACK_NEW;
	}
	if (track->has_seq) {
		uint64_t sent = n - track->highest_n;
		uint16_t step = (uint16_t)(seq - track->last_seq);

		if (step == 0 || step > sent)
			verdict = TRACK_BAD_SEQ;
		else
			track->renumbered_count += sent - step;
	}
	window_advance(track, n);
	bit_test_and_set(track, n);
	track->has_highest = true;
	track->highest_n = n;
	track->has_seq = true;
	track->last_seq = seq;
	track->received_count++;
	return verdict;
}

uint64_t track_expected(const struct track *track, uint64_t settled_n)
{
	if (!track->open)
		return track->expected_count + opening_count(track, track->end_n);
	return track->expected_count + opening_count(track, track_fair_end(track, settled_n));
}

uint64_t track_fair_end(const struct track *track, uint64_t settled_n)
{
	if (track->has_highest && track->highest_n + 1 > settled_n)
		return track->highest_n + 1;
	return settled_n;
}
