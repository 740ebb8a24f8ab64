// SPDX-License-Identifier: BSD-3-Clause
//
// All bots of one run, what they share, and what was counted. The files around it:
//   swarm.c    make the bots, start them one after the other, stop, drain, leave
//   hearing.c  who should hear whom      verify.c  what a received packet must be
//   receive.c  sockets -> verify.c       pacer.c   every talker's 20 ms
//   report.c   numbers -> JSON and table   trouble.c   why a bot cannot join
//
// The loop's thread only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "load/bot.h"
#include "load/histogram.h"
#include "load/options.h"
#include "load/speech.h"
#include "load/track.h"
#include "loop/loop.h"

#define SWARM_SSRC_BUCKET_COUNT 8192u // a power of two
#define SWARM_SAID_MAX 40u            // different sentences on stderr
#define SWARM_SETTLE_MS 300u          // after that a packet on its way counts as lost

// Why something that a bot received is wrong.
// X(enum suffix, name in the result, help)
#define SWARM_BAD(X)                                                              \
	X(SOURCE, "source", "datagram from another address than the node's")      \
	X(MALFORMED, "malformed", "neither RTP nor RTCP, or too short")           \
	X(TAG, "tag", "does not authenticate")                                    \
	X(NONCE_SPACE, "nonce_space", "nonce suffix in the client's space")       \
	X(NONCE_REPEAT, "nonce_repeat", "nonce suffix used twice")                \
	X(HEADER, "header", "wrong payload type, CSRCs or padding")               \
	X(UNKNOWN_SSRC, "unknown_ssrc", "nobody was announced with this SSRC")    \
	X(UNANNOUNCED, "unannounced", "op 5 of this talker did not come in time") \
	X(USER, "user", "op 5 names another user than the one who speaks")        \
	X(TIMESTAMP, "timestamp", "the talker sent no such timestamp")            \
	X(PAYLOAD, "payload", "not the frame that the talker sent")               \
	X(SEQ, "seq", "sequence number runs ahead or stands")                     \
	X(SSRC_SHARED, "ssrc_shared", "the node gave one SSRC to two sessions")   \
	X(SIGNALING, "signaling", "a message that a stock client could not use")  \
	X(DISCOVERY, "discovery", "a wrong answer to IP discovery")

#define SWARM_BAD_ENUM(name, text, help) SWARM_BAD_##name,
enum swarm_bad {
	SWARM_BAD(SWARM_BAD_ENUM) //
	SWARM_BAD_COUNT,
};

struct swarm_guild {
	uint64_t guild_id;
	struct bot **members;
	uint32_t member_count;
	struct histogram second_us, run_us; // forward latency
};

// A channel as the command line names it, for taking turns.
struct swarm_room {
	uint64_t guild_id, channel_id;
	struct bot **talkers;
	uint32_t talker_count;
	uint32_t turn_index;
	uint64_t turn_end_ns; // CLOCK_MONOTONIC; 0: nobody speaks
};

struct pacer;
struct receive;
struct report;

struct swarm {
	struct loop *loop;
	const struct options *options;
	struct speech *speech;
	uint64_t random;

	struct bot *bots;
	uint32_t bot_count, started_count;
	struct bot **talkers;
	uint32_t talker_count;
	struct swarm_guild *guilds;
	uint32_t guild_count;
	struct swarm_room *rooms;
	uint32_t room_count;
	struct bot *ssrc_buckets[SWARM_SSRC_BUCKET_COUNT];

	struct receive *receive;
	struct pacer *pacer;
	struct report *report;
	struct loop_timer ramp_timer, progress_timer, phase_timer;
	uint64_t start_ms;
	uint32_t drained_ms; // how long we have waited for the last packets
	enum {
		SWARM_RUNNING,
		SWARM_DRAINING, // bursts end, packets arrive
		SWARM_LEAVING,
		SWARM_DONE,
	} phase;

	uint64_t bad[SWARM_BAD_COUNT];
	uint64_t leak_count;
	uint64_t after_close_count; // packets just after a mute, deafen, move: not yet a leak
	uint64_t early_count;       // before the receiver was entitled to them
	uint64_t rtcp_count, foreign_count, unkeyed_count;
	uint64_t send_error_count, overflow_count;
	uint64_t discovery_retry_count, resume_count, rejoin_count;
	uint64_t said[SWARM_SAID_MAX]; // hashes of the sentences on stderr
	uint32_t said_count;
	uint32_t refused_count; // bots
	bool explained;         // it was said how far the others came
	struct histogram join_ms, late_us;
};

// Makes everything but starts nothing. 0 or -errno; a reason has been printed.
int swarm_create(struct loop *loop, const struct options *options, struct swarm **out)
	__attribute__((warn_unused_result));
void swarm_start(struct swarm *swarm);
// Ends the run before its time: ends bursts, drains, reports, leaves, stops the loop. Idempotent.
void swarm_stop(struct swarm *swarm);
// Gives the loop's descriptors back: after loop_run(), before loop_destroy().
void swarm_close(struct swarm *swarm);
// NULL allowed. After loop_destroy(), whose last callbacks still need the bots.
void swarm_destroy(struct swarm *swarm);

void swarm_bad(struct bot *bot, enum swarm_bad bad);
// One line on stderr, up to a bound; what was said once is not said again.
void swarm_say(struct swarm *swarm, const char *text);
// The same, beginning with the bot's number.
void swarm_complain(struct bot *bot, const char *format, ...) __attribute__((format(printf, 2, 3)));
uint64_t swarm_random(struct swarm *swarm);
uint64_t swarm_clock_ns(int clock_id);

// The bot that owns 'ssrc' on the node of 'endpoint', or NULL.
struct bot *swarm_ssrc_find(struct swarm *swarm, const char *endpoint, uint32_t ssrc);
void swarm_ssrc_add(struct bot *bot);
void swarm_ssrc_remove(struct bot *bot);
