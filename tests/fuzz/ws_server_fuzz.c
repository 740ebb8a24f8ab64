// SPDX-License-Identifier: BSD-3-Clause
//
// Fuzz target: any bytes to a live server, over a UNIX socket and our loop, through the library's
// HTTP, upgrade and frames. The first byte says how, SPLIT cuts the rest into what arrives at once.
// Asserts what handlers rely on: messages and bodies within their bounds and ended by a NUL, each
// opened connection closed once and nothing after it, an exchange answered late hurts nobody.

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "http/ws.h"
#include "log/log.h"
#include "loop/loop.h"

#define MUST(x)   \
	if (!(x)) \
	abort()

#define SPLIT "\xf5\xf5" // in no UTF-8
#define MESSAGE_SIZE_MAX 300u
#define BODY_SIZE_MAX 100u
#define TURNS_PER_PIECE 3
#define TURNS_MAX 64 // for the end of a connection whose peer is gone

// Bits of the first byte.
#define HOW_UPGRADED 1u // the upgrade goes first
#define HOW_LATE 2u     // HTTP is answered after the connection is gone
#define HOW_CLOSE 4u    // the handler closes after a message
#define HOW_ABORT 8u    // or cuts
#define HOW_REFUSE 16u  // open() refuses
#define HOW_HALF 32u    // the peer says that it is through, and waits
#define HOW_UNREAD 64u  // the peer reads nothing
#define HOW_LIMIT_SMALL 128u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	struct loop *loop;
	struct ws_server *server;
	struct sockaddr_un address;
	socklen_t address_size;
	int turn_fd;
	struct loop_fd *turn_watch;
	uint8_t how;
	struct ws_conn *conn; // NULL: none is open
	unsigned opened, closed;
	struct http_exchange *late;
} world;

static const char upgrade[] =
	"GET /?v=8 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

static void text_check(const char *text)
{
	for (; *text != '\0'; text++)
		MUST((unsigned char)*text >= ' ' || *text == '\t');
}

static void *opened(void *ctx, struct ws_conn *conn, const struct ws_request *request)
{
	(void)ctx;
	MUST(world.conn == NULL && request->path[0] == '/');
	MUST(strlen(request->query) + strlen(request->authorization) + strlen(request->host) <
		16384);
	if (world.how & HOW_LIMIT_SMALL)
		ws_conn_limit_message(conn, 3);
	if (world.how & HOW_REFUSE)
		return NULL;
	world.conn = conn;
	world.opened++;
	return &world;
}

static void message(void *conn_ctx, const char *data, size_t size, bool binary)
{
	(void)binary;
	MUST(conn_ctx == &world && world.conn != NULL);
	MUST(size <= (world.how & HOW_LIMIT_SMALL ? 3 : MESSAGE_SIZE_MAX) && data[size] == '\0');
	(void)!ws_conn_send(world.conn, data, size, binary);
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

static const struct ws_handler handler = {.open = opened, .message = message, .closed = closed};

static void http(void *ctx, struct http_exchange *exchange, const struct http_request *request)
{
	(void)ctx;
	MUST(request->path[0] == '/' && request->method[0] >= 'A');
	text_check(request->path);
	text_check(request->query);
	text_check(request->authorization);
	MUST(request->body_size <= BODY_SIZE_MAX && request->body[request->body_size] == '\0');
	if (world.how & HOW_LATE && world.late == NULL)
		world.late = exchange;
	else
		http_respond(exchange, 200, NULL, request->body, request->body_size);
}

static void turn_over(void *arg, int fd, short revents)
{
	uint64_t count;

	(void)arg;
	(void)revents;
	MUST(read(fd, &count, sizeof(count)) == (ssize_t)sizeof(count));
	loop_stop(world.loop, 0);
}

static void turns(int fd, unsigned count)
{
	const uint64_t one = 1;
	char answer[4096];

	while (count-- > 0) {
		MUST(write(world.turn_fd, &one, sizeof(one)) == (ssize_t)sizeof(one));
		MUST(loop_run(world.loop) == 0);
		if (fd >= 0 && !(world.how & HOW_UNREAD))
			(void)!recv(fd, answer, sizeof(answer), MSG_DONTWAIT);
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
	struct ws_server_params params = {.ws = &handler,
		.http = http,
		.name = "fuzz",
		.message_size_max = MESSAGE_SIZE_MAX,
		.body_size_max = BODY_SIZE_MAX,
		.queue_size_max = 1000};
	char why[200];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	log_redirect(quiet, NULL, NULL);
	world.address.sun_family = AF_UNIX;
	MUST(bind(fd, (void *)&world.address, sizeof(sa_family_t)) == 0); // the kernel names it
	MUST(listen(fd, 8) == 0);
	world.address_size = sizeof(world.address);
	MUST(getsockname(fd, (void *)&world.address, &world.address_size) == 0);
	world.loop = loop_create();
	MUST(world.loop != NULL);
	world.turn_fd = eventfd(0, EFD_NONBLOCK);
	MUST(loop_fd_add(world.loop, world.turn_fd, POLLIN, turn_over, NULL, &world.turn_watch) ==
		0);
	params.listen_fd = fd;
	MUST(ws_server_create(world.loop, &params, &world.server, why, sizeof(why)) == 0);
}

static void piece_send(int fd, const void *data, size_t size)
{
	if (size > 0)
		(void)!send(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	turns(fd, TURNS_PER_PIECE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd;

	if (world.loop == NULL)
		world_make();
	if (size == 0)
		return 0;
	world.how = *data++;
	size--;
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	MUST(connect(fd, (void *)&world.address, world.address_size) == 0);
	if (world.how & HOW_UPGRADED)
		piece_send(fd, upgrade, sizeof(upgrade) - 1);
	while (size > 0) {
		const uint8_t *split = memmem(data, size, SPLIT, 2);
		size_t piece = split == NULL ? size : (size_t)(split - data);

		piece_send(fd, data, piece);
		piece += split == NULL ? 0 : 2;
		data += piece;
		size -= piece;
	}
	if (world.how & HOW_HALF) {
		shutdown(fd, SHUT_WR);
		turns(fd, TURNS_PER_PIECE);
	}
	close(fd);
	turns(-1, TURNS_PER_PIECE);
	if (world.late != NULL)
		http_respond(world.late, 200, NULL, "{}", 2);
	world.late = NULL;
	for (unsigned i = 0; i < TURNS_MAX && world.conn != NULL; i++)
		turns(-1, 1);
	MUST(world.conn == NULL && world.opened == world.closed);
	return 0;
}
