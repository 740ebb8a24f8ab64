// SPDX-License-Identifier: BSD-3-Clause
//
// The objects of payload.h, as the public documentation of the v10 API gives them.
#include "gateway/payload.h"

#include <stdio.h>

#include "json/json.h"

#define CHANNEL_TYPE_VOICE 2
#define JOINED_AT "2024-01-01T00:00:00.000000+00:00"
// View, send, read history, connect, speak, video, voice activity.
#define PERMISSIONS_EVERYONE "36769280"
// Those, and mute, deafen, move.
#define PERMISSIONS_MODERATOR "66129408"

json_t *payload_user(const struct user *user, bool self)
{
	json_t *object = json_pack("{s:o,s:s,s:s,s:n,s:n,s:n,s:b,s:i}", "id", json_id(user->id),
		"username", user->name, "discriminator", "0", "global_name", "avatar", "banner",
		"bot", user->bot, "public_flags", 0);

	if (self)
		json_object_update_new(
			object, json_pack("{s:b,s:b,s:i,s:n,s:s}", "verified", 1, "mfa_enabled", 0,
					"flags", 0, "email", "locale", "en-US"));
	return object;
}

static json_t *moderator_role_id(const struct guild *guild)
{
	return json_id(guild->id + 1);
}

json_t *payload_member(const struct guild *guild, const struct member *member)
{
	json_t *roles = json_array();

	if (member->moderator)
		json_array_append_new(roles, moderator_role_id(guild));
	return json_pack("{s:o,s:n,s:n,s:n,s:o,s:s,s:n,s:b,s:b,s:i,s:b,s:n}", "user",
		payload_user(member->user, false), "nick", "avatar", "banner", "roles", roles,
		"joined_at", JOINED_AT, "premium_since", "deaf", member->voice.deaf, "mute",
		member->voice.mute, "flags", 0, "pending", 0, "communication_disabled_until");
}

json_t *payload_voice_state(const struct guild *guild, const struct member *member, bool whole)
{
	const struct voice *voice = &member->voice;
	json_t *object = json_pack("{s:o,s:o,s:s,s:b,s:b,s:b,s:b,s:b,s:b,s:n}", "channel_id",
		json_id_or_null(voice->channel_id), "user_id", json_id(member->user->id),
		"session_id", voice->session_id, "deaf", voice->deaf, "mute", voice->mute,
		"self_deaf", voice->self_deaf, "self_mute", voice->self_mute, "self_video", 0,
		"suppress", voice->suppress, "request_to_speak_timestamp");

	if (whole) {
		json_object_set_new(object, "guild_id", json_id(guild->id));
		json_object_set_new(object, "member", payload_member(guild, member));
	}
	return object;
}

json_t *payload_voice_server(const struct guild *guild, const char *token, const char *endpoint)
{
	return json_pack("{s:s,s:o,s:s?}", "token", token == NULL ? "" : token, "guild_id",
		json_id(guild->id), "endpoint", endpoint);
}

static json_t *payload_role(json_t *id, const char *name, const char *permissions, int position)
{
	return json_pack("{s:o,s:s,s:s,s:i,s:i,s:b,s:b,s:b,s:n,s:n,s:i,s:{s:i,s:n,s:n}}", "id", id,
		"name", name, "permissions", permissions, "position", position, "color", 0, "hoist",
		0, "managed", 0, "mentionable", 0, "icon", "unicode_emoji", "flags", 0, "colors",
		"primary_color", 0, "secondary_color", "tertiary_color");
}

static json_t *payload_channel(
	const struct guild *guild, const struct config_channel *channel, uint32_t position)
{
	return json_pack("{s:o,s:i,s:o,s:s,s:i,s:[],s:i,s:i,s:n,s:b,s:n,s:i,s:n,s:i,s:i}", "id",
		json_id(channel->id), "type", CHANNEL_TYPE_VOICE, "guild_id", json_id(guild->id),
		"name", channel->name, "position", (int)position, "permission_overwrites",
		"bitrate", 64000, "user_limit", 0, "parent_id", "nsfw", 0, "rtc_region",
		"rate_limit_per_user", 0, "last_message_id", "flags", 0, "video_quality_mode", 1);
}

