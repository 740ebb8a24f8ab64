// SPDX-License-Identifier: BSD-3-Clause
//
// Stage 7, rewrite: every job gets a fresh mbuf with its receiver's frame headers and clear header.
// The payload is not copied: protect seals it from the burst's packet straight into the mbuf.

#include <rte_mbuf.h>
#include <rte_prefetch.h>
#include <string.h>

#include "api/dp_assert.h"
#include "crypto/iv.h"
#include "crypto/suite.h"
#include "proto/rtcp.h"
#include "session/receiver.h"
#include "session/session.h"
#include "stage/stages.h"
#include "worker/worker.h"

#define MBUF_AHEAD 4 // whose header is fetched while this one is written

static_assert(RTCP_HDR_SIZE <= DP_RTP_HEADER_SIZE_MAX, "clear part of a report fits");
static_assert(DP_RTPSIZE_OVERHEAD + RTCP_SR_INFO_SIZE + UDP4_FRAME_SIZE >= DP_CACHE_LINE,
	"the shortest frame is longer than a template, whose tail it overwrites");

// As many mbufs as the wave has jobs, as their last user left them (DPDK's promise of a free mbuf:
// one reference, one segment, no next). The pool may hold fewer: the rest is then not sent.
static void take_mbufs(struct worker *w, struct wave *out)
{
	unsigned got = out->count;

	out->bytes = 0;
	out->ipv6 = false;
	if (got == 0 || rte_mempool_get_bulk(w->params.pool, (void **)out->mbuf, got) == 0)
		return;
	got = 0;
	while (got < out->count && rte_mempool_get(w->params.pool, (void **)&out->mbuf[got]) == 0)
		got++;
	worker_verdict_add(w, DP_NO_MBUF, out->count - got);
	out->count = got;
}

// What is common to the copies of one packet for the receivers of one suite.
struct clear_packet {
	__m128i header; // its first bytes
	uint16_t header_size;
	uint16_t ext_size; // bytes of the extension's body that stay in clear, behind 'header'
	uint16_t payload_size;
	uint16_t overhead;
	const uint8_t *payload; // what is sealed; the extension's body is in front of it
};

static struct clear_packet clear_packet_of(const struct burst_packet *p, unsigned suite)
{
	alignas(16) uint8_t header[DP_RTP_HEADER_SIZE_MAX] = {0};
	uint16_t header_size =
		(uint16_t)rtp_build(header, &p->rtp, DP_OPUS_PAYLOAD_TYPE, 0, p->rtp.ssrc);
	uint16_t ext_size = dp_suite_is_srtp(suite) ? (uint16_t)(p->rtp.ext_words * 4u) : 0;

	return (struct clear_packet){
		.header = _mm_load_si128((const __m128i *)(const void *)header),
		.header_size = header_size,
		.ext_size = ext_size,
		.payload_size = (uint16_t)(p->clear_size - ext_size),
		.overhead = suite_get(suite)->overhead,
		.payload = p->pkt + p->rtp.clear_size + ext_size};
}

// One store each for what rte_pktmbuf_reset() sets field by field, and not the second cache line.
static inline void mbuf_begin(struct rte_mbuf *mbuf, uint16_t size)
{
	const uint64_t rearm = (uint64_t)UINT16_MAX << 48 | 1ull << 32 | 1ull << 16 |
			       RTE_PKTMBUF_HEADROOM; // port, segments, references, data_off

	memcpy(&mbuf->rearm_data, &rearm, sizeof(rearm));
	mbuf->ol_flags = 0;
	_mm_storeu_si128((__m128i *)(void *)&mbuf->rx_descriptor_fields1,
		_mm_set_epi32(0, size, size, 0)); // RSS hash; tag, data_len; pkt_len; type
}

// The frame of one copy up to what is sealed, and its seal job. Returns the frame's size. 'clear'
// by value: in registers over a run of copies, whatever these stores may alias.
static inline unsigned lay_frame(const struct receiver *r, struct rte_mbuf *mbuf,
	struct seal_job *seal, const struct clear_packet clear, uint16_t seq)
{
	uint16_t headers_size = r->headers.size;
	uint16_t header_size = (uint16_t)(clear.header_size + clear.ext_size);
	uint16_t size = (uint16_t)(header_size + clear.payload_size + clear.overhead);
	uint8_t *frame = (uint8_t *)mbuf->buf_addr + RTE_PKTMBUF_HEADROOM;
	uint8_t *rtp = frame + headers_size;

