// SPDX-License-Identifier: BSD-3-Clause
//
// Is a record from control one that a worker may see? Control is another process: what it gets
// wrong is refused, not asserted. The worker asserts what is promised here. Pure.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "api/dp_msg.h"

struct command_limits {
	uint16_t worker_count;
	uint32_t guild_count, session_count, room_count; // slots per worker
};

// 'size': bytes received. 0, or -EINVAL. After 0: it is one of control's commands, as long as its
// type says, for a worker that exists; indexes are in range, handles that must exist have a
// generation; suite and flags are known, the SSRC block is aligned, an address is in its one form.
int command_check(const union dp_msg *msg, size_t size, const struct command_limits *limits)
	__attribute__((warn_unused_result));
