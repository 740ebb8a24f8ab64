// SPDX-License-Identifier: BSD-3-Clause
//
// The command lines of the two children. The dataplane reads no file: all it knows about this
// machine and its configuration stands here. Pure.
#pragma once

#include <stdint.h>

#include "supervisor/plan.h"

#define ARGV_ITEMS_MAX 128
#define ARGV_TEXT_SIZE 32768

struct argv {
	char *items[ARGV_ITEMS_MAX + 1]; // NULL-terminated, into 'text'
	unsigned count;
	uint32_t text_used;
	char text[ARGV_TEXT_SIZE];
};

// 0, or -E2BIG.
int argv_dataplane(struct argv *argv, const struct node_plan *plan, uint32_t epoch)
	__attribute__((warn_unused_result));
// What a control cannot know of the time before it: its own incarnation, that of the first
// dataplane which no lower rung replaced, and when the node started (CLOCK_MONOTONIC).
struct argv_history {
	uint32_t epoch, dataplane_first;
	uint64_t started_ms;
};
int argv_control(struct argv *argv, const struct node_plan *plan,
	const struct argv_history *history) __attribute__((warn_unused_result));

void argv_init(struct argv *argv);
// Appends one argument. 0 or -E2BIG.
__attribute__((format(printf, 2, 3), warn_unused_result)) int argv_add(
	struct argv *argv, const char *format, ...);
