// SPDX-License-Identifier: BSD-3-Clause
//
// A bot's voice gateway connection. The texts are voice_wire.c's; sockets are bot_media.c's.
//
//   IDLE -> CONNECTING -> IDENTIFYING -op2-> DISCOVERING -74 bytes-> SELECTING -op4-> READY
//   READY -closed 4015, 1006-> RESUMING -op9-> READY, on the same UDP socket and key
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "http/ws.h"
#include "load/bot.h"
#include "load/hearing.h"
#include "load/swarm.h"
#include "load/trouble.h"

#define MESSAGE_SIZE_MAX (256u * 1024)
#define REJOIN_MS 1000u
#define CLOSE_WAIT_MS 500u // for the peer's close frame, then the connection is cut
#define RESUME_RETRY_MS 250u
#define RESUME_FAILED_MAX 40u // 10 s: then the bot joins anew
#define BEATS_UNANSWERED_MAX 3u

static void send_text(struct bot *bot, char *text)
{
	if (text != NULL && bot->voice.conn != NULL &&
		ws_conn_send(bot->voice.conn, text, strlen(text), false) != 0)
		swarm_complain(bot, "voice: a message could not be sent");
	if (text != NULL)
		explicit_bzero(text, strlen(text)); // identify and resume carry the token
	free(text);
}

static struct voice_identity identity_of(const struct bot *bot)
{
	return (struct voice_identity){
		.guild_id = bot->spec->guild_id,
		.user_id = bot->user_id,
		.session_id = bot->voice.session_id,
		.token = bot->voice.token,
	};
}

// What still comes on this connection does not matter; if the peer does not answer, it is cut.
static void conn_close(struct bot *bot)
{
	loop_timer_stop(&bot->voice.beat_timer);
	loop_timer_set(&bot->voice.retry_timer, CLOSE_WAIT_MS);
	ws_conn_close(bot->voice.conn, 1000, NULL);
}

// The end of this session's media.
static void session_end(struct bot *bot)
{
	bot->joined = false;
	hearing_update(bot);
	hearing_forget_receiver(bot);
	bot_media_close(bot);
	swarm_ssrc_remove(bot);
	bot->voice.ssrc = 0;
	bot->voice.seq_ack = -1;
	bot->voice.resume_failed_count = 0;
}

static void rejoin_later(struct bot *bot)
{
	session_end(bot);
	bot->voice.state = BOT_VOICE_IDLE;
	if (!bot->leaving)
		loop_timer_set(&bot->voice.retry_timer, REJOIN_MS);
}

// The node did what a stock client could not go on from.
static void give_up(struct bot *bot, const char *why)
{
	swarm_complain(bot, "voice: %s", why);
	swarm_bad(bot, SWARM_BAD_SIGNALING);
	conn_close(bot);
}

static void beat(void *arg)
{
	struct bot *bot = arg;
	struct bot_voice *voice = &bot->voice;

	if (voice->conn == NULL)
		return;
	if (voice->beats_unanswered_count == BEATS_UNANSWERED_MAX) {
		swarm_complain(bot, "voice: %u heartbeats were not answered", BEATS_UNANSWERED_MAX);
		ws_conn_abort(voice->conn);
		return;
	}
	voice->beats_unanswered_count++;
	send_text(bot, voice_wire_beat(swarm_clock_ns(CLOCK_REALTIME) / 1000000, voice->seq_ack));
	loop_timer_set(&voice->beat_timer, voice->beat_ms);
}

static bool mode_choose(struct bot *bot, const struct voice_event *event)
{
	const struct options *options = bot->swarm->options;

	bot->voice.mode = event->mode;
	if (bot->spec->has_mode)
		bot->voice.mode = bot->spec->mode;
	else if (options->has_mode)
		bot->voice.mode = options->mode;
	return event->offers[bot->voice.mode];
}

static void ready_take(struct bot *bot, const struct voice_event *event)
{
	const char *ip = bot->spec->ip6 ? event->ip6 : event->ip;

	if (bot->voice.state != BOT_VOICE_IDENTIFYING)
		return;
	if (!mode_choose(bot, event)) {
		give_up(bot, "the node does not offer the wanted mode");
		return;
	}
	if (ip[0] == '\0') {
		give_up(bot, "the node names no IPv6 address");
		return;
	}
	bot->voice.ssrc = event->ssrc;
	swarm_ssrc_add(bot);
	bot->voice.state = BOT_VOICE_DISCOVERING;

	int status = bot_media_open(bot, ip, event->port);

	if (status != 0) {
		swarm_complain(bot, "media: %s port %u: %s", ip, event->port, strerror(-status));
		conn_close(bot);
	}
}

