// SPDX-License-Identifier: BSD-3-Clause
//
// A result of engine_bench as one JSON line or as a table on stdout. Main thread.
#pragma once

#include "engine_options.h"
#include "machine.h"

#define ENGINE_REPORT_SCHEMA "voicenode-engine/1"

// 0, or -ENOMEM (printed).
int engine_report_json(const struct engine_options *o, const struct engine_result *r,
	const struct machine *m) __attribute__((warn_unused_result));
void engine_report_table(
	const struct engine_options *o, const struct engine_result *r, const struct machine *m);
