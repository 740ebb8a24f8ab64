// SPDX-License-Identifier: BSD-3-Clause
//
// Accepts, reads a line, writes a line, closes.

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "log/log.h"
#include "loop/loop.h"
#include "operator/operator.h"

#define ACCEPT_PAUSE_MS 500u // without a descriptor to spare

struct operator_client {
	struct operator_server *server;
	int fd; // -1: free
	struct loop_fd *watch;
	struct loop_timer timer;
	char line[OPERATOR_LINE_SIZE_MAX];
	size_t line_size;
	char *answer; // NULL: still reading
	size_t answer_size, sent_size;
};

struct operator_server {
	struct loop *loop;
	const struct node_view *view;
	int fd;
	struct loop_fd *watch;
	struct loop_timer pause; // runs while the listener is not watched
	struct sockaddr_un address;
	struct operator_client clients[OPERATOR_CLIENTS_MAX];
};

static void drop(struct operator_client *client)
{
	loop_timer_stop(&client->timer);
	loop_fd_remove(client->watch);
	close(client->fd);
	free(client->answer);
	client->fd = -1;
	client->watch = NULL;
	client->answer = NULL;
	client->line_size = client->answer_size = client->sent_size = 0;
}

static void write_answer(struct operator_client *client)
{
	ssize_t sent = send(client->fd, client->answer + client->sent_size,
		client->answer_size - client->sent_size, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent < 0 && errno != EAGAIN && errno != EINTR) {
		drop(client);
		return;
	}
	if (sent > 0)
		client->sent_size += (size_t)sent;
	if (client->sent_size == client->answer_size)
		drop(client);
	else // nothing more is read: what still comes, or its end, must not wake us again and again
		loop_fd_set_events(client->watch, POLLOUT);
}

static void answer(struct operator_client *client, size_t request_size)
{
	client->answer = operator_answer(client->server->view, client->line, request_size);
	if (client->answer == NULL) {
		drop(client);
		return;
	}
	// The string's NUL becomes the line's end.
	client->answer_size = strlen(client->answer) + 1;
	client->answer[client->answer_size - 1] = '\n';
	write_answer(client);
}

static void read_line(struct operator_client *client)
{
	ssize_t size = recv(client->fd, client->line + client->line_size,
		sizeof(client->line) - client->line_size, MSG_DONTWAIT);
	char *end;

	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (size < 0 || (size == 0 && client->line_size == 0)) {
		drop(client);
		return;
	}
	if (size == 0) { // the line ends with what was sent
		answer(client, client->line_size);
		return;
	}
	client->line_size += (size_t)size;
	end = memchr(client->line, '\n', client->line_size);
	if (end != NULL)
		answer(client, (size_t)(end - client->line));
	else if (client->line_size == sizeof(client->line))
		drop(client); // no request is that long
}

static void on_client(void *arg, int fd, short revents)
{
	struct operator_client *client = arg;

	(void)fd;
	if (client->answer != NULL && (revents & (POLLERR | POLLHUP)) != 0)
		drop(client);
	else if (client->answer != NULL)
		write_answer(client);
	else
		read_line(client);
}

static void on_timeout(void *arg)
{
	drop(arg);
}

static void on_pause_over(void *arg)
{
	struct operator_server *server = arg;

	loop_fd_set_events(server->watch, POLLIN);
}

static void on_accept(void *arg, int listen_fd, short revents)
{
	struct operator_server *server = arg;
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)revents;
	if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
		// Who waits stays in the queue and would wake us without end.
		loop_fd_set_events(server->watch, 0);
		loop_timer_set(&server->pause, ACCEPT_PAUSE_MS);
	}
	if (fd < 0)
		return;
	for (unsigned index = 0; index < OPERATOR_CLIENTS_MAX; index++) {
		struct operator_client *client = &server->clients[index];

		if (client->fd >= 0)
			continue;
		client->fd = fd;
		if (loop_fd_add(server->loop, fd, POLLIN, on_client, client, &client->watch) != 0) {
			client->fd = -1;
			break;
		}
		loop_timer_set(&client->timer, OPERATOR_TIMEOUT_MS);
		return;
	}
	close(fd);
}

// Somebody answers there: another node runs with the same socket path.
static bool is_alive(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool alive;

	if (fd < 0)
		return false;
	alive = connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
		errno == EAGAIN;
	close(fd);
	return alive;
}

static int listen_at(struct operator_server *server, const char *path, char *why, size_t why_size)
{
	struct stat file;
	int error;

	server->address.sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(server->address.sun_path)) {
		snprintf(why, why_size, "control.socket %s is longer than a socket path may be",
			path);
		return -ENAMETOOLONG;
	}
	memcpy(server->address.sun_path, path, strlen(path) + 1);
	if (is_alive(&server->address)) {
		snprintf(why, why_size,
			"another node answers at %s; cure: another control.socket, or stop it",
			path);
		return -EADDRINUSE;
	}
	if (lstat(path, &file) == 0 && !S_ISSOCK(file.st_mode)) { // a typo must not cost a file
		snprintf(why, why_size,
			"control.socket: %s is there and is no socket; name another path", path);
		return -EEXIST;
	}
	unlink(path);
	server->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (server->fd < 0) {
		error = -errno;
		snprintf(why, why_size, "no socket for the operator: %s", strerror(-error));
		return error;
	}
	if (bind(server->fd, (const struct sockaddr *)&server->address, sizeof(server->address)) !=
			0 ||
		chmod(path, 0660) != 0 || listen(server->fd, (int)OPERATOR_CLIENTS_MAX) != 0) {
		error = -errno;
		snprintf(why, why_size,
			"cannot listen at %s: %s; cure: make its folder, writable to this user, or "
			"change control.socket",
			path, strerror(-error));
		return error;
	}
	return 0;
}

int operator_server_create(struct loop *loop, const char *path, const struct node_view *view,
	struct operator_server **out, char *why, size_t why_size)
{
	struct operator_server *server = calloc(1, sizeof(*server));
	int error;

	if (server == NULL)
		return -ENOMEM;
	server->loop = loop;
	server->view = view;
	server->fd = -1;
	loop_timer_init(loop, &server->pause, on_pause_over, server);
	for (unsigned index = 0; index < OPERATOR_CLIENTS_MAX; index++) {
		server->clients[index].server = server;
		server->clients[index].fd = -1;
		loop_timer_init(
			loop, &server->clients[index].timer, on_timeout, &server->clients[index]);
	}
	error = listen_at(server, path, why, why_size);
	if (error == 0)
		error = loop_fd_add(loop, server->fd, POLLIN, on_accept, server, &server->watch);
	if (error != 0) {
		if (server->fd >= 0)
			close(server->fd);
		free(server);
		return error;
	}
	*out = server;
	return 0;
}

void operator_server_destroy(struct operator_server *server)
{
	if (server == NULL)
		return;
	for (unsigned index = 0; index < OPERATOR_CLIENTS_MAX; index++)
		if (server->clients[index].fd >= 0)
			drop(&server->clients[index]);
	loop_timer_stop(&server->pause);
	loop_fd_remove(server->watch);
	close(server->fd);
	unlink(server->address.sun_path);
	free(server);
}
