// SPDX-License-Identifier: BSD-3-Clause
//
// See eal.h.

#include "host/eal.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_errno.h>

#include "host/eal_log.h"
#include "host/host_log.h"

// Bytes of a packet buffer: rte_mbuf 128, headroom 128, data 2,048, the pool's header 64, its slot
// in the pool's ring 8. What hardware reads may not cross a page: a small page holds one.
static_assert(128 + 128 + 2048 + 64 + 8 <= DP_MBUF_SIZE, "a packet buffer fits its size");
#define EAL_MBUF_SIZE_ALONE (4096u + 64u)
// Bytes of a worker's rings: commands 1,024 * 512, events 2,048 * 24, two of 4,096 packets * 8.
#define EAL_RINGS_SIZE (1024u * 512 + 2048u * 24 + 2u * 4096 * 8)
// MiB for ports, the heap's own books, and alignment.
#define EAL_SLACK_MB 48u

static const char hugepages_path[] = "/sys/kernel/mm/hugepages";

uint32_t eal_memory_mb(const struct eal_params *params, bool hugepages)
{
	bool alone = !hugepages && params->device->kind == DEVICE_PCI;
	uint64_t mbuf_size = alone ? EAL_MBUF_SIZE_ALONE : DP_MBUF_SIZE;
	uint64_t size = params->worker_count * (params->mbufs * mbuf_size + EAL_RINGS_SIZE);

	return (uint32_t)(size >> 20) + EAL_SLACK_MB;
}

__attribute__((format(printf, 2, 3))) static int add(struct eal_argv *argv, const char *format, ...)
{
	size_t left = sizeof(argv->text) - argv->text_used;
	va_list list;

	if (argv->count == EAL_ARGV_MAX)
		return -E2BIG;
	va_start(list, format);
	int n = vsnprintf(argv->text + argv->text_used, left, format, list);
	va_end(list);
	if (n < 0 || (size_t)n >= left)
		return -E2BIG;
	argv->items[argv->count++] = argv->text + argv->text_used;
	argv->items[argv->count] = NULL;
	argv->text_used += (uint32_t)n + 1;
	return 0;
}

static int add_lcores(struct eal_argv *argv, const struct eal_params *params)
{
	char list[DP_WORKERS_MAX * 12];
	size_t used = (size_t)snprintf(list, sizeof(list), "0@%u", params->main_core);

	// "lcore@core": several may share a core.
	for (unsigned worker = 0; worker < params->worker_count; worker++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, ",%u@%u",
			eal_worker_lcore(worker), params->cores[worker]);
	return add(argv, "--lcores=%s", list);
}

int eal_argv_build(struct eal_argv *argv, const struct eal_params *params, bool hugepages)
{
	int err;

	argv->count = 0;
	argv->text_used = 0;
	err = add(argv, "voicenode-dataplane");
	if (err == 0)
		err = add_lcores(argv, params);
	if (err == 0)
		err = add(argv, "--main-lcore=0");
	if (err == 0)
		err = add(argv, "--file-prefix=%s", params->file_prefix);
	if (err == 0)
		err = add(argv, "--no-telemetry");
	if (err == 0)
		err = add(argv, "--log-level=*:%s", params->debug ? "info" : "warning");
	if (err == 0 && hugepages)
		err = add(argv, "--in-memory");
	if (err == 0 && !hugepages) {
		// --in-memory does not go with --no-huge; this is the rest of what it would do.
		err = add(argv, "--no-huge");
		if (err == 0)
			err = add(argv, "--no-shconf");
		if (err == 0)
			err = add(argv, "-m");
		if (err == 0)
			err = add(argv, "%u", eal_memory_mb(params, false));
	}
	if (err == 0 && params->device->kind == DEVICE_PCI)
		err = add(argv, "--allow=%s", params->device->name);
	if (err == 0 && params->device->kind != DEVICE_PCI)
		err = add(argv, "--no-pci");
	for (unsigned i = 0; i < params->extra_count && err == 0; i++)
		err = add(argv, "%s", params->extra[i]);
	return err;
}

static uint64_t read_number(const char *folder, const char *name)
{
	char path[320];
	unsigned long long value = 0;

	snprintf(path, sizeof(path), "%s/%s/%s", hugepages_path, folder, name);
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return 0;
	if (fscanf(file, "%20llu", &value) != 1)
		value = 0;
	fclose(file);
	return value;
}

uint64_t eal_hugepages_free_mb(void)
{
	DIR *folder = opendir(hugepages_path);
	uint64_t total_kb = 0;

	if (folder == NULL)
		return 0;
	for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
		unsigned long long page_kb;

		if (sscanf(entry->d_name, "hugepages-%llukB", &page_kb) == 1)
			total_kb += page_kb * read_number(entry->d_name, "free_hugepages");
	}
	closedir(folder);
	return total_kb >> 10;
}

