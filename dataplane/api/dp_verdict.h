// SPDX-License-Identifier: BSD-3-Clause
//
// Why a packet left the pipeline. The verdict is the error code, the counter and the metric: a
// parser returns it, a stage stores it, burst_compact() counts it, /metrics prints it. Plain C, any
// thread.
//
// The ledger (architecture.md decision 12) balances per worker, where a class stands for the sum of
// its verdicts:
//   received + handed_in + crossed_in = FORWARDED + ANSWERED + CONSUMED + PUNTED + HOST + HANDED
//                                       + NO_RECEIVER + DROPPED
//   jobs + originated + tx_handed_in = sent + tx_handed_out + crossed_out + NOT_SENT
// Between the workers, but for what a kill finds in the rings: crossed_out = crossed_in, in sum.
#pragma once

#include <stdint.h>

// X(enum suffix, metric label, class suffix, what the operator should understand)
#define DP_VERDICTS(X)                                                                             \
	X(OK, "ok", NONE, "still in the pipeline")                                                 \
	X(FORWARDED, "forwarded", FORWARDED,                                                       \
		"media that went to at least one receiver, or to other workers")                   \
	X(NO_RECEIVER, "no_receiver", NO_RECEIVER, "good media, but nobody there wants it")        \
	X(DISCOVERY, "discovery", ANSWERED, "IP discovery, answered")                              \
	X(PING, "ping", ANSWERED, "UDP ping, answered")                                            \
	X(KEEPALIVE, "keepalive", CONSUMED, "keepalive datagram of a client")                      \
	X(RTCP, "rtcp", CONSUMED, "authenticated RTCP that ends at this node")                     \
	X(CROSS_NOTE, "cross_note", CONSUMED,                                                      \
		"word of another worker: a sender report, or that a speaker is gone")              \
	X(HOST, "host", HOST, "ARP, neighbour discovery, ICMP, or traffic of the host's own")      \
	X(HANDED_OUT, "handed_out", HANDED, "reached the wrong worker and was handed to its own")  \
	X(FRAME_SHORT, "frame_short", DROPPED, "frame ends inside a header")                       \
	X(FRAME_CUT, "frame_cut", DROPPED, "IP says more bytes than arrived: cut on the way in")   \
	X(FRAME_SEGMENTS, "frame_segments", DROPPED,                                               \
		"frame in several buffers: longer than media")                                     \
	X(FRAME_LONG, "frame_long", DROPPED, "longer than any datagram of a client")               \
	X(VLAN, "vlan", DROPPED, "VLAN tag that this interface does not carry")                    \
	X(IP_HEADER, "ip_header", DROPPED, "IP version, header length or total length impossible") \
	X(IP_CHECKSUM, "ip_checksum", DROPPED, "IPv4 header checksum wrong")                       \
	X(IP_FRAGMENT, "ip_fragment", DROPPED, "IP fragment: media is never fragmented")           \
	X(IP_SOURCE, "ip_source", DROPPED, "source that nobody can be: multicast, ours, port 0")   \
	X(UDP_LENGTH, "udp_length", DROPPED, "UDP length disagrees with IP")                       \
	X(UDP_CHECKSUM, "udp_checksum", DROPPED, "UDP checksum wrong")                             \
	X(UNCLASSIFIED, "unclassified", DROPPED, "datagram of no known kind")                      \
	X(NOT_SERVED, "not_served", DROPPED, "STUN or DTLS: no browser is expected on this port")  \
	X(RTP_SHORT, "rtp_short", DROPPED, "packet ends inside the RTP header")                    \
	X(RTP_VERSION, "rtp_version", DROPPED, "not RTP version 2")                                \
	X(RTP_TYPE, "rtp_type", DROPPED, "RTP payload type that the session did not agree on")     \
	X(RTCP_SHORT, "rtcp_short", DROPPED, "packet ends inside the RTCP header")                 \
	X(RTCP_MALFORMED, "rtcp_malformed", DROPPED, "compound RTCP whose lengths do not add up")  \
	X(NO_SESSION, "no_session", DROPPED, "no session for this SSRC or source")                 \
	X(NO_STREAM, "no_stream", DROPPED, "SSRC of the session that it does not publish")         \
	X(NO_KEY, "no_key", DROPPED, "session without a key yet")                                  \
	X(NO_ROOM, "no_room", DROPPED, "session that is in no voice channel")                      \
	X(MUTED, "muted", DROPPED, "server mute: dropped before any crypto")                       \
	X(DISCOVERY_RATE, "discovery_rate", DROPPED, "too many IP discoveries for one session")    \
	X(DISCOVERY_SSRC, "discovery_ssrc", DROPPED, "IP discovery for an SSRC that nobody has")   \
	X(PING_SOURCE, "ping_source", DROPPED, "UDP ping from an address that proved nothing")     \
	X(SRTP_AUTH, "srtp_auth", DROPPED, "tag does not fit: forged, or another session's key")   \
	X(SRTP_REPLAY, "srtp_replay", DROPPED, "sequence number seen already, or too old")         \
	X(STREAM_RATE, "stream_rate", DROPPED, "more packets a second than one stream may bring")  \
	X(HANDOFF_FULL, "handoff_full", DROPPED, "ring to the packet's own worker was full")       \
	X(CROSS_STRAY, "cross_stray", DROPPED,                                                     \
		"of another worker's speaker, for a voice channel that is not open here")          \
	X(REMOTE_FULL, "remote_full", DROPPED,                                                     \
		"more speakers of other workers at once than there are places for")                \
	X(CRASH_LOST, "crash_lost", DROPPED, "in hand when the packet engine was killed")          \
	X(NO_MBUF, "no_mbuf", NOT_SENT, "output pool exhausted")                                   \
	X(NO_LEG, "no_leg", NOT_SENT, "leg pool exhausted")                                        \
	X(LATE, "late", NOT_SENT, "older than the point where the receiver's stream went on")      \
	X(TOO_LONG, "too_long", NOT_SENT, "would not fit an IP packet of 1,500 bytes")             \
	X(NONCE_SPENT, "nonce_spent", NOT_SENT, "receiver's key has no nonce left")                \
	X(TX_FULL, "tx_full", NOT_SENT, "device or ring to it did not take the packet")            \
	X(CROSS_FULL, "cross_full", NOT_SENT, "ring to a worker with listeners was full")          \
	X(CRASH_UNSENT, "crash_unsent", NOT_SENT, "unfinished when the packet engine was killed")

#define DP_VERDICT_ENUM(name, label, klass, help) DP_##name,
enum dp_verdict {
	DP_VERDICTS(DP_VERDICT_ENUM) //
	DP_VERDICT_COUNT,
};

enum dp_class {
	DP_CLASS_NONE,
	DP_CLASS_FORWARDED,
	DP_CLASS_ANSWERED,
	DP_CLASS_CONSUMED,
	DP_CLASS_PUNTED,
	DP_CLASS_HOST,
	DP_CLASS_HANDED,
	DP_CLASS_NO_RECEIVER,
	DP_CLASS_DROPPED,
	DP_CLASS_NOT_SENT,
	DP_CLASS_COUNT,
};

// 'verdict' is below DP_VERDICT_COUNT. Static strings.
const char *dp_verdict_label(enum dp_verdict verdict);
const char *dp_verdict_help(enum dp_verdict verdict);
enum dp_class dp_verdict_class(enum dp_verdict verdict);
