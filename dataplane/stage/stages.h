// SPDX-License-Identifier: BSD-3-Clause
//
// The stages in the order of the route, one contract line each. A stage never fails: it shortens
// the burst (each packet that leaves has a verdict) or the wave (each copy that is not sent, too).
// Called by run/pipeline.c on the worker's thread only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct burst;
struct burst_packet;
struct rtcp_sender_info;
struct rte_mbuf;
struct wave;
struct worker;

// Applies at most DP_CMDS_PER_TURN_MAX of control's commands, answers each. Returns how many.
unsigned commands_apply(struct worker *w);

// Handed-over packets, then the device's: mbufs and views of their frames. ARP, ND, ICMP and
// malformed frames leave; packets of other workers are handed to them.
void rx_burst(struct worker *w, struct burst *b);
// kind by the first bytes. IP discovery, ping, keepalives and what is not served leave.
void demux_burst(struct worker *w, struct burst *b);
// RTP: view, session, index. Unknown, muted, keyless and stale packets leave before any crypto.
void lookup_burst(struct worker *w, struct burst *b);
// RTCP is authenticated and ends here; sender reports go on to the receivers, made anew.
void feedback_burst(struct worker *w, struct burst *b);
// Opens in place. Forged and replayed packets leave; the sender's address is latched.
void unprotect_burst(struct worker *w, struct burst *b);
// A clear copy of each packet to every worker that has another part of its room.
void cross_burst(struct worker *w, const struct burst *b);
// What crossed from other workers joins the burst, DP_CROSSED_MAX packets at most. Returns how many
// came.
unsigned cross_join(struct worker *w, struct burst *b);

// Where forward stopped: a packed room costs more waves, never a longer one.
struct forward_cursor {
	unsigned in;     // packet of the burst
	uint32_t member; // next place in its room
};

void forward_begin(struct worker *w, struct burst *b, struct forward_cursor *at);
// Fills 'out' with at most DP_WAVE_MAX (packet, receiver) pairs. No jobs: nothing is left.
void forward_plan(
	struct worker *w, const struct burst *b, struct forward_cursor *at, struct wave *out);
// Starts to fetch the memory that up to 'count' of its jobs need, from job 'from' on: 100,000
// receivers fit no cache.
void forward_fetch(
	const struct worker *w, const struct wave *planned, unsigned from, unsigned count);
// Those who are deafened, or not there yet, leave; the others' sequence numbers.
void forward_wave(struct worker *w, struct burst *b, struct wave *out);
// Each packet's verdict.
void forward_end(struct worker *w, struct burst *b);
// The jobs' clear headers, and a fresh mbuf each with the frame's headers.
void rewrite_wave(struct worker *w, const struct burst *b, struct wave *out);
// The same for jobs that are all sent one sender report of RTCP_SR_INFO_SIZE bytes.
void rewrite_reports(struct worker *w, const uint8_t *report, struct wave *out);
// Seals every job with its receiver's key and a nonce that was never used. Meanwhile the memory of
// 'next' (NULL allowed) is fetched.
void protect_wave(struct worker *w, struct wave *out, const struct wave *next);
// Hands the wave to the device (or to the worker that owns a queue), frees what did not fit.
void tx_wave(struct worker *w, struct wave *out);

// Exits of the route.

// One report for every member here who hears the stream of session or shadow 'sender'.
void feedback_report(struct worker *w, uint32_t sender, const struct rtcp_sender_info *info);
// The same to the workers that have other parts of its room.
void cross_report(struct worker *w, uint32_t sender, const struct rtcp_sender_info *info);

// IP discovery and ping: answers in place, the verdict says with which result.
void discovery_answer(struct worker *w, struct burst_packet *p);
// Turns the packet of 'p' into a frame back to its source with the UDP payload that now stands at
// p->pkt, and sends it. The mbuf is gone afterwards.
void tx_answer(struct worker *w, struct burst_packet *p);
// Sends one finished frame; the mbuf is gone afterwards.
void tx_frame(struct worker *w, struct rte_mbuf *frame);
// Owner of a tx queue: sends what other workers put into its ring. Returns how many.
unsigned tx_relay(struct worker *w);
