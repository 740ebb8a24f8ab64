// SPDX-License-Identifier: BSD-3-Clause
//
// Pairs of receiver and talker: opening and closing.
#include "load/hearing.h"

#include <stdlib.h>
#include <time.h>

#include "load/swarm.h"

struct hearing *hearing_get(struct bot *receiver, const struct bot *talker)
{
	struct hearing **hearing = &receiver->hearings[talker->talker_index];

	if (*hearing == NULL)
		*hearing = calloc(1, sizeof(**hearing));
	return *hearing;
}

static bool should_hear(const struct bot *receiver, const struct bot *talker)
{
	return receiver != talker && receiver->joined && talker->joined &&
	       receiver->channel_id != 0 && receiver->channel_id == talker->channel_id &&
	       !talker->mute && !receiver->deaf;
}

static void pair_update(struct bot *receiver, struct bot *talker, uint64_t settled_before_ns)
{
	if (!talker->spec->talks || receiver == talker)
		return;

	struct hearing *hearing = receiver->hearings[talker->talker_index];
	bool wanted = should_hear(receiver, talker);

	if (hearing == NULL && wanted)
		hearing = hearing_get(receiver, talker);
	if (hearing == NULL || hearing->track.open == wanted)
		return;
	hearing->suspect_ns = 0;
	if (wanted) {
		track_open(&hearing->track, talker->media.sent_count);
	} else {
		uint64_t settled_n = bot_media_sent_before(talker, settled_before_ns);

		track_close(&hearing->track, track_fair_end(&hearing->track, settled_n));
	}
}

void hearing_update(struct bot *bot)
{
	struct swarm_guild *guild = &bot->swarm->guilds[bot->guild_index];
	uint64_t settled_before_ns =
		swarm_clock_ns(CLOCK_REALTIME) - SWARM_SETTLE_MS * UINT64_C(1000000);

	for (uint32_t i = 0; i < guild->member_count; i++) {
		pair_update(bot, guild->members[i], settled_before_ns);
		pair_update(guild->members[i], bot, settled_before_ns);
	}
}

void hearing_forget_talker(struct bot *talker)
{
	struct swarm_guild *guild = &talker->swarm->guilds[talker->guild_index];

	if (!talker->spec->talks)
		return;
	for (uint32_t i = 0; i < guild->member_count; i++) {
		struct hearing *hearing = guild->members[i]->hearings[talker->talker_index];

		if (hearing != NULL) {
			hearing->announced = false;
			hearing->unannounced_ns = 0;
		}
	}
}

void hearing_forget_receiver(struct bot *receiver)
{
	for (uint32_t i = 0; i < receiver->swarm->talker_count; i++) {
		if (receiver->hearings[i] != NULL) {
			receiver->hearings[i]->announced = false;
			receiver->hearings[i]->unannounced_ns = 0;
		}
	}
	receiver->voice.foreign_count = 0;
}
