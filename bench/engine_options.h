// SPDX-License-Identifier: BSD-3-Clause
//
// The command line of engine_bench. Main thread.
#pragma once

#include <stdbool.h>

#include "engine_run.h"

struct engine_options {
	struct engine_run_params run;
	uint32_t receivers; // who can be sent something
	bool json;
};

// False: what was wrong, what is allowed and the cure have been printed.
bool engine_options_parse(int argc, char **argv, struct engine_options *out);
const char *engine_mode_name(enum bench_mode mode);
const char *engine_kind_name(enum crypto_engine_kind kind);
