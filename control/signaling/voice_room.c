// SPDX-License-Identifier: BSD-3-Clause
//
// What members of a voice channel hear of each other: numbered messages, kept for a resume before
// they are sent. A member is visible from Session Description on and hears others from Ready on.

#include <string.h>

#include "http/ws.h"
#include "log/log.h"
#include "registry/registry.h"
#include "signaling/voice_conn.h"

// CLIENT_FLAGS and CLIENT_PLATFORM say nothing yet (null), so they are left out where they would
// push what matters out of the replay ring.
#define DETAILED_MEMBERS_MAX 25u

// Adds the receiver's number, keeps and sends. 'text' is as before afterwards.
static void send_numbered(struct session *to, enum voice_op op, struct voice_text *text)
{
	struct intent_session *intent = to->intent;
	bool is_numbered = intent->version >= VOICE_VERSION_NUMBERED;
	size_t body_size = text->size;

	if (intent->phase == INTENT_PHASE_ADDING)
		return;
	voice_text_finish(text, is_numbered ? resume_next_seq(&intent->ring) : 0);
	if (text->full) {
		log_error("voice message too long op=%s", voice_op_label(op));
	} else {
		if (is_numbered)
			resume_push(&intent->ring, text->data, text->size);
		if (to->conn != NULL)
			voice_conn_send(to->conn, op, text);
	}
	text->size = body_size;
	text->data[body_size] = '\0';
	text->full = false;
}

static void send_to_others(
	struct room *room, const struct session *who, enum voice_op op, struct voice_text *text)
{
	if (room == NULL)
		return;
	for (struct session *to = room->members, *next; to != NULL; to = next) {
		next = to->room_next;
		if (to != who)
			send_numbered(to, op, text);
	}
}

static bool is_visible(const struct session *who, const struct session *to)
{
	return who != to && who->intent->phase == INTENT_PHASE_ACTIVE;
}

static void send_user_list(struct session *to)
{
	char data[VOICE_TEXT_SIZE];
	uint64_t users[VOICE_USERS_PER_FRAME];
	struct session *who = to->room->members;
	struct voice_text text;

	while (who != NULL) {
		unsigned count = 0;

		for (; who != NULL && count < VOICE_USERS_PER_FRAME; who = who->room_next)
			if (is_visible(who, to))
				users[count++] = who->intent->user_id;
		if (count == 0)
			break;
		voice_text_init(&text, data, sizeof(data));
		voice_encode_clients_connect(&text, users, count);
		send_numbered(to, VOICE_OP_CLIENTS_CONNECT, &text);
	}
}

typedef void send_fn(
	struct session *to, const struct session *who, enum voice_op op, struct voice_text *text);

static void send_to_one(
	struct session *to, const struct session *who, enum voice_op op, struct voice_text *text)
{
	(void)who;
	send_numbered(to, op, text);
}

static void send_to_room(
	struct session *to, const struct session *who, enum voice_op op, struct voice_text *text)
{
	(void)to;
	send_to_others(who->room, who, op, text);
}

// CLIENT_FLAGS, CLIENT_PLATFORM, Speaking, and where known Video of 'who'.
static void describe(struct session *to, const struct session *who, bool detailed, send_fn *send)
{
	const struct intent_session *intent = who->intent;
	char data[VOICE_TEXT_SIZE];
	struct voice_text text;

	if (detailed) {
		voice_text_init(&text, data, sizeof(data));
		voice_encode_client_flags(&text, intent->user_id);
		send(to, who, VOICE_OP_CLIENT_FLAGS, &text);
		voice_text_init(&text, data, sizeof(data));
		voice_encode_client_platform(&text, intent->user_id);
		send(to, who, VOICE_OP_CLIENT_PLATFORM, &text);
	}
	// Also of who never spoke: discord.js drops packets of an SSRC that no op 5 told it, and
	// the first packets of a speech outrun the op 5 that its speaker sends.
	voice_text_init(&text, data, sizeof(data));
	voice_encode_speaking(&text, intent->user_id, intent->ssrc, intent->speaking);
	send(to, who, VOICE_OP_SPEAKING, &text);
	if (intent->video_size != 0) {
		voice_text_init(&text, data, sizeof(data));
		voice_text_add(&text, "%.*s", (int)intent->video_size, intent->video);
		send(to, who, VOICE_OP_VIDEO, &text);
	}
}

