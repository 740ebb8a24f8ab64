// SPDX-License-Identifier: BSD-3-Clause
//
// The listening sockets of http_listen.h.
#include "http/http_listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LISTEN_BACKLOG 1024

static const char *cure(int error)
{
	switch (error) {
	case EADDRINUSE:
		return "another program listens there: stop it or choose another";
	case EADDRNOTAVAIL:
		return "this machine does not have that address";
	case EACCES:
	case EPERM:
		return "permission denied: ports below 1024 need CAP_NET_BIND_SERVICE";
	case ENOENT:
		return "its directory does not exist: make it, or name another";
	default:
		return strerror(error);
	}
}

static int refuse(int fd, int error, const char *where, char *why, size_t why_size)
{
	if (fd >= 0)
		close(fd);
	snprintf(why, why_size, "Cannot listen on %s: %s.", where, cure(error));
	switch (error) {
	case EADDRINUSE:
	case EADDRNOTAVAIL:
	case EACCES:
		return -error;
	case EPERM:
		return -EACCES;
	default:
		return -EINVAL;
	}
}

// A socket file that nobody listens on is left from a program that was killed.
static bool unix_is_stale(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool stale;

	if (fd < 0)
		return false;
	stale = connect(fd, (const void *)address, sizeof(*address)) < 0 && errno == ECONNREFUSED;
	close(fd);
	return stale;
}

static int listen_unix(const char *path, int *out, char *why, size_t why_size)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(address.sun_path)) {
		snprintf(why, why_size, "The socket path %s is longer than %zu bytes.", path,
			sizeof(address.sun_path) - 1);
		return -EINVAL;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return refuse(fd, errno, path, why, why_size);
	if (bind(fd, (void *)&address, sizeof(address)) < 0) {
		if (errno != EADDRINUSE || !unix_is_stale(&address))
			return refuse(fd, errno, path, why, why_size);
		unlink(path);
		if (bind(fd, (void *)&address, sizeof(address)) < 0)
			return refuse(fd, errno, path, why, why_size);
	}
	if (chmod(path, 0660) < 0 || listen(fd, LISTEN_BACKLOG) < 0)
		return refuse(fd, errno, path, why, why_size);
	*out = fd;
	return 0;
}

static int listen_address(const struct addrinfo *info, int *out)
{
	int on = 1, off = 0;
	int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (info->ai_family == AF_INET6) // "::" takes IPv4 too
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, LISTEN_BACKLOG) == 0) {
		*out = fd;
		return 0;
	}
	error = errno;
	close(fd);
	return -error;
}

uint16_t http_listen_port(int fd)
{
	struct sockaddr_storage address = {0};
	socklen_t size = sizeof(address);

	if (getsockname(fd, (void *)&address, &size) < 0)
		return 0;
	if (address.ss_family != AF_INET && address.ss_family != AF_INET6)
		return 0;
	return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
						   : ((struct sockaddr_in *)&address)->sin_port);
}

int http_listen(const char *host, uint16_t port, const char *unix_path, int *fd,
	uint16_t *bound_port, char *why, size_t why_size)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
	struct addrinfo *list = NULL;
	char service[8], where[128];
	int error;

	if (unix_path != NULL)
		return listen_unix(unix_path, fd, why, why_size);
	snprintf(service, sizeof(service), "%u", port);
	snprintf(where, sizeof(where), "%s port %u", host == NULL ? "every address" : host, port);
	// Without a host: one IPv6 socket that takes IPv4 too, or IPv4 alone where there is no
	// IPv6.
	if (getaddrinfo(host == NULL ? "::" : host, service, &hints, &list) != 0) {
		snprintf(why, why_size, "Cannot listen on %s: not an address of this machine.",
			where);
		return -EADDRNOTAVAIL;
	}
	error = listen_address(list, fd);
	freeaddrinfo(list);
	if (error == -EAFNOSUPPORT && host == NULL) {
		if (getaddrinfo("0.0.0.0", service, &hints, &list) != 0)
			return refuse(-1, EADDRNOTAVAIL, where, why, why_size);
		error = listen_address(list, fd);
		freeaddrinfo(list);
	}
	if (error != 0)
		return refuse(-1, -error, where, why, why_size);
	*bound_port = http_listen_port(*fd);
	return 0;
}
