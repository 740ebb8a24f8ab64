// SPDX-License-Identifier: BSD-3-Clause
//
// Nodes: registration, liveness, and the assignment of guilds with epochs. An epoch is at least the
// wall clock in milliseconds, so that a gateway that starts anew never goes back.
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/core_private.h"
#include "log/log.h"

#define LOST_PINGS 2u // time to come back after the socket went
#define ASSIGN_RETRY_MS 1000u
#define NODE_CLOSE_DEAD 4009u
#define SILENT_PINGS 2u // unanswered: its name may be taken, and it gets no guilds

// --- messages and their acks ---

struct core_pending *core_send(
	struct core *core, struct core_node *node, struct node_msg *msg, uint64_t now_ms)
{
	struct core_pending *pending = calloc(1, sizeof(*pending));

	if (pending == NULL)
		return NULL;
	msg->seq = ++core->seq;
	pending->seq = msg->seq;
	pending->op = msg->op;
	pending->deadline_ms = now_ms + CORE_ACK_TIMEOUT_MS;
	pending->prev = node->last;
	if (node->last != NULL)
		node->last->next = pending;
	else
		node->first = pending;
	node->last = pending;
	core->output->node_send(core->ctx, node->link, msg);
	return pending;
}

static void pending_unlink(struct core_node *node, struct core_pending *pending)
{
	if (pending->prev != NULL)
		pending->prev->next = pending->next;
	else
		node->first = pending->next;
	if (pending->next != NULL)
		pending->next->prev = pending->prev;
	else
		node->last = pending->prev;
}

static void guild_detach(struct guild *guild)
{
	struct core_node *node = guild->node;

	if (node == NULL)
		return;
	node->guild_count--;
	node->voice_count -= guild->voice_count;
	guild->node = NULL;
	guild->adopted = false;
}

static void guild_attach(struct guild *guild, struct core_node *node, uint64_t epoch)
{
	guild_detach(guild);
	guild->node = node;
	guild->epoch = epoch;
	node->guild_count++;
	node->voice_count += guild->voice_count;
}

static void unassign_send(struct core *core, struct core_node *node, uint64_t guild_id,
	uint64_t epoch, uint64_t now_ms)
{
	struct node_msg msg = {.op = NODE_OP_UNASSIGN, .guild_id = guild_id, .epoch = epoch};

	core_send(core, node, &msg, now_ms);
}

static void pending_failed(struct core *core, struct core_node *node, struct core_pending *pending,
	const struct core_failure *failure, uint64_t now_ms)
{
	if (pending->op == NODE_OP_VOICE_STATE)
		core_push_failed(core, pending, failure, now_ms);
	if (pending->op == NODE_OP_ASSIGN && pending->guild->node == node) {
		log_notice("node refused a guild node=%s guild=%llu error=%d why=%s", node->name,
			(unsigned long long)pending->guild->id, failure->error, failure->why);
		if (node->link != NULL && failure->error == -ETIMEDOUT)
			unassign_send(
				core, node, pending->guild->id, pending->guild->epoch, now_ms);
		guild_detach(pending->guild);
		pending->guild->refused_by = node;
		pending->guild->retry_ms = now_ms + ASSIGN_RETRY_MS;
		for (uint32_t i = 0; i < pending->guild->member_count; i++) {
			struct voice *voice = &pending->guild->members[i].voice;

			voice->wants_token = voice->channel_id != 0;
			voice->on_node = false;
		}
	}
	free(pending);
}

static void ack_received(
	struct core *core, struct core_node *node, const struct node_msg *msg, uint64_t now_ms)
{
	struct core_pending *pending = node->first;

	while (pending != NULL && pending->seq != msg->seq)
		pending = pending->next;
	if (pending == NULL)
		return; // too late, or of an earlier connection
	pending_unlink(node, pending);
	if (msg->error != 0) {
		const struct core_failure failure = {
			.error = msg->error, .why = msg->why, .no_budget = msg->no_budget};

		core->stats.ack_errors++;
		pending_failed(core, node, pending, &failure, now_ms);
		return;
	}
	if (pending->op == NODE_OP_VOICE_STATE)
		core_push_acked(core, node, pending, now_ms);
	free(pending);
}

