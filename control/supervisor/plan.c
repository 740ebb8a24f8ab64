// SPDX-License-Identifier: BSD-3-Clause
//
// See plan.h. Reads the machine (interfaces, addresses); changes nothing but the local authority's
// files.
#include "supervisor/plan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <limits.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "supervisor/caps.h"
#include "supervisor/steer.h"

static int add_address(struct node_plan *plan, int family, const void *bytes, unsigned prefix)
{
	struct plan_address *a = &plan->addresses[plan->address_count];

	if (plan->address_count == DP_ADDRESSES_MAX)
		return -ENOSPC;
	*a = (struct plan_address){.family = (uint8_t)family, .prefix = (uint8_t)prefix};
	if (family == AF_INET) {
		a->bytes[10] = a->bytes[11] = 0xff;
		memcpy(a->bytes + 12, bytes, 4);
	} else {
		memcpy(a->bytes, bytes, 16);
	}
	inet_ntop(family, bytes, a->text, sizeof(a->text));
	for (unsigned i = 0; i < plan->address_count; i++) {
		if (strcmp(plan->addresses[i].text, a->text) == 0)
			return 0;
	}
	plan->address_count++;
	return 0;
}

static unsigned mask_bits(const void *mask, unsigned size)
{
	const uint8_t *bytes = mask;
	unsigned bits = 0;

	for (unsigned i = 0; i < size; i++)
		bits += (unsigned)__builtin_popcount(bytes[i]);
	return bits;
}

// The kernel's own addresses of the interface; link-local ones are nobody's to call.
static int add_host_addresses(struct node_plan *plan)
{
	struct ifaddrs *list = NULL;
	int err = 0;

	if (getifaddrs(&list) != 0)
		return -errno;
	for (struct ifaddrs *i = list; i != NULL && err == 0; i = i->ifa_next) {
		if (i->ifa_addr == NULL || strcmp(i->ifa_name, plan->interface) != 0)
			continue;
		if (i->ifa_addr->sa_family == AF_INET) {
			const struct sockaddr_in *in = (const void *)i->ifa_addr;
			const struct sockaddr_in *mask = (const void *)i->ifa_netmask;
			err = add_address(
				plan, AF_INET, &in->sin_addr, mask_bits(&mask->sin_addr, 4));
		} else if (i->ifa_addr->sa_family == AF_INET6) {
			const struct sockaddr_in6 *in6 = (const void *)i->ifa_addr;
			const struct sockaddr_in6 *mask = (const void *)i->ifa_netmask;
			if (!IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr))
				err = add_address(plan, AF_INET6, &in6->sin6_addr,
					mask_bits(&mask->sin6_addr, 16));
		}
	}
	freeifaddrs(list);
	return err;
}

static int resolve_addresses(struct node_plan *plan, char *why, size_t why_size)
{
	const struct node_config *config = plan->config;
	int err = 0;

	for (uint32_t i = 0; i < config->network.prefix_count && err == 0; i++) {
		const struct config_prefix *p = &config->network.prefix[i];
		err = add_address(plan, p->family, p->address, p->bits);
	}
	if (err == 0 && config->network.addresses_host && plan->interface[0] != 0)
		err = add_host_addresses(plan);
	if (err == -ENOSPC)
		snprintf(why, why_size,
			"network.addresses: more than %d addresses; name the ones to use instead of"
			" \"host\"",
			DP_ADDRESSES_MAX);
	else if (err < 0)
		snprintf(why, why_size, "network.addresses: %s", strerror(-err));
	if (err == 0 && plan->address_count == 0 &&
		config->network.device_kind != CONFIG_DEVICE_NULL) {
		snprintf(why, why_size,
			"network.addresses: %s has no address; give it one (ip address add) or name"
			" one in network.addresses",
			plan->interface[0] != 0 ? plan->interface : config->network.device);
		err = -EADDRNOTAVAIL;
	}
	return err;
}

static void explain_missing(const char *name, char *why, size_t why_size)
{
	int used = snprintf(why, why_size, "network.device: no interface %s; found:", name);
	struct if_nameindex *list = if_nameindex();
	for (struct if_nameindex *i = list; i != NULL && i->if_index != 0; i++) {
		if (used < 0 || (size_t)used >= why_size)
			break;
		used += snprintf(why + used, why_size - (size_t)used, "%s %s", i == list ? "" : ",",
			i->if_name);
	}
	if (list != NULL)
		if_freenameindex(list);
}

static int find_interface(struct node_plan *plan, char *why, size_t why_size)
{
	const char *name = plan->config->network.device_arg;

	if (plan->device != CONFIG_DEVICE_AUTO && !device_is_shared(plan->device))
		return 0;
	plan->ifindex = if_nametoindex(name);
	if (plan->ifindex == 0) {
		explain_missing(name, why, why_size);
		return -ENODEV;
	}
	snprintf(plan->interface, sizeof(plan->interface), "%.*s", IF_NAMESIZE - 1, name);
	return 0;
}

int plan_check_interface(const struct node_plan *plan, char *why, size_t why_size)
{
	struct ifreq request = {0};
	int fd, err = 0;

	if (plan->interface[0] == 0)
		return 0;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return 0; // not known to be missing
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", plan->interface);
	if (ioctl(fd, SIOCGIFFLAGS, &request) != 0)
		err = errno == ENODEV ? -ENODEV : 0;
	else if ((request.ifr_flags & IFF_UP) == 0)
		err = -ENETDOWN;
	close(fd);
	if (err == -ENODEV)
		explain_missing(plan->interface, why, why_size);
	else if (err == -ENETDOWN)
		snprintf(why, why_size, "network.device: %s is down; ip link set %s up",
			plan->interface, plan->interface);
	return err;
}