static const struct user *guild_owner(const struct guild *guild)
{
	for (uint32_t i = 0; i < guild->member_count; i++)
		if (guild->members[i].moderator)
			return guild->members[i].user;
	return guild->member_count > 0 ? guild->members[0].user : NULL;
}

// What does not depend on who is there.
static json_t *guild_properties(const struct guild *guild)
{
	const struct user *owner = guild_owner(guild);
	json_t *object = json_pack("{s:o,s:s,s:o}", "id", json_id(guild->id), "name",
		guild->config->name, "owner_id", json_id(owner == NULL ? guild->id : owner->id));
	static const char *const nulls[] = {"icon", "icon_hash", "splash", "discovery_splash",
		"banner", "description", "region", "afk_channel_id", "widget_channel_id",
		"application_id", "system_channel_id", "rules_channel_id",
		"public_updates_channel_id", "safety_alerts_channel_id", "vanity_url_code",
		"max_presences", "incidents_data", "hub_type"};
	static const char *const empties[] = {"emojis", "stickers", "features", "threads",
		"presences", "stage_instances", "guild_scheduled_events", "soundboard_sounds",
		"embedded_activities"};
	static const char *const zeroes[] = {"verification_level", "default_message_notifications",
		"explicit_content_filter", "mfa_level", "system_channel_flags", "premium_tier",
		"premium_subscription_count", "nsfw_level"};
	static const char *const falses[] = {
		"widget_enabled", "nsfw", "premium_progress_bar_enabled", "unavailable", "lazy"};

	for (size_t i = 0; i < sizeof(nulls) / sizeof(nulls[0]); i++)
		json_object_set_new(object, nulls[i], json_null());
	for (size_t i = 0; i < sizeof(empties) / sizeof(empties[0]); i++)
		json_object_set_new(object, empties[i], json_array());
	for (size_t i = 0; i < sizeof(zeroes) / sizeof(zeroes[0]); i++)
		json_object_set_new(object, zeroes[i], json_integer(0));
	for (size_t i = 0; i < sizeof(falses) / sizeof(falses[0]); i++)
		json_object_set_new(object, falses[i], json_false());
	json_object_update_new(object,
		json_pack("{s:i,s:i,s:i,s:i,s:s,s:s}", "afk_timeout", 300, "max_members", 500000,
			"max_video_channel_users", 25, "max_stage_video_channel_users", 50,
			"preferred_locale", "en-US", "joined_at", JOINED_AT));
	return object;
}

json_t *payload_guild(const struct guild *guild, const struct user *receiver)
{
	json_t *object = guild_properties(guild);
	json_t *members = json_array(), *states = json_array(), *channels = json_array();
	json_t *roles = json_array();
	bool all = guild->member_count <= PAYLOAD_MEMBERS_MAX;

	for (uint32_t i = 0; i < guild->member_count; i++) {
		const struct member *member = &guild->members[i];
		bool in_voice = member->voice.channel_id != 0;

		// A client's voice needs its own member; of a large guild it needs no more.
		if (all || in_voice || member->user == receiver)
			json_array_append_new(members, payload_member(guild, member));
		if (in_voice)
			json_array_append_new(states, payload_voice_state(guild, member, false));
	}
	for (uint32_t i = 0; i < guild->config->channel_count; i++)
		json_array_append_new(
			channels, payload_channel(guild, &guild->config->channels[i], i));
	json_array_append_new(
		roles, payload_role(json_id(guild->id), "@everyone", PERMISSIONS_EVERYONE, 0));
	json_array_append_new(roles,
		payload_role(moderator_role_id(guild), "moderators", PERMISSIONS_MODERATOR, 1));
	json_object_set_new(object, "large", json_boolean(!all));
	json_object_set_new(object, "member_count", json_integer(guild->member_count));
	json_object_set_new(object, "members", members);
	json_object_set_new(object, "voice_states", states);
	json_object_set_new(object, "channels", channels);
	json_object_set_new(object, "roles", roles);
	return object;
}
