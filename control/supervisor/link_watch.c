// SPDX-License-Identifier: BSD-3-Clause
//
// See link_watch.h.
#include "supervisor/link_watch.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

int link_watch_open(void)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	int err = errno;
	close(fd);
	return -err;
}

void link_watch_drain(int fd)
{
	char cut[64];

	// ENOBUFS says that messages were lost, which are not read anyway.
	while (recv(fd, cut, sizeof(cut), MSG_TRUNC) >= 0 || errno == ENOBUFS || errno == EINTR)
		;
}
