// SPDX-License-Identifier: BSD-3-Clause
//
// Sums over the pairs of a guild.
#include "load/tally.h"

#include <string.h>

#include "load/hearing.h"
#include "load/swarm.h"

static void receiver_add(const struct bot *receiver, const struct swarm_guild *guild,
	uint64_t settled_before_ns, struct tally *tally)
{
	for (uint32_t i = 0; i < guild->member_count; i++) {
		const struct bot *talker = guild->members[i];

		if (!talker->spec->talks || receiver->hearings[talker->talker_index] == NULL)
			continue;

		const struct track *track = &receiver->hearings[talker->talker_index]->track;

		tally->duplicate_count += track->duplicate_count;
		tally->reordered_count += track->reordered_count;
		tally->renumbered_count += track->renumbered_count;
		if (receiver->spec->loss_ok)
			continue;
		tally->expected_count +=
			track_expected(track, bot_media_sent_before(talker, settled_before_ns));
		tally->received_count += track->received_count;
	}
}

void tally_guild(const struct swarm_guild *guild, uint64_t settled_before_ns, struct tally *tally)
{
	memset(tally, 0, sizeof(*tally));
	tally->member_count = guild->member_count;
	for (uint32_t i = 0; i < guild->member_count; i++) {
		const struct bot *bot = guild->members[i];

		// Whom the server sent away had joined.
		tally->joined_count += bot->joined || bot->sent_away;
		tally->speaker_count += bot->media.talking;
		tally->sent_count += bot->media.sent_count;
		receiver_add(bot, guild, settled_before_ns, tally);
	}
}

void tally_add(struct tally *into, const struct tally *from)
{
	into->member_count += from->member_count;
	into->joined_count += from->joined_count;
	into->speaker_count += from->speaker_count;
	into->sent_count += from->sent_count;
	into->expected_count += from->expected_count;
	into->received_count += from->received_count;
	into->duplicate_count += from->duplicate_count;
	into->reordered_count += from->reordered_count;
	into->renumbered_count += from->renumbered_count;
}

uint64_t tally_lost(const struct tally *tally)
{
	return tally->expected_count > tally->received_count
		       ? tally->expected_count - tally->received_count
		       : 0;
}

double tally_loss_ratio(const struct tally *tally)
{
	if (tally->expected_count == 0)
		return 0;
	return (double)tally_lost(tally) / (double)tally->expected_count;
}