static void description_take(struct bot *bot, const struct voice_event *event)
{
	if (bot->voice.state != BOT_VOICE_SELECTING)
		return;
	if (event->mode != bot->voice.mode) {
		give_up(bot, "the node chose another mode than was selected");
		return;
	}
	if (bot_media_set_key(bot, event->mode, event->key) != 0) {
		give_up(bot, "no cipher");
		return;
	}
	bot->voice.state = BOT_VOICE_READY;
	bot->joined = true;
	bot->sent_away = false;
	if (!bot->joined_ever) {
		uint64_t now_ms = swarm_clock_ns(CLOCK_MONOTONIC) / 1000000;

		histogram_record(&bot->swarm->join_ms, now_ms - bot->join_asked_ms);
		bot->joined_ever = true;
	}
	hearing_update(bot);
	if (bot->spec->talks && bot->swarm->options->kind == OPTIONS_STEADY &&
		bot->swarm->phase == SWARM_RUNNING)
		bot_media_begin_burst(bot);
}

// Somebody who is none of our bots speaks: a stock client in the same channel.
static void foreign_add(struct bot_voice *voice, uint32_t ssrc)
{
	for (uint32_t i = 0; i < voice->foreign_count; i++) {
		if (voice->foreign_ssrcs[i] == ssrc)
			return;
	}
	if (voice->foreign_count < BOT_FOREIGN_MAX)
		voice->foreign_ssrcs[voice->foreign_count++] = ssrc;
}

static void speaking_take(struct bot *bot, const struct voice_event *event)
{
	struct bot_voice *voice = &bot->voice;
	struct bot *talker = swarm_ssrc_find(bot->swarm, voice->endpoint, event->ssrc);

	if (talker == NULL) {
		foreign_add(voice, event->ssrc);
		return;
	}
	if (talker->user_id != event->user_id || talker->guild_index != bot->guild_index) {
		swarm_bad(bot, SWARM_BAD_USER);
		return;
	}
	if (talker->spec->talks) {
		struct hearing *hearing = hearing_get(bot, talker);

		if (hearing != NULL)
			hearing->announced = true;
	}
}

static void event_take(struct bot *bot, const struct voice_event *event)
{
	struct bot_voice *voice = &bot->voice;

	switch (event->type) {
	case VOICE_HELLO:
		voice->beat_ms = event->beat_ms;
		loop_timer_set(&voice->beat_timer, swarm_random(bot->swarm) % event->beat_ms);
		break;
	case VOICE_READY:
		ready_take(bot, event);
		break;
	case VOICE_DESCRIPTION:
		description_take(bot, event);
		break;
	case VOICE_SPEAKING:
		speaking_take(bot, event);
		break;
	case VOICE_BEAT_ACK:
		voice->beats_unanswered_count = 0;
		break;
	case VOICE_RESUMED:
		if (voice->state != BOT_VOICE_RESUMING)
			break;
		voice->state = BOT_VOICE_READY;
		voice->resume_failed_count = 0;
		bot->swarm->resume_count++;
		// What was said while nobody listened is said again.
		if (bot->spec->talks)
			bot_voice_speaking(bot, bot->media.talking);
		break;
	case VOICE_CONNECTED:
	case VOICE_GONE:
	case VOICE_OTHER:
		break;
	}
}

static void *on_open(void *ctx, struct ws_conn *conn, const struct ws_request *request)
{
	struct bot *bot = ctx;
	struct bot_voice *voice = &bot->voice;
	struct voice_identity identity = identity_of(bot);

	(void)request;
	voice->connecting = false;
	voice->conn = conn;
	voice->beats_unanswered_count = 0;
	if (voice->reconnect || voice->state == BOT_VOICE_IDLE) {
		conn_close(bot); // superseded while it was being made
	} else if (voice->state == BOT_VOICE_RESUMING) {
		send_text(bot, voice_wire_resume(&identity, voice->seq_ack));
	} else {
		voice->state = BOT_VOICE_IDENTIFYING;
		send_text(bot, voice_wire_identify(&identity));
	}
	return bot;
}

static void on_message(void *conn_ctx, const char *data, size_t size, bool binary)
{
	struct bot *bot = conn_ctx;
	struct voice_event event;

	if (binary)
		return; // DAVE, which we do not ask for
	if (voice_wire_parse(data, size, &event) != 0) {
		// Not printed: it might be a session description with its key.
		swarm_complain(bot, "voice: a message that no client understands");
		swarm_bad(bot, SWARM_BAD_SIGNALING);
		return;
	}
	if (event.seq >= 0)
		bot->voice.seq_ack = event.seq;
	event_take(bot, &event);
	explicit_bzero(&event, sizeof(event));
}

static void connect_start(struct bot *bot);

