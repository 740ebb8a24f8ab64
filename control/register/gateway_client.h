// SPDX-License-Identifier: BSD-3-Clause
//
// The node's one connection to its gateway (node_proto.h): connects, registers, comes back after
// every loss with back-off and jitter. It decides nothing: what the gateway says goes to the
// handler, what the node has to say is taken from it. Losing the gateway ends nothing here.
//
// Threads: the loop's only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "register/node_proto.h"

#define GATEWAY_BACKOFF_FIRST_MS 250u
#define GATEWAY_BACKOFF_MAX_MS 5000u // a gateway that restarts sees all nodes within that

struct gateway_client;
struct loop;

struct gateway_client_handler {
	// Fills the register message: names, endpoint, contract, workers, guilds. 'guilds' must be
	// malloc'ed; the message is ours afterwards. 0, or -errno: tried again later.
	int (*fill_register)(void *ctx, struct node_msg *msg);
	void (*registered)(void *ctx, const struct node_msg *msg);
	// ASSIGN, UNASSIGN, VOICE_STATE: each is answered by gateway_client_ack(), now or later.
	void (*command)(void *ctx, const struct node_msg *msg);
	// PING: true answers it.
	bool (*is_alive)(void *ctx);
	void *ctx;
};

struct gateway_client_params {
	struct loop *loop;
	const char *url, *ca_path,
		*secret_path; // of voicenode.cfg; kept; ca_path "" or NULL: the system's
	struct gateway_client_handler handler;
	uint32_t jitter_seed;
};

// 0 or -ENOMEM.
int gateway_client_create(const struct gateway_client_params *params, struct gateway_client **out)
	__attribute__((warn_unused_result));
void gateway_client_destroy(struct gateway_client *client);
void gateway_client_start(struct gateway_client *client);

bool gateway_client_is_registered(const struct gateway_client *client);
uint32_t gateway_client_ping_ms(const struct gateway_client *client); // interval; 0: not registered

// 'connection' is gateway_client_connection() when the command came: an ACK for a connection that
// is gone is not sent, since the next one starts the count anew. 'refusal' (may be NULL): no worker
// has budget for it.
uint32_t gateway_client_connection(const struct gateway_client *client);
void gateway_client_ack(struct gateway_client *client, uint32_t connection, uint64_t seq, int error,
	const struct node_refusal *refusal);
// Nothing is sent while the node is not registered. False: it was not.
bool gateway_client_report(
	struct gateway_client *client, const struct node_worker *workers, uint32_t worker_count);
void gateway_client_left(
	struct gateway_client *client, uint64_t guild_id, uint64_t user_id, const char *session_id);

struct gateway_client_stats {
	uint64_t connects, failures, pings, pings_withheld, unknown;
};
const struct gateway_client_stats *gateway_client_stats(const struct gateway_client *client);
