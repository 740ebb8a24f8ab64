// SPDX-License-Identifier: BSD-3-Clause
//
// See machine_check.h.

#include "cli/machine_check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "api/dp_limits.h"
#include "cli/cli.h"
#include "tls/tls_files.h"

// What everybody on the machine can read is no secret. Of a file that is not there others tell.
static void check_secrecy(
	const char *path, const char *key, const char *file, struct config_problems *problems)
{
	struct stat status;

	if (stat(file, &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & S_IROTH) != 0)
		config_problem_add(problems, true, path, key,
			"found \"%s\", which every user of this machine can read; chmod 600 %s",
			file, file);
}

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

	snprintf(certificate_key, sizeof(certificate_key), "%s.certificate", group);
	snprintf(key_key, sizeof(key_key), "%s.key", group);
	bool readable =
		certificate[0] != '\0' && check_file(path, certificate_key, certificate, problems);
	readable = key[0] != '\0' && check_file(path, key_key, key, problems) && readable;
	check_secrecy(path, key_key, key, problems);
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

	if (name[0] == '\0' || (config->network.device_kind != CONFIG_DEVICE_AUTO &&
				       config->network.device_kind != CONFIG_DEVICE_AFXDP &&
				       config->network.device_kind != CONFIG_DEVICE_AFPACKET))
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

	if (config->network.device_kind != CONFIG_DEVICE_PCI || address[0] == '\0')
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

// A virtual interface has no NIC behind it that DPDK could take over, and only such a port takes
// rules.
static void check_rules(
	const char *path, const struct node_config *config, struct config_problems *problems)
{
	const char *name = config->network.device_arg;
	char device[CONFIG_TEXT_SIZE + 64];

	snprintf(device, sizeof(device), "/sys/class/net/%s", name);
	if (config->network.device_kind != CONFIG_DEVICE_AUTO || name[0] == '\0' ||
		config->network.steering != CONFIG_STEERING_FLOW || access(device, F_OK) != 0)
		return;
	snprintf(device, sizeof(device), "/sys/class/net/%s/device", name);
	if (access(device, F_OK) != 0)
		config_problem_add(problems, true, path, "network.steering",
			"found \"flow\", but interface %s is no NIC that takes rules; \"auto\" "
			"takes "
			"the best that there is",
			name);
}

// What stands behind 'name' at the beginning of a line; "": the first line itself.
static unsigned long long number_in(const char *file, const char *name)
{
	FILE *in = fopen(file, "re");
	unsigned long long number = 0;
	char line[128];

	while (in != NULL && fgets(line, sizeof(line), in) != NULL)
		if (strncmp(line, name, strlen(name)) == 0) {
			number = strtoull(line + strlen(name), NULL, 10);
			break;
		}
	if (in != NULL)
		fclose(in);
	return number;
}

static unsigned long long free_huge_mb(void)
{
	static const char root[] = "/sys/kernel/mm/hugepages";
	unsigned long long kb = 0, page_kb;
	DIR *folder = opendir(root);
	char file[sizeof(root) + 300];

	if (folder == NULL)
		return 0;
	for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
		if (sscanf(entry->d_name, "hugepages-%llukB", &page_kb) != 1)
			continue;
		snprintf(file, sizeof(file), "%s/%s/free_hugepages", root, entry->d_name);
		kb += page_kb * number_in(file, "");
	}
	closedir(folder);
	return kb >> 10;
}

