// SPDX-License-Identifier: BSD-3-Clause
//
// See runtime.h. The rules are those of eal_create_runtime_dir().
#include "supervisor/runtime.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

void runtime_directory(char *path, size_t path_size)
{
	const char *root = getenv("RUNTIME_DIRECTORY");

	if (root == NULL && getuid() == 0)
		root = "/var/run";
	if (root == NULL)
		root = getenv("XDG_RUNTIME_DIR");
	snprintf(path, path_size, "%s/dpdk", root != NULL ? root : "/tmp");
}

void runtime_clear_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat file;

	if (strlen(path) >= sizeof(address.sun_path) || lstat(path, &file) != 0 ||
		!S_ISSOCK(file.st_mode))
		return;
	memcpy(address.sun_path, path, strlen(path) + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 &&
		errno == ECONNREFUSED)
		(void)unlink(path);
	close(fd);
}

void runtime_clear(const char *instance)
{
	char directory[PATH_MAX], path[PATH_MAX + 128];

	runtime_directory(directory, sizeof(directory));
	for (unsigned i = 0; i < 2; i++) {
		int size = snprintf(
			path, sizeof(path), "%s/" RUNTIME_PREFIX_FORMAT, directory, instance, i);

		// rmdir() takes nothing but an empty directory: no link, no file, nothing in use.
		if (size > 0 && (size_t)size < sizeof(path))
			(void)rmdir(path);
	}
}
