// SPDX-License-Identifier: BSD-3-Clause
//
// A bot's main gateway connection: log in, ask for the channel, learn what the voice gateway needs.
// The texts are gateway_wire.c's.
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "http/ws.h"
#include "load/bot.h"
#include "load/hearing.h"
#include "load/swarm.h"
#include "load/trouble.h"

#define MESSAGE_SIZE_MAX (4u * 1024 * 1024) // a GUILD_CREATE of a large guild
#define RETRY_MS 1000u
#define CLOSE_RECONNECT 4000u // any code but 1000 and 1001 keeps the session resumable

static void send_text(struct bot *bot, char *text)
{
	// A connection that is closing says so in its own 'closed'.
	if (text != NULL && bot->gateway.conn != NULL &&
		ws_conn_send(bot->gateway.conn, text, strlen(text), false) != 0)
		swarm_complain(bot, "gateway: a message could not be sent");
	free(text);
}

static void join_if_possible(struct bot *bot)
{
	struct bot_gateway *gateway = &bot->gateway;

	if (!gateway->wants_join || !gateway->ready || !gateway->guild_seen || bot->leaving ||
		bot->refused)
		return;
	gateway->wants_join = false;
	bot->join_asked_ms = swarm_clock_ns(CLOCK_MONOTONIC) / 1000000;
	send_text(bot, gateway_wire_voice_state(bot->spec->guild_id, bot->spec->channel_id));
}

// To come back and resume.
static void conn_reopen(struct bot *bot)
{
	bot->gateway.ready = false;
	loop_timer_stop(&bot->gateway.beat_timer);
	ws_conn_close(bot->gateway.conn, CLOSE_RECONNECT, NULL);
}

static void beat(void *arg)
{
	struct bot *bot = arg;
	struct bot_gateway *gateway = &bot->gateway;

	if (gateway->conn == NULL)
		return;
	if (gateway->beat_pending) {
		swarm_complain(bot, "gateway: a heartbeat was not answered");
		conn_reopen(bot);
		return;
	}
	gateway->beat_pending = true;
	send_text(bot, gateway_wire_beat(gateway->seq));
	loop_timer_set(&gateway->beat_timer, gateway->beat_ms);
}

static void hello_take(struct bot *bot, const struct gateway_event *event)
{
	struct bot_gateway *gateway = &bot->gateway;

	gateway->beat_ms = event->beat_ms;
	gateway->beat_pending = false;
	// The first beat comes after a random part of the interval, so that clients spread.
	loop_timer_set(&gateway->beat_timer, swarm_random(bot->swarm) % event->beat_ms);
	if (gateway->session_id[0] != '\0')
		send_text(bot,
			gateway_wire_resume(bot->spec->token, gateway->session_id, gateway->seq));
	else
		send_text(bot, gateway_wire_identify(bot->spec->token));
}

static void voice_begin_if_complete(struct bot *bot)
{
	if (bot->voice.server_fresh && bot->voice.endpoint[0] != '\0' &&
		bot->voice.session_id[0] != '\0' && bot->channel_id != 0 && !bot->leaving)
		bot_voice_connect(bot);
}

static void voice_state_take(struct bot *bot, const struct gateway_event *event)
{
	if (event->user_id != bot->user_id || event->guild_id != bot->spec->guild_id)
		return;

	bool changed = bot->channel_id != event->channel_id || bot->mute != event->mute ||
		       bot->deaf != event->deaf;

	if (changed && bot->channel_id != 0)
		bot->moves_count++;
	bot->channel_id = event->channel_id;
	bot->mute = event->mute;
	bot->deaf = event->deaf;
	memcpy(bot->voice.session_id, event->session_id, sizeof(bot->voice.session_id));
	if (event->channel_id == 0) {
		bot->sent_away = bot->joined_ever && !bot->leaving;
		bot->voice.server_fresh = false;
		bot_voice_stop(bot);
		return;
	}
	hearing_update(bot);
	voice_begin_if_complete(bot);
}

static void voice_server_take(struct bot *bot, const struct gateway_event *event)
{
	if (event->guild_id != bot->spec->guild_id || bot->leaving)
		return;
	memcpy(bot->voice.token, event->token, sizeof(bot->voice.token));
	memcpy(bot->voice.endpoint, event->endpoint, sizeof(bot->voice.endpoint));
	bot->voice.server_fresh = true;
	if (event->endpoint[0] == '\0')
		bot_voice_stop(bot); // the node is lost; another one will be named
	else
		voice_begin_if_complete(bot);
}

static void ready_take(struct bot *bot, const struct gateway_event *event)
{
	struct bot_gateway *gateway = &bot->gateway;

	gateway->ready = true;
	gateway->guild_seen = false;
	gateway->wants_join = true; // a new session is in no channel
	bot->user_id = event->user_id;
	memcpy(gateway->session_id, event->session_id, sizeof(gateway->session_id));
	trouble_check_guild(bot, event);
}

