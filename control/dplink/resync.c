// SPDX-License-Identifier: BSD-3-Clause
//
// Revisions: each change of a thing gets the next 'wanted'; the ACK of the change's last command
// moves 'acked'. What timed out, or found no room, is told again as a whole by the next walk.

#include "dplink/resync.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/dp_assert.h"
#include "dplink/dplink.h"
#include "dplink/resync_send.h"
#include "dplink/resync_wait.h"
#include "dplink/resync_walk.h"
#include "log/log.h"
#include "loop/loop.h"
#include "registry/registry.h"

struct resync {
	struct loop *loop;
	struct registry *registry;
	struct dplink *link;
	struct resync_events events;
	struct resync_wait wait;
	struct resync_walk walk;
	uint64_t walk_ms; // no walk begins before
	bool is_replayed; // the engine was told that it has heard everything
	struct loop_timer timer;
};

#define TIMER_MS 250u
#define WALKING_MS 5u // between turns of a walk that is not done

static void on_up(void *ctx, uint32_t epoch, uint16_t worker_count, uint16_t first_port)
{
	struct resync *r = ctx;

	(void)first_port;
	log_notice("packet engine is there epoch=%u workers=%u", epoch, worker_count);
	r->is_replayed = false;
	resync_walk_forget(&r->walk);
	resync_walk_begin(&r->walk);
	loop_timer_set(&r->timer, WALKING_MS);
	r->events.up(r->events.ctx, worker_count);
}

static void on_down(void *ctx)
{
	struct resync *r = ctx;

	log_notice("packet engine is gone; waiting for the next one");
	r->events.down(r->events.ctx);
}

static void on_refused(void *ctx)
{
	struct resync *r = ctx;

	r->events.refused(r->events.ctx);
}

// An ACK for a thing that should be there. True: it was refused, and nobody waits to hear it.
static bool settle(
	struct resync *r, struct registry_sync *sync, const struct dplink_tag *tag, int error)
{
	if (error == -ETIMEDOUT) {
		resync_told(&r->walk, sync, error);
		return false;
	}
	if (error != 0) {
		if (tag->revision <= sync->refused)
			return false; // another part of what was refused already
		log_warn("packet engine refused a command error=%s", strerror(-error));
		// No retry by itself: it would be refused again. Whoever waits decides.
		sync->refused = tag->revision;
	}
	if (error == 0 && tag->kind == RESYNC_SESSION_PART)
		return false;
	if (tag->revision > sync->acked)
		sync->acked = tag->revision;
	return !resync_wait_fire(&r->wait, sync, tag->revision, error) && error != 0;
}

// An ACK for the end of a thing: its slot may go. True: 'sync' is free of waiters, give it back.
static bool settle_end(struct resync *r, struct registry_sync *sync, int error)
{
	if (error == -ETIMEDOUT || error == -EBUSY) {
		resync_told(&r->walk, sync, error);
		return false;
	}
	resync_wait_fire(&r->wait, sync, UINT32_MAX, 0);
	return true;
}

static void acked_guild(struct resync *r, const struct dplink_tag *tag, int error)
{
	struct guild_part *part = registry_guild_part_at(r->registry, tag->worker, tag->handle);

	if (part == NULL)
		return;
	if (tag->kind == RESYNC_GUILD_OPEN && part->intent->state == INTENT_LIVE)
		(void)settle(r, &part->sync, tag, error);
	else if (tag->kind == RESYNC_GUILD_CLOSE && settle_end(r, &part->sync, error))
		registry_guild_part_free(r->registry, part);
}

// Who is in a room that was refused is refused, too.
static void acked_room(struct resync *r, const struct dplink_tag *tag, int error)
{
	struct room_part *part = registry_room_part_at(r->registry, tag->worker, tag->handle);

	if (part == NULL)
		return;
	if (tag->kind == RESYNC_ROOM_CLOSE) {
		if (settle_end(r, &part->sync, error))
			registry_room_part_free(r->registry, part);
		return;
	}
	if (part->intent->state != INTENT_LIVE)
		return;
	(void)settle(r, &part->sync, tag, error);
	if (tag->kind != RESYNC_ROOM_OPEN || error != 0 || part->phase != ROOM_PART_OPENING)
		return;
	part->phase = ROOM_PART_OPEN;
	resync_tell_peers(&r->walk, part->room);
}

