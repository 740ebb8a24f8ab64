// SPDX-License-Identifier: BSD-3-Clause
//
// Keys and addresses of sessions.

#include "session/receiver.h"

#include <errno.h>
#include <string.h>

#include "api/dp_assert.h"
#include "session/leg.h"
#include "session/session.h"
#include "table/flow_table.h"
#include "worker/worker.h"

#define DSCP_VOICE 46 // EF, RFC 4594: the relayed voice

void receiver_set_state(struct receiver *r, uint32_t set, uint32_t clear)
{
	bool was_open = receiver_open(r);

	r->state = (r->state | set) & ~clear;
	if (!was_open && receiver_open(r))
		r->continuity++;
}

static void begin_replay(struct worker *w, uint32_t session, uint32_t suite)
{
	struct replay *replay = &w->sessions[session].audio.replay;

	if (dp_suite_is_srtp(suite))
		replay_init_srtp(replay);
	else
		replay_init(replay);
}

// Nothing that was sealed with the old key opens under the new one, and a client that begins again
// may choose any sequence number.
static void start_streams_anew(struct worker *w, uint32_t session, uint32_t suite)
{
	struct stream *s = &w->sessions[session].audio;

	w->session_shm[session].index_max = 0;
	w->session_shm[session].report_ntp = 0;
	w->session_shm[session].suffix = (struct dp_suffix_shm){0};
	begin_replay(w, session, suite);
	s->continuity++;
}

int receiver_set_key(struct worker *w, uint32_t session, const struct dp_session_key *cmd)
{
	struct receiver *r = &w->receivers[session];
	struct dp_session_shm *shm = &w->session_shm[session];
	const struct suite *suite = suite_get(cmd->suite);
	int err;

	if (suite == NULL || cmd->key_id == 0)
		return -EINVAL;
	if (cmd->key_id < shm->key_id)
		return -EINVAL;
	if (cmd->key_id != shm->key_id) {
		// Before the id: a crash in between comes by here again. Behind it, a successor
		// would hold the new key's packets against the old key's numbers.
		start_streams_anew(w, session, cmd->suite);
		// A receiver of SRTP counts roll-overs from 0 under its new key.
		if (dp_suite_is_srtp(cmd->suite))
			leg_forget_receiver(w, session);
		// The id first: a crash in between finds the new key with the old floor, which
		// wastes numbers. The other way round it would find the old key with its numbers
		// unused.
		__atomic_store_n(&shm->key_id, cmd->key_id, __ATOMIC_RELEASE);
		__atomic_store_n(&shm->nonce_floor, 0, __ATOMIC_RELEASE);
	}
	if (!w->sessions[session].audio.replay.started) // a successor's, of one that was silent
		begin_replay(w, session, cmd->suite);
	if (r->key_id != cmd->key_id)
		nonce_init(&r->nonces, &shm->nonce_floor);
	suite_key_wipe(w->crypto, &r->key);
	err = suite->key_expand(w->crypto, &r->key, cmd->key, cmd->salt);
	if (err < 0) {
		receiver_set_state(r, 0, RECEIVER_KEY);
		return err;
	}
	r->suite = cmd->suite;
	r->key_id = cmd->key_id;
	receiver_set_state(r, RECEIVER_KEY, 0);
	return 0;
}

static bool is_at(const struct dp_session_shm *shm, const struct udp_frame *from)
{
	return memcmp(&shm->address, &from->source, sizeof(from->source)) == 0 &&
	       memcmp(shm->next_hop, from->source_mac, sizeof(shm->next_hop)) == 0;
}

// The address is written before its state: a reader of the memfd never takes half of one.
static void publish_address(struct dp_session_shm *shm, const struct udp_frame *from,
	uint8_t local_index, enum dp_address_state state)
{
	__atomic_store_n(&shm->address_state, DP_ADDRESS_NONE, __ATOMIC_RELEASE);
	shm->address = from->source;
	memcpy(shm->next_hop, from->source_mac, sizeof(shm->next_hop));
	shm->local_index = local_index;
	__atomic_store_n(&shm->address_state, state, __ATOMIC_RELEASE);
}

static uint8_t local_index_of(const struct worker *w, const struct dp_addr *target)
{
	const struct udp_frame_host *host = w->params.host;

	for (uint32_t i = 0; i < host->address_count; i++) {
		if (host->addresses[i].family == target->family &&
			memcmp(host->addresses[i].ip, target->ip, sizeof(target->ip)) == 0)
			return (uint8_t)i;
	}
	return 0;
}

// Makes the headers for where the memfd says that the session is.
static void open_address(struct worker *w, uint32_t session)
{
	struct receiver *r = &w->receivers[session];
	const struct dp_session_shm *shm = &w->session_shm[session];
	const struct udp_frame_host *host = w->params.host;
	struct dp_addr local = host->addresses[shm->local_index];

	local.port = (uint16_t)(host->first_port + w->params.index);
	udp_template_build(
		&r->headers, host->mac, shm->next_hop, &local, &shm->address, DSCP_VOICE);
	flow_table_set(w->flows, &shm->address, session);
	receiver_set_state(r, RECEIVER_ADDRESS, 0);
}

