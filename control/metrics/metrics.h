// SPDX-License-Identifier: BSD-3-Clause
//
// /metrics of a node: everything is read at the moment of a scrape, no worker is disturbed.
//
// Threads: the loop's only.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct loop;
struct metrics_server;
struct metrics_text;
struct node_view;

// The whole page. Check text->failed.
void metrics_render(const struct node_view *view, struct metrics_text *text);

// Listens where the configuration says; without metrics.listen there is no server ('*out' NULL).
// 0, or -errno with one sentence in 'why'.
int metrics_server_create(struct loop *loop, const struct node_view *view,
	struct metrics_server **out, char *why, size_t why_size)
	__attribute__((warn_unused_result));
void metrics_server_destroy(struct metrics_server *server);
uint16_t metrics_server_port(const struct metrics_server *server); // 0 for NULL
