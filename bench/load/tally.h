// SPDX-License-Identifier: BSD-3-Clause
//
// Adds up what the bots of a guild sent, should have heard and heard. Reads the swarm, changes
// nothing.
#pragma once

#include <stdint.h>

struct swarm_guild;

struct tally {
	uint32_t member_count, joined_count;
	uint32_t speaker_count; // who talk now
	uint64_t sent_count;
	uint64_t expected_count, received_count; // of receivers whose loss counts
	uint64_t duplicate_count, reordered_count, renumbered_count;
};

// What was sent after 'settled_before_ns' (CLOCK_REALTIME) is expected only if it came.
void tally_guild(const struct swarm_guild *guild, uint64_t settled_before_ns, struct tally *tally);
void tally_add(struct tally *into, const struct tally *from);
uint64_t tally_lost(const struct tally *tally);
double tally_loss_ratio(const struct tally *tally);
