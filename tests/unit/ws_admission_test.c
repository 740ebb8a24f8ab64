// SPDX-License-Identifier: BSD-3-Clause
//
// The bound of ws_server_params.admission over loopback: whoever has not identified counts from
// accept() on, whatever it has sent or not sent until then.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "admission/admission.h"
#include "support/ws_bench.h"

static const char head_begun[] = "GET / HTTP/1.1\r\nHost: x\r\n";
static const char body_begun[] = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf";
static const char tls_begun[] = "\x16\x03\x01\x02\x00\x01\x00";
static const char upgrade[] = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
			      "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
			      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";

// One round of the loop, or a few. Why it ended is not asked: the bench stops it when a connection
// ends, too.
static void pass(struct ws_bench *b)
{
	loop_timer_set(&b->late_timer, 0);
	(void)loop_run(b->loop);
}

// Lets the server do what is there to do: over loopback all of it is there at once, and it takes 64
// connections a turn.
static void turn(struct ws_bench *b)
{
	for (unsigned i = 0; i < 8; i++)
		pass(b);
}

static void until_open(struct ws_bench *b, unsigned count)
{
	for (unsigned i = 0; i < 1000 && b->server_open < count; i++)
		pass(b);
	assert_int_equal(b->server_open, count);
}

static bool hung_up(int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	char out[16];

	return poll(&poll_fd, 1, 0) == 1 && recv(fd, out, sizeof(out), MSG_DONTWAIT) <= 0;
}

static int stranger(struct ws_bench *b, const char *text, size_t size)
{
	int fd = ws_bench_raw(b);

	assert_int_equal(send(fd, text, size, MSG_NOSIGNAL), (ssize_t)size);
	return fd;
}

static int stranger_unix(const struct ws_bench *b)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", b->unix_path);
	assert_int_equal(connect(fd, (void *)&address, sizeof(address)), 0);
	return fd;
}

static struct ws_bench *bench(struct admission **admission, const char *tls)
{
	*admission = admission_create(7);
	assert_non_null(*admission);
	return ws_bench_open((struct ws_server_params){.host = "127.0.0.1",
		.tls_cert_path = tls,
		.admission = *admission,
		.open_timeout_ms = 60000});
}

// Fills the address with connections that have said 'text', of 'size', and no more.
static void crowd_of(const char *text, size_t size, const char *tls)
{
	static int fds[ADMISSION_STRANGERS_MAX];
	struct admission *admission;
	struct ws_bench *b = bench(&admission, tls);
	int fd;

	for (unsigned i = 0; i < ADMISSION_STRANGERS_MAX; i++) {
		fds[i] = stranger(b, text, size);
		if (i % 64 == 63)
			turn(b);
	}
	fd = stranger(b, text, size);
	turn(b);
	assert_true(hung_up(fd));
	close(fd);
	assert_int_equal(admission_stats(admission)->crowded, 1);
	close(fds[0]); // one leaves: there is a place again
	turn(b);
	fd = stranger(b, text, size);
	turn(b);
	assert_false(hung_up(fd));
	assert_int_equal(admission_stats(admission)->crowded, 1);
	ws_server_destroy(b->server); // from here on it does not touch the admission
	b->server = NULL;
	admission_destroy(admission);
	turn(b);
	close(fd);
	for (unsigned i = 1; i < ADMISSION_STRANGERS_MAX; i++)
		close(fds[i]);
	ws_bench_close(b);
}

static void a_connection_counts_before_it_has_said_anything(void **state)
{
	(void)state;
	crowd_of("", 0, NULL);
}

static void unfinished_heads_bodies_and_handshakes_count(void **state)
{
	(void)state;
	crowd_of(head_begun, sizeof(head_begun) - 1, NULL);
	crowd_of(body_begun, sizeof(body_begun) - 1, NULL);
	crowd_of(tls_begun, sizeof(tls_begun) - 1, "yes");
}

static void a_websocket_counts_until_its_ticket_is_released(void **state)
{
	struct admission *admission;
	struct ws_bench *b = bench(&admission, NULL);
	int fds[32];

	(void)state;
	b->take_tickets = true;
	// More than there are places for, one after the other and all of them open.
	for (unsigned i = 0; i < ADMISSION_STRANGERS_MAX + 8; i++) {
		if (i >= 32)
			close(fds[i % 32]);
		fds[i % 32] = stranger(b, upgrade, sizeof(upgrade) - 1);
		until_open(b, i + 1);
		admission_release(admission, &b->ticket);
	}
	for (unsigned i = 0; i < 32; i++)
		close(fds[i]);
	turn(b);
	assert_int_equal(admission_stats(admission)->crowded, 0);
	ws_bench_close(b);
	admission_destroy(admission);
}

static void who_has_guessed_too_often_is_not_accepted(void **state)
{
	struct admission *admission;
	struct ws_bench *b = bench(&admission, NULL);
	struct admission_ticket ticket;
	int fd;

	(void)state;
	assert_int_equal(admission_open(admission, "127.0.0.1", loop_now_ms(b->loop), &ticket),
		ADMISSION_GRANTED);
	for (unsigned i = 0; i < ADMISSION_FAILURES_MAX; i++)
		admission_failed(admission, &ticket, loop_now_ms(b->loop));
	fd = stranger(b, upgrade, sizeof(upgrade) - 1);
	turn(b);
	assert_true(hung_up(fd));
	assert_int_equal(b->server_open, 0);
	assert_int_equal(admission_stats(admission)->blocked, 1);
	close(fd);
	admission_release(admission, &ticket);
	ws_bench_close(b);
	admission_destroy(admission);
}

// A UNIX socket has no address, and its peers are operators.
static void a_unix_socket_is_not_bounded(void **state)
{
	struct admission *admission = admission_create(7);
	struct ws_bench *b = ws_bench_open((struct ws_server_params){
		.unix_path = "yes", .admission = admission, .open_timeout_ms = 60000});
	static int fds[ADMISSION_STRANGERS_MAX + 8];

	(void)state;
	for (unsigned i = 0; i < ADMISSION_STRANGERS_MAX + 8; i++) {
		fds[i] = stranger_unix(b);
		if (i % 4 == 3)
			turn(b);
	}
	turn(b);
	for (unsigned i = 0; i < ADMISSION_STRANGERS_MAX + 8; i++) {
		assert_false(hung_up(fds[i]));
		close(fds[i]);
	}
	ws_bench_close(b);
	admission_destroy(admission);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_counts_before_it_has_said_anything),
		cmocka_unit_test(unfinished_heads_bodies_and_handshakes_count),
		cmocka_unit_test(a_websocket_counts_until_its_ticket_is_released),
		cmocka_unit_test(who_has_guessed_too_often_is_not_accepted),
		cmocka_unit_test(a_unix_socket_is_not_bounded),
	};
	struct rlimit files;

	signal(SIGPIPE, SIG_IGN);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max < 8192 ? files.rlim_max : 8192; // both ends are ours
	setrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_cur < 2 * ADMISSION_STRANGERS_MAX + 64)
		return 77; // skipped
	return cmocka_run_group_tests(tests, NULL, NULL);
}