static void on_closed(void *conn_ctx, uint16_t code)
{
	struct bot *bot = conn_ctx;
	struct bot_voice *voice = &bot->voice;

	voice->conn = NULL;
	loop_timer_stop(&voice->beat_timer);
	loop_timer_stop(&voice->retry_timer);
	if (voice->reconnect) {
		voice->reconnect = false;
		bot_voice_connect(bot);
		return;
	}
	if (voice->state == BOT_VOICE_IDLE)
		return; // we closed it

	bool established = voice->state == BOT_VOICE_READY || voice->state == BOT_VOICE_RESUMING;

	swarm_complain(bot, "voice: closed with %u", code);
	switch (voice_wire_close_action(code, established)) {
	case VOICE_CLOSE_RESUME:
		voice->state = BOT_VOICE_RESUMING;
		if (++voice->resume_failed_count > RESUME_FAILED_MAX)
			rejoin_later(bot);
		else if (voice->resume_failed_count == 1)
			connect_start(bot);
		else
			loop_timer_set(&voice->retry_timer, RESUME_RETRY_MS);
		break;
	case VOICE_CLOSE_REJOIN:
		rejoin_later(bot);
		break;
	case VOICE_CLOSE_STOP:
		session_end(bot);
		voice->state = BOT_VOICE_IDLE;
		bot->sent_away = bot->joined_ever;
		break;
	}
}

static void on_failed(void *ctx, const char *why)
{
	struct bot *bot = ctx;
	struct bot_voice *voice = &bot->voice;
	char peer[GATEWAY_TEXT_SIZE + 32];

	voice->connecting = false;
	if (voice->reconnect) {
		voice->reconnect = false;
		bot_voice_connect(bot);
		return;
	}
	if (voice->state == BOT_VOICE_IDLE)
		return;
	snprintf(peer, sizeof(peer), "the voice node wss://%s", voice->endpoint);
	if (trouble_check_failure(bot, peer, why)) {
		session_end(bot);
		voice->state = BOT_VOICE_IDLE;
		return;
	}
	swarm_complain(bot, "voice: %s", why);
	if (voice->state == BOT_VOICE_RESUMING && ++voice->resume_failed_count <= RESUME_FAILED_MAX)
		loop_timer_set(&voice->retry_timer, RESUME_RETRY_MS);
	else
		rejoin_later(bot);
}

static void connect_start(struct bot *bot)
{
	static const struct ws_handler handler = {
		.open = on_open,
		.message = on_message,
		.closed = on_closed,
		.failed = on_failed,
	};
	char url[GATEWAY_TEXT_SIZE + 16];
	struct ws_client_params params = {
		.url = url,
		.ca_path = bot->swarm->options->ca_path,
		.handler = &handler,
		.ctx = bot,
		.message_size_max = MESSAGE_SIZE_MAX,
	};

	snprintf(url, sizeof(url), "wss://%s/?v=8", bot->voice.endpoint);
	bot->voice.connecting = true;
	if (ws_client_connect(bot->swarm->loop, &params) != 0) {
		bot->voice.connecting = false;
		swarm_complain(bot, "voice: cannot connect to %s", url);
		rejoin_later(bot);
	}
}

static void retry(void *arg)
{
	struct bot *bot = arg;

	if (bot->voice.conn != NULL) {
		ws_conn_abort(bot->voice.conn); // our close was not answered
	} else if (bot->voice.state == BOT_VOICE_RESUMING) {
		connect_start(bot);
	} else if (bot->voice.state == BOT_VOICE_IDLE && !bot->leaving) {
		bot->swarm->rejoin_count++;
		bot_gateway_join(bot);
	}
}

void bot_voice_init(struct bot *bot)
{
	bot->voice.seq_ack = -1;
	loop_timer_init(bot->swarm->loop, &bot->voice.beat_timer, beat, bot);
	loop_timer_init(bot->swarm->loop, &bot->voice.retry_timer, retry, bot);
}

void bot_voice_connect(struct bot *bot)
{
	struct bot_voice *voice = &bot->voice;

	voice->server_fresh = false;
	session_end(bot);
	loop_timer_stop(&voice->retry_timer);
	voice->state = BOT_VOICE_CONNECTING;
	if (voice->conn == NULL && !voice->connecting) {
		connect_start(bot);
		return;
	}
	voice->reconnect = true;
	if (voice->conn != NULL)
		conn_close(bot);
}

void bot_voice_stop(struct bot *bot)
{
	struct bot_voice *voice = &bot->voice;

	session_end(bot);
	loop_timer_stop(&voice->retry_timer);
	voice->state = BOT_VOICE_IDLE;
	voice->reconnect = false;
	if (voice->conn != NULL)
		conn_close(bot);
}

void bot_voice_select(struct bot *bot, const char *address, uint16_t port)
{
	if (bot->voice.state != BOT_VOICE_DISCOVERING)
		return;
	bot->voice.state = BOT_VOICE_SELECTING;
	send_text(bot, voice_wire_select(address, port, bot->voice.mode));
}

void bot_voice_speaking(struct bot *bot, bool speaking)
{
	if (bot->voice.state == BOT_VOICE_READY)
		send_text(bot,
			voice_wire_speaking(bot->voice.ssrc, speaking ? VOICE_SPEAKING_VOICE : 0));
}
