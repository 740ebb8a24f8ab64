// SPDX-License-Identifier: BSD-3-Clause
//
// Fuzz target: any bytes from a server to our client, over loopback and our loop: as the answer to
// the upgrade, or behind a good one as frames. Asserts that each connection is either opened and
// closed once or failed once, with a reason, and that messages are within their bound.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/ws.h"
#include "log/log.h"
#include "loop/loop.h"

#define MUST(x)   \
	if (!(x)) \
	abort()

#define SPLIT "\xf5\xf5" // in no UTF-8: cuts what arrives at once
#define MESSAGE_SIZE_MAX 300u
#define TURNS_PER_PIECE 3
#define TURNS_MAX 64

// Bits of the first byte.
#define HOW_UPGRADED 1u // a good answer goes first
#define HOW_CLOSE 2u    // our handler closes after a message
#define HOW_ABORT 4u    // or cuts

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	struct loop *loop;
	int listen_fd, turn_fd;
	struct loop_fd *turn_watch;
	char url[64];
	uint8_t how;
	struct ws_conn *conn;
	unsigned opened, closed, failed;
} world;

static void *opened(void *ctx, struct ws_conn *conn, const struct ws_request *request)
{
	(void)request;
	world.conn = conn;
	world.opened++;
	(void)!ws_conn_send(conn, "hello", 5, false);
	return ctx;
}

static void message(void *conn_ctx, const char *data, size_t size, bool binary)
{
	(void)binary;
	MUST(conn_ctx == &world && world.conn != NULL);
	MUST(size <= MESSAGE_SIZE_MAX && data[size] == '\0');
	if (world.how & HOW_CLOSE)
		ws_conn_close(world.conn, 4001, "as the fuzzer wants");
	if (world.how & HOW_ABORT)
		ws_conn_abort(world.conn);
}

static void closed(void *conn_ctx, uint16_t code)
{
	MUST(conn_ctx == &world && world.conn != NULL && code >= 1000);
	world.conn = NULL;
	world.closed++;
}

static void failed(void *ctx, const char *why)
{
	MUST(ctx == &world && why[0] != '\0');
	world.failed++;
}

static void turn_over(void *arg, int fd, short revents)
{
	uint64_t count;

	(void)arg;
	(void)revents;
	MUST(read(fd, &count, sizeof(count)) == (ssize_t)sizeof(count));
	loop_stop(world.loop, 0);
}

static void turns(unsigned count)
{
	const uint64_t one = 1;

	while (count-- > 0) {
		MUST(write(world.turn_fd, &one, sizeof(one)) == (ssize_t)sizeof(one));
		MUST(loop_run(world.loop) == 0);
	}
}

static void quiet(void *arg, const char *line, uint32_t line_size)
{
	(void)arg;
	(void)line;
	(void)line_size;
}

static void world_make(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof(address);

	log_redirect(quiet, NULL, NULL);
	world.listen_fd = socket(AF_INET, SOCK_STREAM, 0);
	MUST(bind(world.listen_fd, (void *)&address, sizeof(address)) == 0);
	MUST(listen(world.listen_fd, 8) == 0);
	MUST(getsockname(world.listen_fd, (void *)&address, &size) == 0);
	snprintf(world.url, sizeof(world.url), "ws://127.0.0.1:%u/", ntohs(address.sin_port));
	world.loop = loop_create();
	MUST(world.loop != NULL);
	world.turn_fd = eventfd(0, EFD_NONBLOCK);
	MUST(loop_fd_add(world.loop, world.turn_fd, POLLIN, turn_over, NULL, &world.turn_watch) ==
		0);
}

// Answers as RFC 6455 section 4.2.2 says.
static void upgrade(int fd)
{
	char request[2048], answer[256];
	uint8_t text[64], hash[20], accept_text[32];
	ssize_t got;
	const char *key;

	for (unsigned i = 0; i < TURNS_MAX; i++) {
		turns(1);
		got = recv(fd, request, sizeof(request) - 1, MSG_DONTWAIT);
		if (got > 0)
			break;
	}
	MUST(got > 0);
	request[got] = '\0';
	key = strstr(request, "Sec-WebSocket-Key: ");
	MUST(key != NULL);
	snprintf((char *)text, sizeof(text), "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key + 19);
	SHA1(text, strlen((char *)text), hash);
	EVP_EncodeBlock(accept_text, hash, sizeof(hash));
	snprintf(answer, sizeof(answer),
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Accept: %s\r\n\r\n",
		accept_text);
	MUST(send(fd, answer, strlen(answer), MSG_NOSIGNAL) == (ssize_t)strlen(answer));
}

static void pieces_send(int fd, const uint8_t *data, size_t size)
{
	while (size > 0) {
		const uint8_t *split = memmem(data, size, SPLIT, 2);
		size_t piece = split == NULL ? size : (size_t)(split - data);

		if (piece > 0)
			(void)!send(fd, data, piece, MSG_DONTWAIT | MSG_NOSIGNAL);
		turns(TURNS_PER_PIECE);
		piece += split == NULL ? 0 : 2;
		data += piece;
		size -= piece;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ws_handler handler = {
		.open = opened, .message = message, .closed = closed, .failed = failed};
	const struct linger reset = {.l_onoff = 1}; // no TIME_WAIT: there are 28,000 ports
	struct ws_client_params params = {.url = world.url,
		.authorization = "Bot secret",
		.handler = &handler,
		.ctx = &world,
		.message_size_max = MESSAGE_SIZE_MAX};
	int fd;

	if (world.loop == NULL)
		world_make();
	if (size == 0)
		return 0;
	world.how = *data++;
	world.opened = world.closed = world.failed = 0;
	MUST(ws_client_connect(world.loop, &params) == 0);
	fd = accept(world.listen_fd, NULL, NULL);
	MUST(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	if (world.how & HOW_UPGRADED)
		upgrade(fd);
	pieces_send(fd, data, size - 1);
	close(fd);
	for (unsigned i = 0; i < TURNS_MAX && world.closed + world.failed == 0; i++)
		turns(1);
	MUST(world.closed + world.failed == 1 && world.opened == world.closed);
	return 0;
}
