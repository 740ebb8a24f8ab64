// SPDX-License-Identifier: BSD-3-Clause
//
// See trouble.h. Tokens are never repeated: a bot is named by its place on the command line.
#include "load/trouble.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "load/bot.h"
#include "load/swarm.h"

#define SENTENCE_SIZE 640u
#define CLOSE_TOKEN 4004u
#define IDS_SHOWN 8u

__attribute__((format(printf, 2, 3))) static void refuse(struct bot *bot, const char *format, ...)
{
	struct swarm *swarm = bot->swarm;
	char text[SENTENCE_SIZE];
	va_list args;

	// Who was in once knows that it can be; what is wrong now may pass.
	if (bot->refused || bot->joined_ever || bot->leaving)
		return;
	bot->refused = true;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	swarm_say(swarm, text);
	if (++swarm->refused_count == swarm->bot_count)
		swarm_stop(swarm);
}

void trouble_closed(struct bot *bot, uint16_t code)
{
	if (code == CLOSE_TOKEN)
		refuse(bot,
			"--join number %u: the gateway does not know this token; it must be a "
			"token of "
			"users in the gateway.cfg that the gateway was started with",
			bot->index + 1);
	else
		refuse(bot,
			"--join number %u: the gateway closed with %u, after which no client may "
			"come "
			"back; the gateway's log says more",
			bot->index + 1, code);
}

// "100, 200, ...".
static void ids_text(const struct gateway_event *event, char *out, size_t out_size)
{
	size_t used = 0;

	snprintf(out, out_size, "none");
	for (uint32_t i = 0; i < event->id_count && i < IDS_SHOWN && used < out_size; i++)
		used += (size_t)snprintf(out + used, out_size - used, "%s%" PRIu64,
			i == 0 ? "" : ", ", event->ids[i]);
	if (event->id_count > IDS_SHOWN && used < out_size)
		snprintf(out + used, out_size - used, ", ...");
}

static bool may_hold(const struct gateway_event *event, uint64_t id)
{
	if (!event->has_ids || event->id_count > GATEWAY_IDS_MAX)
		return true;
	for (uint32_t i = 0; i < event->id_count; i++)
		if (event->ids[i] == id)
			return true;
	return false;
}

void trouble_check_guild(struct bot *bot, const struct gateway_event *ready)
{
	char ids[IDS_SHOWN * 24];

	if (may_hold(ready, bot->spec->guild_id))
		return;
	ids_text(ready, ids, sizeof(ids));
	refuse(bot,
		"--join number %u: its user is no member of a guild %" PRIu64
		"; this user's guilds are: %s; --join is TOKEN:GUILD:CHANNEL:talk, and members "
		"stand in "
		"gateway.cfg",
		bot->index + 1, bot->spec->guild_id, ids);
}

void trouble_check_channel(struct bot *bot, const struct gateway_event *guild)
{
	char ids[IDS_SHOWN * 24];

	if (may_hold(guild, bot->spec->channel_id))
		return;
	ids_text(guild, ids, sizeof(ids));
	refuse(bot,
		"--join number %u: guild %" PRIu64 " has no channel %" PRIu64
		"; its channels are: %s; --join is TOKEN:GUILD:CHANNEL:talk, and channels stand in "
		"gateway.cfg",
		bot->index + 1, bot->spec->guild_id, bot->spec->channel_id, ids);
}

void trouble_certificate_cure(const char *why, const char *ca_path, char *out, size_t out_size)
{
	bool stranger = strstr(why, "issuer") != NULL || strstr(why, "self-signed") != NULL ||
			strstr(why, "self signed") != NULL;

	if (strstr(why, "mismatch") != NULL)
		snprintf(out, out_size,
			"the certificate is not for the address that was connected to: "
			"voice.endpoint "
			"must be a name or address that it holds");
	else if (!stranger)
		snprintf(out, out_size, "give the server a certificate that is valid now");
	else if (ca_path == NULL)
		snprintf(out, out_size,
			"trust its authority with --ca FILE: the node prints where the file is "
			"when it "
			"starts (\"voice CA: ...\")");
	else
		snprintf(out, out_size,
			"--ca %.200s is not the authority that signed it: the node prints where "
			"the "
			"right file is when it starts (\"voice CA: ...\")",
			ca_path);
}

bool trouble_check_failure(struct bot *bot, const char *peer, const char *why)
{
	char cure[400];

	if (strstr(why, "certificate refused") == NULL || bot->joined_ever)
		return false;
	trouble_certificate_cure(why, bot->swarm->options->ca_path, cure, sizeof(cure));
	refuse(bot, "%s: %s; %s", peer, why, cure);
	return true;
}

// How far a bot came that is not in.
enum stage {
	STAGE_GATEWAY,
	STAGE_NODE,
	STAGE_SIGNALING,
	STAGE_MEDIA,
	STAGE_COUNT,
};

static enum stage stage_of(const struct bot *bot)
{
	if (!bot->gateway.ready)
		return STAGE_GATEWAY;
	if (bot->voice.endpoint[0] == '\0')
		return STAGE_NODE;
	return bot->voice.state == BOT_VOICE_DISCOVERING ? STAGE_MEDIA : STAGE_SIGNALING;
}

static void stage_say(
	struct swarm *swarm, enum stage stage, uint32_t count, const struct bot *first)
{
	const char *many = count == 1 ? "" : "s", *url = swarm->options->gateway_url;
	char text[SENTENCE_SIZE];

	switch (stage) {
	case STAGE_GATEWAY:
		snprintf(text, sizeof(text),
			"%u bot%s not logged in: is a gateway running at %.*s (--gateway)?", count,
			many, (int)strcspn(url, "?"), url);
		break;
	case STAGE_NODE:
		snprintf(text, sizeof(text),
			"%u bot%s waiting for a voice node: the gateway has none to give their "
			"guild to; "
			"start one (voicenode run), and look at its voicenode status",
			count, many);
		break;
	case STAGE_SIGNALING:
		snprintf(text, sizeof(text),
			"%u bot%s not through the voice signaling of wss://%s: is it reached from "
			"here?",
			count, many, first->voice.endpoint);
		break;
	case STAGE_MEDIA:
		snprintf(text, sizeof(text),
			"%u bot%s without an answer from the media ports of %s: UDP must get "
			"through, and "
			"a client on the node's own host reaches none of them",
			count, many, first->voice.endpoint);
		break;
	case STAGE_COUNT:
		return;
	}
	swarm_say(swarm, text);
}

void trouble_explain(struct swarm *swarm)
{
	const struct bot *first[STAGE_COUNT] = {0};
	uint32_t count[STAGE_COUNT] = {0};

	for (uint32_t i = 0; i < swarm->started_count; i++) {
		const struct bot *bot = &swarm->bots[i];
		enum stage stage = stage_of(bot);

		if (bot->joined || bot->joined_ever || bot->refused || bot->sent_away)
			continue;
		if (count[stage]++ == 0)
			first[stage] = bot;
	}
	for (unsigned stage = 0; stage < STAGE_COUNT; stage++)
		if (count[stage] > 0)
			stage_say(swarm, (enum stage)stage, count[stage], first[stage]);
}