// The packet buffers, which are nearly all of it.
static void check_memory(
	const char *path, const struct node_config *config, struct config_problems *problems)
{
	unsigned long long need_mb =
		((unsigned long long)config->workers.count * config->memory.mbufs * DP_MBUF_SIZE) >>
		20;
	unsigned long long huge_mb = free_huge_mb();
	unsigned long long free_mb = number_in("/proc/meminfo", "MemAvailable:") >> 10;

	if (config->memory.hugepages == CONFIG_HUGEPAGES_REQUIRED && huge_mb < need_mb)
		config_problem_add(problems, true, path, "memory.hugepages",
			"found \"required\", but of this machine's huge pages %llu MiB are free "
			"and "
			"some %llu MiB are needed; sysctl -w vm.nr_hugepages=%llu",
			huge_mb, need_mb, need_mb / 2 + 32);
	else if (config->memory.hugepages != CONFIG_HUGEPAGES_REQUIRED && huge_mb < need_mb &&
		 free_mb != 0 && free_mb < need_mb)
		config_problem_add(problems, true, path, "memory.mbufs",
			"found %u for each of %u workers, %llu MiB, but this machine has %llu MiB "
			"free; lower it",
			config->memory.mbufs, config->workers.count, need_mb, free_mb);
}

static void check_cores(
	const char *path, const struct node_config *config, struct config_problems *problems)
{
	char shared[256];

	if (node_config_shared_cores(config, shared, sizeof(shared)) > 0)
		config_problem_add(problems, true, path, "workers.cores",
			"found \"%s\" for %u workers, which share %s: no more is forwarded than by "
			"one worker there; a port of network.media_ports for each core is best",
			config->workers.cores, config->workers.count, shared);
}

// `run` makes the folder of the default and no other.
static void check_socket_folder(const char *path, const char *key, const char *socket_path,
	struct config_problems *problems)
{
	char folder[CONFIG_TEXT_SIZE];
	struct stat status;
	char *slash;

	snprintf(folder, sizeof(folder), "%s", socket_path);
	slash = strrchr(folder, '/');
	if (slash == NULL || slash == folder)
		return;
	*slash = '\0';
	if (strcmp(folder, CLI_RUNTIME_DIR) == 0)
		return;
	if (stat(folder, &status) != 0)
		config_problem_add(problems, false, path, key,
			"found \"%s\", but its folder cannot be used: %s; mkdir -p %s", socket_path,
			strerror(errno), folder);
	else if (!S_ISDIR(status.st_mode))
		config_problem_add(problems, false, path, key,
			"found \"%s\", but %s is no folder; name another", socket_path, folder);
}

static void check_gateway_files(
	const char *path, const struct node_config *config, struct config_problems *problems)
{
	const char *ca_file = config->gateway.ca_file, *secret_file = config->gateway.secret_file;
	char secret[CONFIG_SECRET_SIZE], why[512];

	if (secret_file[0] != '\0' &&
		config_secret_read(secret_file, secret, why, sizeof(why)) != 0)
		config_problem_add(problems, false, path, "gateway.secret_file", "%s", why);
	explicit_bzero(secret, sizeof(secret));
	check_secrecy(path, "gateway.secret_file", secret_file, problems);
	if (ca_file[0] == '\0')
		return;
	if (strncmp(config->gateway.url, "ws://", 5) == 0)
		config_problem_add(problems, true, path, "gateway.ca_file",
			"found \"%s\", which is not looked at: gateway.url \"%s\" has no TLS; "
			"wss:// has",
			ca_file, config->gateway.url);
	else
		(void)check_file(path, "gateway.ca_file", ca_file, problems);
}

void machine_check_node(
	const char *path, const struct node_config *config, struct config_problems *problems)
{
	check_gateway_files(path, config, problems);
	check_certificate(
		path, "voice.tls", config->voice.tls_certificate, config->voice.tls_key, problems);
	check_interface(path, config, problems);
	check_pci(path, config, problems);
	check_rules(path, config, problems);
	check_cores(path, config, problems);
	check_memory(path, config, problems);
	check_socket_folder(path, "control.socket", config->control_socket, problems);
}

void machine_check_gateway(
	const char *path, const struct gateway_config *config, struct config_problems *problems)
{
	check_certificate(path, "gateway.tls", config->tls_certificate, config->tls_key, problems);
	check_secrecy(path, "gateway.node_secrets_file", config->node_secrets_file, problems);
	check_socket_folder(path, "gateway.socket", config->socket, problems);
}
