// SPDX-License-Identifier: BSD-3-Clause
//
// The one way a control program speaks to its operator: one line per event on stderr, key=value for
// machines, readable text when stderr is a terminal. Each call site is limited to one line a
// second; what it kept back is told as suppressed=N by its next line.
//
//	log_warn("node lost node=%s guilds=%u", name, guild_count);
//	time=2026-01-31T12:00:00.123Z level=warn program=voicenode-gateway msg="node lost" node=n1
// guilds=3
//
// The words before the first key=... are the message. Every %s value is quoted and escaped where it
// needs to be, so nothing that a peer sent can forge a line or a key. Never pass secrets, tokens or
// the addresses of clients.
//
// Threads: call from one thread per process; a line is one write().
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

enum log_level {
	LOG_LEVEL_ERROR = 0,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO, // until log_open() says otherwise
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_COUNT,
};

#define LOG_LINE_SIZE_MAX 2048u // bytes with the line feed; a longer line ends in "..."
#define LOG_SITE_INTERVAL_MS 1000u

// One per call site, made by the macros below.
struct log_site {
	uint64_t last_ms;    // monotonic time of the last line; 0: none yet
	uint32_t suppressed; // lines kept back since then
	bool unlimited;      // life-cycle lines, which happen once
};

#define log_error(...) LOG_SITE(LOG_LEVEL_ERROR, false, __VA_ARGS__)
#define log_warn(...) LOG_SITE(LOG_LEVEL_WARN, false, __VA_ARGS__)
#define log_info(...) LOG_SITE(LOG_LEVEL_INFO, false, __VA_ARGS__)
#define log_debug(...) LOG_SITE(LOG_LEVEL_DEBUG, false, __VA_ARGS__)
// Without the rate limit: for lines of start and stop, whose number has a bound of its own.
#define log_notice(...) LOG_SITE(LOG_LEVEL_INFO, true, __VA_ARGS__)

// The same for what went wrong so rarely that each time counts: the death of a child.
#define log_warn_each(...) LOG_SITE(LOG_LEVEL_WARN, true, __VA_ARGS__)

#define LOG_SITE(level, no_limit, ...)                                            \
	do {                                                                      \
		static struct log_site log_site_here = {.unlimited = (no_limit)}; \
		if (log_wants(level))                                             \
			log_line(&log_site_here, (level), __VA_ARGS__);           \
	} while (0)

// 'program' is kept, not copied. May be called again to change the level.
void log_open(const char *program, enum log_level level);
bool log_wants(enum log_level level);
// Conversions: d i u x X o c s f g e p and %% with flags, width, precision and hh h l ll z j t.
void log_line(struct log_site *site, enum log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

// "error", "warn", "info", "debug".
const char *log_level_name(enum log_level level);

// For tests: lines go to 'sink' (NULL: stderr again), with time from 'clock_ms' (NULL: real).
typedef void log_sink_fn(void *arg, const char *line, uint32_t line_size);
void log_redirect(log_sink_fn *sink, void *arg, uint64_t (*clock_ms)(void));