static void pendings_fail(struct core *core, struct core_node *node, int error, const char *why,
	uint64_t before_ms, uint64_t now_ms)
{
	const struct core_failure failure = {.error = error, .why = why};

	while (node->first != NULL && node->first->deadline_ms <= before_ms) {
		struct core_pending *pending = node->first;

		pending_unlink(node, pending);
		if (error == -ETIMEDOUT)
			core->stats.ack_timeouts++;
		pending_failed(core, node, pending, &failure, now_ms);
	}
}

// --- assignment ---

// Alive, with the fewest members in voice, then the fewest guilds.
static struct core_node *node_pick(const struct core *core, const struct core_node *except)
{
	struct core_node *best = NULL;

	for (uint32_t i = 0; i < core->node_count; i++) {
		struct core_node *node = core->nodes[i];

		if (node->link == NULL || node->unanswered >= SILENT_PINGS || node == except)
			continue;
		if (best == NULL || node->voice_count < best->voice_count ||
			(node->voice_count == best->voice_count &&
				node->guild_count < best->guild_count))
			best = node;
	}
	return best;
}

void core_assign(struct core *core, struct guild *guild, uint64_t now_ms)
{
	struct core_node *node = node_pick(core, guild->refused_by);
	uint64_t epoch = core->output->unix_ms(core->ctx);
	struct core_pending *pending;
	struct node_msg msg = {.op = NODE_OP_ASSIGN, .guild_id = guild->id};

	if (node == NULL)
		node = node_pick(core, NULL);
	if (node == NULL || now_ms < guild->retry_ms)
		return; // core_tick() tries again
	guild->retry_ms = 0;
	guild->refused_by = NULL;
	guild_attach(guild, node, epoch > guild->epoch ? epoch : guild->epoch + 1);
	core->stats.assignments++;
	msg.epoch = guild->epoch;
	pending = core_send(core, node, &msg, now_ms);
	if (pending == NULL) {
		guild_detach(guild);
		guild->retry_ms = now_ms + ASSIGN_RETRY_MS;
		return;
	}
	pending->guild = guild;
	log_info("guild assigned guild=%llu node=%s epoch=%llu", (unsigned long long)guild->id,
		node->name, (unsigned long long)guild->epoch);
	for (uint32_t i = 0; i < guild->member_count; i++) {
		struct member *member = &guild->members[i];

		if (member->voice.channel_id == 0)
			continue;
		member->voice.wants_token = true;
		member->voice.join_failures = 0; // they were another node's
		core_push(core, guild, member, now_ms, NULL);
	}
}

// The guild lost its node: its clients wait, and get another one if there is any.
static void guild_orphan(struct core *core, struct guild *guild, uint64_t now_ms)
{
	guild_detach(guild);
	for (uint32_t i = 0; i < guild->member_count; i++) {
		struct member *member = &guild->members[i];

		member->voice.on_node = false;
		if (member->voice.channel_id == 0)
			continue;
		member->voice.wants_token = true;
		core->output->voice_server(core->ctx, guild, member, NULL, NULL);
	}
	if (guild->voice_count > 0)
		core_assign(core, guild, now_ms);
}

// --- the life of a node ---

static struct core_node *node_find(const struct core *core, const char *name)
{
	for (uint32_t i = 0; i < core->node_count; i++)
		if (strcmp(core->nodes[i]->name, name) == 0)
			return core->nodes[i];
	return NULL;
}

static void node_remove(struct core *core, struct core_node *node)
{
	for (uint32_t i = 0; i < core->node_count; i++)
		if (core->nodes[i] == node)
			core->nodes[i] = core->nodes[--core->node_count];
	free(node);
}

