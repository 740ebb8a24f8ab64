// SPDX-License-Identifier: BSD-3-Clause
//
// Waiters: one list per thing, one of all for the time-out, one of those about to be called.

#include "dplink/resync_wait.h"

#include <errno.h>
#include <stdlib.h>

#include "api/dp_assert.h"
#include "registry/registry.h"

void resync_wait_add(struct resync_wait *wait, struct registry_sync *sync, resync_done_fn *fn,
	void *arg, uint64_t deadline_ms)
{
	struct resync_waiter *waiter = calloc(1, sizeof(*waiter));
	struct resync_waiter **end = &sync->waiters;

	DP_ASSERT(waiter != NULL);
	waiter->sync = sync;
	waiter->revision = sync->wanted;
	waiter->fn = fn;
	waiter->arg = arg;
	waiter->deadline_ms = deadline_ms;
	while (*end != NULL) // they are few, and are called in the order in which they came
		end = &(*end)->next;
	*end = waiter;
	waiter->all_next = wait->all;
	if (wait->all != NULL)
		wait->all->all_prev = waiter;
	wait->all = waiter;
}

// 'at' points to the link that holds the waiter.
static void move_to_firing(struct resync_wait *wait, struct resync_waiter **at, int error)
{
	struct resync_waiter *waiter = *at;

	*at = waiter->next;
	if (waiter->all_prev != NULL)
		waiter->all_prev->all_next = waiter->all_next;
	else
		wait->all = waiter->all_next;
	if (waiter->all_next != NULL)
		waiter->all_next->all_prev = waiter->all_prev;
	waiter->sync = NULL;
	waiter->error = error;
	waiter->next = NULL;
	if (wait->firing == NULL)
		wait->firing = waiter;
	else
		wait->firing_last->next = waiter;
	wait->firing_last = waiter;
}

bool resync_wait_fire(
	struct resync_wait *wait, struct registry_sync *sync, uint32_t revision, int error)
{
	struct resync_waiter **at = &sync->waiters;
	bool is_heard = false;

	while (*at != NULL) {
		if ((*at)->revision <= revision) {
			is_heard = is_heard || (*at)->fn != NULL;
			move_to_firing(wait, at, error);
		} else {
			at = &(*at)->next;
		}
	}
	return is_heard;
}

void resync_wait_expire(struct resync_wait *wait, uint64_t now_ms)
{
	struct resync_waiter *waiter = wait->all, *next;

	for (; waiter != NULL; waiter = next) {
		struct resync_waiter **at = &waiter->sync->waiters;

		next = waiter->all_next;
		if (now_ms < waiter->deadline_ms)
			continue;
		while (*at != waiter)
			at = &(*at)->next;
		move_to_firing(wait, at, -ETIMEDOUT);
	}
}

void resync_wait_drain(struct resync_wait *wait)
{
	if (wait->is_draining)
		return; // a callback called in: the outer drain goes on with what it added
	wait->is_draining = true;
	while (wait->firing != NULL) {
		struct resync_waiter *waiter = wait->firing;

		wait->firing = waiter->next;
		if (waiter->fn != NULL)
			waiter->fn(waiter->arg, waiter->error);
		free(waiter);
	}
	wait->is_draining = false;
}

void resync_wait_forget(struct resync_wait *wait, const void *arg)
{
	for (struct resync_waiter *waiter = wait->all; waiter != NULL; waiter = waiter->all_next)
		if (waiter->arg == arg)
			waiter->fn = NULL;
	for (struct resync_waiter *waiter = wait->firing; waiter != NULL; waiter = waiter->next)
		if (waiter->arg == arg)
			waiter->fn = NULL;
}

void resync_wait_fini(struct resync_wait *wait)
{
	while (wait->all != NULL) {
		struct resync_waiter *next = wait->all->all_next;

		free(wait->all);
		wait->all = next;
	}
	while (wait->firing != NULL) {
		struct resync_waiter *next = wait->firing->next;

		free(wait->firing);
		wait->firing = next;
	}
}
