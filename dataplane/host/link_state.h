// SPDX-License-Identifier: BSD-3-Clause
//
// The dataplane's half of the link protocol (api/dp_msg.h): whose records count. Sans-IO: bytes in,
// what to do out. control_link.h is the socket around it.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "api/dp_msg.h"

struct link_state {
	uint32_t epoch;       // ours
	uint32_t heard_epoch; // newest control that said HELLO; 0: none
	uint32_t peer_epoch;  // control whose HELLO named our epoch: its records count; 0: none
	uint32_t dead_epoch;  // controls up to this one are dead
	uint64_t discarded;   // records of the dead, of strangers, and malformed ones
};

// What a record asks for; several at once, to be done in this order.
#define LINK_DOWN 0x01u     // the control that we obeyed is gone: owe it no ACKs
#define LINK_HELLO 0x02u    // send our HELLO
#define LINK_UP 0x04u       // a control obeys the contract from here on: tell it the device
#define LINK_DELIVER 0x08u  // a command of the control that we obey (or what pretends to be one)
#define LINK_CONTRACT 0x10u // control was built against another contract: end

void link_state_init(struct link_state *link, uint32_t epoch);
// Takes one datagram, 'size' bytes as received. Returns LINK_* or 0.
unsigned link_state_feed(struct link_state *link, const void *record, size_t size);
// Our HELLO as it must be now.
void link_state_hello(const struct link_state *link, uint16_t worker_count, uint16_t first_port,
	struct dp_hello *out);
