// SPDX-License-Identifier: BSD-3-Clause
//
// The route of a packet. Read this first: each call below is one file in ../stage, in order.

#include "run/pipeline.h"

#include "stage/stages.h"
#include "worker/worker.h"

bool pipeline_turn(struct worker *w)
{
	struct burst *in = &w->burst;
	struct wave *out = &w->wave[0], *next = &w->wave[1], *spare;
	struct forward_cursor at;
	bool busy;

	busy = commands_apply(w) > 0; // control's wishes, between two bursts

	rx_burst(w, in); // device -> datagrams; ARP, ND and malformed frames leave here
	busy |= in->count > 0;
	demux_burst(w, in);     // first bytes -> kind; discovery, ping, keepalives leave here
	lookup_burst(w, in);    // SSRC -> session, stream, index; mute costs no crypto
	feedback_burst(w, in);  // RTCP ends here, reports go on
	unprotect_burst(w, in); // opened in place; forged and replayed packets leave here

	cross_burst(w, in);            // a copy to each worker that has listeners of the room
	busy |= cross_join(w, in) > 0; // what crossed from there; from here on all are alike

	forward_begin(w, in, &at);
	forward_plan(w, in, &at, out); // (packet, receiver) pairs
	forward_fetch(w, out, 0, out->count);
	while (out->count > 0) {
		forward_plan(w, in, &at, next); // whose memory comes while these are sealed
		forward_wave(w, in, out);       // sequence numbers; the deaf leave here
		rewrite_wave(w, in, out);       // the receiver's headers, a fresh mbuf
		protect_wave(w, out, next);     // payload, sealed with the receiver's key
		tx_wave(w, out);                // mbufs -> device
		spare = out, out = next, next = spare;
	}
	forward_end(w, in);
	burst_release(w, in);

	busy |= tx_relay(w) > 0; // frames of workers that have no queue of their own
	return busy;
}
