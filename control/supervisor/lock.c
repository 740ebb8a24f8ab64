// SPDX-License-Identifier: BSD-3-Clause
//
// See lock.h.
#include "supervisor/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

const char *lock_directory(void)
{
	const char *directory = getenv("VOICENODE_RUNTIME_DIR");

	if (directory == NULL || directory[0] == 0)
		directory = "/run/voicenode";
	(void)mkdir(directory, 0755); // its absence is reported by who opens a file there
	return directory;
}

static int path_of(const char *name, char path[PLAN_PATH_SIZE])
{
	int size = snprintf(path, PLAN_PATH_SIZE, "%s/%s.lock", lock_directory(), name);

	return size < 0 || size >= PLAN_PATH_SIZE ? -ENAMETOOLONG : 0;
}

// A holder removes its file: what was locked here may have lost its name meanwhile.
static bool is_still(const char *path, int fd)
{
	struct stat named, opened;

	return stat(path, &named) == 0 && fstat(fd, &opened) == 0 &&
	       named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

int lock_take(const char *name, int *holder)
{
	char path[PLAN_PATH_SIZE], text[16] = "";
	int fd = -1, err = path_of(name, path);

	*holder = 0;
	while (err == 0 && fd < 0) {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
		if (fd < 0)
			return -errno;
		if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
			err = -errno;
			if (read(fd, text, sizeof(text) - 1) > 0)
				*holder = (int)strtol(text, NULL, 10);
		}
		if (err == 0 && is_still(path, fd))
			break;
		close(fd);
		fd = -1;
	}
	if (err < 0)
		return err;
	int size = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	// The pid is for people only.
	if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)size, 0) != size)
		(void)fsync(fd);
	return fd;
}

void lock_release(const char *name, int *fd)
{
	char path[PLAN_PATH_SIZE];

	if (*fd < 0)
		return;
	// While it is held: nobody else has this file.
	if (path_of(name, path) == 0 && is_still(path, *fd))
		(void)unlink(path);
	close(*fd);
	*fd = -1;
}

static int reserve(const struct plan_address *address, uint16_t port)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
	bool v4 = address->family == AF_INET;
	int small = 0, one = 1, result = 0;

	memcpy(&in6.sin6_addr, address->bytes, 16);
	memcpy(&in.sin_addr, address->bytes + 12, 4);
	int fd = socket(address->family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	// Never read: whatever gets here is to be dropped soon, not kept.
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	if (!v4) {
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
		// A new address is not to be had before the kernel found no other owner.
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &one, sizeof(one));
	}
	if (v4)
		result = bind(fd, (struct sockaddr *)&in, sizeof(in));
	else
		result = bind(fd, (struct sockaddr *)&in6, sizeof(in6));
	if (result != 0) {
		result = -errno;
		close(fd);
		return result;
	}
	return fd;
}

static void explain(
	int error, const struct plan_address *address, unsigned port, char *why, size_t why_size)
{
	switch (error) {
	case -EADDRINUSE:
		snprintf(why, why_size,
			"udp port %u of %s is taken by another program (is a second voicenode"
			" running?); stop it or change network.media_ports",
			port, address->text);
		break;
	case -EADDRNOTAVAIL:
		snprintf(why, why_size,
			"network.addresses: %s is not an address of this machine; add it (ip "
			"address"
			" add) or name another",
			address->text);
		break;
	default:
		snprintf(why, why_size, "udp port %u of %s cannot be reserved: %s", port,
			address->text, strerror(-error));
		break;
	}
}

int ports_reserve(
	const struct node_plan *plan, int *fds, unsigned fds_max, char *why, size_t why_size)
{
	unsigned count = 0;

	for (unsigned i = 0; i < plan->address_count; i++) {
		for (unsigned port = plan->port_first; port <= plan->port_last; port++) {
			int fd = count < fds_max ? reserve(&plan->addresses[i], (uint16_t)port)
						 : -ENFILE;
			if (fd >= 0) {
				fds[count++] = fd;
				continue;
			}
			explain(fd, &plan->addresses[i], port, why, why_size);
			while (count > 0)
				close(fds[--count]);
			return fd;
		}
	}
	return (int)count;
}