void voice_room_snapshot(struct session *to)
{
	bool detailed;

	if (to->room == NULL)
		return;
	send_user_list(to);
	detailed = to->room->member_count <= DETAILED_MEMBERS_MAX;
	for (const struct session *who = to->room->members; who != NULL; who = who->room_next)
		if (is_visible(who, to))
			describe(to, who, detailed, send_to_one);
}

void voice_room_joined(struct session *who)
{
	char data[VOICE_TEXT_SIZE];
	struct voice_text text;

	if (who->room == NULL)
		return;
	voice_text_init(&text, data, sizeof(data));
	voice_encode_clients_connect(&text, &who->intent->user_id, 1);
	send_to_others(who->room, who, VOICE_OP_CLIENTS_CONNECT, &text);
	describe(NULL, who, who->room->member_count <= DETAILED_MEMBERS_MAX, send_to_room);
}

void voice_room_left(struct room *room, const struct session *who)
{
	char data[VOICE_TEXT_SIZE];
	struct voice_text text;

	if (who->intent->phase != INTENT_PHASE_ACTIVE)
		return; // nobody was told that it is there
	voice_text_init(&text, data, sizeof(data));
	voice_encode_client_disconnect(&text, who->intent->user_id);
	send_to_others(room, who, VOICE_OP_CLIENT_DISCONNECT, &text);
}

void voice_room_forget(struct session *to)
{
	char data[VOICE_TEXT_SIZE];
	struct voice_text text;

	if (to->room == NULL)
		return;
	for (const struct session *who = to->room->members; who != NULL; who = who->room_next) {
		if (!is_visible(who, to))
			continue;
		voice_text_init(&text, data, sizeof(data));
		voice_encode_client_disconnect(&text, who->intent->user_id);
		send_numbered(to, VOICE_OP_CLIENT_DISCONNECT, &text);
	}
}

void voice_room_speaking(struct voice_conn *conn, const struct voice_speaking *speaking)
{
	struct session *who = conn->session;
	struct intent_session *intent = who->intent;
	// The gateway tells us of no right to priority speech, so nobody has it.
	uint32_t flags = speaking->flags & ~VOICE_SPEAKING_PRIORITY;
	char data[VOICE_TEXT_SIZE];
	struct voice_text text;

	if (speaking->ssrc != 0 && speaking->ssrc != intent->ssrc) {
		// Discord disconnects here, too; a client that believes in another SSRC would be
		// mute.
		voice_conn_act(
			conn, voice_session_end(&conn->machine, VOICE_CLOSE_BAD_REQUEST), NULL);
		return;
	}
	if (intent->is_announced && intent->speaking == flags)
		return;
	intent->speaking = flags;
	intent->is_announced = 1;
	if (intent->phase != INTENT_PHASE_ACTIVE)
		return; // told together with its arrival
	voice_text_init(&text, data, sizeof(data));
	voice_encode_speaking(&text, intent->user_id, intent->ssrc, flags);
	send_to_others(who->room, who, VOICE_OP_SPEAKING, &text);
}

static bool is_own(const struct intent_session *intent, uint32_t ssrc)
{
	return ssrc == 0 || ssrc - intent->ssrc < DP_SSRCS_PER_SESSION;
}

static bool all_own(const struct intent_session *intent, const struct voice_video *video)
{
	if (!is_own(intent, video->audio_ssrc) || !is_own(intent, video->video_ssrc))
		return false;
	for (unsigned index = 0; index < video->stream_count; index++)
		if (!is_own(intent, video->streams[index].ssrc) ||
			!is_own(intent, video->streams[index].rtx_ssrc))
			return false;
	return true;
}

void voice_room_video(struct voice_conn *conn, const struct voice_video *video)
{
	struct session *who = conn->session;
	struct intent_session *intent = who->intent;
	bool was_on = intent->video_size != 0;
	char data[VOICE_TEXT_SIZE];
	struct voice_text text;

	if (!all_own(intent, video)) {
		log_debug("video that names foreign SSRCs is ignored guild=%llu",
			(unsigned long long)intent->guild_id);
		return;
	}
	voice_text_init(&text, data, sizeof(data));
	voice_encode_video(&text, intent->user_id, video);
	intent->video_size = 0;
	if (video->video_ssrc != 0 && !text.full && text.size <= INTENT_VIDEO_SIZE) {
		memcpy(intent->video, text.data, text.size);
		intent->video_size = (uint32_t)text.size;
	}
	if (intent->phase == INTENT_PHASE_ACTIVE && (was_on || video->video_ssrc != 0))
		send_to_others(who->room, who, VOICE_OP_VIDEO, &text);
}
