// SPDX-License-Identifier: BSD-3-Clause
//
// Inside of metrics/: the halves of the page.
#pragma once

#include <stdint.h>

struct metrics_text;
struct node_view;

#define METRICS_NUMBER_SIZE 24 // bytes of a number as text

void metrics_render_dataplane(
	const struct node_view *view, struct metrics_text *text, uint64_t now_ms);
