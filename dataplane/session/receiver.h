// SPDX-License-Identifier: BSD-3-Clause
//
// A session's transport: its key, and where it is (architecture.md decision 9). Nobody is sent
// anything before they proved their address. What must survive a crash (address, nonces) lives in
// the session's slot of the progress memfd; the rest is made from it.
//
// The residual risk: who can spoof a victim's address in one IP discovery for its own session can
// have its own room's voice sent there by an op 1 that names the victim, until a packet under the
// key comes from elsewhere. Listeners who never speak cannot be had without.
//
// Frames go to the MAC that the session's own came from. Where the router changes, media says so;
// of a silent listener only its keepalives and pings do, which nobody authenticates. So they move
// the MAC only: of who is silent, from exactly the address that was proved, a few times a second.
// The residual risk: who is on our own Ethernet segment and spoofs that address, gets the
// listener's (encrypted) media until its next keepalive; somebody from further away comes by the
// router, which is right. A listener whose client sends no keepalives (discord.py, koe) is found
// again when it speaks or joins.
#pragma once

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/dp_msg.h"
#include "crypto/nonce.h"
#include "crypto/suite.h"
#include "proto/udp_frame.h"

struct worker;

// So long after its last packet a session's keepalives may say where it is.
#define RECEIVER_SILENT_S 10u

#define RECEIVER_KEY 0x01u     // has a key
#define RECEIVER_ADDRESS 0x02u // has an address that media may go to
#define RECEIVER_HEARS 0x04u   // is not deafened
#define RECEIVER_OPEN (RECEIVER_KEY | RECEIVER_ADDRESS | RECEIVER_HEARS)

// Two lines and the key are what one packet to it reads and writes.
struct receiver {
	alignas(DP_CACHE_LINE) struct udp_template headers; // Ethernet, IP, UDP to it
	alignas(DP_CACHE_LINE) uint32_t state; // RECEIVER_*; it is sent media when RECEIVER_OPEN
	uint32_t suite;                        // enum dp_suite
	uint32_t continuity;                   // cuts: it was deafened, elsewhere, or not there yet
	uint32_t key_id;
	struct nonce_space nonces;
	uint32_t first_leg; // its legs: leg.receiver_next
	uint64_t moved_tsc; // when its address changed last
	struct suite_key key;
};
static_assert(offsetof(struct receiver, key) == 2 * DP_CACHE_LINE, "two lines beside the key");

static inline bool receiver_open(const struct receiver *r)
{
	return (r->state & RECEIVER_OPEN) == RECEIVER_OPEN;
}

// Sets and clears bits of the state; a receiver that becomes open counts a cut.
void receiver_set_state(struct receiver *r, uint32_t set, uint32_t clear);
// Takes the key. The same key_id goes on with its nonces; a new one starts a new space.
// 0, -EINVAL (unknown suite, or a key_id that is older than the present one), -ENOTSUP (this CPU or
// engine does not run the suite), -ENOMEM; then the receiver has no key.
int receiver_set_key(struct worker *w, uint32_t session, const struct dp_session_key *cmd)
	__attribute__((warn_unused_result));
// An IP discovery came from 'from': not yet a proof of more than that somebody can hear us there.
void receiver_discovered(struct worker *w, uint32_t session, const struct udp_frame *from);
// Op 1 named an address. Counts when it is a discovered one.
void receiver_hinted(struct worker *w, uint32_t session, const struct dp_addr *hint);
// A fresh authenticated packet, the newest of its stream, came from 'from'.
void receiver_authenticated(struct worker *w, uint32_t session, const struct udp_frame *from);
// A keepalive or ping came: the next hop of silent sessions that are at its source, the last
// DP_ALIVE_SESSIONS_MAX of them to come there.
void receiver_alive(struct worker *w, const struct udp_frame *from);
// After a restart: goes on where the progress memfd says that the session was.
void receiver_restore(struct worker *w, uint32_t session);
// Wipes the key, forgets address and legs. The slot in the progress memfd is the next session's.
void receiver_fini(struct worker *w, uint32_t session);