uint64_t eal_memory_free_mb(void)
{
	unsigned long long free_kb = 0, bound;
	char line[128];
	FILE *file = fopen("/proc/meminfo", "re");

	while (file != NULL && free_kb == 0 && fgets(line, sizeof(line), file) != NULL)
		(void)sscanf(line, "MemAvailable: %20llu", &free_kb);
	if (file != NULL)
		fclose(file);
	file = fopen("/sys/fs/cgroup/memory.max", "re"); // "max" where there is no bound
	if (file != NULL && fscanf(file, "%20llu", &bound) == 1 && bound >> 10 < free_kb)
		free_kb = bound >> 10;
	if (file != NULL)
		fclose(file);
	return free_kb == 0 ? UINT64_MAX : free_kb >> 10; // not known: the attempt will tell
}

// DPDK takes small pages all at once: what is not there would end in the kernel's killing somebody.
static int check_memory(const struct eal_params *params, char *why, size_t why_size)
{
	uint32_t need_mb = eal_memory_mb(params, false);
	uint64_t free_mb = eal_memory_free_mb();

	if (need_mb <= free_mb)
		return 0;
	snprintf(why, why_size,
		"memory.mbufs = %u packet buffers for each of %u workers need %u MiB and %llu MiB"
		" are free: lower memory.mbufs, or give the machine more memory",
		params->mbufs, params->worker_count, need_mb, (unsigned long long)free_mb);
	return -ENOMEM;
}

// 0, or -ENOMEM when they are required.
static int choose_memory(
	const struct eal_params *params, bool *hugepages, char *why, size_t why_size)
{
	uint32_t need_mb = eal_memory_mb(params, true);
	uint64_t free_mb = eal_hugepages_free_mb();

	*hugepages = false;
	if (params->hugepages == EAL_HUGEPAGES_OFF)
		return 0;
	*hugepages = free_mb >= need_mb;
	if (*hugepages)
		return 0;
	if (params->hugepages == EAL_HUGEPAGES_REQUIRED) {
		snprintf(why, why_size,
			"%u MiB of huge pages are needed and %llu MiB are free: sysctl -w"
			" vm.nr_hugepages=N gives more (2 MiB each), memory.hugepages = \"auto\""
			" does without",
			need_mb, (unsigned long long)free_mb);
		return -ENOMEM;
	}
	host_log(HOST_LOG_WARN,
		"too few huge pages, using small ones: more TLB misses under load, and a slower"
		" restart",
		"need_mb=%u free_mb=%llu cure=\"sysctl -w vm.nr_hugepages=%u\"", need_mb,
		(unsigned long long)free_mb, (need_mb + 1) / 2);
	return 0;
}

static int check_cores(const struct eal_params *params, char *why, size_t why_size)
{
	cpu_set_t allowed;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
		return 0; // more than 1,024 CPUs: DPDK will say what it thinks
	for (unsigned i = 0; i <= params->worker_count; i++) {
		unsigned core = i == 0 ? params->main_core : params->cores[i - 1];

		if (core < CPU_SETSIZE && CPU_ISSET(core, &allowed))
			continue;
		snprintf(why, why_size,
			"core %u does not exist, or this process may not run on it (taskset -p"
			" shows where it may)",
			core);
		return -EINVAL;
	}
	return 0;
}

static void log_argv(const struct eal_argv *argv)
{
	struct host_log_text quoted;
	char line[1024];
	size_t used = 0;

	line[0] = '\0';
	for (unsigned i = 1; i < argv->count && used < sizeof(line); i++)
		used += (size_t)snprintf(line + used, sizeof(line) - used, "%s%s",
			i == 1 ? "" : " ", argv->items[i]);
	host_log(HOST_LOG_INFO, "DPDK starts", "arguments=%s", host_log_quote(&quoted, line));
}

int eal_start(const struct eal_params *params, char *why, size_t why_size)
{
	static struct eal_argv argv; // DPDK keeps pointers into it
	char reason[160];
	bool hugepages = false;

	int err = check_cores(params, why, why_size);
	if (err == 0)
		err = choose_memory(params, &hugepages, why, why_size);
	if (err == 0 && !hugepages)
		err = check_memory(params, why, why_size);
	if (err != 0)
		return err;
	err = eal_argv_build(&argv, params, hugepages);
	if (err == 0)
		err = eal_log_open();
	if (err != 0) {
		snprintf(why, why_size, "DPDK's arguments: %s", strerror(-err));
		return err;
	}
	log_argv(&argv);
	if (rte_eal_init((int)argv.count, argv.items) < 0) {
		err = rte_errno > 0 ? -rte_errno : -EIO;
		eal_log_last(reason, sizeof(reason));
		snprintf(why, why_size, "DPDK does not start: %s%s%s", rte_strerror(-err),
			reason[0] != '\0' ? "; its last word: " : "", reason);
		return err;
	}
	eal_log_open_bpf();
	eal_log_forget();
	return 0;
}

void eal_stop(void)
{
	(void)rte_eal_cleanup();
}