// A core of its own for the dataplane's main thread if there is one; it sleeps nearly always.
static unsigned choose_main_core(const struct node_config *config)
{
	cpu_set_t allowed;
	unsigned first = config->workers.core[0];

	CPU_ZERO(&allowed);
	if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
		return first;
	for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		bool taken = !CPU_ISSET(cpu, &allowed);
		for (uint32_t i = 0; i < config->workers.count; i++)
			taken = taken || config->workers.core[i] == cpu;
		if (!taken)
			return cpu;
	}
	return first;
}

static int prepare_tls(struct node_plan *plan, char *why, size_t why_size)
{
	const struct node_config *config = plan->config;
	const char *names[TLS_FILES_NAMES_MAX];
	char host[PLAN_ENDPOINT_SIZE];
	unsigned count = 0;

	// The endpoint's host, without port and brackets, is what clients check.
	snprintf(host, sizeof(host), "%s", plan->endpoint + (plan->endpoint[0] == '['));
	char *end = plan->endpoint[0] == '[' ? strchr(host, ']') : strrchr(host, ':');
	if (end != NULL)
		*end = 0;
	names[count++] = host;
	for (unsigned i = 0; i < plan->address_count; i++)
		names[count++] = plan->addresses[i].text;
	for (uint32_t i = 0; i < config->network.announce.count; i++)
		names[count++] = config->network.announce.item[i];
	if (config->voice.tls_certificate[0] == 0 && mkdir(config->node.state_dir, 0755) != 0 &&
		errno != EEXIST) {
		snprintf(why, why_size,
			"node.state_dir: %s cannot be made: %s; make it, or name another",
			config->node.state_dir, strerror(errno));
		return -EACCES;
	}
	const struct tls_files_params params = {
		.certificate = config->voice.tls_certificate,
		.key = config->voice.tls_key,
		.state_dir = config->node.state_dir,
		.names = names,
		.name_count = count,
		.now_s = (int64_t)time(NULL),
	};
	return tls_files_prepare(&params, &plan->tls, why, why_size);
}

int plan_make(const struct node_config *config, const char *config_path, struct node_plan *plan,
	char *why, size_t why_size)
{
	*plan = (struct node_plan){
		.config = config,
		.device = config->network.device_kind,
		.port_first = config->workers.port[0],
		.port_last = config->workers.port[config->workers.count - 1],
		.main_core = choose_main_core(config),
	};
	char absolute[PATH_MAX];
	if (realpath(config_path, absolute) == NULL)
		return -errno;
	snprintf(plan->config_path, sizeof(plan->config_path), "%s", absolute);
	snprintf(plan->instance, sizeof(plan->instance), "%s", config->node.instance);
	snprintf(plan->device_name, sizeof(plan->device_name), "%s", config->network.device_arg);

	int err = find_interface(plan, why, why_size);
	if (err == 0)
		err = resolve_addresses(plan, why, why_size);
	if (err < 0)
		return err;
	err = node_config_endpoint(config, plan->address_count != 0 ? plan->addresses[0].text : "",
		plan->endpoint, sizeof(plan->endpoint));
	if (err < 0) {
		snprintf(why, why_size,
			"voice.endpoint: nothing to tell clients; set it to \"HOST:PORT\"");
		return err;
	}
	return prepare_tls(plan, why, why_size);
}

static void read_interface(const char *interface, struct ladder_facts *facts)
{
	struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
	struct ifreq request = {.ifr_data = (void *)&info};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
	if (ioctl(fd, SIOCETHTOOL, &request) == 0) {
		snprintf(facts->driver, sizeof(facts->driver), "%s", info.driver);
		if (strchr(info.bus_info, ':') != NULL && strlen(info.bus_info) < 16)
			memcpy(facts->pci_address, info.bus_info, strlen(info.bus_info) + 1);
	}
	request.ifr_data = (void *)&channels;
	if (ioctl(fd, SIOCETHTOOL, &request) == 0 &&
		channels.combined_count + channels.rx_count > 0) {
		facts->queues = channels.combined_count + channels.rx_count;
		facts->combined = channels.combined_count;
	}
	if (ioctl(fd, SIOCGIFMTU, &request) == 0)
		facts->mtu = (uint32_t)request.ifr_mtu;
	close(fd);
}

int plan_facts(const struct node_plan *plan, struct ladder_facts *facts)
{
	struct utsname name;
	unsigned long major = 0, minor = 0;
	char *end = NULL;

	*facts = (struct ladder_facts){
		.cap_sys_admin = caps_have(CAP_SYS_ADMIN),
		.cap_ipc_lock = caps_memlock_is_free(),
		.queues = 1, // of drivers that do not tell
		.combined = 1,
		.workers = plan->config->workers.count,
		.foreign_xdp = steer_probe(plan->ifindex) == STEER_FOUND_FOREIGN,
	};
	if (uname(&name) != 0)
		return -errno;
	major = strtoul(name.release, &end, 10);
	if (*end == '.')
		minor = strtoul(end + 1, NULL, 10);
	facts->kernel = LADDER_KERNEL(major, minor);
	read_interface(plan->interface, facts);
	return 0;
}
