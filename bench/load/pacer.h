// SPDX-License-Identifier: BSD-3-Clause
//
// Every talker's 20 ms, on schedule whatever the network does (open loop): the period is cut into
// 20 slots of one millisecond and the talkers are spread over them. One timerfd for all; a slot
// that comes late is still done, and how late is recorded.
//
// The loop's thread only.
#pragma once

struct pacer;
struct swarm;

// Starts at once. 0 or -errno.
int pacer_create(struct swarm *swarm, struct pacer **out) __attribute__((warn_unused_result));
// NULL allowed. Before loop_destroy().
void pacer_destroy(struct pacer *pacer);
