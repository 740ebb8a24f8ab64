// SPDX-License-Identifier: BSD-3-Clause
//
// A bot's UDP side: socket, IP discovery, keepalives, and sending speech. Receiving is receive.c
// and verify.c.
//
// The socket is not connected: that a datagram comes from the node is a thing to check, not one to
// have the kernel filter.
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "load/bot.h"
#include "load/receive.h"
#include "load/swarm.h"

#define DISCOVERY_SIZE 74u
#define DISCOVERY_RETRY_MS 1000u
#define DISCOVERY_SENT_MAX 5u
#define KEEPALIVE_MS 5000u
#define RTP_HEADER_SIZE 12u
#define RTP_PAYLOAD_TYPE 120u
#define RECEIVE_BUFFER_SIZE (1 << 20) // bytes; the kernel may give less

static void put_u16(uint8_t *to, uint16_t value)
{
	value = htobe16(value);
	memcpy(to, &value, sizeof(value));
}

static void put_u32(uint8_t *to, uint32_t value)
{
	value = htobe32(value);
	memcpy(to, &value, sizeof(value));
}

static bool datagram_send(struct bot *bot, const uint8_t *data, size_t size)
{
	struct bot_media *media = &bot->media;

	if (sendto(media->fd, data, size, MSG_DONTWAIT, (const struct sockaddr *)&media->node,
		    media->node_size) == (ssize_t)size)
		return true;
	bot->swarm->send_error_count++;
	return false;
}

static void discovery_send(void *arg)
{
	struct bot *bot = arg;
	struct bot_media *media = &bot->media;
	uint8_t request[DISCOVERY_SIZE] = {0};

	if (media->fd < 0 || bot->voice.state != BOT_VOICE_DISCOVERING)
		return;
	if (media->discovery_sent_count == DISCOVERY_SENT_MAX) {
		swarm_complain(bot, "media: IP discovery was never answered");
		return;
	}
	// Stock clients never ask twice; that we had to is a finding.
	if (media->discovery_sent_count++ > 0)
		bot->swarm->discovery_retry_count++;
	put_u16(request, 1);
	put_u16(request + 2, DISCOVERY_SIZE - 4);
	put_u32(request + 4, bot->voice.ssrc);
	datagram_send(bot, request, sizeof(request));
	loop_timer_set(&media->discovery_timer, DISCOVERY_RETRY_MS);
}

void bot_media_discovered(struct bot *bot, const uint8_t *answer)
{
	uint8_t expected[8];
	char address[65];
	struct in6_addr parsed;
	int family = bot->media.node.ss_family;
	uint16_t port = (uint16_t)(answer[72] << 8 | answer[73]);

	put_u16(expected, 2);
	put_u16(expected + 2, DISCOVERY_SIZE - 4);
	put_u32(expected + 4, bot->voice.ssrc);
	memcpy(address, answer + 8, 64);
	address[64] = '\0';
	if (memcmp(answer, expected, sizeof(expected)) != 0 || port == 0 ||
		inet_pton(family, address, &parsed) != 1) {
		swarm_complain(bot, "media: a wrong answer to IP discovery");
		swarm_bad(bot, SWARM_BAD_DISCOVERY);
		return;
	}
	loop_timer_stop(&bot->media.discovery_timer);
	bot_voice_select(bot, address, port);
}

static void keepalive_send(void *arg)
{
	struct bot *bot = arg;
	struct bot_media *media = &bot->media;
	uint8_t size = bot->spec->keepalive_size;
	uint8_t data[9] = {0};

	if (media->fd < 0 || size == 0)
		return;
	if (size == 9) {
		data[0] = 0xc9; // JDA
	} else {
		uint32_t counter = htole32(media->keepalive_counter++); // discord.js

		memcpy(data, &counter, sizeof(counter));
	}
	datagram_send(bot, data, size);
	loop_timer_set(&media->keepalive_timer, KEEPALIVE_MS);
}

void bot_media_init(struct bot *bot)
{
	bot->media.fd = -1;
	loop_timer_init(bot->swarm->loop, &bot->media.discovery_timer, discovery_send, bot);
	loop_timer_init(bot->swarm->loop, &bot->media.keepalive_timer, keepalive_send, bot);
}

