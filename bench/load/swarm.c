// SPDX-License-Identifier: BSD-3-Clause
//
// The life of a run: make the bots, start them one after the other, stop, drain, leave.
#include "load/swarm.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "load/hearing.h"
#include "load/pacer.h"
#include "load/receive.h"
#include "load/report.h"
#include "load/tally.h"
#include "load/trouble.h"

#define BURST_END_MS 120u // five silence frames
#define DRAIN_MORE_MS 100u
#define DRAIN_MAX_MS 2000u // a node on a busy machine is late, which is not the same as lossy
#define LEAVE_MS 500u      // for close frames
#define EXPLAIN_MS 10000u  // when it is said how far bots came that are still not in

uint64_t swarm_clock_ns(int clock_id)
{
	struct timespec now;

	clock_gettime(clock_id, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t swarm_random(struct swarm *swarm)
{
	// splitmix64
	uint64_t z = swarm->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

void swarm_bad(struct bot *bot, enum swarm_bad bad)
{
	static const char *const help[SWARM_BAD_COUNT] = {
#define SWARM_BAD_HELP(name, text, why) [SWARM_BAD_##name] = text ": " why,
		SWARM_BAD(SWARM_BAD_HELP) //
	};

	if (bot->swarm->bad[bad]++ == 0)
		swarm_complain(bot, "BAD %s", help[bad]);
}

// Whether 'text' may be printed now: it is new, and the bound is not reached.
static bool is_news(struct swarm *swarm, const char *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325); // FNV-1a

	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	for (uint32_t i = 0; i < swarm->said_count; i++)
		if (swarm->said[i] == hash)
			return false;
	if (swarm->said_count == SWARM_SAID_MAX)
		return false;
	swarm->said[swarm->said_count++] = hash;
	return true;
}

static void end_of_news(const struct swarm *swarm)
{
	if (swarm->said_count == SWARM_SAID_MAX)
		fprintf(stderr, "voicenode-load: more is not printed\n");
}

void swarm_say(struct swarm *swarm, const char *text)
{
	if (!is_news(swarm, text))
		return;
	fprintf(stderr, "voicenode-load: %s\n", text);
	end_of_news(swarm);
}

void swarm_complain(struct bot *bot, const char *format, ...)
{
	va_list args;
	char text[256];

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	// Hundreds of bots, each trying every second, have one thing to say.
	if (!is_news(bot->swarm, text))
		return;
	fprintf(stderr, "voicenode-load: bot %u: %s\n", bot->index, text);
	end_of_news(bot->swarm);
}

static struct bot **ssrc_bucket(struct swarm *swarm, uint32_t ssrc)
{
	// Nodes give SSRCs in rows of 16.
	return &swarm->ssrc_buckets[(ssrc ^ ssrc >> 4 ^ ssrc >> 17) &
				    (SWARM_SSRC_BUCKET_COUNT - 1)];
}

struct bot *swarm_ssrc_find(struct swarm *swarm, const char *endpoint, uint32_t ssrc)
{
	struct bot *bot = *ssrc_bucket(swarm, ssrc);

	while (bot != NULL &&
		(bot->ssrc_hashed != ssrc || strcmp(bot->voice.endpoint, endpoint) != 0))
		bot = bot->ssrc_next;
	return bot;
}

void swarm_ssrc_add(struct bot *bot)
{
	struct bot **bucket = ssrc_bucket(bot->swarm, bot->voice.ssrc);

	if (swarm_ssrc_find(bot->swarm, bot->voice.endpoint, bot->voice.ssrc) != NULL)
		swarm_bad(bot, SWARM_BAD_SSRC_SHARED);
	bot->ssrc_hashed = bot->voice.ssrc;
	bot->ssrc_next = *bucket;
	*bucket = bot;
	hearing_forget_talker(bot);
}

void swarm_ssrc_remove(struct bot *bot)
{
	if (bot->ssrc_hashed == 0)
		return;

	struct bot **at = ssrc_bucket(bot->swarm, bot->ssrc_hashed);

	while (*at != bot)
		at = &(*at)->ssrc_next;
	*at = bot->ssrc_next;
	bot->ssrc_hashed = 0;
	bot->ssrc_next = NULL;
}

// Finds or makes the guild and the room of bot 'index'. Arrays have room for one of each per bot.
static int place(struct swarm *swarm, struct bot *bot)
{
	uint32_t g = 0, r = 0;

	while (g < swarm->guild_count && swarm->guilds[g].guild_id != bot->spec->guild_id)
		g++;
	while (r < swarm->room_count &&
		(swarm->rooms[r].guild_id != bot->spec->guild_id ||
			swarm->rooms[r].channel_id != bot->spec->channel_id))
		r++;

	struct swarm_guild *guild = &swarm->guilds[g];
	struct swarm_room *room = &swarm->rooms[r];

	swarm->guild_count += g == swarm->guild_count;
	swarm->room_count += r == swarm->room_count;
	guild->guild_id = bot->spec->guild_id;
	room->guild_id = bot->spec->guild_id;
	room->channel_id = bot->spec->channel_id;
	bot->guild_index = g;
	bot->room_index = r;

	struct bot **members =
		reallocarray(guild->members, guild->member_count + 1, sizeof(*members));

	if (members == NULL)
		return -ENOMEM;
	guild->members = members;
	members[guild->member_count++] = bot;
	if (!bot->spec->talks)
		return 0;

	struct bot **talkers =
		reallocarray(room->talkers, room->talker_count + 1, sizeof(*talkers));

	if (talkers == NULL)
		return -ENOMEM;
	room->talkers = talkers;
	talkers[room->talker_count++] = bot;
	bot->talker_index = swarm->talker_count;
	swarm->talkers[swarm->talker_count++] = bot;
	return 0;
}

static int bots_create(struct swarm *swarm)
{
	uint32_t count = swarm->options->join_count;

	swarm->bots = calloc(count, sizeof(*swarm->bots));
	swarm->talkers = calloc(count, sizeof(*swarm->talkers));
	swarm->guilds = calloc(count, sizeof(*swarm->guilds));
	swarm->rooms = calloc(count, sizeof(*swarm->rooms));
	if (swarm->bots == NULL || swarm->talkers == NULL || swarm->guilds == NULL ||
		swarm->rooms == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		struct bot *bot = &swarm->bots[i];

		bot->swarm = swarm;
		bot->index = i;
		bot->spec = &swarm->options->joins[i];
		if (place(swarm, bot) != 0)
			return -ENOMEM;
		bot_gateway_init(bot);
		bot_voice_init(bot);
		bot_media_init(bot);
		swarm->bot_count++;
	}
	for (uint32_t i = 0; i < count; i++) {
		swarm->bots[i].hearings = calloc(swarm->talker_count + 1, sizeof(struct hearing *));
		if (swarm->bots[i].hearings == NULL)
			return -ENOMEM;
	}
	return 0;
}

static void progress(void *arg)
{
	struct swarm *swarm = arg;

	report_progress(swarm);
	// The next whole second, so that lines do not drift.
	uint64_t elapsed_ms = swarm_clock_ns(CLOCK_MONOTONIC) / 1000000 - swarm->start_ms;

	if (elapsed_ms >= EXPLAIN_MS && !swarm->explained) {
		swarm->explained = true;
		trouble_explain(swarm);
	}
	loop_timer_set(&swarm->progress_timer, 1000 - elapsed_ms % 1000);
}

static void ramp(void *arg)
{
	struct swarm *swarm = arg;

	if (swarm->phase != SWARM_RUNNING)
		return;
	do {
		bot_gateway_start(&swarm->bots[swarm->started_count++]);
	} while (swarm->options->ramp_ms == 0 && swarm->started_count < swarm->bot_count);
	if (swarm->started_count < swarm->bot_count)
		loop_timer_set(&swarm->ramp_timer, swarm->options->ramp_ms);
}

static bool anything_missing(const struct swarm *swarm)
{
	for (uint32_t i = 0; i < swarm->guild_count; i++) {
		struct tally tally;

		tally_guild(&swarm->guilds[i], UINT64_MAX, &tally);
		if (tally_lost(&tally) != 0)
			return true;
	}
	return false;
}

// The phases of an end: bursts and drain, leave, done.
static void phase_next(void *arg)
{
	struct swarm *swarm = arg;

	switch (swarm->phase) {
	case SWARM_RUNNING:
		swarm->phase = SWARM_DRAINING;
		for (uint32_t i = 0; i < swarm->talker_count; i++)
			bot_media_end_burst(swarm->talkers[i]);
		swarm->drained_ms = SWARM_SETTLE_MS;
		loop_timer_set(&swarm->phase_timer, BURST_END_MS + SWARM_SETTLE_MS);
		break;
	case SWARM_DRAINING:
		if (swarm->drained_ms < DRAIN_MAX_MS && anything_missing(swarm)) {
			swarm->drained_ms += DRAIN_MORE_MS;
			loop_timer_set(&swarm->phase_timer, DRAIN_MORE_MS);
			break;
		}
		swarm->phase = SWARM_LEAVING;
		loop_timer_stop(&swarm->progress_timer);
		if (!swarm->explained)
			trouble_explain(swarm);
		report_final(swarm); // before leaving changes the numbers
		for (uint32_t i = 0; i < swarm->bot_count; i++)
			bot_gateway_leave(&swarm->bots[i]);
		loop_timer_set(&swarm->phase_timer, LEAVE_MS);
		break;
	case SWARM_LEAVING:
		swarm->phase = SWARM_DONE;
		loop_stop(swarm->loop, 0);
		break;
	case SWARM_DONE:
		break;
	}
}

int swarm_create(struct loop *loop, const struct options *options, struct swarm **out)
{
	struct swarm *swarm = calloc(1, sizeof(*swarm));
	int status = -ENOMEM;

	if (swarm == NULL)
		return -ENOMEM;
	swarm->loop = loop;
	swarm->options = options;
	swarm->random = options->seed;
	loop_timer_init(loop, &swarm->ramp_timer, ramp, swarm);
	loop_timer_init(loop, &swarm->progress_timer, progress, swarm);
	loop_timer_init(loop, &swarm->phase_timer, phase_next, swarm);
	status = speech_create(options->seed, &swarm->speech);
	if (status == 0)
		status = bots_create(swarm);
	if (status == 0)
		status = receive_create(swarm, &swarm->receive);
	if (status == 0)
		status = pacer_create(swarm, &swarm->pacer);
	if (status == 0)
		status = report_create(swarm, &swarm->report);
	if (status != 0) {
		fprintf(stderr, "voicenode-load: cannot set up: %s\n", strerror(-status));
		swarm_destroy(swarm);
		return status;
	}
	*out = swarm;
	return 0;
}

void swarm_close(struct swarm *swarm)
{
	for (uint32_t i = 0; i < swarm->bot_count; i++) {
		swarm->bots[i].leaving = true;
		bot_media_close(&swarm->bots[i]);
	}
	pacer_destroy(swarm->pacer);
	receive_destroy(swarm->receive);
	swarm->pacer = NULL;
	swarm->receive = NULL;
}

void swarm_destroy(struct swarm *swarm)
{
	if (swarm == NULL)
		return;
	for (uint32_t i = 0; i < swarm->bot_count; i++) {
		struct bot *bot = &swarm->bots[i];

		for (uint32_t t = 0; bot->hearings != NULL && t < swarm->talker_count; t++)
			free(bot->hearings[t]);
		free(bot->hearings);
	}
	for (uint32_t i = 0; i < swarm->guild_count; i++)
		free(swarm->guilds[i].members);
	for (uint32_t i = 0; i < swarm->room_count; i++)
		free(swarm->rooms[i].talkers);
	report_destroy(swarm->report);
	if (swarm->bots != NULL)
		explicit_bzero(swarm->bots, swarm->bot_count * sizeof(*swarm->bots));
	free(swarm->bots);
	free(swarm->talkers);
	free(swarm->guilds);
	free(swarm->rooms);
	speech_destroy(swarm->speech);
	free(swarm);
}

void swarm_start(struct swarm *swarm)
{
	swarm->start_ms = swarm_clock_ns(CLOCK_MONOTONIC) / 1000000;
	loop_timer_set(&swarm->ramp_timer, 0);
	loop_timer_set(&swarm->progress_timer, 1000);
	if (swarm->options->run_ms != 0)
		loop_timer_set(&swarm->phase_timer, swarm->options->run_ms);
}

void swarm_stop(struct swarm *swarm)
{
	if (swarm->phase != SWARM_RUNNING)
		return;
	loop_timer_stop(&swarm->phase_timer);
	phase_next(swarm);
}
