// SPDX-License-Identifier: BSD-3-Clause
//
// The command line of voicenode-load. Only text in, one struct out.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "load/join_spec.h"

#define OPTIONS_URL_SIZE 256u // bytes, with NUL
#define OPTIONS_JOINS_MAX 4096u

enum options_kind {
	OPTIONS_STEADY, // every talker talks all the time
	OPTIONS_TURNS,  // one at a time per channel, two seconds each
};

struct options {
	char gateway_url[OPTIONS_URL_SIZE]; // ws:// or wss://, with version and encoding
	const char *ca_path;                // NULL: the system's
	struct join_spec *joins;            // owned, see options_fini()
	uint32_t join_count;
	enum options_kind kind;
	uint64_t run_ms;  // 0: until a signal
	uint32_t ramp_ms; // between two bots' starts
	uint64_t seed;
	bool json;
	int progress_fd; // -1: none
	bool has_mode;
	enum rtpsize_client_mode mode;
	double loss_max; // ratio; negative: not judged
};

enum options_result {
	OPTIONS_RUN,
	OPTIONS_HELP,  // --help: print options_help() and end well
	OPTIONS_WRONG, // 'why' says what
};

enum options_result options_parse(
	int argc, char **argv, struct options *options, char *why, size_t why_size);
void options_fini(struct options *options);
const char *options_help(void);