static void node_dead(struct core *core, struct core_node *node, const char *why, uint64_t now_ms)
{
	core->stats.nodes_dead++;
	log_notice("node dead node=%s why=%s guilds=%u voices=%u", node->name, why,
		node->guild_count, node->voice_count);
	if (node->link != NULL)
		core->output->node_close(core->ctx, node->link, NODE_CLOSE_DEAD, why);
	node->link = NULL;
	pendings_fail(core, node, -EIO, "the node is dead", UINT64_MAX, now_ms);
	for (uint32_t i = 0; i < core->model->guild_count; i++) {
		struct guild *guild = &core->model->guilds[i];

		if (guild->refused_by == node)
			guild->refused_by = NULL;
		if (guild->node == node)
			guild_orphan(core, guild, now_ms);
	}
	node_remove(core, node);
}

void core_node_closed(struct core *core, struct core_node *node, uint64_t now_ms)
{
	log_notice("node lost node=%s guilds=%u", node->name, node->guild_count);
	node->link = NULL;
	node->lost_ms = now_ms;
	// Joins that were not acknowledged begin anew when it is back, or elsewhere.
	// A client's move holds too: it is repeated then. Only a moderator is told that it failed.
	for (struct core_pending *p = node->first; p != NULL; p = p->next) {
		if (p->op != NODE_OP_VOICE_STATE)
			continue;
		if (p->member->voice.join_seq == p->seq)
			p->member->voice.wants_token = true;
		if (p->request == NULL)
			p->revert = false;
	}
	pendings_fail(core, node, -EIO, "the node's connection was lost", UINT64_MAX, now_ms);
}

static bool secret_valid(const struct core *core, const char *secret)
{
	char given[NODE_SECRET_SIZE] = {0}, known[NODE_SECRET_SIZE];
	unsigned valid = 0;

	snprintf(given, sizeof(given), "%s", secret);
	for (uint32_t i = 0; i < core->config->node_secret_count; i++) {
		memset(known, 0, sizeof(known));
		snprintf(known, sizeof(known), "%s", core->config->node_secret[i]);
		valid |= known[0] != '\0' && CRYPTO_memcmp(given, known, sizeof(known)) == 0;
	}
	explicit_bzero(given, sizeof(given));
	explicit_bzero(known, sizeof(known));
	return valid != 0;
}

bool core_secret_known(struct core *core, const char *secret)
{
	bool valid = secret_valid(core, secret);

	core->stats.nodes_refused += !valid;
	return valid;
}

// The node says that it serves the guild: it keeps it, unless the guild is elsewhere by now.
static void guild_claim(
	struct core *core, struct core_node *node, const struct node_guild *claim, uint64_t now_ms)
{
	struct guild *guild = model_guild(core->model, claim->guild_id);

	if (guild == NULL || claim->epoch < guild->epoch ||
		(claim->epoch == guild->epoch && guild->node != NULL && guild->node != node)) {
		unassign_send(core, node, claim->guild_id, claim->epoch, now_ms);
		return;
	}
	if (guild->node != NULL && guild->node != node && guild->node->link != NULL)
		unassign_send(core, guild->node, guild->id, guild->epoch, now_ms);
	if (guild->node != node) {
		bool unknown = guild->epoch == 0; // since this gateway started

		guild_attach(guild, node, claim->epoch);
		guild->adopted = unknown;
	}
	guild->epoch = claim->epoch;
	// Repeat what changed while nobody listened; what did not change changes nothing.
	for (uint32_t i = 0; i < guild->member_count; i++) {
		struct member *member = &guild->members[i];

		if (member->voice.channel_id != 0 || member->voice.on_node)
			core_push(core, guild, member, now_ms, NULL);
	}
}

// Of an older epoch, it missed the assignment that gave it the guild, and was told to drop it.
static bool claims(const struct node_msg *msg, const struct guild *guild)
{
	for (uint32_t i = 0; i < msg->guild_count; i++)
		if (msg->guilds[i].guild_id == guild->id)
			return msg->guilds[i].epoch >= guild->epoch;
	return false;
}

