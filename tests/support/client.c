// SPDX-License-Identifier: BSD-3-Clause
//
// Native clients of a node without a device.

#include <stdlib.h>
#include <string.h>

#include "api/dp_assert.h"
#include "crypto/nonce.h"
#include "crypto/suite.h"
#include "support/node.h"

void client_init(struct client *c, struct node *n, uint32_t worker, uint32_t slot,
	struct dp_handle guild, struct dp_handle room, enum dp_suite suite)
{
	*c = (struct client){.node = n,
		.worker = worker,
		.session = {.index = slot, .generation = 1},
		.guild = guild,
		.room = room,
		.ssrc = (0x100 + slot + worker * 4096) * DP_SSRCS_PER_SESSION,
		.suite = suite,
		.key_id = 1,
		.seq = (uint16_t)(1000 * slot + 7),
		.timestamp = slot};
	for (unsigned i = 0; i < sizeof(c->key); i++)
		c->key[i] = (uint8_t)(slot * 31 + worker * 101 + i);
	for (unsigned i = 0; i < sizeof(c->salt) && dp_suite_is_srtp(suite); i++)
		c->salt[i] = (uint8_t)(slot * 37 + worker * 103 + i);
	c->address = packet_addr("198.51.100.1", (uint16_t)(10000 + slot));
	c->address.ip[3] = (uint8_t)(1 + slot % 250);
	c->server = packet_addr("192.0.2.1", (uint16_t)(NODE_FIRST_PORT + worker));
	memcpy(c->mac, (uint8_t[6]){0x02, 1, 0, 0, (uint8_t)(slot >> 8), (uint8_t)slot}, 6);
	c->expanded = aligned_alloc(DP_CACHE_LINE, sizeof(*c->expanded));
	memset(c->expanded, 0, sizeof(*c->expanded));
	client_expand(c);
}

void client_expand(struct client *c)
{
	suite_key_wipe(c->node->crypto, c->expanded);
	DP_ASSERT(suite_get(c->suite)->key_expand(c->node->crypto, c->expanded, c->key, c->salt) ==
		  0);
}

void client_fini(struct client *c)
{
	free(c->expanded);
	c->expanded = NULL;
}

int client_add(struct client *c)
{
	union dp_msg cmd = {.dp_session_add = {.session = c->session,
				    .guild = c->guild,
				    .room = c->room,
				    .ssrc = c->ssrc,
				    .flags = c->flags}};

	return node_command(c->node, c->worker, DP_MSG_SESSION_ADD, &cmd);
}

int client_key(struct client *c)
{
	union dp_msg cmd = {
		.dp_session_key = {.session = c->session, .key_id = c->key_id, .suite = c->suite}};

	memcpy(cmd.dp_session_key.key, c->key, sizeof(c->key));
	memcpy(cmd.dp_session_key.salt, c->salt, sizeof(c->salt));
	return node_command(c->node, c->worker, DP_MSG_SESSION_KEY, &cmd);
}

int client_set(struct client *c, struct dp_handle room, uint32_t flags)
{
	union dp_msg cmd = {
		.dp_session_set = {.session = c->session, .room = room, .flags = flags}};
	int ret = node_command(c->node, c->worker, DP_MSG_SESSION_SET, &cmd);

	if (ret == 0) {
		c->room = room;
		c->flags = flags;
	}
	return ret;
}

int client_hint(struct client *c)
{
	union dp_msg cmd = {.dp_session_hint = {.session = c->session, .address = c->address}};

	return node_command(c->node, c->worker, DP_MSG_SESSION_HINT, &cmd);
}

void client_send_raw(struct client *c, const uint8_t *pkt, uint32_t size)
{
	uint8_t frame[PACKET_FRAME_SIZE_MAX];
	struct packet_udp udp = {.source = c->address,
		.target = c->server,
		.payload = pkt,
		.payload_size = (uint16_t)size};

	memcpy(udp.source_mac, c->mac, 6);
	memcpy(udp.target_mac, c->node->host.mac, 6);
	DP_ASSERT(node_inject(c->node, c->worker, frame, packet_udp(frame, &udp)));
}

bool client_is_target(const struct client *c, const struct node_datagram *d)
{
	return memcmp(&d->target, &c->address, sizeof(d->target)) == 0;
}

bool client_discover(struct client *c)
{
	uint8_t request[DP_IP_DISCOVERY_SIZE] = {0, 1, 0, 70, (uint8_t)(c->ssrc >> 24),
		(uint8_t)(c->ssrc >> 16), (uint8_t)(c->ssrc >> 8), (uint8_t)c->ssrc};
	struct node_datagram d;

	client_send_raw(c, request, sizeof(request));
	node_turn(c->node);
	if (!node_take(c->node, &d))
		return false;
	DP_ASSERT(client_is_target(c, &d) && memcmp(d.target_mac, c->mac, 6) == 0);
	DP_ASSERT(d.payload_size == sizeof(request) && d.payload[1] == 2);
	DP_ASSERT(memcmp(d.payload + 4, request + 4, 4) == 0);
	DP_ASSERT((d.payload[72] << 8 | d.payload[73]) == c->address.port);
	{
		struct dp_addr told = packet_addr((const char *)d.payload + 8, c->address.port);

		DP_ASSERT(memcmp(&told, &c->address, sizeof(told)) == 0);
	}
	return true;
}

