// SPDX-License-Identifier: BSD-3-Clause
//
// Fuzz target: any text of a voice client through the decoder, the state machine and back out
// through the encoders. Asserts what voice_server.c relies on: bounded numbers, words that need no
// escaping, an echo that is JSON again.

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/dp_assert.h"
#include "signaling/voice_codec.h"
#include "signaling/voice_encode.h"
#include "signaling/voice_session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_json(const struct voice_text *text)
{
	json_t *root;

	DP_ASSERT(!text->full);
	root = json_loadb(text->data, text->size, JSON_DECODE_INT_AS_REAL, NULL);
	DP_ASSERT(json_is_object(root));
	json_decref(root);
}

static void check_frame(const struct voice_frame *frame)
{
	static char data[VOICE_TEXT_SIZE];
	unsigned op = (unsigned)frame->op;
	struct voice_text text;

	voice_text_init(&text, data, sizeof(data));
	if (op == VOICE_OP_HEARTBEAT) {
		DP_ASSERT(frame->heartbeat.seq_ack <= 65535 ||
			  frame->heartbeat.seq_ack == VOICE_SEQ_NONE);
		voice_encode_heartbeat_ack(&text, &frame->heartbeat);
		check_json(&text);
	} else if (op == VOICE_OP_VIDEO) {
		DP_ASSERT(frame->video.stream_count <= VOICE_STREAMS_MAX);
		voice_encode_video(&text, 1, &frame->video);
		voice_text_finish(&text, 1);
		check_json(&text);
	} else if (op == VOICE_OP_IDENTIFY || op == VOICE_OP_RESUME) {
		const struct voice_ready ready = {.ip = "192.0.2.1", .identify = &frame->identify};

		DP_ASSERT(frame->identify.stream_count <= VOICE_STREAMS_MAX);
		DP_ASSERT(memchr(frame->identify.token, 0, VOICE_TOKEN_SIZE) != NULL);
		DP_ASSERT(memchr(frame->identify.session_id, 0, VOICE_SESSION_ID_SIZE) != NULL);
		voice_encode_ready(&text, &ready);
		check_json(&text);
	} else if (op == VOICE_OP_SPEAKING) {
		DP_ASSERT(frame->speaking.flags <= VOICE_SPEAKING_MASK);
	} else if (op == VOICE_OP_SELECT_PROTOCOL) {
		DP_ASSERT(memchr(frame->select.mode, 0, VOICE_NAME_SIZE) != NULL);
		DP_ASSERT(frame->select.address.family != 0 || frame->select.address.port == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct voice_session session;
	struct voice_frame frame;
	char *text = malloc(size + 1); // as the WebSocket hands it over: a NUL behind

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (voice_frame_decode(text, size, &frame) == 0) {
		DP_ASSERT(voice_op_label(frame.op) != NULL);
		check_frame(&frame);
		(void)voice_session_open(&session, 8, 10000, 1);
		(void)voice_session_feed(&session, &frame, 2);
		(void)voice_session_authenticated(&session, VOICE_CLOSE_NONE, 3);
		(void)voice_session_added(&session, 0);
		(void)voice_session_feed(&session, &frame, 4);
		DP_ASSERT(session.state <= VOICE_CLOSED);
		DP_ASSERT((session.state == VOICE_CLOSED) == (session.close_code != 0));
	}
	voice_frame_wipe(&frame);
	(void)voice_version_of_query(text);
	free(text);
	return 0;
}
