// SPDX-License-Identifier: BSD-3-Clause
//
// Inside of resync: who waits for which revision of what. Callbacks are moved to a queue first and
// called by resync_wait_drain(), so that one may remove things, and even the thing it waited for.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "dplink/resync.h"

struct registry_sync;

struct resync_waiter {
	struct resync_waiter *next; // of the same thing, or of 'firing'
	struct resync_waiter *all_prev, *all_next;
	struct registry_sync *sync; // NULL: fires
	uint32_t revision;
	int error;
	resync_done_fn *fn; // NULL: forgotten
	void *arg;
	uint64_t deadline_ms;
};

struct resync_wait {
	struct resync_waiter *all;
	struct resync_waiter *firing, *firing_last;
	bool is_draining;
};

// Waits for the current 'wanted'. Without memory the process ends: nothing could keep its promise.
void resync_wait_add(struct resync_wait *wait, struct registry_sync *sync, resync_done_fn *fn,
	void *arg, uint64_t deadline_ms);
// Those of 'sync' that wait for 'revision' or an older one will be called with 'error'. False:
// there is nobody.
bool resync_wait_fire(
	struct resync_wait *wait, struct registry_sync *sync, uint32_t revision, int error);
void resync_wait_expire(struct resync_wait *wait, uint64_t now_ms);
void resync_wait_drain(struct resync_wait *wait);
void resync_wait_forget(struct resync_wait *wait, const void *arg);
void resync_wait_fini(struct resync_wait *wait);
