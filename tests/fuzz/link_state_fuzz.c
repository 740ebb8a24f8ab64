// SPDX-License-Identifier: BSD-3-Clause
//
// Fuzz target: any datagrams on the socket between the processes, as control judges them. The input
// is a row of datagrams, each behind two bytes of its length. Asserts what dplink.c relies on: a
// record that is handled is whole and of the living peer, and a peer is up only by a HELLO that
// names us.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/dp_assert.h"
#include "dplink/link_state.h"

#define OWN_EPOCH 7u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct link_state *link, const struct link_state *before,
	const union dp_msg *msg, size_t size, enum link_event event, bool answer)
{
	DP_ASSERT(link->own_epoch == OWN_EPOCH);
	DP_ASSERT(link->peer_epoch >= before->peer_epoch);
	switch (event) {
	case LINK_RECORD:
		DP_ASSERT(before->is_up && link->is_up && !answer);
		DP_ASSERT(msg->header.epoch == link->peer_epoch);
		DP_ASSERT(size == msg->header.size && size == dp_msg_size(msg->header.type));
		break;
	case LINK_UP:
		DP_ASSERT(link->is_up && msg->header.type == DP_MSG_HELLO);
		DP_ASSERT(msg->dp_hello.peer_epoch == OWN_EPOCH);
		DP_ASSERT(link->worker_count > 0 && link->worker_count <= DP_WORKERS_MAX);
		break;
	case LINK_DOWN:
		DP_ASSERT(before->is_up && !link->is_up);
		break;
	case LINK_DISCARD:
	case LINK_REFUSED:
		DP_ASSERT(memcmp(link, before, sizeof(*link)) == 0 && !answer);
		break;
	case LINK_IDLE:
		DP_ASSERT(link->is_up == before->is_up || !before->is_up);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct link_state link, before;

	memset(&link, 0, sizeof(link)); // padding too: states are compared as bytes
	link_state_init(&link, OWN_EPOCH);
	for (size_t at = 0; at + 2 <= size;) {
		size_t take = (size_t)(data[at] | data[at + 1] << 8);
		union dp_msg *msg = calloc(1, sizeof(*msg));
		enum link_event event;
		bool answer;

		DP_ASSERT(msg != NULL);
		at += 2;
		take = take < size - at ? take : size - at;
		take = take < sizeof(*msg) ? take : sizeof(*msg);
		memcpy(msg, data + at, take);
		at += take;
		before = link;
		event = link_state_feed(&link, msg, take, &answer);
		check(&link, &before, msg, take, event, answer);
		free(msg);
	}
	return 0;
}