static void acked_session(struct resync *r, const struct dplink_tag *tag, int error)
{
	struct session *session = registry_session_at(r->registry, tag->worker, tag->handle);

	if (session == NULL)
		return;
	if (tag->kind == RESYNC_SESSION_REMOVE) {
		if (settle_end(r, &session->sync, error))
			registry_session_free(r->registry, session);
	} else if (session->intent->state == INTENT_LIVE && settle(r, &session->sync, tag, error)) {
		r->events.session_refused(r->events.ctx, session, error);
	}
}

static void on_acked(void *ctx, const struct dplink_tag *tag, int error)
{
	struct resync *r = ctx;

	if (error == -EEXIST)
		error = 0; // handles are never reused, so what is there is ours
	if (tag->kind == RESYNC_REPLAYED)
		r->is_replayed &= error != -ETIMEDOUT;
	else if (tag->kind == RESYNC_GUILD_OPEN || tag->kind == RESYNC_GUILD_CLOSE)
		acked_guild(r, tag, error);
	else if (tag->kind == RESYNC_ROOM_OPEN || tag->kind == RESYNC_ROOM_SET ||
		 tag->kind == RESYNC_ROOM_CLOSE)
		acked_room(r, tag, error);
	else
		acked_session(r, tag, error);
	resync_wait_drain(&r->wait);
	resync_walk_go(&r->walk); // the queue may have become shorter
}

// Once per engine: when it has acknowledged all there is. Anything less would have it forget what
// somebody who comes yet must continue.
static void tell_replayed(struct resync *r)
{
	const struct intent_params *params = registry_params(r->registry);
	struct dplink_stats stats;

	dplink_stats(r->link, &stats);
	if (r->is_replayed || r->walk.is_behind || stats.queued > 0 || stats.in_flight > 0)
		return;
	r->is_replayed = true;
	for (uint32_t worker = 0; worker < params->worker_count; worker++)
		r->is_replayed &= resync_send_replayed(r->link, worker) == 0;
}

static void on_timer(void *arg)
{
	struct resync *r = arg;
	uint64_t now_ms = loop_now_ms(r->loop);
	bool is_up = dplink_is_up(r->link);

	if (is_up && !resync_walk_is_done(&r->walk)) {
		resync_walk_go(&r->walk);
	} else if (is_up && r->walk.is_behind && now_ms >= r->walk_ms) {
		r->walk_ms = now_ms + RESYNC_RETRY_MS;
		resync_walk_begin(&r->walk);
	} else if (is_up) {
		tell_replayed(r);
	}
	resync_wait_expire(&r->wait, now_ms);
	resync_wait_drain(&r->wait);
	loop_timer_set(&r->timer, is_up && !resync_walk_is_done(&r->walk) ? WALKING_MS : TIMER_MS);
}

int resync_create(struct loop *loop, struct registry *registry, int fd, uint32_t own_epoch,
	const struct resync_events *events, struct resync **out)
{
	struct resync *r = calloc(1, sizeof(*r));
	struct dplink_handler handler = {
		.up = on_up, .down = on_down, .acked = on_acked, .refused = on_refused, .ctx = r};
	int error;

	if (r == NULL)
		return -ENOMEM;
	r->loop = loop;
	r->registry = registry;
	r->events = *events;
	loop_timer_init(loop, &r->timer, on_timer, r);
	error = dplink_create(loop, fd, own_epoch, &handler, &r->link);
	if (error != 0) {
		free(r);
		return error;
	}
	resync_walk_init(&r->walk, registry, r->link);
	*out = r;
	return 0;
}

