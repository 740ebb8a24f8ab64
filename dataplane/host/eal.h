// SPDX-License-Identifier: BSD-3-Clause
//
// DPDK's environment layer: the arguments it is started with, and the memory. Lcore 0 is the main
// thread, lcore n + 1 is worker n. The plan is pure; eal_start() runs once per process.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/dp_limits.h"
#include "host/device.h"

enum eal_hugepages {
	EAL_HUGEPAGES_AUTO,     // if enough are free
	EAL_HUGEPAGES_REQUIRED, // or do not start
	EAL_HUGEPAGES_OFF,
};

struct eal_params {
	const struct device_spec *device;
	uint16_t worker_count;
	const uint16_t *cores; // of worker n
	uint16_t main_core;
	enum eal_hugepages hugepages;
	uint32_t mbufs; // per worker
	const char *file_prefix;
	bool debug; // DPDK's own messages below warning, too
	char *const *extra;
	unsigned extra_count;
};

#define EAL_ARGV_MAX 96
#define EAL_TEXT_SIZE 16384

// The arguments of rte_eal_init().
struct eal_argv {
	char *items[EAL_ARGV_MAX + 1]; // NULL-terminated, into 'text' and into params.extra
	unsigned count;
	uint32_t text_used;
	char text[EAL_TEXT_SIZE];
};

// MiB that DPDK itself needs: packet buffers, rings, slack.
uint32_t eal_memory_mb(const struct eal_params *params, bool hugepages);
// 'hugepages': whether to use them. 0, or -E2BIG.
int eal_argv_build(struct eal_argv *argv, const struct eal_params *params, bool hugepages)
	__attribute__((warn_unused_result));

// Unused huge pages of this machine, all sizes, in MiB.
uint64_t eal_hugepages_free_mb(void);

// What this machine, or the control group that it is for us, has left in MiB.
uint64_t eal_memory_free_mb(void);

// Starts DPDK. 0; -ENOMEM if the memory is not there, or huge pages are required and missing;
// -EINVAL for a core that this process may not use; else -errno. One sentence in 'why'.
int eal_start(const struct eal_params *params, char *why, size_t why_size)
	__attribute__((warn_unused_result));
void eal_stop(void);

static inline unsigned eal_worker_lcore(unsigned worker)
{
	return worker + 1;
}
