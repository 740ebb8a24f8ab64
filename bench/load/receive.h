// SPDX-License-Identifier: BSD-3-Clause
//
// Receiving for all bots: their sockets are in one epoll set of our own, and that is one descriptor
// of the loop, so that hundreds of sockets do not make every turn of the loop slower. Time stamps
// are the kernel's (SO_TIMESTAMPNS, CLOCK_REALTIME): how busy this process is does not show in
// them.
//
// The loop's thread only.
#pragma once

struct bot;
struct receive;
struct swarm;

// 0 or -errno.
int receive_create(struct swarm *swarm, struct receive **out) __attribute__((warn_unused_result));
// NULL allowed. Before loop_destroy().
void receive_destroy(struct receive *receive);
// Watches the bot's media socket. 0 or -errno.
int receive_add(struct receive *receive, struct bot *bot) __attribute__((warn_unused_result));
// Before the socket is closed.
void receive_remove(struct receive *receive, struct bot *bot);
