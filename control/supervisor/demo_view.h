// SPDX-License-Identifier: BSD-3-Clause
//
// What the demo shows: the live table and the result. Pure: answers of the node's operator socket
// and the lines of voicenode-load in, text or one JSON object out.
#pragma once

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

// How many bots are in, by the progress line.
unsigned demo_view_joined(const json_t *progress);
