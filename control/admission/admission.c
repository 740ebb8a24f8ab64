// SPDX-License-Identifier: BSD-3-Clause
//
// A hash of sources. One without connections is kept for the sake of its failures, in a list with
// the one that is idle longest first: it gives way when a place is needed.

#include "admission/admission.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define HASH_SIZE 32768u // twice ADMISSION_SOURCES_MAX
#define V4_MARK 0xffffull

// Indexes are of 'sources', 0 is none.
struct source {
	uint64_t key[2];
	uint32_t hash_next;
	uint32_t idle_prev, idle_next; // while 'strangers' is 0
	uint32_t strangers;
	uint32_t failures; // since
	uint64_t window_ms;
};

struct admission {
	uint64_t seed;
	struct admission_stats stats;
	uint32_t used; // places that were ever taken; the first is 1
	uint32_t idle_first, idle_last;
	uint32_t heads[HASH_SIZE];
	struct source sources[ADMISSION_SOURCES_MAX + 1];
};

struct admission *admission_create(uint64_t seed)
{
	struct admission *a = calloc(1, sizeof(*a));

	if (a != NULL)
		a->seed = seed;
	return a;
}

void admission_destroy(struct admission *a)
{
	free(a);
}

const struct admission_stats *admission_stats(const struct admission *a)
{
	return &a->stats;
}

// False: no address. An IPv4 address in IPv6 clothes is an IPv4 address.
static bool key_of(const char *peer, uint64_t key[2])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	uint8_t ip[16];
	uint32_t v4;

	if (peer == NULL)
		return false;
	if (inet_pton(AF_INET, peer, ip) == 1) {
		memcpy(&v4, ip, sizeof(v4));
	} else if (inet_pton(AF_INET6, peer, ip) != 1) {
		return false;
	} else if (memcmp(ip, mapped, sizeof(mapped)) == 0) {
		memcpy(&v4, ip + sizeof(mapped), sizeof(v4));
	} else {
		memcpy(&key[0], ip, sizeof(key[0])); // its /64
		key[1] = 0;
		return true;
	}
	key[0] = v4;
	key[1] = V4_MARK;
	return true;
}

static uint32_t *head_of(struct admission *a, const uint64_t key[2])
{
	uint64_t x = key[0] * 0x9e3779b97f4a7c15ull ^ key[1] ^ a->seed;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return &a->heads[(x ^ (x >> 31)) & (HASH_SIZE - 1)];
}

static void idle_push(struct admission *a, uint32_t at)
{
	a->sources[at].idle_next = 0;
	a->sources[at].idle_prev = a->idle_last;
	if (a->idle_last != 0)
		a->sources[a->idle_last].idle_next = at;
	else
		a->idle_first = at;
	a->idle_last = at;
}

static void idle_remove(struct admission *a, uint32_t at)
{
	const struct source *source = &a->sources[at];

	if (source->idle_prev != 0)
		a->sources[source->idle_prev].idle_next = source->idle_next;
	else
		a->idle_first = source->idle_next;
	if (source->idle_next != 0)
		a->sources[source->idle_next].idle_prev = source->idle_prev;
	else
		a->idle_last = source->idle_prev;
}

static uint32_t find(struct admission *a, const uint64_t key[2])
{
	uint32_t at = *head_of(a, key);

	while (at != 0 && memcmp(a->sources[at].key, key, sizeof(a->sources[at].key)) != 0)
		at = a->sources[at].hash_next;
	return at;
}

// A place that nobody uses; 0: all are used by somebody who is connected.
static uint32_t take_place(struct admission *a)
{
	uint32_t at = a->idle_first, *link;

	if (a->used < ADMISSION_SOURCES_MAX)
		return ++a->used;
	if (at == 0)
		return 0;
	idle_remove(a, at);
	link = head_of(a, a->sources[at].key);
	while (*link != at)
		link = &a->sources[*link].hash_next;
	*link = a->sources[at].hash_next;
	return at;
}

static uint32_t add(struct admission *a, const uint64_t key[2], uint64_t now_ms)
{
	uint32_t at = take_place(a), *head = head_of(a, key);

	if (at == 0)
		return 0;
	a->sources[at] =
		(struct source){.key = {key[0], key[1]}, .hash_next = *head, .window_ms = now_ms};
	*head = at;
	idle_push(a, at);
	return at;
}

static bool has_failed_too_often(struct source *source, uint64_t now_ms)
{
	if (now_ms - source->window_ms >= ADMISSION_WINDOW_MS) {
		source->window_ms = now_ms;
		source->failures = 0;
	}
	return source->failures >= ADMISSION_FAILURES_MAX;
}

enum admission_verdict admission_open(
	struct admission *a, const char *peer, uint64_t now_ms, struct admission_ticket *ticket)
{
	uint64_t key[2];
	uint32_t at;

	ticket->source = 0;
	if (a == NULL || !key_of(peer, key))
		return ADMISSION_GRANTED;
	at = find(a, key);
	if (at == 0)
		at = add(a, key, now_ms);
	if (at == 0)
		return ADMISSION_GRANTED;
	if (has_failed_too_often(&a->sources[at], now_ms)) {
		a->stats.blocked++;
		return ADMISSION_BLOCKED;
	}
	if (a->sources[at].strangers >= ADMISSION_STRANGERS_MAX) {
		a->stats.crowded++;
		return ADMISSION_CROWDED;
	}
	if (a->sources[at].strangers++ == 0)
		idle_remove(a, at);
	ticket->source = at;
	return ADMISSION_GRANTED;
}

bool admission_is_blocked(
	struct admission *a, const struct admission_ticket *ticket, uint64_t now_ms)
{
	bool is_blocked = a != NULL && ticket->source != 0 &&
			  has_failed_too_often(&a->sources[ticket->source], now_ms);

	if (is_blocked)
		a->stats.blocked++;
	return is_blocked;
}

void admission_failed(struct admission *a, const struct admission_ticket *ticket, uint64_t now_ms)
{
	if (a == NULL)
		return;
	a->stats.failures++;
	if (ticket->source == 0)
		return;
	(void)has_failed_too_often(&a->sources[ticket->source], now_ms); // a new window?
	a->sources[ticket->source].failures++;
}

struct admission_ticket admission_take(struct admission_ticket *from)
{
	struct admission_ticket taken = *from;

	from->source = 0;
	return taken;
}

void admission_release(struct admission *a, struct admission_ticket *ticket)
{
	uint32_t at = a == NULL ? 0 : ticket->source;

	if (at == 0)
		return;
	ticket->source = 0;
	if (--a->sources[at].strangers == 0)
		idle_push(a, at);
}
