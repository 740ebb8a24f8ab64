// SPDX-License-Identifier: BSD-3-Clause
//
// The first bytes of a datagram decide. Exact forms first (a discovery, a ping), then the ranges of
// RFC 7983 with the least size that their kind can have; what is left and short is a client's
// keepalive, whose counter may begin with any byte.

#include "proto/classify.h"

#include "api/dp_media.h"
#include "proto/be.h"
#include "proto/ip_discovery.h"

#define PING_MAGIC 0x1337cafeu
#define STUN_COOKIE 0x2112a442u
#define STUN_HDR_SIZE 20u
#define DTLS_RECORD_HDR_SIZE 13u
#define RTP_SIZE_MIN (12u + 10u) // with the shortest tag that any suite has
#define RTCP_SIZE_MIN (8u + DP_RTPSIZE_OVERHEAD)
#define KEEPALIVE_SIZE_MAX 9u

static enum packet_kind classify_long(const uint8_t *pkt, uint32_t pkt_size)
{
	if (pkt[0] >= 128 && pkt[0] <= 191) {
		if (pkt[1] >= 192 && pkt[1] <= 223)
			return pkt_size >= RTCP_SIZE_MIN ? PACKET_RTCP : PACKET_UNKNOWN;
		return pkt_size >= RTP_SIZE_MIN ? PACKET_RTP : PACKET_UNKNOWN;
	}
	if (pkt_size == IP_DISCOVERY_SIZE && be32_read(pkt) == (1u << 16 | 70))
		return PACKET_IP_DISCOVERY;
	if (pkt[0] <= 3 && pkt_size >= STUN_HDR_SIZE && be32_read(pkt + 4) == STUN_COOKIE)
		return PACKET_STUN;
	if (pkt[0] >= 20 && pkt[0] <= 63 && pkt_size >= DTLS_RECORD_HDR_SIZE)
		return PACKET_DTLS;
	return PACKET_UNKNOWN;
}

enum packet_kind classify(const uint8_t *pkt, uint32_t pkt_size)
{
	if (pkt_size > KEEPALIVE_SIZE_MAX)
		return classify_long(pkt, pkt_size);
	if (pkt_size == UDP_PING_SIZE && be32_read(pkt) == PING_MAGIC)
		return PACKET_PING;
	return PACKET_KEEPALIVE;
}
