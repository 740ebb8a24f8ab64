// SPDX-License-Identifier: BSD-3-Clause
//
// Every bound of the packet engine, with the sum that sizes it. Reaching one is counted and
// refused, never an assert. What an operator may lower is a key of voicenode.cfg; nothing exceeds
// these.
#pragma once

#include <assert.h>

#define DP_CACHE_LINE 64 // bytes

// People and places, per worker.
#define DP_WORKERS_MAX 64           // pinned cores, one UDP port each
#define DP_SESSIONS_MAX 131072      // 4 KiB each: 512 MiB of a worker's memory
#define DP_GUILDS_MAX 16384         // a guild is at home on one worker
#define DP_ROOMS_MAX 65536          // voice channels with somebody in them
#define DP_ROOM_RECEIVERS_MAX 16384 // receivers in one voice channel
#define DP_LEGS_MAX 4194304         // (stream, receiver) pairs that were ever heard, 64 bytes each
#define DP_MBUF_SIZE 2560           // bytes of a packet buffer, all of it, rounded up
#define DP_MBUFS_MIN 1024           // packet buffers: what a device keeps comes on top
#define DP_MBUFS_MAX 262144         // 2,560 bytes each: 640 MiB of a worker, filled in a second
#define DP_SSRCS_PER_SESSION 16     // audio, 3 video layers each with RTX, screen, spare; aligned
#define DP_ADDRESSES_MAX 8          // of the node, IPv4 and IPv6 together

// Speakers of other workers whose voice channels have a part on this one: a megabyte and a half
// where there is more than one worker. Who is one too many takes the place of the one that was
// silent for longest, if that was so long.
#define DP_REMOTE_STREAMS_MAX 1024
#define DP_REMOTE_SILENT_MS 1000

// A turn of the crank.
#define DP_BURST_MAX 32 // packets taken from the device per turn
#define DP_WAVE_MAX \
	64 // packets produced between two calls of tx: what they touch fits L1 and
	   // L2, and the first wave of a turn, which nobody fetches for, is short
#define DP_HANDED_MAX \
	16                     // of them from the hand-over ring, where the worker has a queue too:
			       // neither may starve the other
#define DP_CLOSES_PER_TURN 8   // sessions that the closing of a guild removes in one turn
#define DP_LEGS_PER_TURN 2048  // legs that are looked at for owners that are gone: some 10 us
#define DP_CMDS_PER_TURN_MAX 8 // control's commands applied per turn
#define DP_HANDOFF_MAX 4096    // packets in a ring between two workers: 80 ms of 50,000 pps
#define DP_CROSSED_MAX \
	16 // packets of other workers' speakers taken per turn, beside the device's: each may cost
	   // a whole room's copies
#define DP_CROSS_MAX \
	1024 // of them in a worker's ring: at 10,000 listeners each that is a third of a second
#define DP_IN_HAND_MAX (DP_BURST_MAX + DP_CROSSED_MAX)

// Bytes. A datagram that is longer than the Internet's 1,500 never left a client of ours whole.
#define DP_FRAME_SIZE_MAX 1518          // Ethernet header, one VLAN tag, 1,500 of IP
#define DP_PAYLOAD_SIZE_MAX 1472        // UDP payload: 1,500 - 20 (IPv4) - 8 (UDP)
#define DP_RTP_HEADER_SIZE_MAX (12 + 4) // ours going out: fixed header, extension preamble
#define DP_FRAME_HEADROOM (14 + 40 + 8) // Ethernet, IPv6, UDP
#define DP_IP_DISCOVERY_SIZE 74         // both ways (protocol.md 4.2)

// Nonces of an rtpsize session key (protocol.md 4.5): 2^30 of our own space. Reserved in the
// progress memfd in leases, so that a crash skips at most one lease: 1,024 packets of 2^30.
#define DP_NONCES_MAX (1u << 30)
#define DP_NONCES_PER_LEASE 1024u
// Control ends the session, with a fresh token to come, when less than this is left: 10 minutes at
// 3,000 packets a second.
#define DP_NONCES_LOW 1800000u

// Packets of one SRTP stream to one receiver: its index is the nonce and is kept in 32 bits of the
// 48; the last roll-over is left alone. A century of audio, weeks of the densest video.
#define DP_SRTP_INDEXES_MAX 0xffff0000u

#define DP_REPLAY_WINDOW \
	1024 // packets behind the newest that may still arrive (RFC 3711 says >= 64)

// Packets a second that one stream may bring, and how many of them at once; the rest of a flood
// costs its sender's crypto and nobody's fan-out. Audio: stock clients send 50 (frames of 20 ms),
// Opus at 10 ms makes 100; twice that goes on for ever, and what a stalled client of 50 kept back
// over eight seconds may come at once. Video: 20 Mbit/s in packets of 1,100 bytes are 2,300, and a
// key frame of two megabytes comes at once.
#define DP_AUDIO_PACKETS_PER_SECOND 200u
#define DP_AUDIO_PACKETS_BURST 400u
#define DP_VIDEO_PACKETS_PER_SECOND 5000u
#define DP_VIDEO_PACKETS_BURST 2000u

// Answers to strangers who know an SSRC but have no proof yet: five a second, bursts of ten.
// Counted per session and source, in two buckets a session and never fewer than so many: what
// strangers ask costs the client nothing, nor does it when all clients come at once.
#define DP_DISCOVERY_PER_SECOND 5
#define DP_DISCOVERY_BURST 10
#define DP_DISCOVERY_BUCKETS_MIN 4096
#define DP_DISCOVERED_MAX 16 // sources that op 1 may name; more than one source has answers

#define DP_REPORTS_PER_SECOND 2 // sender reports of one stream that go on
#define DP_MOVES_PER_SECOND 5   // of one session's address
// Under mute one packet in so many is authenticated all the same, so that the index follows the
// sender (architecture.md decision 10).
#define DP_MUTED_SAMPLE 4096
// A sample that does not open was forged, perhaps, and the next packets are tried instead: so many,
// then the rest of the 4,096 costs nothing again. Whatever share of a flood is the sender's, 64
// samples of its own can be expected before its index has moved by 2^15, which it may not miss.
#define DP_MUTED_RETRIES 7
// Sessions at one address that a keepalive, which nobody authenticates, makes a worker look at: the
// last to come. Stock clients have a socket for each session.
#define DP_ALIVE_SESSIONS_MAX 16
#define DP_IP_PACKET_SIZE_MAX 1500 // of what we send
// Clear bytes of a packet whose copies fit that for sure: less IPv6, UDP, header, tag and suffix.
#define DP_COPY_SIZE_SURE (1500 - 40 - 8 - 16 - 20)

static_assert(DP_WAVE_MAX >= DP_IN_HAND_MAX, "a room of two must never need a second wave");
static_assert((DP_SSRCS_PER_SESSION & (DP_SSRCS_PER_SESSION - 1)) == 0, "SSRC blocks are aligned");
static_assert(DP_HANDED_MAX < DP_BURST_MAX, "the device has the rest of the burst");
static_assert(DP_DISCOVERED_MAX >= DP_DISCOVERY_BURST, "one source cannot push the others out");
static_assert((DP_HANDOFF_MAX & (DP_HANDOFF_MAX - 1)) == 0, "rte_ring wants a power of two");
static_assert((DP_CROSS_MAX & (DP_CROSS_MAX - 1)) == 0, "rte_ring wants a power of two");
static_assert(DP_IN_HAND_MAX < 256, "a job names its packet by a byte");
