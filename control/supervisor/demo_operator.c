// SPDX-License-Identifier: BSD-3-Clause
//
// See demo_operator.h.
#include "supervisor/demo_operator.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "supervisor/child.h"
#include "json/json.h"

#define OPERATOR_ANSWER_MAX 262144u // bytes

static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(address.sun_path))
		return -1;
	memcpy(address.sun_path, path, strlen(path) + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

// Reads up to a line's end or the end of the stream. Bytes, 0 on failure.
static size_t read_line(int fd, char *bytes, size_t size, uint32_t timeout_ms)
{
	uint64_t deadline_ms = child_now_ms() + timeout_ms;
	size_t used = 0;

	for (;;) {
		struct pollfd pfd = {.fd = fd, .events = POLLIN};
		uint64_t now_ms = child_now_ms();
		if (now_ms >= deadline_ms || used == size)
			return 0;
		if (poll(&pfd, 1, (int)(deadline_ms - now_ms)) <= 0)
			continue;
		ssize_t n = read(fd, bytes + used, size - used);
		if (n < 0)
			return 0;
		const char *end = memchr(bytes + used, '\n', (size_t)n);
		used += (size_t)n;
		if (end != NULL)
			return (size_t)(end - bytes);
		if (n == 0)
			return used;
	}
}

json_t *demo_operator_ask(const char *path, const char *command, uint32_t timeout_ms)
{
	char question[128];
	json_t *answer = NULL;
	int size = snprintf(question, sizeof(question), "{\"cmd\":\"%s\"}\n", command);
	int fd = connect_to(path);
	char *bytes = malloc(OPERATOR_ANSWER_MAX);

	if (fd >= 0 && bytes != NULL && send(fd, question, (size_t)size, MSG_NOSIGNAL) == size) {
		size_t used = read_line(fd, bytes, OPERATOR_ANSWER_MAX, timeout_ms);
		if (used > 0)
			answer = json_decode(bytes, used, NULL, 0);
	}
	free(bytes);
	if (fd >= 0)
		close(fd);
	if (answer != NULL && !json_is_object(answer)) {
		json_decref(answer);
		answer = NULL;
	}
	return answer;
}
