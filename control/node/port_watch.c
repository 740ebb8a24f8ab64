// SPDX-License-Identifier: BSD-3-Clause
//
// See port_watch.h.

#include "node/port_watch.h"

#include <errno.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log/log.h"

enum node_link port_watch_look(const char *name)
{
	struct ifreq request = {0};
	enum node_link link = NODE_LINK_UNKNOWN;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(name) >= sizeof(request.ifr_name))
		goto out;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (ioctl(fd, SIOCGIFFLAGS, &request) != 0)
		link = errno == ENODEV ? NODE_LINK_GONE : NODE_LINK_UNKNOWN;
	else if ((request.ifr_flags & IFF_UP) == 0)
		link = NODE_LINK_DOWN;
	else
		link = (request.ifr_flags & IFF_RUNNING) != 0 ? NODE_LINK_UP : NODE_LINK_NO_CARRIER;
out:
	if (fd >= 0)
		close(fd);
	return link;
}

static bool is_of_the_kernel(const struct dp_device *device)
{
	return strcmp(device->driver, "net_af_packet") == 0 ||
	       strcmp(device->driver, "net_af_xdp") == 0 || strcmp(device->driver, "net_tap") == 0;
}

static void say(const char *name, enum node_link link)
{
	switch (link) {
	case NODE_LINK_UP:
		log_notice("the interface has its link again interface=%s", name);
		break;
	case NODE_LINK_DOWN:
		log_warn_each("the interface is down: no packet comes or goes; cure: ip link set "
			      "IFACE up interface=%s",
			name);
		break;
	case NODE_LINK_NO_CARRIER:
		log_warn_each("the interface has no carrier: no packet comes or goes; cure: its "
			      "cable, or the peer that is down interface=%s",
			name);
		break;
	case NODE_LINK_GONE:
		log_warn_each("the interface is gone: no packet comes or goes; cure: make it again "
			      "under its name interface=%s",
			name);
		break;
	case NODE_LINK_UNKNOWN:
		break;
	}
}

enum node_link port_watch_turn(
	struct port_watch *watch, const struct dp_device *device, uint64_t now_ms)
{
	enum node_link link;

	if (now_ms < watch->next_ms)
		return watch->link;
	watch->next_ms = now_ms + PORT_WATCH_MS;
	link = is_of_the_kernel(device) ? port_watch_look(device->name) : NODE_LINK_UNKNOWN;
	// That it is up at first is as it should be.
	if (link != watch->link && (watch->link != NODE_LINK_UNKNOWN || link != NODE_LINK_UP))
		say(device->name, link);
	watch->link = link;
	return link;
}
