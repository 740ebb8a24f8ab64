// SPDX-License-Identifier: BSD-3-Clause
//
// See arena_watch.h. A worker lays its tables out in one arena, so its allocations are those
// between the first one of its own and the next worker's.
#include "arena_watch.h"

#include <stdint.h>

#include "session/leg.h"
#include "session/receiver.h"
#include "session/session.h"
#include "table/arena.h"
#include "table/extents.h"
#include "worker/worker.h"

#define TAKES_MAX 128u   // two workers' with room to grow
#define WORDS_PER_LEG 2u // worker.c: in a room of n every stream has a list of up to 2 n

struct take {
	const uint8_t *at;
	size_t size;
};

static struct take takes[TAKES_MAX];
static unsigned take_count;

void *__real_arena_take(struct arena *a, size_t size); // NOLINT: the linker's names
void *__wrap_arena_take(struct arena *a, size_t size);

void *__wrap_arena_take(struct arena *a, size_t size)
{
	uint8_t *at = __real_arena_take(a, size);

	if (at != NULL && take_count < TAKES_MAX) {
		takes[take_count++] =
			(struct take){.at = at, .size = (size_t)(a->base + a->used - at)};
	}
	return at;
}

static unsigned find(const void *at)
{
	unsigned i = 0;

	while (i < take_count && takes[i].at != at) {
		i++;
	}
	return i;
}

struct arena_use arena_watch_use(const struct worker *w)
{
	unsigned first = find(w->sessions), legs = find(w->legs), extents = find(w->extents);
	struct arena_use use = {0};

	for (unsigned i = first; i < take_count &&
				 (i == first || takes[i].at == takes[i - 1].at + takes[i - 1].size);
		i++) {
		use.total += takes[i].size;
		use.legs += i >= legs && i < extents ? takes[i].size : 0;
	}
	if (first == take_count || legs == take_count || extents == take_count) {
		return (struct arena_use){0};
	}
	use.sessions = takes[first].size + takes[find(w->receivers)].size;
	use.legs += w->leg_count * WORDS_PER_LEG * sizeof(uint32_t);
	use.elsewhere = use.total - use.sessions - use.legs;
	use.sessions += w->session_count * sizeof(struct dp_session_shm);
	use.legs += w->leg_count * sizeof(struct dp_leg_shm);
	use.total += w->session_count * sizeof(struct dp_session_shm) +
		     w->leg_count * sizeof(struct dp_leg_shm);
	return use;
}
