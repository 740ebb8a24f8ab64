// SPDX-License-Identifier: BSD-3-Clause
//
// See demo_net.h. Links are made by ip(8); offloads by ioctl, because a checksum that the sender's
// "hardware" was to fill in never gets filled in on the way into a packet socket.
#include "supervisor/demo_net.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEMO_PREFIX "vn-demo-"
#define DEMO_NET_BASE 0xc6120000u // 198.18.0.0/15 is for benchmarks (RFC 2544)
#define DEMO_SUBNETS 256
#define IP_WORDS_MAX 16
#define IP_WORD_SIZE 64

extern char **environ;

// Runs `ip` with the words of 'command' (no quoting: none has a space). 0, or -errno; what it said
// went to stderr unless 'quiet'.
static int run_ip(bool quiet, const char *command)
{
	char words[IP_WORDS_MAX][IP_WORD_SIZE];
	char *argv[IP_WORDS_MAX + 2] = {"ip"};
	unsigned count = 0;
	pid_t pid = 0;
	int status = 0;
	posix_spawn_file_actions_t actions;

	for (const char *at = command; *at != 0;) {
		size_t size = strcspn(at, " ");
		if (count == IP_WORDS_MAX || size >= IP_WORD_SIZE)
			return -E2BIG;
		memcpy(words[count], at, size);
		words[count][size] = 0;
		argv[1 + count] = words[count];
		count++;
		at += size + (at[size] == ' ');
	}
	argv[1 + count] = NULL;
	posix_spawn_file_actions_init(&actions);
	if (quiet) {
		posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
		posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	}
	int err = posix_spawnp(&pid, "ip", &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (err != 0)
		return -err;
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

// A switch of ethtool's; what an interface cannot do anyway is as good as off.
static void switch_off(int fd, const char *interface, uint32_t command)
{
	struct ethtool_value value = {.cmd = command, .data = 0};
	struct ifreq request = {.ifr_data = (void *)&value};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
	(void)ioctl(fd, SIOCETHTOOL, &request);
}

static int open_ns(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

// ns_fd < 0: this namespace.
static int offloads_off(int ns_fd, const char *interface)
{
	static const uint32_t commands[] = {
		ETHTOOL_STXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO};
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int err = 0;

	if (home < 0)
		return -errno;
	if (ns_fd >= 0 && setns(ns_fd, CLONE_NEWNET) != 0)
		err = -errno;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (ns_fd >= 0 && setns(home, CLONE_NEWNET) != 0)
		abort(); // nothing of ours may go on in the wrong network
	close(home);
	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]) && err == 0; i++)
		switch_off(fd, interface, commands[i]);
	close(fd);
	return err;
}

static bool subnet_is_free(int subnet)
{
	struct ifaddrs *list = NULL;
	bool taken = false;

	if (getifaddrs(&list) != 0)
		return true;
	for (struct ifaddrs *i = list; i != NULL; i = i->ifa_next) {
		if (i->ifa_addr == NULL || i->ifa_addr->sa_family != AF_INET)
			continue;
		const struct sockaddr_in *in = (const void *)i->ifa_addr;
		const struct sockaddr_in *mask = (const void *)i->ifa_netmask;
		uint32_t bits = mask != NULL ? ntohl(mask->sin_addr.s_addr) : UINT32_MAX;
		uint32_t ours = DEMO_NET_BASE | (uint32_t)subnet << 8;
		bits &= 0xffffff00u; // overlap in either direction
		taken = taken || (ntohl(in->sin_addr.s_addr) & bits) == (ours & bits);
	}
	freeifaddrs(list);
	return !taken;
}

static int choose_subnet(struct demo_net *net)
{
	// Different demos begin at different places, so that two at once do not race for one.
	for (int i = 0; i < DEMO_SUBNETS; i++) {
		int subnet = (getpid() + i) % DEMO_SUBNETS;
		if (!subnet_is_free(subnet))
			continue;
		net->subnet = subnet;
		snprintf(net->root_address, sizeof(net->root_address), "198.18.%d.1", subnet);
		snprintf(net->node_address, sizeof(net->node_address), "198.18.%d.2", subnet);
		snprintf(net->bots_address, sizeof(net->bots_address), "198.18.%d.3", subnet);
		return 0;
	}
	return -EADDRNOTAVAIL;
}

// Each line one `ip`. N node's namespace, B bots', S bridge's, R the interface in the root
// namespace; 1, 2, 3 the addresses of root, node and bots.
static const char *const net_commands[] = {
	"netns add N",
	"netns add B",
	"netns add S",
	"link add node0 netns N type veth peer name node netns S",
	"link add bots0 netns B type veth peer name bots netns S",
	"link add R type veth peer name root netns S",
	"-n S link add bridge0 type bridge",
	"-n S link set node master bridge0 up",
	"-n S link set bots master bridge0 up",
	"-n S link set root master bridge0 up",
	"-n S link set bridge0 up",
	"-n N link set lo up",
	"-n B link set lo up",
	"-n N address add 2/24 dev node0",
	"-n B address add 3/24 dev bots0",
	"address add 1/24 dev R",
	"-n N link set node0 up",
	"-n B link set bots0 up",
	"link set R up",
};

static const char *placeholder(const struct demo_net *net, const char *word, size_t size)
{
	if (size == 4 && word[1] == '/') // an address and its prefix
		size = 1;
	if (size != 1)
		return NULL;
	switch (word[0]) {
	case 'N':
		return net->node_ns;
	case 'B':
		return net->bots_ns;
	case 'S':
		return net->bridge_ns;
	case 'R':
		return net->name;
	case '1':
		return net->root_address;
	case '2':
		return net->node_address;
	case '3':
		return net->bots_address;
	default:
		return NULL;
	}
}

