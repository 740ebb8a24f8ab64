// SPDX-License-Identifier: BSD-3-Clause
//
// What the demo shows: the live table and the result. Pure: answers of the node's operator socket
// and the lines of voicenode-load in, text or one JSON object out.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

// Borrowed; NULL: not known (yet).
struct demo_sample {
	const json_t *progress; // voicenode-load's line of this second
	const json_t *guilds;   // operator socket: {"cmd":"guilds"}
	const json_t *status;   // operator socket: {"cmd":"status"}
};

// The table: one line per guild, then the drops. Returns the number of lines written.
unsigned demo_view_table(FILE *out, const struct demo_sample *sample);

// The object of `demo --json` from the node's ledger and voicenode-load's result, to be freed with
// json_decref(). NULL when either lacks something.
json_t *demo_view_result(
	unsigned guilds, unsigned members, const json_t *status, const json_t *load);

// How many bots are in, by a progress line or the result.
unsigned demo_view_joined(const json_t *line);
// How many speak, by a progress line.
unsigned demo_view_speakers(const json_t *progress);

// How far a demo has come.
enum demo_stage {
	DEMO_STAGE_NETWORK, // the gateway starts
	DEMO_STAGE_GATEWAY, // it answers, the node starts
	DEMO_STAGE_NODE,    // it is ready, the bots join
};
// One sentence about a demo that was interrupted before it had a result.
void demo_view_interrupted(
	enum demo_stage stage, unsigned joined, unsigned bots, char *text, size_t text_size);
