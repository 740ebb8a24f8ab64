// SPDX-License-Identifier: BSD-3-Clause
//
// Commands of the gateway, one function each.

#include "node/assignments.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/dp_media.h"
#include "dplink/resync.h"
#include "log/log.h"
#include "loop/loop.h"
#include "register/node_proto.h"
#include "registry/placement.h"
#include "registry/registry.h"
#include "signaling/voice_server.h"

// A command that waits for the packet engine.
struct ticket {
	struct assignments *owner;
	uint32_t connection;
	uint64_t seq;
	uint64_t opened_guild; // of an ASSIGN: undone when refused; 0: nothing to undo
};

static void drop_guild(struct assignments *a, struct guild *guild, resync_done_fn *fn, void *arg)
{
	struct guild_part *home = registry_guild_home(guild);

	// 4006 and not 4022: their clients shall ask the main gateway anew, which knows the new
	// node; released discord.js would rejoin after 4022, too, but JDA and koe would not.
	while (guild->sessions != NULL)
		voice_server_end(
			a->voice, guild->sessions, VOICE_CLOSE_SESSION_INVALID, NULL, NULL);
	registry_pending_sweep(a->registry, guild->intent->guild_id, UINT64_MAX);
	voice_server_tidy(a->voice); // what it has on other workers, and its channels
	registry_guild_remove(a->registry, guild);
	resync_guild_close(a->resync, home, fn, arg);
}

static void on_done(void *arg, int error)
{
	struct ticket *ticket = arg;
	struct assignments *a = ticket->owner;

	if (error == -ECANCELED)
		error = 0; // the thing is gone, so nothing of it can be out of force
	if (error != 0 && error != -ETIMEDOUT && ticket->opened_guild != 0) {
		struct guild *guild = registry_guild_find(a->registry, ticket->opened_guild);

		log_warn("packet engine has no room for a guild guild=%llu error=%s",
			(unsigned long long)ticket->opened_guild, strerror(-error));
		if (guild != NULL)
			drop_guild(a, guild, NULL, NULL);
	}
	a->ack(a->ctx, ticket->connection, ticket->seq, error, NULL);
	free(ticket);
}

// NULL: answered with -ENOMEM already.
static struct ticket *make_ticket(
	struct assignments *a, uint32_t connection, const struct node_msg *msg)
{
	struct ticket *ticket = calloc(1, sizeof(*ticket));

	if (ticket == NULL) {
		a->ack(a->ctx, connection, msg->seq, -ENOMEM, NULL);
		return NULL;
	}
	*ticket = (struct ticket){.owner = a, .connection = connection, .seq = msg->seq};
	return ticket;
}

static void assign(struct assignments *a, uint32_t connection, const struct node_msg *msg)
{
	struct guild *guild = registry_guild_find(a->registry, msg->guild_id);
	struct ticket *ticket;
	int error = 0;

	if (guild != NULL && msg->epoch < guild->intent->epoch) {
		a->ack(a->ctx, connection, msg->seq, -ESTALE, NULL);
		return;
	}
	if (guild == NULL)
		error = registry_guild_add(a->registry, msg->guild_id, msg->epoch, &guild);
	if (error != 0) {
		a->ack(a->ctx, connection, msg->seq, error, NULL);
		return;
	}
	guild->intent->epoch = msg->epoch;
	ticket = make_ticket(a, connection, msg);
	if (ticket == NULL)
		return;
	ticket->opened_guild = msg->guild_id;
	resync_guild_open(a->resync, registry_guild_home(guild), on_done, ticket);
}

static void unassign(struct assignments *a, uint32_t connection, const struct node_msg *msg)
{
	struct guild *guild = registry_guild_find(a->registry, msg->guild_id);
	struct ticket *ticket;

	if (guild == NULL || msg->epoch < guild->intent->epoch) {
		a->ack(a->ctx, connection, msg->seq, guild == NULL ? 0 : -ESTALE, NULL);
		return;
	}
	ticket = make_ticket(a, connection, msg);
	if (ticket != NULL)
		drop_guild(a, guild, on_done, ticket);
}

// Self-mute needs no enforcement: the client does not send. Suppressed is muted by the server.
static uint32_t flags_of(const struct node_msg *msg)
{
	uint32_t flags = 0;

	if (msg->mute || msg->suppress)
		flags |= DP_SESSION_MUTE;
	if (msg->deaf)
		flags |= DP_SESSION_DEAF;
	if (msg->self_deaf)
		flags |= DP_SESSION_SELF_DEAF;
	return flags;
}

static bool same_session(const char *session_id, const struct node_msg *msg)
{
	return msg->session_id[0] == '\0' || strcmp(session_id, msg->session_id) == 0;
}

// The user left, or was put out: 4014 is the one code after which stock clients stay away.
static void leave(struct assignments *a, uint32_t connection, const struct node_msg *msg)
{
	struct session *session = registry_session_find(a->registry, msg->guild_id, msg->user_id);
	struct intent_pending *pending =
		registry_pending_find(a->registry, msg->guild_id, msg->user_id);
	struct ticket *ticket;

	if (pending != NULL && same_session(pending->session_id, msg))
		registry_pending_remove(a->registry, pending);
	if (session == NULL || !same_session(session->intent->session_id, msg)) {
		a->ack(a->ctx, connection, msg->seq, 0, NULL);
		return;
	}
	ticket = make_ticket(a, connection, msg);
	if (ticket != NULL)
		voice_server_end(a->voice, session, VOICE_CLOSE_DISCONNECTED, on_done, ticket);
}

