// SPDX-License-Identifier: BSD-3-Clause
//
// http/ over loopback, for its tests: a server that echoes messages and answers requests, our
// client, and a hand-written one. Each test runs a loop of its own until it is done or too late.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "admission/admission.h"
#include "http/ws.h"
#include "loop/loop.h"

#define MESSAGE_MAX 100000u // bytes, of a message and of a body

// What happened, on both ends.
struct ws_bench {
	struct loop *loop;
	struct ws_server *server;
	struct loop_timer late_timer;
	bool is_late; // it fired
	char directory[64], cert[96], key[96], unix_path[96];

	struct ws_conn *server_conn, *client_conn;
	unsigned server_open, server_closed, client_open, client_closed, failed, messages;
	uint16_t server_code, client_code;
	char path[128], query[128], authorization[128], host[128];
	char why[400];
	char last[256];
	size_t last_size;
	bool last_binary;
	bool refuse;
	bool take_tickets; // the last one that the server's handler took is in 'ticket'
	struct admission_ticket ticket;
	struct http_exchange *late; // answered by the test
	bool answer_late;

	const char *first; // sent by the client as soon as it is open
	size_t first_size;
	bool first_binary;
	void (*on_message)(struct ws_bench *b); // of the client; NULL: stop
};

// 'params' says where; anything in tls_cert_path, or in unix_path, asks for one.
struct ws_bench *ws_bench_open(struct ws_server_params params);
// Also that every open() was followed by one closed().
void ws_bench_close(struct ws_bench *b);
// Connects our client; 'format' is a URL with %u for the port.
void ws_bench_connect(struct ws_bench *b, const char *format);
extern const struct ws_handler ws_bench_server, ws_bench_client;

// A TCP connection by hand.
int ws_bench_raw(const struct ws_bench *b);
// Sends, lets the server work for a moment, and says how many bytes came back; they end in a NUL.
size_t ws_bench_exchange(
	struct ws_bench *b, int fd, const void *data, size_t size, char *out, size_t out_size);
