// SPDX-License-Identifier: BSD-3-Clause
//
// What a worker counts beside its verdicts. Declared once: the progress memfd holds them in this
// order, /metrics prints them by these names. Single writer (the worker), relaxed stores, any
// reader.
#pragma once

// X(enum suffix, metric name without voicenode_ and _total, help)
#define DP_COUNTERS(X)                                                                           \
	X(RECEIVED, "received_packets", "frames taken from the device")                          \
	X(RECEIVED_BYTES, "received_bytes", "bytes of those frames")                             \
	X(HANDED_IN, "handed_in_packets", "packets that another worker handed over")             \
	X(CROSSED_IN, "crossed_in_packets", "packets of other workers' speakers")                \
	X(JOBS, "jobs", "copies asked for: one per packet and receiver, or other worker")        \
	X(ORIGINATED, "originated_packets", "packets that the node made itself: answers")        \
	X(SENT, "sent_packets", "packets given to the device")                                   \
	X(SENT_BYTES, "sent_bytes", "bytes of those frames")                                     \
	X(TX_HANDED_OUT, "tx_handed_out_packets",                                                \
		"frames given to the worker that owns a tx queue")                               \
	X(TX_HANDED_IN, "tx_handed_in_packets", "frames of other workers taken to be sent")      \
	X(CROSSED_OUT, "crossed_out_packets", "copies given to workers that have listeners")     \
	X(RX_CONGESTED, "rx_handoff_congested_turns",                                            \
		"turns that found the ring of packets that others received half full or fuller") \
	X(TX_CONGESTED, "tx_handoff_congested_turns",                                            \
		"turns that found the ring of frames that others made half full or fuller")      \
	X(DEAF, "deaf", "copies not made because the receiver is deafened")                      \
	X(COMMANDS, "commands", "commands of control applied")                                   \
	X(COMMANDS_REFUSED, "commands_refused", "commands refused: stale, full or out of range") \
	X(EVENTS_DROPPED, "events_dropped", "events for control that found its ring full")       \
	X(ADDRESS_MOVES, "address_moves", "sessions that moved to another address (NAT)")        \
	X(NEXT_HOPS, "next_hops", "silent sessions that came by another router")                 \
	X(TURNS_BUSY, "busy_turns", "turns of the loop that had a packet")                       \
	X(BUSY_TSC, "busy_cycles", "TSC cycles of those turns")                                  \
	X(SLEEPS, "sleeps", "times the worker slept because it was idle")

#define DP_COUNTER_ENUM(name, text, help) DP_COUNTER_##name,
enum dp_counter {
	DP_COUNTERS(DP_COUNTER_ENUM) //
	DP_COUNTER_COUNT,
};
