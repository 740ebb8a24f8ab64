// SPDX-License-Identifier: BSD-3-Clause
//
// From a datagram to "the right frame of the right talker, once, in order", or the name of what is
// wrong with it.
#include "load/verify.h"

#include <endian.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "load/hearing.h"
#include "load/swarm.h"

#define DISCOVERY_SIZE 74u
#define RTP_PAYLOAD_TYPE 120u
#define DATAGRAM_SIZE_MAX 2048u

// A datagram after decryption.
struct heard {
	uint32_t ssrc, timestamp;
	uint16_t seq;
	const uint8_t *payload;
	size_t payload_size;
	uint64_t received_ns;
	bool nonce_repeated;
};

static uint32_t get_u32(const uint8_t *from)
{
	uint32_t value;

	memcpy(&value, from, sizeof(value));
	return be32toh(value);
}

static bool source_is_node(const struct bot *bot, const struct sockaddr_storage *source)
{
	if (source->ss_family != bot->media.node.ss_family)
		return false;
	if (source->ss_family == AF_INET) {
		const struct sockaddr_in *a = (const struct sockaddr_in *)source;
		const struct sockaddr_in *b = (const struct sockaddr_in *)&bot->media.node;

		return a->sin_port == b->sin_port && a->sin_addr.s_addr == b->sin_addr.s_addr;
	}

	const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)source;
	const struct sockaddr_in6 *b = (const struct sockaddr_in6 *)&bot->media.node;

	return a->sin6_port == b->sin6_port &&
	       memcmp(&a->sin6_addr, &b->sin6_addr, sizeof(a->sin6_addr)) == 0;
}

// Finds the parts of an opened RTP packet. False: not what a native client accepts.
static bool rtp_parse(const uint8_t *plain, size_t size, struct heard *heard)
{
	size_t offset = 12;

	if (size < offset || (plain[0] & 0x0f) != 0 || (plain[1] & 0x7f) != RTP_PAYLOAD_TYPE)
		return false;
	if ((plain[0] & 0x10) != 0) {
		// rtpsize_client_open() made sure of the preamble.
		offset += 4 + 4 * ((size_t)plain[14] << 8 | plain[15]);
		if (size < offset)
			return false;
	}
	if ((plain[0] & 0x20) != 0) {
		size_t padding_size = plain[size - 1];

		if (padding_size == 0 || padding_size > size - offset)
			return false;
		size -= padding_size;
	}
	heard->seq = (uint16_t)(plain[2] << 8 | plain[3]);
	heard->timestamp = get_u32(plain + 4);
	heard->ssrc = get_u32(plain + 8);
	heard->payload = plain + offset;
	heard->payload_size = size - offset;
	return true;
}

static bool is_foreign(const struct bot_voice *voice, uint32_t ssrc)
{
	for (uint32_t i = 0; i < voice->foreign_count; i++) {
		if (voice->foreign_ssrcs[i] == ssrc)
			return true;
	}
	return false;
}

// The number of the talker's packet with this timestamp, if the talker still remembers it.
static bool number_find(const struct bot *talker, uint32_t timestamp, uint64_t *n)
{
	const struct bot_media *media = &talker->media;
	uint32_t back = media->timestamp - timestamp; // the last packet's minus this one's
	uint64_t session_count = media->sent_count - media->session_n;

	if (back % SPEECH_FRAME_SAMPLES != 0)
		return false;
	back /= SPEECH_FRAME_SAMPLES;
	if (back >= session_count || back >= BOT_SENT_LOG_COUNT)
		return false;
	*n = media->sent_count - 1 - back;
	return true;
}

static bool payload_is(
	const struct bot *talker, const struct bot_sent *sent, const struct heard *heard)
{
	const uint8_t *data = speech_silence;
	size_t size = SPEECH_SILENCE_SIZE;

	if (sent->frame != BOT_SILENCE_FRAME) {
		const struct speech_frame *frame = &talker->swarm->speech->frames[sent->frame];

		data = frame->data;
		size = frame->size;
	}
	return heard->payload_size == size && memcmp(heard->payload, data, size) == 0;
}

// A packet that this receiver is not entitled to. Across guilds that is a leak at once; inside a
// guild the bots learn of mutes and moves a little before or after the node acts, so it is a leak
// if it lasts.
static void trespass(
	struct bot *receiver, const struct bot *talker, struct hearing *hearing, uint64_t now_ns)
{
	struct swarm *swarm = receiver->swarm;

	if (receiver->moves_count == 0 && talker->moves_count == 0 &&
		receiver->channel_id != talker->channel_id) {
		if (swarm->leak_count++ == 0)
			swarm_complain(
				receiver, "LEAK: hears bot %u of another channel", talker->index);
		return;
	}
	if (hearing->suspect_ns == 0)
		hearing->suspect_ns = now_ns;
	if (now_ns - hearing->suspect_ns <= HEARING_GRACE_NS)
		swarm->after_close_count++;
	else if (swarm->leak_count++ == 0)
		swarm_complain(receiver,
			"LEAK: goes on hearing bot %u after a mute, deafen or move", talker->index);
}