	DP_ASSERT_HOT(rte_mbuf_refcnt_read(mbuf) == 1 && mbuf->nb_segs == 1);
	DP_ASSERT_HOT(headers_size + size + RTE_PKTMBUF_HEADROOM <= mbuf->buf_len);
	mbuf_begin(mbuf, (uint16_t)(headers_size + size));
	udp_template_lay(&r->headers, frame, size);
	rtp_header_place(rtp, clear.header, seq);
	if (clear.ext_size > 0)
		memcpy(rtp + clear.header_size, clear.payload - clear.ext_size, clear.ext_size);
	seal->key = &r->key;
	seal->src = clear.payload;
	seal->dst = rtp + header_size;
	seal->aad = rtp;
	seal->src_size = clear.payload_size;
	seal->aad_size = header_size;
	return headers_size + size;
}

// Copies that would not fit an IP packet leave.
static void drop_long(struct worker *w, const struct burst *b, struct wave *out)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < out->count; i++) {
		const struct burst_packet *p = &b->packet[out->job[i].in];
		const struct receiver *r = &w->receivers[out->job[i].receiver];
		uint32_t header_size =
			p->rtp.has_ext ? RTP_HDR_SIZE + RTP_EXT_HDR_SIZE : RTP_HDR_SIZE;

		if (r->headers.size - ETH_HDR_SIZE + header_size + p->clear_size +
				DP_RTPSIZE_OVERHEAD <=
			DP_IP_PACKET_SIZE_MAX)
			out->job[kept++] = out->job[i];
	}
	worker_verdict_add(w, DP_TOO_LONG, out->count - kept);
	out->count = kept;
}

// The copies of one packet for the receivers of one suite that follow each other, from job 'first'
// on. Returns the next job.
static unsigned lay_run(
	const struct worker *w, const struct burst *b, struct wave *out, unsigned first)
{
	const struct receiver *receivers = w->receivers;
	const unsigned count = out->count, in = out->job[first].in, suite = out->job[first].suite;
	const struct clear_packet clear = clear_packet_of(&b->packet[in], suite);
	const bool srtp = dp_suite_is_srtp(suite);
	uint64_t bytes = 0;
	bool ipv6 = false;
	unsigned i;

	for (i = first; i < count && out->job[i].in == in && out->job[i].suite == suite; i++) {
		const struct receiver *r = &receivers[out->job[i].receiver];
		uint32_t index = out->job[i].index;

		if (i + MBUF_AHEAD < count)
			rte_prefetch0(out->mbuf[i + MBUF_AHEAD]);
		bytes += lay_frame(r, out->mbuf[i], &out->seal[i], clear, (uint16_t)index);
		ipv6 |= r->headers.size == UDP6_FRAME_SIZE;
		if (srtp)
			iv_srtp(out->seal[i].iv, (enum dp_suite)suite, b->packet[in].rtp.ssrc,
				index);
	}
	out->bytes += bytes;
	out->ipv6 |= ipv6;
	return i;
}

void rewrite_wave(struct worker *w, const struct burst *b, struct wave *out)
{
	if (b->lengthy)
		drop_long(w, b, out);
	take_mbufs(w, out);
	for (unsigned i = 0; i < out->count && i < MBUF_AHEAD; i++)
		rte_prefetch0(out->mbuf[i]);
	for (unsigned i = 0; i < out->count;)
		i = lay_run(w, b, out, i);
}

void rewrite_reports(struct worker *w, const uint8_t *report, struct wave *out)
{
	const struct clear_packet clear = {.header_size = RTCP_HDR_SIZE,
		.header = _mm_loadu_si128((const __m128i *)(const void *)report),
		.payload = report + RTCP_HDR_SIZE,
		.payload_size = RTCP_SR_INFO_SIZE - RTCP_HDR_SIZE,
		.overhead = DP_RTPSIZE_OVERHEAD};
	uint16_t length = be16_read(report + 2); // where RTP has its sequence number

	take_mbufs(w, out);
	for (unsigned i = 0; i < out->count; i++) {
		const struct receiver *r = &w->receivers[out->job[i].receiver];

		out->bytes += lay_frame(r, out->mbuf[i], &out->seal[i], clear, length);
		out->ipv6 |= r->headers.size == UDP6_FRAME_SIZE;
	}
}