void resync_destroy(struct resync *r)
{
	if (r == NULL)
		return;
	loop_timer_stop(&r->timer);
	dplink_destroy(r->link);
	resync_wait_fini(&r->wait);
	free(r);
}

void resync_start(struct resync *r)
{
	dplink_start(r->link);
	loop_timer_set(&r->timer, TIMER_MS);
}

struct dplink *resync_link(const struct resync *r)
{
	return r->link;
}

static void wait_for(struct resync *r, struct registry_sync *sync, resync_done_fn *fn, void *arg)
{
	if (fn != NULL)
		resync_wait_add(&r->wait, sync, fn, arg, loop_now_ms(r->loop) + RESYNC_WAIT_MS);
}

void resync_guild_open(struct resync *r, struct guild_part *home, resync_done_fn *fn, void *arg)
{
	home->sync.wanted++;
	home->sync.is_told = false;
	wait_for(r, &home->sync, fn, arg);
	resync_tell_guild(&r->walk, home);
}

void resync_session_add(struct resync *r, struct session *session, resync_done_fn *fn, void *arg)
{
	session->sync.wanted++;
	wait_for(r, &session->sync, fn, arg);
	resync_tell_guild(&r->walk, session->guild_part);
	if (session->part != NULL)
		resync_tell_room(&r->walk, session->part);
	resync_told(&r->walk, &session->sync, resync_send_session_add(r->link, session));
}

// A change to a session that the engine was not told whole is told with the whole. 'send' tells the
// change alone.
static void tell_change(struct resync *r, struct session *session,
	int (*send)(struct dplink *link, const struct session *session))
{
	if (session->sync.is_told)
		resync_told(&r->walk, &session->sync, send(r->link, session));
	else
		resync_tell_session(&r->walk, session);
}

void resync_session_key(struct resync *r, struct session *session, resync_done_fn *fn, void *arg)
{
	session->sync.wanted++;
	wait_for(r, &session->sync, fn, arg);
	tell_change(r, session, resync_send_session_key);
}

void resync_session_set(struct resync *r, struct session *session, resync_done_fn *fn, void *arg)
{
	struct room_part *part = session_wanted_part(session);

	session->sync.wanted++;
	wait_for(r, &session->sync, fn, arg);
	if (part != NULL)
		resync_tell_room(&r->walk, part);
	tell_change(r, session, resync_send_session_set);
}

void resync_session_wait(struct resync *r, struct session *session, resync_done_fn *fn, void *arg)
{
	DP_ASSERT(!registry_is_settled(&session->sync));
	wait_for(r, &session->sync, fn, arg);
}

void resync_session_remove(struct resync *r, struct session *session, resync_done_fn *fn, void *arg)
{
	resync_wait_fire(&r->wait, &session->sync, UINT32_MAX, -ECANCELED);
	session->sync.wanted++;
	wait_for(r, &session->sync, fn, arg);
	resync_told(&r->walk, &session->sync, resync_send_session_remove(r->link, session));
	resync_wait_drain(&r->wait);
}

void resync_room_close(struct resync *r, struct room_part *part, struct room *rest)
{
	if (rest != NULL)
		resync_tell_peers(&r->walk, rest);
	if (part->phase == ROOM_PART_NEW)
		registry_room_part_free(r->registry, part); // no engine ever heard of it
	else
		resync_told(&r->walk, &part->sync, resync_send_room_close(r->link, part));
}

void resync_guild_close(struct resync *r, struct guild_part *part, resync_done_fn *fn, void *arg)
{
	resync_wait_fire(&r->wait, &part->sync, UINT32_MAX, -ECANCELED);
	part->sync.wanted++;
	wait_for(r, &part->sync, fn, arg);
	resync_told(&r->walk, &part->sync, resync_send_guild_close(r->link, part));
	resync_wait_drain(&r->wait);
}

void resync_forget(struct resync *r, const void *arg)
{
	resync_wait_forget(&r->wait, arg);
}
