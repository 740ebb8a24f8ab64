// SPDX-License-Identifier: BSD-3-Clause
//
// Names and numbers of voice_op.h and dp_media.h as text, and the version in a URL. The functions
// are declared in voice_codec.h.

#include <stdlib.h>
#include <string.h>

#include "signaling/voice_codec.h"

#define VOICE_OP_LABEL(name, number, label) [number] = (label),
static const char *const op_labels[VOICE_OP_COUNT] = {VOICE_OPS(VOICE_OP_LABEL)};

const char *voice_op_label(enum voice_op op)
{
	return op_labels[op];
}

unsigned voice_version_of_query(const char *query)
{
	const char *at = query;

	while (at != NULL) {
		if (strncmp(at, "v=", 2) == 0) {
			size_t digits = strspn(at + 2, "0123456789");

			if (digits < 1 || digits > 3 ||
				(at[2 + digits] != '\0' && at[2 + digits] != '&'))
				return 0;
			return (unsigned)strtoul(at + 2, NULL, 10);
		}
		at = strchr(at, '&');
		if (at != NULL)
			at++;
	}
	return 0;
}

// What op 1 may choose: the suites of DTLS have no name there.
#define SUITE_NAME(name, number, text, key_size, salt_size) [number] = (text),
static const char *const suite_names[DP_SUITE_RTPSIZE_LAST + 1] = {DP_SUITES_RTPSIZE(SUITE_NAME)};

enum dp_suite voice_suite_of_mode(const char *mode)
{
	for (unsigned suite = DP_SUITE_NONE + 1; suite <= DP_SUITE_RTPSIZE_LAST; suite++)
		if (strcmp(mode, suite_names[suite]) == 0)
			return (enum dp_suite)suite;
	return DP_SUITE_NONE;
}

const char *voice_mode_of_suite(enum dp_suite suite)
{
	return suite > DP_SUITE_NONE && suite <= DP_SUITE_RTPSIZE_LAST ? suite_names[suite] : "";
}

#define CLOSE_ROW(name, code, reason) {(code), (reason)},
static const struct {
	unsigned code;
	const char *reason;
} close_rows[] = {VOICE_CLOSES(CLOSE_ROW)};

const char *voice_close_reason(enum voice_close code)
{
	for (unsigned row = 0; row < sizeof(close_rows) / sizeof(close_rows[0]); row++)
		if (close_rows[row].code == (unsigned)code)
			return close_rows[row].reason;
	return "";
}