static int node_address_parse(struct bot_media *media, const char *ip, uint16_t port)
{
	struct sockaddr_in *in4 = (struct sockaddr_in *)&media->node;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&media->node;

	memset(&media->node, 0, sizeof(media->node));
	if (inet_pton(AF_INET, ip, &in4->sin_addr) == 1) {
		in4->sin_family = AF_INET;
		in4->sin_port = htons(port);
		media->node_size = sizeof(*in4);
		return 0;
	}
	if (inet_pton(AF_INET6, ip, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		media->node_size = sizeof(*in6);
		return 0;
	}
	return -EINVAL;
}

int bot_media_open(struct bot *bot, const char *ip, uint16_t port)
{
	struct bot_media *media = &bot->media;
	int on = 1, buffer_size = RECEIVE_BUFFER_SIZE;
	int status = node_address_parse(media, ip, port);

	bot_media_close(bot);
	if (status != 0)
		return status;
	media->fd = socket(media->node.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (media->fd < 0)
		return -errno;
	// The buffer is a wish. Without a time stamp there is no latency, so that one is needed.
	(void)setsockopt(media->fd, SOL_SOCKET, SO_RCVBUF, &buffer_size, sizeof(buffer_size));
	(void)setsockopt(media->fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on));
	if (setsockopt(media->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) != 0)
		status = -errno;
	else
		status = receive_add(bot->swarm->receive, bot);
	if (status != 0) {
		close(media->fd);
		media->fd = -1;
		return status;
	}
	media->overflow_count = 0;
	media->discovery_sent_count = 0;
	discovery_send(bot);
	keepalive_send(bot);
	return 0;
}

int bot_media_set_key(
	struct bot *bot, enum rtpsize_client_mode mode, const uint8_t key[RTPSIZE_CLIENT_KEY_SIZE])
{
	struct bot_media *media = &bot->media;
	int status = rtpsize_client_init(&media->cipher, mode, key);

	if (status != 0)
		return status;
	media->keyed = true;
	memset(&media->nonce_check, 0, sizeof(media->nonce_check));
	media->nonce_counter = 0;
	media->seq = (uint16_t)swarm_random(bot->swarm);
	media->timestamp = (uint32_t)swarm_random(bot->swarm);
	media->session_n = media->sent_count;
	return 0;
}

void bot_media_close(struct bot *bot)
{
	struct bot_media *media = &bot->media;

	loop_timer_stop(&media->discovery_timer);
	loop_timer_stop(&media->keepalive_timer);
	if (media->keyed)
		rtpsize_client_fini(&media->cipher);
	media->keyed = false;
	media->talking = false;
	media->tail_count = 0;
	if (media->fd >= 0) {
		receive_remove(bot->swarm->receive, bot);
		close(media->fd);
	}
	media->fd = -1;
}

void bot_media_begin_burst(struct bot *bot)
{
	if (!bot->media.keyed || bot->media.talking)
		return;
	bot->media.talking = true;
	bot->media.tail_count = 0;
	bot_voice_speaking(bot, true); // before the first packet
}

void bot_media_end_burst(struct bot *bot)
{
	if (!bot->media.talking)
		return;
	bot->media.talking = false;
	bot->media.tail_count = BOT_SILENCE_FRAMES;
}

static void nonce_put(struct bot *bot, uint8_t suffix[RTPSIZE_CLIENT_SUFFIX_SIZE])
{
	uint32_t counter = ++bot->media.nonce_counter;

	counter = bot->spec->nonce_little ? htole32(counter) : htobe32(counter);
	memcpy(suffix, &counter, sizeof(counter));
}

static bool packet_send(struct bot *bot, uint16_t frame_index)
{
	struct bot_media *media = &bot->media;
	const struct speech_frame *frame =
		&bot->swarm->speech->frames[frame_index % SPEECH_FRAME_COUNT];
	bool silence = frame_index == BOT_SILENCE_FRAME;
	size_t payload_size = silence ? SPEECH_SILENCE_SIZE : frame->size;
	size_t size = RTP_HEADER_SIZE + payload_size;
	uint8_t suffix[RTPSIZE_CLIENT_SUFFIX_SIZE];
	uint8_t plain[RTP_HEADER_SIZE + SPEECH_FRAME_SIZE_MAX];
	uint8_t sealed[sizeof(plain) + RTPSIZE_CLIENT_OVERHEAD_SIZE];

	plain[0] = 0x80;
	plain[1] = RTP_PAYLOAD_TYPE;
	put_u16(plain + 2, (uint16_t)(media->seq + 1));
	put_u32(plain + 4, media->timestamp + SPEECH_FRAME_SAMPLES);
	put_u32(plain + 8, bot->voice.ssrc);
	memcpy(plain + RTP_HEADER_SIZE, silence ? speech_silence : frame->data, payload_size);
	nonce_put(bot, suffix);
	if (rtpsize_client_seal(&media->cipher, plain, size, suffix, sealed) != 0) {
		bot->swarm->send_error_count++;
		return false;
	}

	uint64_t send_ns = swarm_clock_ns(CLOCK_REALTIME);

	if (!datagram_send(bot, sealed, size + RTPSIZE_CLIENT_OVERHEAD_SIZE))
		return false; // the next step tries with the same number
	media->sent[media->sent_count % BOT_SENT_LOG_COUNT] =
		(struct bot_sent){.send_ns = send_ns, .frame = frame_index};
	media->sent_count++;
	media->seq++;
	media->timestamp += SPEECH_FRAME_SAMPLES;
	return true;
}

bool bot_media_tick(struct bot *bot)
{
	struct bot_media *media = &bot->media;

	if (!media->keyed)
		return false;
	if (media->talking) {
		// Talkers are at different places of the same speech.
		uint64_t at = media->sent_count + (uint64_t)bot->talker_index * 37;

		return packet_send(bot, (uint16_t)(at % SPEECH_FRAME_COUNT));
	}
	if (media->tail_count == 0)
		return false;

	bool sent = packet_send(bot, BOT_SILENCE_FRAME);

	if (--media->tail_count == 0)
		bot_voice_speaking(bot, false);
	return sent;
}

uint64_t bot_media_sent_before(const struct bot *bot, uint64_t before_ns)
{
	const struct bot_media *media = &bot->media;
	uint64_t n = media->sent_count;
	uint64_t oldest_n = n > BOT_SENT_LOG_COUNT ? n - BOT_SENT_LOG_COUNT : 0;

	while (n > oldest_n && media->sent[(n - 1) % BOT_SENT_LOG_COUNT].send_ns >= before_ns)
		n--;
	return n;
}
