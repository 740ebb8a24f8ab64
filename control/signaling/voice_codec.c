// SPDX-License-Identifier: BSD-3-Clause
//
// Decoding by jansson: duplicate members are refused, nesting is bounded before it sees the text. A
// getter returns false for a member of the wrong type and leaves the default for a missing one.

#include "signaling/voice_codec.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

// An unsigned 64-bit id, as a decimal string or a number. 0 is none.
static bool id_text(const char *text, uint64_t *id)
{
	uint64_t value = 0;

	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		unsigned digit = (unsigned)(*text - '0');

		if (digit > 9 || value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*id = value;
	return true;
}

static bool get_id(const json_t *object, const char *name, uint64_t *id)
{
	const json_t *value = json_object_get(object, name);

	if (value == NULL || json_is_null(value))
		return true;
	if (json_is_integer(value) && json_integer_value(value) >= 0) {
		*id = (uint64_t)json_integer_value(value);
		return true;
	}
	return json_is_string(value) && id_text(json_string_value(value), id);
}

// Numbers of clients may be written as reals (1.0); what does not fit 32 bits is malformed.
static bool to_u32(const json_t *value, uint32_t *out)
{
	double number;

	if (json_is_boolean(value)) {
		*out = json_is_true(value);
		return true;
	}
	if (!json_is_number(value))
		return false;
	number = json_number_value(value);
	if (!(number >= 0 && number <= (double)UINT32_MAX))
		return false;
	*out = (uint32_t)number;
	return true;
}

static bool get_u32(const json_t *object, const char *name, uint32_t *out)
{
	const json_t *value = json_object_get(object, name);

	return value == NULL || json_is_null(value) || to_u32(value, out);
}

static bool get_text(const json_t *object, const char *name, char *out, size_t out_size)
{
	const json_t *value = json_object_get(object, name);
	size_t size;

	if (value == NULL || json_is_null(value))
		return true;
	if (!json_is_string(value))
		return false;
	size = json_string_length(value);
	if (size >= out_size)
		return false;
	memcpy(out, json_string_value(value), size + 1);
	return true;
}

// A text that is only compared with what we know. One that is too long is no mistake of form: it is
// like nothing that we know, and so is the empty text that stands for it.
static bool get_key_text(const json_t *object, const char *name, char *out, size_t out_size)
{
	const json_t *value = json_object_get(object, name);

	if (json_is_string(value) && json_string_length(value) >= out_size) {
		out[0] = '\0';
		return true;
	}
	return get_text(object, name, out, out_size);
}

// A word that may be repeated to other clients: letters, digits, '_', '-', '.'.
static bool get_word(const json_t *object, const char *name, char *out, size_t out_size)
{
	if (!get_text(object, name, out, out_size))
		return false;
	return out[strspn(
		       out, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")] ==
	       '\0';
}

// seq_ack: -1 or missing is none; otherwise 16 bits.
static bool get_seq_ack(const json_t *object, uint32_t *seq_ack)
{
	const json_t *value = json_object_get(object, "seq_ack");
	double number;

	*seq_ack = VOICE_SEQ_NONE;
	if (value == NULL || json_is_null(value))
		return true;
	if (!json_is_number(value))
		return false;
	number = json_number_value(value);
	if (number < -1 || number > 65535)
		return false;
	if (number >= 0)
		*seq_ack = (uint32_t)number;
	return true;
}

static bool decode_identify(const json_t *d, struct voice_identify *out)
{
	const json_t *streams = json_object_get(d, "streams");
	const json_t *stream;
	size_t index;

	if (!json_is_object(d) || !get_id(d, "server_id", &out->server_id) ||
		!get_id(d, "user_id", &out->user_id) ||
		!get_key_text(d, "session_id", out->session_id, sizeof(out->session_id)) ||
		!get_key_text(d, "token", out->token, sizeof(out->token)) ||
		!get_u32(d, "max_dave_protocol_version", &out->max_dave_version) ||
		!get_seq_ack(d, &out->seq_ack))
		return false;
	if (streams == NULL || json_is_null(streams))
		return true;
	if (!json_is_array(streams))
		return false;
	json_array_foreach(streams, index, stream)
	{
		struct voice_offer *offer = &out->streams[out->stream_count];

		if (out->stream_count == VOICE_STREAMS_MAX)
			break;
		if (!json_is_object(stream) ||
			!get_word(stream, "type", offer->type, VOICE_NAME_SIZE) ||
			!get_word(stream, "rid", offer->rid, VOICE_NAME_SIZE) ||
			!get_u32(stream, "quality", &offer->quality))
			return false;
		out->stream_count++;
	}
	return true;
}

static void read_address(const char *text, uint32_t port, struct dp_addr *out)
{
	uint8_t ip[16] = {0};

	if (port == 0 || port > UINT16_MAX)
		return;
	if (inet_pton(AF_INET, text, ip) == 1)
		out->family = 4;
	else if (inet_pton(AF_INET6, text, ip) == 1)
		out->family = 6;
	else
		return;
	memcpy(out->ip, ip, sizeof(ip));
	out->port = (uint16_t)port;
}

// koe repeats address, port and mode beside 'data': what counts is 'data', the rest is ignored.
static bool decode_select(const json_t *d, struct voice_select *out)
{
	const json_t *data = json_object_get(d, "data");
	char address[64] = "";
	uint32_t port = 0;

	if (!json_is_object(d) ||
		!get_key_text(d, "protocol", out->protocol, sizeof(out->protocol)))
		return false;
	if (!json_is_object(data)) // "webrtc" sends its SDP here, as text
		return data == NULL || json_is_string(data);
	if (!get_key_text(data, "mode", out->mode, sizeof(out->mode)) ||
		!get_key_text(data, "address", address, sizeof(address)) ||
		!get_u32(data, "port", &port))
		return false;
	read_address(address, port, &out->address);
	return true;
}

static bool decode_heartbeat(const json_t *d, struct json_token raw, struct voice_heartbeat *out)
{
	static const char null_text[] = "null";

	out->nonce = (struct json_token){.text = null_text, .size = 4};
	out->seq_ack = VOICE_SEQ_NONE;
	out->is_object = json_is_object(d);
	if (out->is_object) {
		if (!get_seq_ack(d, &out->seq_ack))
			return false;
		d = json_object_get(d, "t");
		if (d != NULL && !json_scan_member(raw, "t", &raw))
			return false;
	}
	if (d == NULL || json_is_null(d))
		return true;
	out->nonce = raw;
	return json_is_number(d) && json_scan_is_number(raw, VOICE_NONCE_SIZE_MAX);
}

static bool decode_speaking(const json_t *d, struct voice_speaking *out)
{
	if (!json_is_object(d) || !get_u32(d, "speaking", &out->flags) ||
		!get_u32(d, "ssrc", &out->ssrc))
		return false;
	out->flags &= VOICE_SPEAKING_MASK;
	return true;
}

static bool decode_layer(const json_t *stream, struct voice_layer *out)
{
	const json_t *resolution = json_object_get(stream, "max_resolution");
	uint32_t active = 0;

	if (!json_is_object(stream) || !get_word(stream, "type", out->type, VOICE_NAME_SIZE) ||
		!get_word(stream, "rid", out->rid, VOICE_NAME_SIZE) ||
		!get_u32(stream, "ssrc", &out->ssrc) ||
		!get_u32(stream, "rtx_ssrc", &out->rtx_ssrc) ||
		!get_u32(stream, "quality", &out->quality) || !get_u32(stream, "active", &active) ||
		!get_u32(stream, "max_bitrate", &out->max_bitrate) ||
		!get_u32(stream, "max_framerate", &out->max_framerate))
		return false;
	out->active = active != 0;
	if (resolution == NULL || json_is_null(resolution))
		return true;
	return json_is_object(resolution) &&
	       get_word(resolution, "type", out->resolution_type, VOICE_NAME_SIZE) &&
	       get_u32(resolution, "width", &out->width) &&
	       get_u32(resolution, "height", &out->height);
}

static bool decode_video(const json_t *d, struct voice_video *out)
{
	const json_t *streams = json_object_get(d, "streams");
	const json_t *stream;
	size_t index;

	if (!json_is_object(d) || !get_u32(d, "audio_ssrc", &out->audio_ssrc) ||
		!get_u32(d, "video_ssrc", &out->video_ssrc) ||
		!get_u32(d, "rtx_ssrc", &out->rtx_ssrc))
		return false;
	if (streams == NULL || json_is_null(streams))
		return true;
	if (!json_is_array(streams))
		return false;
	json_array_foreach(streams, index, stream)
	{
		if (out->stream_count == VOICE_STREAMS_MAX)
			break;
		if (!decode_layer(stream, &out->streams[out->stream_count]))
			return false;
		out->stream_count++;
	}
	return true;
}

static enum voice_op op_of_number(json_int_t number)
{
	if (number < 0 || number >= VOICE_OP_UNKNOWN ||
		voice_op_label((enum voice_op)number) == NULL)
		return VOICE_OP_UNKNOWN;
	return (enum voice_op)number;
}

static bool decode_op(const json_t *d, struct json_token raw_d, struct voice_frame *frame)
{
	unsigned op = (unsigned)frame->op; // those that clients send are few

	if (op == VOICE_OP_IDENTIFY || op == VOICE_OP_RESUME)
		return decode_identify(d, &frame->identify);
	if (op == VOICE_OP_SELECT_PROTOCOL)
		return decode_select(d, &frame->select);
	if (op == VOICE_OP_HEARTBEAT)
		return decode_heartbeat(d, raw_d, &frame->heartbeat);
	if (op == VOICE_OP_SPEAKING)
		return decode_speaking(d, &frame->speaking);
	if (op == VOICE_OP_VIDEO)
		return decode_video(d, &frame->video);
	if (op == VOICE_OP_MEDIA_SINK_WANTS)
		return json_is_object(d);
	return true;
}

int voice_frame_decode(const char *text, size_t size, struct voice_frame *frame)
{
	const struct json_token whole = {.text = text, .size = size};
	struct json_token raw_op, raw_d = {.text = "", .size = 0};
	size_t flags = JSON_REJECT_DUPLICATES;
	json_t *root;
	const json_t *op;
	int error = -EPROTO;

	*frame = (struct voice_frame){.op = VOICE_OP_UNKNOWN};
	if (json_scan_depth(text, size, VOICE_DEPTH_MAX) > VOICE_DEPTH_MAX)
		return -EPROTO;
	// A heartbeat's nonce may exceed what jansson holds as an integer; its raw text is what
	// counts.
	if (json_scan_member(whole, "op", &raw_op) && raw_op.size == 1 && raw_op.text[0] == '3')
		flags |= JSON_DECODE_INT_AS_REAL;
	root = json_loadb(text, size, flags, NULL);
	op = json_object_get(root, "op");
	if (json_is_number(op)) {
		(void)json_scan_member(whole, "d", &raw_d);
		frame->op = op_of_number((json_int_t)json_number_value(op));
		if (decode_op(json_object_get(root, "d"), raw_d, frame))
			error = 0;
	}
	json_decref(root);
	return error;
}

void voice_frame_wipe(struct voice_frame *frame)
{
	if (frame->op == VOICE_OP_IDENTIFY || frame->op == VOICE_OP_RESUME)
		explicit_bzero(&frame->identify, sizeof(frame->identify));
}
