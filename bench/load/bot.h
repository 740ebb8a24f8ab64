// SPDX-License-Identifier: BSD-3-Clause
//
// One bot: a native client with its three connections. Each part has a file of its own:
//   bot_gateway.c  main gateway: log in, ask for the channel, learn session, token and endpoint
//   bot_voice.c    voice gateway: identify, select, speaking, heartbeats, resume
//   bot_media.c    UDP: discovery, keepalives, sending
// and what it hears is judged by verify.c, who should hear whom by hearing.c.
//
// The loop's thread only. Bots live as long as their swarm.
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "load/gateway_wire.h"
#include "load/join_spec.h"
#include "load/nonce_check.h"
#include "load/rtpsize_client.h"
#include "load/voice_wire.h"
#include "loop/loop.h"

#define BOT_SENT_LOG_COUNT 1024u // packets that a talker remembers; a power of two
#define BOT_FOREIGN_MAX 64u      // talkers that are not ours, per receiver
#define BOT_SILENCE_FRAMES 5u    // end of a burst
#define BOT_SILENCE_FRAME UINT16_MAX

struct hearing;
struct swarm;
struct ws_conn;

struct bot_gateway {
	struct ws_conn *conn; // NULL: not open
	bool ready;           // READY or RESUMED on this connection
	bool guild_seen;      // GUILD_CREATE of our guild in this session
	bool wants_join;      // op 4 is to be sent when that is possible
	bool beat_pending;    // a heartbeat without its answer
	struct loop_timer beat_timer, retry_timer;
	uint32_t beat_ms;
	int64_t seq;                        // last dispatch, -1: none
	char session_id[GATEWAY_TEXT_SIZE]; // empty: identify instead of resume
};

enum bot_voice_state {
	BOT_VOICE_IDLE,        // no endpoint, or told to stop
	BOT_VOICE_CONNECTING,  // fresh session
	BOT_VOICE_IDENTIFYING, // op 0 sent
	BOT_VOICE_DISCOVERING, // op 2 came
	BOT_VOICE_SELECTING,   // op 1 sent
	BOT_VOICE_READY,       // op 4 came
	BOT_VOICE_RESUMING,    // the WebSocket is being replaced, media goes on
};

struct bot_voice {
	enum bot_voice_state state;
	struct ws_conn *conn;
	bool connecting;   // a connection attempt is under way
	bool reconnect;    // when this connection is gone, begin anew with the fields below
	bool server_fresh; // a VOICE_SERVER_UPDATE that has not been used yet
	struct loop_timer beat_timer, retry_timer;
	uint32_t beat_ms;
	uint32_t beats_unanswered_count;
	uint32_t resume_failed_count;
	int32_t seq_ack;
	char session_id[GATEWAY_TEXT_SIZE];
	char token[GATEWAY_TEXT_SIZE];
	char endpoint[GATEWAY_TEXT_SIZE];
	uint32_t ssrc; // 0: none
	enum rtpsize_client_mode mode;
	uint32_t foreign_ssrcs[BOT_FOREIGN_MAX]; // announced, but of none of our bots
	uint32_t foreign_count;
};

struct bot_sent {
	uint64_t send_ns; // CLOCK_REALTIME, just before the system call
	uint16_t frame;   // of the speech, or BOT_SILENCE_FRAME
};

struct bot_media {
	int fd; // -1: none
	struct sockaddr_storage node;
	socklen_t node_size;
	bool keyed; // op 4 came: 'cipher' is valid
	struct rtpsize_client cipher;
	struct nonce_check nonce_check;
	struct loop_timer discovery_timer, keepalive_timer;
	uint32_t discovery_sent_count;
	uint32_t keepalive_counter;
	uint32_t overflow_count; // datagrams that our own socket dropped, as the kernel counts them

	bool talking;        // op 5 said so
	uint32_t tail_count; // silence frames still to send
	uint32_t nonce_counter;
	uint16_t seq;                             // of the last packet
	uint32_t timestamp;                       // of the last packet
	uint64_t sent_count;                      // in all sessions; the next packet's number
	uint64_t session_n;                       // number of this session's first packet
	struct bot_sent sent[BOT_SENT_LOG_COUNT]; // [number modulo size]
};

struct bot {
	struct swarm *swarm;
	const struct join_spec *spec;
	uint32_t index;        // in the swarm
	uint32_t talker_index; // among the talkers; only with spec->talks
	uint32_t guild_index;  // in the swarm's guilds
	uint32_t room_index;   // in the swarm's rooms

	uint64_t user_id;    // 0: not logged in yet
	uint64_t channel_id; // as the gateway says; 0: none
	bool mute, deaf;
	uint32_t moves_count; // voice states that changed something after the first
	uint64_t join_asked_ms;
	bool joined, joined_ever;
	bool leaving;   // we end it
	bool refused;   // for good, before it ever joined; trouble.c said why
	bool sent_away; // kicked or told to stop, after having joined

	struct bot_gateway gateway;
	struct bot_voice voice;
	struct bot_media media;

	struct hearing **hearings; // [talker_index], made when needed
	struct bot *ssrc_next;     // chain of the swarm's SSRC table
	uint32_t ssrc_hashed;      // 0: in no chain
};

// bot_gateway.c
void bot_gateway_init(struct bot *bot);
void bot_gateway_start(struct bot *bot);
// Asks for the bot's channel (again), now or when the gateway is ready.
void bot_gateway_join(struct bot *bot);
// Leaves the channel and closes both WebSockets.
void bot_gateway_leave(struct bot *bot);

// bot_voice.c
void bot_voice_init(struct bot *bot);
// Begins a fresh voice session with the token, session and endpoint in bot->voice.
void bot_voice_connect(struct bot *bot);
// Ends the voice session for good, until the next bot_voice_connect().
void bot_voice_stop(struct bot *bot);
// IP discovery has answered: selects protocol and mode.
void bot_voice_select(struct bot *bot, const char *address, uint16_t port);
// Tells the channel that the bot begins or stops to speak.
void bot_voice_speaking(struct bot *bot, bool speaking);

// bot_media.c
void bot_media_init(struct bot *bot);
// Opens the socket and starts discovery. 0 or -errno.
int bot_media_open(struct bot *bot, const char *ip, uint16_t port)
	__attribute__((warn_unused_result));
// 0 or -errno. The caller wipes 'key'.
int bot_media_set_key(struct bot *bot, enum rtpsize_client_mode mode,
	const uint8_t key[RTPSIZE_CLIENT_KEY_SIZE]) __attribute__((warn_unused_result));
// Idempotent; wipes the key.
void bot_media_close(struct bot *bot);
void bot_media_begin_burst(struct bot *bot);
void bot_media_end_burst(struct bot *bot);
// One 20 ms step. True: a packet was sent.
bool bot_media_tick(struct bot *bot);
// A datagram of 74 bytes while discovering.
void bot_media_discovered(struct bot *bot, const uint8_t *answer);
// How many packets were sent before 'before_ns' (CLOCK_REALTIME), as far as the log goes.
uint64_t bot_media_sent_before(const struct bot *bot, uint64_t before_ns);
