// SPDX-License-Identifier: BSD-3-Clause
//
// What a correct client never sends, in hand-written bytes against our server: what the library
// makes of it, and that others do not suffer. ws.h says where the library is lenient.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/ws.h"
#include "loop/loop.h"
#include "support/ws_bench.h"

static const char upgrade[] =
	"GET /x?v=1 HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n"
	"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
	"Sec-WebSocket-Extensions: permessage-deflate\r\n"
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

#define CUT 1   // the connection ends without a close frame
#define QUIET 0 // nothing comes back, the connection stays

static bool hung_up(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}

static int upgraded(struct ws_bench *b)
{
	int fd = ws_bench_raw(b);
	char out[1024];

	assert_true(ws_bench_exchange(b, fd, upgrade, sizeof(upgrade) - 1, out, sizeof(out)) > 0);
	assert_non_null(strstr(out, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
	assert_null(strstr(out, "deflate"));
	return fd;
}

// Opens a WebSocket by hand, sends 'frame' and expects 'code' in the answering close frame.
static void frame_closes_with(const char *name, const char *frame, size_t size, uint16_t code)
{
	struct ws_bench *b = ws_bench_open((struct ws_server_params){.host = "127.0.0.1"});
	int fd = upgraded(b);
	char out[1024];
	size_t got = ws_bench_exchange(b, fd, frame, size, out, sizeof(out));
	uint16_t seen = QUIET;

	if (got >= 4 && (uint8_t)out[0] == 0x88)
		seen = (uint16_t)((uint8_t)out[2] << 8 | (uint8_t)out[3]);
	else if (got == 0 && hung_up(fd))
		seen = CUT;
	else if (got > 0)
		fail_msg("%s: %zu bytes that are no close frame", name, got);
	if (seen != code)
		fail_msg("%s: closed with %u instead of %u", name, seen, code);
	close(fd);
	ws_bench_close(b);
}

#define FRAME(bytes, code) frame_closes_with(#bytes, bytes, sizeof(bytes) - 1, code)

static void bad_frames_get_their_close_code(void **state)
{
	(void)state;
	FRAME("\x82\xff\0\0\0\0\0\x01\x86\xa1\0\0\0\0x", 1009); // one byte more than allowed
	FRAME("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0x", 1009);
	FRAME("\x82\xff\x80\0\0\0\0\0\0\0", CUT);            // a length of 64 bits
	FRAME("\x81\x82\0\0\0\0\xc3\x28", 1007);             // not UTF-8
	FRAME("\x81\x83\0\0\0\0\xed\xa0\x80", 1007);         // a surrogate
	FRAME("\x81\x82\0\0\0\0\xc0\x80", 1007);             // overlong
	FRAME("\x81\x84\0\0\0\0\xf4\x90\x80\x80", 1007);     // above U+10FFFF
	FRAME("\x81\x81\0\0\0\0\xc3", 1007);                 // ends inside a character
	FRAME("\x01\x81\0\0\0\0\xc3\x80\x80\0\0\0\0", 1007); // and an empty last fragment
	FRAME("\xc1\x80\0\0\0\0", 1002);                     // a reserved bit
	FRAME("\x83\x80\0\0\0\0", 1002);                     // opcodes that are none
	FRAME("\x8b\x80\0\0\0\0", 1002);
	FRAME("\x80\x80\0\0\0\0", 1002);                   // continues nothing
	FRAME("\x01\x81\0\0\0\0a\x81\x81\0\0\0\0b", 1002); // a message in a message
	FRAME("\x09\x80\0\0\0\0", 1002);                   // a ping in pieces
	FRAME("\x89\xfe\0\x7e\0\0\0\0", CUT);              // a long ping
	FRAME("\x88\x82\0\0\0\0\x0f\xa1", 4001);           // a good close is echoed
	FRAME("\x88\x82\0\0\0\0\x03\xed", 1002);           // 1005 is none
	FRAME("\x8a\x80\0\0\0\0", QUIET);                  // an unasked pong is fine
	FRAME("\x8a\x81\0\0\0\0\xff", QUIET);
}

static void many_tiny_fragments_are_refused(void **state)
{
	struct ws_bench *b = ws_bench_open((struct ws_server_params){.host = "127.0.0.1"});
	static char frames[1100 * 6];
	int fd = upgraded(b);
	char out[64];

	(void)state;
	for (size_t i = 0; i < sizeof(frames); i += 6)
		memcpy(frames + i, i == 0 ? "\x02\x80\0\0\0\0" : "\x00\x80\0\0\0\0", 6);
	assert_true(ws_bench_exchange(b, fd, frames, sizeof(frames), out, sizeof(out)) >= 4);
	assert_memory_equal(out, "\x88\x02\x03\xf0", 4); // 1008
	close(fd);
	ws_bench_close(b);
}

// What ws.h says of the library: masks are not asked for, and an unmasked frame of no bytes whose
// length is written in 16 or 64 bits is not heard. What follows it is.
static void unmasked_frames_harm_only_who_sends_them(void **state)
{
	struct ws_bench *b = ws_bench_open((struct ws_server_params){.host = "127.0.0.1"});
	static const char plain[] = "\x81\x05hello", empty[] = "\x82\x7e\0\0";
	static const char unended[] = "\x01\x01q\x80\x7f\0\0\0\0\0\0\0\0";
	static const char control[] = "\x89\x7e\0\0";
	int fd = upgraded(b);
	char out[64];

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(
			ws_bench_exchange(b, fd, plain, sizeof(plain) - 1, out, sizeof(out)), 7);
		assert_memory_equal(out, "\x81\x05hello", 7); // never "qhello"
		assert_int_equal(
			ws_bench_exchange(b, fd, i == 1 ? unended : empty,
				i == 1 ? sizeof(unended) - 1 : sizeof(empty) - 1, out, sizeof(out)),
			0);
	}
	assert_int_equal(
		ws_bench_exchange(b, fd, control, sizeof(control) - 1, out, sizeof(out)), 0);
	assert_true(hung_up(fd)); // a control frame has no such length
	close(fd);
	ws_bench_close(b);
}

static void a_lowered_bound_holds(void **state)
{
	struct ws_bench *b = ws_bench_open((struct ws_server_params){.host = "127.0.0.1"});
	static const char good[] = "\x82\x84\0\0\0\0four", bad[] = "\x82\x85\0\0\0\0fives";
	int fd = upgraded(b);
	char out[64];

	(void)state;
	ws_conn_limit_message(b->server_conn, 4);
	assert_int_equal(ws_bench_exchange(b, fd, good, sizeof(good) - 1, out, sizeof(out)), 6);
	assert_int_equal(ws_bench_exchange(b, fd, bad, sizeof(bad) - 1, out, sizeof(out)), 4);
	assert_memory_equal(out, "\x88\x02\x03\xf1", 4); // 1009
	close(fd);
	ws_bench_close(b);
}

static void fragments_with_a_ping_between_make_one_message(void **state)
{
	struct ws_bench *b = ws_bench_open((struct ws_server_params){.host = "127.0.0.1"});
	static const char frames[] = "\x01\x82\0\0\0\0\xc3\xa4"
				     "\x89\x82\1\2\3\4\x69\x6b"
				     "\x00\x81\0\0\0\0b"
				     "\x80\x81\0\0\0\0c";
	int fd = ws_bench_raw(b);
	char out[1024];

	(void)state;
	ws_bench_exchange(b, fd, upgrade, sizeof(upgrade) - 1, out, sizeof(out));
	assert_int_equal(
		ws_bench_exchange(b, fd, frames, sizeof(frames) - 1, out, sizeof(out)), 10);
	assert_memory_equal(out,
		"\x8a\x02hi"
		"\x81\x04\xc3\xa4"
		"bc",
		10);
	close(fd);
	ws_bench_close(b);
}

// Every byte its own segment: nothing may depend on where TCP cuts.
static void a_head_and_a_frame_in_single_bytes_work(void **state)
{
	struct ws_bench *b = ws_bench_open((struct ws_server_params){.host = "127.0.0.1"});
	static const char frame[] = "\x81\x85\1\2\3\4igohn";
	int fd = ws_bench_raw(b);
	char out[1024];

	(void)state;
	loop_timer_set(&b->late_timer, 0);
	for (size_t i = 0; i < sizeof(upgrade) - 1; i++) {
		assert_int_equal(send(fd, upgrade + i, 1, MSG_NOSIGNAL), 1);
		loop_timer_set(&b->late_timer, 0);
		loop_run(b->loop);
	}
	ws_bench_exchange(b, fd, frame, 3, out, sizeof(out));
	assert_non_null(strstr(out, "101 Switching"));
	assert_int_equal(
		ws_bench_exchange(b, fd, frame + 3, sizeof(frame) - 4, out, sizeof(out)), 7);
	assert_memory_equal(out, "\x81\x05hello", 7);
	close(fd);
	ws_bench_close(b);
}

static void a_slow_reader_is_cut_and_costs_no_more_than_its_bound(void **state)
{
	static char data[60000];
	struct ws_bench *b = ws_bench_open(
		(struct ws_server_params){.host = "127.0.0.1", .queue_size_max = 200000});
	int fd = ws_bench_raw(b);
	char out[1024];
	size_t sent = 0;
	int error = 0;

	(void)state;
	ws_bench_exchange(b, fd, upgrade, sizeof(upgrade) - 1, out, sizeof(out));
	while (sent < 50000000) {
		error = ws_conn_send(b->server_conn, data, sizeof(data), true);
		if (error != 0)
			break;
		sent += sizeof(data);
		loop_timer_set(&b->late_timer, 0);
		loop_run(b->loop);
	}
	assert_int_equal(error, -ENOBUFS);
	assert_int_equal(ws_conn_send(b->server_conn, data, 1, true), -ENOTCONN);
	loop_timer_set(&b->late_timer, 1000);
	assert_int_equal(loop_run(b->loop), 0); // stopped by 'closed'
	assert_int_equal(b->server_code, 1006);
	close(fd);
	ws_bench_close(b);
}

// 'expected' NULL: nothing comes back. The connection always ends.
static void http_case(const char *request, const char *expected)
{
	struct ws_bench *b = ws_bench_open((struct ws_server_params){.host = "127.0.0.1"});
	int fd = ws_bench_raw(b);
	char out[2048];
	size_t got = ws_bench_exchange(b, fd, request, strlen(request), out, sizeof(out));

	if (expected == NULL ? got != 0 : strstr(out, expected) == NULL)
		fail_msg("expected %s in %s", expected == NULL ? "nothing" : expected, out);
	if (expected != NULL && strstr(out, " 403 ") == NULL) // those are the library's
		assert_non_null(strcasestr(out, "\r\nConnection: close\r\n"));
	assert_true(hung_up(fd));
	assert_int_equal(b->server_open, 0);
	close(fd);
	ws_bench_close(b);
}

static void http_requests_are_answered_or_refused(void **state)
{
	(void)state;
	http_case("GET /api/x?q=1&r=2 HTTP/1.1\r\nHost: h\r\nAuthorization: Bot t\r\n\r\n",
		"GET /api/x?q=1&r=2 auth=Bot t host=h body=");
	http_case("PATCH /p HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n{\"a\"",
		"PATCH /p? auth= host=h body={\"a\"");
	http_case("PUT /p HTTP/1.1\r\nContent-Length: 1\r\n\r\nx", "PUT /p? auth= host= body=x");
	http_case("POST /p HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "POST /p? auth= host= body=");
	http_case("POST /p HTTP/1.1\r\n\r\n", "POST /p? auth= host= body=");
	http_case("DELETE /p HTTP/1.1\r\n\r\n", "DELETE /p? ");
	http_case("OPTIONS /p HTTP/1.1\r\n\r\n", "OPTIONS /p? ");
	http_case("HEAD /p HTTP/1.1\r\n\r\n", "content-length: 26\r\n");
	http_case("GET /%61%20b/../c HTTP/1.1\r\n\r\n", "GET /c? ");
	http_case("GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n", "GET /1? ");
	http_case("POST /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", " 411 ");
	http_case("POST /p HTTP/1.1\r\nContent-Length: 900000\r\n\r\n", " 413 ");
	http_case("POST /p HTTP/1.1\r\nContent-Length: -1\r\n\r\n", " 400 ");
	http_case("POST /p HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", " 400 ");
	http_case("POST /p HTTP/1.1\r\nContent-Length: 1e3\r\n\r\n", " 400 ");
}

static void upgrades_are_checked(void **state)
{
#define TO "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	(void)state;
	http_case(TO KEY "Sec-WebSocket-Version: 8\r\n\r\n", " 426 ");
	http_case(TO KEY "\r\n", " 426 ");
	http_case(TO "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n\r\n", " 400 ");
	http_case(TO "Sec-WebSocket-Version: 13\r\n\r\n", " 400 ");
	http_case("POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n" KEY
		  "Sec-WebSocket-Version: 13\r\n\r\n",
		" 400 ");
	http_case("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\n"
		  "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n",
		" 400 ");
	http_case("GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n", " 403 ");
	http_case("GET a HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n" KEY
		  "Sec-WebSocket-Version: 13\r\n\r\n",
		" 400 ");
	// No host, no upgrade in Connection, a subprotocol: the library only hangs up.
	http_case("GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket\r\n" KEY
		  "Sec-WebSocket-Version: 13\r\n\r\n",
		NULL);
	http_case("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n" KEY
		  "Sec-WebSocket-Version: 13\r\n\r\n",
		NULL);
	http_case(TO KEY "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: x\r\n\r\n", NULL);
#undef TO
#undef KEY
}

// Where the library says nothing, it hangs up.
static void malformed_heads_end_the_connection(void **state)
{
	static char endless[20000];

	(void)state;
	http_case("NONSENSE / HTTP/1.1\r\n\r\n", " 403 ");
	http_case("CONNECT a:1 HTTP/1.1\r\n\r\n", NULL);
	http_case("GET /%zz HTTP/1.1\r\n\r\n", " 403 ");
	http_case("GET /%0aAuthorization: Bot t HTTP/1.1\r\nHost: a\r\n\r\n", " 400 ");
	http_case("GET /%01 HTTP/1.1\r\n\r\n", " 400 ");
	http_case("GET / HTTP/2.0\r\n\r\n", " 400 ");
	http_case("GET / \r\n\r\n", " 400 ");
	http_case("GET / HTTP/1.1\r\nAuthorization: a\033b\r\n\r\n", " 400 ");
	http_case("\r\n\r\n", NULL);
	memset(endless, 'a', sizeof(endless) - 1);
	memcpy(endless, "GET / HTTP/1.1\r\nA: ", 19);
	http_case(endless, NULL);
	memcpy(endless, "GET /", 5);
	http_case(endless, NULL);
}

static void an_answer_may_come_later(void **state)
{
	struct ws_bench *b = ws_bench_open((struct ws_server_params){.host = "127.0.0.1"});
	static const char request[] = "POST /p HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi and more";
	int fd = ws_bench_raw(b), gone = ws_bench_raw(b);
	char out[1024];

	(void)state;
	b->answer_late = true;
	assert_int_equal(
		ws_bench_exchange(b, fd, request, sizeof(request) - 1, out, sizeof(out)), 0);
	assert_non_null(b->late);
	http_respond(b->late, 200, NULL, "{}", 2);
	assert_true(ws_bench_exchange(b, fd, "", 0, out, sizeof(out)) > 0);
	assert_non_null(strstr(out, "content-type: application/json\r\n"));
	assert_string_equal(out + strlen(out) - 4, "\r\n{}");
	assert_true(hung_up(fd));
	close(fd);
	b->late = NULL;
	assert_int_equal(
		ws_bench_exchange(b, gone, request, sizeof(request) - 1, out, sizeof(out)), 0);
	assert_non_null(b->late);
	close(gone);
	ws_server_destroy(b->server); // cuts it
	b->server = NULL;
	loop_timer_set(&b->late_timer, 40);
	assert_int_equal(loop_run(b->loop), -ETIMEDOUT);
	http_respond(b->late, 200, NULL, "{}", 2); // to nobody
	ws_bench_close(b);
}

// The answer to a body that is too long must reach a peer that has not stopped sending it.
static void who_still_sends_reads_why_it_should_not(void **state)
{
	struct ws_bench *b = ws_bench_open((struct ws_server_params){.host = "127.0.0.1"});
	static const char request[] = "POST /p HTTP/1.1\r\nContent-Length: 900000\r\n\r\n";
	static char body[60000];
	int fd = ws_bench_raw(b);
	char out[1024];

	(void)state;
	ws_bench_exchange(b, fd, request, sizeof(request) - 1, out, sizeof(out));
	assert_non_null(strstr(out, " 413 "));
	assert_true(hung_up(fd)); // its half
	for (unsigned i = 0; i < 15; i++)
		ws_bench_exchange(b, fd, body, sizeof(body), out, sizeof(out));
	assert_true(hung_up(fd)); // never reset
	close(fd);
	ws_bench_close(b);
}

static void a_full_server_takes_no_more(void **state)
{
	struct ws_bench *b =
		ws_bench_open((struct ws_server_params){.host = "127.0.0.1", .connections_max = 2});
	int fd[3];
	char out[64];

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		fd[i] = ws_bench_raw(b);
	ws_bench_exchange(b, fd[0], "", 0, out, sizeof(out));
	assert_false(hung_up(fd[0]) || hung_up(fd[1]));
	assert_true(hung_up(fd[2]));
	for (unsigned i = 0; i < 3; i++)
		close(fd[i]);
	ws_bench_close(b);
}

static void who_says_nothing_is_cut(void **state)
{
	static const char *const certificates[] = {NULL, "yes"};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct ws_bench *b = ws_bench_open((struct ws_server_params){.host = "127.0.0.1",
			.open_timeout_ms = 30,
			.tls_cert_path = certificates[i]});
		int fd = ws_bench_raw(b);
		char out[16];

		ws_bench_exchange(b, fd, i == 0 ? "GET" : "\x16\x03\x01", 3, out, sizeof(out));
		loop_timer_set(&b->late_timer, 60);
		loop_run(b->loop);
		assert_true(hung_up(fd));
		close(fd);
		ws_bench_close(b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_frames_get_their_close_code),
		cmocka_unit_test(many_tiny_fragments_are_refused),
		cmocka_unit_test(unmasked_frames_harm_only_who_sends_them),
		cmocka_unit_test(a_lowered_bound_holds),
		cmocka_unit_test(fragments_with_a_ping_between_make_one_message),
		cmocka_unit_test(a_head_and_a_frame_in_single_bytes_work),
		cmocka_unit_test(a_slow_reader_is_cut_and_costs_no_more_than_its_bound),
		cmocka_unit_test(http_requests_are_answered_or_refused),
		cmocka_unit_test(upgrades_are_checked),
		cmocka_unit_test(malformed_heads_end_the_connection),
		cmocka_unit_test(an_answer_may_come_later),
		cmocka_unit_test(who_still_sends_reads_why_it_should_not),
		cmocka_unit_test(a_full_server_takes_no_more),
		cmocka_unit_test(who_says_nothing_is_cut),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
