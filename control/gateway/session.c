// SPDX-License-Identifier: BSD-3-Clause
//
// The sessions of session.h.
#include "gateway/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json/json.h"

struct event *event_create(const char *type, json_t *data)
{
	struct event *event = calloc(1, sizeof(*event));

	if (event == NULL) {
		json_decref(data);
		return NULL;
	}
	event->data = json_encode(data);
	if (event->data == NULL) {
		free(event);
		return NULL;
	}
	event->reference_count = 1;
	event->type = type;
	event->size = strlen(event->data);
	return event;
}

struct event *event_hold(struct event *event)
{
	event->reference_count++;
	return event;
}

void event_release(struct event *event)
{
	if (event == NULL || --event->reference_count > 0)
		return;
	json_text_free(event->data);
	free(event);
}

struct session *session_create(struct session **list, struct user *user, const char *id)
{
	struct session *session = calloc(1, sizeof(*session));

	if (session == NULL)
		return NULL;
	session->user = user;
	snprintf(session->id, sizeof(session->id), "%s", id);
	session->next_of_user = user->sessions;
	user->sessions = session;
	user->session_count++;
	session->next = *list;
	if (*list != NULL)
		(*list)->prev = session;
	*list = session;
	return session;
}

static void oldest_forget(struct session *session)
{
	struct event **slot =
		&session->ring[(session->seq - session->kept_count + 1) % SESSION_EVENTS_MAX];

	session->kept_size -= (*slot)->size;
	session->kept_count--;
	event_release(*slot);
	*slot = NULL;
}

void session_destroy(struct session **list, struct session *session)
{
	struct session **at = &session->user->sessions;

	while (*at != session)
		at = &(*at)->next_of_user;
	*at = session->next_of_user;
	session->user->session_count--;
	if (session->prev != NULL)
		session->prev->next = session->next;
	else
		*list = session->next;
	if (session->next != NULL)
		session->next->prev = session->prev;
	while (session->kept_count > 0)
		oldest_forget(session);
	free(session);
}

struct session *session_find(const struct user *user, const char *id)
{
	for (struct session *session = user->sessions; session != NULL;
		session = session->next_of_user)
		if (strcmp(session->id, id) == 0)
			return session;
	return NULL;
}

struct session *session_oldest_detached(const struct user *user)
{
	struct session *oldest = NULL;

	for (struct session *session = user->sessions; session != NULL;
		session = session->next_of_user)
		if (session->client == NULL &&
			(oldest == NULL || session->detached_ms <= oldest->detached_ms))
			oldest = session; // the last of equals began first
	return oldest;
}

bool session_sees(const struct session *session, uint64_t guild_id)
{
	return (guild_id >> 22) % session->shard_count == session->shard_index;
}

void session_keep(struct session *session, struct event *event)
{
	while (session->kept_count > 0 &&
		(session->kept_count == SESSION_EVENTS_MAX ||
			session->kept_size + event->size > SESSION_EVENTS_SIZE_MAX))
		oldest_forget(session);
	session->seq++;
	session->ring[session->seq % SESSION_EVENTS_MAX] = event_hold(event);
	session->kept_count++;
	session->kept_size += event->size;
}

void session_received(struct session *session, uint64_t seq)
{
	while (session->kept_count > 0 && session->seq - session->kept_count + 1 <= seq)
		oldest_forget(session);
}

struct event *session_event(const struct session *session, uint64_t seq)
{
	if (seq > session->seq || session->seq - seq >= session->kept_count)
		return NULL;
	return session->ring[seq % SESSION_EVENTS_MAX];
}
