// SPDX-License-Identifier: BSD-3-Clause
//
// What voice clients say, as structs (protocol.md 3.3). Text in, struct out; nothing in a struct
// points into the text except the heartbeat's nonce. Ids may be strings or numbers. Members that we
// do not know are ignored; members of the wrong type are malformed. A token, session id, protocol
// or mode that is too long to be any of ours is decoded as "", which is none. Sending is
// voice_encode.h.
//
// Pure, any thread. Frames carry tokens: voice_frame_wipe() when done.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/dp_media.h"
#include "registry/resume.h"
#include "signaling/json_scan.h"
#include "signaling/voice_op.h"

#define VOICE_DEPTH_MAX 16u            // nesting of a frame; the deepest known one has 5
#define VOICE_TOKEN_SIZE 129u          // bytes, with NUL
#define VOICE_SESSION_ID_SIZE 65u      // bytes, with NUL
#define VOICE_NONCE_SIZE_MAX 40u       // characters of a heartbeat's number
#define VOICE_NAME_SIZE 32u            // bytes of a mode, codec, rid, with NUL
#define VOICE_STREAMS_MAX 3u           // simulcast layers of a session's SSRC block
#define VOICE_SEQ_NONE RESUME_SEQ_NONE // seq_ack -1 or missing

struct voice_identify {              // and Resume
	uint64_t server_id, user_id; // user_id 0 in Resume
	char session_id[VOICE_SESSION_ID_SIZE];
	char token[VOICE_TOKEN_SIZE];
	uint32_t max_dave_version;
	uint32_t seq_ack;      // Resume: 0..65535 or VOICE_SEQ_NONE
	uint32_t stream_count; // offered, of which the first VOICE_STREAMS_MAX are kept
	struct voice_offer {
		char type[VOICE_NAME_SIZE], rid[VOICE_NAME_SIZE];
		uint32_t quality;
	} streams[VOICE_STREAMS_MAX];
};

struct voice_select {
	char protocol[VOICE_NAME_SIZE], mode[VOICE_NAME_SIZE];
	struct dp_addr address; // family 0: the client named none that we can read
};

struct voice_heartbeat {
	struct json_token nonce; // raw text of the number, in the frame's text; or "null"
	bool is_object;          // {"t":..} and not the bare number: the answer mirrors it
	uint32_t seq_ack;
};

struct voice_speaking {
	uint32_t flags; // VOICE_SPEAKING_*
	uint32_t ssrc;  // 0: not named
};

struct voice_video {
	uint32_t audio_ssrc, video_ssrc, rtx_ssrc;
	uint32_t stream_count;
	struct voice_layer {
		char type[VOICE_NAME_SIZE], rid[VOICE_NAME_SIZE];
		char resolution_type[VOICE_NAME_SIZE]; // "": no max_resolution
		uint32_t ssrc, rtx_ssrc, quality, max_bitrate, max_framerate, width, height;
		bool active;
	} streams[VOICE_STREAMS_MAX];
};

struct voice_frame {
	enum voice_op op; // VOICE_OP_UNKNOWN for numbers that we do not know
	union {
		struct voice_identify identify; // IDENTIFY, RESUME
		struct voice_select select;
		struct voice_heartbeat heartbeat;
		struct voice_speaking speaking;
		struct voice_video video;
	};
};

// Decodes one text frame. 0, or -EPROTO: close with 4002. 'text' must outlive a heartbeat's frame.
int voice_frame_decode(const char *text, size_t size, struct voice_frame *frame)
	__attribute__((warn_unused_result));
void voice_frame_wipe(struct voice_frame *frame);

// "v" of the query string ("v=8&encoding=json"); 0: not there, or not a number below 1000.
unsigned voice_version_of_query(const char *query);
// The metric's label; 'op' is below VOICE_OP_COUNT.
const char *voice_op_label(enum voice_op op);
// "aead_..." -> suite, DP_SUITE_NONE when it is not ours.
enum dp_suite voice_suite_of_mode(const char *mode);
const char *voice_mode_of_suite(enum dp_suite suite);
const char *voice_close_reason(enum voice_close code);
