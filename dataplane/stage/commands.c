// SPDX-License-Identifier: BSD-3-Clause
//
// Stage 0, commands: control's wishes, applied between two bursts, each answered by an ACK. The
// main thread has checked every field's range (host/control_link.c) and refused what is out of it.

#include <errno.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>
#include <string.h>

#include "api/dp_assert.h"
#include "session/guild.h"
#include "session/leg.h"
#include "session/receiver.h"
#include "session/room.h"
#include "session/session.h"
#include "stage/stages.h"
#include "worker/worker.h"

static int session_key(struct worker *w, const struct dp_session_key *cmd)
{
	uint32_t slot = session_slot(w, cmd->session);

	return slot == INDEX_NONE ? -ESTALE : receiver_set_key(w, slot, cmd);
}

static int session_hint(struct worker *w, const struct dp_session_hint *cmd)
{
	uint32_t slot = session_slot(w, cmd->session);

	if (slot == INDEX_NONE)
		return -ESTALE;
	receiver_hinted(w, slot, &cmd->address);
	return 0;
}

static int session_remove(struct worker *w, const struct dp_session_remove *cmd)
{
	uint32_t slot = session_slot(w, cmd->session);

	if (slot == INDEX_NONE)
		return -ESTALE;
	session_remove_slot(w, slot);
	return 0;
}

static int command_apply(struct worker *w, const union dp_msg *cmd)
{
	switch ((enum dp_msg_type)cmd->header.type) {
	case DP_MSG_GUILD_OPEN:
		return guild_open(w, &cmd->dp_guild_open);
	case DP_MSG_GUILD_CLOSE:
		return guild_close(w, cmd->dp_guild_close.guild);
	case DP_MSG_ROOM_OPEN:
		return room_open(w, &cmd->dp_room_open);
	case DP_MSG_ROOM_SET:
		return room_set(w, &cmd->dp_room_set);
	case DP_MSG_ROOM_CLOSE:
		return room_close(w, cmd->dp_room_close.room);
	case DP_MSG_SESSION_ADD:
		return session_add(w, &cmd->dp_session_add);
	case DP_MSG_SESSION_KEY:
		return session_key(w, &cmd->dp_session_key);
	case DP_MSG_SESSION_HINT:
		return session_hint(w, &cmd->dp_session_hint);
	case DP_MSG_SESSION_SET:
		return session_set(w, &cmd->dp_session_set);
	case DP_MSG_SESSION_REMOVE:
		return session_remove(w, &cmd->dp_session_remove);
	case DP_MSG_REPLAYED:
		return leg_forget_orphans(w);
	case DP_MSG_NONE:
	case DP_MSG_HELLO:
	case DP_MSG_PEER_DOWN:
	case DP_MSG_ACK:
	case DP_MSG_DEVICE:
	case DP_MSG_TYPE_END:
		break;
	}
	DP_ASSERT(!"the main thread routes commands only");
	return -EINVAL;
}

static void acknowledge(struct worker *w, const union dp_msg *cmd, int error)
{
	struct dp_ack ack = {
		.header = {.seq = cmd->header.seq,
			.type = DP_MSG_ACK,
			.size = sizeof(ack),
			.worker = w->params.index},
		.error = error,
	};

	// The main thread keeps no more commands in flight than the ring has places.
	if (rte_ring_sp_enqueue_elem(w->params.rings[w->params.index].event, &ack, sizeof(ack)) !=
		0)
		worker_count_add(w, DP_COUNTER_EVENTS_DROPPED, 1);
	worker_count_add(w, DP_COUNTER_COMMANDS, 1);
	if (error < 0)
		worker_count_add(w, DP_COUNTER_COMMANDS_REFUSED, 1);
}

// Takes one command and wipes its place in the ring: it may have carried a key. The place is ours
// until the next one is taken, since a full ring still lacks one element.
static bool take_command(struct rte_ring *ring, union dp_msg *cmd)
{
	uint32_t at = ring->cons.head & ring->mask;

	if (rte_ring_sc_dequeue_elem(ring, cmd, sizeof(*cmd)) != 0)
		return false;
	explicit_bzero((union dp_msg *)(void *)&ring[1] + at, sizeof(*cmd));
	return true;
}

unsigned commands_apply(struct worker *w)
{
	struct rte_ring *ring = w->params.rings[w->params.index].command;
	union dp_msg cmd;
	unsigned count = 0;
	int error;

	if (w->unfinished.header.type == DP_MSG_NONE && rte_ring_empty(ring))
		return 0;
	while (count < DP_CMDS_PER_TURN_MAX) {
		if (w->unfinished.header.type != DP_MSG_NONE)
			cmd = w->unfinished;
		else if (!take_command(ring, &cmd))
			break;
		DP_ASSERT(cmd.header.worker == w->params.index);
		count++;
		error = command_apply(w, &cmd);
		if (error == -EINPROGRESS) { // there is much to do; the next turn goes on
			w->unfinished = cmd;
			break;
		}
		w->unfinished.header.type = DP_MSG_NONE;
		acknowledge(w, &cmd, error);
	}
	explicit_bzero(&cmd, sizeof(cmd));
	return count;
}
