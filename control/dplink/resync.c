// SPDX-License-Identifier: BSD-3-Clause
//
// Revisions: each change of a thing gets the next 'wanted'; the ACK of the change's last command
// moves 'acked'. What is behind after a time-out is sent again as a whole.

#include "dplink/resync.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dplink/dplink.h"
#include "dplink/resync_send.h"
#include "dplink/resync_wait.h"
#include "log/log.h"
#include "loop/loop.h"
#include "registry/registry.h"

struct resync {
	struct loop *loop;
	struct registry *registry;
	struct dplink *link;
	struct resync_events events;
	struct resync_wait wait;
	struct loop_timer timer;
	bool is_behind; // something must be sent again
};

#define TIMER_MS 250u

static void send_or_retry(struct resync *r, int error)
{
	if (error != 0)
		r->is_behind = true; // -ENOTCONN: 'up' sends everything anyway
}

static void send_session(struct resync *r, struct session *session)
{
	send_or_retry(r, resync_send_session_all(r->link, session, ++session->sync.wanted));
}

// Everything that is not acknowledged; after 'up' that is everything.
static void send_all(struct resync *r)
{
	struct guild *guild = NULL;
	struct room *room = NULL;
	struct session *session = NULL;

	r->is_behind = false;
	while ((guild = registry_guild_next(r->registry, guild)) != NULL)
		if (guild->intent->state == INTENT_LIVE && guild->sync.acked != guild->sync.wanted)
			send_or_retry(r, resync_send_guild_open(r->link, guild));
	while ((room = registry_room_next(r->registry, room)) != NULL)
		if (room->intent->state == INTENT_LIVE && room->sync.acked != room->sync.wanted)
			send_or_retry(r, resync_send_room_open(r->link, room));
	while ((session = registry_session_next(r->registry, session)) != NULL) {
		if (session->intent->state == INTENT_GONE)
			send_or_retry(r, resync_send_session_remove(r->link, session));
		else if (session->sync.acked != session->sync.wanted)
			send_session(r, session);
	}
	while ((room = registry_room_next(r->registry, room)) != NULL)
		if (room->intent->state == INTENT_GONE)
			send_or_retry(r, resync_send_room_close(r->link, room));
	while ((guild = registry_guild_next(r->registry, guild)) != NULL)
		if (guild->intent->state == INTENT_GONE)
			send_or_retry(r, resync_send_guild_close(r->link, guild));
}

static void reset_sync(struct registry_sync *sync)
{
	sync->acked = 0;
	if (sync->wanted == 0)
		sync->wanted = 1;
}

