// SPDX-License-Identifier: BSD-3-Clause
//
// See peer.h.

#include "support/peer.h"

#include <stdlib.h>
#include <string.h>

#include "api/dp_assert.h"
#include "crypto/suite.h"

#define WINDOW_SIZE 1024

static srtp_t make_side(const struct client *c, srtp_ssrc_type_t direction)
{
	uint8_t master[DP_KEY_SIZE_MAX + DP_SALT_SIZE_MAX];
	const struct suite *suite = suite_get(c->suite);
	srtp_policy_t policy = {0};
	srtp_t side = NULL;

	if (c->suite == DP_SUITE_AES128_GCM)
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
	else if (c->suite == DP_SUITE_AES256_GCM)
		srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtp);
	else
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
	policy.rtcp = policy.rtp;
	policy.ssrc.type = direction;
	policy.window_size = WINDOW_SIZE;
	policy.allow_repeat_tx = 1; // tests say a number again with other bytes
	memcpy(master, c->key, suite->key_size);
	memcpy(master + suite->key_size, c->salt, suite->salt_size);
	policy.key = master;
	DP_ASSERT(srtp_create(&side, &policy) == srtp_err_status_ok);
	return side;
}

static void make_sides(struct peer *p)
{
	if (!dp_suite_is_srtp(p->client.suite))
		return;
	p->tx = make_side(&p->client, ssrc_any_outbound);
	p->rx = make_side(&p->client, ssrc_any_inbound);
}

static void drop_sides(struct peer *p)
{
	if (p->tx != NULL)
		DP_ASSERT(srtp_dealloc(p->tx) == srtp_err_status_ok);
	if (p->rx != NULL)
		DP_ASSERT(srtp_dealloc(p->rx) == srtp_err_status_ok);
	p->tx = p->rx = NULL;
	for (unsigned i = 0; i < PEER_STREAMS_MAX; i++)
		free(p->heard[i].seen);
	memset(p->heard, 0, sizeof(p->heard));
}

void peer_init(struct peer *p, struct node *n, uint32_t worker, uint32_t slot,
	struct dp_handle guild, struct dp_handle room, enum dp_suite suite)
{
	static bool started;

	if (!started)
		DP_ASSERT(srtp_init() == srtp_err_status_ok);
	started = true;
	memset(p, 0, sizeof(*p));
	client_init(&p->client, n, worker, slot, guild, room, suite);
	make_sides(p);
}

void peer_fini(struct peer *p)
{
	drop_sides(p);
	client_fini(&p->client);
}

void peer_rekey(struct peer *p)
{
	drop_sides(p);
	client_expand(&p->client);
	p->client.last_number = 0;
	make_sides(p);
}

static void put(uint8_t *at, uint32_t value, unsigned size)
{
	while (size-- > 0)
		*at++ = (uint8_t)(value >> 8 * size);
}

static uint32_t get(const uint8_t *at, unsigned size)
{
	uint32_t value = 0;

	while (size-- > 0)
		value = value << 8 | *at++;
	return value;
}

// The packet in clear; returns the size of what rtpsize leaves in clear.
static uint32_t write_clear(const struct client *c, const struct peer_packet *packet, uint8_t *out)
{
	uint32_t size = 12;

	out[0] = (uint8_t)(0x80 | (packet->ext_words >= 0 ? 0x10 : 0) | packet->csrc_count);
	out[1] = (uint8_t)((packet->marker ? 0x80 : 0) | DP_OPUS_PAYLOAD_TYPE);
	put(out + 2, packet->seq, 2);
	put(out + 4, packet->timestamp, 4);
	put(out + 8, c->ssrc, 4);
	memset(out + size, 0x5a, packet->csrc_count * 4u);
	size += packet->csrc_count * 4u;
	if (packet->ext_words >= 0) {
		put(out + size, packet->ext_profile, 2);
		put(out + size + 2, (uint32_t)packet->ext_words, 2);
		size += 4;
	}
	memcpy(out + size, packet->clear, packet->clear_size);
	return size;
}

uint32_t peer_seal(struct peer *p, const struct peer_packet *packet, uint8_t *out)
{
	struct client *c = &p->client;
	uint32_t header_size = write_clear(c, packet, out);
	int size = (int)(header_size + packet->clear_size);
	struct seal_job job = {.key = c->expanded,
		.src = packet->clear,
		.dst = out + header_size,
		.aad = out,
		.src_size = packet->clear_size,
		.aad_size = (uint16_t)header_size};

	if (p->tx != NULL) {
		DP_ASSERT(srtp_protect(p->tx, out, &size) == srtp_err_status_ok);
		return (uint32_t)size;
	}
	put(job.iv, ++c->suffix, 4);
	suite_get(c->suite)->seal(c->node->crypto, &(struct seal_job *){&job}, 1);
	return (uint32_t)size + DP_RTPSIZE_OVERHEAD;
}

