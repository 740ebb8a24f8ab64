// SPDX-License-Identifier: BSD-3-Clause
//
// The parser of --join. Pure.
#include "load/join_spec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELD_SIZE JOIN_SPEC_TOKEN_SIZE

// Cuts the next field of a colon-separated text. False: none left, or longer than a field may be.
static bool field_next(const char **at, char field[FIELD_SIZE])
{
	if (*at == NULL)
		return false;

	size_t size = strcspn(*at, ":");

	if (size >= FIELD_SIZE)
		return false;
	memcpy(field, *at, size);
	field[size] = '\0';
	*at = (*at)[size] == ':' ? *at + size + 1 : NULL;
	return true;
}

static bool id_parse(const char *text, uint64_t *id)
{
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*id = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' && *id != 0;
}

static bool option_apply(const char *text, struct join_spec *spec)
{
	if (strcmp(text, "nonce=le") == 0) {
		spec->nonce_little = true;
	} else if (strcmp(text, "nonce=be") == 0) {
		spec->nonce_little = false;
	} else if (strcmp(text, "ip6") == 0) {
		spec->ip6 = true;
	} else if (strcmp(text, "loss-ok") == 0) {
		spec->loss_ok = true;
	} else if (strncmp(text, "keepalive=", 10) == 0) {
		if (strlen(text) != 11 || strchr("0489", text[10]) == NULL)
			return false;
		spec->keepalive_size = (uint8_t)(text[10] - '0');
	} else if (strncmp(text, "mode=", 5) == 0) {
		spec->has_mode = true;
		return rtpsize_client_mode_parse(text + 5, &spec->mode);
	} else {
		return false;
	}
	return true;
}

int join_spec_parse(const char *text, struct join_spec *spec, char *why, size_t why_size)
{
	const char *at = text;
	char field[FIELD_SIZE];

	memset(spec, 0, sizeof(*spec));
	spec->keepalive_size = 8;
	if (!field_next(&at, spec->token) || spec->token[0] == '\0') {
		snprintf(why, why_size, "the token is missing, or longer than %u bytes",
			JOIN_SPEC_TOKEN_SIZE - 1);
		return -EINVAL;
	}
	if (!field_next(&at, field) || !id_parse(field, &spec->guild_id)) {
		snprintf(why, why_size, "the guild must be a decimal number above 0");
		return -EINVAL;
	}
	if (!field_next(&at, field) || !id_parse(field, &spec->channel_id)) {
		snprintf(why, why_size, "the channel must be a decimal number above 0");
		return -EINVAL;
	}
	if (!field_next(&at, field) ||
		(strcmp(field, "talk") != 0 && strcmp(field, "listen") != 0)) {
		snprintf(why, why_size, "after the channel comes \"talk\" or \"listen\"");
		return -EINVAL;
	}
	spec->talks = strcmp(field, "talk") == 0;
	while (at != NULL) {
		if (!field_next(&at, field) || !option_apply(field, spec)) {
			snprintf(why, why_size,
				"unknown option \"%.40s\": nonce=be|le, keepalive=0|4|8|9, "
				"mode=NAME, ip6, loss-ok",
				field);
			return -EINVAL;
		}
	}
	return 0;
}
