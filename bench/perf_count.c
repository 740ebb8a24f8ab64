// SPDX-License-Identifier: BSD-3-Clause
//
// See perf_count.h.
#include "perf_count.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int open_event(uint64_t config, int group_fd)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = config,
		.disabled = group_fd < 0,
		.exclude_kernel = 1,
		.exclude_hv = 1};

	return (int)syscall(SYS_perf_event_open, &attr, 0, -1, group_fd, PERF_FLAG_FD_CLOEXEC);
}

bool perf_count_open(struct perf_count *p, char *why, unsigned why_size)
{
	p->misses_fd = -1;
	p->instructions_fd = open_event(PERF_COUNT_HW_INSTRUCTIONS, -1);
	if (p->instructions_fd >= 0) {
		p->misses_fd = open_event(PERF_COUNT_HW_CACHE_MISSES, p->instructions_fd);
	}
	if (p->misses_fd >= 0) {
		return true;
	}
	snprintf(why, why_size, "not available: perf_event_open: %s", strerror(errno));
	perf_count_close(p);
	return false;
}

void perf_count_close(struct perf_count *p)
{
	if (p->misses_fd >= 0) {
		close(p->misses_fd);
	}
	if (p->instructions_fd >= 0) {
		close(p->instructions_fd);
	}
	*p = (struct perf_count){.instructions_fd = -1, .misses_fd = -1};
}

void perf_count_run(struct perf_count *p, bool on)
{
	(void)ioctl(p->instructions_fd, on ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE,
		PERF_IOC_FLAG_GROUP);
}

bool perf_count_read(const struct perf_count *p, struct perf_values *out)
{
	return read(p->instructions_fd, &out->instructions, sizeof(out->instructions)) ==
		       sizeof(out->instructions) &&
	       read(p->misses_fd, &out->cache_misses, sizeof(out->cache_misses)) ==
		       sizeof(out->cache_misses);
}