static void announcement_check(struct bot *receiver, struct hearing *hearing, uint64_t now_ns)
{
	// Op 5 travels by TCP and may lose the race, but not by much.
	if (hearing->announced)
		return;
	if (hearing->unannounced_ns == 0)
		hearing->unannounced_ns = now_ns;
	if (now_ns - hearing->unannounced_ns > HEARING_GRACE_NS)
		swarm_bad(receiver, SWARM_BAD_UNANNOUNCED);
}

static void latency_record(struct bot *receiver, const struct bot_sent *sent, uint64_t received_ns)
{
	if (received_ns == 0)
		return;

	// The clock may be stepped, but a packet is never here before it left.
	uint64_t us = received_ns > sent->send_ns ? (received_ns - sent->send_ns) / 1000 : 0;

	histogram_record(&receiver->swarm->guilds[receiver->guild_index].second_us, us);
}

static void heard_from(struct bot *receiver, struct bot *talker, const struct heard *heard)
{
	uint64_t n;

	if (talker->guild_index != receiver->guild_index) {
		if (receiver->swarm->leak_count++ == 0)
			swarm_complain(
				receiver, "LEAK: hears bot %u of another guild", talker->index);
		return;
	}
	if (!talker->spec->talks || !number_find(talker, heard->timestamp, &n)) {
		swarm_bad(receiver, SWARM_BAD_TIMESTAMP);
		return;
	}

	const struct bot_sent *sent = &talker->media.sent[n % BOT_SENT_LOG_COUNT];
	struct hearing *hearing = hearing_get(receiver, talker);
	uint64_t now_ns = swarm_clock_ns(CLOCK_MONOTONIC);

	if (hearing == NULL)
		return;
	if (!payload_is(talker, sent, heard)) {
		swarm_bad(receiver, SWARM_BAD_PAYLOAD);
		return;
	}
	announcement_check(receiver, hearing, now_ns);

	enum track_verdict verdict = track_feed(&hearing->track, n, heard->seq);

	// The network may deliver a packet twice; another packet under the same nonce is a crime.
	if (heard->nonce_repeated && verdict != TRACK_DUPLICATE)
		swarm_bad(receiver, SWARM_BAD_NONCE_REPEAT);
	switch (verdict) {
	case TRACK_NEW:
		latency_record(receiver, sent, heard->received_ns);
		break;
	case TRACK_BAD_SEQ:
		swarm_bad(receiver, SWARM_BAD_SEQ);
		break;
	case TRACK_EARLY:
		receiver->swarm->early_count++;
		break;
	case TRACK_LATE:
		trespass(receiver, talker, hearing, now_ns);
		break;
	case TRACK_DUPLICATE:
		break; // the track has counted it
	}
}

static void media_verify(
	struct bot *receiver, const uint8_t *data, size_t size, uint64_t received_ns)
{
	struct bot_media *media = &receiver->media;
	uint8_t plain[DATAGRAM_SIZE_MAX];
	size_t plain_size;
	int status = rtpsize_client_open(&media->cipher, data, size, plain, &plain_size);

	if (status != 0) {
		swarm_bad(receiver, status == -EBADMSG ? SWARM_BAD_TAG : SWARM_BAD_MALFORMED);
		return;
	}

	enum nonce_verdict nonce =
		nonce_check_feed(&media->nonce_check, data + size - RTPSIZE_CLIENT_SUFFIX_SIZE);

	if (nonce == NONCE_CLIENT_SPACE)
		swarm_bad(receiver, SWARM_BAD_NONCE_SPACE);
	if (data[1] >= 192 && data[1] <= 223) {
		receiver->swarm->rtcp_count++;
		// RTP and RTCP share the counter.
		if (nonce == NONCE_REPEATED)
			swarm_bad(receiver, SWARM_BAD_NONCE_REPEAT);
		return;
	}

	struct heard heard = {
		.received_ns = received_ns,
		.nonce_repeated = nonce == NONCE_REPEATED,
	};

	if (!rtp_parse(plain, plain_size, &heard)) {
		swarm_bad(receiver, SWARM_BAD_HEADER);
		return;
	}

	struct bot *talker = swarm_ssrc_find(receiver->swarm, receiver->voice.endpoint, heard.ssrc);

	if (talker != NULL)
		heard_from(receiver, talker, &heard);
	else if (nonce == NONCE_REPEATED)
		swarm_bad(receiver, SWARM_BAD_NONCE_REPEAT);
	else if (is_foreign(&receiver->voice, heard.ssrc))
		receiver->swarm->foreign_count++;
	else
		swarm_bad(receiver, SWARM_BAD_UNKNOWN_SSRC);
}

void verify_datagram(struct bot *receiver, const uint8_t *data, size_t size,
	const struct sockaddr_storage *source, uint64_t received_ns)
{
	if (!source_is_node(receiver, source)) {
		swarm_bad(receiver, SWARM_BAD_SOURCE);
		return;
	}
	if (size == DISCOVERY_SIZE && data[0] == 0 && data[1] <= 2) {
		// The answer to a repeated request may come after the first one's.
		if (receiver->voice.state == BOT_VOICE_DISCOVERING)
			bot_media_discovered(receiver, data);
		return;
	}
	if (!receiver->media.keyed)
		receiver->swarm->unkeyed_count++; // it came before op 4, so we cannot read it
	else
		media_verify(receiver, data, size, received_ns);
}