struct peer_heard *peer_heard(struct peer *p, uint32_t ssrc)
{
	unsigned i = 0;

	while (i < PEER_STREAMS_MAX && p->heard[i].ssrc != ssrc && p->heard[i].ssrc != 0)
		i++;
	DP_ASSERT(i < PEER_STREAMS_MAX);
	p->heard[i].ssrc = ssrc;
	return &p->heard[i];
}

void peer_expect_roc(struct peer *p, uint32_t ssrc, uint32_t roc)
{
	DP_ASSERT(srtp_set_stream_roc(p->rx, ssrc, roc) == srtp_err_status_ok);
	peer_heard(p, ssrc)->newest = (uint64_t)roc << 16;
}

// The library says the newest packet's counter; a late one's is that, or the one before.
static uint64_t index_of(const struct peer *p, uint32_t ssrc, uint16_t seq, uint64_t newest)
{
	uint32_t roc;
	uint64_t index;

	DP_ASSERT(srtp_get_stream_roc(p->rx, ssrc, &roc) == srtp_err_status_ok);
	index = (uint64_t)roc << 16 | seq;
	return index > newest + 0x8000 && index >= 0x10000 && roc == newest >> 16 ? index - 0x10000
										  : index;
}

static void note_srtp(struct peer_heard *h, uint64_t index)
{
	uint32_t at = (uint32_t)(index % PEER_SEEN_COUNT);

	if (h->seen == NULL)
		h->seen = calloc(PEER_SEEN_COUNT / 8, 1);
	DP_ASSERT(h->seen != NULL);
	DP_ASSERT(!(h->seen[at / 8] & 1u << at % 8)); // a nonce twice
	h->seen[at / 8] |= (uint8_t)(1u << at % 8);
	if (h->count++ == 0 || index > h->newest)
		h->newest = index;
}

static bool open_srtp(struct peer *p, const struct node_datagram *d, struct peer_packet *out)
{
	uint8_t pkt[DP_PAYLOAD_SIZE_MAX];
	int size = (int)d->payload_size;
	uint32_t header_size = 12;
	struct peer_heard *h;

	memcpy(pkt, d->payload, d->payload_size);
	if (srtp_unprotect(p->rx, pkt, &size) != srtp_err_status_ok)
		return false;
	*out = (struct peer_packet){.ssrc = get(pkt + 8, 4),
		.timestamp = get(pkt + 4, 4),
		.seq = (uint16_t)get(pkt + 2, 2),
		.marker = pkt[1] & 0x80,
		.csrc_count = pkt[0] & 0x0f,
		.ext_words = PEER_NO_EXT};
	DP_ASSERT(out->csrc_count == 0 && (pkt[1] & 0x7f) == DP_OPUS_PAYLOAD_TYPE);
	if (pkt[0] & 0x10) {
		out->ext_profile = (uint16_t)get(pkt + 12, 2);
		out->ext_words = (int)get(pkt + 14, 2);
		header_size = 16;
	}
	out->clear_size = (uint16_t)((uint32_t)size - header_size);
	memcpy(out->clear, pkt + header_size, out->clear_size);
	h = peer_heard(p, out->ssrc);
	out->index = index_of(p, out->ssrc, out->seq, h->newest);
	note_srtp(h, out->index);
	return true;
}

bool peer_open(struct peer *p, const struct node_datagram *d, struct peer_packet *out)
{
	struct client_packet native;
	struct peer_heard *h;

	if (p->rx != NULL)
		return open_srtp(p, d, out);
	if (!client_open(&p->client, d, &native))
		return false;
	*out = (struct peer_packet){.index = native.seq,
		.ssrc = native.ssrc,
		.timestamp = native.timestamp,
		.seq = native.seq,
		.marker = native.marker,
		.ext_words = PEER_NO_EXT,
		.clear_size = (uint16_t)native.clear_size};
	if (native.has_ext) {
		out->ext_profile = (uint16_t)get(d->payload + 12, 2);
		out->ext_words = (int)get(d->payload + 14, 2);
	}
	memcpy(out->clear, native.clear, native.clear_size);
	h = peer_heard(p, out->ssrc);
	h->newest = native.seq;
	h->count++;
	return true;
}
