// SPDX-License-Identifier: BSD-3-Clause
//
// Random packets and random commands through the whole route, interleaved: raw frames, datagrams of
// a member, packets that a member sealed itself (so that what is behind authentication is reached),
// and commands that pass the main thread's check. After each input every ledger balances and every
// mbuf is home; what the node sends is well-formed and goes only to members. Members live on two
// workers and begin in one room over both.

#include <rte_mbuf.h>
#include <string.h>

#include "api/dp_assert.h"
#include "host/command_check.h"
#include "session/guild.h"
#include "support/node.h"
#include "table/extents.h"

#define MEMBERS 4u
#define OPS_MAX 64u

static struct node node;
static struct client member[MEMBERS];
static const struct dp_handle guild = {1, 1}, room = {1, 1};

struct input {
	const uint8_t *at;
	size_t left;
};

static uint8_t take_byte(struct input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->at++;
}

// At most 'size_max' bytes, as many as the input says.
static uint32_t take_bytes(struct input *in, uint8_t *out, uint32_t size_max)
{
	uint32_t size = (uint32_t)(take_byte(in) << 8 | take_byte(in)) % (size_max + 1);

	if (size > in->left)
		size = (uint32_t)in->left;
	memcpy(out, in->at, size);
	in->at += size;
	in->left -= size;
	return size;
}

// Closes whatever the last input left: then nothing of it may be held any more.
static void clear(struct worker *w)
{
	for (uint32_t i = 0; i < w->guild_count; i++) {
		union dp_msg cmd = {.dp_guild_close = {.guild = {i, w->guilds[i].generation}}};

		if (w->guilds[i].generation != 0)
			DP_ASSERT(node_command(&node, w->params.index, DP_MSG_GUILD_CLOSE, &cmd) ==
				  0);
	}
	DP_ASSERT(w->shm->guilds == 0 && w->shm->sessions == 0 && w->spread_count == 0);
	DP_ASSERT(w->extents->free_units == w->extents->unit_count);
	memset(w->session_shm, 0, w->session_count * sizeof(w->session_shm[0]));
	// Or the members' discoveries, the same in every input, would soon be too many.
	memset(w->discovery, 0, (w->discovery_mask + 1ul) * sizeof(w->discovery[0]));
}

static void begin(void)
{
	const struct node_geometry geometry = {.worker_count = 2,
		.guild_count = 4,
		.session_count = 8,
		.leg_count = 16,
		.remote_count = 2};

	if (node.worker_count == 0)
		node_init(&node, &geometry);
	for (unsigned w = 0; w < 2; w++) { // one room over both
		DP_ASSERT(node_guild(&node, w, guild) == 0);
		DP_ASSERT(node_room_part(&node, w, guild, room, 7, 1ull << (1 - w)) == 0);
	}
	for (unsigned i = 0; i < MEMBERS; i++) {
		client_init(&member[i], &node, i / 2, i, guild, room,
			i % 2 ? DP_SUITE_XCHACHA20_RTPSIZE : DP_SUITE_AES256_GCM_RTPSIZE);
		client_join(&member[i]);
	}
}

static void inject_frame(struct input *in)
{
	uint8_t frame[PACKET_FRAME_SIZE_MAX];
	uint32_t size = take_bytes(in, frame, 1600);

	if (size > 0)
		(void)node_inject(&node, take_byte(in) % 2, frame, size);
}

static void inject_datagram(struct input *in)
{
	uint8_t pkt[DP_PAYLOAD_SIZE_MAX];
	struct client *c = &member[take_byte(in) % MEMBERS];

	client_send_raw(c, pkt, take_bytes(in, pkt, sizeof(pkt)));
}

// The input is the clear packet; the member's key seals it behind 'aad_size' bytes.
static void inject_sealed(struct input *in)
{
	uint8_t clear[1024], pkt[1024 + DP_RTPSIZE_OVERHEAD];
	struct client *c = &member[take_byte(in) % MEMBERS];
	uint32_t aad_size = take_byte(in) % 3 == 0 ? 8 : 12, size;
	struct seal_job job, *jobs = &job;

	if (take_byte(in) % 4 == 0)
		aad_size += 4;
	memset(clear, 0, sizeof(clear));
	size = take_bytes(in, clear, sizeof(clear));
	if (size < aad_size)
		size = aad_size;
	memcpy(pkt, clear, aad_size);
	for (unsigned i = 0; i < 4; i++) // its own SSRC, or nobody would look further
		pkt[(aad_size == 8 ? 4 : 8) + i] = (uint8_t)(c->ssrc >> (24 - 8 * i));
	job = (struct seal_job){.key = c->expanded,
		.src = clear + aad_size,
		.dst = pkt + aad_size,
		.aad = pkt,
		.src_size = (uint16_t)(size - aad_size),
		.aad_size = (uint16_t)aad_size,
		.iv = {1, 2, 3, 4}};
	suite_get(c->suite)->seal(node.crypto, &jobs, 1);
	client_send_raw(c, pkt, size + DP_RTPSIZE_OVERHEAD);
}

static void command(struct input *in)
{
	const struct command_limits limits = {
		.worker_count = 2, .guild_count = 4, .session_count = 8, .room_count = 8};
	union dp_msg cmd;

	memset(&cmd, 0, sizeof(cmd));
	(void)take_bytes(in, (uint8_t *)&cmd, sizeof(cmd));
	cmd.header.type = (uint16_t)(DP_MSG_GUILD_OPEN + take_byte(in) % 11);
	cmd.header.size = dp_msg_size(cmd.header.type);
	cmd.header.worker %= 2;
	if (command_check(&cmd, cmd.header.size, &limits) == 0)
		(void)node_command(&node, cmd.header.worker, cmd.header.type, &cmd);
}

static void check(void)
{
	struct node_datagram d;

	node_turn(&node);
	while (node_take(&node, &d))
		DP_ASSERT(d.payload_size <= DP_PAYLOAD_SIZE_MAX);
	node_check_ledger(&node);
	DP_ASSERT(rte_mempool_in_use_count(node.pool) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {.at = data, .left = size};

	begin();
	for (unsigned op = 0; op < OPS_MAX && in.left > 0; op++) {
		switch (take_byte(&in) % 6) {
		case 0:
			inject_frame(&in);
			break;
		case 1:
			inject_datagram(&in);
			break;
		case 2:
		case 3:
			inject_sealed(&in);
			break;
		case 4:
			command(&in);
			break;
		default:
			if (take_byte(&in) % 16 == 0)
				node_restart(&node);
			else
				client_say(&member[op % MEMBERS], "speech", 6);
		}
		check();
	}
	for (uint32_t i = 0; i < node.worker_count; i++)
		clear(node.workers[i]);
	for (unsigned i = 0; i < MEMBERS; i++)
		client_fini(&member[i]);
	return 0;
}
