// SPDX-License-Identifier: BSD-3-Clause
//
// See machine_check.h.

#include "cli/machine_check.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tls/tls_files.h"

// 0, or -errno.
static int open_once(const char *file)
{
	struct stat status;
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int error = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) != 0)
		error = -errno;
	else if (S_ISDIR(status.st_mode))
		error = -EISDIR;
	close(fd);
	return error;
}

static bool check_file(
	const char *path, const char *key, const char *file, struct config_problems *problems)
{
	int error = open_once(file);

	if (error != 0)
		config_problem_add(problems, false, path, key,
			"found \"%s\", which cannot be read: %s; %s", file, strerror(-error),
			error == -ENOENT ? "put the file there, or name another"
					 : "let this user read it, or name another");
	return error == 0;
}

// The operator's certificate, where one is named. A local authority is made by `run` only.
static void check_certificate(const char *path, const char *group, const char *certificate,
	const char *key, struct config_problems *problems)
{
	const struct tls_files_params params = {
		.certificate = certificate,
		.key = key,
		.now_s = (int64_t)time(NULL),
	};
	char certificate_key[64], key_key[64], why[512];
	struct tls_files files;

	if (certificate[0] == '\0')
		return;
	snprintf(certificate_key, sizeof(certificate_key), "%s.certificate", group);
	snprintf(key_key, sizeof(key_key), "%s.key", group);
	bool readable = check_file(path, certificate_key, certificate, problems);
	readable = check_file(path, key_key, key, problems) && readable;
	if (readable && tls_files_prepare(&params, &files, why, sizeof(why)) != 0)
		config_problem_add(problems, false, path,
			strstr(why, key) != NULL && strstr(why, certificate) == NULL
				? key_key
				: certificate_key,
			"%s", why);
}

// "lo, eth0".
static void list_interfaces(char *out, size_t out_size)
{
	struct if_nameindex *list = if_nameindex();
	size_t used = 0;

	out[0] = '\0';
	for (struct if_nameindex *i = list; i != NULL && i->if_index != 0 && used < out_size; i++)
		used += (size_t)snprintf(
			out + used, out_size - used, "%s%s", i == list ? "" : ", ", i->if_name);
	if (list != NULL)
		if_freenameindex(list);
}

// Flags of the interface and whether it has an address that clients can be told.
static bool look_at(const char *interface, unsigned *flags, bool *has_address)
{
	struct ifaddrs *list = NULL;
	bool found = false;

	*has_address = false;
	if (getifaddrs(&list) != 0)
		return false;
	for (const struct ifaddrs *i = list; i != NULL; i = i->ifa_next) {
		if (strcmp(i->ifa_name, interface) != 0)
			continue;
		found = true;
		*flags = i->ifa_flags;
		if (i->ifa_addr == NULL)
			continue;
		const struct sockaddr_in6 *in6 = (const void *)i->ifa_addr;
		*has_address = *has_address || i->ifa_addr->sa_family == AF_INET ||
			       (i->ifa_addr->sa_family == AF_INET6 &&
				       !IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr));
	}
	freeifaddrs(list);
	return found;
}

static void check_interface(
	const char *path, const struct node_config *config, struct config_problems *problems)
{
	const char *name = config->network.device_arg;
	unsigned flags = 0;
	bool has_address = false;
	char found[512];

	if (config->network.device_kind != CONFIG_DEVICE_AUTO &&
		config->network.device_kind != CONFIG_DEVICE_AFXDP &&
		config->network.device_kind != CONFIG_DEVICE_AFPACKET)
		return;
	if (!look_at(name, &flags, &has_address)) {
		list_interfaces(found, sizeof(found));
		config_problem_add(problems, true, path, "network.device",
			"found \"%s\", but this machine has no interface %s (it has: %s); name one "
			"of the machine that the node will run on",
			config->network.device, name, found);
		return;
	}
	if ((flags & IFF_UP) == 0)
		config_problem_add(problems, true, path, "network.device",
			"found \"%s\", but interface %s is down; ip link set %s up",
			config->network.device, name, name);
	if (config->network.addresses_host && config->network.prefix_count == 0 && !has_address)
		config_problem_add(problems, true, path, "network.addresses",
			"found \"host\", but interface %s has no address; give it one (ip address "
			"add ADDRESS/PREFIX dev %s), or name the addresses here",
			name, name);
}

static void check_pci(
	const char *path, const struct node_config *config, struct config_problems *problems)
{
	const char *address = config->network.device_arg;
	char device[CONFIG_TEXT_SIZE + 64];

	if (config->network.device_kind != CONFIG_DEVICE_PCI)
		return;
	snprintf(device, sizeof(device), "/sys/bus/pci/devices/%s%s",
		strlen(address) == strlen("3b:00.0") ? "0000:" : "", address);
	if (access(device, F_OK) != 0)
		config_problem_add(problems, true, path, "network.device",
			"found \"%s\", but this machine has no such PCI device; lspci -D shows "
			"what "
			"it has",
			config->network.device);
}

void machine_check_node(
	const char *path, const struct node_config *config, struct config_problems *problems)
{
	char secret[CONFIG_SECRET_SIZE], why[512];

	if (config_secret_read(config->gateway.secret_file, secret, why, sizeof(why)) != 0)
		config_problem_add(problems, false, path, "gateway.secret_file", "%s", why);
	explicit_bzero(secret, sizeof(secret));
	if (config->gateway.ca_file[0] != '\0')
		(void)check_file(path, "gateway.ca_file", config->gateway.ca_file, problems);
	check_certificate(
		path, "voice.tls", config->voice.tls_certificate, config->voice.tls_key, problems);
	check_interface(path, config, problems);
	check_pci(path, config, problems);
}

void machine_check_gateway(
	const char *path, const struct gateway_config *config, struct config_problems *problems)
{
	check_certificate(path, "gateway.tls", config->tls_certificate, config->tls_key, problems);
}
