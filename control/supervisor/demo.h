// SPDX-License-Identifier: BSD-3-Clause
//
// The demo's parts in one struct: demo.c is the story (arguments, steps, what is shown),
// demo_programs.c starts and watches gateway, node and bots. One thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "supervisor/child.h"
#include "supervisor/demo_files.h"
#include "supervisor/demo_net.h"
#include "supervisor/demo_view.h"

#define DEMO_ASK_MS 1000 // for an answer of the node's operator socket
#define DEMO_STOP_MS 5000
#define DEMO_WHY_SIZE 1024

enum demo_program {
	DEMO_GATEWAY,
	DEMO_NODE,
	DEMO_LOAD,
	DEMO_PROGRAM_COUNT,
};

struct demo_options {
	unsigned seconds; // 0: until Ctrl-C
	bool json, verbose;
	const char *device;
};

// What a child writes to a pipe: whole lines are taken out of it.
struct demo_pipe {
	int fd; // -1: none, or ended
	char *bytes;
	size_t used;
};

struct demo {
	struct demo_options options;
	struct demo_net net;
	struct demo_files files;
	struct child programs[DEMO_PROGRAM_COUNT];
	struct demo_pipe progress, result;
	json_t *last_progress, *load_result, *status, *guilds;
	enum demo_stage stage;
	unsigned joined; // at most at once
	unsigned lines;  // of the table on the terminal
	uint64_t shown_ms;
	int signal_fd;
	bool interrupted, live;
	char why[DEMO_WHY_SIZE];
};

// Each starts one program and returns when it answers. 0; -EINTR: a signal; else -errno with the
// reason in demo->why.
int demo_gateway_start(struct demo *demo) __attribute__((warn_unused_result));
int demo_node_start(struct demo *demo) __attribute__((warn_unused_result));
// Does not wait: the bots tell by their lines.
int demo_load_start(struct demo *demo) __attribute__((warn_unused_result));
// All of them, and what they left in memory.
void demo_stop(struct demo *demo);

// Waits up to 'wait_ms' for a signal (-EINTR), the death of gateway or node (-ECHILD, demo->why
// says which), the death of the bots or a line of theirs (0).
int demo_watch(struct demo *demo, uint32_t wait_ms) __attribute__((warn_unused_result));
// Takes what has come and decodes every whole line; *last keeps the last good one. Returns whether
// there was one.
bool demo_pipe_drain(struct demo_pipe *in, json_t **last);
// The end of a program's log on stderr, for whoever has to find out why it died.
void demo_show_log(const struct demo *demo, enum demo_program program);

// Asks the node's operator socket {"cmd": command}; NULL when there is no (good) answer.
json_t *demo_ask(const struct demo *demo, const char *command);
// 'fresh', if there is one, takes the place of *kept.
static inline void demo_refresh(json_t **kept, json_t *fresh)
{
	if (fresh == NULL)
		return;
	json_decref(*kept);
	*kept = fresh;
}
