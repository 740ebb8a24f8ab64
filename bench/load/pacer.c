// SPDX-License-Identifier: BSD-3-Clause
//
// The schedule of sending, and whose turn it is to speak.
#include "load/pacer.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "load/swarm.h"

#define SLOT_COUNT 20u
#define SLOT_NS UINT64_C(1000000)
#define TURN_NS (2000 * SLOT_NS)
// After a stop of this process (a debugger, a suspended machine) the schedule begins anew.
#define CATCH_UP_SLOTS_MAX 1000u

struct pacer {
	struct swarm *swarm;
	int fd;
	struct loop_fd *watch;
	uint64_t start_ns;  // CLOCK_MONOTONIC of slot 0
	uint64_t next_slot; // not done yet
};

// The period is 20 slots, so that a talker's slot is its index: neighbours in a channel do not
// speak in the same millisecond.
static void slot_run(struct pacer *pacer, uint64_t slot)
{
	struct swarm *swarm = pacer->swarm;
	uint64_t due_ns = pacer->start_ns + slot * SLOT_NS;

	for (uint32_t i = slot % SLOT_COUNT; i < swarm->talker_count; i += SLOT_COUNT) {
		if (bot_media_tick(swarm->talkers[i]))
			histogram_record(
				&swarm->late_us, (swarm_clock_ns(CLOCK_MONOTONIC) - due_ns) / 1000);
	}
}

// Ends a turn whose time is over and gives the floor to the next talker who can take it.
static void turn_run(struct swarm *swarm, struct swarm_room *room, uint64_t now_ns)
{
	if (room->talker_count == 0 || now_ns < room->turn_end_ns)
		return;
	if (room->turn_end_ns != 0) {
		bot_media_end_burst(room->talkers[room->turn_index]);
		room->turn_index = (room->turn_index + 1) % room->talker_count;
	}
	for (uint32_t i = 0; i < room->talker_count; i++) {
		struct bot *talker = room->talkers[room->turn_index];

		if (talker->joined && swarm->phase == SWARM_RUNNING) {
			bot_media_begin_burst(talker);
			room->turn_end_ns = now_ns + TURN_NS;
			return;
		}
		room->turn_index = (room->turn_index + 1) % room->talker_count;
	}
	room->turn_end_ns = 0;
}

static void timer_arm(struct pacer *pacer)
{
	uint64_t at_ns = pacer->start_ns + pacer->next_slot * SLOT_NS;
	struct itimerspec spec = {
		.it_value = {.tv_sec = (time_t)(at_ns / 1000000000),
			.tv_nsec = (long)(at_ns % 1000000000)},
	};

	(void)timerfd_settime(pacer->fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

static bool slot_is_empty(const struct pacer *pacer, uint64_t slot)
{
	return slot % SLOT_COUNT != 0 && slot % SLOT_COUNT >= pacer->swarm->talker_count;
}

static void on_timer(void *arg, int fd, short revents)
{
	struct pacer *pacer = arg;
	struct swarm *swarm = pacer->swarm;
	uint64_t expired_count;
	uint64_t now_ns = swarm_clock_ns(CLOCK_MONOTONIC);
	uint64_t now_slot = (now_ns - pacer->start_ns) / SLOT_NS;

	(void)revents;
	if (read(fd, &expired_count, sizeof(expired_count)) < 0)
		return; // early: it will fire again
	if (swarm->options->kind == OPTIONS_TURNS) {
		for (uint32_t i = 0; i < swarm->room_count; i++)
			turn_run(swarm, &swarm->rooms[i], now_ns);
	}
	if (now_slot > pacer->next_slot + CATCH_UP_SLOTS_MAX)
		pacer->next_slot = now_slot;
	for (; pacer->next_slot <= now_slot; pacer->next_slot++)
		slot_run(pacer, pacer->next_slot);
	while (slot_is_empty(pacer, pacer->next_slot))
		pacer->next_slot++;
	timer_arm(pacer);
}

int pacer_create(struct swarm *swarm, struct pacer **out)
{
	struct pacer *pacer = calloc(1, sizeof(*pacer));
	int status;

	if (pacer == NULL)
		return -ENOMEM;
	pacer->swarm = swarm;
	pacer->start_ns = swarm_clock_ns(CLOCK_MONOTONIC);
	pacer->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (pacer->fd < 0)
		status = -errno;
	else
		status =
			loop_fd_add(swarm->loop, pacer->fd, POLLIN, on_timer, pacer, &pacer->watch);
	if (status != 0) {
		pacer_destroy(pacer);
		return status;
	}
	timer_arm(pacer);
	*out = pacer;
	return 0;
}

void pacer_destroy(struct pacer *pacer)
{
	if (pacer == NULL)
		return;
	loop_fd_remove(pacer->watch);
	if (pacer->fd >= 0)
		close(pacer->fd);
	free(pacer);
}