// Its token comes first: a newer one of the same user takes the older one's place.
static int expect_client(struct assignments *a, const struct guild *guild,
	const struct node_msg *msg, struct placement_refusal *refusal)
{
	struct intent_pending *older =
		registry_pending_find(a->registry, msg->guild_id, msg->user_id);
	struct intent_pending pending = {
		.flags = flags_of(msg),
		.guild_id = msg->guild_id,
		.user_id = msg->user_id,
		.channel_id = msg->channel_id,
		.expires_ms = loop_now_ms(a->loop) + REGISTRY_PENDING_MS,
	};
	int worker;

	if (older != NULL)
		registry_pending_remove(a->registry, older);
	worker = registry_place(a->registry, guild, msg->channel_id, msg->user_id, refusal);
	if (worker < 0)
		return worker;
	pending.worker = (uint32_t)worker;
	snprintf(pending.session_id, sizeof(pending.session_id), "%s", msg->session_id);
	memcpy(pending.token_digest, msg->token_digest, sizeof(pending.token_digest));
	return registry_pending_put(a->registry, &pending);
}

static int update_pending(struct assignments *a, const struct guild *guild,
	const struct node_msg *msg, struct placement_refusal *refusal)
{
	struct intent_pending *pending =
		registry_pending_find(a->registry, msg->guild_id, msg->user_id);
	int result = 0;

	if (pending == NULL || !same_session(pending->session_id, msg))
		return 0;
	if (pending->channel_id != msg->channel_id)
		result = registry_place(a->registry, guild, msg->channel_id, msg->user_id, refusal);
	if (result >= 0 && pending->channel_id != msg->channel_id)
		result = registry_pending_move(
			a->registry, pending, (uint32_t)result, msg->channel_id);
	if (result == 0)
		pending->flags = flags_of(msg);
	return result;
}

static void answer(struct assignments *a, uint32_t connection, const struct node_msg *msg,
	int error, const struct placement_refusal *why)
{
	struct node_refusal refusal = {.worker = why->worker,
		.capacity_pps = why->capacity_pps,
		.used_pps = why->used_pps,
		.price_pps = why->price_pps};

	if (error == -EDQUOT)
		log_notice("no worker has budget for a member guild=%llu channel=%llu worker=%u "
			   "capacity_pps=%llu used_pps=%llu price_pps=%llu",
			(unsigned long long)msg->guild_id, (unsigned long long)msg->channel_id,
			why->worker, (unsigned long long)why->capacity_pps,
			(unsigned long long)why->used_pps, (unsigned long long)why->price_pps);
	a->ack(a->ctx, connection, msg->seq, error, error == -EDQUOT ? &refusal : NULL);
}

static void voice_state(struct assignments *a, uint32_t connection, const struct guild *guild,
	const struct node_msg *msg)
{
	struct session *session = registry_session_find(a->registry, msg->guild_id, msg->user_id);
	struct placement_refusal refusal = {0};
	struct ticket *ticket;
	bool is_its_own;
	int error;

	if (msg->channel_id == 0) {
		leave(a, connection, msg);
		return;
	}
	// An older session of another device goes on as it is, until the new one comes.
	is_its_own = session != NULL && same_session(session->intent->session_id, msg);
	if (msg->has_token)
		error = expect_client(a, guild, msg, &refusal);
	else
		error = update_pending(a, guild, msg, &refusal);
	if (error == 0 && is_its_own && !msg->has_token)
		error = registry_place_move(a->registry, session, msg->channel_id, &refusal);
	voice_server_tidy(a->voice); // where its token was
	if (error != 0 || !is_its_own) {
		answer(a, connection, msg, error, &refusal);
		return;
	}
	ticket = make_ticket(a, connection, msg);
	if (ticket == NULL)
		return;
	error = voice_server_update(
		a->voice, session, flags_of(msg), msg->channel_id, on_done, ticket);
	if (error != 0)
		on_done(ticket, error);
}

void assignments_apply(struct assignments *a, uint32_t connection, const struct node_msg *msg)
{
	unsigned op = (unsigned)msg->op;
	struct guild *guild;

	if (op == NODE_OP_ASSIGN) {
		assign(a, connection, msg);
		return;
	}
	if (op == NODE_OP_UNASSIGN) {
		unassign(a, connection, msg);
		return;
	}
	if (op != NODE_OP_VOICE_STATE)
		return;
	guild = registry_guild_find(a->registry, msg->guild_id);
	if (guild == NULL || msg->epoch < guild->intent->epoch) {
		a->ack(a->ctx, connection, msg->seq, guild == NULL ? -ENOENT : -ESTALE, NULL);
		return;
	}
	guild->intent->epoch = msg->epoch;
	voice_state(a, connection, guild, msg);
}

int assignments_list(const struct assignments *a, struct node_msg *msg)
{
	uint32_t count = 0;

	for (struct guild *guild = registry_guilds(a->registry); guild != NULL;
		guild = guild->all_next)
		count++;
	if (count > NODE_GUILDS_MAX)
		count = NODE_GUILDS_MAX;
	msg->guilds = calloc(count + 1, sizeof(*msg->guilds));
	if (msg->guilds == NULL)
		return -ENOMEM;
	for (struct guild *guild = registry_guilds(a->registry);
		guild != NULL && msg->guild_count < count; guild = guild->all_next)
		msg->guilds[msg->guild_count++] = (struct node_guild){
			.guild_id = guild->intent->guild_id, .epoch = guild->intent->epoch};
	return 0;
}
