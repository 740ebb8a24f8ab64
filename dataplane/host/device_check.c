// SPDX-License-Identifier: BSD-3-Clause
//
// See device_check.h. What each driver needs was measured, not read: af_packet sets the MAC again
// at start, which is why CAP_NET_RAW alone is too little.

#include "host/device_check.h"

#include <dirent.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <rte_config.h>

#define CAPS_PER_DEVICE_MAX 4

static const struct {
	int capability;
	const char *name;
} capability_names[] = {
	{CAP_NET_RAW, "CAP_NET_RAW"},
	{CAP_NET_ADMIN, "CAP_NET_ADMIN"},
	{CAP_SYS_ADMIN, "CAP_SYS_ADMIN"},
	{CAP_IPC_LOCK, "CAP_IPC_LOCK"},
};

static const struct {
	unsigned count;
	int needed[CAPS_PER_DEVICE_MAX];
} device_capabilities[DEVICE_KIND_COUNT] = {
	[DEVICE_AFPACKET] = {2, {CAP_NET_RAW, CAP_NET_ADMIN}},
	[DEVICE_AFXDP] = {4, {CAP_NET_RAW, CAP_NET_ADMIN, CAP_SYS_ADMIN, CAP_IPC_LOCK}},
	[DEVICE_TAP] = {1, {CAP_NET_ADMIN}},
};

static const char *capability_name(int capability)
{
	for (size_t i = 0; i < sizeof(capability_names) / sizeof(capability_names[0]); i++) {
		if (capability_names[i].capability == capability)
			return capability_names[i].name;
	}
	return "?";
}

static int check_capabilities(enum device_kind kind, char *why, size_t why_size)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data) != 0)
		memset(data, 0, sizeof(data)); // then it fails with a name
	for (unsigned i = 0; i < device_capabilities[kind].count; i++) {
		int capability = device_capabilities[kind].needed[i];

		if ((data[capability / 32].effective >> (capability % 32) & 1) != 0)
			continue;
		snprintf(why, why_size,
			"device %s needs %s, which this process does not have: run as root, or"
			" give it to the service (systemd: AmbientCapabilities=%s)",
			device_kind_text(kind), capability_name(capability),
			capability_name(capability));
		return -EPERM;
	}
	return 0;
}

// DPDK loads every driver of its folder at start, and says nothing of one that is not there.
static int check_driver(enum device_kind kind, char *why, size_t why_size)
{
	char library[64];
	bool found = false;

	if (kind == DEVICE_PCI)
		return 0;
	snprintf(library, sizeof(library), "librte_%s.so", device_driver(kind));
	DIR *folder = opendir(RTE_EAL_PMD_PATH);
	while (folder != NULL && !found) {
		const struct dirent *entry = readdir(folder);

		if (entry == NULL)
			break;
		found = strncmp(entry->d_name, library, strlen(library)) == 0;
	}
	if (folder != NULL)
		closedir(folder);
	if (found)
		return 0;
	snprintf(why, why_size, "DPDK's driver %s is not installed: apt install %s",
		device_driver(kind), device_package(kind));
	return -ENOENT;
}

static int check_interface(const struct device_spec *spec, char *why, size_t why_size)
{
	struct ifreq request;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int result = 0;

	if (fd < 0) {
		snprintf(why, why_size, "no socket to ask about %s: %s", spec->name,
			strerror(errno));
		return -errno;
	}
	memset(&request, 0, sizeof(request));
	memcpy(request.ifr_name, spec->name, strnlen(spec->name, IFNAMSIZ - 1));
	if (ioctl(fd, SIOCGIFFLAGS, &request) != 0) {
		snprintf(why, why_size,
			"there is no interface \"%s\" in this network namespace: ip link shows what"
			" there is",
			spec->name);
		result = -ENODEV;
	} else if ((request.ifr_flags & IFF_UP) == 0) {
		snprintf(why, why_size, "interface %s is down: ip link set %s up", spec->name,
			spec->name);
		result = -ENETDOWN;
	} else if (spec->kind == DEVICE_AFXDP && ioctl(fd, SIOCGIFMTU, &request) == 0 &&
		   request.ifr_mtu > DEVICE_AFXDP_MTU_MAX) {
		snprintf(why, why_size,
			"interface %s has MTU %d, AF_XDP takes at most %d: ip link set %s mtu 1500,"
			" or device = \"afpacket:%s\"",
			spec->name, request.ifr_mtu, DEVICE_AFXDP_MTU_MAX, spec->name, spec->name);
		result = -EMSGSIZE;
	}
	close(fd);
	return result;
}

static int check_tap(const struct device_spec *spec, char *why, size_t why_size)
{
	char path[DEVICE_NAME_SIZE + 40];

	if (access("/dev/net/tun", R_OK | W_OK) != 0) {
		snprintf(why, why_size,
			"/dev/net/tun cannot be opened: %s (modprobe tun; in a container, pass"
			" --device /dev/net/tun)",
			strerror(errno));
		return -ENODEV;
	}
	snprintf(path, sizeof(path), "/sys/class/net/%s", spec->name);
	if (access(path, F_OK) != 0)
		return 0;
	snprintf(path, sizeof(path), "/sys/class/net/%s/tun_flags", spec->name);
	if (access(path, F_OK) == 0)
		return 0;
	snprintf(why, why_size,
		"interface %s exists and is no tap: choose another name for device tap:NAME",
		spec->name);
	return -EEXIST;
}

int device_check(const struct device_spec *spec, char *why, size_t why_size)
{
	int result = check_driver(spec->kind, why, why_size);

	if (result != 0)
		return result;
	if (device_shares_kernel(spec->kind))
		result = check_interface(spec, why, why_size);
	if (spec->kind == DEVICE_TAP)
		result = check_tap(spec, why, why_size);
	return result != 0 ? result : check_capabilities(spec->kind, why, why_size);
}

struct device_queues device_queues(const char *interface)
{
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
	struct ifreq request;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct device_queues queues = {.receiving = 1, .served = 1};

	if (fd < 0)
		return queues;
	memset(&request, 0, sizeof(request));
	memcpy(request.ifr_name, interface, strnlen(interface, IFNAMSIZ - 1));
	request.ifr_data = (char *)&channels;
	if (ioctl(fd, SIOCETHTOOL, &request) == 0) {
		if (channels.combined_count + channels.rx_count > 0)
			queues.receiving = channels.combined_count + channels.rx_count;
		if (channels.combined_count > 0)
			queues.served = channels.combined_count;
	}
	close(fd);
	return queues;
}
