// SPDX-License-Identifier: BSD-3-Clause
//
// See command_check.h.

#include "host/command_check.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static bool is_handle(const struct dp_handle *handle, uint32_t count)
{
	return handle->generation != 0 && handle->index < count;
}

static bool is_handle_or_none(const struct dp_handle *handle, uint32_t count)
{
	return handle->generation == 0 || handle->index < count;
}

static bool is_address(const struct dp_addr *address)
{
	static const uint8_t zeros[12];

	if (address->port == 0 || address->reserved != 0)
		return false;
	if (address->family == 4)
		return memcmp(address->ip + 4, zeros, sizeof(zeros)) == 0;
	return address->family == 6;
}

// Of the other workers.
static bool is_peers(uint64_t peers, unsigned worker, const struct command_limits *limits)
{
	return (peers & 1ull << worker) == 0 &&
	       (limits->worker_count >= 64 || peers >> limits->worker_count == 0);
}

static bool is_room_open(const struct dp_room_open *open, const struct command_limits *limits)
{
	return is_handle(&open->room, limits->room_count) &&
	       is_handle(&open->guild, limits->guild_count) &&
	       is_peers(open->peers, open->header.worker, limits) &&
	       (open->peers == 0 || open->channel_id != 0);
}

static bool is_session_add(const struct dp_session_add *add, const struct command_limits *limits)
{
	return is_handle(&add->session, limits->session_count) &&
	       is_handle(&add->guild, limits->guild_count) &&
	       is_handle_or_none(&add->room, limits->room_count) && add->ssrc != 0 &&
	       add->ssrc % DP_SSRCS_PER_SESSION == 0 && (add->flags & ~DP_SESSION_FLAGS) == 0;
}

static bool is_session_key(const struct dp_session_key *key, const struct command_limits *limits)
{
	return is_handle(&key->session, limits->session_count) && key->key_id != 0 &&
	       key->suite > DP_SUITE_NONE && key->suite < DP_SUITE_COUNT;
}

static bool is_session_set(const struct dp_session_set *set, const struct command_limits *limits)
{
	return is_handle(&set->session, limits->session_count) &&
	       is_handle_or_none(&set->room, limits->room_count) &&
	       (set->flags & ~DP_SESSION_FLAGS) == 0;
}

static bool is_command(const union dp_msg *msg, const struct command_limits *limits)
{
	switch ((enum dp_msg_type)msg->header.type) {
	case DP_MSG_GUILD_OPEN:
		return is_handle(&msg->dp_guild_open.guild, limits->guild_count);
	case DP_MSG_GUILD_CLOSE:
		return is_handle(&msg->dp_guild_close.guild, limits->guild_count);
	case DP_MSG_ROOM_OPEN:
		return is_room_open(&msg->dp_room_open, limits);
	case DP_MSG_ROOM_SET:
		return is_handle(&msg->dp_room_set.room, limits->room_count) &&
		       is_peers(msg->dp_room_set.peers, msg->header.worker, limits);
	case DP_MSG_ROOM_CLOSE:
		return is_handle(&msg->dp_room_close.room, limits->room_count);
	case DP_MSG_SESSION_ADD:
		return is_session_add(&msg->dp_session_add, limits);
	case DP_MSG_SESSION_KEY:
		return is_session_key(&msg->dp_session_key, limits);
	case DP_MSG_SESSION_HINT:
		return is_handle(&msg->dp_session_hint.session, limits->session_count) &&
		       is_address(&msg->dp_session_hint.address);
	case DP_MSG_SESSION_SET:
		return is_session_set(&msg->dp_session_set, limits);
	case DP_MSG_SESSION_REMOVE:
		return is_handle(&msg->dp_session_remove.session, limits->session_count);
	case DP_MSG_REPLAYED:
		return true;
	case DP_MSG_NONE:
	case DP_MSG_HELLO:
	case DP_MSG_PEER_DOWN:
	case DP_MSG_ACK:
	case DP_MSG_DEVICE:
	case DP_MSG_TYPE_END:
		break;
	}
	return false;
}

int command_check(const union dp_msg *msg, size_t size, const struct command_limits *limits)
{
	if (size < sizeof(msg->header) || msg->header.size != size ||
		dp_msg_size(msg->header.type) != size)
		return -EINVAL;
	if (msg->header.worker >= limits->worker_count)
		return -EINVAL;
	return is_command(msg, limits) ? 0 : -EINVAL;
}
