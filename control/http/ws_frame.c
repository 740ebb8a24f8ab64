// SPDX-License-Identifier: BSD-3-Clause
//
// The framing of ws_frame.h. Memory grows with what arrived, never with what a head announced.
#include "http/ws_frame.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_KEEP_SIZE 4096u // a longer message's memory is given back after it

void ws_parser_init(struct ws_parser *p, size_t message_size_max, bool masked)
{
	*p = (struct ws_parser){
		.message_size_max = message_size_max, .masked = masked, .head_need = 2};
}

void ws_parser_fini(struct ws_parser *p)
{
	if (p->message != NULL)
		explicit_bzero(p->message, p->message_alloc); // it may have held a token
	free(p->message);
	p->message = NULL;
}

static enum ws_parse fail(struct ws_parser *p, uint16_t code)
{
	p->close_code = code;
	return WS_PARSE_ERROR;
}

static bool is_control(const struct ws_parser *p)
{
	return p->opcode >= WS_CLOSE;
}

// The first two bytes of a frame: how long is the head, is it allowed here?
static enum ws_parse head_begin(struct ws_parser *p)
{
	uint8_t size7 = p->head[1] & 0x7f;
	bool masked = (p->head[1] & 0x80) != 0;

	p->final = (p->head[0] & 0x80) != 0;
	p->opcode = p->head[0] & 0x0f;
	if ((p->head[0] & 0x70) != 0 || masked != p->masked)
		return fail(p, WS_CLOSE_PROTOCOL); // extension bits, or section 5.1
	if (p->opcode > WS_PONG || (p->opcode > WS_BINARY && p->opcode < WS_CLOSE))
		return fail(p, WS_CLOSE_PROTOCOL);
	if (is_control(p) && (!p->final || size7 > WS_CONTROL_SIZE_MAX))
		return fail(p, WS_CLOSE_PROTOCOL);
	if (!is_control(p) && (p->opcode == WS_CONTINUATION) != p->in_message)
		return fail(p, WS_CLOSE_PROTOCOL);
	p->head_need = (uint8_t)(2 + (size7 == 126 ? 2 : size7 == 127 ? 8 : 0) + (masked ? 4 : 0));
	return WS_PARSE_MORE;
}

static enum ws_parse head_end(struct ws_parser *p)
{
	uint8_t size7 = p->head[1] & 0x7f;
	uint8_t extended = size7 == 126 ? 2 : size7 == 127 ? 8 : 0;
	uint64_t size = extended == 0 ? size7 : 0;

	for (uint8_t i = 0; i < extended; i++)
		size = size << 8 | p->head[2 + i];
	if ((extended == 2 && size < 126) || (extended == 8 && (size >> 63 != 0 || size <= 0xffff)))
		return fail(p, WS_CLOSE_PROTOCOL); // section 5.2: the shortest form
	if (p->masked)
		memcpy(p->mask, p->head + 2 + extended, 4);
	p->mask_at = 0;
	p->payload_left = size;
	p->in_payload = true;
	p->head_size = 0;
	p->head_need = 2;
	if (is_control(p)) {
		p->control_size = 0;
		return WS_PARSE_MORE;
	}
	if (!p->in_message) {
		p->in_message = true;
		p->binary = p->opcode == WS_BINARY;
		p->message_size = 0;
		p->fragment_count = 0;
	}
	if (++p->fragment_count > WS_FRAGMENTS_MAX)
		return fail(p, WS_CLOSE_POLICY);
	if (size > p->message_size_max - p->message_size)
		return fail(p, WS_CLOSE_TOO_BIG);
	return WS_PARSE_MORE;
}

static bool message_reserve(struct ws_parser *p, size_t more)
{
	size_t need = p->message_size + more + 1;
	size_t alloc = p->message_alloc == 0 ? 512 : p->message_alloc;
	char *grown;

	if (need <= p->message_alloc)
		return true;
	while (alloc < need)
		alloc *= 2;
	grown = malloc(alloc); // not realloc(): the old copy may hold a token
	if (grown == NULL)
		return false;
	if (p->message != NULL) {
		memcpy(grown, p->message, p->message_size);
		explicit_bzero(p->message, p->message_alloc);
		free(p->message);
	}
	p->message = grown;
	p->message_alloc = alloc;
	return true;
}

static void unmask(struct ws_parser *p, uint8_t *out, const uint8_t *in, size_t size)
{
	for (size_t i = 0; i < size; i++)
		out[i] = in[i] ^ p->mask[(p->mask_at + i) & 3u];
	p->mask_at = (uint8_t)((p->mask_at + size) & 3u);
}

