// SPDX-License-Identifier: BSD-3-Clause
//
// Who is at the other end of fd 3, and does it know us? Control's side of the rules in
// api/dp_msg.h: the socket outlives both children, so what it holds may come from, or be meant for,
// a process that is dead. Pure; dplink.c moves the bytes.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/dp_msg.h"

struct link_state {
	uint32_t own_epoch;
	uint32_t peer_epoch;               // newest that said HELLO, 0: none
	bool is_up;                        // and it named us
	uint16_t worker_count, first_port; // of that HELLO
};

enum link_event {
	LINK_DISCARD, // not for us, or of a dead process: counted
	LINK_RECORD,  // a record of the living peer, to be handled
	LINK_IDLE,    // a HELLO or PEER_DOWN that changed nothing
	LINK_UP,      // the peer is there and knows us; also a new one, without DOWN before
	LINK_DOWN,    // the peer died
	LINK_REFUSED, // built against another contract: this pair cannot work
};

void link_state_init(struct link_state *link, uint32_t own_epoch);
// The HELLO to send first: it answers nobody.
void link_state_hello(const struct link_state *link, struct dp_hello *hello);

// Feeds one datagram of 'size' bytes. '*answer' says whether link_state_hello() must be sent now.
enum link_event link_state_feed(
	struct link_state *link, const union dp_msg *msg, size_t size, bool *answer);
