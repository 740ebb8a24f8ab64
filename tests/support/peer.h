// SPDX-License-Identifier: BSD-3-Clause
//
// A member with any suite: an SRTP one's packets are sealed and opened by libsrtp2, as a browser's
// are; a native one's by the cipher engine. Keeps every index that came under its key, per stream:
// none may come twice. Dies on failure, as support/node.h does. One thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <srtp2/srtp.h>

#include "support/node.h"

#define PEER_STREAMS_MAX 64
#define PEER_SEEN_COUNT (1u << 19) // packets of one stream until two may share a place
#define PEER_NO_EXT (-1)

struct peer_heard {
	uint32_t ssrc;   // 0: unused
	uint64_t count;  // of packets
	uint64_t newest; // index: roll-over counter, sequence number; native: sequence number
	uint8_t *seen;   // SRTP: bit per index
};

struct peer {
	struct client client;
	srtp_t tx, rx; // NULL: native
	struct peer_heard heard[PEER_STREAMS_MAX];
};

// One RTP packet in clear.
struct peer_packet {
	uint64_t index; // as heard: peer_heard.newest's kind
	uint32_t ssrc, timestamp;
	uint16_t seq;
	uint16_t ext_profile; // with ext_words >= 0
	int ext_words;        // of the extension's body, or PEER_NO_EXT
	uint8_t csrc_count;   // of who speaks; a copy has none
	bool marker;
	uint16_t clear_size;
	uint8_t clear[DP_PAYLOAD_SIZE_MAX]; // extension body and payload
};

// client_init(), with the sides that the suite wants.
void peer_init(struct peer *p, struct node *n, uint32_t worker, uint32_t slot,
	struct dp_handle guild, struct dp_handle room, enum dp_suite suite);
void peer_fini(struct peer *p);
// Its client's key, salt or suite are others now: both directions begin anew, nothing was heard.
void peer_rekey(struct peer *p);
// Seals 'packet' as one of the peer's own (its SSRC) into 'out'; returns the size.
uint32_t peer_seal(struct peer *p, const struct peer_packet *packet, uint8_t *out);
// Opens a datagram to this peer. False: not under its key, or not RTP. Asserts that no index of the
// stream came before.
bool peer_open(struct peer *p, const struct node_datagram *d, struct peer_packet *out);
// What was heard of the stream so far; an unused one if nothing was.
struct peer_heard *peer_heard(struct peer *p, uint32_t ssrc);
// The next packet of the stream is expected under this roll-over counter.
void peer_expect_roc(struct peer *p, uint32_t ssrc, uint32_t roc);