// What the node served before and does not name any more, it has forgotten.
static void guilds_forgotten(
	struct core *core, struct core_node *node, const struct node_msg *msg, uint64_t now_ms)
{
	for (uint32_t i = 0; node->guild_count > 0 && i < core->model->guild_count; i++) {
		struct guild *guild = &core->model->guilds[i];

		if (guild->node == node && !claims(msg, guild))
			guild_orphan(core, guild, now_ms);
	}
}

static struct core_node *node_add(struct core *core, const struct node_msg *msg)
{
	struct core_node *node;

	if (core->node_count == CORE_NODES_MAX)
		return NULL;
	node = calloc(1, sizeof(*node));
	if (node == NULL)
		return NULL;
	memcpy(node->name, msg->name, sizeof(node->name));
	core->nodes[core->node_count++] = node;
	return node;
}

struct core_node *core_node_register(struct core *core, void *link, const struct node_msg *msg,
	uint64_t now_ms, uint16_t *close_code, const char **why)
{
	struct core_node *node;
	struct node_msg answer = {.op = NODE_OP_REGISTERED, .ping_ms = core->config->ping_ms};

	core->stats.nodes_refused++;
	*close_code = NODE_CLOSE_BAD_SECRET;
	*why = "unknown secret";
	if (!secret_valid(core, msg->secret))
		return NULL;
	*close_code = NODE_CLOSE_CONTRACT;
	*why = "this gateway speaks contract 1";
	if (msg->contract != NODE_CONTRACT)
		return NULL;
	*close_code = 1013;
	*why = "too many nodes";
	node = node_find(core, msg->name);
	if (node == NULL)
		node = node_add(core, msg);
	if (node == NULL)
		return NULL;
	// Two nodes of one name would replace each other for ever. One that is silent is most
	// likely the same, whose end nobody told us of.
	*close_code = NODE_CLOSE_NAME_TAKEN;
	*why = "another node of this name is connected and answers: set node.name";
	if (node->link != NULL && node->unanswered < SILENT_PINGS)
		return NULL;
	if (node->link != NULL) {
		core->output->node_close(core->ctx, node->link, NODE_CLOSE_REPLACED,
			"another node registered with this name, and this one was silent");
		core_node_closed(core, node, now_ms);
	}
	core->stats.nodes_refused--;
	core->stats.nodes_registered++;
	memcpy(node->region, msg->region, sizeof(node->region));
	memcpy(node->endpoint, msg->endpoint, sizeof(node->endpoint));
	memcpy(answer.name, msg->name, sizeof(answer.name));
	node->worker_count = msg->worker_count;
	node->link = link;
	node->unanswered = 0;
	node->next_ping_ms = now_ms + core->config->ping_ms;
	core->output->node_send(core->ctx, link, &answer);
	log_notice("node registered node=%s region=%s guilds=%u", node->name, node->region,
		msg->guild_count);
	for (uint32_t i = 0; i < msg->guild_count; i++)
		guild_claim(core, node, &msg->guilds[i], now_ms);
	guilds_forgotten(core, node, msg, now_ms);
	core_tick(core, now_ms); // guilds that waited for a node
	return node;
}

static void left_received(struct core *core, const struct core_node *node,
	const struct node_msg *msg, uint64_t now_ms)
{
	struct guild *guild = model_guild(core->model, msg->guild_id);
	struct member *member = guild == NULL ? NULL : guild_member(guild, msg->user_id);

	if (member == NULL || guild->node != node || member->voice.channel_id == 0 ||
		strcmp(member->voice.session_id, msg->session_id) != 0)
		return;
	if (member->voice.join_seq != 0 || now_ms < member->voice.token_ms + CORE_LEFT_GRACE_MS)
		return; // the session before the newest token
	member->voice.on_node = false;
	core_left(core, guild, member, now_ms);
}

static void report_received(struct core_node *node, const struct node_msg *msg)
{
	node->budget = (struct core_node_budget){0};
	for (uint32_t i = 0; i < msg->worker_count; i++) {
		node->budget.capacity_pps += msg->workers[i].capacity_pps;
		node->budget.budget_pps += msg->workers[i].budget_pps;
		node->budget.used_pps += msg->workers[i].used_pps;
	}
}