static void event_take(struct bot *bot, const struct gateway_event *event)
{
	struct bot_gateway *gateway = &bot->gateway;

	switch (event->type) {
	case GATEWAY_HELLO:
		hello_take(bot, event);
		break;
	case GATEWAY_READY:
		ready_take(bot, event);
		break;
	case GATEWAY_RESUMED:
		gateway->ready = true;
		join_if_possible(bot);
		break;
	case GATEWAY_GUILD:
		if (event->guild_id == bot->spec->guild_id) {
			gateway->guild_seen = true;
			trouble_check_channel(bot, event);
			join_if_possible(bot);
		}
		break;
	case GATEWAY_VOICE_STATE:
		voice_state_take(bot, event);
		break;
	case GATEWAY_VOICE_SERVER:
		voice_server_take(bot, event);
		break;
	case GATEWAY_BEAT_ACK:
		gateway->beat_pending = false;
		break;
	case GATEWAY_BEAT_NOW:
		send_text(bot, gateway_wire_beat(gateway->seq));
		break;
	case GATEWAY_RECONNECT:
		conn_reopen(bot);
		break;
	case GATEWAY_INVALID_SESSION:
		if (!event->resumable) {
			gateway->session_id[0] = '\0';
			gateway->seq = -1;
		}
		conn_reopen(bot);
		break;
	case GATEWAY_OTHER:
		break;
	}
}

static void *on_open(void *ctx, struct ws_conn *conn, const struct ws_request *request)
{
	struct bot *bot = ctx;

	(void)request;
	bot->gateway.conn = conn;
	if (bot->leaving)
		ws_conn_close(conn, 1000, NULL);
	return bot;
}

static void on_message(void *conn_ctx, const char *data, size_t size, bool binary)
{
	struct bot *bot = conn_ctx;
	struct gateway_event event;

	if (binary || gateway_wire_parse(data, size, &event) != 0) {
		swarm_complain(bot, "gateway: a message that no client understands: %.80s",
			binary ? "(binary)" : data);
		swarm_bad(bot, SWARM_BAD_SIGNALING);
		return;
	}
	if (event.seq >= 0)
		bot->gateway.seq = event.seq;
	event_take(bot, &event);
	explicit_bzero(&event, sizeof(event)); // it may have carried a token
}

static void on_closed(void *conn_ctx, uint16_t code)
{
	struct bot *bot = conn_ctx;
	struct bot_gateway *gateway = &bot->gateway;

	gateway->conn = NULL;
	gateway->ready = false;
	loop_timer_stop(&gateway->beat_timer);
	if (bot->leaving)
		return;
	if (code == 4004 || (code >= 4010 && code <= 4014)) {
		trouble_closed(bot, code);
		return; // a client must not come back
	}
	swarm_complain(bot, "gateway: closed with %u", code);
	if (code == 1000 || code == 1001 || code == 4007 || code == 4009) {
		gateway->session_id[0] = '\0';
		gateway->seq = -1;
	}
	loop_timer_set(&gateway->retry_timer, RETRY_MS);
}

static void on_failed(void *ctx, const char *why)
{
	struct bot *bot = ctx;

	if (bot->leaving || trouble_check_failure(bot, "the gateway", why))
		return;
	swarm_complain(bot, "gateway: %s", why);
	loop_timer_set(&bot->gateway.retry_timer, RETRY_MS);
}

static void retry(void *arg)
{
	bot_gateway_start(arg);
}

void bot_gateway_init(struct bot *bot)
{
	bot->gateway.seq = -1;
	loop_timer_init(bot->swarm->loop, &bot->gateway.beat_timer, beat, bot);
	loop_timer_init(bot->swarm->loop, &bot->gateway.retry_timer, retry, bot);
}

void bot_gateway_start(struct bot *bot)
{
	static const struct ws_handler handler = {
		.open = on_open,
		.message = on_message,
		.closed = on_closed,
		.failed = on_failed,
	};
	struct ws_client_params params = {
		.url = bot->swarm->options->gateway_url,
		.ca_path = bot->swarm->options->ca_path,
		.handler = &handler,
		.ctx = bot,
		.message_size_max = MESSAGE_SIZE_MAX,
	};

	if (bot->leaving)
		return;
	if (ws_client_connect(bot->swarm->loop, &params) != 0) {
		swarm_complain(bot, "gateway: cannot connect to %s", params.url);
		loop_timer_set(&bot->gateway.retry_timer, RETRY_MS);
	}
}

void bot_gateway_join(struct bot *bot)
{
	bot->gateway.wants_join = true;
	join_if_possible(bot);
}

void bot_gateway_leave(struct bot *bot)
{
	struct bot_gateway *gateway = &bot->gateway;

	bot->leaving = true;
	bot_voice_stop(bot);
	loop_timer_stop(&gateway->retry_timer);
	loop_timer_stop(&gateway->beat_timer);
	if (gateway->conn == NULL)
		return;
	if (gateway->ready)
		send_text(bot, gateway_wire_voice_state(bot->spec->guild_id, 0));
	ws_conn_close(gateway->conn, 1000, NULL);
}
