// SPDX-License-Identifier: BSD-3-Clause
//
// Listening sockets: the errno and the sentence of each refusal, stale UNIX sockets, both families.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "http/http_listen.h"

static char why[256];

static void a_port_is_bound_once(void **state)
{
	uint16_t port = 0, other;
	int fd, second = -1;

	(void)state;
	assert_int_equal(http_listen("127.0.0.1", 0, NULL, &fd, &port, why, sizeof(why)), 0);
	assert_int_not_equal(port, 0);
	assert_int_equal(http_listen("127.0.0.1", port, NULL, &second, &other, why, sizeof(why)),
		-EADDRINUSE);
	assert_non_null(strstr(why, "another program listens there"));
	assert_int_equal(second, -1);
	close(fd);
	assert_int_equal(http_listen("127.0.0.1", port, NULL, &fd, &other, why, sizeof(why)), 0);
	close(fd);
}

static void a_foreign_address_is_refused(void **state)
{
	uint16_t port;
	int fd;

	(void)state;
	assert_int_equal(
		http_listen("192.0.2.1", 0, NULL, &fd, &port, why, sizeof(why)), -EADDRNOTAVAIL);
	assert_non_null(strstr(why, "192.0.2.1"));
	assert_int_equal(http_listen("not an address", 0, NULL, &fd, &port, why, sizeof(why)),
		-EADDRNOTAVAIL);
}

static void every_address_means_both_families(void **state)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	uint16_t port;
	int fd, client;

	(void)state;
	assert_int_equal(http_listen(NULL, 0, NULL, &fd, &port, why, sizeof(why)), 0);
	v4.sin_port = v6.sin6_port = htons(port);
	client = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(client, (void *)&v4, sizeof(v4)), 0);
	close(client);
	client = socket(AF_INET6, SOCK_STREAM, 0);
	assert_int_equal(connect(client, (void *)&v6, sizeof(v6)), 0);
	close(client);
	close(fd);
}

static void a_stale_unix_socket_is_replaced_and_a_live_one_is_not(void **state)
{
	char directory[] = "/tmp/http_listen_XXXXXX", path[64], long_path[200];
	uint16_t port = 0;
	struct stat info;
	int fd, second;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/socket", directory);
	assert_int_equal(http_listen(NULL, 0, path, &fd, &port, why, sizeof(why)), 0);
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0660);
	assert_int_equal(http_listen(NULL, 0, path, &second, &port, why, sizeof(why)), -EADDRINUSE);
	close(fd); // the file stays, as after a SIGKILL
	assert_int_equal(http_listen(NULL, 0, path, &fd, &port, why, sizeof(why)), 0);
	close(fd);
	unlink(path);
	rmdir(directory);
	assert_int_equal(http_listen(NULL, 0, path, &fd, &port, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "directory does not exist"));
	memset(long_path, 'x', sizeof(long_path) - 1);
	long_path[sizeof(long_path) - 1] = '\0';
	assert_int_equal(http_listen(NULL, 0, long_path, &fd, &port, why, sizeof(why)), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_port_is_bound_once),
		cmocka_unit_test(a_foreign_address_is_refused),
		cmocka_unit_test(every_address_means_both_families),
		cmocka_unit_test(a_stale_unix_socket_is_replaced_and_a_live_one_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