static void on_up(void *ctx, uint32_t epoch, uint16_t worker_count, uint16_t first_port)
{
	struct resync *r = ctx;
	struct guild *guild = NULL;
	struct room *room = NULL;
	struct session *session = NULL;

	(void)first_port;
	log_notice("packet engine is there epoch=%u workers=%u", epoch, worker_count);
	while ((guild = registry_guild_next(r->registry, guild)) != NULL)
		reset_sync(&guild->sync);
	while ((room = registry_room_next(r->registry, room)) != NULL)
		reset_sync(&room->sync);
	while ((session = registry_session_next(r->registry, session)) != NULL)
		reset_sync(&session->sync);
	send_all(r);
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

// An ACK for a thing that should be there. Parts of a change carry revision 0.
static void settle(struct resync *r, struct registry_sync *sync, uint32_t revision, int error)
{
	if (error == -ETIMEDOUT) {
		r->is_behind = true;
		return;
	}
	if (error != 0) {
		log_warn("packet engine refused a command error=%s", strerror(-error));
		// No retry by itself: it would be refused again. Whoever waits decides.
		sync->acked = sync->wanted;
		resync_wait_fire(&r->wait, sync, sync->wanted, error);
		return;
	}
	if (revision != 0 && revision > sync->acked)
		sync->acked = revision;
	resync_wait_fire(&r->wait, sync, sync->acked, 0);
}

// An ACK for the end of a thing: its slot may go. True: 'sync' is free of waiters, give it back.
static bool settle_end(struct resync *r, struct registry_sync *sync, int error)
{
	if (error == -ETIMEDOUT || error == -EBUSY) {
		r->is_behind = true;
		return false;
	}
	resync_wait_fire(&r->wait, sync, UINT32_MAX, 0);
	return true;
}

static void acked_guild(struct resync *r, const struct dplink_tag *tag, int error)
{
	struct guild *guild = registry_guild_at(r->registry, tag->worker, tag->handle);

	if (guild == NULL)
		return;
	if (tag->kind == RESYNC_GUILD_OPEN && guild->intent->state == INTENT_LIVE)
		settle(r, &guild->sync, tag->revision, error);
	else if (tag->kind == RESYNC_GUILD_CLOSE && settle_end(r, &guild->sync, error))
		registry_guild_free(r->registry, guild);
}

static void acked_room(struct resync *r, const struct dplink_tag *tag, int error)
{
	struct room *room = registry_room_at(r->registry, tag->worker, tag->handle);

	if (room == NULL)
		return;
	if (tag->kind == RESYNC_ROOM_OPEN && room->intent->state == INTENT_LIVE)
		settle(r, &room->sync, tag->revision, error);
	else if (tag->kind == RESYNC_ROOM_CLOSE && settle_end(r, &room->sync, error))
		registry_room_free(r->registry, room);
}

static void acked_session(struct resync *r, const struct dplink_tag *tag, int error)
{
	struct session *session = registry_session_at(r->registry, tag->worker, tag->handle);

	if (session == NULL)
		return;
	if (tag->kind == RESYNC_SESSION && session->intent->state == INTENT_LIVE)
		settle(r, &session->sync, tag->revision, error);
	else if (tag->kind == RESYNC_SESSION_REMOVE && settle_end(r, &session->sync, error))
		registry_session_free(r->registry, session);
}

static void on_acked(void *ctx, const struct dplink_tag *tag, int error)
{
	struct resync *r = ctx;

	if (error == -EEXIST)
		error = 0; // handles are never reused, so what is there is ours
	if (tag->kind == RESYNC_GUILD_OPEN || tag->kind == RESYNC_GUILD_CLOSE)
		acked_guild(r, tag, error);
	else if (tag->kind == RESYNC_ROOM_OPEN || tag->kind == RESYNC_ROOM_CLOSE)
		acked_room(r, tag, error);
	else
		acked_session(r, tag, error);
	resync_wait_drain(&r->wait);
}

static void on_timer(void *arg)
{
	struct resync *r = arg;
	struct dplink_stats stats;

	dplink_stats(r->link, &stats);
	if (r->is_behind && dplink_is_up(r->link) && stats.queued == 0 && stats.in_flight == 0)
		send_all(r);
	resync_wait_expire(&r->wait, loop_now_ms(r->loop));
	resync_wait_drain(&r->wait);
	loop_timer_set(&r->timer, r->is_behind ? RESYNC_RETRY_MS : TIMER_MS);
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

void resync_guild_open(struct resync *r, struct guild *guild, resync_done_fn *fn, void *arg)
{
	guild->sync.wanted++;
	wait_for(r, &guild->sync, fn, arg);
	send_or_retry(r, resync_send_guild_open(r->link, guild));
}

void resync_room_open(struct resync *r, struct room *room)
{
	room->sync.wanted++;
	send_or_retry(r, resync_send_room_open(r->link, room));
}

void resync_session_add(struct resync *r, struct session *session, resync_done_fn *fn, void *arg)
{
	session->sync.wanted++;
	wait_for(r, &session->sync, fn, arg);
	send_or_retry(r, resync_send_session_add(r->link, session, session->sync.wanted));
}

void resync_session_key(struct resync *r, struct session *session, resync_done_fn *fn, void *arg)
{
	session->sync.wanted++;
	wait_for(r, &session->sync, fn, arg);
	send_or_retry(r, resync_send_session_key(r->link, session, session->sync.wanted));
}

void resync_session_set(struct resync *r, struct session *session, resync_done_fn *fn, void *arg)
{
	session->sync.wanted++;
	wait_for(r, &session->sync, fn, arg);
	send_or_retry(r, resync_send_session_set(r->link, session, session->sync.wanted));
}

void resync_session_remove(struct resync *r, struct session *session, resync_done_fn *fn, void *arg)
{
	resync_wait_fire(&r->wait, &session->sync, UINT32_MAX, -ECANCELED);
	session->sync.wanted++;
	wait_for(r, &session->sync, fn, arg);
	send_or_retry(r, resync_send_session_remove(r->link, session));
	resync_wait_drain(&r->wait);
}

void resync_room_close(struct resync *r, struct room *room)
{
	send_or_retry(r, resync_send_room_close(r->link, room));
}

void resync_guild_close(struct resync *r, struct guild *guild, resync_done_fn *fn, void *arg)
{
	resync_wait_fire(&r->wait, &guild->sync, UINT32_MAX, -ECANCELED);
	guild->sync.wanted++;
	wait_for(r, &guild->sync, fn, arg);
	send_or_retry(r, resync_send_guild_close(r->link, guild));
	resync_wait_drain(&r->wait);
}

void resync_forget(struct resync *r, const void *arg)
{
	resync_wait_forget(&r->wait, arg);
}
