// SPDX-License-Identifier: BSD-3-Clause
//
// The dataplane's few log lines: life-cycle, by the main thread, in the form of control's log
// (key=value on stderr, text on a terminal). Workers never log.
//
//	host_log(HOST_LOG_INFO, "device started", "driver=%s queues=%u", driver, queue_count);
#pragma once

#include <stdbool.h>

enum host_log_level {
	HOST_LOG_ERROR,
	HOST_LOG_WARN,
	HOST_LOG_INFO, // until host_log_open() says otherwise
	HOST_LOG_DEBUG,
	HOST_LOG_LEVEL_COUNT,
};

void host_log_open(enum host_log_level level);
// One line. 'message' is a sentence of ours; 'format' makes the keys and values ("" for none).
void host_log(enum host_log_level level, const char *message, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

// A value that may hold anything, quoted and escaped so that it can forge neither key nor line; on
// a terminal as it is.
struct host_log_text {
	char bytes[1024];
};
// Returns out->bytes.
const char *host_log_quote(struct host_log_text *out, const char *text);

// "error", "warn", "info", "debug" -> level; false: none of them.
bool host_log_level_parse(const char *name, enum host_log_level *level);
