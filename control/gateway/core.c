// SPDX-License-Identifier: BSD-3-Clause
//
// Voice states: what clients and moderators ask for, what the node is told, and when the guild sees
// it. Joins are seen at once and get their endpoint after the ack; moves, mutes and kicks are seen
// after the ack; leaves are seen at once.
#include "gateway/core.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/core_private.h"
#include "log/log.h"

struct core *core_create(const struct core_params *params)
{
	struct core *core = calloc(1, sizeof(*core));

	if (core == NULL)
		return NULL;
	core->model = params->model;
	core->config = params->config;
	core->output = params->output;
	core->ctx = params->ctx;
	return core;
}

const struct core_stats *core_stats(const struct core *core)
{
	return &core->stats;
}

static void hex_of(const uint8_t *bytes, size_t size, char *out)
{
	for (size_t i = 0; i < size; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static void token_make(struct core *core, struct voice *voice, uint64_t now_ms)
{
	uint8_t random[(TOKEN_SIZE - 1) / 2];

	core->output->random(core->ctx, random, sizeof(random));
	hex_of(random, sizeof(random), voice->token);
	explicit_bzero(random, sizeof(random));
	voice->token_ms = now_ms;
	voice->wants_token = false;
	voice->join_retry_ms = 0;
}

static void token_wipe(struct voice *voice)
{
	explicit_bzero(voice->token, sizeof(voice->token));
	voice->join_seq = 0;
}

// The only place where a channel changes, so that the loads stay true.
static void channel_set(
	struct guild *guild, struct member *member, uint64_t channel_id, uint64_t now_ms)
{
	bool was_in = member->voice.channel_id != 0, is_in = channel_id != 0;

	member->voice.channel_id = channel_id;
	if (was_in == is_in)
		return;
	if (is_in) {
		guild->voice_count++;
		guild->empty_since_ms = 0;
	} else {
		guild->voice_count--;
		if (guild->voice_count == 0)
			guild->empty_since_ms = now_ms;
	}
	if (guild->node != NULL)
		guild->node->voice_count += is_in ? 1u : UINT32_MAX;
}

// The client was told that it is in the channel, and waits for an endpoint that no push will bring.
static void join_retry_later(struct guild *guild, struct member *member, uint64_t now_ms)
{
	struct voice *voice = &member->voice;

	voice->wants_token = true;
	// Without a node that is there, whoever brings one pushes everything, this with it.
	if (guild->node == NULL || guild->node->link == NULL)
		return;
	voice->join_failures++;
	voice->join_retry_ms = now_ms;
	if (voice->join_failures < CORE_JOIN_FAILURES_MAX)
		voice->join_retry_ms += (uint64_t)CORE_JOIN_RETRY_MS << (voice->join_failures - 1);
	if (guild->join_retry_ms == 0 || voice->join_retry_ms < guild->join_retry_ms)
		guild->join_retry_ms = voice->join_retry_ms;
}

static void join_forget(struct voice *voice)
{
	voice->wants_token = false;
	voice->join_failures = 0;
	voice->join_retry_ms = 0;
}

static struct voice_place place_of(const struct voice *voice)
{
	return (struct voice_place){.channel_id = voice->channel_id,
		.deaf = voice->deaf,
		.mute = voice->mute,
		.self_deaf = voice->self_deaf,
		.self_mute = voice->self_mute};
}

// Both in a channel: the loads stay as they are.
static void place_restore(struct voice *voice, const struct voice_place *place)
{
	voice->channel_id = place->channel_id;
	voice->deaf = place->deaf;
	voice->mute = place->mute;
	voice->self_deaf = place->self_deaf;
	voice->self_mute = place->self_mute;
}

int core_push(struct core *core, struct guild *guild, struct member *member, uint64_t now_ms,
	struct core_pending **out)
{
	struct voice *voice = &member->voice;
	struct core_pending *pending;
	struct node_msg msg = {.op = NODE_OP_VOICE_STATE,
		.guild_id = guild->id,
		.epoch = guild->epoch,
		.user_id = member->user->id,
		.channel_id = voice->channel_id,
		.deaf = voice->deaf,
		.mute = voice->mute,
		.self_deaf = voice->self_deaf,
		.self_mute = voice->self_mute,
		.suppress = voice->suppress};

	if (guild->node == NULL || guild->node->link == NULL)
		return -ENOTCONN;
	memcpy(msg.session_id, voice->session_id, sizeof(voice->session_id));
	if (voice->channel_id != 0 && voice->wants_token) {
		token_make(core, voice, now_ms);
		digest_of(voice->token, msg.token_digest);
		msg.has_token = true;
	}
	pending = core_send(core, guild->node, &msg, now_ms);
	if (pending == NULL) {
		if (msg.has_token) {
			token_wipe(voice);
			join_retry_later(guild, member, now_ms);
		}
		return -ENOMEM;
	}
	pending->guild = guild;
	pending->member = member;
	pending->sent = place_of(voice);
	voice->push_seq = msg.seq;
	voice->on_node = voice->channel_id != 0;
	if (msg.has_token)
		voice->join_seq = msg.seq;
	if (out != NULL)
		*out = pending;
	return 0;
}

void core_push_acked(
	struct core *core, struct core_node *node, struct core_pending *pending, uint64_t now_ms)
{
	struct guild *guild = pending->guild;
	struct member *member = pending->member;
	struct voice *voice = &member->voice;

	(void)now_ms;
	voice->in_force = pending->sent;
	if (pending->publish)
		core->output->voice_state(core->ctx, guild, member);
	if (voice->join_seq == pending->seq) {
		if (voice->channel_id != 0)
			core->output->voice_server(
				core->ctx, guild, member, voice->token, node->endpoint);
		token_wipe(voice);
		voice->join_failures = 0;
	}
	if (pending->request != NULL)
		core->output->done(core->ctx, pending->request, 0);
}

static void join_refused(struct core *core, struct guild *guild, struct member *member,
	bool no_budget, uint64_t now_ms);

void core_push_failed(struct core *core, struct core_pending *pending,
	const struct core_failure *failure, uint64_t now_ms)
{
	struct voice *voice = &pending->member->voice;

	log_warn("voice state not in force guild=%llu user=%llu error=%d why=%s",
		(unsigned long long)pending->guild->id,
		(unsigned long long)pending->member->user->id, failure->error, failure->why);
	// Restore what is in force, unless something newer has been asked for meanwhile.
	if (pending->revert && voice->push_seq == pending->seq && voice->channel_id != 0 &&
		voice->in_force.channel_id != 0) {
		place_restore(voice, &voice->in_force);
	}
	if (voice->join_seq == pending->seq) {
		token_wipe(voice);
		if (voice->channel_id != 0)
			join_refused(
				core, pending->guild, pending->member, failure->no_budget, now_ms);
	}
	if (pending->publish && !pending->revert)
		core->output->voice_state(core->ctx, pending->guild, pending->member);
	if (pending->request != NULL)
		core->output->done(core->ctx, pending->request, failure->error);
}

void core_requests_end(struct core *core, int error)
{
	for (uint32_t i = 0; i < core->node_count; i++) {
		struct core_pending *pending = core->nodes[i]->first;

		for (; pending != NULL; pending = pending->next) {
			void *request = pending->request;

			pending->request = NULL;
			if (request != NULL)
				core->output->done(core->ctx, request, error);
		}
	}
}

// --- what clients ask for ---

static void join(struct core *core, struct guild *guild, struct member *member,
	const char *session_id, const struct core_voice_update *update, uint64_t now_ms)
{
	struct voice *voice = &member->voice;

	core->stats.joins++;
	snprintf(voice->session_id, sizeof(voice->session_id), "%s", session_id);
	voice->self_mute = update->self_mute;
	voice->self_deaf = update->self_deaf;
	join_forget(voice);
	voice->wants_token = true;
	channel_set(guild, member, update->channel_id, now_ms);
	core->output->voice_state(core->ctx, guild, member);
	if (guild->node == NULL)
		core_assign(core, guild, now_ms); // pushes this one with the others
	else
		core_push(core, guild, member, now_ms, NULL);
}

void core_left(struct core *core, struct guild *guild, struct member *member, uint64_t now_ms)
{
	if (member->voice.channel_id == 0)
		return;
	core->stats.leaves++;
	channel_set(guild, member, 0, now_ms);
	member->voice.in_force.channel_id = 0;
	token_wipe(&member->voice);
	join_forget(&member->voice);
	core->output->voice_state(core->ctx, guild, member);
}

static void leave(struct core *core, struct guild *guild, struct member *member, uint64_t now_ms)
{
	core_left(core, guild, member, now_ms);
	core_push(core, guild, member, now_ms, NULL);
}

// The node does not take it: better seen to be out than waiting for ever.
static void join_give_up(
	struct core *core, struct guild *guild, struct member *member, uint64_t now_ms)
{
	core->stats.joins_given_up++;
	log_warn("member leaves voice because its node refuses it guild=%llu user=%llu refusals=%u",
		(unsigned long long)guild->id, (unsigned long long)member->user->id,
		member->voice.join_failures);
	leave(core, guild, member, now_ms);
}

// A node without budget will not have any in half a second, and its members see at once that they
// are not in.
static void join_refused(struct core *core, struct guild *guild, struct member *member,
	bool no_budget, uint64_t now_ms)
{
	if (!no_budget) {
		join_retry_later(guild, member, now_ms);
		return;
	}
	core->stats.joins_no_budget++;
	log_notice("member leaves voice because its node has no budget guild=%llu user=%llu",
		(unsigned long long)guild->id, (unsigned long long)member->user->id);
	leave(core, guild, member, now_ms);
}

static void join_retry(
	struct core *core, struct guild *guild, struct member *member, uint64_t now_ms)
{
	core->stats.join_retries++;
	core_push(core, guild, member, now_ms, NULL);
}

void core_join_tick(struct core *core, struct guild *guild, uint64_t now_ms)
{
	uint64_t next_ms = 0;

	if (guild->join_retry_ms == 0 || now_ms < guild->join_retry_ms)
		return;
	guild->join_retry_ms = 0;
	for (uint32_t i = 0; i < guild->member_count; i++) {
		struct voice *voice = &guild->members[i].voice;

		if (voice->join_retry_ms == 0)
			continue;
		if (now_ms >= voice->join_retry_ms) {
			voice->join_retry_ms = 0;
			if (voice->join_failures >= CORE_JOIN_FAILURES_MAX)
				join_give_up(core, guild, &guild->members[i], now_ms);
			else
				join_retry(core, guild, &guild->members[i], now_ms);
		}
		if (voice->join_retry_ms != 0 && (next_ms == 0 || voice->join_retry_ms < next_ms))
			next_ms = voice->join_retry_ms;
	}
	guild->join_retry_ms = next_ms;
}

// Another channel of the guild, or other flags: the session stays, no token, seen after the ack.
// What was before is 'before' again if nobody could be asked for want of memory: -ENOMEM.
static int change(struct core *core, struct guild *guild, struct member *member,
	const struct voice_place *before, void *request, uint64_t now_ms)
{
	struct core_pending *pending;
	int error = core_push(core, guild, member, now_ms, &pending);

	if (error == -ENOMEM) {
		place_restore(&member->voice, before);
		return error;
	}
	core->stats.moves += before->channel_id != member->voice.channel_id;
	if (error != 0) { // no node to ask: it will be told when there is one
		core->output->voice_state(core->ctx, guild, member);
		if (request != NULL)
			core->output->done(core->ctx, request, 0);
		return 0;
	}
	pending->publish = true;
	pending->revert = true;
	pending->request = request;
	return 0;
}

void core_voice_update(struct core *core, struct user *user, const char *session_id,
	const struct core_voice_update *update, uint64_t now_ms)
{
	struct guild *guild = model_guild(core->model, update->guild_id);
	struct member *member = guild == NULL ? NULL : guild_member(guild, user->id);
	struct voice_place before;
	struct voice *voice;

	if (member == NULL)
		return;
	voice = &member->voice;
	if (update->channel_id == 0) {
		if (voice->channel_id != 0 && strcmp(voice->session_id, session_id) == 0)
			leave(core, guild, member, now_ms);
		return;
	}
	if (guild_channel(guild, update->channel_id) == NULL)
		return;
	// The same wish again is how stock clients ask for a new token after a lost voice session.
	if (voice->channel_id == 0 || strcmp(voice->session_id, session_id) != 0 ||
		(voice->channel_id == update->channel_id && voice->self_mute == update->self_mute &&
			voice->self_deaf == update->self_deaf)) {
		join(core, guild, member, session_id, update, now_ms);
		return;
	}
	before = place_of(voice);
	voice->channel_id = update->channel_id;
	voice->self_mute = update->self_mute;
	voice->self_deaf = update->self_deaf;
	if (change(core, guild, member, &before, NULL, now_ms) != 0)
		log_warn("no memory to tell a node of a voice state guild=%llu user=%llu",
			(unsigned long long)guild->id, (unsigned long long)user->id);
}

void core_session_ended(
	struct core *core, struct user *user, const char *session_id, uint64_t now_ms)
{
	for (uint32_t i = 0; i < core->model->guild_count; i++) {
		struct guild *guild = &core->model->guilds[i];
		struct member *member =
			guild->voice_count == 0 ? NULL : guild_member(guild, user->id);

		if (member != NULL && member->voice.channel_id != 0 &&
			strcmp(member->voice.session_id, session_id) == 0)
			leave(core, guild, member, now_ms);
	}
}

// --- what moderators ask for ---

static int kick(struct core *core, struct guild *guild, struct member *member,
	const struct voice_place *before, void *request, uint64_t now_ms)
{
	struct core_pending *pending;
	int error;

	channel_set(guild, member, 0, now_ms);
	error = core_push(core, guild, member, now_ms, &pending);
	if (error == -ENOMEM) { // it is still there, and heard
		channel_set(guild, member, before->channel_id, now_ms);
		place_restore(&member->voice, before);
		return error;
	}
	core->stats.kicks++;
	token_wipe(&member->voice);
	join_forget(&member->voice);
	if (error == 0) {
		pending->publish = true;
		pending->request = request;
		return 0;
	}
	core->output->voice_state(core->ctx, guild, member);
	core->output->done(core->ctx, request, 0);
	return 0;
}

int core_member_patch(struct core *core, struct guild *guild, struct member *member,
	const struct core_patch *patch, void *request, uint64_t now_ms)
{
	struct voice *voice = &member->voice;
	struct voice_place before = place_of(voice);

	if (patch->has_channel && patch->channel_id != 0 &&
		guild_channel(guild, patch->channel_id) == NULL)
		return -ENOENT;
	if (voice->channel_id == 0)
		return -ENOTCONN;
	if (patch->has_mute)
		voice->mute = patch->mute;
	if (patch->has_deaf)
		voice->deaf = patch->deaf;
	if (patch->has_channel && patch->channel_id == 0)
		return kick(core, guild, member, &before, request, now_ms);
	if (patch->has_channel)
		voice->channel_id = patch->channel_id;
	return change(core, guild, member, &before, request, now_ms);
}