static void try_hint(struct worker *w, uint32_t session)
{
	struct session *s = &w->sessions[session];
	struct dp_session_shm *shm = &w->session_shm[session];

	if (shm->address_state == DP_ADDRESS_AUTHENTICATED)
		return;
	for (unsigned i = 0; i < DP_DISCOVERED_MAX; i++) {
		const struct udp_frame *from = &s->discovered[i];

		if (from->source.family == 0 ||
			memcmp(&from->source, &s->hint, sizeof(s->hint)) != 0)
			continue;
		if (shm->address_state == DP_ADDRESS_HINTED && is_at(shm, from))
			return;
		publish_address(shm, from, local_index_of(w, &from->target), DP_ADDRESS_HINTED);
		open_address(w, session);
		return;
	}
}

void receiver_discovered(struct worker *w, uint32_t session, const struct udp_frame *from)
{
	struct session *s = &w->sessions[session];
	struct dp_session_shm *shm = &w->session_shm[session];
	unsigned at = s->discovered_next;

	for (unsigned i = 0; i < DP_DISCOVERED_MAX; i++) { // a repeat takes its own place
		if (memcmp(&s->discovered[i].source, &from->source, sizeof(from->source)) == 0)
			at = i;
	}
	if (at == s->discovered_next)
		s->discovered_next = (uint8_t)((at + 1) % DP_DISCOVERED_MAX);
	s->discovered[at] = *from;
	if (shm->address_state <= DP_ADDRESS_DISCOVERED && !is_at(shm, from))
		publish_address(shm, from, local_index_of(w, &from->target),
			DP_ADDRESS_DISCOVERED); // a successor may see the op 1 that is to come
	try_hint(w, session);
}

void receiver_hinted(struct worker *w, uint32_t session, const struct dp_addr *hint)
{
	w->sessions[session].hint = *hint;
	try_hint(w, session);
}

void receiver_authenticated(struct worker *w, uint32_t session, const struct udp_frame *from)
{
	struct receiver *r = &w->receivers[session];
	struct dp_session_shm *shm = &w->session_shm[session];

	if (shm->address_state == DP_ADDRESS_AUTHENTICATED && is_at(shm, from))
		return;
	if (shm->address_state == DP_ADDRESS_AUTHENTICATED) {
		if (w->now_tsc - r->moved_tsc < w->tsc_hz / DP_MOVES_PER_SECOND)
			return;
		worker_count_add(w, DP_COUNTER_ADDRESS_MOVES, 1);
	}
	r->moved_tsc = w->now_tsc;
	publish_address(shm, from, local_index_of(w, &from->target), DP_ADDRESS_AUTHENTICATED);
	open_address(w, session);
}

// True while its own media says where it is.
static bool has_spoken(const struct worker *w, uint32_t session)
{
	uint64_t due_tsc = w->sessions[session].audio.due_tsc;

	return due_tsc + w->tsc_hz * RECEIVER_SILENT_S > w->now_tsc;
}

void receiver_alive(struct worker *w, const struct udp_frame *from)
{
	uint32_t at = flow_table_find(w->flows, &from->source);

	for (unsigned i = 0; at != INDEX_NONE && i < DP_ALIVE_SESSIONS_MAX;
		i++, at = flow_table_next(w->flows, at)) {
		struct receiver *r = &w->receivers[at];
		struct dp_session_shm *shm = &w->session_shm[at];

		if (is_at(shm, from) || has_spoken(w, at) ||
			w->now_tsc - r->moved_tsc < w->tsc_hz / DP_MOVES_PER_SECOND)
			continue;
		r->moved_tsc = w->now_tsc;
		// A kill in between leaves a MAC that nobody has; the next keepalive mends it.
		memcpy(shm->next_hop, from->source_mac, sizeof(shm->next_hop));
		open_address(w, at);
		worker_count_add(w, DP_COUNTER_NEXT_HOPS, 1);
	}
}

void receiver_restore(struct worker *w, uint32_t session)
{
	const struct dp_session_shm *shm = &w->session_shm[session];
	const struct udp_frame_host *host = w->params.host;
	struct udp_frame *discovered = &w->sessions[session].discovered[0];

	if (shm->address_state > DP_ADDRESS_AUTHENTICATED ||
		shm->local_index >= host->address_count ||
		host->addresses[shm->local_index].family != shm->address.family)
		return; // the node's addresses are others now: it proves itself again
	if (shm->address_state >= DP_ADDRESS_HINTED) {
		open_address(w, session);
	} else if (shm->address_state == DP_ADDRESS_DISCOVERED) {
		discovered->source = shm->address;
		discovered->target = host->addresses[shm->local_index];
		memcpy(discovered->source_mac, shm->next_hop, sizeof(shm->next_hop));
		w->sessions[session].discovered_next = 1;
	}
}

void receiver_fini(struct worker *w, uint32_t session)
{
	struct receiver *r = &w->receivers[session];

	flow_table_remove(w->flows, session);
	leg_forget_receiver(w, session);
	suite_key_wipe(w->crypto, &r->key);
	*r = (struct receiver){.first_leg = INDEX_NONE};
}
