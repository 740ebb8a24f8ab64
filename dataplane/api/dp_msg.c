// SPDX-License-Identifier: BSD-3-Clause
//
// Sizes of the contract's records and the check that both processes agree on them.

#include "api/dp_msg.h"

#include <errno.h>
#include <string.h>

#define DP_MSG_SIZE_ROW(name, number, type) [number] = sizeof(struct type),
static const uint16_t sizes[DP_MSG_TYPE_END] = {DP_MSGS(DP_MSG_SIZE_ROW)};

static_assert(sizeof(sizes) == sizeof(((struct dp_hello *)0)->sizes), "HELLO carries them all");

uint16_t dp_msg_size(unsigned type)
{
	return type < DP_MSG_TYPE_END ? sizes[type] : 0;
}

void dp_hello_fill(struct dp_hello *hello)
{
	hello->contract_version = DP_CONTRACT_VERSION;
	memcpy(hello->sizes, sizes, sizeof(sizes));
}

int dp_hello_check(const struct dp_hello *hello)
{
	if (hello->contract_version != DP_CONTRACT_VERSION)
		return -EPROTO;
	if (memcmp(hello->sizes, sizes, sizeof(sizes)) != 0)
		return -EPROTO;
	return 0;
}
