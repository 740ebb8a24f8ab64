// SPDX-License-Identifier: BSD-3-Clause
//
// See runtime.h. The rules are those of eal_create_runtime_dir().
#include "supervisor/runtime.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
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
