// SPDX-License-Identifier: BSD-3-Clause
//
// A host's addresses without waiting for them. The system's resolver may take half a minute over a
// name server that is gone, and cannot be interrupted: a thread waits for it, with nothing of ours
// but a copy of the name and a socket, and a loop that does not care any more closes its end.
//
// Threads: the loop's. The helper thread touches nothing of the loop, and no lock is shared with
// it. Neighbour: ws_client.c.
#pragma once

#include <net/if.h>
#include <netinet/in.h>

#define RESOLVE_ADDRESSES_MAX 8u // of one host that are tried; the others are not looked at
// Lookups under way, also those that nobody waits for any more: each is a thread.
#define RESOLVE_THREADS_MAX 4u

struct loop;
struct resolve;

struct resolve_answer {
	int error; // of getaddrinfo(): EAI_*; 0: there is an address
	unsigned count;
	// As text, with a scope where it has one; in the order in which to try them.
	char address[RESOLVE_ADDRESSES_MAX][INET6_ADDRSTRLEN + 1 + IF_NAMESIZE];
};
typedef void resolve_fn(void *arg, const struct resolve_answer *answer);

// An address as text is its own answer, at once: 0. -EINVAL: a name, see resolve_begin().
int resolve_literal(const char *host, struct resolve_answer *answer)
	__attribute__((warn_unused_result));
// 0: 'fn' is called once from the loop, unless resolve_cancel() comes first; then '*out' is gone.
// -EAGAIN: RESOLVE_THREADS_MAX lookups are under way. -ENOMEM, -EMFILE and the like.
int resolve_begin(struct loop *loop, const char *host, resolve_fn *fn, void *arg,
	struct resolve **out) __attribute__((warn_unused_result));
// NULL allowed.
void resolve_cancel(struct resolve *resolve);
