// SPDX-License-Identifier: BSD-3-Clause
//
// What one source address may cost before it has shown a token: so many connections that have not
// identified, so many wrong tokens a minute. An IPv6 source is its /64, since a host has all of
// that. Connections that have identified do not count: any number of bots may sit behind one
// address. The table is bounded; who finds no place in it is not counted, and bounded by the
// listener alone.
//
// A connection counts from its accept(): TLS, the HTTP head and a body that is never finished cost
// as much as a silent WebSocket. Over either bound it is closed there, before a byte is read. Over
// the second, what an open connection presents is not looked at either: it is told that it is rate
// limited.
//
// Sans-IO: addresses and time in, verdicts out. Threads: the loop's. 'admission' may be NULL
// everywhere: then everybody is welcome.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// A load tester's thousand bots may all be between TCP and Identify at once.
#define ADMISSION_STRANGERS_MAX 1024u // connections of one source that have not identified
#define ADMISSION_FAILURES_MAX 512u   // wrong tokens of one source in a window
#define ADMISSION_WINDOW_MS 60000u
#define ADMISSION_SOURCES_MAX 16384u // kept at once: as many as a listener has connections

struct admission;

enum admission_verdict {
	ADMISSION_GRANTED,
	ADMISSION_CROWDED, // too many connections that have not identified
	ADMISSION_BLOCKED, // too many wrong tokens within the window
};

// A connection's place; zero: it has none, which is good everywhere.
struct admission_ticket {
	uint32_t source; // private
};

// For metrics.
struct admission_stats {
	uint64_t crowded, blocked; // refused, by verdict; 'blocked' also of what was not looked at
	uint64_t failures;         // wrong tokens
};

// 'seed' is random: nobody may choose addresses that share a hash. NULL without memory.
struct admission *admission_create(uint64_t seed);
void admission_destroy(struct admission *admission);
const struct admission_stats *admission_stats(const struct admission *admission); // not of NULL

// A connection is accepted. 'peer' is a textual address, or NULL; what is none (a UNIX socket's) is
// not counted. GRANTED: the ticket is released later.
enum admission_verdict admission_open(struct admission *admission, const char *peer,
	uint64_t now_ms, struct admission_ticket *ticket) __attribute__((warn_unused_result));
// Has its source presented too many wrong tokens? To be asked, once, before a token is looked at.
bool admission_is_blocked(
	struct admission *admission, const struct admission_ticket *ticket, uint64_t now_ms);
// It presented a wrong token.
void admission_failed(
	struct admission *admission, const struct admission_ticket *ticket, uint64_t now_ms);
// It has identified, or is gone. A second call does nothing; 'ticket' may be NULL without
// admission.
void admission_release(struct admission *admission, struct admission_ticket *ticket);
// The ticket changes hands; what is left behind is zero.
struct admission_ticket admission_take(struct admission_ticket *from);
