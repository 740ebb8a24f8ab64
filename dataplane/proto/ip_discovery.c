// SPDX-License-Identifier: BSD-3-Clause
//
// IP discovery and UDP ping, answered in the client's own bytes. classify.c decides what is one.

#include "proto/ip_discovery.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "api/dp_assert.h"
#include "api/dp_limits.h"
#include "proto/be.h"

#define ANSWER_TYPE 2u
#define TEXT_OFFSET 8u
#define TEXT_SIZE 64u
#define PORT_OFFSET 72u
#define PONG_MAGIC 0x1337f00du

static_assert(PORT_OFFSET + 2 == IP_DISCOVERY_SIZE, "the port is last");
static_assert(IP_DISCOVERY_SIZE == DP_IP_DISCOVERY_SIZE, "one size, two names");
static_assert(TEXT_SIZE >= INET6_ADDRSTRLEN, "every address has room");

uint32_t ip_discovery_ssrc(const uint8_t *pkt)
{
	return be32_read(pkt + 4);
}

void ip_discovery_answer(uint8_t *pkt, const struct dp_addr *source)
{
	int family = source->family == 6 ? AF_INET6 : AF_INET;

	DP_ASSERT_HOT(source->family == 4 || source->family == 6);
	be16_write(pkt, ANSWER_TYPE);
	be16_write(pkt + 2, IP_DISCOVERY_SIZE - 4);
	// Zeros first: whatever the client wrote there does not come back as if we had said it.
	memset(pkt + TEXT_OFFSET, 0, TEXT_SIZE);

	const char *text = inet_ntop(family, source->ip, (char *)pkt + TEXT_OFFSET, TEXT_SIZE);

	DP_ASSERT_HOT(text != NULL);
	(void)text;
	be16_write(pkt + PORT_OFFSET, source->port);
}

void udp_ping_answer(uint8_t *pkt)
{
	be32_write(pkt, PONG_MAGIC);
}
