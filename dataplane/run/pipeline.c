// SPDX-License-Identifier: BSD-3-Clause
//
// The route of a packet. Read this first: each call below is one file in ../stage, in order.

#include "run/pipeline.h"

#include "stage/stages.h"
#include "worker/worker.h"

bool pipeline_turn(struct worker *w)
{
	struct burst *in = &w->burst;
	struct wave *out = &w->wave;
	struct forward_cursor at;
	bool busy;

	busy = commands_apply(w) > 0; // control's wishes, between two bursts

	rx_burst(w, in); // device -> datagrams; ARP, ND and malformed frames leave here
	busy |= in->count > 0;
	demux_burst(w, in);     // first bytes -> kind; discovery, ping, keepalives leave here
	lookup_burst(w, in);    // SSRC -> session, stream, index; mute costs no crypto
	feedback_burst(w, in);  // RTCP ends here, reports go on
	unprotect_burst(w, in); // opened in place; forged and replayed packets leave here

	forward_begin(&at);
	while (forward_next_wave(w, in, &at, out)) { // (packet, receiver) jobs
		rewrite_wave(w, in, out);            // the receiver's headers, a fresh mbuf
		protect_wave(w, out);                // payload, sealed with the receiver's key
		tx_wave(w, out);                     // mbufs -> device
	}
	burst_release(w, in);

	busy |= tx_relay(w) > 0; // frames of workers that have no queue of their own
	return busy;
}
