// SPDX-License-Identifier: BSD-3-Clause
//
// The asking end of the operator socket.

#include "cli/operator_client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "json/json.h"

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int connect_to(const char *path, int *out)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd, error = 0;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		error = -errno;
	if (error != 0)
		close(fd);
	else
		*out = fd;
	return error;
}

static int send_line(int fd, const char *line, size_t size)
{
	while (size > 0) {
		ssize_t sent = send(fd, line, size, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return -errno;
		line += sent;
		size -= (size_t)sent;
	}
	return 0;
}

// Reads until the line's end, the peer's end or the deadline. free() '*out'.
static int receive_line(int fd, uint64_t deadline_ms, char **out, size_t *out_size)
{
	size_t size = 0, room = 0;
	char *text = NULL;
	int error = 0;

	for (;;) {
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		uint64_t now = now_ms();
		ssize_t got;

		if (size + 1 >= room) {
			char *more = realloc(text, room = room == 0 ? 4096 : room * 2);

			error = more == NULL                     ? -ENOMEM
				: size > OPERATOR_REPLY_SIZE_MAX ? -EPROTO
								 : 0;
			text = more == NULL ? text : more;
			if (error != 0)
				break;
		}
		if (now >= deadline_ms || poll(&ready, 1, (int)(deadline_ms - now)) == 0) {
			error = -ETIMEDOUT;
			break;
		}
		got = recv(fd, text + size, room - size - 1, MSG_DONTWAIT);
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got < 0)
			error = -errno;
		if (got <= 0)
			break;
		size += (size_t)got;
		if (memchr(text + size - got, '\n', (size_t)got) != NULL)
			break;
	}
	if (error != 0) {
		free(text);
		return error;
	}
	const char *feed = memchr(text, '\n', size);

	*out_size = feed == NULL ? size : (size_t)(feed - text);
	text[*out_size] = '\0';
	*out = text;
	return 0;
}

static void explain(int error, const char *path, char *why, size_t why_size)
{
	switch (error) {
	case -ENOENT:
	case -ECONNREFUSED:
		snprintf(why, why_size,
			"no node answers on %s: start it with voicenode run, or name another with "
			"--socket",
			path);
		break;
	case -EACCES:
		snprintf(why, why_size,
			"%s is not for this user: ask as the node's user or as root", path);
		break;
	case -ETIMEDOUT:
		snprintf(why, why_size,
			"the node on %s does not answer: look at its log, or start it again", path);
		break;
	default:
		snprintf(why, why_size, "the node on %s cannot be asked: %s", path,
			strerror(-error));
		break;
	}
}

static int understand(const char *path, const char *text, size_t text_size, json_t **reply,
	char *why, size_t why_size)
{
	char reason[160];
	json_t *made = json_decode(text, text_size, reason, sizeof(reason));
	const char *refusal;

	if (made == NULL || !json_is_object(made)) {
		snprintf(why, why_size,
			"what answers on %s is no node of this version: its answer is not a JSON "
			"object",
			path);
		json_decref(made);
		return -EPROTO;
	}
	refusal = json_get_string(made, "error");
	if (refusal != NULL) {
		snprintf(why, why_size, "the node on %s refuses: %s", path, refusal);
		json_decref(made);
		return -EREMOTEIO;
	}
	*reply = made;
	return 0;
}

int operator_ask(const char *path, const char *command, uint32_t timeout_ms, json_t **reply,
	char **text, char *why, size_t why_size)
{
	char line[128], *answer = NULL;
	size_t answer_size = 0;
	int fd = -1, error;

	snprintf(line, sizeof(line), "{\"cmd\":\"%s\"}\n", command);
	error = connect_to(path, &fd);
	if (error == 0) {
		error = send_line(fd, line, strlen(line));
		if (error == 0)
			error = receive_line(fd, now_ms() + timeout_ms, &answer, &answer_size);
		close(fd);
	}
	if (error != 0) {
		explain(error, path, why, why_size);
		return error;
	}
	error = understand(path, answer, answer_size, reply, why, why_size);
	if (error != 0 || text == NULL)
		free(answer);
	else
		*text = answer;
	return error;
}