static void expand(const struct demo_net *net, const char *pattern, char *out, size_t out_size)
{
	size_t used = 0;

	for (const char *at = pattern; *at != 0;) {
		size_t size = strcspn(at, " ");
		const char *name = placeholder(net, at, size);
		const char *rest = name != NULL ? at + 1 : at;
		int n = snprintf(out + used, out_size - used, "%s%s%.*s", used == 0 ? "" : " ",
			name != NULL ? name : "", (int)(at + size - rest), rest);
		if (n < 0 || (size_t)n >= out_size - used)
			return;
		used += (size_t)n;
		at += size + (at[size] == ' ');
	}
}

int demo_net_create(struct demo_net *net, char *why, size_t why_size)
{
	char command[256] = "";
	int pid = (int)getpid();

	*net = (struct demo_net){.node_fd = -1, .bots_fd = -1};
	snprintf(net->name, sizeof(net->name), DEMO_PREFIX "%d", pid);
	snprintf(net->node_ns, sizeof(net->node_ns), DEMO_PREFIX "%d-node", pid);
	snprintf(net->bots_ns, sizeof(net->bots_ns), DEMO_PREFIX "%d-bots", pid);
	snprintf(net->bridge_ns, sizeof(net->bridge_ns), DEMO_PREFIX "%d-net", pid);

	int err = choose_subnet(net);
	for (size_t i = 0; err == 0 && i < sizeof(net_commands) / sizeof(net_commands[0]); i++) {
		expand(net, net_commands[i], command, sizeof(command));
		err = run_ip(false, command);
	}
	if (err == 0) {
		net->node_fd = open_ns(net->node_ns);
		net->bots_fd = open_ns(net->bots_ns);
		err = net->node_fd < 0 ? net->node_fd : net->bots_fd < 0 ? net->bots_fd : 0;
	}
	if (err == 0)
		err = offloads_off(net->node_fd, DEMO_NODE_INTERFACE);
	if (err == 0)
		err = offloads_off(net->bots_fd, "bots0");
	if (err == 0)
		err = offloads_off(-1, net->name);
	if (err == 0)
		return 0;
	snprintf(why, why_size,
		err == -ENOENT
			? "network namespaces need the program ip: apt-get install iproute2%s%s"
			: "network cannot be made: \"ip %s\": %s; run as root, not inside a "
			  "container"
			  " without CAP_SYS_ADMIN",
		err == -ENOENT ? "" : command, err == -ENOENT ? "" : strerror(-err));
	demo_net_destroy(net);
	return err;
}

void demo_net_destroy(struct demo_net *net)
{
	const char *namespaces[] = {net->node_ns, net->bots_ns, net->bridge_ns};
	char command[128];

	if (net->node_fd >= 0)
		close(net->node_fd);
	if (net->bots_fd >= 0)
		close(net->bots_fd);
	net->node_fd = net->bots_fd = -1;
	// The link first: its namespace may take a while to go.
	snprintf(command, sizeof(command), "link del %s", net->name);
	(void)run_ip(true, command);
	for (size_t i = 0; i < sizeof(namespaces) / sizeof(namespaces[0]); i++) {
		snprintf(command, sizeof(command), "netns del %s", namespaces[i]);
		(void)run_ip(true, command);
	}
}

// Is the demo that made 'name' ("vn-demo-PID...") gone?
static bool maker_is_dead(const char *name)
{
	char path[64], line[128] = "";
	long pid = strtol(name + strlen(DEMO_PREFIX), NULL, 10);

	if (pid <= 0)
		return false;
	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	FILE *f = fopen(path, "re");
	if (f == NULL)
		return true;
	bool read = fgets(line, sizeof(line), f) != NULL;
	fclose(f);
	// "PID (name) S ...": a zombie is dead, and another name means that the number has another
	// owner by now.
	const char *process = strchr(line, '('), *end = strrchr(line, ')');
	if (!read || process == NULL || end == NULL || end[1] == 0)
		return false;
	return strncmp(process + 1, "voicenode", 9) != 0 || end[2] == 'Z' || end[2] == 'X';
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st, (void)kind, (void)ftw;
	return remove(path) == 0 || errno == ENOENT ? 0 : -1;
}

void demo_net_remove_tree(const char *path)
{
	(void)nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

// Calls 'remove_one' for each entry of 'directory' that a dead demo made.
static void each_leftover(
	const char *directory, void (*remove_one)(const char *path, const char *name))
{
	char path[512];
	DIR *dir = opendir(directory);

	if (dir == NULL)
		return;
	for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
		if (strncmp(e->d_name, DEMO_PREFIX, strlen(DEMO_PREFIX)) != 0 ||
			!maker_is_dead(e->d_name))
			continue;
		snprintf(path, sizeof(path), "%s/%s", directory, e->d_name);
		remove_one(path, e->d_name);
	}
	closedir(dir);
}

static void remove_namespace(const char *path, const char *name)
{
	char command[512];

	(void)path;
	snprintf(command, sizeof(command), "netns del %s", name);
	(void)run_ip(true, command);
}

static void remove_link(const char *path, const char *name)
{
	char command[512];

	(void)path;
	snprintf(command, sizeof(command), "link del %s", name);
	(void)run_ip(true, command);
}

static void remove_directory(const char *path, const char *name)
{
	struct stat st;

	(void)name;
	// Anybody may make a directory of that name in /tmp; what is in theirs is not ours to
	// follow.
	if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid())
		demo_net_remove_tree(path);
}

void demo_net_clear_leftovers(const char *directory_root)
{
	each_leftover("/sys/class/net", remove_link);
	each_leftover("/run/netns", remove_namespace);
	each_leftover(directory_root, remove_directory);
}
