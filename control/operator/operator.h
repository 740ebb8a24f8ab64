// SPDX-License-Identifier: BSD-3-Clause
//
// The operator socket: a UNIX stream; one line of JSON there ({"cmd":"status"}), one line back,
// closed. Who may ask is the socket file's permissions: mode 0660.
//
// Threads: the loop's only.
#pragma once

#include <stddef.h>

#define OPERATOR_LINE_SIZE_MAX 4096u // bytes of a request
#define OPERATOR_CLIENTS_MAX 16u     // at once
#define OPERATOR_TIMEOUT_MS 2000u    // from connecting to the end of the answer

struct loop;
struct node_view;
struct operator_server;

// Listens at 'path'; a stale socket file is removed, a live one is not ours to take.
// 0, or -EADDRINUSE, -errno with one sentence in 'why'.
int operator_server_create(struct loop *loop, const char *path, const struct node_view *view,
	struct operator_server **out, char *why, size_t why_size)
	__attribute__((warn_unused_result));
// NULL allowed. Removes the socket file.
void operator_server_destroy(struct operator_server *server);

// The answer to one request, a line without its end, to be freed with free(). Never NULL but
// without memory.
char *operator_answer(const struct node_view *view, const char *request, size_t size);