void client_join(struct client *c)
{
	DP_ASSERT(client_add(c) == 0);
	DP_ASSERT(client_key(c) == 0);
	DP_ASSERT(client_discover(c));
	DP_ASSERT(client_hint(c) == 0);
}

static void put32(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 24);
	at[1] = (uint8_t)(value >> 16);
	at[2] = (uint8_t)(value >> 8);
	at[3] = (uint8_t)value;
}

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

uint32_t client_seal(
	struct client *c, uint16_t seq, const void *payload, uint32_t size, uint8_t *pkt)
{
	uint8_t clear[DP_PAYLOAD_SIZE_MAX], *at = clear;
	uint32_t header_size = c->ext ? 16 : 12;
	struct seal_job job, *jobs = &job;

	pkt[0] = c->ext ? 0x90 : 0x80;
	pkt[1] = DP_OPUS_PAYLOAD_TYPE;
	pkt[2] = (uint8_t)(seq >> 8);
	pkt[3] = (uint8_t)seq;
	put32(pkt + 4, c->timestamp);
	put32(pkt + 8, c->ssrc);
	if (c->ext) {
		memcpy(pkt + 12, (uint8_t[4]){0xbe, 0xde, 0, 1}, 4);
		memcpy(at, (uint8_t[4]){0x10, 0x85, 0x90, 0x02}, 4); // audio level, speaker
		at += 4;
	}
	memcpy(at, payload, size);
	at += size;
	job = (struct seal_job){.key = c->expanded,
		.src = clear,
		.dst = pkt + header_size,
		.aad = pkt,
		.src_size = (uint16_t)(at - clear),
		.aad_size = (uint16_t)header_size};
	c->suffix++;
	put32(job.iv, c->is_little ? __builtin_bswap32(c->suffix) : c->suffix);
	suite_get(c->suite)->seal(c->node->crypto, &jobs, 1);
	return header_size + job.src_size + DP_RTPSIZE_OVERHEAD;
}

uint16_t client_say(struct client *c, const void *payload, uint32_t size)
{
	uint8_t pkt[DP_PAYLOAD_SIZE_MAX];

	client_send_raw(c, pkt, client_seal(c, c->seq, payload, size, pkt));
	c->timestamp += 960;
	return c->seq++;
}

// Number of a suffix of the server's space: the inverse of nonce_suffix().
static uint32_t server_number(const uint8_t s[4])
{
	uint32_t number = (uint32_t)(s[0] & 0x7f) << 23 | (uint32_t)s[1] << 15 |
			  (uint32_t)s[2] << 7 | (s[3] & 0x7fu);
	uint8_t again[4];

	DP_ASSERT((s[0] & 0x80) && (s[3] & 0x80));
	nonce_suffix(number, again);
	DP_ASSERT(memcmp(again, s, 4) == 0);
	return number;
}

bool client_open(struct client *c, const struct node_datagram *d, struct client_packet *out)
{
	uint8_t pkt[DP_PAYLOAD_SIZE_MAX];
	struct open_job job, *jobs = &job;
	uint32_t header_size, number;

	if (d->payload_size < 12 + DP_RTPSIZE_OVERHEAD || d->payload[1] < 64)
		return false;
	memcpy(pkt, d->payload, d->payload_size);
	DP_ASSERT((pkt[0] & 0x0f) == 0); // stock clients refuse CSRCs
	header_size = pkt[1] == 200 ? 8 : pkt[0] & 0x10 ? 16 : 12;
	job = (struct open_job){.key = c->expanded,
		.pkt = pkt,
		.size = (uint16_t)d->payload_size,
		.aad_size = (uint16_t)header_size};
	suite_get(c->suite)->open(c->node->crypto, &jobs, 1);
	if (job.verdict != DP_OK)
		return false;
	number = server_number(d->payload + d->payload_size - 4) + 1;
	DP_ASSERT(number > c->last_number);
	c->last_number = number;
	*out = (struct client_packet){.ssrc = get32(pkt + (header_size == 8 ? 4 : 8)),
		.seq = (uint16_t)(pkt[2] << 8 | pkt[3]),
		.timestamp = get32(pkt + 4),
		.payload_type = pkt[1] & 0x7f,
		.marker = pkt[1] & 0x80,
		.has_ext = header_size == 16,
		.clear_size = d->payload_size - header_size - DP_RTPSIZE_OVERHEAD};
	memcpy(out->clear, pkt + header_size, out->clear_size);
	return true;
}