void core_node_message(
	struct core *core, struct core_node *node, const struct node_msg *msg, uint64_t now_ms)
{
	switch (msg->op) {
	case NODE_OP_ACK:
		ack_received(core, node, msg, now_ms);
		break;
	case NODE_OP_PONG:
		if (msg->seq <= node->ping_n && msg->seq + node->unanswered >= node->ping_n)
			node->unanswered = (uint32_t)(node->ping_n - msg->seq);
		break;
	case NODE_OP_LEFT:
		left_received(core, node, msg, now_ms);
		break;
	case NODE_OP_REPORT:
		report_received(node, msg);
		break;
	case NODE_OP_REGISTER: // only as the first frame
	case NODE_OP_REGISTERED:
	case NODE_OP_ASSIGN:
	case NODE_OP_UNASSIGN:
	case NODE_OP_VOICE_STATE:
	case NODE_OP_PING:
	case NODE_OP_UNKNOWN:
	case NODE_OP_COUNT:
		core->stats.node_unknown_ops++;
		break;
	}
}

// --- time ---

static void node_tick(struct core *core, struct core_node *node, uint64_t now_ms)
{
	struct node_msg ping = {.op = NODE_OP_PING};
	uint32_t ping_ms = core->config->ping_ms;

	if (node->link == NULL) {
		if (now_ms >= node->lost_ms + (uint64_t)LOST_PINGS * ping_ms)
			node_dead(core, node, "its connection was lost", now_ms);
		return;
	}
	pendings_fail(core, node, -ETIMEDOUT, "no ack in time", now_ms, now_ms);
	if (now_ms < node->next_ping_ms)
		return;
	if (node->unanswered >= core->config->dead_after_pings) {
		node_dead(core, node, "pings stayed unanswered", now_ms);
		return;
	}
	node->next_ping_ms = now_ms + ping_ms;
	node->unanswered++;
	ping.seq = ++node->ping_n;
	core->output->node_send(core->ctx, node->link, &ping);
}

static void guild_tick(struct core *core, struct guild *guild, uint64_t now_ms)
{
	core_join_tick(core, guild, now_ms);
	if (guild->node == NULL) {
		if (guild->voice_count > 0)
			core_assign(core, guild, now_ms);
		return;
	}
	if (guild->voice_count > 0 || guild->adopted || guild->empty_since_ms == 0 ||
		guild->node->link == NULL || now_ms < guild->empty_since_ms + CORE_EMPTY_LINGER_MS)
		return;
	unassign_send(core, guild->node, guild->id, guild->epoch, now_ms);
	guild_detach(guild);
	guild->empty_since_ms = 0;
}

void core_tick(struct core *core, uint64_t now_ms)
{
	// Backwards: a node that dies is replaced in the array by the last one.
	for (uint32_t i = core->node_count; i > 0; i--)
		node_tick(core, core->nodes[i - 1], now_ms);
	for (uint32_t i = 0; i < core->model->guild_count; i++)
		guild_tick(core, &core->model->guilds[i], now_ms);
}

void core_destroy(struct core *core)
{
	if (core == NULL)
		return;
	for (uint32_t i = 0; i < core->node_count; i++) {
		while (core->nodes[i]->first != NULL) {
			struct core_pending *pending = core->nodes[i]->first;

			pending_unlink(core->nodes[i], pending);
			free(pending);
		}
		free(core->nodes[i]);
	}
	free(core);
}

const char *core_node_name(const struct core_node *node)
{
	return node->name;
}

uint32_t core_nodes(const struct core *core, struct core_node_info *rows, uint32_t max)
{
	for (uint32_t i = 0; i < core->node_count && i < max; i++) {
		const struct core_node *node = core->nodes[i];

		rows[i] = (struct core_node_info){.name = node->name,
			.region = node->region,
			.endpoint = node->endpoint,
			.linked = node->link != NULL,
			.guild_count = node->guild_count,
			.voice_count = node->voice_count,
			.worker_count = node->worker_count,
			.unanswered_pings = node->unanswered,
			.budget = node->budget};
	}
	return core->node_count;
}