static enum ws_parse control_end(struct ws_parser *p)
{
	if (p->opcode == WS_PING)
		return WS_PARSE_PING;
	if (p->opcode == WS_PONG)
		return WS_PARSE_PONG;
	if (p->control_size == 0) {
		p->close_code = WS_CLOSE_NO_STATUS;
		return WS_PARSE_CLOSE;
	}
	p->close_code = p->control_size < 2 ? 0 : (uint16_t)(p->control[0] << 8 | p->control[1]);
	if (!ws_close_code_valid(p->close_code))
		return fail(p, WS_CLOSE_PROTOCOL);
	if (!ws_utf8_valid((const char *)p->control + 2, p->control_size - 2u))
		return fail(p, WS_CLOSE_NOT_UTF8);
	return WS_PARSE_CLOSE;
}

static enum ws_parse frame_end(struct ws_parser *p)
{
	p->in_payload = false;
	if (is_control(p))
		return control_end(p);
	if (!p->final)
		return WS_PARSE_MORE;
	p->in_message = false;
	if (!message_reserve(p, 0))
		return fail(p, WS_CLOSE_INTERNAL);
	p->message[p->message_size] = '\0';
	if (!p->binary && !ws_utf8_valid(p->message, p->message_size))
		return fail(p, WS_CLOSE_NOT_UTF8);
	return WS_PARSE_MESSAGE;
}

// Takes payload bytes; at the frame's end says what they were.
static enum ws_parse payload_feed(
	struct ws_parser *p, const uint8_t *data, size_t size, size_t *used)
{
	size_t take = size < p->payload_left ? size : (size_t)p->payload_left;

	if (is_control(p)) {
		unmask(p, p->control + p->control_size, data, take);
		p->control_size = (uint8_t)(p->control_size + take);
	} else {
		if (!message_reserve(p, take))
			return fail(p, WS_CLOSE_INTERNAL);
		unmask(p, (uint8_t *)p->message + p->message_size, data, take);
		p->message_size += take;
	}
	p->payload_left -= take;
	*used += take;
	return p->payload_left == 0 ? frame_end(p) : WS_PARSE_MORE;
}

enum ws_parse ws_parser_feed(struct ws_parser *p, const uint8_t *data, size_t size, size_t *used)
{
	enum ws_parse result = WS_PARSE_MORE;

	*used = 0;
	if (!p->in_message && p->message_alloc > MESSAGE_KEEP_SIZE) {
		ws_parser_fini(p);
		p->message_alloc = 0;
	}
	while (result == WS_PARSE_MORE && *used < size) {
		if (p->in_payload) {
			result = payload_feed(p, data + *used, size - *used, used);
			continue;
		}
		p->head[p->head_size++] = data[(*used)++];
		if (p->head_size == 2)
			result = head_begin(p);
		if (result == WS_PARSE_MORE && p->head_size == p->head_need && p->head_size >= 2) {
			result = head_end(p);
			if (result == WS_PARSE_MORE && p->payload_left == 0)
				result = frame_end(p);
		}
	}
	return result;
}

size_t ws_frame_head_build(uint8_t head[WS_FRAME_HEAD_SIZE_MAX], enum ws_opcode opcode, size_t size,
	const uint8_t mask[4])
{
	uint8_t mask_bit = mask == NULL ? 0 : 0x80;
	size_t at = 2;
	unsigned extended = size < 126 ? 0 : size <= 0xffff ? 2 : 8;

	head[0] = (uint8_t)(0x80 | opcode);
	head[1] = (uint8_t)(mask_bit | (extended == 0 ? size : extended == 2 ? 126u : 127u));
	for (unsigned i = 0; i < extended; i++)
		head[at++] = (uint8_t)((uint64_t)size >> (8 * (extended - 1 - i)));
	if (mask != NULL) {
		memcpy(head + at, mask, 4);
		at += 4;
	}
	return at;
}

void ws_accept_build(const char *key, char accept[WS_ACCEPT_SIZE])
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned digest_size = 0;
	char text[WS_KEY_SIZE + 36];

	snprintf(text, sizeof(text), "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
	EVP_Digest(text, strlen(text), digest, &digest_size, EVP_sha1(), NULL);
	EVP_EncodeBlock((uint8_t *)accept, digest, 20);
}

// How many continuation bytes follow 'lead', and in which range the first of them lies.
static int utf8_lead(uint8_t lead, uint8_t *low, uint8_t *high)
{
	*low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
	*high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
	if (lead < 0x80)
		return 0;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 1;
	if (lead >= 0xe0 && lead <= 0xef)
		return 2;
	return lead >= 0xf0 && lead <= 0xf4 ? 3 : -1;
}

bool ws_utf8_valid(const char *text, size_t size)
{
	size_t at = 0;

	while (at < size) {
		uint8_t low, high;
		int more = utf8_lead((uint8_t)text[at++], &low, &high);

		if (more < 0 || (size_t)more > size - at)
			return false;
		for (; more > 0; more--, at++) {
			uint8_t c = (uint8_t)text[at];

			if (c < low || c > high)
				return false;
			low = 0x80;
			high = 0xbf;
		}
	}
	return true;
}

bool ws_close_code_valid(uint16_t code)
{
	if (code >= 3000 && code <= 4999)
		return true;
	return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}
